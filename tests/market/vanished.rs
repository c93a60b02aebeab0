//! A market that keeps nothing of what has ended: whoever owns the ticket has a code by coming online all the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use ticket_wallet::resale::ListingState;
use ticket_wallet_sandbox::{Fault, ListingChange};

use crate::desk::rule;
use crate::fair::{CLUB, Fair, eur};
use crate::forged::sold_from;
use crate::forged_transport::Forged;
use crate::phone::Phone;

/// A fair whose seller is told of no listing and no transfer of their own, once the market forgets them.
async fn forgetful() -> (Fair, Arc<AtomicBool>) {
    let fair = Fair::new().await;
    let forgets = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&forgets);
    let transport = Forged::by(move |request, body| {
        let is_list = request.url.contains("mine=true") || request.url.ends_with("/wallet/v1/transfers");
        if flag.load(Ordering::SeqCst) && request.method == "GET" && is_list {
            *body = json!({ "items": Value::Array(Vec::new()) }).to_string().into_bytes();
        }
    });
    let phone = Phone::over(&fair.seller.phone.clock, transport);
    (sold_from(fair, phone).await, forgets)
}

impl Fair {
    /// The market forgets what has ended.
    fn forget(&self, forgets: &AtomicBool) {
        forgets.store(true, Ordering::SeqCst);
        for path in ["/resale/listings/", "/wallet/v1/transfers/"] {
            self.seller.sandbox.fault(rule("GET", path, 100, Fault::Gateway { status: 404, code: None }));
        }
    }
}

#[tokio::test]
async fn a_listing_that_its_market_has_forgotten_hides_no_barcode() {
    let (fair, forgets) = forgetful().await;
    fair.list().await;
    let ended = ListingChange::State("withdrawn".to_owned());
    fair.seller.sandbox.change_listing(CLUB, fair.listing_id(), &ended).unwrap();
    fair.forget(&forgets);
    fair.seller.settle().await;
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), None, "{:?}", fair.state());
}

#[tokio::test]
async fn a_transfer_that_its_server_has_forgotten_hides_no_barcode() {
    let (fair, forgets) = forgetful().await;
    fair.seller.phone.wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).unwrap();
    fair.seller.settle().await;
    let mut offered = fair.buyer.wallet.incoming_transfers(fair.buyers_account.clone()).await.unwrap();
    let token = offered.swap_remove(0).token;
    fair.buyer.wallet.decline_transfer(fair.buyers_account.clone(), token).await.unwrap();
    fair.forget(&forgets);
    fair.seller.settle().await;
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
}

#[tokio::test]
async fn a_listing_that_its_market_has_forgotten_can_be_taken_back() {
    let (fair, forgets) = forgetful().await;
    fair.list().await;
    let ended = ListingChange::State("withdrawn".to_owned());
    fair.seller.sandbox.change_listing(CLUB, fair.listing_id(), &ended).unwrap();
    fair.forget(&forgets);
    fair.seller.sandbox.fault(rule(
        "DELETE",
        "/resale/listings/",
        1,
        Fault::Gateway { status: 404, code: None },
    ));
    fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).unwrap().unwrap();
    fair.seller.settle().await;
    assert!(fair.seller.outbox().is_empty(), "{:?}", fair.seller.outbox_states());
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
}

#[tokio::test]
async fn what_a_list_lacks_is_asked_for_and_stands_as_it_stood() {
    let (fair, forgets) = forgetful().await;
    fair.list().await;
    forgets.store(true, Ordering::SeqCst);
    fair.seller.settle().await;
    assert_eq!((fair.state(), fair.offers().await.len()), (Some(ListingState::Active), 1));
    assert!(fair.seller.hidden(&fair.ticket).is_some());
    let other = fair.seller.other_phone().await;
    // That its barcode is given up for a listing is known after the first sync, and which after the second.
    other.wallet.sync(None).await.unwrap();
    other.wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 1)).unwrap();
    other.wallet.sync(None).await.unwrap();
    fair.seller.settle().await;
    let known = fair.seller.phone.wallet.my_listings(None).unwrap().swap_remove(0);
    assert_eq!(known.price, Some(eur(fair.face - 1)));
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.seller.settle().await;
    assert_eq!(fair.state(), Some(ListingState::Sold));
    fair.holds().await;
}
