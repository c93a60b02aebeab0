//! Writes about one ticket keep their order; a refusal is told and keeps no other ticket from its turn.

use ticket_wallet::WalletError;
use ticket_wallet::model::{RejectionReason, WriteState};
use ticket_wallet_sandbox::Fault;

use crate::desk::{Desk, answers, rule};
use crate::line::Line;

const ZOE: &str = "zoe@example.org";

#[tokio::test]
async fn writes_about_a_ticket_keep_their_order() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.answer(&ticket, "soup");
    desk.answer(&ticket, "cake");
    desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap();
    desk.sandbox.fault(rule("POST", "/ticket_holder", 2, Fault::ServerError));
    assert!(desk.sync().await.is_err());
    assert!(desk.applied(&ticket).is_empty(), "the first is not done, so none is");
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create", "ticket_holder.update", "transfer.create"]);
}

#[tokio::test]
async fn a_rejected_write_holds_back_its_own_ticket_only() {
    let desk = Desk::new().await;
    let [first, second] = &desk.shown()[..2] else { panic!("two barcodes") };
    let (_, id) = desk.place(first);
    desk.answer(first, "soup");
    let behind = desk.answer(first, "cake");
    desk.answer(second, "stew");
    desk.sandbox.fault(rule("POST", &format!("{id}/ticket_holder"), 1, Fault::Gone));
    let report = desk.sync().await.unwrap();
    assert_eq!((report.rejected, report.waiting), (1, 1));
    assert!(desk.applied(first).is_empty());
    assert_eq!(desk.applied(second), ["ticket_holder.create"]);
    let [rejected, waiting] = &desk.outbox()[..] else { panic!("two writes") };
    assert_eq!((rejected.state, rejected.rejection), (WriteState::Rejected, Some(RejectionReason::Refused)));
    assert_eq!((rejected.status, rejected.server_code.as_deref()), (Some(410), Some("GONE")));
    assert_eq!((waiting.id, waiting.state), (behind, WriteState::Waiting));
    desk.phone.wallet.edit_write(rejected.id, answers("salad")).unwrap();
    desk.settle().await;
    let dishes = desk.entries(first).into_iter().filter(|entry| entry.kind.starts_with("ticket_holder"));
    let dishes: Vec<_> = dishes.map(|entry| entry.detail["response"]["dish"].clone()).collect();
    assert_eq!(dishes, ["salad"], "what lay behind was written over other answers");
    assert_eq!(desk.the_only_write().rejection, Some(RejectionReason::ChangedElsewhere));
}

#[tokio::test]
async fn a_refused_write_gets_another_key_and_an_uncertain_one_the_same_bytes() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.phone.wallet.transfer(ticket.clone(), ZOE.to_owned()).unwrap().id;
    let mut fates = vec![500, 403].into_iter();
    line.rule(move |sent| sent.is("POST", "/transfers").then(|| fates.next().map(Ok)).flatten());
    let _ = desk.sync().await;
    desk.settle().await;
    let rejected = desk.the_only_write();
    assert_eq!((rejected.state, rejected.status), (WriteState::Rejected, Some(403)));
    assert!(desk.phone.wallet.present(ticket.clone(), None).is_ok(), "it was surely not applied");
    desk.phone.wallet.retry_write(id).unwrap();
    desk.settle().await;
    let sent = line.sent("POST", "/transfers");
    let [lost, refused, done] = &sent[..] else { panic!("{}", sent.len()) };
    assert_eq!(lost, refused, "the same key and the same bytes");
    assert_ne!(refused.key, done.key);
    assert_eq!(desk.applied(&ticket), ["transfer.create"]);
}

#[tokio::test]
async fn what_waits_can_be_edited_or_discarded_and_what_may_be_done_cannot() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let input = |result: Result<_, WalletError>| matches!(result, Err(WalletError::InvalidInput { .. }));
    line.cut();
    let id = desk.answer(&ticket, "soup");
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.the_only_write().attempts, 0, "nothing left the phone");
    desk.phone.wallet.edit_write(id, answers("cake")).unwrap();
    assert!(input(desk.phone.wallet.retry_write(id).map(drop)), "it is sent by itself");
    let later = desk.answer(&ticket, "pie");
    desk.phone.wallet.discard_write(later).unwrap();
    line.rule(|sent| sent.is("POST", "/ticket_holder").then_some(Ok(500)));
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.outbox_states(), [WriteState::Sent]);
    assert!(input(desk.phone.wallet.edit_write(id, answers("x")).map(drop)));
    assert!(input(desk.phone.wallet.discard_write(id)));
    line.mend();
    desk.settle().await;
    assert_eq!(desk.record(&ticket)["ticket_holder"]["response"]["dish"], "cake");
    assert!(matches!(desk.phone.wallet.discard_write(id), Err(WalletError::NotFound { .. })));
    let surrender = desk.phone.wallet.surrender(ticket).unwrap().id;
    assert!(input(desk.phone.wallet.edit_write(surrender, answers("x")).map(drop)), "nothing to edit");
}

#[tokio::test]
async fn a_write_that_is_edited_or_discarded_while_it_is_prepared_is_not_sent_as_it_was() {
    for discard in [false, true] {
        let line = Line::new();
        let desk = Desk::over(&line).await;
        let ticket = desk.shown().swap_remove(0);
        let id = desk.answer(&ticket, "soup");
        let wallet = std::sync::Arc::new(desk.phone.wallet);
        let acting = std::sync::Arc::clone(&wallet);
        let mut once = true;
        line.rule(move |sent| {
            if sent.is("GET", "/ticket_holder") && std::mem::take(&mut once) {
                if discard {
                    acting.discard_write(id).unwrap();
                } else {
                    acting.edit_write(id, answers("cake")).unwrap();
                }
            }
            None
        });
        wallet.sync(None).await.unwrap();
        let bodies: Vec<_> = line.sent("POST", "/ticket_holder").into_iter().map(|sent| sent.body).collect();
        let wanted = format!(r#"{{"response":{}}}"#, answers("cake")).into_bytes();
        assert_eq!(bodies, if discard { vec![] } else { vec![wanted] });
        assert!(wallet.outbox(None).unwrap().is_empty());
        line.mend();
    }
}
