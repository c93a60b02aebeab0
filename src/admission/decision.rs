//! From a code that was read and a ticket's history to a verdict.

use super::code::ReadCode;
use super::history::{Entry, History};
use crate::ledger::Verdict;
use crate::manifest::{EntryPolicy, Manifest, Profile, TicketRow, TicketState};

/// Which way somebody goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// In.
    In,
    /// Out.
    Out,
}

/// An entry that stands against another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earlier {
    /// The entry.
    pub entry: Entry,
    /// Whether it was with a copy that is no longer valid: the holder of the newest one has not been here.
    pub on_superseded_copy: bool,
}

/// How often a ticket lets in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Allowed {
    /// Once.
    Once,
    /// Again after each exit: as many as came in when nobody of them was inside, and while some of them are, those who
    /// have left.
    AfterExit,
    /// So many persons in all.
    Persons {
        /// How many.
        count: u32,
    },
    /// Once on each of so many days.
    Days {
        /// How many.
        count: u32,
    },
}

/// What a gate says of a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// Let in, or the first reason not to.
    pub verdict: Verdict,
    /// The last entry that stands against this one.
    pub earlier: Option<Earlier>,
}

impl Allowed {
    /// What the manifest allows a ticket with this row, or with none: its own number, or the event's.
    pub fn by(manifest: &Manifest, row: Option<TicketRow>) -> Self {
        let head = manifest.head();
        let count = u32::from(row.and_then(|row| row.entries).unwrap_or(head.entries));
        match head.policy {
            EntryPolicy::Single => Self::Once,
            EntryPolicy::ReEntry => Self::AfterExit,
            EntryPolicy::Entries => Self::Persons { count },
            EntryPolicy::Days => Self::Days { count },
        }
    }

    /// Whether so many more persons may come in at `now`, Unix seconds.
    fn lets_in(self, history: &History, persons: u16, days: &[(u32, u32)], now: i64) -> Verdict {
        let free = match self {
            Self::Once => history.entries().next().is_none(),
            Self::AfterExit => history.inside().has_room(persons),
            Self::Persons { count } => history.persons().saturating_add(u32::from(persons)) <= count,
            Self::Days { count } => match day_of(days, now) {
                Ok(today) => {
                    let mut used: Vec<_> =
                        history.entries().map(|entry| day_of_entry(days, &entry)).collect();
                    used.sort_unstable();
                    used.dedup();
                    !used.contains(&Some(today)) && used.len() < count as usize
                }
                Err(verdict) => return verdict,
            },
        };
        if free { Verdict::Admit } else { Verdict::AlreadyAdmitted }
    }
}

/// Decides about a code at `now`, Unix seconds. `floor` is the lowest generation that lets in, whatever the manifest in use
/// says; 0 where nothing else is known.
pub fn decide(
    code: &ReadCode,
    manifest: &Manifest,
    history: &History,
    floor: u16,
    (direction, persons): (Direction, u16),
    now: i64,
) -> Decision {
    let refused = |verdict| Decision { verdict, earlier: None };
    if code.verdict != Verdict::Admit {
        return refused(code.verdict);
    }
    if let Some(verdict) = state_fault(code, manifest.head().unlisted, history, floor) {
        return refused(verdict);
    }
    let frame = code.presented_at;
    if frame.is_some_and(|at| history.newest_frame(code.generation).is_some_and(|used| at <= used)) {
        return refused(Verdict::Replayed);
    }
    if direction == Direction::Out {
        return refused(Verdict::Admit);
    }
    let days: Vec<_> = manifest.days().collect();
    let verdict = Allowed::by(manifest, code.row).lets_in(history, persons, &days, now);
    let against = (verdict == Verdict::AlreadyAdmitted).then(|| history.entries().next_back()).flatten();
    let earlier =
        against.map(|entry| Earlier { entry, on_superseded_copy: entry.generation < code.generation });
    Decision { verdict, earlier }
}

/// What the manifest and the generations seen say against a ticket.
fn state_fault(code: &ReadCode, unlisted: Profile, history: &History, floor: u16) -> Option<Verdict> {
    let accepted = code.row.map_or(unlisted, |row| row.profile);
    // Generations count from 1.
    let lowest = floor.max(1).max(history.highest_generation()).max(code.row.map_or(0, |row| row.floor));
    let state = code.row.map_or(TicketState::Valid, |row| row.state);
    let by_state = match state {
        TicketState::Valid => None,
        TicketState::Revoked => Some(Verdict::Revoked),
        TicketState::Blocked => Some(Verdict::Blocked),
        TicketState::Listed => Some(Verdict::Listed),
    };
    if accepted != code.profile {
        Some(Verdict::WrongProfile)
    } else if code.profile == Profile::Signed && code.generation < lowest {
        Some(Verdict::Superseded)
    } else {
        by_state
    }
}

/// The day in which a time lies. Before the first and between two a ticket is not valid yet; after the last it is over.
fn day_of(days: &[(u32, u32)], now: i64) -> Result<usize, Verdict> {
    let ended = days.iter().take_while(|(_, end)| i64::from(*end) < now).count();
    match days.get(ended) {
        Some((begin, _)) if i64::from(*begin) <= now => Ok(ended),
        Some(_) => Err(Verdict::NotYetValid),
        None => Err(Verdict::LeaseExpired),
    }
}

/// `None` for an entry outside of every day, such as one by an override.
pub(super) fn day_of_entry(days: &[(u32, u32)], entry: &Entry) -> Option<usize> {
    let at = i64::try_from(entry.time_ms / 1000).unwrap_or(i64::MAX);
    day_of(days, at).ok()
}
