//! A wallet that sends by itself: one failure, then silence, and the write arrives all the same; an app's callback that
//! throws or takes its time holds nothing up.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ticket_wallet::clock::ClockReading;
use ticket_wallet::host::{HostClock, HostClockError, HttpTransport, HttpTransportError};
use ticket_wallet::model::WriteState;
use ticket_wallet::remote::RetryPolicy;
use ticket_wallet::{Config, Subscription, Wallet, WalletListener, WalletState};
use ticket_wallet_sandbox::Fault;

use crate::desk::{Desk, answers, rule};
use crate::line::{Line, Sent};
use crate::phone::{Phone, TestClock, vault_in};

/// Passes on what it hears.
struct Heard(Mutex<Sender<WalletState>>);

impl WalletListener for Heard {
    fn on_state(&self, state: WalletState) {
        let _ = self.0.lock().unwrap().send(state);
    }
}

fn listen(wallet: &Wallet) -> (Arc<Subscription>, Receiver<WalletState>) {
    let (sender, heard) = channel();
    (wallet.subscribe(Arc::new(Heard(Mutex::new(sender)))).unwrap(), heard)
}

/// The same wallet, opened to send by itself. Without a clock it has the system's, so that waits end as time goes by.
fn reopened(
    desk: Desk,
    clock: Option<Arc<dyn HostClock>>,
    transport: Option<Arc<dyn HttpTransport>>,
    (base_ms, cap_ms): (u64, u64),
) -> Desk {
    let Desk { sandbox, phone: Phone { folder, clock: old, wallet }, account } = desk;
    drop(wallet);
    let config = Config::in_folder(folder.path().to_str().unwrap());
    let wallet = Wallet::open(config, vault_in(folder.path()), clock, transport).unwrap();
    wallet.set_retry_policy(RetryPolicy { base_ms, cap_ms, ..old.policy() });
    Desk { sandbox, phone: Phone { folder, clock: old, wallet }, account }
}

/// Waits until nothing is left in the outbox: after the last write has its outcome, its listeners hear of it.
fn until_empty(desk: &Desk, heard: &Receiver<WalletState>) {
    while !desk.outbox().is_empty() {
        heard.recv().unwrap();
    }
}

#[tokio::test]
async fn after_one_failed_upload_the_write_arrives_with_no_further_call() {
    for (fault, times) in
        [(Fault::ServerError, 1), (Fault::LostReply, 1), (Fault::Reset, 3), (Fault::TruncatedJson, 1)]
    {
        let desk = Desk::new().await;
        let ticket = desk.shown().swap_remove(0);
        let desk = reopened(desk, None, None, (1, 5));
        let (_subscription, heard) = listen(&desk.phone.wallet);
        desk.sandbox.fault(rule("POST", "/ticket_holder", times, fault.clone()));
        desk.answer(&ticket, "soup");
        until_empty(&desk, &heard);
        assert_eq!(desk.applied(&ticket), ["ticket_holder.create"], "{fault:?}");
    }
}

#[tokio::test]
async fn what_fails_in_a_sync_is_sent_by_itself_later() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    desk.phone.wallet.surrender(ticket.clone()).unwrap();
    desk.sync().await.unwrap();
    desk.phone.wallet.pin(ticket.clone(), true).unwrap();
    let desk = reopened(desk, None, None, (1, 5));
    let (_subscription, heard) = listen(&desk.phone.wallet);
    desk.sandbox.fault(rule("POST", "/credentials", 4, Fault::ServerError));
    assert!(desk.sync().await.is_err());
    until_empty(&desk, &heard);
    assert_eq!(desk.applied(&ticket), ["credential.surrender", "credential.bind"]);
}

#[tokio::test]
async fn a_write_that_no_server_takes_is_not_tried_without_a_pause() {
    let line = Line::new();
    let desk = Desk::new().await;
    let [transferred, answered] = &desk.shown()[..2] else { panic!("two barcodes") };
    desk.phone.wallet.transfer(transferred.clone(), "zoe@example.org".to_owned()).unwrap();
    let (asking, asked) = channel();
    line.rule(move |sent| {
        let discovery = sent.is("GET", ".well-known");
        if discovery {
            asking.send(()).unwrap();
        }
        // The tenant's server has no extension now.
        discovery.then_some(Ok(404))
    });
    // A clock that stands still: no wait ever ends.
    let clock = Arc::new(desk.phone.clock.clone());
    let desk = reopened(desk, Some(clock), Some(Arc::clone(&line) as _), (1 << 40, 1 << 40));
    let (_subscription, heard) = listen(&desk.phone.wallet);
    asked.recv().unwrap();
    for dish in ["soup", "cake", "pie"] {
        let answered = desk.answer(answered, dish);
        while desk.outbox().iter().any(|item| item.id == answered) {
            heard.recv().unwrap();
        }
    }
    assert_eq!(desk.applied(answered).len(), 3, "the wallet was at work three times since");
    assert_eq!(line.sent("GET", ".well-known").len(), 1);
    assert_eq!(desk.outbox_states(), [WriteState::Waiting]);
}

