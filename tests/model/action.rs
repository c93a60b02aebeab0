//! What can happen to a wallet. Numbers pick among what there is when it happens.

use proptest::prelude::*;
use ticket_wallet_sandbox::{Fault, FaultRule};

use crate::unidy::action::{self as unidy, UnidyAction};

#[derive(Debug, Clone)]
pub(crate) enum Action {
    // The person.
    Answer(usize),
    Transfer(usize),
    Cancel(usize),
    Surrender(usize),
    MoveHere(usize),
    Pin(usize),
    Retry(usize),
    Edit(usize),
    Discard(usize),
    SignOut {
        account: usize,
        discard: bool,
    },
    SignIn,
    // The app and its system.
    Sync,
    SyncOne(usize),
    /// The process ends when a sync has sent so many requests, and a bit later.
    Kill {
        requests: usize,
        later: u8,
    },
    /// The app drops the sync then, and goes on.
    CancelSync {
        requests: usize,
        later: u8,
    },
    PauseInSync {
        requests: usize,
    },
    Restart,
    Pass(i64),
    /// The person sets the wall clock.
    SetClock {
        years: i64,
    },
    Reboot,
    // The servers and the way to them.
    Fault(FaultRule),
    ClearFaults,
    AnsweredElsewhere(usize),
    Reseat(usize),
    Remove(usize),
    Add(usize),
    EndTransfer {
        transfer: usize,
        accept: bool,
    },
    EndTokens,
    EndSessions,
    /// To a ticket of one of the brands.
    Unidy(UnidyAction),
}

pub(crate) fn any() -> impl Strategy<Value = Action> {
    prop_oneof![8 => person(), 8 => app(), 8 => server(), 8 => unidy::any().prop_map(Action::Unidy)]
}

fn person() -> impl Strategy<Value = Action> {
    let pick = 0_usize..8;
    prop_oneof![
        6 => pick.clone().prop_map(Action::Answer),
        4 => pick.clone().prop_map(Action::Transfer),
        2 => pick.clone().prop_map(Action::Cancel),
        2 => pick.clone().prop_map(Action::Surrender),
        1 => pick.clone().prop_map(Action::MoveHere),
        1 => pick.clone().prop_map(Action::Pin),
        2 => pick.clone().prop_map(Action::Retry),
        2 => pick.clone().prop_map(Action::Edit),
        2 => pick.prop_map(Action::Discard),
        1 => (0_usize..5, any_bool()).prop_map(|(account, discard)| Action::SignOut { account, discard }),
        1 => Just(Action::SignIn),
    ]
}

fn app() -> impl Strategy<Value = Action> {
    let requests = 1_usize..16;
    prop_oneof![
        6 => Just(Action::Sync),
        2 => (0_usize..5).prop_map(Action::SyncOne),
        4 => (requests.clone(), 0_u8..40).prop_map(|(requests, later)| Action::Kill { requests, later }),
        2 => (requests.clone(), 0_u8..40).prop_map(|(requests, later)| Action::CancelSync { requests, later }),
        1 => requests.prop_map(|requests| Action::PauseInSync { requests }),
        1 => Just(Action::Restart),
        2 => prop::sample::select(vec![1, 61, 601, 3_601, 90_000, 31 * 86_400]).prop_map(Action::Pass),
        1 => prop::sample::select(vec![-5, 0, 5]).prop_map(|years| Action::SetClock { years }),
        1 => Just(Action::Reboot),
    ]
}

fn server() -> impl Strategy<Value = Action> {
    let pick = 0_usize..8;
    prop_oneof![
        9 => rule().prop_map(Action::Fault),
        1 => Just(Action::ClearFaults),
        2 => pick.clone().prop_map(Action::AnsweredElsewhere),
        1 => pick.clone().prop_map(Action::Reseat),
        1 => pick.clone().prop_map(Action::Remove),
        1 => pick.clone().prop_map(Action::Add),
        2 => (pick, any_bool()).prop_map(|(transfer, accept)| Action::EndTransfer { transfer, accept }),
        1 => Just(Action::EndTokens),
        1 => Just(Action::EndSessions),
    ]
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::ANY
}

fn rule() -> impl Strategy<Value = FaultRule> {
    let bam = ["", "/ticket_holder", "/transfers", "/cancel", "/surrender", "/credentials", "/v1/ticket"];
    let unidy =
        ["/unidy/nord", "/unidy/west", "/sdk/v1/tickets", "/transfer", "/ticket_transfers", "/refresh_token"];
    let paths: Vec<_> = bam.into_iter().chain(unidy).collect();
    let methods = vec![None, Some("GET"), Some("POST"), Some("PATCH")];
    (prop::sample::select(methods), prop::sample::select(paths), 0_u32..3, 1_u32..3, fault()).prop_map(
        |(method, path, skip, times, fault)| FaultRule {
            method: method.map(str::to_owned),
            path_contains: path.to_owned(),
            skip,
            times,
            fault,
        },
    )
}

/// Every fault that the sandbox knows.
fn fault() -> impl Strategy<Value = Fault> {
    let pause = || prop::sample::select(vec!["0", "2", "900", "soon"]).prop_map(str::to_owned);
    prop_oneof![
        4 => Just(Fault::LostReply),
        2 => Just(Fault::Reset),
        2 => Just(Fault::TruncatedJson),
        2 => Just(Fault::ServerError),
        1 => (1_u64..5).prop_map(Fault::LatencyMs),
        1 => Just(Fault::Unauthorized),
        1 => pause().prop_map(|retry_after| Fault::TooMany { retry_after }),
        1 => pause().prop_map(|retry_after| Fault::Unavailable { retry_after }),
        1 => pause().prop_map(|retry_after| Fault::RetryAfterOnSuccess { retry_after }),
        1 => prop::sample::select(vec![-90_000_i64, 90_000, 40 * 86_400]).prop_map(|seconds| Fault::ClockOff { seconds }),
        1 => Just(Fault::DateText { text: "yesterday".to_owned() }),
        1 => Just(Fault::Age { seconds: 600 }),
        1 => Just(Fault::Gone),
        1 => (50_u32..400).prop_map(|bytes| Fault::Trickle { bytes, every_ms: 1 }),
    ]
}
