//! What a pull asks for, and that it takes nothing away that the person holds or has written.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use ticket_wallet::model::WriteState;
use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule, SandboxConfig, TicketEdit};

use crate::desk::{Desk, answers, rule, small};
use crate::forged_transport::Forged;
use crate::line::Line;
use crate::phone::{Phone, TestClock, sandbox};

const MIRA: &str = "mira@example.org";
const LIST: &str = "GET /v1/ticket";
const FEED: &str = "/wallet/v1/tickets";

/// The requests since so many were seen.
fn since(desk: &Desk, seen: usize) -> Vec<String> {
    desk.sandbox.requests().split_off(seen)
}

async fn with_feed(page_limit: usize) -> Desk {
    let desk = Desk::signed_in(SandboxConfig { feed: true, page_limit, ..small() }).await;
    desk.sync().await.unwrap();
    desk
}

fn seat(name: &str) -> TicketEdit {
    TicketEdit { seat_id: Some(name.to_owned()), ..TicketEdit::default() }
}

#[tokio::test]
async fn a_change_feed_tells_only_what_has_changed() {
    let desk = with_feed(100).await;
    let ticket = desk.shown().swap_remove(0);
    let (tenant, id) = desk.place(&ticket);
    assert!(!desk.sandbox.requests().iter().any(|request| request == LIST), "the list is not asked for");
    assert_eq!(desk.sync().await.unwrap().received, 0);
    desk.sandbox.edit_ticket(tenant, id, &seat("112-9-9")).unwrap();
    let added = desk.sandbox.add_ticket(MIRA, tenant, desk.event(&ticket)).unwrap().unwrap();
    let report = desk.sync().await.unwrap();
    assert_eq!((report.received, report.changed, report.added, report.removed), (2, 1, 1, 0));
    assert_eq!(desk.record(&ticket)["seat_id"], "112-9-9");
    assert!(desk.sandbox.remove_ticket(MIRA, tenant, added).unwrap());
    assert!(desk.sandbox.remove_ticket(MIRA, tenant, id).unwrap());
    assert_eq!(desk.sync().await.unwrap().removed, 2);
    assert!(desk.phone.tickets().iter().all(|listed| listed.id != ticket));
    assert_eq!(desk.hidden(&ticket), None, "a removed ticket's barcode can still be shown");
}

#[tokio::test]
async fn a_cursor_that_is_too_old_costs_one_refetch_and_no_write() {
    let desk = with_feed(100).await;
    let [waits, rejected, gone, ..] = &desk.shown()[..] else { panic!("three barcodes") };
    let all = desk.phone.tickets().len();
    desk.answer(rejected, "soup");
    desk.sandbox.fault(rule("POST", "/ticket_holder", 1, Fault::Gone));
    desk.sync().await.unwrap();
    desk.answer(waits, "cake");
    desk.sandbox.fault(rule("GET", "/ticket_holder", 2, Fault::TooMany { retry_after: "0".to_owned() }));
    desk.sandbox.fault(rule("POST", "/ticket_holder", 2, Fault::TooMany { retry_after: "0".to_owned() }));
    let (tenant, id) = desk.place(gone);
    desk.sandbox.remove_ticket(MIRA, tenant, id).unwrap();
    desk.sandbox.expire_cursors();
    let _ = desk.sync().await;
    assert_eq!(desk.outbox_states(), [WriteState::Rejected, WriteState::Waiting]);
    assert_eq!(desk.phone.tickets().len(), all - 1, "what the new list lacks is gone");
    desk.sandbox.clear_faults();
    let seen = desk.sandbox.requests().len();
    assert_eq!(desk.sync().await.unwrap().received, 1, "the ticket that was written to");
    assert!(since(&desk, seen).iter().filter(|request| request.ends_with("/wallet/v1/tickets")).count() <= 1);
    assert_eq!(desk.outbox_states(), [WriteState::Rejected]);
}

#[tokio::test]
async fn a_feed_that_takes_none_of_its_cursors_ends_the_sync() {
    let line = Line::new();
    let desk = Desk::signed_in_over(&line, SandboxConfig { feed: true, page_limit: 2, ..small() }).await;
    desk.sync().await.unwrap();
    let all = desk.phone.tickets().len();
    line.rule(|sent| (sent.is("GET", FEED) && sent.url.contains("cursor=")).then_some(Ok(410)));
    let before = line.sent("GET", FEED).len();
    let refused = tokio::time::timeout(Duration::from_secs(20), desk.sync()).await.unwrap();
    assert!(matches!(refused, Err(WalletError::Internal { .. })), "{refused:?}");
    assert_eq!(
        line.sent("GET", FEED).len() - before,
        3,
        "its cursor, one page without, and that page's cursor"
    );
    assert_eq!(desk.phone.tickets().len(), all);
}

/// A phone to which the feed's answers come otherwise: `forgery` gets the number of the answer and the epoch of its cursor.
async fn told_otherwise(forgery: fn(u32, &str, &mut Value)) -> (Desk, Result<SyncReport, WalletError>) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { feed: true, ..small() }).await;
    let answers = AtomicU32::new(0);
    let phone = Phone::over(
        &clock,
        Forged::by(move |request, body| {
            if request.method == "GET" && request.url.contains(FEED) {
                let mut page: Value = serde_json::from_slice(body).unwrap();
                let epoch = page["cursor"].as_str().unwrap().split_once('-').unwrap().0.to_owned();
                forgery(answers.fetch_add(1, Ordering::SeqCst), &epoch, &mut page);
                *body = page.to_string().into_bytes();
            }
        }),
    );
    let account = phone.sign_in(&sandbox, 0).await.id;
    let desk = Desk { sandbox, phone, account };
    let report = tokio::time::timeout(Duration::from_secs(60), desk.sync()).await.unwrap();
    (desk, report)
}

