//! One account's sync: send what waits, pull page by page, then bind and renew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Mutex as AsyncMutex;

use super::TimeKeeper;
use super::pace::Pace;
use crate::device::ask;
use crate::error::Error;
use crate::host::KeyVault;
use crate::model::{StoredAccount, Tokens, WriteState};
use crate::remote::extension::Extension;
use crate::remote::{Connector, Http, Session};
use crate::store::{PageChanges, Store};

/// Signing out waits no longer for a server to end the session.
const END_SESSION: Duration = Duration::from_secs(3);

/// What a sync is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum SyncStage {
    /// Fetching tickets.
    Tickets,
    /// Binding tickets to this device and renewing leases.
    Barcodes,
}

/// How far a sync is.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SyncProgress {
    /// Which account.
    pub account_id: String,
    /// What is being done.
    pub stage: SyncStage,
    /// Items done.
    pub done: u32,
    /// Items in all, where it is known.
    pub total: Option<u32>,
}

/// What a sync did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Tickets that came from the server; 0 when it said that nothing has changed.
    pub received: u32,
    /// Tickets that were not here before.
    pub added: u32,
    /// Tickets whose record changed.
    pub changed: u32,
    /// Tickets gone from the server for the second time in a row.
    pub removed: u32,
    /// Tickets bound to this device.
    pub bound: u32,
    /// Leases renewed.
    pub renewed: u32,
    /// Codes that never change, fetched.
    pub codes: u32,
    /// Bindings and renewals that the server refused; each ticket says why.
    pub refused: u32,
    /// Changes of the person that reached their servers.
    pub sent: u32,
    /// Changes that wait to be sent by themselves.
    pub waiting: u32,
    /// Changes that were rejected, or whose outcome nothing tells, in this sync.
    pub rejected: u32,
}

impl SyncReport {
    /// The sums of two reports.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            received: self.received + other.received,
            added: self.added + other.added,
            changed: self.changed + other.changed,
            removed: self.removed + other.removed,
            bound: self.bound + other.bound,
            renewed: self.renewed + other.renewed,
            codes: self.codes + other.codes,
            refused: self.refused + other.refused,
            sent: self.sent + other.sent,
            waiting: self.waiting + other.waiting,
            rejected: self.rejected + other.rejected,
        }
    }

    pub(super) fn add_page(&mut self, received: usize, changes: PageChanges) {
        self.received += u32::try_from(received).unwrap_or(u32::MAX);
        self.added += changes.added;
        self.changed += changes.changed;
        self.removed += changes.removed;
    }
}

/// Syncs accounts, each of them once at a time.
pub struct Engine {
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) http: Arc<Http>,
    pub(super) time: Arc<TimeKeeper>,
    pub(super) bind_ahead_s: i64,
    pub(super) pace: Pace,
    turns: Mutex<HashMap<String, Arc<AsyncMutex<()>>>>,
}

/// Hears how a sync goes on.
pub trait Observer: Sync {
    /// A stage has come this far.
    fn progress(&self, progress: SyncProgress);
    /// What waits in the outbox has changed.
    fn changed(&self);
}

opaque_debug!(Engine);

/// One account's sync while it runs.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) account: &'a StoredAccount,
    pub(super) system: Connector,
    pub(super) session: Session,
    pub(super) observer: &'a dyn Observer,
    pub(super) extensions: HashMap<Option<String>, Option<Extension>>,
    pub(super) report: SyncReport,
    /// Bindings and renewals of this sync: planned, and done.
    pub(super) barcodes_planned: u32,
    pub(super) barcodes_done: u32,
    /// The first failure of one tenant's server or of the vault, told when the others were served.
    pub(super) failure: Option<Error>,
}

impl Engine {
    /// An engine that binds tickets of events starting within `bind_ahead_s` seconds.
    pub fn new(
        store: Arc<Store>,
        vault: Arc<dyn KeyVault>,
        http: Arc<Http>,
        time: Arc<TimeKeeper>,
        bind_ahead_s: i64,
    ) -> Self {
        let pace = Pace::new(time.clock());
        Self { store, vault, http, time, bind_ahead_s, pace, turns: Mutex::default() }
    }

