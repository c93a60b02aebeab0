//! Promise: a process that is killed at any step of a sale, a transfer or a move leaves no two wallets with a code, no money
//! without its ticket, and somebody who gets a code by coming online.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "market_killed/app.rs"]
mod app;
#[path = "market_killed/story.rs"]
mod story;

use app::Step;
use story::{Story, Who};

/// Where a process ends itself.
const POINTS: [&str; 8] = [
    "outbox-accepted",
    "outbox-begun",
    "outbox-replied",
    "outbox-settled",
    "page-stored",
    "key-created",
    "traces-forgotten",
    "key-deleted",
];

/// Kills a wallet at every point that it comes to in a step, each in a story of its own; it must come to these.
async fn killed_everywhere(who: Who, step: Step, before: &[(Who, Step)], comes_to: &[&str]) {
    let mut killed_at = Vec::new();
    for point in POINTS {
        let mut story = Story::begin().await;
        for (who, step) in before {
            story.run(*who, *step, None).await;
        }
        if story.run(who, step, Some(point)).await {
            killed_at.push(point);
            story.ends_well(&format!("{who:?} {step:?} killed at {point}")).await;
        }
    }
    assert!(comes_to.iter().all(|point| killed_at.contains(point)), "{who:?} {step:?}: {killed_at:?}");
}

/// The points of a write that waits in the outbox.
const QUEUED: [&str; 4] = ["outbox-accepted", "outbox-begun", "outbox-replied", "outbox-settled"];
/// Those of a device key that goes.
const KEY_GOES: [&str; 2] = ["traces-forgotten", "key-deleted"];

#[tokio::test(flavor = "multi_thread")]
async fn the_seller_is_killed_while_listing() {
    killed_everywhere(Who::Seller, Step::List, &[], &[&QUEUED[..], &KEY_GOES].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_seller_is_killed_while_changing_the_price_and_while_withdrawing() {
    let listed = [(Who::Seller, Step::List)];
    killed_everywhere(Who::Seller, Step::Edit, &listed, &QUEUED).await;
    killed_everywhere(Who::Seller, Step::Withdraw, &listed, &QUEUED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_buyer_is_killed_while_buying() {
    let listed = [(Who::Seller, Step::List)];
    killed_everywhere(Who::Buyer, Step::Buy, &listed, &[&QUEUED[..], &["key-created"]].concat()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_is_killed_while_hearing_of_the_payment() {
    let paid = [(Who::Seller, Step::List), (Who::Buyer, Step::Buy), (Who::Buyer, Step::Pay)];
    killed_everywhere(Who::Buyer, Step::Sync, &paid, &["outbox-replied", "outbox-settled", "page-stored"])
        .await;
    killed_everywhere(Who::Seller, Step::Sync, &paid, &["page-stored"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn either_is_killed_while_a_ticket_is_handed_over() {
    killed_everywhere(Who::Seller, Step::Transfer, &[], &[&QUEUED[..], &KEY_GOES].concat()).await;
    let sent = [(Who::Seller, Step::Transfer)];
    killed_everywhere(Who::Buyer, Step::Accept, &sent, &[&QUEUED[..], &["key-created"]].concat()).await;
    killed_everywhere(Who::Buyer, Step::Decline, &sent, &QUEUED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_phone_is_killed_while_a_ticket_moves_to_it() {
    killed_everywhere(Who::SellersNewPhone, Step::Move, &[], &QUEUED).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_begun_is_not_done_later_and_can_be_asked_for_again() {
    for (before, step, kind) in [
        (Step::List, Step::Buy, "resale.reserve"),
        (Step::Transfer, Step::Accept, "transfer.accept"),
        (Step::Transfer, Step::Decline, "transfer.decline"),
    ] {
        let mut story = Story::begin().await;
        story.run(Who::Seller, before, None).await;
        assert!(story.run(Who::Buyer, step, Some("outbox-accepted")).await, "{step:?} is killed");
        story.online().await;
        assert_eq!(story.times(kind), 0, "{step:?}");
        story.run(Who::Buyer, step, None).await;
        assert_eq!(story.times(kind), 1, "{step:?}");
        story.ends_well(&format!("{step:?} once more")).await;
    }
}

/// What the tests above start as a process of its own.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_does_its_step() {
    if app::is_started() {
        return app::run().await;
    }
    let mut story = Story::begin().await;
    assert!(!story.run(Who::Seller, Step::List, None).await);
    story.ends_well("an app that nobody kills").await;
}
