//! From the event's `closes_at` on nothing changes hands: a gate whose manifest is as new as that knows all there is to know.

use ticket_wallet::WalletError;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::TransferState;
use ticket_wallet::resale::ListingState;
use ticket_wallet_sandbox::GateEventEdit;

use crate::fair::{CLUB, Door, EVENT, Fair};
use crate::transfers::sent;

/// Resale and transfer close in so many seconds; when that is, Unix seconds.
fn close_in(fair: &Fair, seconds: i64) -> i64 {
    let at = fair.seller.phone.clock.wall_ms() / 1000 + seconds;
    let edit = GateEventEdit { closes_at: Some(at), ..GateEventEdit::default() };
    assert!(fair.seller.sandbox.edit_gate_event(CLUB, EVENT, &edit).unwrap());
    at
}

fn code(refused: WalletError) -> String {
    let WalletError::Refused { server_code: Some(code), .. } = refused else { panic!("{refused:?}") };
    code
}

#[tokio::test]
async fn a_reservation_ends_when_resale_closes() {
    for closed_first in [true, false] {
        let fair = Fair::listed().await;
        let mut closes_at = if closed_first { close_in(&fair, 60) } else { 0 };
        let purchase = fair.buy(fair.listing_id()).await.unwrap();
        if !closed_first {
            closes_at = close_in(&fair, 60);
        }
        fair.seller.phone.clock.pass_s(60);
        let door = Door::open(&fair).await;
        let url = purchase.payment_url.clone().unwrap();
        let late = reqwest::Client::new().post(&url).send().await.unwrap();
        assert_eq!(late.status().as_u16(), 409, "nothing is paid for any more");
        fair.holds().await;
        assert_eq!((fair.state(), fair.is_buyers().await), (Some(ListingState::Expired), false));
        door.prepare().await;
        assert_eq!(door.scan(&Fair::frame(&fair.seller.phone, &fair.ticket).unwrap()), Verdict::Admit);
        if closed_first {
            assert!(purchase.expires_at.is_some_and(|at| at <= closes_at), "{:?}", purchase.expires_at);
        }
    }
}

#[tokio::test]
async fn what_is_listed_or_on_its_way_ends_when_the_market_closes_earlier_than_was_said() {
    let fair = Fair::listed().await;
    close_in(&fair, 0);
    let late = code(fair.buy(fair.listing_id()).await.unwrap_err());
    assert!(late.ends_with("listing-ended"), "{late}");
    fair.holds().await;
    assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Expired), None));

    let (fair, token) = sent().await;
    close_in(&fair, 0);
    let account = fair.buyers_account.clone();
    let late = code(fair.buyer.wallet.accept_transfer(account, token).await.unwrap_err());
    assert!(late.ends_with("transfer-ended"), "{late}");
    fair.holds().await;
    assert_eq!(fair.seller.phone.wallet.transfers(None).unwrap()[0].state, TransferState::Expired);
}
