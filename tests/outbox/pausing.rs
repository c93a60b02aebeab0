//! A pause in the middle of a request: nothing is open on the wallet's files, and the outcome is found out afterwards.

use std::cell::Cell;
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use ticket_wallet::model::{TicketFilter, WriteState};
use ticket_wallet::{Wallet, WalletError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::desk::{Desk, answers};
use crate::line::Line;
use crate::phone::TestClock;

/// The open descriptors of this process below a folder.
fn open_files(desk: &Desk) -> usize {
    let folder = desk.phone.folder.path().canonicalize().unwrap();
    let links = fs::read_dir("/proc/self/fd").unwrap().map(|entry| fs::read_link(entry.unwrap().path()));
    links.filter(|link| link.as_ref().is_ok_and(|target| target.starts_with(&folder))).count()
}

/// Holds back the reply to the first request of this kind: one end tells that the server has answered, the other lets
/// the reply go.
fn hold_reply(
    line: &Arc<Line>,
    method: &'static str,
    path: &'static str,
) -> (UnboundedReceiver<()>, Sender<()>) {
    let (answering, answered) = unbounded_channel();
    let (let_go, held) = channel::<()>();
    let mut first = true;
    line.after(move |sent| {
        if sent.is(method, path) && std::mem::take(&mut first) {
            answering.send(()).unwrap();
            let _ = held.recv();
        }
    });
    (answered, let_go)
}

fn is_paused<T>(result: Result<T, WalletError>) -> bool {
    matches!(result, Err(WalletError::Paused { .. }))
}

async fn refuses(wallet: &Wallet, ticket: &str) {
    assert!(is_paused(wallet.tickets(TicketFilter::default())));
    assert!(is_paused(wallet.present(ticket.to_owned(), None)));
    assert!(is_paused(wallet.save_ticket_holder(ticket.to_owned(), answers("x"))));
    assert!(is_paused(wallet.outbox(None)));
    assert!(is_paused(wallet.sync(None).await));
}

/// What the clock does instead of going on.
type TimeEnds = fn(&TestClock);

/// Runs a sync whose reply is held, pauses, and goes on: the reply comes in time, or the time ends before.
async fn paused_in_a_request(kind: &str, time_ends: Option<TimeEnds>) {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let (wallet, clock) = (&desk.phone.wallet, &desk.phone.clock);
    let ticket = desk.shown().swap_remove(0);
    let (path, applied) = if kind == "transfer" {
        wallet.transfer(ticket.clone(), "zoe@example.org".to_owned()).unwrap();
        ("/transfers", "transfer.create")
    } else {
        desk.answer(&ticket, "soup");
        ("/ticket_holder", "ticket_holder.create")
    };
    let (mut answered, let_go) = hold_reply(&line, "POST", path);
    let paused = Cell::new(false);
    let pause = async {
        assert!(timeout(Duration::from_secs(60), wallet.pause()).await.is_ok(), "{kind}: it has an end");
        paused.set(true);
    };
    let app = async {
        while wallet.tickets(TicketFilter::default()).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(open_files(&desk) > 0 && !paused.get(), "work under way is given time");
        refuses(wallet, &ticket).await;
        time_ends.map_or_else(|| let_go.send(()).unwrap(), |ends| ends(clock));
    };
    let pausing = async {
        answered.recv().await.unwrap();
        tokio::join!(pause, app);
        assert_eq!(open_files(&desk), 0);
        refuses(wallet, &ticket).await;
    };
    let (synced, ()) = tokio::join!(wallet.sync(None), pausing);
    assert_eq!(is_paused(synced), time_ends.is_some(), "{kind}");
    drop(let_go);
    assert_eq!(open_files(&desk), 0, "{kind}: and nothing that comes late opens them");
    wallet.resume().unwrap();
    wallet.resume().unwrap();
    let left: Vec<_> = time_ends.map(|_| WriteState::Sent).into_iter().collect();
    assert_eq!(desk.outbox_states(), left, "{kind}");
    desk.settle().await;
    assert!(desk.outbox().is_empty());
    assert_eq!(desk.applied(&ticket), [applied]);
}

#[tokio::test]
async fn what_was_sent_before_an_interruption_is_found_out_after_it() {
    for kind in ["holder", "transfer"] {
        // A clock that begins anew gives no time.
        for time_ends in [|clock: &TestClock| clock.pass_s(5), TestClock::reboot] {
            paused_in_a_request(kind, Some(time_ends)).await;
        }
    }
}

#[tokio::test]
async fn what_is_answered_in_time_is_kept() {
    for kind in ["holder", "transfer"] {
        paused_in_a_request(kind, None).await;
    }
}

#[tokio::test]
async fn a_wallet_that_is_resumed_while_it_is_being_paused_stays_open() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let (wallet, clock) = (&desk.phone.wallet, &desk.phone.clock);
    let ticket = desk.shown().swap_remove(0);
    desk.answer(&ticket, "soup");
    let (mut answered, let_go) = hold_reply(&line, "POST", "/ticket_holder");
    let app = async {
        while wallet.tickets(TicketFilter::default()).is_ok() {
            tokio::task::yield_now().await;
        }
        clock.pass_s(2);
        wallet.resume().unwrap();
        clock.pass_s(4);
    };
    let pausing = async {
        answered.recv().await.unwrap();
        tokio::join!(wallet.pause(), app);
        assert!(wallet.tickets(TicketFilter::default()).is_ok() && open_files(&desk) > 0);
        let_go.send(()).unwrap();
    };
    let (synced, ()) = tokio::join!(wallet.sync(None), pausing);
    assert_eq!(synced.unwrap().sent, 1, "what was under way goes on");
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
    wallet.pause().await;
    refuses(wallet, &ticket).await;
}

#[tokio::test]
async fn a_paused_wallet_takes_nothing_and_a_resumed_one_has_all() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.answer(&ticket, "soup");
    let log = desk.phone.folder.path().join("wallet.db-wal");
    assert!(fs::metadata(&log).unwrap().len() > 0, "there is something to fold");
    desk.phone.wallet.pause().await;
    assert_eq!(fs::metadata(&log).map_or(0, |log| log.len()), 0, "it is folded into the database");
    desk.phone.wallet.pause().await;
    assert_eq!(open_files(&desk), 0);
    refuses(&desk.phone.wallet, &ticket).await;
    desk.phone.wallet.resume().unwrap();
    assert!(open_files(&desk) > 0);
    assert_eq!(desk.the_only_write().id, id);
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
    assert_eq!(desk.hidden(&ticket), None);
}
