//! Syncs of a whole wallet: all accounts at once, with a state that others can listen to.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::activity::Activity;
use super::desk::Desk;
use super::engine::{Engine, Observer, SyncProgress, SyncReport};
use crate::error::Error;
use crate::events::Hub;
use crate::model::Account;
use crate::remote::RetryPolicy;
use crate::store::Store;

/// What a wallet is doing, and whether what it shows has changed. Each state stands for itself: one that was missed
/// takes nothing along.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct WalletState {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Grows with every change of a ticket or barcode: when it is another, read again what is on the screen.
    pub tickets_revision: u64,
    /// The syncs under way.
    pub syncing: Vec<SyncProgress>,
    /// Changes that are sent by themselves.
    pub waiting: u32,
    /// Changes that wait for the person: rejected, of unknown outcome, or saved from a damaged wallet.
    pub undecided: u32,
}

opaque_debug!(WalletState, Runner);

/// Runs syncs and keeps the wallet's state.
pub struct Runner {
    store: Arc<Store>,
    engine: Engine,
    activity: Activity,
    state: Hub<WalletState>,
    due: Arc<Notify>,
    /// The writes that somebody waits for.
    awaited: Mutex<BTreeSet<i64>>,
}

/// Tells the worker, however a sync ended, that something may be due.
struct Ended<'a>(&'a Notify);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

/// Takes an account out of the syncs under way, however its sync ended.
struct Syncing<'a> {
    runner: &'a Runner,
    account_id: &'a str,
}

impl Drop for Syncing<'_> {
    fn drop(&mut self) {
        self.runner
            .state
            .change(|state| state.syncing.retain(|progress| progress.account_id != self.account_id));
    }
}