    /// Sends what waits, pulls an account's tickets, binds and renews.
    ///
    /// # Errors
    /// [`Error::SignedOut`] when the account must sign in; else whatever stopped it. Pages stored until then stay.
    pub async fn sync(&self, account_id: &str, observer: &dyn Observer) -> Result<SyncReport, Error> {
        let turn = self.turn(account_id);
        let _one_at_a_time = turn.lock().await;
        // Read under the lock: a sync before this one may have renewed the session.
        let account = self.store.account(account_id)?;
        let mut run = self.begin(&account, observer)?;
        run.send_outbox().await?;
        run.pull().await?;
        run.settle_paid()?;
        run.refresh_transfers().await?;
        run.refresh_listings().await?;
        run.refresh_handovers().await?;
        run.plan_barcodes().await?;
        run.fetch_codes().await?;
        run.send_outbox().await?;
        run.end()
    }

    /// Sends what waits, and nothing else.
    ///
    /// # Errors
    /// As [`Engine::sync`].
    pub async fn send(&self, account_id: &str, observer: &dyn Observer) -> Result<SyncReport, Error> {
        let turn = self.turn(account_id);
        let _one_at_a_time = turn.lock().await;
        let account = self.store.account(account_id)?;
        let mut run = self.begin(&account, observer)?;
        let waited: HashSet<i64> = self.store.sendable(account_id)?.iter().map(|row| row.id).collect();
        let sent = run.send_outbox().await;
        // Whatever kept a write from its turn, it is not tried again at once. One that came meanwhile has its turn next.
        self.put_off(account_id, &waited)?;
        sent?;
        run.end()
    }

    /// Sends one write now, and nothing else; returns whether it was.
    ///
    /// # Errors
    /// As [`Engine::sync`]; what kept it from its outcome.
    pub async fn send_now(&self, account_id: &str, id: i64, observer: &dyn Observer) -> Result<bool, Error> {
        let turn = self.turn(account_id);
        let _one_at_a_time = turn.lock().await;
        let account = self.store.account(account_id)?;
        let mut run = self.begin(&account, observer)?;
        let rows = match self.store.outbox_row(id) {
            // Discarded meanwhile.
            Err(Error::NotFound { .. }) => return Ok(false),
            row => vec![row?],
        };
        let mut is_settled = false;
        match run.attempt(rows.clone()).await {
            Ok(outcomes) => {
                is_settled = !outcomes.is_empty();
                run.settle(outcomes)?;
            }
            Err(error) => run.failed(&rows, error)?,
        }
        self.delete_keys().await;
        run.end().map(|_| is_settled)
    }

