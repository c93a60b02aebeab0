//! The wallet: the facade for ticket holders.

use std::path::Path;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use tokio::sync::watch;

use crate::barcode::NONCE_LEN;
use crate::clock::{ClockUncertainty, TrustedNow};
use crate::error::WalletError;
use crate::host::{HostClock, KeyVault, clock_or_system};
use crate::model::{Account, SignIn, StoredAccount, TicketDetail, TicketFilter, TicketHash, TicketSummary};
use crate::presentation::{self, Presentation};
use crate::remote::Http;
use crate::store::Store;
use crate::sync::{Engine, SyncProgress, SyncReport, TimeKeeper};

/// How a wallet is set up.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Config {
    /// Folder of the wallet's files; made where it is missing. Keep it out of backups.
    pub folder: String,
    /// Tickets are bound to the device this many days before their event starts.
    #[uniffi(default = 30)]
    pub bind_ahead_days: u32,
    /// The app's version, `X.Y.Z`, sent as `x-app-version`; this library's own without it.
    #[uniffi(default = None)]
    pub app_version: Option<String>,
}

impl Config {
    /// The defaults for a folder.
    pub fn in_folder(folder: impl Into<String>) -> Self {
        Self { folder: folder.into(), bind_ahead_days: 30, app_version: None }
    }
}

/// Hears how far a sync is. Calls come from a thread of their own, never while a lock is held, and only the newest state
/// is told when the listener is slow.
#[uniffi::export(with_foreign)]
pub trait SyncListener: Send + Sync {
    /// The sync went on.
    fn on_progress(&self, progress: SyncProgress);
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
    engine: Engine,
}

opaque_debug!(Wallet);

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Opens the wallet, or makes it where nothing is. Without a clock the operating system's is used (Linux, Android).
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`]: try again later. [`WalletError::NeedsRecovery`]: key and database do not fit
    /// together; nothing was changed. [`WalletError::Storage`].
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        vault: Arc<dyn KeyVault>,
        clock: Option<Arc<dyn HostClock>>,
    ) -> Result<Self, WalletError> {
        let clock = clock_or_system(clock);
        let store = Arc::new(Store::open(Path::new(&config.folder), &*vault)?);
        let time = Arc::new(TimeKeeper::new(Arc::clone(&clock), Arc::clone(&store))?);
        let listening = Arc::clone(&time);
        let headers = vec![
            ("x-app-version", config.app_version.unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned())),
            ("x-device-id", store.device_id(&crate::device::new_id()?)?),
        ];
        let http = Arc::new(Http::new(clock, headers, Arc::new(move |sample| listening.learn(sample))));
        let bind_ahead_s = i64::from(config.bind_ahead_days) * 86_400;
        let engine =
            Engine::new(Arc::clone(&store), Arc::clone(&vault), http, Arc::clone(&time), bind_ahead_s);
        Ok(Self { store, vault, time, engine })
    }

    /// The accounts of this wallet.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn accounts(&self) -> Result<Vec<Account>, WalletError> {
        Ok(self.store.accounts()?.into_iter().map(Account::from).collect())
    }

    /// Signs in and keeps the account; signing in again renews its session.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for an address or an empty name or password, [`WalletError::Refused`] when the
    /// server does not accept them, [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Account, WalletError> {
        for (field, value) in [("user_name", &sign_in.user_name), ("password", &sign_in.password)] {
            if value.is_empty() {
                return Err(WalletError::input(field, "must not be empty"));
            }
        }
        let account = StoredAccount {
            id: account_id(&sign_in),
            system: sign_in.system,
            config: sign_in.config,
            user_name: sign_in.user_name,
            tokens: None,
        };
        Ok(self.engine.sign_in(account, &sign_in.password).await?.into())
    }

    /// Syncs one account, or all: fetches tickets, binds those whose event is near, renews leases. What was stored
    /// before a failure stays, and an account that fails keeps no other from its sync: the first failure is told at the
    /// end.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for an unknown account or none at all, [`WalletError::NeedsSignIn`],
    /// [`WalletError::Unreachable`], [`WalletError::Refused`], [`WalletError::KeyUnavailable`],
    /// [`WalletError::Storage`].
    pub async fn sync(
        &self,
        account_id: Option<String>,
        listener: Option<Arc<dyn SyncListener>>,
    ) -> Result<SyncReport, WalletError> {
        let accounts = match account_id {
            Some(id) => vec![self.store.account(&id)?],
            None => self.store.accounts()?,
        };
        if accounts.is_empty() {
            return Err(WalletError::NotFound {
                reason: "there is no account yet; sign in first".to_owned(),
            });
        }
        let (sender, receiver) = watch::channel(None);
        let telling = listener.map(|listener| tokio::spawn(tell(listener, receiver)));
        let progress = |progress: SyncProgress| drop(sender.send(Some(progress)));
        let mut report = SyncReport::default();
        let mut failure = None;
        for account in &accounts {
            match self.engine.sync(account, &progress).await {
                Ok(one) => report = report.plus(one),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        drop(sender);
        if let Some(telling) = telling {
            let _ = telling.await;
        }
        failure.map_or(Ok(report), |error| Err(error.into()))
    }

    /// Tickets, soonest first. Local: never touches the network.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn tickets(&self, filter: TicketFilter) -> Result<Vec<TicketSummary>, WalletError> {
        Ok(self.store.tickets(&filter)?)
    }

    /// One ticket with all that is known of it. Local.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for an id that is not 24 hex digits, [`WalletError::NotFound`],
    /// [`WalletError::Storage`].
    pub fn ticket(&self, id: String) -> Result<TicketDetail, WalletError> {
        let id = ticket_hash(&id)?;
        let mut ticket = self.store.ticket_detail(id)?;
        let held = self.store.binding(id)?;
        if let Some(credential) = &held.credential {
            let fields = credential.credential.fields();
            ticket.generation = Some(fields.generation);
            ticket.lease_end = Some(i64::from(fields.lease_end));
        }
        ticket.no_barcode = presentation::no_barcode(&ticket.summary, &held, &self.time.now()?);
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
        let id = ticket_hash(&ticket_id)?;
        let nonce = venue_nonce.map(<[u8; NONCE_LEN]>::try_from).transpose();
        let nonce = nonce.map_err(|_| WalletError::input("venue_nonce", "a venue nonce has 8 bytes"))?;
        let (ticket, held) = (self.store.ticket(id)?, self.store.binding(id)?);
        Ok(presentation::present(&*self.vault, &ticket, &held, &self.time.now()?, nonce.as_ref())?)
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

async fn tell(listener: Arc<dyn SyncListener>, mut states: watch::Receiver<Option<SyncProgress>>) {
    while states.changed().await.is_ok() {
        let Some(state) = states.borrow_and_update().clone() else { continue };
        let listener = Arc::clone(&listener);
        if tokio::task::spawn_blocking(move || listener.on_progress(state)).await.is_err() {
            return;
        }
    }
}

/// The same person at the same place is the same account.
fn account_id(sign_in: &SignIn) -> String {
    let name = format!("{}\u{1F}{}\u{1F}{}", sign_in.system.as_text(), sign_in.config.url, sign_in.user_name);
    hex::encode(&digest(&SHA256, name.as_bytes()).as_ref()[..8])
}

fn ticket_hash(id: &str) -> Result<TicketHash, WalletError> {
    let mut bytes = [0; 12];
    hex::decode_to_slice(id, &mut bytes)
        .map_err(|_| WalletError::input("ticket_id", "a ticket id is 24 hex digits; `tickets` lists them"))?;
    Ok(TicketHash(bytes))
}
