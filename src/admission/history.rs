//! What the ledger holds of one ticket.

use std::collections::BTreeMap;

use crate::barcode::CODE_LEN;
use crate::ledger::{ChainId, Kind, Record, RecordFields, ScannerId};
use crate::manifest::Profile;

/// How long after an admission its own scanner can take it back, in milliseconds.
pub const UNDO_MS: u64 = 120_000;

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
    /// Whether staff let in against the verdict.
    pub is_override: bool,
}

/// A record that counts.
pub struct Seen {
    /// The record.
    pub record: Record,
    /// Whether this very scanner wrote it: then it saw what it says.
    pub is_own: bool,
}

/// What the ledger holds of one ticket, in the order of time.
#[derive(Default)]
pub struct History {
    records: Vec<Seen>,
    /// Places of admissions that were taken back, and when first.
    undone: BTreeMap<(ChainId, u32), u64>,
}

opaque_debug!(History, Seen);

impl History {
    /// The history that the records of one ticket make that count, whatever their order.
    pub fn of(records: impl IntoIterator<Item = Seen>) -> Self {
        let mut records: Vec<_> = records.into_iter().collect();
        records.sort_by(|one, two| one.order().cmp(&two.order()));
        let mut undone = BTreeMap::new();
        for one in records.iter().map(Seen::fields) {
            if let Some(sequence) = one.evidence.undone {
                undone.entry((one.chain, sequence)).or_insert(one.time_ms);
            }
        }
        Self { records, undone }
    }

    /// Entries that were not taken back, each by itself.
    pub fn all_entries(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        let entries = self.records.iter().map(Seen::fields).filter(|one| one.lets_in());
        entries.filter(|one| !self.is_undone(one)).map(Entry::of)
    }

    /// Entries by which a scanner decides. Where two scanners have the same frame, one may have it from the other's
    /// records: then what this scanner wrote itself counts, or of others' the one that let in fewer, and none where one of
    /// them has taken it back.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        let mut frames: BTreeMap<&[u8; CODE_LEN], BTreeMap<ChainId, (bool, u32)>> = BTreeMap::new();
        for (seen, one) in
            self.records.iter().map(|seen| (seen, seen.fields())).filter(|(_, one)| one.lets_in())
        {
            if let Some(code) = &one.evidence.code {
                let persons = if self.is_undone(one) { 0 } else { u32::from(one.persons) };
                let of_chain = frames.entry(code).or_default().entry(one.chain).or_default();
                *of_chain = (!seen.is_own, of_chain.1.saturating_add(persons));
            }
        }
        let counts = move |one: &&RecordFields| {
            let chains = one.evidence.code.as_ref().and_then(|code| frames.get(code));
            let first = chains.and_then(|chains| chains.iter().min_by_key(|(_, rank)| **rank));
            first.is_none_or(|(chain, _)| *chain == one.chain)
        };
        let entries = self.records.iter().map(Seen::fields).filter(|one| one.lets_in());
        entries.filter(counts).filter(|one| !self.is_undone(one)).map(Entry::of)
    }

    /// Persons who came in.
    pub fn persons(&self) -> u32 {
        self.entries().fold(0, |sum, entry| sum.saturating_add(u32::from(entry.persons)))
    }

    /// Persons who left, and when, in milliseconds.
    pub fn exits(&self) -> impl Iterator<Item = (u64, u16)> + '_ {
        let exits = self.records.iter().map(Seen::fields).filter(|one| one.kind == Kind::Exit);
        exits.map(|one| (one.time_ms, one.persons))
    }

    /// Persons who are in now.
    pub fn inside(&self) -> u32 {
        let mut exits = self.exits().peekable();
        let mut inside = 0_u32;
        let leave = |inside: u32, persons: u16| inside.saturating_sub(u32::from(persons));
        for entry in self.entries() {
            while let Some((_, persons)) = exits.next_if(|(at, _)| *at < entry.time_ms) {
                inside = leave(inside, persons);
            }
            inside = inside.saturating_add(u32::from(entry.persons));
        }
        exits.fold(inside, |inside, (_, persons)| leave(inside, persons))
    }

    /// The highest generation of which both signatures were seen to hold: a lower one lets nobody in any more.
    pub fn highest_generation(&self) -> u16 {
        self.proved().map(|one| one.generation).max().unwrap_or(0)
    }

    /// When the newest used frame of a generation was shown, Unix seconds. What was taken back was used all the same.
    pub fn newest_frame(&self, generation: u16) -> Option<u32> {
        let used = |one: &&RecordFields| {
            matches!(one.kind, Kind::Admission | Kind::Exit | Kind::Override) && one.generation == generation
        };
        self.proved().filter(used).filter_map(|one| one.presented_at).max()
    }

    /// What this scanner saw, or the code in the record proves.
    fn proved(&self) -> impl Iterator<Item = &RecordFields> {
        let is_proved = |one: &&Seen| one.is_own || one.fields().evidence.code.is_some();
        let signed = self.records.iter().filter(is_proved).map(Seen::fields);
        signed.filter(|one| one.profile == Profile::Signed)
    }

    /// Whether the scanner that let somebody in took it back, soon enough.
    fn is_undone(&self, entry: &RecordFields) -> bool {
        let at = self.undone.get(&(entry.chain, entry.sequence));
        let is_soon = at.is_some_and(|at| at.saturating_sub(entry.time_ms) <= UNDO_MS);
        is_soon && entry.kind == Kind::Admission
    }
}

impl Seen {
    fn fields(&self) -> &RecordFields {
        self.record.fields()
    }

    fn order(&self) -> (u64, ChainId, u32, &[u8]) {
        let fields = self.fields();
        (fields.time_ms, fields.chain, fields.sequence, self.record.as_bytes())
    }
}

impl Entry {
    fn of(one: &RecordFields) -> Self {
        Self {
            scanner: one.scanner,
            chain: one.chain,
            sequence: one.sequence,
            time_ms: one.time_ms,
            generation: one.generation,
            persons: one.persons,
            is_override: one.kind == Kind::Override,
        }
    }
}
