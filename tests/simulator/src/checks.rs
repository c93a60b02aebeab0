//! What must hold, held against the delivery log.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Debug;

use ticket_wallet::model::LedgerReport;

use crate::ending::Witness;
use crate::world::World;

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Check {
    /// A ticket enters at most as often as there are scanners that admitted it before they had another's record.
    Bound,
    /// After an exchange of everything all honest scanners report the same.
    Agreement,
    /// Each extra entry is named by all of them.
    Named,
    /// No honest ticket is refused because of what a scanner made up.
    Refusals,
    /// What an honest scanner sends another one is answered and taken on.
    Carried,
}

impl Check {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Bound, Self::Agreement, Self::Named, Self::Refusals, Self::Carried];

    /// What it holds, in a line.
    pub fn about(self) -> &'static str {
        match self {
            Self::Bound => "entries of a ticket ≤ scanners that admitted it before they had another's record",
            Self::Agreement => "all honest scanners report the same after a full exchange",
            Self::Named => "every extra entry is named among the double entries",
            Self::Refusals => "no honest ticket whose code no liar had was refused because of a lie",
            Self::Carried => "what honest scanners send each other is answered and taken on",
        }
    }
}

/// A check that does not hold, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Which.
    pub check: Check,
    /// What happened.
    pub what: String,
}

/// Checks what can be told only in the end.
pub(crate) fn check_all(world: &mut World<'_>, witnesses: &[Witness]) {
    let found = [bound(world), agreement(world, witnesses), named(world, witnesses)];
    world.failures.extend(found.into_iter().flatten());
}

fn bound(world: &World<'_>) -> Vec<Failure> {
    let mut by_ticket = BTreeMap::<u32, (usize, usize)>::new();
    for entry in &world.log.entries {
        let (entries, first_heard) = by_ticket.entry(entry.ticket).or_default();
        *entries += 1;
        *first_heard += usize::from(entry.is_first_heard);
    }
    let is_beyond = |(ticket, (entries, most)): &(u32, (usize, usize))| {
        entries > most && !world.log.marks(*ticket).corrected
    };
    let failure = |(ticket, (entries, most))| Failure {
        check: Check::Bound,
        what: format!(
            "ticket t{ticket} entered {entries} times, where only {most} scanners admitted it before they had \
             another's record"
        ),
    };
    by_ticket.into_iter().filter(is_beyond).map(failure).collect()
}

fn agreement(world: &World<'_>, witnesses: &[Witness]) -> Vec<Failure> {
    let Some((first, others)) = witnesses.split_first() else { return Vec::new() };
    let differing = others.iter().filter_map(|other| {
        let what = difference(&first.report, &other.report)?;
        let (one, other) = (&world.doors[first.door].name, &world.doors[other.door].name);
        Some(Failure { check: Check::Agreement, what: format!("{one} and {other} differ in {what}") })
    });
    differing.collect()
}

/// Where two reports differ, and how. When each scanner was heard, and which of them tells it, is each one's own.
fn difference(one: &LedgerReport, other: &LedgerReport) -> Option<String> {
    let numbers = |report: &LedgerReport| [report.entered, report.left, report.records, report.unprovable];
    if numbers(one) != numbers(other) {
        let of = "persons entered and left, records and unproved ones";
        return Some(format!("{of}: {:?} and {:?}", numbers(one), numbers(other)));
    }
    differs("double entries", &one.double_entries, &other.double_entries)
        .or_else(|| differs("forks", &one.forks, &other.forks))
        .or_else(|| differs("discounted records", &one.discounted, &other.discounted))
        .or_else(|| differs("missing records", &one.missing, &other.missing))
}

fn differs<T: Debug + PartialEq>(what: &str, one: &[T], other: &[T]) -> Option<String> {
    let first = one.iter().find(|item| !other.contains(item));
    let second = other.iter().find(|item| !one.contains(item));
    let is_same = first.is_none() && second.is_none() && one == other;
    (!is_same).then(|| format!("{what}: {} and {}, such as {first:?} and {second:?}", one.len(), other.len()))
}

fn named(world: &World<'_>, witnesses: &[Witness]) -> Vec<Failure> {
    let mut found = Vec::new();
    for witness in witnesses {
        let doubles: HashMap<&str, HashSet<&str>> = witness
            .report
            .double_entries
            .iter()
            .map(|double| (&*double.ticket, double.entries.iter().map(|entry| &*entry.record_id).collect()))
            .collect();
        let none = HashSet::new();
        for (ticket, records) in world.known_twice(witness.door) {
            let told = doubles.get(&*world.named(ticket)).unwrap_or(&none);
            let silent = records.iter().find(|record| !told.contains(&***record));
            if let Some(silent) = silent.filter(|_| !world.log.marks(ticket).corrected) {
                let door = &world.doors[witness.door].name;
                let what = format!("{door} does not name entry {silent} of ticket t{ticket}");
                found.push(Failure { check: Check::Named, what });
            }
        }
    }
    found
}
