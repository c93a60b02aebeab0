//! An answer is lost at each step of a transaction, and when an offer is taken back.

use serde_json::json;
use ticket_wallet::WalletError;
use ticket_wallet::model::{OfficeWriteState, TicketFormat};
use ticket_wallet_sandbox::{BamChoices, Fault, FaultRule};

use crate::seller::{Seller, answer, lists, offer_id};

/// Proposal, endorsement, submission.
const STEPS: u32 = 3;
const LEDGER: &str = "/blockchain/v1/transaction/";

/// What loses an answer: handled or not, with nothing or half of it coming back.
fn losses() -> [Fault; 5] {
    [
        Fault::LostReply,
        Fault::Reset,
        Fault::TruncatedJson,
        Fault::ServerError,
        Fault::Gateway { status: 502, code: None },
    ]
}

#[tokio::test]
async fn a_ticket_is_offered_once_whatever_answer_is_lost() {
    for fault in losses() {
        let seller = Seller::new().await;
        for step in 0..STEPS {
            let held = seller.ticket(TicketFormat::Secure).await;
            seller.fault("POST", LEDGER, step, fault.clone());
            let write = seller.sell(&held).await.unwrap();
            let what = format!("{fault:?} at step {step}");
            assert_eq!(write.state, OfficeWriteState::Done, "{what}");
            assert_eq!(seller.done("ledger.mark_for_sale", &held), 1, "{what}");
            let offers = seller.offers(held.tenant).await;
            let made: Vec<_> = offers.iter().filter(|offer| held.is_of(offer)).collect();
            assert!(matches!(made[..], [one] if one.remote_id == offer_id(&write)), "{what}");
        }
    }
}

#[tokio::test]
async fn a_ticket_is_handed_over_once_whatever_answer_is_lost() {
    for fault in losses() {
        let seller = Seller::new().await;
        let (_, enrollment) = seller.other().await;
        for step in 0..STEPS {
            let held = seller.ticket(TicketFormat::Secure).await;
            seller.fault("POST", LEDGER, step, fault.clone());
            let sent = seller.phone.wallet.transfer_on_ledger(held.id.clone(), enrollment.clone());
            let write = sent.await.unwrap();
            let what = format!("{fault:?} at step {step}");
            assert_eq!(write.state, OfficeWriteState::Done, "{what}");
            assert_eq!(seller.done("ledger.transfer", &held), 1, "{what}");
            assert!(seller.phone.wallet.present(held.id.clone(), None).is_err(), "{what}");
            seller.phone.wallet.sync(None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_step_that_changes_nothing_is_given_up_after_a_second_loss() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    for _ in 0..2 {
        seller.fault("POST", LEDGER, 0, Fault::LostReply);
    }
    let failed = seller.sell(&held).await.unwrap_err();
    assert!(matches!(failed, WalletError::Unreachable { .. }), "{failed}");
    let writes = seller.phone.wallet.writes(seller.account.clone(), 10).unwrap();
    assert_eq!((writes.len(), writes[0].state), (1, OfficeWriteState::Rejected));
    assert_eq!(seller.done("ledger.mark_for_sale", &held), 0);
    offer_id(&seller.sell(&held).await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_read_back_is_unknown_until_it_is_looked_up() {
    for (fault, done) in [(Fault::LostReply, true), (Fault::Reset, false)] {
        let seller = Seller::new().await;
        let held = seller.ticket(TicketFormat::Secure).await;
        // The list of offers is read before, and cannot be read after.
        seller.fault("POST", LEDGER, 2, fault.clone());
        seller.sandbox.fault(FaultRule {
            method: Some("GET".to_owned()),
            path_contains: "/orderbook/v1/offer/mine".to_owned(),
            skip: 1,
            times: 100,
            fault: Fault::ServerError,
        });
        let write = seller.sell(&held).await.unwrap();
        seller.sandbox.clear_faults();
        assert_eq!(write.state, OfficeWriteState::Unknown, "{fault:?}");
        // The app may end in between.
        let seller = seller.restart();
        let looked_up = seller.phone.wallet.look_up_write(write.id).await.unwrap();
        if done {
            offer_id(&looked_up);
        } else {
            assert_eq!(looked_up.state, OfficeWriteState::Unknown, "it may be on its way");
            seller.clock.pass_s(121);
            let looked_up = seller.phone.wallet.look_up_write(write.id).await.unwrap();
            assert_eq!(looked_up.state, OfficeWriteState::Rejected);
        }
        assert_eq!(seller.done("ledger.mark_for_sale", &held), usize::from(done));
    }
}

#[tokio::test]
async fn an_offer_that_was_bought_before_its_answer_came_is_not_made_again() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let eager_buyer = Some("somebody@example.org".to_owned());
    seller.sandbox.set_bam_choices(BamChoices { eager_buyer, ..BamChoices::default() });
    seller.fault("POST", LEDGER, 2, Fault::LostReply);
    let write = seller.sell(&held).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    assert_eq!(seller.done("offer.buy", &held), 1);
    let looked_up = seller.phone.wallet.look_up_write(write.id).await.unwrap();
    assert_eq!((looked_up.state, &answer(&looked_up)["candidates"]), (OfficeWriteState::Unknown, &json!([])));
    seller.phone.wallet.sync(None).await.unwrap();
    assert!(!lists(&seller.phone, &held), "the ticket tells");
    assert_eq!(seller.done("ledger.mark_for_sale", &held), 1);
}

#[tokio::test]
async fn an_offer_is_taken_back_whatever_answer_is_lost() {
    let seller = Seller::new().await;
    for fault in losses() {
        let held = seller.ticket(TicketFormat::Secure).await;
        let id = offer_id(&seller.sell(&held).await.unwrap());
        let before = seller.done("offer.delete", &held);
        seller.fault("DELETE", "/orderbook/v1/offer/", 0, fault.clone());
        let write = seller.phone.wallet.delete_offer(held.id.clone(), id.clone()).await.unwrap();
        let handled = seller.done("offer.delete", &held) > before;
        let expected = if handled { OfficeWriteState::Done } else { OfficeWriteState::Unknown };
        assert_eq!(write.state, expected, "{fault:?}");
        if !handled {
            seller.clock.pass_s(121);
            let looked_up = seller.phone.wallet.look_up_write(write.id).await.unwrap();
            assert_eq!(looked_up.state, OfficeWriteState::Rejected, "{fault:?}");
            seller.phone.wallet.delete_offer(held.id.clone(), id).await.unwrap();
        }
        assert!(!seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer)), "{fault:?}");
    }
}

#[tokio::test]
async fn who_is_too_late_to_take_an_offer_back_is_told_that_it_was_sold() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let id = offer_id(&seller.sell(&held).await.unwrap());
    let buyer = seller.sandbox.users()[1].name.clone();
    assert!(seller.sandbox.buy_bam_offer(held.tenant, id.parse().unwrap(), &buyer).unwrap());
    let late = seller.phone.wallet.delete_offer(held.id.clone(), id.clone()).await.unwrap_err();
    assert!(matches!(late, WalletError::Refused { status: 404, .. }), "{late}");
    seller.fault("DELETE", "/orderbook/v1/offer/", 0, Fault::LostReply);
    let write = seller.phone.wallet.delete_offer(held.id.clone(), id).await.unwrap();
    assert_eq!((write.state, answer(&write)), (OfficeWriteState::Rejected, json!({ "sold": true })));
}
