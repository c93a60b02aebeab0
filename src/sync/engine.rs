//! One account's sync: pull page by page, then bind and renew.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex as AsyncMutex;

use super::TimeKeeper;
use crate::error::Error;
use crate::host::KeyVault;
use crate::model::{BarcodeProfile, PulledTicket, StoredAccount, TicketFormat, Tokens};
use crate::remote::bam::Bam;
use crate::remote::extension::Extension;
use crate::remote::{Http, Session};
use crate::store::{PageChanges, PageEnd, Store};

/// Items asked for at once.
const PAGE: u32 = 100;
/// More than anybody owns: a server whose list never ends is not followed for ever.
const MAX_ITEMS: u32 = 1_000_000;
/// The resource of the ticket list.
const TICKETS: &str = "tickets";

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
    /// Tickets the server has.
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
    /// Bindings and renewals that the server refused; each ticket says why.
    pub refused: u32,
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
            refused: self.refused + other.refused,
        }
    }

    fn add_page(&mut self, received: usize, changes: PageChanges) {
        self.received += u32::try_from(received).unwrap_or(u32::MAX);
        self.added += changes.added;
        self.changed += changes.changed;
        self.removed += changes.removed;
    }
}

/// Syncs accounts, one at a time.
pub struct Engine {
    pub(super) store: Arc<Store>,
    pub(super) vault: Arc<dyn KeyVault>,
    pub(super) http: Arc<Http>,
    pub(super) time: Arc<TimeKeeper>,
    pub(super) bind_ahead_s: i64,
    running: AsyncMutex<()>,
}

opaque_debug!(Engine);

/// One account's sync while it runs.
pub(super) struct Run<'a> {
    pub(super) engine: &'a Engine,
    pub(super) account: &'a StoredAccount,
    pub(super) bam: Bam,
    pub(super) session: Session,
    pub(super) progress: &'a (dyn Fn(SyncProgress) + Sync),
    pub(super) extensions: HashMap<Option<String>, Option<Extension>>,
    pub(super) report: SyncReport,
    /// The first failure of one tenant's server, told when the others were served.
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
        Self { store, vault, http, time, bind_ahead_s, running: AsyncMutex::new(()) }
    }

    /// Signs in and keeps the account.
    ///
    /// # Errors
    /// [`Error::Input`], [`Error::BadPassword`], as [`Http::send`], [`Error::Database`].
    pub async fn sign_in(&self, mut account: StoredAccount, password: &str) -> Result<StoredAccount, Error> {
        let bam = Bam::new(Arc::clone(&self.http), &account.config)?;
        account.tokens = Some(bam.login(&account.user_name, password).await?);
        self.store.save_account(&account)?;
        Ok(account)
    }

    /// Pulls an account's tickets, binds and renews.
    ///
    /// # Errors
    /// [`Error::SignedOut`] when the account must sign in; else whatever stopped it. Pages stored until then stay.
    pub async fn sync(
        &self,
        account: &StoredAccount,
        progress: &(dyn Fn(SyncProgress) + Sync),
    ) -> Result<SyncReport, Error> {
        let _one_at_a_time = self.running.lock().await;
        // Read anew: a sync before this one may have renewed the session.
        let account = &self.store.account(&account.id)?;
        let tokens = account.tokens.clone().ok_or(Error::SignedOut)?;
        let mut run = Run {
            engine: self,
            account,
            bam: Bam::new(Arc::clone(&self.http), &account.config)?,
            session: self.session(account, tokens),
            progress,
            extensions: HashMap::new(),
            report: SyncReport::default(),
            failure: None,
        };
        run.pull().await?;
        run.bind_and_renew().await?;
        run.failure.map_or(Ok(run.report), Err)
    }

    fn session(&self, account: &StoredAccount, tokens: Tokens) -> Session {
        let (store, id) = (Arc::clone(&self.store), account.id.clone());
        Session::new(tokens, Box::new(move |tokens| store.set_tokens(&id, tokens)))
    }
}

impl Run<'_> {
    async fn pull(&mut self) -> Result<(), Error> {
        let store = Arc::clone(&self.engine.store);
        let pull = store.begin_pull(&self.account.id, TICKETS)?;
        let mut position = 0_i64;
        loop {
            let offset = u32::try_from(position).ok().filter(|offset| *offset <= MAX_ITEMS);
            let offset = offset.ok_or(Error::Untrusted { what: "the server's ticket list does not end" })?;
            let page = self.bam.tickets(&self.session, &self.bam.pull_query(PAGE, offset)).await?;
            let mut tickets = Vec::with_capacity(page.items.len());
            for (ticket, record) in &page.items {
                let ticket = self.bam.normalise(&self.session, ticket, record).await?;
                tickets.push(self.with_profile(ticket).await?);
            }
            position += i64::try_from(tickets.len()).unwrap_or(i64::MAX);
            // An empty page before the end is no complete pull: what it lacks is not absent.
            let complete = page.total.is_none_or(|total| position >= total);
            let ended = complete || page.items.is_empty();
            let changes = store.store_page(
                &self.account.id,
                TICKETS,
                pull,
                &tickets,
                PageEnd { position, complete },
            )?;
            self.report.add_page(tickets.len(), changes);
            self.tell(
                SyncStage::Tickets,
                self.report.received,
                page.total.and_then(|total| u32::try_from(total).ok()),
            );
            if ended {
                return Ok(());
            }
        }
    }

    /// A SECURE ticket of a tenant that serves signed barcodes carries one; B.A.M itself gives no other code.
    async fn with_profile(&mut self, ticket: PulledTicket) -> Result<PulledTicket, Error> {
        let secure = ticket.format == TicketFormat::Secure;
        let signed = secure && self.extension(ticket.tenant.as_deref()).await?.is_some();
        Ok(PulledTicket {
            profile: if signed { BarcodeProfile::Signed } else { BarcodeProfile::None },
            ..ticket
        })
    }

    /// A tenant's extension where it serves credentials; asked for once in a sync. A tenant whose server does not answer
    /// counts as without one until the next sync.
    pub(super) async fn extension(&mut self, tenant: Option<&str>) -> Result<Option<&Extension>, Error> {
        let key = tenant.map(str::to_owned);
        if !self.extensions.contains_key(&key) {
            let found = Extension::discover(&self.engine.http, &self.bam.extension_base(tenant)?).await;
            let found = self.forgive(found)?.flatten();
            self.extensions.insert(key.clone(), found.filter(Extension::offers_credentials));
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
        (self.progress)(SyncProgress { account_id: self.account.id.clone(), stage, done, total });
    }
}
