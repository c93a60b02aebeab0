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

/// Somebody who came in, or so many who left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// In.
    In(Entry),
    /// Out.
    Out(u16),
}

/// Who is in with a ticket that lets in again after each exit. Whoever finds nobody inside says how many belong together;
/// while one of them is inside, others come in only as far as the group is not complete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Inside {
    persons: u32,
    group: u32,
}

impl Inside {
    /// Whether so many more may come in.
    pub fn has_room(self, persons: u16) -> bool {
        self.persons == 0 || self.persons.saturating_add(persons.into()) <= self.group
    }

    /// The same after somebody passed, whether there was room or not. More than came in cannot leave.
    #[must_use]
    pub fn after(self, passage: &Passage) -> Self {
        match passage {
            Passage::In(entry) => {
                let persons = u32::from(entry.persons);
                let group = if self.persons == 0 { persons } else { self.group };
                Self { persons: self.persons.saturating_add(persons), group }
            }
            Passage::Out(persons) => {
                Self { persons: self.persons.saturating_sub(u32::from(*persons)), ..self }
            }
        }
    }
}

/// A record that counts.
pub struct Seen {
    /// The record.
    pub record: Record,
    /// Whether this very scanner wrote it: then it saw what it says.
    pub is_own: bool,
}

/// What the ledger holds of one ticket, in the order that counts: by time, and those of one chain always by their places. A
/// clock that was set back between two of them makes the second no earlier than the first.
#[derive(Default)]
pub struct History {
    records: Vec<Seen>,
    /// Places of admissions that were taken back, and when first.
    undone: BTreeMap<(ChainId, u32), u64>,
}

/// Of the entries with one frame in one chain: whether another scanner wrote them, persons in all, and the earliest time.
type Shown = (bool, u32, u64);

opaque_debug!(History, Seen);

impl History {
    /// The history that the records of one ticket make that count, whatever their order.
    pub fn of(records: impl IntoIterator<Item = Seen>) -> Self {
        let mut undone = BTreeMap::<_, u64>::new();
        let records: Vec<_> = records.into_iter().collect();
        for one in records.iter().map(Seen::fields) {
            if let Some(sequence) = one.evidence.undone {
                let first = undone.entry((one.chain, sequence)).or_insert(one.time_ms);
                *first = one.time_ms.min(*first);
            }
        }
        Self { records: in_order(records), undone }
    }

    /// Entries that were not taken back, each by itself.
    pub fn all_entries(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        self.all_passages().filter_map(Passage::entry)
    }

    /// The same and the exits.
    pub fn all_passages(&self) -> impl DoubleEndedIterator<Item = Passage> + '_ {
        self.passages(|_| true)
    }

    /// Entries by which a scanner decides. Where two scanners have the same frame, one may have it from the other's
    /// records: then what this scanner wrote itself counts, or of others' the one that let in fewer, of these the earliest, and
    /// none where one of them has taken it back.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry> + '_ {
        self.decisive_passages().filter_map(Passage::entry)
    }

    fn decisive_passages(&self) -> impl DoubleEndedIterator<Item = Passage> + '_ {
        let mut frames = BTreeMap::<&[u8; CODE_LEN], BTreeMap<ChainId, Shown>>::new();
        for (seen, one) in
            self.records.iter().map(|seen| (seen, seen.fields())).filter(|(_, one)| one.lets_in())
        {
            if let Some(code) = &one.evidence.code {
                let persons = if self.is_undone(one) { 0 } else { u32::from(one.persons) };
                let of_chain = frames.entry(code).or_default().entry(one.chain).or_default();
                let time_ms = if of_chain.2 == 0 { one.time_ms } else { of_chain.2.min(one.time_ms) };
                *of_chain = (!seen.is_own, of_chain.1.saturating_add(persons), time_ms);
            }
        }
        self.passages(move |one| {
            let chains = one.evidence.code.as_ref().and_then(|code| frames.get(code));
            let first = chains.and_then(|chains| chains.iter().min_by_key(|(_, rank)| **rank));
            first.is_none_or(|(chain, _)| *chain == one.chain)
        })
    }

    /// Exits, and those entries that count and were not taken back.
    fn passages<'a>(
        &'a self,
        counts: impl Fn(&RecordFields) -> bool + 'a,
    ) -> impl DoubleEndedIterator<Item = Passage> + 'a {
        self.records.iter().map(Seen::fields).filter_map(move |one| match one.kind {
            Kind::Exit => Some(Passage::Out(one.persons)),
            _ if one.lets_in() && counts(one) && !self.is_undone(one) => Some(Passage::In(Entry::of(one))),
            _ => None,
        })
    }

    /// Persons who came in.
    pub fn persons(&self) -> u32 {
        self.entries().fold(0, |sum, entry| sum.saturating_add(u32::from(entry.persons)))
    }

    /// Who is in now.
    pub fn inside(&self) -> Inside {
        self.decisive_passages().fold(Inside::default(), |inside, passage| inside.after(&passage))
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

impl Passage {
    fn entry(self) -> Option<Entry> {
        match self {
            Self::In(entry) => Some(entry),
            Self::Out(_) => None,
        }
    }
}

impl Seen {
    fn fields(&self) -> &RecordFields {
        self.record.fields()
    }

    fn place(&self) -> (ChainId, u32, &[u8]) {
        let fields = self.fields();
        (fields.chain, fields.sequence, self.record.as_bytes())
    }
}

/// By time; a record of somebody who passed is no earlier than those of its chain that stand before it. Two that claim one
/// place do not stand before each other.
fn in_order(mut records: Vec<Seen>) -> Vec<Seen> {
    records.sort_by(|one, two| one.place().cmp(&two.place()));
    let mut timed = Vec::with_capacity(records.len());
    let (mut place, mut before_ms, mut newest_ms) = (None, 0, 0);
    for seen in records {
        let fields = seen.fields();
        if place != Some((fields.chain, fields.sequence)) {
            let goes_on = place.is_some_and(|(chain, _)| chain == fields.chain);
            before_ms = if goes_on { newest_ms } else { 0 };
            newest_ms = before_ms;
            place = Some((fields.chain, fields.sequence));
        }
        let at_ms = fields.time_ms.max(before_ms);
        if fields.lets_in() || fields.kind == Kind::Exit {
            newest_ms = at_ms.max(newest_ms);
        }
        timed.push((at_ms, seen));
    }
    // Stable: at one time they stay in the order of their places.
    timed.sort_by_key(|(at_ms, _)| *at_ms);
    timed.into_iter().map(|(_, seen)| seen).collect()
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
