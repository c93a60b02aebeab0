//! What two people do at once, or one behind the other's back.

use ticket_wallet::WalletError;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{NoBarcodeReason, PurchaseState, RejectionReason, TransferAnswer, WriteState};
use ticket_wallet::resale::{CloseReason, ListingState};
use ticket_wallet_sandbox::{ListingChange, MarketRules};

use crate::fair::{CLUB, Door, EVENT, Fair, eur};
use crate::phone::Phone;

#[tokio::test]
async fn listed_but_scanned() {
    let fair = Fair::new().await;
    let door = Door::open(&fair).await;
    let frame = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    fair.list().await;
    // The gate has not heard of the listing, and lets the seller's last frame in.
    assert_eq!(door.scan(&frame), Verdict::Admit);
    door.upload().await;
    let late = fair.buy(fair.listing_id()).await;
    let Err(WalletError::Refused { server_code: Some(code), .. }) = late else { panic!("{late:?}") };
    assert!(code.ends_with("listing-ended"), "{code}");
    fair.settle().await;
    assert_eq!(fair.state(), Some(ListingState::Closed { reason: CloseReason::Scanned }));
    assert!(fair.offers().await.is_empty() && !fair.is_buyers().await);
    assert_eq!(
        fair.seller.hidden(&fair.ticket),
        None,
        "the ticket is the seller's, who may have to come in again"
    );
}

#[tokio::test]
async fn withdraw_queued_sold_first() {
    let fair = Fair::listed().await;
    fair.lines[0].cut();
    fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).unwrap();
    let _ = fair.seller.sync().await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.lines[0].mend();
    fair.seller.settle().await;
    let refused = fair.seller.the_only_write();
    assert_eq!(refused.rejection, Some(RejectionReason::ChangedElsewhere));
    assert!(refused.server_code.unwrap().ends_with("sold"));
    assert_eq!(fair.state(), Some(ListingState::Sold));
    fair.seller.phone.wallet.discard_write(refused.id).unwrap();
    fair.holds().await;
    assert!(fair.is_buyers().await);
}

#[tokio::test]
async fn price_edit_queued_before_the_cap_changes() {
    let fair = Fair::listed().await;
    fair.lines[0].cut();
    fair.seller.phone.wallet.edit_listing(fair.ticket.clone(), eur(fair.face + 100)).unwrap();
    let _ = fair.seller.sync().await;
    let lower = MarketRules { cap_ppm: Some(1_000_000), ..MarketRules::default() };
    fair.seller.sandbox.set_market_rules(CLUB, EVENT, &lower).unwrap();
    fair.lines[0].mend();
    fair.seller.settle().await;
    let refused = fair.seller.the_only_write();
    assert_eq!((refused.rejection, refused.status), (Some(RejectionReason::Refused), Some(409)));
    assert!(refused.server_code.unwrap().ends_with("price-over-cap"));
    let listing = fair.seller.phone.wallet.my_listings(None).unwrap().swap_remove(0);
    assert_eq!((listing.price, listing.intent), (Some(eur(fair.face)), None), "the old price stands");
    fair.seller.phone.wallet.edit_write(refused.id, format!("{}.00 EUR", fair.face / 100)).unwrap();
    fair.seller.settle().await;
    assert!(fair.seller.outbox().is_empty());
}

#[tokio::test]
async fn transfer_and_listing_at_once() {
    let fair = Fair::new().await;
    let (one, other) = (&fair.seller.phone, fair.seller.other_phone().await);
    other.wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).unwrap();
    one.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    assert!(one.wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).is_err());
    fair.seller.settle().await;
    // The other phone holds no barcode: the server refuses to hand on what is listed.
    let _ = other.wallet.sync(None).await;
    let refused = other.wallet.outbox(None).unwrap().swap_remove(0);
    assert_eq!(refused.state, WriteState::Rejected);
    assert!(refused.server_code.unwrap().ends_with("ticket-listed"));
    assert_eq!(fair.state(), Some(ListingState::Active));
    fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).unwrap();
    fair.seller.settle().await;
    other.wallet.retry_write(refused.id).unwrap();
    one.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    let _ = other.wallet.sync(None).await;
    fair.holds().await;
}

