//! Promise: a process that is killed at any moment loses no change that it acknowledged, and none is applied twice.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "killed/app.rs"]
mod app;
#[path = "model/book.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod book;
#[path = "support/child.rs"]
mod child;
#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/kills.rs"]
mod kills;
#[path = "support/moments.rs"]
mod moments;
#[path = "killed/story.rs"]
mod story;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

use std::panic::{AssertUnwindSafe, catch_unwind};

use child::{End, Session};
use kills::{Kills, seeded};
use story::Story;

/// Kills of one wallet, then comes a new one.
const OF_A_WALLET: u32 = 15;

/// Where an app's process ends itself, and where the app is in its work then.
const KILLS: Kills<'static> = Kills {
    points: &[
        "outbox-accepted",
        "outbox-begun",
        "outbox-replied",
        "outbox-settled",
        "page-stored",
        "list-complete",
    ],
    passes: 4,
    lines: 12,
    turns: 3_000,
};

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_or_repeats_an_acknowledged_change() {
    let (kills, mut moments) = (counts::in_step(counts::KILLS), seeded());
    let mut ended = 0;
    for first in (0..kills).step_by(OF_A_WALLET as usize) {
        let mut story = Story::begin().await;
        for number in first..kills.min(first + OF_A_WALLET) {
            let end = KILLS.end(number, &mut moments);
            ended += u32::from(story.run_app(&end, moments.below(u64::MAX), false));
            story.check().await;
        }
        story.go_on_and_check().await;
    }
    println!("{ended} of {kills} ended in the middle");
    assert!(ended >= kills / 2, "{ended} processes were still at work when they were killed");
}

/// The same with an app that acknowledges a change before the wallet has it: the check finds out.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_acknowledges_too_early_is_caught() {
    let mut moments = seeded();
    let mut story = Story::begin().await;
    let mut caught = false;
    for passes in 0..3 {
        story.run_app(&End::At { point: "control-acknowledged", passes }, moments.below(u64::MAX), true);
        let checked = tokio::task::block_in_place(|| catch_unwind(AssertUnwindSafe(|| story.check_book())));
        caught |= checked.is_err();
    }
    assert!(caught);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_and_the_cursor_after_it_are_kept_together() {
    for passes in 0..2 {
        let mut story = Story::begin_with(true).await;
        story.change_seats("112-9-9");
        assert!(story.run_app(&End::At { point: "page-under-way", passes }, 1, false), "it is killed");
        story.check_seats("112-9-9").await;
    }
}

/// What the tests above start as a process of its own; by itself it is an app that nobody kills.
#[tokio::test]
async fn an_app_that_is_not_killed_gets_to_its_end() {
    if let Some(session) = Session::here() {
        return app::run(session).await;
    }
    let mut story = Story::begin().await;
    assert!(!story.run_app(&End::ByItself, 1, false));
    story.go_on_and_check().await;
    assert!(story.all_applied() > 0);
}
