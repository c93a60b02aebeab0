//! Syncs of a whole wallet: account by account, with a state that others can listen to.

use std::sync::Arc;

use super::engine::{Engine, SyncProgress, SyncReport};
use crate::error::Error;
use crate::events::Hub;
use crate::model::{Account, StoredAccount};
use crate::remote::RetryPolicy;
use crate::store::Store;

/// What a wallet is doing, and whether what it shows has changed. Each state stands for itself: one that was missed
/// takes nothing along.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct WalletState {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// Grows with every change of a ticket or barcode: when it is another, read again what is on the screen.
    pub tickets_revision: u64,
    /// The syncs under way.
    pub syncing: Vec<SyncProgress>,
}

opaque_debug!(WalletState, Runner);

/// Runs syncs and keeps the wallet's state.
pub struct Runner {
    store: Arc<Store>,
    engine: Engine,
    state: Hub<WalletState>,
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
        let state = Hub::new(WalletState { accounts, tickets_revision: 0, syncing: Vec::new() });
        Ok(Self { store, engine, state })
    }

    /// The wallet's state, to listen to.
    pub(crate) fn state(&self) -> &Hub<WalletState> {
        &self.state
    }

    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.engine.http.set_retry_policy(policy);
    }

    /// Signs in and keeps the account.
    ///
    /// # Errors
    /// As [`Engine::sign_in`].
    pub async fn sign_in(&self, account: StoredAccount, password: &str) -> Result<Account, Error> {
        let account = self.engine.sign_in(account, password).await?;
        self.tell_accounts();
        Ok(account.into())
    }

    /// Syncs one account, or all. An account that fails keeps no other from its sync; the first failure is told at the
    /// end.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an unknown account or none at all; as [`Engine::sync`].
    pub async fn sync(&self, account_id: Option<&str>) -> Result<SyncReport, Error> {
        let accounts = match account_id {
            Some(id) => vec![self.store.account(id)?],
            None => self.store.accounts()?,
        };
        if accounts.is_empty() {
            return Err(Error::NoAccount);
        }
        let mut report = SyncReport::default();
        let mut failure = None;
        for account in &accounts {
            match self.sync_one(account).await {
                Ok(one) => report = report.plus(one),
                Err(error) => failure = failure.or(Some(error)),
            }
        }
        failure.map_or(Ok(report), Err)
    }

    async fn sync_one(&self, account: &StoredAccount) -> Result<SyncReport, Error> {
        let _syncing = Syncing { runner: self, account_id: &account.id };
        let result = self.engine.sync(account, &|progress| self.tell_progress(progress)).await;
        if matches!(result, Err(Error::SignedOut)) {
            self.tell_accounts();
        }
        result
    }

    /// Called after each page and each batch: what the wallet shows may have changed.
    fn tell_progress(&self, progress: SyncProgress) {
        self.state.change(|state| {
            state.tickets_revision += 1;
            state.syncing.retain(|other| other.account_id != progress.account_id);
            state.syncing.push(progress);
        });
    }

    /// A store that cannot be read now is told by the call that needs it, not here.
    fn tell_accounts(&self) {
        if let Ok(accounts) = accounts(&self.store) {
            self.state.change(|state| state.accounts = accounts);
        }
    }
}

fn accounts(store: &Store) -> Result<Vec<Account>, Error> {
    Ok(store.accounts()?.into_iter().map(Account::from).collect())
}
