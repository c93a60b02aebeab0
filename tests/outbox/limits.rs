//! The outbox is bounded by count and by age, and nothing is dropped from it.

use ticket_wallet::WalletError;
use ticket_wallet::host::HttpTransportError;
use ticket_wallet::model::{RejectionReason, WriteState};

use crate::desk::{Desk, answers};
use crate::line::Line;

const MOST: usize = 500;
const DAY_S: i64 = 86_400;

#[tokio::test]
async fn a_full_outbox_refuses_new_writes_and_drops_none() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    for number in 0..MOST {
        desk.answer(&ticket, &number.to_string());
    }
    let refused = desk.phone.wallet.save_ticket_holder(ticket.clone(), answers("one more"));
    assert!(matches!(refused, Err(WalletError::OutboxFull { .. })));
    assert_eq!(desk.outbox().len(), MOST);
    desk.phone.wallet.discard_write(desk.outbox()[MOST - 1].id).unwrap();
    desk.answer(&ticket, "in its place");
}

#[tokio::test]
async fn a_write_that_waited_for_thirty_days_is_rejected_and_stays() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.answer(&ticket, "soup");
    line.cut();
    assert!(desk.sync().await.is_err());
    line.mend();
    desk.phone.clock.pass_s(30 * DAY_S + 1);
    assert!(desk.phone.wallet.now().unwrap().uncertainty.confirmed);
    let _ = desk.sync().await;
    assert_eq!(desk.the_only_write().rejection, Some(RejectionReason::Expired));
    assert!(line.sent("POST", "/ticket_holder").is_empty() && desk.applied(&ticket).is_empty());
    desk.phone.wallet.retry_write(id).unwrap();
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}

#[tokio::test]
async fn a_write_that_may_have_arrived_is_unknown_after_thirty_days() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    desk.answer(&ticket, "soup");
    line.rule(|sent| sent.is("POST", "/ticket_holder").then_some(Err(HttpTransportError::Broken)));
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.outbox_states(), [WriteState::Sent]);
    line.mend();
    desk.phone.clock.pass_s(30 * DAY_S + 1);
    let _ = desk.sync().await;
    assert_eq!(desk.outbox_states(), [WriteState::Unknown]);
    assert!(desk.applied(&ticket).is_empty(), "it is not repeated by itself");
}

#[tokio::test]
async fn a_clock_that_nobody_confirms_makes_no_write_old() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    let clock = desk.phone.clock.clone();
    let right = clock.wall_ms();
    desk.answer(&ticket, "soup");
    line.cut();
    for years in [5, -5, 40] {
        clock.reboot();
        clock.set_wall_ms(right + years * 365 * DAY_S * 1000);
        assert!(desk.sync().await.is_err());
        assert_eq!(desk.outbox_states(), [WriteState::Waiting], "{years} years");
    }
    // A write made under the wrong clock is dated by the right one.
    clock.set_wall_ms(right - 20 * 365 * DAY_S * 1000);
    let wrong = desk.answer(&ticket, "cake");
    desk.phone.wallet.edit_write(wrong, answers("pie")).unwrap();
    clock.set_wall_ms(right);
    line.mend();
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create", "ticket_holder.update"]);
}
