//! Whether a record counts: what it proves, and whether its scanner was still to be trusted.
//!
//! A record that is validly signed is kept, whatever it says. It counts for history only as far as it is proved: an
//! admission of a signed ticket by the code inside, held against the manifest at the record's own time. So a scanner that
//! writes what did not happen locks nobody out. What no code can prove, because it is static, counts and is named.

use std::collections::{BTreeMap, BTreeSet};

use super::code::Knowledge;
use crate::barcode::{CodeVerdict, Reading, read_bytes};
use crate::ledger::{Kind, Place, Record, RecordFields, Verdict};
use crate::manifest::{Manifest, Profile, RevokedScanner};
use crate::model::TicketHash;

/// Whether a record counts, and why. The numbers are those of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// It counts.
    Counted = 0,
    /// It counts, and nothing proves it: somebody with a static code was let in.
    Unproved = 1,
    /// The code in it does not prove it, or it has none that could.
    Failed = 2,
    /// It comes after the last record of its scanner that counts.
    Revoked = 3,
    /// No manifest has said yet which codes count.
    Unjudged = 4,
}

impl Standing {
    /// Reads its number.
    pub fn from_number(number: u8) -> Option<Self> {
        let all = [Self::Counted, Self::Unproved, Self::Failed, Self::Revoked, Self::Unjudged];
        all.into_iter().find(|one| *one as u8 == number)
    }

    /// Whether the record counts.
    pub fn counts(self) -> bool {
        self <= Self::Unproved
    }
}

impl Knowledge {
    /// What a record proves by itself. The same whoever asks, if only the manifest names the same keys and nonces.
    pub fn judge(&self, record: &Record) -> Standing {
        let fields = record.fields();
        match fields.profile {
            _ if !fields.lets_in() => Standing::Counted,
            // Staff let somebody in whose code named no ticket: who says so is all that vouches for it.
            _ if fields.ticket.is_none() => Standing::Unproved,
            _ if self.fault(fields).is_some() => Standing::Failed,
            Profile::Signed => Standing::Counted,
            _ => Standing::Unproved,
        }
    }

    /// What is wrong with the code that should prove that somebody was let in. A static one proves nothing, but can let in only
    /// with a ticket to which the manifest gives that profile: what no code proves must not count against a signed ticket.
    ///
    /// An admission's must have held when the record was made. Staff override what does not hold then, so that of an
    /// override both signatures count, at the time when the code was shown.
    pub fn fault(&self, fields: &RecordFields) -> Option<Verdict> {
        if fields.profile != Profile::Signed {
            let row = fields.ticket.and_then(|ticket| self.manifest().ticket(&ticket));
            let accepted = row.map_or(self.manifest().head().unlisted, |row| row.profile);
            return (accepted != fields.profile).then_some(Verdict::WrongProfile);
        }
        let Some(code) = fields.evidence.code else { return Some(Verdict::Malformed) };
        let at_ms = i64::try_from(fields.time_ms).unwrap_or(i64::MAX);
        let at = match fields.kind {
            Kind::Override => fields.presented_at.map_or(at_ms / 1000, i64::from),
            _ => at_ms / 1000,
        };
        let reading = self.check(at, &[], |checks| read_bytes(&code, checks));
        match reading.verdict {
            CodeVerdict::Valid => {}
            _ if fields.kind == Kind::Override && reading.code.is_some() => {}
            verdict => return Some(verdict.into()),
        }
        (!tells(&reading, fields)).then_some(Verdict::Malformed)
    }

    /// Whether records are judged as by another manifest, but for who was revoked.
    pub fn judges_as(&self, other: &Self) -> bool {
        let (one, two) = (self.manifest(), other.manifest());
        one.head().nonce_required == two.head().nonce_required
            && one.issuers().eq(two.issuers())
            && one.epochs().eq(two.epochs())
            && one.head().unlisted == two.head().unlisted
            && of_another_profile(one).eq(of_another_profile(two))
    }
}

/// The tickets that are let in by another kind of code than those without a row.
fn of_another_profile(manifest: &Manifest) -> impl Iterator<Item = (TicketHash, Profile)> {
    let rows = manifest.tickets().filter(|row| row.profile != manifest.head().unlisted);
    rows.map(|row| (row.id, row.profile))
}

/// Whether the code says what the record says.
fn tells(reading: &Reading, fields: &RecordFields) -> bool {
    reading.code.is_some_and(|code| {
        let said = code.credential.fields();
        Some(said.ticket) == fields.ticket
            && said.event == fields.event
            && said.generation == fields.generation
            && Some(code.presented_at).filter(|at| *at != 0) == fields.presented_at
            && reading.nonce == fields.evidence.nonce
    })
}

/// The records of one chain that come after the last good one, or not before it. Without an entry for the chain none of a
/// revoked scanner's counts; while that one's way from the first record is not all there, the places that it may lead
/// over count.
pub fn revoked<'a>(
    manifest: &Manifest,
    chain: impl IntoIterator<Item = &'a Record>,
) -> Option<BTreeSet<Place>> {
    let records: BTreeMap<Place, &Record> =
        chain.into_iter().map(|record| (record.place(), record)).collect();
    let (first, one) = records.first_key_value()?;
    let scanner = one.fields().scanner.0;
    let of_scanner: Vec<RevokedScanner> =
        manifest.revoked_scanners().filter(|one| one.scanner == scanner).collect();
    if of_scanner.is_empty() {
        return None;
    }
    let last = of_scanner.iter().find(|one| one.chain == first.chain.0);
    let (last_good, hash) = last.map_or((0, [0; 32]), |one| (one.last_good, one.hash));
    // The good way, from its end as far back as it is known; each place on it has this record and no other.
    let mut way = BTreeMap::new();
    let mut at = Place { chain: first.chain, sequence: last_good, hash };
    while at.sequence > 0 {
        way.insert(at.sequence, at.hash);
        let Some(record) = records.get(&at) else { break };
        at = Place { sequence: at.sequence - 1, hash: record.fields().previous, ..at };
    }
    let is_good = |place: &Place| {
        place.sequence <= last_good && way.get(&place.sequence).is_none_or(|hash| *hash == place.hash)
    };
    Some(records.into_keys().filter(|place| !is_good(place)).collect())
}
