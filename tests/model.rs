//! Promise: whatever a person, a server, a network and a system do to a wallet in whatever order, no change is lost,
//! none is applied twice, none overtakes another of its ticket, and after one undisturbed sync the tickets are the
//! server's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "model/action.rs"]
mod action;
#[path = "model/book.rs"]
mod book;
#[path = "model/box_office.rs"]
mod box_office;
#[path = "support/moments.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod moments;
#[path = "model/outside.rs"]
mod outside;
#[path = "model/person.rs"]
mod person;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;
#[path = "model/world.rs"]
mod world;

use action::Action;
use proptest::prelude::*;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, RngSeed, TestRunner};
use world::World;

/// As many sequences as random inputs elsewhere, but no fewer than find something and no more than end in minutes.
fn cases() -> u32 {
    Config::default().cases.clamp(200, 2_000)
}

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

#[test]
fn any_sequence_keeps_every_change() {
    let seed = moments::seed();
    let kept = FileFailurePersistence::Direct("tests/model.proptest-regressions");
    let failure_persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(kept));
    let rng_seed = RngSeed::Fixed(seed);
    let config =
        Config { cases: cases(), max_shrink_iters: 60, rng_seed, failure_persistence, ..Config::default() };
    println!("{} sequences; PROPTEST_RNG_SEED={seed}", config.cases);
    let sequences = prop::collection::vec(action::any(), 6..=16);
    let outcome = TestRunner::new(config).run(&sequences, |actions| {
        play(&actions);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
