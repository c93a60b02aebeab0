//! Promise: whatever the app around the core does — listens slowly, cancels, takes its time, throws — nothing else waits
//! for it or breaks.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use hooked_vault::HookedVault;
use phone::{Phone, TestClock, sandbox, sign_in, vault_in};
use ticket_wallet::host::{HttpRequest, HttpResponse, HttpTransport, HttpTransportError, KeyVaultError};
use ticket_wallet::model::{AccountState, NoBarcodeReason};
use ticket_wallet::{Config, Wallet, WalletError, WalletListener, WalletState};
use ticket_wallet_sandbox::{Fault, FaultRule, SandboxConfig};

struct Listener(Mutex<Sender<WalletState>>);

impl WalletListener for Listener {
    fn on_state(&self, state: WalletState) {
        let _ = self.0.lock().unwrap().send(state);
    }
}

fn latency(path: &str, times: u32) -> FaultRule {
    FaultRule {
        method: None,
        path_contains: path.to_owned(),
        skip: 0,
        times,
        fault: Fault::LatencyMs(30_000),
    }
}

#[tokio::test]
async fn a_subscription_tells_first_the_state_and_then_its_changes() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    let (sender, heard) = channel();
    let subscription = phone.wallet.subscribe(Arc::new(Listener(Mutex::new(sender)))).unwrap();
    let first = heard.recv().unwrap();
    assert!(first.accounts.is_empty() && first.syncing.is_empty());
    phone.sign_in(&sandbox, 0).await;
    let signed_in = heard.recv().unwrap();
    assert_eq!(signed_in.accounts[0].state, AccountState::SignedIn);
    phone.wallet.sync(None).await.unwrap();
    let mut last = signed_in.clone();
    while last.tickets_revision == signed_in.tickets_revision || !last.syncing.is_empty() {
        last = heard.recv().unwrap();
    }
    sandbox.revoke_sessions().unwrap();
    assert!(matches!(phone.wallet.sync(None).await, Err(WalletError::NeedsSignIn { .. })));
    while last.accounts[0].state == AccountState::SignedIn {
        last = heard.recv().unwrap();
    }
    subscription.cancel();
    phone.sign_in(&sandbox, 1).await;
    assert!(heard.iter().all(|state| state.accounts.len() == 1), "nothing is told after the end");
}

#[tokio::test]
async fn a_cancelled_sync_ends_at_once_and_the_next_one_completes() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 150, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    sandbox.fault(FaultRule { skip: 1, ..latency("/v1/ticket", 1) });
    let (sender, heard) = channel();
    let _subscription = phone.wallet.subscribe(Arc::new(Listener(Mutex::new(sender)))).unwrap();
    let sync = phone.wallet.start_sync(None);
    let cancelling = Arc::clone(&sync);
    let canceller = std::thread::spawn(move || {
        while heard.recv().unwrap().syncing.is_empty() {}
        cancelling.cancel();
        heard
    });
    assert!(matches!(sync.run().await, Err(WalletError::Cancelled { .. })));
    let heard = canceller.join().unwrap();
    while !heard.recv().unwrap().syncing.is_empty() {}
    assert_eq!(phone.tickets().len(), 100, "the page that was stored stays");
    assert!(matches!(sync.run().await, Err(WalletError::Cancelled { .. })), "and it does not begin again");
    assert_eq!(phone.wallet.sync(None).await.unwrap().received, 150);
}

#[tokio::test]
async fn a_vault_in_any_mood_spoils_only_what_needs_it() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    // What is bound is bound by the syncs below.
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
    let wallet = Wallet::open(config, vault.clone(), Some(Arc::new(clock.clone())), None).unwrap();
    wallet.sign_in(sign_in(&sandbox, 0)).await.unwrap();
    for answer in [KeyVaultError::Locked, KeyVaultError::Missing, KeyVaultError::Invalidated] {
        vault.before(move |_| Err(answer.clone()));
        assert!(matches!(wallet.sync(None).await, Err(WalletError::KeyUnavailable { .. })));
    }
    vault.before(|_| panic!("the vault breaks off"));
    assert!(matches!(wallet.sync(None).await, Err(WalletError::Internal { .. })));
    vault.rest();
    assert!(wallet.sync(None).await.unwrap().bound > 0, "and all is well when the vault is");

    let tickets = wallet.tickets(Default::default()).unwrap();
    let ticket = tickets.iter().find(|ticket| wallet.present(ticket.id.clone(), None).is_ok()).unwrap();
    for (answer, rebind) in [
        (KeyVaultError::Locked, false),
        (KeyVaultError::Cancelled, false),
        (KeyVaultError::Failed { reason: "busy".to_owned() }, false),
        (KeyVaultError::Missing, true),
        (KeyVaultError::Invalidated, true),
    ] {
        vault.before(move |_| Err(answer.clone()));
        match wallet.present(ticket.id.clone(), None) {
            Err(WalletError::KeyUnavailable { .. }) => assert!(!rebind),
            Err(WalletError::NoBarcode { why: NoBarcodeReason::NeedsRebind, .. }) => assert!(rebind),
            other => panic!("{other:?}"),
        }
        assert_eq!(wallet.tickets(Default::default()).unwrap().len(), tickets.len());
    }
}

/// An app's transport: real HTTP by the tests' own client, or an error that the test decides on.
struct AppTransport(Mutex<Option<HttpTransportError>>);

impl HttpTransport for AppTransport {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        if let Some(error) = self.0.lock().unwrap().clone() {
            return Err(error);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let method = reqwest::Method::from_bytes(request.method.as_bytes()).unwrap();
            let mut builder =
                reqwest::Client::builder().no_proxy().build().unwrap().request(method, &request.url);
            for header in request.headers {
                builder = builder.header(header.name, header.value);
            }
            let response = builder.body(request.body.unwrap_or_default()).send().await.unwrap();
            let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
                ticket_wallet::host::HttpHeader {
                    name: name.as_str().to_uppercase(),
                    value: value.to_str().unwrap().to_owned(),
                }
            };
            let (status, headers) =
                (response.status().as_u16(), response.headers().iter().map(header).collect());
            Ok(HttpResponse { status, headers, body: response.bytes().await.unwrap().to_vec() })
        })
    }
}

#[tokio::test]
async fn the_apps_transport_carries_everything() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let folder = tempfile::tempdir().unwrap();
    let transport = Arc::new(AppTransport(Mutex::default()));
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
    let vault = vault_in(folder.path());
    let wallet = Wallet::open(config, vault, Some(Arc::new(clock.clone())), Some(transport.clone())).unwrap();
    wallet.set_retry_policy(clock.policy());
    wallet.sign_in(sign_in(&sandbox, 0)).await.unwrap();
    let report = wallet.sync(None).await.unwrap();
    assert!(report.received == 24 && report.bound > 0);
    assert!(wallet.now().unwrap().uncertainty.confirmed, "its replies tell the time");
    for error in [
        HttpTransportError::Unreachable,
        HttpTransportError::TimedOut,
        HttpTransportError::Broken,
        HttpTransportError::TooLarge,
        HttpTransportError::Failed { reason: "aeroplane mode".to_owned() },
    ] {
        *transport.0.lock().unwrap() = Some(error);
        assert!(matches!(wallet.sync(None).await, Err(WalletError::Unreachable { .. })));
    }
}
