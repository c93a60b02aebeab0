//! A phone under test: a wallet in a folder of its own, with a clock that the test moves.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use ticket_wallet::clock::ClockReading;
use ticket_wallet::host::{HostClock, HostClockError, HttpTransport, SoftwareVault};
use ticket_wallet::model::{
    Account, BarcodeProfile, SignIn, SystemConfig, TicketFilter, TicketSummary, TicketSystem,
};
use ticket_wallet::remote::RetryPolicy;
use ticket_wallet::remote::retry::Waiting;
use ticket_wallet::{Config, Wallet, WalletError};
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

/// 2026-11-21, a fixed day: tests do not depend on when they run.
pub(crate) const TODAY_MS: i64 = 1_795_219_200_000;

/// A clock that stands still until it is moved.
#[derive(Debug, Clone)]
pub(crate) struct TestClock(Arc<Mutex<ClockReading>>);

impl TestClock {
    pub(crate) fn new() -> Self {
        let reading = ClockReading { wall_ms: TODAY_MS, elapsed_ms: 1_000, boot_id: "boot-1".to_owned() };
        Self(Arc::new(Mutex::new(reading)))
    }

    /// Time goes by, asleep or awake.
    pub(crate) fn pass_s(&self, seconds: i64) {
        self.pass_ms(seconds * 1000);
    }

    fn pass_ms(&self, milliseconds: i64) {
        let mut reading = self.0.lock().unwrap();
        reading.wall_ms += milliseconds;
        reading.elapsed_ms += milliseconds;
    }

    /// A policy whose waits move this clock and take no time, and whose back-off is nothing.
    pub(crate) fn policy(&self) -> RetryPolicy {
        let clock = self.clone();
        let wait = move |ms| -> Waiting {
            clock.pass_ms(i64::try_from(ms).unwrap());
            Box::pin(std::future::ready(()))
        };
        RetryPolicy { base_ms: 0, wait: Arc::new(wait), ..RetryPolicy::default() }
    }

    /// The person sets the wall clock.
    pub(crate) fn set_wall_ms(&self, wall_ms: i64) {
        self.0.lock().unwrap().wall_ms = wall_ms;
    }

    /// The device starts anew.
    pub(crate) fn reboot(&self) {
        let mut reading = self.0.lock().unwrap();
        reading.elapsed_ms = 10;
        reading.boot_id.push('+');
    }

    pub(crate) fn wall_ms(&self) -> i64 {
        self.0.lock().unwrap().wall_ms
    }
}

impl HostClock for TestClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        Ok(self.0.lock().unwrap().clone())
    }
}

/// A sandbox whose time is this clock's wall time.
pub(crate) async fn sandbox(clock: &TestClock, config: SandboxConfig) -> Sandbox {
    let clock = clock.clone();
    Sandbox::start(SandboxConfig { clock: Arc::new(move || clock.wall_ms()), ..config }).await.unwrap()
}

pub(crate) struct Phone {
    pub(crate) folder: TempDir,
    pub(crate) clock: TestClock,
    pub(crate) wallet: Wallet,
}

impl Phone {
    pub(crate) fn new(clock: &TestClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wallet = open(folder.path(), clock).unwrap();
        Self { folder, clock: clock.clone(), wallet }
    }

    /// One whose app carries its requests.
    pub(crate) fn over(clock: &TestClock, transport: Arc<dyn HttpTransport>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let wallet = open_over(folder.path(), clock, Some(transport)).unwrap();
        Self { folder, clock: clock.clone(), wallet }
    }

    /// Closes the wallet and opens it again.
    pub(crate) fn restart(self) -> Self {
        let Self { folder, clock, wallet } = self;
        drop(wallet);
        let wallet = open(folder.path(), &clock).unwrap();
        Self { folder, clock, wallet }
    }

    pub(crate) async fn sign_in(&self, sandbox: &Sandbox, user: usize) -> Account {
        self.wallet.sign_in(sign_in(sandbox, user)).await.unwrap()
    }

    pub(crate) fn tickets(&self) -> Vec<TicketSummary> {
        self.wallet.tickets(TicketFilter { limit: 100_000, ..TicketFilter::default() }).unwrap()
    }

    /// How many device keys the vault's file holds.
    pub(crate) fn vault_keys(&self) -> usize {
        let vault = std::fs::read(self.folder.path().join("vault.json")).unwrap();
        let vault: serde_json::Value = serde_json::from_slice(&vault).unwrap();
        vault["device_keys"].as_object().unwrap().len()
    }

    /// The tickets that show a barcode now, soonest first.
    pub(crate) fn signed_tickets(&self) -> Vec<TicketSummary> {
        let shows = |ticket: &TicketSummary| {
            ticket.profile == BarcodeProfile::Signed && self.wallet.present(ticket.id.clone(), None).is_ok()
        };
        self.tickets().into_iter().filter(shows).collect()
    }

    /// The first of them.
    pub(crate) fn signed_ticket(&self) -> TicketSummary {
        self.signed_tickets().swap_remove(0)
    }
}

pub(crate) fn sign_in(sandbox: &Sandbox, user: usize) -> SignIn {
    let user = &sandbox.users()[user];
    SignIn {
        system: TicketSystem::Bam,
        config: SystemConfig::at(sandbox.url()),
        user_name: user.name.clone(),
        password: user.password.clone(),
    }
}

pub(crate) fn vault_in(folder: &std::path::Path) -> Arc<SoftwareVault> {
    Arc::new(SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned()))
}

pub(crate) fn open(folder: &std::path::Path, clock: &TestClock) -> Result<Wallet, WalletError> {
    open_over(folder, clock, None)
}

fn open_over(
    folder: &std::path::Path,
    clock: &TestClock,
    transport: Option<Arc<dyn HttpTransport>>,
) -> Result<Wallet, WalletError> {
    // Tests say when something is sent.
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    let wallet = Wallet::open(config, vault_in(folder), Some(Arc::new(clock.clone())), transport)?;
    wallet.set_retry_policy(clock.policy());
    Ok(wallet)
}
