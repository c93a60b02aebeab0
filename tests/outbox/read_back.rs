//! B.A.M takes no idempotency key: what became of an answer that was lost is read back before anything is repeated.

use std::sync::mpsc::channel;

use ticket_wallet::host::HttpTransportError;
use ticket_wallet::model::{RejectionReason, WriteState};
use ticket_wallet_sandbox::{Fault, FaultRule};

use crate::desk::{Desk, answers, rule};
use crate::line::Line;

const HOLDER: &str = "/ticket_holder";

#[tokio::test]
async fn a_lost_reply_is_found_done_without_a_second_write() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    desk.answer(&ticket, "soup");
    desk.sandbox.fault(rule("POST", HOLDER, 1, Fault::LostReply));
    desk.settle().await;
    assert!(desk.outbox().is_empty());
    assert_eq!(line.sent("POST", HOLDER).len(), 1);
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}

#[tokio::test]
async fn what_another_phone_changed_between_two_attempts_is_not_overwritten() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let other = desk.other_phone().await;
    desk.answer(&ticket, "soup");
    desk.sandbox.fault(rule("POST", HOLDER, 1, Fault::Reset));
    desk.sandbox.fault(rule("POST", HOLDER, 1, Fault::ServerError));
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.outbox_states(), [WriteState::Sent]);
    desk.sandbox.clear_faults();

    other.wallet.save_ticket_holder(ticket.clone(), answers("cake")).unwrap();
    other.wallet.sync(None).await.unwrap();
    let report = desk.sync().await.unwrap();
    assert_eq!((report.rejected, report.sent), (1, 0));
    let rejected = desk.the_only_write();
    assert_eq!(rejected.rejection, Some(RejectionReason::ChangedElsewhere));
    assert_eq!(desk.record(&ticket)["ticket_holder"]["response"]["dish"], "cake", "the server's is shown");
    desk.sync().await.unwrap();
    assert_eq!(desk.the_only_write().state, WriteState::Rejected, "it stays");
    // Who repeats it has seen the other's answers.
    desk.phone.wallet.retry_write(rejected.id).unwrap();
    desk.sync().await.unwrap();
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create", "ticket_holder.update"]);
    assert_eq!(desk.record(&ticket)["ticket_holder"]["response"]["dish"], "soup");
}

#[tokio::test]
async fn answers_that_the_person_did_not_see_are_not_overwritten() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let other = desk.other_phone().await;
    for (theirs, ours) in [("cake", "soup"), ("pie", "stew")] {
        other.wallet.save_ticket_holder(ticket.clone(), answers(theirs)).unwrap();
        other.wallet.sync(None).await.unwrap();
        desk.answer(&ticket, ours);
        assert_eq!(desk.sync().await.unwrap().rejected, 1, "{ours}");
        let rejected = desk.the_only_write();
        assert_eq!(rejected.rejection, Some(RejectionReason::ChangedElsewhere));
        desk.phone.wallet.discard_write(rejected.id).unwrap();
    }
    // Now they are seen.
    desk.answer(&ticket, "soup");
    assert_eq!(desk.sync().await.unwrap().sent, 1);
    // What waits lies over them for the next change.
    desk.answer(&ticket, "bread");
    desk.answer(&ticket, "salad");
    assert_eq!(desk.sync().await.unwrap().sent, 2);
    assert!(desk.outbox().is_empty());
    assert_eq!(desk.record(&ticket)["ticket_holder"]["response"]["dish"], "salad");
}

/// A server that answers `status` to who wants to read, and loses the first reply to a write.
fn unreadable(line: &Line, status: u16) {
    let mut lost = 1;
    line.rule(move |sent| {
        if sent.is("POST", HOLDER) && lost > 0 {
            lost -= 1;
            return Some(Err(HttpTransportError::Broken));
        }
        sent.is("GET", HOLDER).then_some(Ok(status))
    });
}

#[tokio::test]
async fn what_cannot_be_read_back_is_unknown_and_never_repeated_by_itself() {
    for status in [403, 404, 405, 410, 501] {
        let line = Line::new();
        let desk = Desk::over(&line).await;
        let ticket = desk.shown().swap_remove(0);
        let id = desk.answer(&ticket, "soup");
        unreadable(&line, status);
        for _ in 0..3 {
            let _ = desk.sync().await;
        }
        assert_eq!(desk.the_only_write().state, WriteState::Unknown, "{status}");
        assert_eq!(line.sent("POST", HOLDER).len(), 1, "{status}: not repeated by itself");
        assert!(desk.phone.wallet.edit_write(id, answers("x")).is_err());
        desk.phone.wallet.retry_write(id).unwrap();
        desk.sync().await.unwrap();
        assert_eq!(line.sent("POST", HOLDER).len(), 2, "{status}: the person repeated it");
        assert!(desk.outbox().is_empty());
        assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
    }
}

#[tokio::test]
async fn an_unknown_outcome_can_be_discarded_and_is_there_after_a_restart() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.answer(&ticket, "soup");
    desk.sandbox.fault(rule("POST", HOLDER, 1, Fault::LostReply));
    desk.sandbox.fault(FaultRule { skip: 1, ..rule("GET", HOLDER, 9, Fault::Gone) });
    desk.settle().await;
    let desk = desk.restart();
    assert_eq!(desk.the_only_write().state, WriteState::Unknown);
    desk.phone.wallet.discard_write(id).unwrap();
    desk.sandbox.clear_faults();
    desk.settle().await;
    assert_eq!(desk.applied(&ticket).len(), 1, "the one that was lost");
    assert_eq!(
        desk.record(&ticket)["ticket_holder"]["response"]["dish"],
        "soup",
        "and the server tells of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_outcome_of_what_was_edited_meanwhile_does_not_undo_the_edit() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let other = desk.other_phone().await;
    other.wallet.save_ticket_holder(ticket.clone(), answers("cake")).unwrap();
    other.wallet.sync(None).await.unwrap();
    let id = desk.answer(&ticket, "soup");
    let (asking, mut asked) = tokio::sync::mpsc::unbounded_channel();
    let (let_go, held) = channel();
    let mut first = true;
    line.after(move |sent| {
        if sent.is("GET", "ticket_holder") && std::mem::take(&mut first) {
            asking.send(()).unwrap();
            held.recv().unwrap();
        }
    });
    let edit = async {
        asked.recv().await.unwrap();
        desk.phone.wallet.edit_write(id, answers("pie")).unwrap();
        let_go.send(()).unwrap();
    };
    let (_, ()) = tokio::join!(desk.sync(), edit);
    assert_eq!(desk.the_only_write().content, Some(answers("pie")));
}
