//! A signed-in session: adds the token, renews it once when it has ended, repeats the request once.

use std::sync::{Mutex, PoisonError};

use tokio::sync::Mutex as AsyncMutex;
use zeroize::Zeroizing;

use super::http::{Http, Reply, Request};
use crate::error::Error;
use crate::model::Tokens;

/// Keeps tokens that a server changed; called before they are used, for a rotated refresh token works only once.
pub type SessionKeeper = Box<dyn Fn(Option<&Tokens>) -> Result<(), Error> + Send + Sync>;

/// How a system renews a session.
pub trait Refresh: Sync {
    /// Trades a refresh token for new tokens; [`Error::SignedOut`] when it is not accepted.
    fn refresh(&self, http: &Http, refresh: &str) -> impl Future<Output = Result<Tokens, Error>> + Send;
}

/// The session of one account.
pub struct Session {
    tokens: Mutex<Tokens>,
    renewing: AsyncMutex<()>,
    keep: SessionKeeper,
}

opaque_debug!(Session);

impl Session {
    /// A session with these tokens.
    pub fn new(tokens: Tokens, keep: SessionKeeper) -> Self {
        Self { tokens: Mutex::new(tokens), renewing: AsyncMutex::new(()), keep }
    }

    /// Sends what `request` builds. On 401 the session is renewed once and the request, built anew, repeated once.
    ///
    /// # Errors
    /// As [`Http::send`]; [`Error::SignedOut`] when the session cannot be renewed.
    pub async fn send<'a>(
        &self,
        http: &Http,
        system: &impl Refresh,
        request: impl Fn() -> Request<'a>,
    ) -> Result<Reply, Error> {
        let used = self.access();
        let reply = http.send(Request { bearer: Some(used.clone()), ..request() }).await?;
        if reply.status != 401 {
            return Ok(reply);
        }
        self.renew(http, system, &used).await?;
        let reply = http.send(Request { bearer: Some(self.access()), ..request() }).await?;
        if reply.status == 401 { self.end() } else { Ok(reply) }
    }

    /// Renews the session unless somebody else did since `used` was read.
    async fn renew(&self, http: &Http, system: &impl Refresh, used: &str) -> Result<(), Error> {
        let _one_at_a_time = self.renewing.lock().await;
        let (current, refresh) = {
            let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
            (tokens.access.clone(), tokens.refresh.clone())
        };
        if *current != used {
            return Ok(());
        }
        let Some(refresh) = refresh else { return self.end() };
        match system.refresh(http, &refresh).await {
            Ok(mut tokens) => {
                tokens.refresh = tokens.refresh.or(Some(refresh));
                (self.keep)(Some(&tokens))?;
                *self.tokens.lock().unwrap_or_else(PoisonError::into_inner) = tokens;
                Ok(())
            }
            Err(Error::SignedOut) => self.end(),
            Err(other) => Err(other),
        }
    }

    fn end<T>(&self) -> Result<T, Error> {
        (self.keep)(None)?;
        Err(Error::SignedOut)
    }

    fn access(&self) -> Zeroizing<String> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).access.clone()
    }
}
