//! How the statuses of a ticket follow each other, with an open end: what the documents do not say is reported as such
//! and refused to nobody.
//!
//! B.A.M:
//!
//! ```text
//! draft → available → reserved → confirmed → issued → activated → invalidated
//!             ↑__________|___________________↑
//! any → unavailable
//! ```
//!
//! `reserved → available` is a reservation that was freed or not paid in time; `reserved → issued` an issue that did not
//! show as `confirmed` in between.
//!
//! Unidy documents one step, `active → inactive`, of its maintenance job.

use super::TicketStatus;

/// What the documents say of a ticket that had one status at one look and has another at the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Flow {
    /// The status is the same.
    Unchanged,
    /// One documented step leads there, or several: a look may miss those between.
    Documented,
    /// The documents do not say: a status that they do not name, or a way that they neither show nor exclude.
    Unknown,
    /// The documents exclude it: what was used is not, what was owned is for sale to nobody again, or what exists is
    /// newly made.
    Contradicts,
}

/// How far the issue of a reserved ticket is, by its status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IssueProgress {
    /// Its owner has it.
    Done,
    /// It is reserved, or the ledger is not done yet: ask again later.
    Pending,
    /// It is for sale, not on the ledger, or its event was cancelled: it will not be issued by itself.
    Ended,
    /// A status that the documents do not name.
    Unknown,
}

/// B.A.M's documented steps.
static STEPS: [(TicketStatus, TicketStatus); 8] = {
    use TicketStatus::{Activated, Available, Confirmed, Draft, Invalidated, Issued, Reserved};
    [
        (Draft, Available),
        (Available, Reserved),
        (Reserved, Available),
        (Reserved, Confirmed),
        (Reserved, Issued),
        (Confirmed, Issued),
        (Issued, Activated),
        (Activated, Invalidated),
    ]
};

impl TicketStatus {
    /// How `next` follows this status.
    pub fn may_become(&self, next: &Self) -> Flow {
        if self == next {
            Flow::Unchanged
        } else if (self, next) == (&Self::Active, &Self::Inactive) {
            Flow::Documented
        } else if !self.is_of_bam() || !next.is_of_bam() {
            Flow::Unknown
        } else if *next == Self::Unavailable || self.leads_to(next) {
            Flow::Documented
        } else if self.excludes(next) {
            Flow::Contradicts
        } else {
            Flow::Unknown
        }
    }

    /// What this status means for a ticket whose issue was called.
    pub fn issue_progress(&self) -> IssueProgress {
        match self {
            Self::Issued | Self::Activated | Self::Invalidated => IssueProgress::Done,
            Self::Reserved | Self::Confirmed => IssueProgress::Pending,
            Self::Draft | Self::Available | Self::Unavailable => IssueProgress::Ended,
            _ => IssueProgress::Unknown,
        }
    }

    /// Whether it is one of the statuses that B.A.M names.
    fn is_of_bam(&self) -> bool {
        *self == Self::Unavailable || STEPS.iter().any(|(from, to)| self == from || self == to)
    }

    /// Whether documented steps lead to `goal`.
    fn leads_to(&self, goal: &Self) -> bool {
        let mut reached = vec![self];
        let mut at = 0;
        while let Some(from) = reached.get(at).copied() {
            let next = STEPS.iter().filter(|(start, _)| start == from).map(|(_, end)| end);
            let new: Vec<_> = next.filter(|end| !reached.contains(end)).collect();
            reached.extend(new);
            at += 1;
        }
        reached.contains(&goal)
    }

    /// Nothing becomes a draft again, nothing used is unused, and what the ledger has given to an owner is no longer on
    /// its way to one. That a cancelled event takes place after all, or a sold ticket is given back, is not excluded.
    fn excludes(&self, next: &Self) -> bool {
        matches!(
            (self, next),
            (_, Self::Draft)
                | (Self::Invalidated, _)
                | (Self::Issued | Self::Activated, Self::Reserved | Self::Confirmed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use TicketStatus::{Activated, Available, Confirmed, Draft, Invalidated, Issued, Reserved, Unavailable};
    use proptest::prelude::*;

    const ALL: [TicketStatus; 8] =
        [Draft, Available, Reserved, Confirmed, Issued, Activated, Invalidated, Unavailable];

    #[test]
    fn every_pair_of_documented_statuses_has_its_answer() {
        // Rows: from, columns: to, in the order of `ALL`. `=` the same, `d` documented, `?` unknown, `x` contradicts.
        let table =
            ["=ddddddd", "x=dddddd", "xd=ddddd", "x??=dddd", "x?xx=ddd", "x?xx?=dd", "xxxxxx=d", "x??????="];
        for (from, row) in ALL.iter().zip(table) {
            for (to, expected) in ALL.iter().zip(row.chars()) {
                let said = match from.may_become(to) {
                    Flow::Unchanged => '=',
                    Flow::Documented => 'd',
                    Flow::Unknown => '?',
                    Flow::Contradicts => 'x',
                };
                assert_eq!(said, expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn unidy_s_statuses_have_one_documented_step_and_no_part_in_b_a_m_s_flow() {
        use TicketStatus::{Active, Inactive, Passive};
        for from in [Active, Passive, Inactive] {
            for to in [Active, Passive, Inactive].iter().filter(|to| **to != from) {
                let job = from == Active && *to == Inactive;
                assert_eq!(from.may_become(to), if job { Flow::Documented } else { Flow::Unknown });
            }
            for other in &ALL {
                assert_eq!((from.may_become(other), other.may_become(&from)), (Flow::Unknown, Flow::Unknown));
            }
            assert_eq!(from.issue_progress(), IssueProgress::Unknown);
        }
    }

    #[test]
    fn an_issue_is_done_pending_ended_or_not_known() {
        use IssueProgress::{Done, Ended, Pending};
        let progress = ALL.map(|status| status.issue_progress());
        assert_eq!(progress, [Ended, Ended, Pending, Pending, Done, Done, Done, Ended]);
        assert_eq!(TicketStatus::from_text("minted").issue_progress(), IssueProgress::Unknown);
    }

    proptest! {
        #[test]
        fn texts_that_nobody_documented_are_unknown_and_never_contradict(text in "\\PC{0,12}", which in 0..ALL.len()) {
            let other = TicketStatus::from_text(&text);
            prop_assume!(!ALL.contains(&other));
            prop_assert_eq!(other.may_become(&other), Flow::Unchanged);
            prop_assert_eq!(other.may_become(&ALL[which]), Flow::Unknown);
            prop_assert_eq!(ALL[which].may_become(&other), Flow::Unknown);
        }
    }
}
