//! Accounts that sync at the same time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ticket_wallet::model::{SignIn, SystemConfig, TexpoConfig, TicketFilter, TicketSystem};
use ticket_wallet::{WalletError, WalletListener, WalletState};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

use crate::brands::sign_in_to;
use crate::phone::{Phone, TestClock, sandbox, sign_in};

/// Every wait here is over in a fraction of it.
const WAIT: Duration = Duration::from_secs(60);

/// The accounts' numbers: B.A.M near and far, Unidy's two brands, TickeTing, TEXPO. All but the second are at one server.
pub(crate) const FAR: usize = 1;
const NORD: usize = 2;
pub(crate) const TICKETING: usize = 4;
pub(crate) const TEXPO: usize = 5;

fn sign_in_to_ticketing(sandbox: &Sandbox) -> SignIn {
    let config = SystemConfig::at(sandbox.ticketing().url);
    SignIn { system: TicketSystem::Ticketing, config, ..sign_in(sandbox, 0) }
}

fn sign_in_to_texpo(sandbox: &Sandbox) -> SignIn {
    let access = sandbox.texpo();
    let texpo = TexpoConfig { network_id: Some(access.network_id), ..TexpoConfig::default() };
    let config = SystemConfig { texpo: Some(texpo), ..SystemConfig::at(access.url) };
    SignIn { system: TicketSystem::Texpo, config, ..sign_in(sandbox, 0) }
}

/// A phone signed in to all four systems: to B.A.M in two places, and to two brands of Unidy.
pub(crate) async fn everywhere(clock: &TestClock) -> (Phone, [Sandbox; 2], Vec<String>) {
    let near = sandbox(clock, SandboxConfig { tickets_per_user: 6, ..SandboxConfig::default() }).await;
    let far =
        sandbox(clock, SandboxConfig { seed: 2, tickets_per_user: 6, ..SandboxConfig::default() }).await;
    let phone = Phone::new(clock);
    let all: [SignIn; 6] = [
        sign_in(&near, 0),
        sign_in(&far, 0),
        sign_in_to(&near, "nord", 0),
        sign_in_to(&near, "west", 0),
        sign_in_to_ticketing(&near),
        sign_in_to_texpo(&near),
    ];
    let mut accounts = Vec::new();
    for one in all {
        accounts.push(phone.wallet.sign_in(one).await.unwrap().id);
    }
    (phone, [near, far], accounts)
}

pub(crate) fn count(phone: &Phone, account: &str) -> usize {
    let filter =
        TicketFilter { account_id: Some(account.to_owned()), limit: 1_000, ..TicketFilter::default() };
    phone.wallet.tickets(filter).unwrap().len()
}

/// Says when only one account is still being synced.
struct OneLeft(Arc<AtomicBool>, String);

impl WalletListener for OneLeft {
    fn on_state(&self, state: WalletState) {
        if state.syncing.iter().all(|progress| progress.account_id == self.1) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
}

fn always(path: &str, fault: Fault) -> FaultRule {
    FaultRule { method: None, path_contains: path.to_owned(), skip: 0, times: 100, fault }
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The account's list does not come: all of the others come to their end, not only to their first page.
async fn holds_up_no_other(slow: usize, path: &str) {
    let clock = TestClock::new();
    let (phone, [near, far], accounts) = everywhere(&clock).await;
    let server = if slow == FAR { &far } else { &near };
    server.fault(always(path, Fault::LatencyMs(3_600_000)));
    let sync = phone.wallet.start_sync(None);
    let run = Arc::clone(&sync);
    let running = tokio::spawn(async move { run.run().await });
    let others = |account: &&String| **account != accounts[slow];
    until("the others' tickets", || {
        assert!(!running.is_finished(), "the slow one is still awaited");
        accounts.iter().filter(others).all(|account| count(&phone, account) > 0)
    })
    .await;
    let alone = Arc::new(AtomicBool::new(false));
    let listener = Arc::new(OneLeft(Arc::clone(&alone), accounts[slow].clone()));
    let subscription = phone.wallet.subscribe(listener).unwrap();
    until("the others' end", || alone.load(Ordering::SeqCst)).await;
    subscription.cancel();
    assert_eq!(count(&phone, &accounts[slow]), 0);
    sync.cancel();
    let ended = tokio::time::timeout(WAIT, running).await.unwrap();
    assert!(matches!(ended.unwrap(), Err(WalletError::Cancelled { .. })));
    server.clear_faults();
    phone.wallet.sync(None).await.unwrap();
    assert!(count(&phone, &accounts[slow]) > 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_does_not_answer_holds_up_no_other() {
    holds_up_no_other(FAR, "/v1/ticket").await;
    holds_up_no_other(NORD, "/unidy/nord/api/sdk/v1/tickets").await;
    holds_up_no_other(TICKETING, "/ticketing/v3/accounts").await;
    holds_up_no_other(TEXPO, "getPurchasedTickets").await;
}

#[tokio::test]
async fn a_broken_system_is_told_and_the_others_are_synced() {
    for (broken, path) in [
        (NORD, "/unidy/nord/api/sdk/v1/tickets"),
        (TICKETING, "/ticketing/v3/accounts"),
        (TEXPO, "getPurchasedTickets"),
    ] {
        let clock = TestClock::new();
        let (phone, [near, _far], accounts) = everywhere(&clock).await;
        near.fault(always(path, Fault::ServerError));
        let error = phone.wallet.sync(None).await.unwrap_err();
        let told = matches!(error, WalletError::ServerFault { .. } | WalletError::Unreachable { .. });
        assert!(told, "{path}: {error:?}");
        for (number, account) in accounts.iter().enumerate() {
            assert_eq!(count(&phone, account) > 0, number != broken, "{path}: {number}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_told_and_the_others_are_synced() {
    let clock = TestClock::new();
    let (phone, [near, far], accounts) = everywhere(&clock).await;
    far.stop().await;
    assert!(matches!(phone.wallet.sync(None).await, Err(WalletError::Unreachable { .. })));
    for (number, account) in accounts.iter().enumerate() {
        assert_eq!(count(&phone, account) > 0, number != FAR, "{number}");
    }
    near.stop().await;
    assert!(phone.wallet.sync(None).await.is_err());
    assert!(count(&phone, &accounts[2]) > 0, "what was synced stays");
}

#[tokio::test]
async fn tokens_that_end_in_the_middle_of_a_sync_cost_one_renewal_for_each_account() {
    let clock = TestClock::new();
    let (phone, [near, _far], accounts) = everywhere(&clock).await;
    phone.wallet.sync(None).await.unwrap();
    for path in ["/unidy/west/api/sdk/v1/tickets", "/unidy/nord/api/sdk/v1/tickets"] {
        let rule = FaultRule {
            method: Some("GET".to_owned()),
            path_contains: path.to_owned(),
            skip: 0,
            times: 1,
            fault: Fault::Unauthorized,
        };
        near.fault(rule);
    }
    let before = near.requests().len();
    phone.wallet.sync(None).await.unwrap();
    let since = near.requests().split_off(before);
    let renewal = |request: &&String| request.contains("/auth/refresh") || request.contains("/refresh_token");
    assert_eq!(since.iter().filter(renewal).count(), 2, "one for each refused request: {since:?}");
    assert!(accounts.iter().all(|account| count(&phone, account) > 0));
}