/// A clock that stands still, and at whose readings a test may halt the wallet: it is told of each one, and says whether
/// it wants to hear of another.
struct HaltingClock {
    clock: TestClock,
    halt: Mutex<Option<(Sender<()>, Receiver<bool>)>>,
}

impl HostClock for HaltingClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        // Taken out meanwhile: what the test does reads the clock as well.
        let halt = self.halt.lock().unwrap().take();
        if let Some((reading, go_on)) = halt {
            reading.send(()).unwrap();
            if go_on.recv().unwrap() {
                *self.halt.lock().unwrap() = Some((reading, go_on));
            }
        }
        self.clock.read()
    }
}

#[tokio::test]
async fn a_write_that_comes_as_a_round_of_sending_ends_is_sent_at_once() {
    let line = Line::new();
    let desk = Desk::new().await;
    let [stuck, ticket] = &desk.shown()[..2] else { panic!("two barcodes") };
    let clock = Arc::new(HaltingClock { clock: desk.phone.clock.clone(), halt: Mutex::default() });
    let desk =
        reopened(desk, Some(Arc::clone(&clock) as _), Some(Arc::clone(&line) as _), (1 << 40, 1 << 40));
    let (_subscription, heard) = listen(&desk.phone.wallet);
    let holds = |sent: &Sent, dish: &str| {
        sent.is("POST", "/ticket_holder") && String::from_utf8_lossy(&sent.body).contains(dish)
    };
    line.rule(move |sent| holds(sent, "soup").then_some(Err(HttpTransportError::Broken)));
    desk.answer(stuck, "soup");
    let _ = desk.sync().await;
    // From here on this write is put off: whoever looks for what is due reads the clock to know, at the end as well.
    let ((reading, read), (go_on, gone_on)) = (channel(), channel());
    let mut halt = Some((reading, gone_on));
    line.after(move |sent| {
        if holds(sent, "cake") {
            *clock.halt.lock().unwrap() = halt.take();
        }
    });
    let waits = |id: i64| desk.outbox().iter().any(|item| item.id == id);
    let first = desk.answer(ticket, "cake");
    read.recv().unwrap();
    while waits(first) {
        go_on.send(true).unwrap();
        read.recv().unwrap();
    }
    // The round looked for more, found nothing that is due, and has not ended.
    let late = desk.answer(ticket, "pie");
    go_on.send(false).unwrap();
    while waits(late) {
        let told = heard.recv_timeout(Duration::from_secs(20));
        assert!(told.is_ok(), "it is put off, though nothing of it failed");
    }
    assert_eq!(desk.applied(ticket), ["ticket_holder.create", "ticket_holder.update"]);
    assert_eq!(desk.outbox_states(), [WriteState::Sent], "what failed is put off");
}

#[tokio::test]
async fn a_resumed_wallet_sends_what_waits_with_no_further_call() {
    let line = Line::new();
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    line.cut();
    let desk = reopened(desk, None, Some(Arc::clone(&line) as _), (1, 5));
    desk.answer(&ticket, "soup");
    while line.sent("GET", "").is_empty() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    desk.phone.wallet.pause().await;
    // The sender has noticed that nothing can be read, and sleeps.
    tokio::time::sleep(Duration::from_millis(200)).await;
    line.mend();
    desk.phone.wallet.resume().unwrap();
    let (_subscription, heard) = listen(&desk.phone.wallet);
    while !desk.outbox().is_empty() {
        let told = heard.recv_timeout(Duration::from_secs(20));
        assert!(told.is_ok(), "nothing is sent after the pause");
    }
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}