#[tokio::test]
async fn an_empty_page_of_a_feed_is_not_its_end() {
    let (desk, report) = told_otherwise(|answer, epoch, page| {
        if answer == 0 {
            *page = json!({ "items": [], "cursor": format!("{epoch}-0"), "more": true });
        }
    })
    .await;
    assert_eq!(report.unwrap().received, 6);
    assert_eq!(desk.phone.tickets().len(), 6);
}

#[tokio::test]
async fn empty_pages_without_end_end_the_sync() {
    let endless: [fn(u32, &str, &mut Value); 2] = [
        |_, epoch, page| *page = json!({ "items": [], "cursor": format!("{epoch}-0"), "more": true }),
        |answer, epoch, page| {
            *page = json!({ "items": [], "cursor": format!("{epoch}-{answer}"), "more": true });
        },
    ];
    for forgery in endless {
        let (desk, report) = told_otherwise(forgery).await;
        assert!(matches!(report, Err(WalletError::Internal { .. })), "{report:?}");
        assert!(desk.sandbox.requests().len() < 200);
    }
}

#[tokio::test]
async fn a_refetch_that_breaks_off_still_finds_what_is_gone() {
    let desk = with_feed(2).await;
    let gone = desk.shown().swap_remove(0);
    let all = desk.phone.tickets().len();
    let (tenant, id) = desk.place(&gone);
    desk.sandbox.remove_ticket(MIRA, tenant, id).unwrap();
    desk.sandbox.expire_cursors();
    // The old cursor, the first page, and then nothing more.
    let broken = FaultRule { skip: 2, ..rule("GET", "/wallet/v1/tickets", 9, Fault::Reset) };
    desk.sandbox.fault(broken);
    assert!(desk.sync().await.is_err());
    desk.sandbox.clear_faults();
    assert_eq!(desk.phone.tickets().len(), all);
    let desk = desk.restart();
    desk.sync().await.unwrap();
    assert_eq!(desk.phone.tickets().len(), all - 1);
    assert!(desk.phone.tickets().iter().all(|listed| listed.id != gone));
}

#[tokio::test]
async fn an_unchanged_list_costs_one_request_for_it() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    for _ in 0..3 {
        let seen = desk.sandbox.requests().len();
        desk.sync().await.unwrap();
        assert_eq!(since(&desk, seen).iter().filter(|request| *request == LIST).count(), 1);
    }
    let (tenant, id) = desk.place(&ticket);
    desk.sandbox.edit_ticket(tenant, id, &seat("112-9-9")).unwrap();
    assert_eq!(desk.sync().await.unwrap().changed, 1);
    assert_eq!(desk.record(&ticket)["seat_id"], "112-9-9");
}

#[tokio::test]
async fn a_ticket_missing_from_the_list_is_asked_for_and_its_barcode_stays() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let (tenant, id) = desk.place(&ticket);
    desk.sandbox.remove_ticket(MIRA, tenant, id).unwrap();
    let asked = format!("GET /t/{tenant}/event/v1/ticket/{id}");
    // A server that cannot say leaves the ticket in the list.
    desk.sandbox.fault(rule("GET", &format!("/event/v1/ticket/{id}"), 3, Fault::ServerError));
    let before = desk.phone.tickets().len();
    assert!(desk.sync().await.is_err());
    assert_eq!(desk.phone.tickets().len(), before);
    desk.sandbox.clear_faults();
    let seen = desk.sandbox.requests().len();
    assert_eq!(desk.sync().await.unwrap().removed, 1);
    assert!(since(&desk, seen).contains(&asked), "{:?}", since(&desk, seen));
    assert_eq!(desk.phone.tickets().len(), before - 1);
    assert_eq!(desk.hidden(&ticket), None, "a removed ticket's barcode can still be shown");
}

#[tokio::test]
async fn a_pull_overwrites_nothing_that_waits() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let (tenant, id) = desk.place(&ticket);
    desk.answer(&ticket, "soup");
    desk.sandbox.fault(rule("GET", "/ticket_holder", 6, Fault::ServerError));
    desk.sandbox.edit_ticket(tenant, id, &seat("112-9-9")).unwrap();
    assert!(desk.sync().await.is_err(), "the write could not be sent");
    assert_eq!(desk.record(&ticket)["seat_id"], "112-9-9", "the pull went on");
    let kept = desk.the_only_write();
    assert_eq!((kept.state, kept.content), (WriteState::Waiting, Some(answers("soup"))));
    desk.sandbox.clear_faults();
    // The answers that wait were the ones seen: the next change is made over them, not over the server's.
    desk.answer(&ticket, "cake");
    assert_eq!(desk.sync().await.unwrap().sent, 2);
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create", "ticket_holder.update"]);
    let holder = &desk.record(&ticket)["ticket_holder"];
    assert_eq!(holder["response"]["dish"], "cake");
    assert!(holder["email"].is_string(), "what the answer does not tell of is still there");
}
