//! Records: what goes into them, and the scanner's signature.

use super::Post;
use crate::admission::ReadCode;
use crate::barcode::{CODE_LEN, NONCE_LEN, Purpose};
use crate::clock::TrustedNow;
use crate::device::sign as sign_with;
use crate::error::Error;
use crate::host::KeyVault;
use crate::ledger::{Evidence, Kind, Record, RecordFields, Verdict};
use crate::manifest::Profile;
use crate::model::TicketHash;
use crate::store::{LedgerHead, StoredRecord};

/// The longest reason of an override, in bytes.
const MAX_REASON: usize = 200;

/// A signed code, and the venue nonce in it.
pub(super) type Proof = ([u8; CODE_LEN], Option<[u8; NONCE_LEN]>);

/// What a record says, but for its place and time.
pub(super) struct Entry {
    kind: Kind,
    verdict: Verdict,
    profile: Profile,
    ticket: Option<TicketHash>,
    generation: u16,
    persons: u16,
    presented_at: Option<u32>,
    evidence: Evidence,
    /// The code that was scanned, where it is not signed.
    pub(super) code: Option<String>,
}

impl Entry {
    pub(super) fn of_code(code: &ReadCode, kind: Kind, verdict: Verdict, persons: u16) -> Self {
        let proof = code.proof.filter(|_| kind == Kind::Admission);
        // Generations count from 1: a record cannot name a ticket by another.
        let is_sayable = code.profile != Profile::Signed || code.generation > 0;
        Self {
            kind,
            verdict,
            profile: code.profile,
            ticket: code.ticket.filter(|_| is_sayable),
            generation: code.generation,
            persons,
            presented_at: code.presented_at.filter(|at| *at != 0),
            evidence: Evidence {
                code: proof.map(|(code, _)| code),
                nonce: proof.and_then(|(_, nonce)| nonce),
                ..Evidence::default()
            },
            code: code.text.clone(),
        }
    }

    pub(super) fn undo_of(admission: &StoredRecord) -> Self {
        let evidence = Evidence { undone: Some(admission.record.fields().sequence), ..Evidence::default() };
        Self { kind: Kind::Undo, ..Self::after(admission, evidence) }
    }

    pub(super) fn overriding(
        refusal: &StoredRecord,
        reason: &str,
        proof: Option<Proof>,
    ) -> Result<Self, Error> {
        if reason.is_empty() || reason.len() > MAX_REASON {
            return Err(Error::Input {
                field: "reason",
                reason: "it has 1 to 200 bytes of UTF-8".to_owned(),
            });
        }
        let proof = proof.filter(|_| refusal.record.fields().profile == Profile::Signed);
        let evidence = Evidence {
            code: proof.map(|(code, _)| code),
            nonce: proof.and_then(|(_, nonce)| nonce),
            reason: Some(reason.to_owned()),
            undone: None,
        };
        Ok(Self { kind: Kind::Override, ..Self::after(refusal, evidence) })
    }

    fn after(stored: &StoredRecord, evidence: Evidence) -> Self {
        let before = stored.record.fields();
        Self {
            kind: before.kind,
            verdict: before.verdict,
            profile: before.profile,
            ticket: before.ticket,
            generation: before.generation,
            persons: before.persons,
            presented_at: before.presented_at,
            evidence,
            code: stored.code.clone(),
        }
    }
}

/// Signs a record at the end of the post's chain.
pub(super) fn sign(
    vault: &dyn KeyVault,
    post: &Post,
    now: &TrustedNow,
    head: LedgerHead,
    entry: &Entry,
) -> Result<Record, Error> {
    let unsayable = |_| Error::Untrusted { what: "a record's fields do not belong together" };
    let full = Error::Untrusted { what: "the scanner's chain is full; sign in anew" };
    let fields = RecordFields {
        chain: post.chain,
        scanner: post.scanner.scanner,
        sequence: head.sequence.checked_add(1).ok_or(full)?,
        previous: head.hash,
        event: post.scanner.event,
        ticket: entry.ticket,
        generation: if entry.ticket.is_some() { entry.generation } else { 0 },
        persons: entry.persons,
        time_ms: u64::try_from(now.unix_ms).unwrap_or(0),
        presented_at: entry.presented_at,
        kind: entry.kind,
        verdict: entry.verdict,
        profile: entry.profile,
        clock_confirmed: now.uncertainty.confirmed,
        evidence: entry.evidence.clone(),
    };
    let message = Record::message(&fields.to_bytes().map_err(unsayable)?);
    let signature = sign_with(vault, post.scanner.key_handle.clone(), Purpose::Record, message)?;
    Record::from_parts(fields, signature).map_err(unsayable)
}