#[tokio::test]
async fn buyer_offline_after_buying() {
    let fair = Fair::listed().await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.lines[1].cut();
    fair.pay(&purchase).await;
    assert!(fair.buyer.wallet.sync(None).await.is_err());
    assert_eq!(fair.buyer.wallet.purchases(None).unwrap()[0].state, PurchaseState::Reserved);
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Sold));
    fair.lines[1].mend();
    fair.buyer.wallet.sync(None).await.unwrap();
    assert_eq!(fair.buyer_hidden(), None, "by coming online");
    fair.holds().await;
}

#[tokio::test]
async fn two_buyers() {
    let fair = Fair::listed().await;
    let first = fair.buy(fair.listing_id()).await.unwrap();
    let rival = Phone::new(&fair.seller.phone.clock);
    let account = rival.sign_in(&fair.seller.sandbox, 1).await.id;
    rival.wallet.sync(None).await.unwrap();
    let late = rival.wallet.buy(account, Some(CLUB.to_owned()), first.listing_id.clone(), eur(100_000)).await;
    let Err(WalletError::Refused { server_code: Some(code), .. }) = late else { panic!("{late:?}") };
    assert!(code.ends_with("reserved"), "{code}");
    assert!(rival.wallet.outbox(None).unwrap().is_empty());
    fair.pay(&first).await;
    fair.holds().await;
    assert_eq!(fair.buyer.wallet.ticket(fair.ticket.clone()).unwrap().generation, Some(2));
}

#[tokio::test]
async fn buying_and_accepting_need_the_network_and_leave_nothing_without_it() {
    let fair = Fair::listed().await;
    fair.lines[1].cut();
    assert!(matches!(fair.buy(fair.listing_id()).await, Err(WalletError::Unreachable { .. })));
    fair.lines[1].rule(|sent| {
        sent.is("POST", "/purchase").then_some(Err(ticket_wallet::host::HttpTransportError::Unreachable))
    });
    let keys = || std::fs::read(fair.buyer.folder.path().join("vault.json")).unwrap().len();
    let before = keys();
    assert!(matches!(fair.buy(fair.listing_id()).await, Err(WalletError::Unreachable { .. })));
    assert!(fair.buyer.wallet.outbox(None).unwrap().is_empty());
    fair.lines[1].mend();
    fair.buyer.wallet.sync(None).await.unwrap();
    assert_eq!(keys(), before, "the key that was made for it is gone");
    fair.seller
        .sandbox
        .change_listing(CLUB, fair.listing_id(), &ListingChange::State("withdrawn".to_owned()))
        .unwrap();
    fair.holds().await;
}

#[tokio::test]
async fn sold_and_got_back_before_the_sale_is_over() {
    let fair = Fair::listed().await;
    let (listing, unseen) = (fair.listing_id(), Fair::listed().await);
    // The seller hears of the sale, gets the ticket back, and then of the money.
    sold_and_given_back(&fair, true).await;
    for state in ["reissued", "paid_out"] {
        let change = ListingChange::State(state.to_owned());
        fair.seller.sandbox.change_listing(CLUB, listing, &change).unwrap();
        fair.seller.settle().await;
        assert_eq!(fair.seller.hidden(&fair.ticket), None, "{state}");
    }
    assert_eq!(fair.state(), Some(ListingState::PaidOut));
    // They hear of the sale only when they get it back.
    sold_and_given_back(&unseen, false).await;
    unseen.seller.settle().await;
    assert_eq!((unseen.state(), unseen.seller.hidden(&unseen.ticket)), (Some(ListingState::Sold), None));
}

/// The buyer buys what is listed and hands it back to the seller, who has or has not synced in between.
async fn sold_and_given_back(fair: &Fair, hears: bool) {
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.buyer.wallet.sync(None).await.unwrap();
    if hears {
        fair.seller.settle().await;
    }
    fair.buyer.wallet.transfer(fair.ticket.clone(), "mira@example.org".to_owned()).unwrap();
    fair.buyer.wallet.sync(None).await.unwrap();
    let (wallet, account) = (&fair.seller.phone.wallet, fair.seller.account.clone());
    let token = wallet.incoming_transfers(account.clone()).await.unwrap().swap_remove(0).token;
    assert_eq!(wallet.accept_transfer(account, token).await.unwrap(), TransferAnswer::Accepted);
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
}
