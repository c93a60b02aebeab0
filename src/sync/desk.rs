//! What needs the network now and waits in no outbox: an account's desk, at which one thing is done at a time.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::OwnedMutexGuard;

use super::engine::Engine;
use crate::error::Error;
use crate::model::StoredAccount;
use crate::remote::bam::Bam;
use crate::remote::texpo::Texpo;
use crate::remote::ticketing::Ticketing;
use crate::remote::unidy::Unidy;
use crate::remote::{Connector, Session};

/// An account's client and session, while nobody else works for the account: a session that two renew at a time is lost.
pub struct Desk<'a> {
    pub(super) engine: &'a Engine,
    pub(super) account: StoredAccount,
    pub(super) system: Connector,
    pub(super) session: Session,
    /// How many requests had been sent when the last write was begun.
    pub(super) sent_before: AtomicU64,
    _turn: OwnedMutexGuard<()>,
}

opaque_debug!(Desk<'_>);

impl Engine {
    /// An account's desk, when its sync and whatever else is under way for it is over.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::SignedOut`], [`Error::Input`], [`Error::Database`].
    pub async fn desk(&self, account_id: &str) -> Result<Desk<'_>, Error> {
        let turn = self.turn(account_id).lock_owned().await;
        let account = self.store.account(account_id)?;
        let tokens = account.tokens.clone().ok_or(Error::SignedOut)?;
        let system = self.connector(&account)?;
        let session = self.session(&account, tokens);
        let sent_before = AtomicU64::new(0);
        Ok(Desk { engine: self, account, system, session, sent_before, _turn: turn })
    }
}

impl Desk<'_> {
    pub(super) fn bam(&self) -> Result<&Bam, Error> {
        self.system.bam().ok_or_else(|| not_offered("only B.A.M has this"))
    }

    pub(super) fn unidy(&self) -> Result<&Unidy, Error> {
        self.system.unidy().ok_or_else(|| not_offered("only Unidy has this"))
    }

    pub(super) fn ticketing(&self) -> Result<&Ticketing, Error> {
        self.system.ticketing().ok_or_else(|| not_offered("only TickeTing has this"))
    }

    pub(super) fn texpo(&self) -> Result<&Texpo, Error> {
        self.system.texpo().ok_or_else(|| not_offered("only TEXPO has this"))
    }

    /// The tenant to ask: the one that is named, else the configuration's.
    pub(super) fn tenant<'b>(&'b self, named: Option<&'b str>) -> Option<&'b str> {
        named.or(self.account.config.default_tenant.as_deref())
    }

    pub(super) fn now_s(&self) -> Result<i64, Error> {
        Ok(self.engine.time.now()?.unix_s())
    }

    pub(super) fn store(&self) -> &Arc<crate::store::Store> {
        &self.engine.store
    }
}

fn not_offered(reason: &str) -> Error {
    Error::Input { field: "account_id", reason: reason.to_owned() }
}
