//! A sync that is killed at any moment leaves a wallet that opens, holds whole pages and whole credentials, and goes on.
#![allow(clippy::print_stdout, reason = "the seed of a run that fails")]

use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use ticket_wallet::model::TicketFilter;
use ticket_wallet::{Config, Wallet};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

use crate::command::in_store;
use crate::moments::{Moments, seed};
use crate::phone::{sign_in, vault_in};

const KILLS: u64 = 20;
const TICKETS: usize = 500;
const PAGE: usize = 100;
/// Requests before a sync.
const SIGN_IN: usize = 1;
/// Requests of a first sync.
const REQUESTS: usize = 15;
/// Those of them that ask for the last four pages and for both bindings.
const AWAITED: RangeInclusive<usize> = 10..=15;

async fn season() -> Sandbox {
    Sandbox::start(SandboxConfig { tickets_per_user: TICKETS, ..SandboxConfig::default() }).await.unwrap()
}

fn open(folder: &Path) -> Wallet {
    Wallet::open(Config::in_folder(folder.to_str().unwrap()), vault_in(folder), None, None).unwrap()
}

/// What a wallet holds: tickets, and bound tickets, of which `check` sees each.
fn counted(wallet: &Wallet, check: impl Fn(&Wallet, &str)) -> (usize, usize) {
    let tickets = wallet.tickets(TicketFilter { limit: u32::MAX, ..TicketFilter::default() }).unwrap();
    let bound = tickets.iter().filter(|ticket| {
        let held = wallet.ticket(ticket.id.clone()).unwrap().lease_end.is_some();
        if held {
            check(wallet, &ticket.id);
        }
        held
    });
    (tickets.len(), bound.count())
}

fn shows(wallet: &Wallet, id: &str) {
    assert!(wallet.present(id.to_owned(), None).is_ok(), "a credential without its key");
}

/// The request after which a kill falls. A first sync makes 15: what is offered, the newest page, a page, what its
/// tenants are and offer, four more pages from the 10th on, and two bindings. Little is stored before the second page, so
/// fewer kills fall there.
fn request(kill: u64, moments: &mut Moments) -> usize {
    let request = match kill.checked_sub(5) {
        None => 1 + moments.below(8),
        Some(kill) => 9 + (kill * 7 + moments.below(7)) / 15,
    };
    usize::try_from(request).unwrap()
}

fn spawn(folder: &Path) -> Child {
    let mut command = in_store(folder, &["sync", "--json"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits until the server has seen this many requests, or the sync has ended.
fn wait_for(sandbox: &Sandbox, sync: &mut Child, requests: usize) {
    while sandbox.requests().len() < requests && sync.try_wait().unwrap().is_none() {
        sleep(Duration::from_micros(200));
    }
}

/// How long an undisturbed sync takes from each request to the next, and from the last to its end, in microseconds.
async fn rehearsal() -> Vec<u64> {
    let sandbox = season().await;
    let folder = tempfile::tempdir().unwrap();
    open(folder.path()).sign_in(sign_in(&sandbox, 0)).await.unwrap();
    let mut sync = spawn(folder.path());
    let mut seen = Vec::new();
    for request in 1..=REQUESTS {
        wait_for(&sandbox, &mut sync, SIGN_IN + request);
        seen.push(Instant::now());
    }
    assert!(sync.wait().unwrap().success());
    // Then one for each code that never changes, and for the keys of their events.
    assert!(sandbox.requests().len() >= SIGN_IN + REQUESTS);
    seen.push(Instant::now());
    seen.windows(2).map(|two| u64::try_from((two[1] - two[0]).as_micros()).unwrap()).collect()
}

/// When a sync is killed.
enum Moment {
    /// So long after a request.
    After(usize, Duration),
    /// While it waits for the answer to a request.
    Awaiting(usize),
}

impl Moment {
    /// Those of chance, and one in each part of a sync, however fast the machine is.
    fn all(gaps: &[u64], moments: &mut Moments) -> Vec<Self> {
        let by_chance = (0..KILLS).map(|kill| {
            let request = request(kill, moments);
            Self::After(request, Duration::from_micros(moments.below(gaps[request - 1] + 1)))
        });
        by_chance.chain(AWAITED.map(Self::Awaiting)).collect()
    }

    /// Starts a sync and kills it.
    fn kill(&self, sandbox: &Sandbox, folder: &Path) -> ExitStatus {
        let (Self::After(request, _) | Self::Awaiting(request)) = self;
        if let Self::Awaiting(_) = self {
            let (path_contains, skip) = (String::new(), u32::try_from(request - 1).unwrap());
            let fault = Fault::LatencyMs(3_600_000);
            sandbox.fault(FaultRule { method: None, path_contains, skip, times: 1_000, fault });
        }
        let mut sync = spawn(folder);
        wait_for(sandbox, &mut sync, SIGN_IN + request);
        if let Self::After(_, pause) = self {
            sleep(*pause);
        }
        sync.kill().unwrap();
        sandbox.clear_faults();
        sync.wait().unwrap()
    }
}

#[derive(Debug, Default)]
struct Landed {
    killed: usize,
    in_pull: usize,
    in_binding: usize,
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_twenty_moments_it_always_goes_on() {
    let seed = seed();
    // Shown when the test fails.
    println!("PROPTEST_RNG_SEED={seed}");
    let mut moments = Moments(seed);
    let mut landed = Landed::default();
    let mut all_bound = None;
    let gaps = rehearsal().await;
    for moment in Moment::all(&gaps, &mut moments) {
        let sandbox = season().await;
        let folder = tempfile::tempdir().unwrap();
        open(folder.path()).sign_in(sign_in(&sandbox, 0)).await.unwrap();

        let status = moment.kill(&sandbox, folder.path());
        let wallet = open(folder.path());
        let (tickets, bound) = counted(&wallet, shows);
        assert!(tickets.is_multiple_of(PAGE) && tickets <= TICKETS, "{tickets} tickets");
        landed.killed += usize::from(status.code().is_none());
        landed.in_pull += usize::from((1..TICKETS).contains(&tickets));
        let report = wallet.sync(None).await.unwrap();
        let received = usize::try_from(report.received).unwrap();
        assert!([0, TICKETS].contains(&received), "all of them, or nothing has changed: {received}");
        assert_eq!((report.removed, report.refused), (0, 0));
        let (after, bound_after) = counted(&wallet, |_, _| ());
        assert_eq!(after, TICKETS);
        assert_eq!(*all_bound.get_or_insert(bound_after), bound_after, "whatever was killed, all are bound");
        landed.in_binding += usize::from(tickets == TICKETS && bound < bound_after);
        sandbox.stop().await;
    }
    println!("{landed:?}, {all_bound:?} bound, {gaps:?}");
    assert!(all_bound > Some(PAGE), "more than one batch is bound: {all_bound:?}");
    assert!(landed.killed >= 15 && landed.in_pull >= 4 && landed.in_binding >= 2, "{landed:?}");
}
