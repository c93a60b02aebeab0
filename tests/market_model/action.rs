//! What happens on the fairground.

use proptest::prelude::*;

use crate::fairground::{PHONES, TICKETS};

/// One step of a history. Phones and gates are named by their places, tickets by theirs among those that the phone lists,
/// or has for sale where that is what the step is about.
/// Who may not do a thing is refused, which is a step as well.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    /// Asks for this much of the face value, in hundredths.
    List {
        phone: usize,
        ticket: usize,
        percent: i64,
    },
    Edit {
        phone: usize,
        ticket: usize,
        percent: i64,
    },
    Withdraw {
        phone: usize,
        ticket: usize,
    },
    /// Buys one of the offers, and mostly pays at once; too little is agreed to now and then.
    Buy {
        phone: usize,
        offer: usize,
        enough: bool,
        pays: bool,
    },
    /// Pays for what is reserved.
    Pay {
        phone: usize,
    },
    Send {
        phone: usize,
        ticket: usize,
    },
    Cancel {
        phone: usize,
        ticket: usize,
    },
    Answer {
        phone: usize,
        accept: bool,
    },
    Move {
        phone: usize,
        ticket: usize,
    },
    /// From now on changes wait for the next sync, or do so no more.
    Waver,
    Sync {
        phone: usize,
    },
    /// Its network goes, or is there again.
    Cut {
        phone: usize,
    },
    Mend {
        phone: usize,
    },
    /// The sandbox spoils one of the next requests of the market, of transfers or of credentials.
    Spoil {
        fault: Spoiler,
        path: usize,
    },
    Show {
        phone: usize,
        ticket: usize,
    },
    /// One of the codes that were shown for a ticket comes to a gate.
    Scan {
        gate: usize,
        ticket: usize,
        code: usize,
    },
    Prepare {
        gate: usize,
    },
    HandOver {
        gate: usize,
    },
    Pass {
        seconds: i64,
    },
}

/// How an answer is spoilt.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoiler {
    Lost,
    Cut,
    Gateway,
    Failed,
}

pub(crate) fn any() -> impl Strategy<Value = Action> {
    let phone = || 0..PHONES;
    // A few tickets meet more than many do.
    let ticket = || prop_oneof![4 => 0..3_usize, 1 => 0..TICKETS];
    let percent = || prop_oneof![8 => 50..=110_i64, 1 => 111..=150_i64];
    let fault =
        prop_oneof![Just(Spoiler::Lost), Just(Spoiler::Cut), Just(Spoiler::Gateway), Just(Spoiler::Failed)];
    let seconds = prop_oneof![4 => 1..20_i64, 1 => Just(601), 1 => Just(3_600)];
    prop_oneof![
        5 => (phone(), ticket(), percent())
            .prop_map(|(phone, ticket, percent)| Action::List { phone, ticket, percent }),
        6 => (phone(), ticket(), percent())
            .prop_map(|(phone, ticket, percent)| Action::Edit { phone, ticket, percent }),
        1 => (phone(), ticket()).prop_map(|(phone, ticket)| Action::Withdraw { phone, ticket }),
        8 => (phone(), 0..4_usize, prop::bool::weighted(0.9), prop::bool::weighted(0.7))
            .prop_map(|(phone, offer, enough, pays)| Action::Buy { phone, offer, enough, pays }),
        5 => phone().prop_map(|phone| Action::Pay { phone }),
        5 => (phone(), ticket()).prop_map(|(phone, ticket)| Action::Send { phone, ticket }),
        1 => (phone(), ticket()).prop_map(|(phone, ticket)| Action::Cancel { phone, ticket }),
        8 => (phone(), prop::bool::ANY).prop_map(|(phone, accept)| Action::Answer { phone, accept }),
        3 => (phone(), ticket()).prop_map(|(phone, ticket)| Action::Move { phone, ticket }),
        1 => Just(Action::Waver),
        6 => phone().prop_map(|phone| Action::Sync { phone }),
        1 => phone().prop_map(|phone| Action::Cut { phone }),
        2 => phone().prop_map(|phone| Action::Mend { phone }),
        2 => (fault, 0..3_usize).prop_map(|(fault, path)| Action::Spoil { fault, path }),
        4 => (phone(), ticket()).prop_map(|(phone, ticket)| Action::Show { phone, ticket }),
        5 => (0..2_usize, ticket(), 0..8_usize)
            .prop_map(|(gate, ticket, code)| Action::Scan { gate, ticket, code }),
        1 => (0..2_usize).prop_map(|gate| Action::Prepare { gate }),
        1 => (0..2_usize).prop_map(|gate| Action::HandOver { gate }),
        2 => seconds.prop_map(|seconds| Action::Pass { seconds }),
    ]
}
