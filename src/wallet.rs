//! The wallet: the facade for ticket holders.

mod bam_market;
mod care;
mod changes;
mod exchange;
mod market;
mod online;

pub use care::{AccountDiagnosis, Diagnosis, TokenClaim, diagnose_wallet, recover_wallet};

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::barcode::NONCE_LEN;
use crate::clock::{ClockUncertainty, TrustedNow};
use crate::config::Config;
use crate::error::{Error, WalletError};
use crate::events::Listening;
use crate::host::{HostClock, HttpTransport, KeyVault, KeyVaultError};
use crate::model::{
    Account, BarcodeProfile, EventGroup, NoBarcodeReason, SignIn, TicketDetail, TicketFilter, TicketHash,
    TicketSummary, TicketSystem,
};
use crate::presentation::{self, Presentation};
use crate::remote::RetryPolicy;
use crate::remote::unidy::UnidyTicket;
use crate::store::{BindingState, ListingStanding, Store};
use crate::sync::{Core, Runner, SyncReport, TimeKeeper, WalletState, Worker};

/// Hears what a wallet is doing. Calls come from a thread of the subscription's own, one after the other, never while
/// a lock is held. A slow listener misses states that were overtaken; one that blocks delays only itself.
#[uniffi::export(with_foreign)]
pub trait WalletListener: Send + Sync {
    /// First the state as it is, then what it becomes.
    fn on_state(&self, state: WalletState);
}

/// A running subscription. It ends with [`Subscription::cancel`], or when it is dropped.
#[derive(uniffi::Object)]
pub struct Subscription {
    listening: Listening<WalletState>,
}

/// A sync that can be run, and cancelled from anywhere.
#[derive(uniffi::Object)]
pub struct SyncRun {
    runner: Arc<Runner>,
    account_id: Option<String>,
    cancelled: watch::Sender<bool>,
}

opaque_debug!(Subscription, SyncRun);

#[uniffi::export]
impl Subscription {
    /// Ends the subscription: at most the call that is under way still happens.
    pub fn cancel(&self) {
        self.listening.end();
    }
}

#[uniffi::export(async_runtime = "tokio")]
impl SyncRun {
    /// Runs the sync to its end, or until it is cancelled. What was stored before a failure stays, and an account that
    /// fails keeps no other from its sync: the first failure is told at the end.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an unknown account or none at all, [`WalletError::NeedsSignIn`],
    /// [`WalletError::Unreachable`], [`WalletError::Refused`], [`WalletError::KeyUnavailable`],
    /// [`WalletError::Cancelled`], [`WalletError::Storage`].
    pub async fn run(&self) -> Result<SyncReport, WalletError> {
        let mut cancelled = self.cancelled.subscribe();
        let report = tokio::select! {
            biased;
            _ = cancelled.wait_for(|cancelled| *cancelled) => Err(Error::Cancelled),
            report = self.runner.sync(self.account_id.as_deref()) => report,
        };
        Ok(report?)
    }

    /// Ends the sync at its next wait; one that has not begun does not begin. Whole pages stay.
    pub fn cancel(&self) {
        self.cancelled.send_replace(true);
    }
}

/// The time that the wallet trusts.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct WalletTime {
    /// Milliseconds since the Unix epoch.
    pub unix_ms: i64,
    /// How sure it is.
    pub uncertainty: ClockUncertainty,
}

/// A person's tickets on this device.
#[derive(uniffi::Object)]
pub struct Wallet {
    store: Arc<Store>,
    vault: Arc<dyn KeyVault>,
    time: Arc<TimeKeeper>,
    runner: Arc<Runner>,
    worker: Option<Worker>,
    /// Those that are left of a wallet whose files are deleted.
    keys_to_wipe: AsyncMutex<Vec<String>>,
}

