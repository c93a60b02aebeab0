//! Promise: whatever a person, servers, a network and a system do to a wallet with accounts at several systems, in whatever
//! order, no change is lost, none is applied twice, none overtakes another of its ticket, none reaches the tickets of
//! another account, and after one undisturbed sync the tickets are the servers'.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "model/action.rs"]
mod action;
#[path = "model/book.rs"]
mod book;
#[path = "model/box_office.rs"]
mod box_office;
#[path = "support/brands.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod brands;
#[path = "model/controls.rs"]
mod controls;
#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "model/home.rs"]
mod home;
#[path = "support/moments.rs"]
mod moments;
#[path = "model/outside.rs"]
mod outside;
#[path = "model/person.rs"]
mod person;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "model/shown.rs"]
mod shown;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;
#[path = "model/unidy.rs"]
mod unidy;
#[path = "model/world.rs"]
mod world;

use std::thread;

use action::Action;
use moments::Moments;
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, RngSeed, TestRunner};
use world::World;

/// The sequences are shared among so many threads, each with a seed of its own that comes from the run's.
const THREADS: u32 = 2;

fn play(actions: &[Action]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for action in actions {
            world.act(action).await;
            world.check(action);
        }
        world.end_faults_and_check().await;
    });
}

/// Plays so many sequences; the first that breaks a promise is the error.
fn play_some(cases: u32, seed: u64) -> Result<(), String> {
    let kept = FileFailurePersistence::Direct("tests/model.proptest-regressions");
    let failure_persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(kept));
    let rng_seed = RngSeed::Fixed(seed);
    let config = Config { cases, max_shrink_iters: 60, rng_seed, failure_persistence, ..Config::default() };
    let sequences = prop::collection::vec(action::any(), 6..=16);
    let outcome = TestRunner::new(config).run(&sequences, |actions| {
        play(&actions);
        Ok(())
    });
    outcome.map_err(|failure| failure.to_string())
}

#[test]
fn any_sequence_keeps_every_change() {
    let (sequences, seed) = (counts::in_step(counts::SEQUENCES), moments::seed());
    println!("{sequences} sequences; PROPTEST_RNG_SEED={seed}");
    let mut seeds = Moments(seed);
    let start = |_| {
        let seed = seeds.below(u64::MAX);
        thread::spawn(move || play_some(sequences.div_ceil(THREADS), seed))
    };
    let threads: Vec<_> = (0..THREADS).map(start).collect();
    for thread in threads {
        thread.join().unwrap().unwrap_or_else(|failure| panic!("{failure}"));
    }
}