#[tokio::test]
async fn a_write_that_is_sent_before_its_call_returns_is_accepted() {
    const POINT: &str = "outbox-accepted";
    let desk = Arc::new(Desk::new().await);
    let ticket = desk.shown().swap_remove(0);
    let (accepting, accepted) = channel();
    let (let_go, held) = channel::<()>();
    let held = Mutex::new(held);
    // Other tests of this process come by here as well.
    let pass = move || {
        if std::thread::current().name() == Some(POINT) {
            accepting.send(()).unwrap();
            let _ = held.lock().unwrap().recv();
        }
    };
    fail::cfg_callback(POINT, pass).unwrap();
    let app = std::thread::Builder::new().name(POINT.to_owned());
    let (of_app, about) = (Arc::clone(&desk), ticket.clone());
    let app = app.spawn(move || of_app.answer(&about, "soup")).unwrap();
    accepted.recv().unwrap();
    assert_eq!(desk.sync().await.unwrap().sent, 1);
    drop(let_go);
    assert!(app.join().is_ok(), "it is told that there is no such write");
    fail::remove(POINT);
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}

/// A clock that stands still until it fails, and counts how often it is read after that.
struct FailingClock {
    clock: TestClock,
    fails: AtomicBool,
    read: AtomicU32,
}

impl HostClock for FailingClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        if !self.fails.load(Ordering::SeqCst) {
            return self.clock.read();
        }
        self.read.fetch_add(1, Ordering::SeqCst);
        Err(HostClockError::Failed { reason: "no clock".to_owned() })
    }
}

#[tokio::test]
async fn a_clock_that_fails_keeps_the_wallet_no_busier_than_once_a_second() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let clock = desk.phone.clock.clone();
    let clock = Arc::new(FailingClock { clock, fails: AtomicBool::new(false), read: AtomicU32::new(0) });
    let desk = reopened(desk, Some(Arc::clone(&clock) as _), None, (1, 5));
    // However soon it is at work, the write is still there when the clock fails.
    desk.sandbox.fault(rule("GET", "/ticket_holder", u32::MAX, Fault::ServerError));
    desk.answer(&ticket, "soup");
    clock.fails.store(true, Ordering::SeqCst);
    std::thread::sleep(Duration::from_secs(3));
    let read = clock.read.load(Ordering::SeqCst);
    assert!((1..60).contains(&read), "{read} readings in three seconds");
    let (_subscription, heard) = listen(&desk.phone.wallet);
    desk.sandbox.clear_faults();
    clock.fails.store(false, Ordering::SeqCst);
    until_empty(&desk, &heard);
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}

/// Throws at the first state, and blocks at the second until it is let go.
struct Troublesome {
    heard: Mutex<u32>,
    go_on: Mutex<Receiver<()>>,
    blocked: Mutex<Sender<()>>,
}

impl WalletListener for Troublesome {
    fn on_state(&self, _: WalletState) {
        let number = {
            let mut heard = self.heard.lock().unwrap();
            *heard += 1;
            *heard
        };
        if number == 1 {
            let _ = self.blocked.lock().unwrap().send(());
            // As long as the app takes, be it ten seconds.
            let _ = self.go_on.lock().unwrap().recv();
            panic!("the app's callback throws");
        }
    }
}

#[tokio::test]
async fn a_callback_that_takes_its_time_and_throws_leaves_sync_and_others_working() {
    let desk = Desk::new().await;
    let ticket = desk.shown().swap_remove(0);
    let (let_go, go_on) = channel();
    let (blocked, is_blocked) = channel();
    let troublesome =
        Troublesome { heard: Mutex::new(0), go_on: Mutex::new(go_on), blocked: Mutex::new(blocked) };
    let _troublesome = desk.phone.wallet.subscribe(Arc::new(troublesome)).unwrap();
    is_blocked.recv().unwrap();
    let (_other, heard) = listen(&desk.phone.wallet);
    desk.answer(&ticket, "soup");
    desk.sync().await.unwrap();
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"], "while the callback is still under way");
    let_go.send(()).unwrap();
    desk.phone.wallet.save_ticket_holder(ticket.clone(), answers("cake")).unwrap();
    while heard.recv().unwrap().waiting == 0 {}
    desk.sync().await.unwrap();
    while heard.recv().unwrap().waiting > 0 {}
    assert_eq!(desk.applied(&ticket).len(), 2, "after it threw");
}

#[tokio::test]
async fn a_transport_that_breaks_off_leaves_the_write_waiting() {
    let line = Line::new();
    let desk = Desk::over(&line).await;
    let ticket = desk.shown().swap_remove(0);
    desk.answer(&ticket, "soup");
    let mut once = true;
    line.rule(move |sent| {
        let first = sent.is("POST", "/ticket_holder") && std::mem::take(&mut once);
        first.then_some(Err(HttpTransportError::Failed { reason: "threw".to_owned() }))
    });
    desk.settle().await;
    assert_eq!(desk.applied(&ticket), ["ticket_holder.create"]);
}
