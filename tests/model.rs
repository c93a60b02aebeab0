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
#[path = "support/threads.rs"]
mod threads;
#[path = "model/unidy.rs"]
mod unidy;
#[path = "model/world.rs"]
mod world;

use proptest::prelude::*;
use threads::Runs;
use world::World;

fn play(actions: Vec<action::Action>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new().await;
        for action in &actions {
            world.act(action).await;
            world.check(action);
        }
        world.end_faults_and_check().await;
    });
}

#[test]
fn any_sequence_keeps_every_change() {
    let (sequences, seed) = (counts::in_step(counts::SEQUENCES), moments::seed());
    println!("{sequences} sequences; PROPTEST_RNG_SEED={seed}");
    let inputs = || prop::collection::vec(action::any(), 6..=16);
    let runs = Runs { kept: "tests/model.proptest-regressions", shrinks: 60, inputs, run: play };
    runs.share(sequences, seed);
}