    /// Whoever holds this lock works for the account, and nobody else does.
    pub(super) fn turn(&self, account_id: &str) -> Arc<AsyncMutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(turns.entry(account_id.to_owned()).or_default())
    }

    fn put_off(&self, account_id: &str, waited: &HashSet<i64>) -> Result<(), Error> {
        let rows = self.store.sendable(account_id)?;
        rows.iter()
            .filter(|row| waited.contains(&row.id) && self.pace.is_due(row.id))
            .try_for_each(|row| self.pace.delay(row.id, &self.http))
    }

    /// Removes an account and what belongs to it, when nothing of it is under way.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Input`] while changes wait that are not to be discarded, [`Error::Database`].
    pub async fn sign_out(&self, account_id: &str, discard_changes: bool) -> Result<(), Error> {
        let turn = self.turn(account_id);
        let _nothing_else = turn.lock().await;
        let account = self.store.account(account_id)?;
        self.store.remove_account(&account.id, discard_changes)?;
        self.delete_keys().await;
        self.end_session(&account).await;
        Ok(())
    }

    /// Has the server end a session that nobody has any more (TickeTing), if it does so now: signing out waits for it no
    /// longer than a moment, and is none the less for its failure.
    async fn end_session(&self, account: &StoredAccount) {
        let (Ok(system), Some(tokens)) = (self.connector(account), &account.tokens) else { return };
        let Some(ticketing) = system.ticketing() else { return };
        drop(tokio::time::timeout(END_SESSION, ticketing.end_session(tokens)).await);
    }

    /// Has the vault delete the keys of credentials that were given up, of whatever account, be it gone itself. One that
    /// it does not delete now is tried again at the next sync, or when something is sent or the wallet is opened.
    pub(super) async fn delete_keys(&self) {
        let doomed = self.store.doomed_keys().unwrap_or_default();
        // What was deleted with the key still stands in the log's earlier pages.
        let forgotten = doomed.is_empty() || self.store.forget_traces().is_ok();
        fail::fail_point!("traces-forgotten");
        for handle in doomed {
            let key = handle.clone();
            let deleted = ask(&self.vault, move |vault| Ok(vault.delete_key(key)?)).await;
            fail::fail_point!("key-deleted");
            if forgotten && deleted.is_ok() && self.store.forget_doomed_key(&handle).is_err() {
                return;
            }
        }
    }

    /// Milliseconds until the next waiting write of an account is due; `None` when nothing waits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn next_due_ms(&self, account_id: &str) -> Result<Option<u64>, Error> {
        let rows = self.store.sendable(account_id)?;
        Ok(rows.iter().map(|row| self.pace.left_ms(row.id)).min())
    }

    fn begin<'a>(&'a self, account: &'a StoredAccount, observer: &'a dyn Observer) -> Result<Run<'a>, Error> {
        let tokens = account.tokens.clone().ok_or(Error::SignedOut)?;
        Ok(Run {
            engine: self,
            account,
            system: self.connector(account)?,
            session: self.session(account, tokens),
            observer,
            extensions: HashMap::new(),
            report: SyncReport::default(),
            barcodes_planned: 0,
            barcodes_done: 0,
            failure: None,
        })
    }

    pub(super) fn connector(&self, account: &StoredAccount) -> Result<Connector, Error> {
        Connector::new(Arc::clone(&self.http), account.system, &account.config)
    }

    pub(super) fn session(&self, account: &StoredAccount, tokens: Tokens) -> Session {
        let (store, id) = (Arc::clone(&self.store), account.id.clone());
        Session::new(tokens, Box::new(move |tokens| store.set_tokens(&id, tokens)))
    }
}

impl Run<'_> {
    fn end(mut self) -> Result<SyncReport, Error> {
        let waiting = self.engine.store.outbox(Some(&self.account.id), None)?;
        let waiting =
            waiting.iter().filter(|row| matches!(row.state, WriteState::Waiting | WriteState::Sent));
        self.report.waiting = u32::try_from(waiting.count()).unwrap_or(u32::MAX);
        self.failure.map_or(Ok(self.report), Err)
    }

    /// A tenant's extension where it serves credentials; asked for once in a sync. A tenant whose server does not answer
    /// counts as without one until the next sync.
    pub(super) async fn extension(&mut self, tenant: Option<&str>) -> Result<Option<&Extension>, Error> {
        let found = self.discovered(tenant).await?;
        Ok(found.filter(|extension| extension.offers_credentials()))
    }

    /// A tenant's extension, or with `None` that of the address at which the account signed in.
    pub(super) async fn discovered(&mut self, tenant: Option<&str>) -> Result<Option<&Extension>, Error> {
        let key = tenant.map(str::to_owned);
        if !self.extensions.contains_key(&key) {
            let found = match self.system.looks_for_extension() {
                true => {
                    let base = self.system.extension_base(tenant)?;
                    let found = Extension::discover(self.system.http(), &base).await;
                    self.forgive(found)?.flatten()
                }
                false => None,
            };
            self.extensions.insert(key.clone(), found);
        }
        Ok(self.extensions.get(&key).and_then(Option::as_ref))
    }

    /// Keeps the failure of one tenant's server for later, so that it keeps no other tenant from its turn.
    pub(super) fn forgive<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Err(error) if error.is_remote() => {
                self.failure.get_or_insert(error);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    pub(super) fn tell(&self, stage: SyncStage, done: u32, total: Option<u32>) {
        let account_id = self.account.id.clone();
        self.observer.progress(SyncProgress { account_id, stage, done, total });
    }
}
