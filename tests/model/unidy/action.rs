//! What can happen to the tickets of the brands. Numbers pick among what there is when it happens.

use proptest::prelude::*;

#[derive(Debug, Clone)]
pub(crate) enum UnidyAction {
    // The person.
    Answer(usize),
    /// To another account of the same wallet, or to somebody else.
    Transfer {
        ticket: usize,
        within: bool,
    },
    Cancel(usize),
    /// The person answers what others hand over.
    AnswerOffer {
        offer: usize,
        accept: bool,
    },
    // The brands' staff.
    Change {
        ticket: usize,
        change: Change,
    },
    Appear(usize),
    Disappear(usize),
    // Others.
    Offer(usize),
    EndTransfer {
        transfer: usize,
        accept: bool,
    },
}

/// What changes of a ticket.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change {
    Title,
    State(&'static str),
    Category,
    Metadata,
    Seat,
    /// The seat where `seating` does not tell it.
    MetadataSeat,
    Start,
    Code,
    /// A member that the list of tickets does not show, and not `updated_at`.
    Silent,
}

/// One of each.
pub(crate) const CHANGES: [Change; 12] = [
    Change::Title,
    Change::State("active"),
    Change::State("passive"),
    Change::State("inactive"),
    Change::State("held_back"),
    Change::Category,
    Change::Metadata,
    Change::Seat,
    Change::MetadataSeat,
    Change::Start,
    Change::Code,
    Change::Silent,
];

pub(crate) fn any() -> impl Strategy<Value = UnidyAction> {
    let pick = 0_usize..24;
    let change = prop::sample::select(CHANGES.to_vec());
    prop_oneof![
        1 => pick.clone().prop_map(UnidyAction::Answer),
        5 => (pick.clone(), prop::bool::ANY).prop_map(|(ticket, within)| UnidyAction::Transfer { ticket, within }),
        2 => pick.clone().prop_map(UnidyAction::Cancel),
        3 => (pick.clone(), prop::bool::weighted(0.7))
            .prop_map(|(offer, accept)| UnidyAction::AnswerOffer { offer, accept }),
        4 => (pick.clone(), change).prop_map(|(ticket, change)| UnidyAction::Change { ticket, change }),
        1 => pick.clone().prop_map(UnidyAction::Appear),
        2 => pick.clone().prop_map(UnidyAction::Disappear),
        1 => pick.clone().prop_map(UnidyAction::Offer),
        2 => (pick, prop::bool::ANY)
            .prop_map(|(transfer, accept)| UnidyAction::EndTransfer { transfer, accept }),
    ]
}
