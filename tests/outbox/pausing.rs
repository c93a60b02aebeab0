//! A pause in the middle of a request: nothing is open on the wallet's files, and the outcome is found out afterwards.

use std::cell::Cell;
use std::fs;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use ticket_wallet::model::{TicketFilter, WriteState};
use ticket_wallet::{Wallet, WalletError};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::desk::{Desk, answers};
use crate::line::Line;

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

/// Runs a sync whose reply is held, pauses, and goes on: with `in_time` the reply comes before the time is over.
async fn paused_in_a_request(kind: &str, in_time: bool) {
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
        wallet.pause().await;
        paused.set(true);
    };
    let app = async {
        while wallet.tickets(TicketFilter::default()).is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(open_files(&desk) > 0 && !paused.get(), "work under way is given time");
        refuses(wallet, &ticket).await;
        if in_time { let_go.send(()).unwrap() } else { clock.pass_s(5) }
    };
    let pausing = async {
        answered.recv().await.unwrap();
        tokio::join!(pause, app);
        assert_eq!(open_files(&desk), 0);
        refuses(wallet, &ticket).await;
    };
    let (synced, ()) = tokio::join!(wallet.sync(None), pausing);
    assert_eq!(is_paused(synced), !in_time, "{kind}");
    drop(let_go);
    assert_eq!(open_files(&desk), 0, "{kind}: and nothing that comes late opens them");
    wallet.resume().unwrap();
    wallet.resume().unwrap();
    let left = if in_time { vec![] } else { vec![WriteState::Sent] };
    assert_eq!(desk.outbox_states(), left, "{kind}");
    desk.settle().await;
    assert!(desk.outbox().is_empty());
    assert_eq!(desk.applied(&ticket), [applied]);
}

#[tokio::test]
async fn what_was_sent_before_an_interruption_is_found_out_after_it() {
    for kind in ["holder", "transfer"] {
        paused_in_a_request(kind, false).await;
    }
}

#[tokio::test]
async fn what_is_answered_in_time_is_kept() {
    for kind in ["holder", "transfer"] {
        paused_in_a_request(kind, true).await;
    }
}

#[tokio::test]
async fn a_paused_wallet_takes_nothing_and_a_resumed_one_has_all() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let id = desk.answer(&ticket, "soup");
    desk.phone.wallet.pause().await;
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