impl Runner {
    /// A runner over a store and the engine that fills it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn new(store: Arc<Store>, engine: Engine) -> Result<Self, Error> {
        let accounts = accounts(&store)?;
        let (waiting, undecided) = store.count_outbox()?;
        let state = WalletState { accounts, tickets_revision: 0, syncing: Vec::new(), waiting, undecided };
        let (state, due) = (Hub::new(state), Arc::default());
        Ok(Self { store, engine, activity: Activity::default(), state, due, awaited: Mutex::default() })
    }

    /// The writes that somebody waits for.
    pub(super) fn awaited(&self) -> MutexGuard<'_, BTreeSet<i64>> {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The wallet's state, to listen to.
    pub(crate) fn state(&self) -> &Hub<WalletState> {
        &self.state
    }

    /// What is under way.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Told when something may be due.
    pub(super) fn due(&self) -> Arc<Notify> {
        Arc::clone(&self.due)
    }

    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.engine.http.set_retry_policy(policy);
    }

    /// What is kept.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// What speaks with servers.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// An account's desk.
    ///
    /// # Errors
    /// As [`Engine::desk`].
    pub async fn desk(&self, account_id: &str) -> Result<Desk<'_>, Error> {
        self.engine.desk(account_id).await
    }

    /// Runs what needs the network now, unless or until the wallet is paused.
    ///
    /// # Errors
    /// [`Error::Paused`]; the work's own.
    pub async fn online<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        let result = self.activity.run(work).await;
        if matches!(result, Err(Error::SignedOut)) {
            self.tell_accounts();
        }
        result
    }

    /// Waits as requests do between two attempts.
    pub async fn wait(&self, ms: u64) {
        (self.engine.http.retry_policy().wait)(ms).await;
    }

    /// Removes an account and what belongs to it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] while changes wait that are not to be discarded, [`Error::Paused`],
    /// [`Error::Database`].
    pub async fn sign_out(&self, account_id: &str, discard_changes: bool) -> Result<(), Error> {
        self.activity.run(self.engine.sign_out(account_id, discard_changes)).await?;
        self.tell_accounts();
        self.changed();
        Ok(())
    }

    /// Syncs one account, or all. An account that fails keeps no other from its sync; the first failure is told at the
    /// end.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown account or none at all; [`Error::Paused`]; as [`Engine::sync`].
    pub async fn sync(&self, account_id: Option<&str>) -> Result<SyncReport, Error> {
        // Whoever syncs wants it tried now.
        self.engine.pace.forget_all();
        let _ended = Ended(&self.due);
        let syncing = async {
            let synced = self.sync_all(account_id).await;
            self.engine.delete_keys().await;
            synced
        };
        self.activity.run(syncing).await
    }

    async fn sync_all(&self, account_id: Option<&str>) -> Result<SyncReport, Error> {
        let accounts = match account_id {
            Some(id) => vec![self.store.account(id)?],
            None => self.store.accounts()?,
        };
        if accounts.is_empty() {
            return Err(Error::NoAccount);
        }
        let mut failure = None;
        let syncs = join_all(accounts.iter().map(|account| self.sync_one(&account.id))).await;
        let reports =
            syncs.into_iter().filter_map(|sync| sync.map_err(|error| failure.get_or_insert(error)).ok());
        let report = reports.fold(SyncReport::default(), SyncReport::plus);
        failure.map_or(Ok(report), Err)
    }

    async fn sync_one(&self, account_id: &str) -> Result<SyncReport, Error> {
        let _syncing = Syncing { runner: self, account_id };
        self.told(self.engine.sync(account_id, self).await)
    }

    /// Sends what is due, for all accounts, and has keys deleted that are given up. Returns whether all went well; what fails
    /// is tried again later.
    pub async fn send_waiting(&self) -> bool {
        let sending = async {
            let accounts = self.store.accounts()?;
            let signed_in = accounts.iter().filter(|account| account.tokens.is_some());
            let sent = join_all(signed_in.map(|account| self.send_due(&account.id))).await;
            self.engine.delete_keys().await;
            sent.into_iter().collect()
        };
        // The wallet is paused, or its store will say so to whoever reads it next; or the failure is in the outbox, or in
        // the account.
        let sent: Result<(), Error> = self.activity.run(sending).await;
        sent.is_ok()
    }

    async fn send_due(&self, account_id: &str) -> Result<(), Error> {
        if self.engine.next_due_ms(account_id)? == Some(0) {
            self.told(self.engine.send(account_id, self).await)?;
        }
        Ok(())
    }

    /// How long until something is due; `None` when nothing waits.
    pub fn next_due(&self) -> Option<Duration> {
        let accounts = self.store.accounts().ok()?;
        let signed_in = accounts.iter().filter(|account| account.tokens.is_some());
        let due = signed_in.filter_map(|account| self.engine.next_due_ms(&account.id).ok().flatten()).min();
        due.map(Duration::from_millis)
    }

    fn told(&self, result: Result<SyncReport, Error>) -> Result<SyncReport, Error> {
        if matches!(result, Err(Error::SignedOut)) {
            self.tell_accounts();
        }
        result
    }

    /// Accounts came, went, or lost their session. A store that cannot be read now is told by the call that needs it.
    pub fn tell_accounts(&self) {
        if let Ok(accounts) = accounts(&self.store) {
            self.state.change(|state| state.accounts = accounts);
        }
    }

    /// What waits may have changed, and tickets with it. A write that the person decided about is due.
    pub fn tell_outbox(&self, decided: Option<i64>) {
        if let Some(id) = decided {
            self.engine.pace.forget(id);
        }
        self.changed();
    }
}

impl Observer for Runner {
    /// Called after each page and each batch: what the wallet shows may have changed.
    fn progress(&self, progress: SyncProgress) {
        self.state.change(|state| {
            state.tickets_revision += 1;
            state.syncing.retain(|other| other.account_id != progress.account_id);
            state.syncing.push(progress);
        });
    }

    fn changed(&self) {
        if let Ok((waiting, undecided)) = self.store.count_outbox() {
            self.state.change(|state| {
                (state.waiting, state.undecided) = (waiting, undecided);
                state.tickets_revision += 1;
            });
        }
    }
}

fn accounts(store: &Store) -> Result<Vec<Account>, Error> {
    Ok(store.accounts()?.into_iter().map(Account::from).collect())
}
