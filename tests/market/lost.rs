//! Replies that are lost, at every call: what was done is found out, and done once.

use ticket_wallet::WalletError;
use ticket_wallet::model::{MarketQuery, PurchaseState, TransferAnswer, TransferState};
use ticket_wallet::resale::{ListingIntent, ListingState};
use ticket_wallet_sandbox::{Fault, MarketRules};

use crate::desk::rule;
use crate::fair::{CLUB, EVENT, Fair, eur};
use crate::transfers::sent;

/// What the reply of a call suffers: it is lost, half of it comes, a gateway gives up.
fn faults() -> [Fault; 3] {
    [Fault::LostReply, Fault::TruncatedJson, Fault::Gateway { status: 504, code: None }]
}

fn times(fair: &Fair, kind: &str) -> usize {
    fair.seller.sandbox.journal().unwrap().into_iter().filter(|entry| entry.kind == kind).count()
}

#[tokio::test]
async fn the_answer_to_a_listing_is_lost() {
    for fault in faults() {
        let fair = Fair::new().await;
        fair.seller.sandbox.fault(rule("POST", "/resale/listings", 2, fault));
        fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
        let _ = fair.seller.sync().await;
        assert!(fair.seller.hidden(&fair.ticket).is_some(), "its first byte was sent");
        fair.seller.settle().await;
        assert_eq!((fair.state(), times(&fair, "resale.list")), (Some(ListingState::Active), 1));
        fair.holds().await;
    }
}

#[tokio::test]
async fn the_answer_to_a_price_and_to_a_withdrawal_is_lost() {
    for fault in faults() {
        let fair = Fair::listed().await;
        fair.seller.sandbox.fault(rule("PATCH", "/resale/listings", 1, fault.clone()));
        fair.seller.phone.wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 1)).unwrap();
        fair.seller.settle().await;
        fair.seller.sandbox.fault(rule("DELETE", "/resale/listings", 1, fault));
        fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).unwrap();
        fair.settle().await;
        assert!(fair.seller.outbox().is_empty());
        assert_eq!((times(&fair, "resale.edit"), times(&fair, "resale.withdraw")), (1, 1));
        assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Withdrawn), None));
        fair.holds().await;
    }
}

#[tokio::test]
async fn the_answer_to_a_purchase_is_lost() {
    for payment_page in [true, false] {
        for fault in faults() {
            let fair = Fair::with(&MarketRules { payment_page, ..MarketRules::default() }).await;
            fair.list().await;
            fair.seller.sandbox.fault(rule("POST", "/purchase", 1, fault));
            let bought = fair.buy(fair.listing_id()).await.unwrap();
            assert_eq!(bought.state, PurchaseState::Unknown);
            fair.buyer.wallet.sync(None).await.unwrap();
            if payment_page {
                let waits = fair.buyer.wallet.purchases(None).unwrap().swap_remove(0);
                assert_eq!(waits.state, PurchaseState::Reserved);
                fair.pay(&waits).await;
            }
            fair.holds().await;
            assert_eq!((times(&fair, "resale.sell"), fair.buyer_hidden()), (1, None));
        }
    }
}

#[tokio::test]
async fn the_word_that_it_is_paid_is_lost() {
    for fault in faults() {
        let fair = Fair::listed().await;
        let purchase = fair.buy(fair.listing_id()).await.unwrap();
        fair.pay(&purchase).await;
        fair.seller.sandbox.fault(rule("GET", "/resale/reservations", 4, fault));
        let _ = fair.buyer.wallet.sync(None).await;
        fair.seller.sandbox.clear_faults();
        fair.holds().await;
        assert_eq!(fair.buyer_hidden(), None);
    }
}

#[tokio::test]
async fn the_answers_to_a_transfer_are_lost() {
    for fault in faults() {
        let fair = Fair::new().await;
        fair.seller.sandbox.fault(rule("POST", "/wallet/v1/transfers", 1, fault.clone()));
        fair.seller.phone.wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).unwrap();
        fair.seller.settle().await;
        let offered = fair.buyer.wallet.incoming_transfers(fair.buyers_account.clone()).await.unwrap();
        fair.seller.sandbox.fault(rule("POST", "/accept", 1, fault));
        let account = fair.buyers_account.clone();
        let answer = fair.buyer.wallet.accept_transfer(account, offered[0].token.clone()).await.unwrap();
        assert_eq!(answer, TransferAnswer::Unknown);
        fair.holds().await;
        assert_eq!((times(&fair, "transfer.accept"), fair.buyer_hidden()), (1, None));
    }
}