opaque_debug!(Wallet);

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Opens the wallet, or makes it where nothing is. Without a clock the operating system's is used (Linux, Android);
    /// without a transport the built-in one (not on Android, whose trust store only the app can ask).
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`]: try again later. [`WalletError::NeedsRecovery`]: key and database do not fit
    /// together; nothing was changed. [`WalletError::Storage`].
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        vault: Arc<dyn KeyVault>,
        clock: Option<Arc<dyn HostClock>>,
        transport: Option<Arc<dyn HttpTransport>>,
    ) -> Result<Self, WalletError> {
        let Core { store, vault, time, runner } = Core::open(&config, vault, clock, transport)?;
        let worker = config.send_by_itself.then(|| Worker::start(Arc::downgrade(&runner))).transpose();
        let worker = worker.map_err(|e| WalletError::Internal { reason: e.kind().to_string() })?;
        let wallet = Self { store, vault, time, runner, worker, keys_to_wipe: AsyncMutex::default() };
        wallet.wake();
        Ok(wallet)
    }

    /// The accounts of this wallet.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn accounts(&self) -> Result<Vec<Account>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.accounts()?.into_iter().map(Account::from).collect())
    }

    /// Signs in and keeps the account; signing in again renews its session.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for an address or an empty name or password, [`WalletError::Refused`] when the
    /// server does not accept them, [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Account, WalletError> {
        let account = self.runner.sign_in(sign_in).await?;
        self.wake();
        Ok(account)
    }

    /// A sync of one account, or of all: fetches tickets, binds those whose event is near, renews leases. Nothing
    /// happens before it is run.
    pub fn start_sync(&self, account_id: Option<String>) -> Arc<SyncRun> {
        Arc::new(SyncRun {
            runner: Arc::clone(&self.runner),
            account_id,
            cancelled: watch::Sender::new(false),
        })
    }

    /// Tells a listener what the wallet is doing, from now until the subscription ends.
    ///
    /// # Errors
    /// [`WalletError::Internal`] when the system has no thread to give.
    pub fn subscribe(&self, listener: Arc<dyn WalletListener>) -> Result<Arc<Subscription>, WalletError> {
        let listening = self.runner.state().listen(move |state| listener.on_state(state));
        let listening = listening.map_err(|e| WalletError::Internal { reason: e.kind().to_string() })?;
        Ok(Arc::new(Subscription { listening }))
    }

    /// Tickets, soonest first. Local: never touches the network.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn tickets(&self, filter: TicketFilter) -> Result<Vec<TicketSummary>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.tickets(&filter, self.time.now()?.unix_s())?)
    }

    /// The same tickets, those of one event together: of whatever accounts and systems. Local.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn tickets_by_event(&self, filter: TicketFilter) -> Result<Vec<EventGroup>, WalletError> {
        let tickets = self.tickets(filter)?;
        let hashes: BTreeSet<_> = tickets.iter().filter_map(|ticket| ticket.event_hash.as_deref()).collect();
        let _work = self.runner.activity().begin()?;
        let events = self.store.events(&hashes.into_iter().collect::<Vec<_>>())?;
        Ok(presentation::group(tickets, events))
    }

    /// One ticket with all that is known of it. Local.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for an id that is not 24 hex digits, [`WalletError::NotFound`],
    /// [`WalletError::Storage`].
    pub fn ticket(&self, id: String) -> Result<TicketDetail, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&id)?;
        let now = self.time.now()?;
        let mut ticket = self.store.ticket_detail(id, now.unix_s())?;
        let (held, code) = (self.store.binding(id)?, self.store.static_code(id)?);
        if let Some(credential) = &held.credential {
            let fields = credential.credential.fields();
            ticket.generation = Some(fields.generation);
            ticket.lease_end = Some(i64::from(fields.lease_end));
        }
        if self.store.account(&ticket.summary.account_id)?.system == TicketSystem::Unidy {
            ticket.unidy = UnidyTicket::read(&ticket.body_json).map(|ticket| ticket.fields());
        }
        let lost = held.lost.then_some(NoBarcodeReason::NeedsRebind);
        let standing = self.store.listing_standing(id)?;
        let listed = listed(&standing, &held);
        let otherwise = || presentation::no_barcode(&ticket.summary, &held, code.as_ref(), &now).or(lost);
        ticket.no_barcode = listed.or_else(otherwise);
        ticket.listing = standing.shown(&ticket.summary.account_id, id);
        Ok(ticket)
    }

    /// A fresh frame of a ticket's barcode. Local. `venue_nonce` is the venue's 8 bytes, where it asks for them.
    ///
    /// # Errors
    /// [`WalletError::NoBarcode`] says why there is none, [`WalletError::InvalidInput`], [`WalletError::NotFound`],
    /// [`WalletError::KeyUnavailable`], [`WalletError::Storage`].
    pub fn present(
        &self,
        ticket_id: String,
        venue_nonce: Option<Vec<u8>>,
    ) -> Result<Presentation, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        let nonce = venue_nonce.map(<[u8; NONCE_LEN]>::try_from).transpose();
        let nonce = nonce.map_err(|_| WalletError::input("venue_nonce", "a venue nonce has 8 bytes"))?;
        let now = self.time.now()?;
        let (ticket, held) = (self.store.ticket(id, now.unix_s())?, self.store.binding(id)?);
        if let Some(why) = listed(&self.store.listing_standing(id)?, &held) {
            return Err(Error::NoBarcode(why).into());
        }
        if ticket.profile == BarcodeProfile::Static && held.credential.is_none() {
            return Ok(presentation::show(&ticket, &held, self.store.static_code(id)?, &now)?);
        }
        let presented = presentation::present(&*self.vault, &ticket, &held, &now, nonce.as_ref());
        let lost =
            matches!(presented, Err(Error::Vault(KeyVaultError::Missing | KeyVaultError::Invalidated)));
        if let Some(handle) = held.handle.filter(|_| lost != held.lost && (lost || presented.is_ok())) {
            self.store.mark_key(&handle, lost)?;
        }
        Ok(presented?)
    }

    /// The time that the wallet trusts, and how far.
    ///
    /// # Errors
    /// [`WalletError::Internal`] when the host's clock cannot be read.
    pub fn now(&self) -> Result<WalletTime, WalletError> {
        let TrustedNow { unix_ms, uncertainty } = self.time.now()?;
        Ok(WalletTime { unix_ms, uncertainty })
    }
}

impl Wallet {
    /// Runs [`Wallet::start_sync`] at once; dropping the future cancels it.
    ///
    /// # Errors
    /// As [`SyncRun::run`].
    pub async fn sync(&self, account_id: Option<String>) -> Result<SyncReport, WalletError> {
        self.start_sync(account_id).run().await
    }

    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.runner.set_retry_policy(policy);
    }
}

impl Wallet {
    fn wake(&self) {
        if let Some(worker) = &self.worker {
            worker.wake();
        }
    }
}

/// Why a ticket shows no barcode while it is for sale. One that may be bound again says why it is not.
fn listed(standing: &ListingStanding, held: &BindingState) -> Option<NoBarcodeReason> {
    let needs_rebind = |why: &NoBarcodeReason| *why == NoBarcodeReason::NeedsRebind;
    standing.no_barcode().filter(|why| !(needs_rebind(why) && held.refusal.is_some()))
}

pub(super) fn ticket_hash(id: &str) -> Result<TicketHash, WalletError> {
    let found = TicketHash::from_hex(id);
    found.ok_or_else(|| WalletError::input("ticket_id", "a ticket id is 24 hex digits; `tickets` lists them"))
}
