//! What staff see.

use super::{Post, Scanner};
use crate::admission::{Allowed, Decision, Earlier, History, Knowledge, ReadCode};
use crate::clock::TrustedNow;
use crate::error::Error;
use crate::ledger::RecordId;
use crate::manifest::{Manifest, Profile};
use crate::model::{
    EarlierEntry, GateCertainty, GateCertification, GateReadiness, GateRecord, GateSection, GateStatus,
    GateVerdict,
};
use crate::store::StoredRecord;
use crate::sync::gate::{Registered, certification};

/// What is said of a code.
pub(super) fn verdict(
    post: &Post,
    knowledge: &Knowledge,
    code: &ReadCode,
    history: &History,
    decision: &Decision,
    now: &TrustedNow,
    record: RecordId,
) -> GateVerdict {
    let manifest = knowledge.manifest();
    let named = code.ticket.as_ref();
    GateVerdict {
        verdict: decision.verdict,
        profile: code.profile,
        ticket: named.map(ToString::to_string),
        generation: code.generation,
        section: named.filter(|_| code.section != 0).map(|_| section(manifest, code.section)),
        seat: named.and_then(|ticket| manifest.seat(ticket)).map(str::to_owned),
        entered: history.persons(),
        allowed: Allowed::by(manifest, code.row),
        earlier: decision.earlier.map(|earlier| earlier_entry(post, earlier)),
        certainty: GateCertainty {
            readiness: readiness(manifest),
            manifest_age_s: now.unix_s().saturating_sub(i64::from(manifest.head().as_of)),
            clock: now.uncertainty.clone(),
            is_proved: code.profile == Profile::Signed && code.proof.is_some(),
            peers: 0,
            newest_peer_age_s: None,
            oldest_peer_age_s: None,
        },
        record_id: record.to_string(),
        is_repeated: false,
    }
}

fn earlier_entry(post: &Post, earlier: Earlier) -> EarlierEntry {
    let Earlier { entry, on_superseded_copy } = earlier;
    EarlierEntry {
        at_ms: i64::try_from(entry.time_ms).unwrap_or(i64::MAX),
        scanner: hex::encode(entry.scanner.0),
        is_here: entry.chain == post.chain,
        generation: entry.generation,
        on_superseded_copy,
        record_id: RecordId { chain: entry.chain, sequence: entry.sequence }.to_string(),
    }
}

fn section(manifest: &Manifest, code: u16) -> GateSection {
    let name = manifest.section(code).map_or_else(|| code.to_string(), str::to_owned);
    GateSection { code, name }
}

/// Nothing changes hands after the event's own time for it; a manifest made since then knows all of it.
fn readiness(manifest: &Manifest) -> GateReadiness {
    let head = manifest.head();
    match head.closes_at {
        Some(closes_at) if head.as_of < closes_at => GateReadiness::ReadyWithOldData,
        _ => GateReadiness::Ready,
    }
}

impl Scanner {
    /// What the gate is, and how far it is prepared.
    ///
    /// # Errors
    /// [`Error::Clock`], [`Error::Database`].
    pub fn status(&self) -> Result<GateStatus, Error> {
        let now = self.time.now()?;
        let clock = now.uncertainty;
        let Ok(post) = self.post() else {
            return Ok(GateStatus {
                readiness: GateReadiness::NotSignedIn,
                name: None,
                event: None,
                scanner: None,
                sections: Vec::new(),
                manifest_sequence: None,
                manifest_as_of: None,
                closes_at: None,
                tickets: 0,
                unsent: 0,
                certification: GateCertification::NotNeeded,
                clock,
            });
        };
        let manifest = post.knowledge.as_ref().map(Knowledge::manifest);
        let head = manifest.map(Manifest::head);
        let named = |code: &u16| match manifest {
            Some(manifest) => section(manifest, *code),
            None => GateSection { code: *code, name: code.to_string() },
        };
        Ok(GateStatus {
            readiness: manifest.map_or(GateReadiness::NotPrepared, readiness),
            name: Some(Registered::read(&post.scanner)?.name),
            event: Some(post.scanner.event.to_string()),
            scanner: Some(hex::encode(post.scanner.scanner.0)),
            sections: post.sections.iter().map(named).collect(),
            manifest_sequence: head.map(|head| head.sequence),
            manifest_as_of: head.map(|head| i64::from(head.as_of)),
            closes_at: head.and_then(|head| head.closes_at).map(i64::from),
            tickets: manifest.map_or(0, |one| u32::try_from(one.ticket_count()).unwrap_or(u32::MAX)),
            unsent: self.store.tallies(post.scanner.event, None)?.1,
            certification: certification(&post.scanner, now.unix_ms),
            clock,
        })
    }

    /// The event's newest records.
    ///
    /// # Errors
    /// As [`Scanner::statistics`].
    pub fn records(&self, limit: u32) -> Result<Vec<GateRecord>, Error> {
        let records = self.store.records(self.post()?.scanner.event, limit)?;
        Ok(records.into_iter().map(GateRecord::from).collect())
    }
}

impl From<StoredRecord> for GateRecord {
    fn from(stored: StoredRecord) -> Self {
        let fields = stored.record.fields();
        Self {
            id: stored.record.id().to_string(),
            kind: fields.kind,
            verdict: fields.verdict,
            at_ms: i64::try_from(fields.time_ms).unwrap_or(i64::MAX),
            ticket: fields.ticket.map(|ticket| ticket.to_string()),
            generation: fields.generation,
            persons: fields.persons,
            override_reason: fields.evidence.reason.clone(),
            is_sent: stored.sent,
            conflict: stored.conflict,
        }
    }
}
