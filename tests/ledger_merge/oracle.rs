//! What must be said of a set of records, worked out in the simplest way from how they were made.

use std::collections::{BTreeMap, BTreeSet};

use ticket_wallet::ledger::{ChainId, Kind, Record, RecordFields, RecordId};

use crate::plan::Made;

/// A chain that was revoked after a record, or from the first.
#[derive(Clone)]
pub(crate) struct Revoked {
    pub(crate) chain: ChainId,
    pub(crate) last: Option<Record>,
}

/// What a report must say.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Truth {
    pub(crate) records: u32,
    pub(crate) entered: u32,
    pub(crate) left: u32,
    pub(crate) discounted: Vec<String>,
    /// Tickets, with their entries and whether each is one too many.
    pub(crate) doubles: BTreeMap<String, Vec<(String, bool)>>,
    pub(crate) forks: BTreeMap<String, u32>,
    /// Places that are missing, each by itself.
    pub(crate) missing: BTreeSet<String>,
}

/// Of the records that arrived, `again_after_exit` or once.
pub(crate) fn truth(arrived: &[Made], revoked: Option<&Revoked>, again_after_exit: bool) -> Truth {
    let counted: Vec<_> = arrived
        .iter()
        .filter(|one| one.is_proved && !is_after(&one.record, arrived, revoked))
        .map(|one| one.record.clone())
        .collect();
    let is_counted = |record: &Record| counted.contains(record);
    let mut discounted: Vec<_> =
        arrived.iter().map(|one| &one.record).filter(|one| !is_counted(one)).map(id).collect();
    discounted.sort();
    let entries: Vec<_> =
        counted.iter().filter(|one| lets_in(one.fields()) && !is_undone(one, &counted)).collect();
    let persons = |records: &[&Record]| records.iter().map(|one| u32::from(one.fields().persons)).sum();
    let exits: Vec<_> = counted.iter().filter(|one| is_exit(one)).collect();
    Truth {
        records: u32::try_from(arrived.len()).unwrap(),
        entered: persons(&entries),
        left: persons(&exits),
        discounted,
        doubles: doubles(&counted, &entries, again_after_exit),
        forks: forks(arrived),
        missing: missing(arrived),
    }
}

fn id(record: &Record) -> String {
    record.id().to_string()
}

fn lets_in(fields: &RecordFields) -> bool {
    matches!(fields.kind, Kind::Admission | Kind::Override)
}

fn is_exit(record: &Record) -> bool {
    record.fields().kind == Kind::Exit
}

/// A scanner that has seen somebody pass cannot have seen the next one of the ticket before that.
fn time_that_counts(record: &Record, counted: &[Record]) -> u64 {
    let said = record.fields();
    let passed_before = counted.iter().filter(|one| {
        let other = one.fields();
        (lets_in(other) || is_exit(one))
            && (other.chain, other.ticket) == (said.chain, said.ticket)
            && other.sequence < said.sequence
    });
    passed_before.map(|one| one.fields().time_ms).fold(said.time_ms, u64::max)
}

/// Whether a record comes after the last good one of its chain, or lies on another branch.
fn is_after(record: &Record, arrived: &[Made], revoked: Option<&Revoked>) -> bool {
    let Some(revoked) = revoked.filter(|revoked| revoked.chain == record.id().chain) else { return false };
    let Some(last) = &revoked.last else { return true };
    if record.id().sequence >= last.id().sequence {
        return record != last;
    }
    // Back from the last good one as far as it can be followed.
    let mut hash = last.fields().previous;
    let mut sequence = last.id().sequence - 1;
    if !arrived.iter().any(|one| one.record == *last) {
        return false;
    }
    while sequence > record.id().sequence {
        let Some(before) = arrived.iter().find(|one| one.record.hash() == hash) else { return false };
        hash = before.record.fields().previous;
        sequence -= 1;
    }
    record.hash() != hash
}

fn is_undone(entry: &Record, counted: &[Record]) -> bool {
    let said = entry.fields();
    said.kind == Kind::Admission
        && counted.iter().map(Record::fields).any(|undo| {
            undo.chain == said.chain
                && undo.ticket == said.ticket
                && undo.evidence.undone == Some(said.sequence)
                && undo.time_ms <= said.time_ms + 120_000
        })
}

fn doubles(
    counted: &[Record],
    entries: &[&Record],
    again_after_exit: bool,
) -> BTreeMap<String, Vec<(String, bool)>> {
    let mut found = BTreeMap::new();
    let tickets: BTreeSet<_> = entries.iter().filter_map(|one| one.fields().ticket).collect();
    for ticket in tickets {
        let mut passed: Vec<_> = counted
            .iter()
            .filter(|one| one.fields().ticket == Some(ticket) && (is_exit(one) || entries.contains(one)))
            .collect();
        passed.sort_by_key(|one| (time_that_counts(one, counted), one.id(), one.as_bytes().to_vec()));
        let mut told = Vec::new();
        let (mut inside, mut group) = (0_i64, 0_i64);
        for one in passed {
            let persons = i64::from(one.fields().persons);
            if is_exit(one) {
                inside = if again_after_exit { (inside - persons).max(0) } else { inside };
                continue;
            }
            let has_room = again_after_exit && inside + persons <= group;
            told.push((id(one), inside > 0 && !has_room));
            group = if inside == 0 { persons } else { group };
            inside += persons;
        }
        if told.iter().any(|(_, is_extra)| *is_extra) {
            found.insert(ticket.to_string(), told);
        }
    }
    found
}

fn forks(arrived: &[Made]) -> BTreeMap<String, u32> {
    let mut places: BTreeMap<String, u32> = BTreeMap::new();
    for one in arrived {
        *places.entry(id(&one.record)).or_default() += 1;
    }
    places.retain(|_, records| *records > 1);
    places
}

fn missing(arrived: &[Made]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for one in arrived {
        let said = one.record.fields();
        let is_there = |sequence: u32| {
            arrived.iter().any(|other| other.record.id() == RecordId { chain: said.chain, sequence })
        };
        let has_parent =
            said.sequence == 1 || arrived.iter().any(|other| other.record.hash() == said.previous);
        if !has_parent {
            let gap = (1..said.sequence).rev().take_while(|sequence| !is_there(*sequence));
            let place = |sequence| RecordId { chain: said.chain, sequence }.to_string();
            found.extend(gap.map(place));
            found.insert(place(said.sequence - 1));
        }
    }
    found
}