#[tokio::test]
async fn the_answer_to_a_decline_is_lost() {
    for fault in faults() {
        let (fair, token) = sent().await;
        fair.seller.sandbox.fault(rule("POST", "/decline", 1, fault));
        let account = fair.buyers_account.clone();
        let answer = fair.buyer.wallet.decline_transfer(account.clone(), token).await.unwrap();
        assert_eq!(answer, TransferAnswer::Unknown);
        fair.holds().await;
        assert_eq!((times(&fair, "transfer.decline"), fair.seller.hidden(&fair.ticket)), (1, None));
        let known = fair.buyer.wallet.incoming_transfers(account).await.unwrap();
        assert!(known.iter().all(|one| one.state == TransferState::Declined), "{known:?}");
    }
}

#[tokio::test]
async fn no_key_is_left_after_a_sign_out_in_the_middle_of_an_acquisition() {
    for purchase in [true, false] {
        let (fair, token) = match purchase {
            true => (Fair::listed().await, None),
            false => {
                let (fair, token) = sent().await;
                (fair, Some(token))
            }
        };
        let (wallet, account) = (&fair.buyer.wallet, fair.buyers_account.clone());
        let keys = fair.buyer.vault_keys();
        let path = if purchase { "/purchase" } else { "/accept" };
        fair.seller.sandbox.fault(rule("POST", path, 1, Fault::LostReply));
        if let Some(token) = token {
            let answer = wallet.accept_transfer(account.clone(), token).await.unwrap();
            assert_eq!(answer, TransferAnswer::Unknown);
        } else {
            assert_eq!(fair.buy(fair.listing_id()).await.unwrap().state, PurchaseState::Unknown);
        }
        assert_eq!(fair.buyer.vault_keys(), keys + 1, "that of the ticket to come");
        wallet.sign_out(account, true).await.unwrap();
        assert_eq!(fair.buyer.vault_keys(), 0, "purchase: {purchase}");
    }
}

#[tokio::test]
async fn the_answers_to_questions_are_lost_and_asked_for_again() {
    let fair = Fair::listed().await;
    let (wallet, ticket) = (&fair.seller.phone.wallet, || fair.ticket.clone());
    let (account, tenant) = (|| fair.buyers_account.clone(), || Some(CLUB.to_owned()));
    let event = || MarketQuery { event_id: EVENT.to_string(), tenant: tenant(), ..MarketQuery::default() };
    let listing = || fair.listing_id().to_string();
    for fault in faults() {
        let lost = |method, path| fair.seller.sandbox.fault(rule(method, path, 100, fault.clone()));
        lost("GET", "/resale/");
        lost("POST", "/resale/preview");
        lost("GET", "/wallet/v1/transfers");
        nothing_known(wallet.resale_rules(ticket()).await);
        nothing_known(wallet.preview_price(ticket(), eur(fair.face)).await);
        nothing_known(fair.buyer.wallet.market(account(), event()).await);
        nothing_known(fair.buyer.wallet.offering(account(), tenant(), listing()).await);
        nothing_known(fair.buyer.wallet.incoming_transfers(account()).await);
        fair.seller.sandbox.clear_faults();
        assert!(wallet.resale_rules(ticket()).await.unwrap().allowed);
        wallet.preview_price(ticket(), eur(fair.face)).await.unwrap();
        assert_eq!(fair.offers().await.len(), 1);
        fair.buyer.wallet.offering(account(), tenant(), listing()).await.unwrap();
        fair.buyer.wallet.incoming_transfers(account()).await.unwrap();
    }
    fair.holds().await;
}

/// A question that is not answered changes nothing and says so.
fn nothing_known<T>(result: Result<T, WalletError>) {
    match result.err() {
        Some(WalletError::Unreachable { .. } | WalletError::ServerFault { .. }) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_listing_whose_answer_is_awaited_is_not_taken_back_by_the_name_of_an_earlier_one() {
    let fair = Fair::listed().await;
    let wallet = &fair.seller.phone.wallet;
    wallet.withdraw_listing(fair.ticket.clone()).unwrap();
    fair.seller.settle().await;
    fair.seller.sandbox.fault(rule("POST", "/resale/listings", 2, Fault::LostReply));
    fair.seller.sandbox.fault(rule(
        "GET",
        "/resale/listings",
        50,
        Fault::Gateway { status: 504, code: None },
    ));
    wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    fair.seller.sync().await.unwrap_err();
    let intent = wallet.ticket(fair.ticket.clone()).unwrap().listing.unwrap().intent;
    assert_eq!(intent, Some(ListingIntent::Submitting));
    let early = wallet.withdraw_listing(fair.ticket.clone());
    assert!(matches!(early, Err(WalletError::InvalidInput { .. })), "{early:?}");
    fair.seller.sandbox.clear_faults();
    fair.seller.settle().await;
    wallet.withdraw_listing(fair.ticket.clone()).unwrap().unwrap();
    fair.seller.settle().await;
    assert!(fair.offers().await.is_empty());
}
