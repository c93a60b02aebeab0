//! A ticket handed from one wallet to another by the extension.

use ticket_wallet::WalletError;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{NoBarcodeReason, TransferAnswer, TransferState};

use crate::fair::{Door, Fair, eur};

const JONAS: &str = "jonas@example.org";

/// The ticket is on its way to the buyer, who knows of it by this token.
pub(crate) async fn sent() -> (Fair, String) {
    let fair = Fair::new().await;
    fair.seller.phone.wallet.transfer(fair.ticket.clone(), JONAS.to_owned()).unwrap();
    fair.seller.settle().await;
    let mut offered = fair.buyer.wallet.incoming_transfers(fair.buyers_account.clone()).await.unwrap();
    assert_eq!((offered.len(), offered[0].sender.as_deref()), (1, Some("mira@example.org")));
    let token = offered.swap_remove(0).token;
    (fair, token)
}

#[tokio::test]
async fn a_ticket_is_handed_to_one_at_a_time() {
    let fair = Fair::new().await;
    let wallet = &fair.seller.phone.wallet;
    fair.lines[0].cut();
    wallet.transfer(fair.ticket.clone(), JONAS.to_owned()).unwrap();
    let another = || wallet.transfer(fair.ticket.clone(), "zoe@example.org".to_owned());
    let sale = || wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None);
    let is_refused = |outcome| matches!(outcome, Err(WalletError::InvalidInput { .. }));
    assert!(is_refused(another()) && is_refused(sale()), "it waits for the network");
    fair.lines[0].mend();
    fair.seller.settle().await;
    assert!(is_refused(another()) && is_refused(sale()), "it is under way");
    wallet.cancel_transfer(fair.ticket.clone()).unwrap().unwrap();
    fair.seller.settle().await;
    sale().unwrap();
    assert!(is_refused(another()), "it is to be sold");
}

#[tokio::test]
async fn an_accepted_ticket_is_bound_to_the_recipient_at_once() {
    let fair = Fair::new().await;
    let door = Door::open(&fair).await;
    let old = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    drop(fair);
    let (fair, token) = sent().await;
    let answer = fair.buyer.wallet.accept_transfer(fair.buyers_account.clone(), token.clone()).await.unwrap();
    assert_eq!((answer, fair.buyer_hidden()), (TransferAnswer::Accepted, None));
    assert_eq!(fair.buyer.wallet.ticket(fair.ticket.clone()).unwrap().generation, Some(2));
    let again = fair.buyer.wallet.accept_transfer(fair.buyers_account.clone(), token).await;
    assert!(matches!(again, Err(WalletError::Refused { status: 409, .. })), "{again:?}");
    assert_eq!(door.scan(&old), Verdict::Admit, "of another sandbox: the control");
    fair.holds().await;
    assert_eq!(fair.seller.phone.wallet.transfers(None).unwrap()[0].state, TransferState::Accepted);
}

#[tokio::test]
async fn a_declined_ticket_comes_back_at_no_move() {
    let (fair, token) = sent().await;
    let answer = fair.buyer.wallet.decline_transfer(fair.buyers_account.clone(), token).await.unwrap();
    assert_eq!(answer, TransferAnswer::Declined);
    fair.seller.settle().await;
    assert_eq!((fair.seller.hidden(&fair.ticket), fair.seller.generation(&fair.ticket)), (None, Some(2)));
    assert_eq!(fair.seller.entries(&fair.ticket).pop().unwrap().detail["moves_left"], 3);
    fair.holds().await;
}

#[tokio::test]
async fn a_transfer_ends_when_resale_and_transfer_close() {
    let (fair, token) = sent().await;
    let clock = &fair.seller.phone.clock;
    let ends = fair.seller.phone.wallet.transfers(None).unwrap()[0].expires_at.unwrap();
    clock.pass_s(ends - clock.wall_ms() / 1000);
    let late = fair.buyer.wallet.accept_transfer(fair.buyers_account.clone(), token).await;
    let Err(WalletError::Refused { server_code: Some(code), .. }) = late else { panic!("{late:?}") };
    assert!(code.ends_with("transfer-ended"), "{code}");
    fair.seller.settle().await;
    assert_eq!(fair.seller.phone.wallet.transfers(None).unwrap()[0].state, TransferState::Expired);
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
}

#[tokio::test]
async fn a_cancelled_transfer_is_accepted_by_nobody() {
    let (fair, token) = sent().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::HandedOver));
    fair.seller.phone.wallet.cancel_transfer(fair.ticket.clone()).unwrap();
    fair.seller.settle().await;
    let late = fair.buyer.wallet.accept_transfer(fair.buyers_account.clone(), token).await;
    assert!(matches!(late, Err(WalletError::Refused { .. })), "{late:?}");
    assert!(fair.buyer.wallet.outbox(None).unwrap().is_empty());
    fair.holds().await;
}
