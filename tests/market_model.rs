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

use std::thread;

use action::Action;
use fairground::{Fairground, Seen};
use moments::Moments;
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, RngSeed, TestRunner};

/// The histories are shared among so many threads, each with a seed of its own that comes from the run's.
const THREADS: u32 = 2;

/// Plays a history, and tells what it came to.
fn play(actions: &[Action]) -> Seen {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut fair = Fairground::new().await;
        for action in actions {
            fair.act(action).await;
            fair.check();
        }
        fair.end().await
    })
}

/// Plays so many histories, and tells what they came to; the first that breaks a promise is the error.
fn play_some(cases: u32, seed: u64) -> Result<Seen, String> {
    let kept = FileFailurePersistence::Direct("tests/market_model.proptest-regressions");
    let failure_persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(kept));
    let rng_seed = RngSeed::Fixed(seed);
    let config = Config { cases, max_shrink_iters: 30, rng_seed, failure_persistence, ..Config::default() };
    let histories = prop::collection::vec(action::any(), 12..=36);
    let seen = std::cell::RefCell::new(Seen::default());
    let outcome = TestRunner::new(config).run(&histories, |actions| {
        seen.borrow_mut().add(&play(&actions));
        Ok(())
    });
    outcome.map(|()| seen.into_inner()).map_err(|failure| failure.to_string())
}

#[test]
fn any_history_leaves_one_owner_with_one_code() {
    let (histories, seed) = (counts::in_step(counts::HISTORIES), moments::seed());
    println!("{histories} histories; PROPTEST_RNG_SEED={seed}");
    let mut seeds = Moments(seed);
    let start = |_| {
        let seed = seeds.below(u64::MAX);
        thread::spawn(move || play_some(histories.div_ceil(THREADS), seed))
    };
    let threads: Vec<_> = (0..THREADS).map(start).collect();
    let mut seen = Seen::default();
    for thread in threads {
        seen.add(&thread.join().unwrap().unwrap_or_else(|failure| panic!("{failure}")));
    }
    println!("{seen:?}");
    seen.has_everything();
}
