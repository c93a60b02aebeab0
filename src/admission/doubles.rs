//! Entries that were one too many, told afterwards from all that scanners wrote.

use std::collections::BTreeSet;

use super::decision::{Allowed, day_of_entry};
use super::history::{Entry, History, Inside, Passage};

/// Entries beyond what the ticket allows, in the history's order. Each scanner's own clock says when, so that which of two is
/// the extra one may be wrong by as much as the clocks differ; that there was one is not.
pub fn extra_entries(history: &History, allowed: Allowed, days: &[(u32, u32)]) -> Vec<Entry> {
    let entries = history.all_entries();
    match allowed {
        Allowed::Once => entries.skip(1).collect(),
        Allowed::AfterExit => without_room(history.all_passages()),
        Allowed::Persons { count } => {
            let mut persons = 0_u32;
            entries
                .filter(|entry| {
                    persons = persons.saturating_add(u32::from(entry.persons));
                    persons > count
                })
                .collect()
        }
        Allowed::Days { count } => {
            let mut used = BTreeSet::new();
            entries
                .filter(|entry| !used.insert(day_of_entry(days, entry)) || used.len() > count as usize)
                .collect()
        }
    }
}

/// Entries of a ticket whose group was inside and complete.
fn without_room(passages: impl Iterator<Item = Passage>) -> Vec<Entry> {
    let mut inside = Inside::default();
    let mut extra = Vec::new();
    for passage in passages {
        if let Passage::In(entry) = passage
            && !inside.has_room(entry.persons)
        {
            extra.push(entry);
        }
        inside = inside.after(&passage);
    }
    extra
}
