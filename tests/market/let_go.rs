//! Whoever asked for a ticket waits for it no longer: a screen is left, a task cancelled. What was not begun is not done any
//! more, and of what was begun the wallet finds out by itself.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use ticket_wallet::model::PurchaseState;
use ticket_wallet::remote::RetryPolicy;
use ticket_wallet::{Config, Wallet, WalletError};
use tokio::sync::Notify;

use crate::fair::Fair;
use crate::line::{Line, Sent};
use crate::phone::{Phone, vault_in};
use crate::transfers::sent;

/// Tells when a request of the buyer's is reached, the `nth` that `is` names, and holds it until the sender is dropped.
fn held(line: &Line, mut nth: u32, is: fn(&Sent) -> bool) -> (Arc<Notify>, Sender<()>) {
    let (reached, (let_go, holds)) = (Arc::new(Notify::new()), channel::<()>());
    let told = Arc::clone(&reached);
    line.rule(move |sent| {
        nth = nth.saturating_sub(u32::from(is(sent)));
        if nth == 0 && is(sent) {
            told.notify_one();
            let _ = holds.recv();
        }
        None
    });
    (reached, let_go)
}

fn is_discovery(sent: &Sent) -> bool {
    sent.is("GET", "/t/nordhafen/.well-known/ticket-wallet")
}

/// What the buyer asks for, given up when a request is reached.
async fn let_go(fair: &Fair, token: Option<&str>, nth: u32, is: fn(&Sent) -> bool) {
    let (reached, holds) = held(&fair.lines[1], nth, is);
    tokio::select! {
        biased;
        () = reached.notified() => {}
        done = ask(fair, token) => panic!("not held: {done:?}"),
    }
    drop(holds);
    fair.lines[1].mend();
}

/// The buyer accepts what is offered by this token, or buys what is listed.
async fn ask(fair: &Fair, token: Option<&str>) -> Result<(), WalletError> {
    match token {
        Some(token) => {
            let account = fair.buyers_account.clone();
            fair.buyer.wallet.accept_transfer(account, token.to_owned()).await.map(drop)
        }
        None => fair.buy(fair.listing_id()).await.map(drop),
    }
}

#[tokio::test]
async fn what_is_let_go_before_its_first_byte_is_not_done_later() {
    let (listed, (given, token)) = (Fair::listed().await, sent().await);
    for (fair, token) in [(listed, None), (given, Some(token))] {
        // By the second the account's desk is done, and the write kept.
        let_go(&fair, token.as_deref(), 2, is_discovery).await;
        assert!(fair.buyer.wallet.outbox(None).unwrap().is_empty());
        fair.settle().await;
        let kinds: Vec<_> =
            fair.seller.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect();
        assert!(kinds.iter().all(|kind| kind != "resale.reserve" && kind != "transfer.accept"), "{kinds:?}");
        fair.holds().await;
    }
}

#[tokio::test]
async fn what_is_let_go_after_its_first_byte_is_found_out_with_no_further_call() {
    let (listed, (given, token)) = (Fair::listed().await, sent().await);
    for (fair, token) in [(listed, None), (given, Some(token))] {
        let fair = by_itself(fair);
        let_go(&fair, token.as_deref(), 1, |sent| sent.is("POST", "/purchase") || sent.is("POST", "/accept"))
            .await;
        let is_known = || match token {
            Some(_) => fair.buyer.wallet.outbox(None).unwrap().is_empty(),
            None => fair.buyer.wallet.purchases(None).unwrap()[0].state == PurchaseState::Reserved,
        };
        let mut left = 200;
        while !is_known() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            left -= 1;
            assert!(left > 0, "nobody asks what became of it");
        }
        if token.is_some() {
            assert_eq!(fair.buyer_hidden(), None);
        }
    }
}

#[tokio::test]
async fn what_is_discarded_before_its_first_byte_is_not_said_to_be_done() {
    let (listed, (given, token)) = (Fair::listed().await, sent().await);
    for (fair, token) in [(listed, None), (given, Some(token))] {
        let (reached, holds) = held(&fair.lines[1], 2, is_discovery);
        let discarded = async {
            reached.notified().await;
            let item = fair.buyer.wallet.outbox(None).unwrap().remove(0);
            fair.buyer.wallet.discard_write(item.id).unwrap();
            drop(holds);
        };
        let (done, ()) = tokio::join!(ask(&fair, token.as_deref()), discarded);
        assert!(matches!(done, Err(WalletError::NotFound { .. })), "{done:?}");
        fair.lines[1].mend();
        fair.holds().await;
        assert!(!fair.is_buyers().await);
    }
}

/// The buyer's wallet opened anew, so that it sends by itself.
fn by_itself(fair: Fair) -> Fair {
    let Fair { buyer: Phone { folder, clock, wallet }, lines, .. } = fair;
    drop(wallet);
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let wallet =
        Wallet::open(config, vault_in(folder.path()), None, Some(Arc::clone(&lines[1]) as _)).unwrap();
    wallet.set_retry_policy(RetryPolicy { base_ms: 1, cap_ms: 5, ..clock.policy() });
    Fair { buyer: Phone { folder, clock, wallet }, lines, ..fair }
}
