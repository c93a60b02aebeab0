//! Promise: whatever three wallets of two people, two gates and a network do to 20 tickets on the extension's market, in
//! whatever order, each ticket has one owner, one wallet at most has its code, no gate lets it in twice, money and ticket
//! end on matching sides, and its owner gets a code by coming online.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "market_model/action.rs"]
mod action;
#[path = "market_model/check.rs"]
mod check;
#[path = "market_model/controls.rs"]
mod controls;
#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "market_model/end.rs"]
mod end;
#[path = "market_model/fairground.rs"]
mod fairground;
#[path = "support/line.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod line;
#[path = "support/moments.rs"]
mod moments;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/threads.rs"]
mod threads;

use fairground::{Fairground, Seen};
use proptest::prelude::*;
use threads::Runs;

/// Plays a history, and tells what it came to.
fn play(actions: Vec<action::Action>) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut fair = Fairground::new().await;
        for action in &actions {
            fair.act(action).await;
            fair.check();
        }
        fair.end().await
    })
}

#[test]
fn any_history_leaves_one_owner_with_one_code() {
    let (histories, seed) = (counts::in_step(counts::HISTORIES), moments::seed());
    println!("{histories} histories; PROPTEST_RNG_SEED={seed}");
    let inputs = || prop::collection::vec(action::any(), 12..=36);
    let runs = Runs { kept: "tests/market_model.proptest-regressions", shrinks: 30, inputs, run: play };
    let mut seen = Seen::default();
    runs.share(histories, seed).iter().for_each(|one| seen.add(one));
    println!("{seen:?}");
    seen.has_everything();
}
