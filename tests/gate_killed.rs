//! Promise: a gate's process that is killed while it scans and merges loses no record, and keeps deltas whole or not at all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, missing_docs)]

#[path = "gate_killed/app.rs"]
mod app;
#[path = "support/child.rs"]
mod child;
#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/kills.rs"]
mod kills;
#[path = "support/moments.rs"]
mod moments;
#[path = "ledger_merge/peers.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod peers;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod raw_key;
#[path = "gate_killed/story.rs"]
mod story;
mod support;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;

use std::panic::{AssertUnwindSafe, catch_unwind};

use child::{End, Session};
use kills::{Kills, seeded};
use story::Story;

/// Kills of one gate, then comes a new one.
const OF_A_GATE: u32 = 25;

/// Where a gate's process ends itself, and where it is in its work then.
const KILLS: Kills<'static> = Kills {
    points: &["record-written", "record-kept", "delta-written", "delta-kept"],
    passes: 8,
    lines: 16,
    turns: 200_000,
};

#[tokio::test]
async fn no_kill_loses_a_record_or_half_of_a_delta() {
    let (kills, mut moments) = (counts::in_step(counts::GATE_KILLS), seeded());
    let (mut ended, mut told) = (0, 0);
    for first in (0..kills).step_by(OF_A_GATE as usize) {
        let mut story = Story::begin().await;
        for number in first..kills.min(first + OF_A_GATE) {
            let end = KILLS.end(number, &mut moments);
            ended += u32::from(story.run_app(&end, moments.below(u64::MAX), false));
            story.check();
        }
        told += story.told();
    }
    println!("{ended} of {kills} ended in the middle, {told} records and deltas were told of");
    assert!(ended >= kills / 2, "{ended} processes were still at work when they were killed");
}

/// The same with an app that tells of a record before the gate has it: the check finds out.
#[tokio::test]
async fn an_app_that_lets_in_too_early_is_caught() {
    let mut moments = seeded();
    let mut story = Story::begin().await;
    let mut caught = false;
    for passes in 1..4 {
        story.run_app(&End::At { point: "record-written", passes }, moments.below(u64::MAX), true);
        caught |= catch_unwind(AssertUnwindSafe(|| story.check())).is_err();
    }
    assert!(caught);
}

/// What the tests above start as a process of its own; by itself it is a gate that nobody kills.
#[tokio::test]
async fn a_gate_that_is_not_killed_gets_to_its_end() {
    if let Some(session) = Session::here() {
        return app::run(session);
    }
    let mut story = Story::begin().await;
    assert!(!story.run_app(&End::ByItself, 1, false));
    story.check();
    assert!(story.told() > 0);
}
