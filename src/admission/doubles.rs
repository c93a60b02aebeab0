//! Entries that were one too many, told afterwards from all that scanners wrote.

use std::collections::BTreeSet;

use super::decision::{Allowed, day_of_entry};
use super::history::{Entry, History};

/// Entries beyond what the ticket allows, in the order of time. Each scanner's own clock says when, so that which of two is
/// the extra one may be wrong by as much as the clocks differ; that there was one is not.
pub fn extra_entries(history: &History, allowed: Allowed, days: &[(u32, u32)]) -> Vec<Entry> {
    let entries = history.all_entries();
    match allowed {
        Allowed::Once => entries.skip(1).collect(),
        Allowed::AfterExit => while_inside(entries, history.exits()),
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

/// Entries of a ticket whose holder had not left.
fn while_inside(entries: impl Iterator<Item = Entry>, exits: impl Iterator<Item = (u64, u16)>) -> Vec<Entry> {
    let mut exits = exits.peekable();
    let mut inside = 0_u32;
    let mut extra = Vec::new();
    for entry in entries {
        while let Some((_, persons)) = exits.next_if(|(at, _)| *at < entry.time_ms) {
            inside = inside.saturating_sub(u32::from(persons));
        }
        if inside > 0 {
            extra.push(entry);
        }
        inside = inside.saturating_add(u32::from(entry.persons));
    }
    extra
}
