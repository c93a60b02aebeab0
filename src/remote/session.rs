//! A signed-in session: adds the token, renews it once when it has ended, repeats the request once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use zeroize::Zeroizing;

use super::http::{Http, Reply, Request};
use crate::error::Error;
use crate::model::Tokens;

/// Keeps tokens that a server changed; called before they are used, for a rotated refresh token works only once.
pub type SessionKeeper = Box<dyn Fn(Option<&Tokens>) -> Result<(), Error> + Send + Sync>;

/// How a system knows a session and renews it.
pub trait Refresh: Sync {
    /// Trades a session's refresh token for new tokens; [`Error::SignedOut`] when it is not accepted.
    fn refresh(&self, http: &Http, tokens: &Tokens) -> impl Future<Output = Result<Tokens, Error>> + Send;

    /// Whether a session without a refresh token can be renewed all the same: a server's own, by its secret.
    fn renews_by_itself(&self) -> bool {
        false
    }

    /// Whether a reply says that the access token does not count (any more): by default, 401.
    fn is_refused(&self, reply: &Reply) -> bool {
        reply.status == 401
    }

    /// Signs a request with the access token: by default as `Authorization: Bearer`.
    fn authorise(&self, request: &mut Request<'_>, access: Zeroizing<String>) {
        request.bearer = Some(access);
    }
}

/// The session of one account.
pub struct Session {
    /// `None` once it has ended.
    tokens: Mutex<Option<Tokens>>,
    renewing: AsyncMutex<()>,
    keep: SessionKeeper,
    sent: AtomicU64,
}

opaque_debug!(Session);

impl Session {
    /// A session with these tokens.
    pub fn new(tokens: Tokens, keep: SessionKeeper) -> Self {
        let sent = AtomicU64::new(0);
        Self { tokens: Mutex::new(Some(tokens)), renewing: AsyncMutex::new(()), keep, sent }
    }

    /// How many requests of the account were handed over to be sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends what `request` builds. On 401, or what else the system says it by, the session is renewed once and the request, built anew, repeated once.
    ///
    /// # Errors
    /// As [`Http::send`], the renewal's included: a session that cannot be renewed for now goes on with the same tokens.
    /// [`Error::SignedOut`] when it is over; then nothing more is sent.
    pub async fn send<'a>(
        &self,
        http: &Http,
        system: &impl Refresh,
        request: impl Fn() -> Request<'a>,
    ) -> Result<Reply, Error> {
        let used = self.tokens()?.access;
        let signed = |access: &Zeroizing<String>| {
            let mut request = request();
            self.sent.fetch_add(1, Ordering::Relaxed);
            system.authorise(&mut request, access.clone());
            request
        };
        let reply = http.send(signed(&used)).await?;
        if !system.is_refused(&reply) {
            return Ok(reply);
        }
        let renewed = self.renew(http, system, &used).await?;
        let reply = http.send(signed(&renewed)).await?;
        if !system.is_refused(&reply) {
            return Ok(reply);
        }
        let _no_renewal_meanwhile = self.renewing.lock().await;
        // A token that was renewed again since says nothing about the session.
        if self.tokens()?.access == renewed { self.end() } else { Ok(reply) }
    }

    /// Renews the session unless somebody else did since `used` was read; gives the access token that counts now.
    async fn renew(
        &self,
        http: &Http,
        system: &impl Refresh,
        used: &str,
    ) -> Result<Zeroizing<String>, Error> {
        let _one_at_a_time = self.renewing.lock().await;
        let before = self.tokens()?;
        if *before.access != used {
            return Ok(before.access);
        }
        if before.refresh.is_none() && !system.renews_by_itself() {
            return self.end();
        }
        match system.refresh(http, &before).await {
            Ok(mut tokens) => {
                tokens.refresh = tokens.refresh.or(before.refresh);
                tokens.session_id = tokens.session_id.or(before.session_id);
                (self.keep)(Some(&tokens))?;
                let access = tokens.access.clone();
                *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = Some(tokens);
                Ok(access)
            }
            Err(Error::SignedOut) => self.end(),
            Err(other) => Err(other),
        }
    }

    /// Ends it: the server no longer knows it.
    pub(super) fn end<T>(&self) -> Result<T, Error> {
        *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = None;
        (self.keep)(None)?;
        Err(Error::SignedOut)
    }

    fn tokens(&self) -> Result<Tokens, Error> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or(Error::SignedOut)
    }
}
