//! The checks notice what they are there for.

use std::panic::AssertUnwindSafe;

use crate::action::Action;
use crate::check::twice;
use crate::fairground::Fairground;

#[tokio::test]
async fn a_second_copy_of_a_credential_is_noticed() {
    let fair = Fairground::new().await;
    let held = fair.generations(0);
    assert!(held.len() > 1, "the first phone holds credentials");
    assert_eq!(twice(&[held.clone(), fair.generations(1)]), None);
    let copy = held.into_iter().take(1).collect();
    assert_eq!(twice(&[fair.generations(0), copy]).map(|(_, generation)| generation), Some(1));
}

/// A ticket that its system gives to somebody else behind everybody's back.
#[tokio::test]
async fn a_ticket_with_another_owner_than_the_market_says_is_noticed() {
    let mut fair = Fairground::new().await;
    for phone in [0, 1] {
        fair.act(&Action::Sync { phone }).await;
    }
    let remote = fair.tickets[0].remote;
    assert!(fair.sandbox.remove_ticket("mira@example.org", crate::fairground::CLUB, remote).unwrap());
    let ended = futures_util::FutureExt::catch_unwind(AssertUnwindSafe(fair.end())).await;
    assert!(ended.is_err(), "it was not noticed");
}
