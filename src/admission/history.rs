//! What the ledger holds of one ticket.

use std::collections::BTreeSet;

use crate::ledger::{ChainId, Kind, Record, RecordFields, ScannerId};
use crate::manifest::Profile;

/// An entry: an admission, or staff who let somebody in against the verdict. One that was taken back is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The scanner.
    pub scanner: ScannerId,
    /// Its chain.
    pub chain: ChainId,
    /// The record's place in the chain.
    pub sequence: u32,
    /// When, Unix milliseconds.
    pub time_ms: u64,
    /// The generation that was let in; 0 for a code that is not signed.
    pub generation: u16,
    /// How many persons.
    pub persons: u16,
}

/// What the ledger holds of one ticket, in the order of time.
#[derive(Default)]
pub struct History {
    records: Vec<RecordFields>,
    undone: BTreeSet<(ChainId, u32)>,
}

opaque_debug!(History);

impl History {
    /// The history that valid records of one ticket make, whatever their order.
    pub fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut records: Vec<_> = records.into_iter().map(|record| record.fields().clone()).collect();
        records.sort_by_key(|one| (one.time_ms, one.chain, one.sequence));
        let undone = records.iter().filter_map(|one| Some((one.chain, one.evidence.undone?))).collect();
        Self { records, undone }
    }

    /// Entries that were not taken back.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        let entries = self.records.iter().filter(|one| self.lets_in(one));
        entries.map(|one| Entry {
            scanner: one.scanner,
            chain: one.chain,
            sequence: one.sequence,
            time_ms: one.time_ms,
            generation: one.generation,
            persons: one.persons,
        })
    }

    /// Persons who came in.
    pub fn persons(&self) -> u32 {
        self.entries().map(|entry| u32::from(entry.persons)).sum()
    }

    /// Persons who are in now. An exit whose entry is not known here leaves nobody less than nobody.
    pub fn inside(&self) -> u32 {
        self.records.iter().fold(0, |inside, one| match one.kind {
            Kind::Exit => inside.saturating_sub(u32::from(one.persons)),
            _ if self.lets_in(one) => inside + u32::from(one.persons),
            _ => inside,
        })
    }

    /// The highest generation of which both signatures were seen to hold: a lower one lets nobody in any more.
    pub fn highest_generation(&self) -> u16 {
        let signed = self.records.iter().filter(|one| one.profile == Profile::Signed);
        signed.map(|one| one.generation).max().unwrap_or(0)
    }

    /// When the newest used frame of a generation was shown, Unix seconds. What was taken back was used all the same.
    pub fn newest_frame(&self, generation: u16) -> Option<u32> {
        let used = |one: &&RecordFields| {
            matches!(one.kind, Kind::Admission | Kind::Exit | Kind::Override) && one.generation == generation
        };
        self.records.iter().filter(used).filter_map(|one| one.presented_at).max()
    }

    fn lets_in(&self, one: &RecordFields) -> bool {
        matches!(one.kind, Kind::Admission | Kind::Override)
            && !self.undone.contains(&(one.chain, one.sequence))
    }
}
