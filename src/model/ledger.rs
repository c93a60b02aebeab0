//! What a gate says of the ledger that scanners share.

use crate::ledger::Verdict;

/// What a gate answers to another one's request.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct LedgerDelta {
    /// For the asking gate to merge.
    pub bytes: Vec<u8>,
    /// Whether there is more; what was merged then says what to ask for next.
    pub more: bool,
}

opaque_debug!(LedgerDelta);

/// An entry by any scanner, in a ledger's report.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerEntry {
    /// Its record.
    pub record_id: String,
    /// When, Unix milliseconds, by that scanner's clock.
    pub at_ms: i64,
    /// At which scanner, 16 hex digits.
    pub scanner: String,
    /// The door, as staff call it.
    pub door: Option<String>,
    /// The generation that was let in; 0 for a code that is not signed.
    pub generation: u16,
    /// Persons.
    pub persons: u16,
    /// Whether staff let in against the verdict.
    pub is_override: bool,
    /// Whether it is one that the ticket did not allow. Which of two it is may be wrong by as much as clocks differ.
    pub is_extra: bool,
}

/// A ticket that let in more often than it may.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DoubleEntry {
    /// The ticket, 24 hex digits.
    pub ticket: String,
    /// Its seat, as staff read it.
    pub seat: Option<String>,
    /// All its entries, in the order of time.
    pub entries: Vec<LedgerEntry>,
}

/// A place of a chain that more than one record claims: its scanner signed both. Both are kept, and both count.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct LedgerFork {
    /// The place: chain and sequence.
    pub record_id: String,
    /// The scanner, 16 hex digits.
    pub scanner: String,
    /// How many records claim it.
    pub records: u32,
}

/// Why a record does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Discounted {
    /// The code that it shows would not have let in then, or is not of what the record says.
    NotProved {
        /// What is wrong with the code; `Malformed` for one that is not there or tells something else.
        fault: Verdict,
    },
    /// It comes after the last record of its scanner that counts.
    ScannerRevoked,
    /// This gate has no manifest yet to hold it against.
    NoManifest,
}

/// A record that is kept and does not count.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct DiscountedRecord {
    /// The record.
    pub record_id: String,
    /// The scanner, 16 hex digits.
    pub scanner: String,
    /// When it says it was made, Unix milliseconds.
    pub at_ms: i64,
    /// The ticket, 24 hex digits.
    pub ticket: Option<String>,
    /// Why it does not count.
    pub why: Discounted,
}

/// Records that a scanner is known to have made and that are not here.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct MissingRecords {
    /// The chain, 32 hex digits.
    pub chain: String,
    /// The scanner, 16 hex digits.
    pub scanner: String,
    /// The first place that is missing.
    pub from: u32,
    /// The last one.
    pub to: u32,
}

/// A scanner of the event that was heard of.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct HeardScanner {
    /// Its id, 16 hex digits.
    pub scanner: String,
    /// The door, as staff call it.
    pub door: Option<String>,
    /// Whether it is this one.
    pub is_here: bool,
    /// Whether it was revoked.
    pub is_revoked: bool,
    /// How many chains it has: more than one where it signed in anew or lost its store.
    pub chains: u32,
    /// Its records that are here.
    pub records: u32,
    /// The newest time at which it is known to have spoken, Unix milliseconds by its own clock.
    pub heard_ms: Option<i64>,
}

/// What all scanners whose records are here say together. Two gates with the same records and manifest say the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct LedgerReport {
    /// Persons let in, overrides among them; what was taken back is not.
    pub entered: u32,
    /// Persons who left.
    pub left: u32,
    /// Records that are here.
    pub records: u32,
    /// Tickets that let in more often than they may, by rising id.
    pub double_entries: Vec<DoubleEntry>,
    /// Places of chains that more than one record claims.
    pub forks: Vec<LedgerFork>,
    /// Records that do not count.
    pub discounted: Vec<DiscountedRecord>,
    /// Admissions that count and that nothing proves, for their codes are static.
    pub unprovable: u32,
    /// Scanners heard of, by rising id.
    pub scanners: Vec<HeardScanner>,
    /// What is known to be missing.
    pub missing: Vec<MissingRecords>,
}

/// Something in a delta that was not taken on.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RefusedItem {
    /// Its place in the delta, from 0.
    pub index: u32,
    /// Why.
    pub reason: String,
}

/// What a merge did.
#[derive(Clone, Default, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct MergeReport {
    /// Records that are new here.
    pub added: u32,
    /// Records that were here.
    pub repeated: u32,
    /// Admissions among the new ones that count.
    pub admissions: u32,
    /// New records that do not count; [`crate::Gate::report`] says why.
    pub discounted: u32,
    /// What was forged, foreign or not readable, the first 100: nothing of it is kept.
    pub refused: Vec<RefusedItem>,
    /// Of the tickets in new records, those that let in more often than they may.
    pub double_entries: Vec<DoubleEntry>,
    /// What to ask the same gate for next, where its delta was not all.
    pub next_request: Option<Vec<u8>>,
}

opaque_debug!(MergeReport);
