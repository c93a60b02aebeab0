//! A server that gives something else to be signed than was asked for, that tells of a part only, or that takes its time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ticket_wallet::model::{OfficeWriteState, TicketFormat};
use ticket_wallet_sandbox::{Fault, SandboxConfig};

use crate::forged_transport::Forged;
use crate::phone::{Phone, TestClock, sandbox};
use crate::seller::{Seller, answer, bound, offer_id};

/// A seller with a certificate whose answers are forged.
async fn seller(clock: TestClock, transport: Arc<Forged>) -> Seller {
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::over(&clock, transport);
    let account = phone.sign_in(&sandbox, 0).await.id;
    phone.wallet.enroll(account.clone()).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    Seller { clock, sandbox, phone, account }
}

/// Whether nothing is signed, nor a barcode given up, where a transfer's payload is written in another way.
async fn is_refused(from: &'static str, to: &'static str) -> bool {
    let forger = Forged::by(move |request, body| {
        if request.method == "POST" && request.url.ends_with("/event/v1/ticket/transfer") {
            let told = String::from_utf8(body.clone()).unwrap();
            assert!(told.contains(from));
            *body = told.replacen(from, to, 1).into_bytes();
        }
    });
    let seller = seller(TestClock::new(), forger).await;
    let (_other, enrollment) = seller.other().await;
    let held = bound(&seller).await;
    let sent = seller.phone.wallet.transfer_on_ledger(held.id.clone(), enrollment).await;
    let proposed = seller.sandbox.requests().iter().any(|it| it.contains("/transaction/proposal"));
    sent.is_err() && !proposed && seller.phone.wallet.present(held.id, None).is_ok()
}

#[tokio::test]
async fn only_the_transfer_that_was_asked_for_is_signed() {
    for (from, to) in [
        ("\"new_owner_id\":\"", "\"new_owner_id\":\"0"),
        ("\"seq_num\":", "\"seq_num\":9"),
        ("\"ticket_config\":{", "\"ticket_config\":{\"id\":1,"),
        ("\"new_owner_id\":", "\"New_Owner_Id\":\"0\",\"new_owner_id\":"),
    ] {
        assert!(is_refused(from, to).await, "{to}");
    }
}

#[tokio::test]
async fn a_part_of_the_list_of_offers_tells_of_no_offer_that_it_is_gone() {
    let cut = Arc::new(AtomicBool::new(false));
    let is_cut = Arc::clone(&cut);
    let forger = Forged::by(move |request, body| {
        if request.url.contains("/orderbook/v1/offer/mine") && is_cut.load(Ordering::Relaxed) {
            *body = br#"{"data":[],"paging":{"total":1,"offset":0,"limit":0}}"#.to_vec();
        }
    });
    let seller = seller(TestClock::new(), forger).await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let offer = offer_id(&seller.sell(&held).await.unwrap());
    cut.store(true, Ordering::Relaxed);
    seller.fault("DELETE", "/orderbook/v1/offer/", 0, Fault::Reset);
    let write = seller.phone.wallet.delete_offer(held.id.clone(), offer).await.unwrap();
    assert_eq!((write.state, seller.done("offer.delete", &held)), (OfficeWriteState::Unknown, 0));
    cut.store(false, Ordering::Relaxed);
    assert_eq!(seller.offers(held.tenant).await.iter().filter(|offer| held.is_of(offer)).count(), 1);
}

#[tokio::test]
async fn the_time_that_a_last_step_may_take_begins_with_that_step() {
    let clock = TestClock::new();
    let slow = clock.clone();
    let forger = Forged::by(move |request, _| {
        if request.url.contains("/transaction/proposal/") {
            slow.pass_s(121);
        }
    });
    let seller = seller(clock, forger).await;
    let held = seller.ticket(TicketFormat::Secure).await;
    for _ in 0..2 {
        seller.fault("POST", "/blockchain/v1/transaction/", 2, Fault::Reset);
    }
    let write = seller.sell(&held).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown, "it may be on its way");
}

#[tokio::test]
async fn an_offer_at_another_price_is_not_taken_for_the_one_whose_answer_was_lost() {
    let forger = Forged::by(|request, body| {
        if request.url.contains("/orderbook/v1/offer/mine") {
            let told = String::from_utf8(body.clone()).unwrap();
            *body = told.replace("\"price\":", "\"price\":1").into_bytes();
        }
    });
    let seller = seller(TestClock::new(), forger).await;
    let held = seller.ticket(TicketFormat::Secure).await;
    seller.fault("POST", "/blockchain/v1/transaction/", 2, Fault::LostReply);
    let write = seller.sell(&held).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    assert_eq!(answer(&write)["candidates"].as_array().map(Vec::len), Some(1));
}
