//! What a transfer or surrender does to the barcode, at each moment.

use ticket_wallet::model::{NoBarcodeReason, TransferState, WriteState};
use ticket_wallet_sandbox::{Fault, TransferEnd};

use crate::desk::{Desk, rule};
use crate::line::Line;

const ZOE: &str = "zoe@example.org";
/// Longer than servers take a statement for.
const STALE_S: i64 = 10 * 60 + 1;

async fn transferred() -> (Desk, String) {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
    desk.sync().await.unwrap();
    (desk, ticket)
}

#[tokio::test]
async fn a_barcode_is_hidden_from_the_first_byte_of_a_transfer_on() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let keys = desk.phone.vault_keys();
    desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
    assert_eq!(desk.hidden(&ticket), None, "nothing was sent yet");
    desk.sandbox.fault(rule("POST", "/transfers", 2, Fault::LostReply));
    assert!(desk.sync().await.is_err());
    let desk = desk.restart();
    assert_eq!(desk.outbox_states(), [WriteState::Sent]);
    assert_eq!(desk.hidden(&ticket), Some(NoBarcodeReason::HandedOver));
    assert_eq!(desk.phone.vault_keys(), keys, "the key stays until the server confirms");
    desk.sync().await.unwrap();
    assert_eq!(desk.hidden(&ticket), Some(NoBarcodeReason::HandedOver));
    assert_eq!(desk.phone.vault_keys(), keys - 1, "then it goes");
    assert_eq!(desk.applied(&ticket), ["transfer.create"]);
    assert_eq!(desk.phone.wallet.transfers(None).unwrap()[0].state, TransferState::Pending);
}

#[tokio::test]
async fn a_barcode_shows_again_when_the_transfer_was_surely_not_applied() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    for status in [429, 404, 409] {
        let id = desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap().id;
        line.rule(move |sent| sent.is("POST", "/transfers").then_some(Ok(status)));
        let _ = desk.sync().await;
        assert_eq!(desk.hidden(&ticket), None, "{status}");
        desk.phone.wallet.discard_write(id).unwrap();
    }
    line.cut();
    let item = desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.hidden(&ticket), None, "no connection was made");
    assert_eq!(desk.phone.wallet.cancel_transfer(ticket.clone()).unwrap(), None, "it is only taken out");
    assert!(desk.phone.wallet.discard_write(item.id).is_err());
    line.mend();
    desk.sync().await.unwrap();
    assert!(desk.applied(&ticket).is_empty());
}

#[tokio::test]
async fn a_transfer_of_unknown_end_stays_hidden_when_it_is_repeated() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap().id;
    line.rule(|sent| sent.is("POST", "/transfers").then_some(Ok(500)));
    assert!(desk.sync().await.is_err());
    desk.phone.clock.pass_s(31 * 86_400);
    let _ = desk.sync().await;
    let _ = desk.sync().await;
    assert_eq!(desk.the_only_write().state, WriteState::Unknown, "too old to be repeated by itself");
    desk.phone.wallet.retry_write(id).unwrap();
    assert_eq!(desk.hidden(&ticket), Some(NoBarcodeReason::HandedOver));
}

#[tokio::test]
async fn every_end_of_a_transfer_but_acceptance_binds_again_at_no_move() {
    for end in ["cancelled", "declined", "expired"] {
        let (desk, ticket) = transferred().await;
        let moves = desk.entries(&ticket)[0].detail["moves_left"].clone();
        let (tenant, _) = desk.place(&ticket);
        let transfer = desk.phone.wallet.transfers(None).unwrap().swap_remove(0);
        match end {
            "cancelled" => drop(desk.phone.wallet.cancel_transfer(ticket.clone()).unwrap()),
            "declined" => {
                let id = transfer.remote_id.parse().unwrap();
                assert!(desk.sandbox.end_transfer(tenant, id, TransferEnd::Declined).unwrap());
            }
            _ => {
                desk.phone.clock.pass_s(transfer.expires_at.unwrap() - desk.phone.clock.wall_ms() / 1000 + 1)
            }
        }
        desk.settle().await;
        assert_eq!(desk.phone.wallet.transfers(None).unwrap()[0].state.as_text(), end);
        if end == "expired" {
            // The event has begun by then; its ticket is pinned to be bound once more.
            desk.phone.wallet.pin(ticket.clone(), true).unwrap();
            desk.settle().await;
        }
        assert_eq!(desk.hidden(&ticket), None, "{end}");
        assert_eq!(desk.generation(&ticket), Some(2), "{end}");
        let last = desk.entries(&ticket).pop().unwrap();
        assert_eq!((last.kind.as_str(), &last.detail["moves_left"]), ("credential.bind", &moves), "{end}");
    }
}

#[tokio::test]
async fn an_accepted_transfer_takes_the_ticket_away() {
    let (desk, ticket) = transferred().await;
    let (tenant, _) = desk.place(&ticket);
    let id = desk.phone.wallet.transfers(None).unwrap()[0].remote_id.parse().unwrap();
    assert!(desk.sandbox.end_transfer(tenant, id, TransferEnd::Accepted).unwrap());
    desk.settle().await;
    assert_eq!(desk.phone.wallet.transfers(None).unwrap()[0].state, TransferState::Accepted);
    assert!(desk.phone.tickets().iter().all(|listed| listed.id != ticket));
    assert!(desk.hidden(&ticket).is_some());
}

#[tokio::test]
async fn a_stale_statement_is_signed_anew() {
    for surrender in [false, true] {
        let line = Line::new();
        let desk = Desk::over(&line).await;
        let ticket = desk.shown().swap_remove(0);
        let path = if surrender {
            desk.phone.wallet.surrender(ticket.clone()).unwrap();
            "/surrender"
        } else {
            desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
            "/transfers"
        };
        line.rule(move |sent| sent.is("POST", path).then_some(Ok(502)));
        assert!(desk.sync().await.is_err());
        line.mend();
        desk.phone.clock.pass_s(STALE_S);
        desk.settle().await;
        assert!(desk.outbox().is_empty());
        let sent = line.sent("POST", path);
        let (first, last) = (sent.first().unwrap(), sent.last().unwrap());
        assert!(first.key != last.key && first.body != last.body, "surrender: {surrender}");
        assert_eq!(desk.applied(&ticket).len(), 1);
        assert_eq!(desk.hidden(&ticket), Some(NoBarcodeReason::HandedOver));
    }
}

#[tokio::test]
async fn a_page_of_something_in_between_gives_no_credential_up() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.surrender(ticket.clone()).unwrap();
    line.rule(move |sent| sent.is("POST", "/surrender").then_some(Ok(200)));
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.outbox_states(), [WriteState::Sent]);
    assert_eq!(desk.applied(&ticket), [""; 0]);
    line.mend();
    desk.settle().await;
    assert!(desk.outbox().is_empty());
    assert_eq!(desk.applied(&ticket), ["credential.surrender"]);
}

#[tokio::test]
async fn a_surrendered_ticket_comes_back_when_it_is_pinned() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.surrender(ticket.clone()).unwrap();
    desk.settle().await;
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["credential.surrender"], "no sync takes it back by itself");
    desk.phone.wallet.pin(ticket.clone(), true).unwrap();
    desk.settle().await;
    assert_eq!((desk.hidden(&ticket), desk.generation(&ticket)), (None, Some(2)));
}
