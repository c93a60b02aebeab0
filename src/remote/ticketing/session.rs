//! Signing in: `POST /sessions`, and what is known of the session: `/sessions/active`.

use serde_json::json;
use zeroize::Zeroizing;

use super::super::unidy::raw::Members;
use super::record::{address, last_part};
use super::{Ticketing, body, is_header_value};
use crate::error::Error;
use crate::model::{TicketingAccess, Tokens};
use crate::remote::address::segment;
use crate::remote::{Reply, Request, Session};

const START: &str = "POST sessions";
const ACTIVE: &str = "GET sessions/active";
const END: &str = "DELETE sessions/active";

/// A session.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingSession {
    /// Its address below the API's.
    pub uri: Option<String>,
    /// When it began, in the server's words.
    pub started: Option<String>,
    /// The key that goes with each request; a server need not say it again.
    pub key: Option<Zeroizing<String>>,
    /// The number of the account.
    pub account: Option<String>,
    record: String,
}

opaque_debug!(TicketingSession);

impl TicketingSession {
    fn read(record: &str) -> Option<Self> {
        let members = Members::read(record)?;
        Some(Self {
            uri: members.text("self"),
            started: members.text("started"),
            key: members.text("key").filter(|key| is_header_value(key)).map(Zeroizing::new),
            account: address(&members, "account").map(|uri| last_part(&uri).to_owned()),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl Ticketing {
    /// Begins a session, or takes the password for the key that it is.
    ///
    /// # Errors
    /// [`Error::BadPassword`] when the server refuses the password or knows no such account; as [`super::Http::send`],
    /// [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`], [`Error::Reply`]; [`Error::Input`] naming
    /// `password` for a key that cannot stand in a header.
    pub async fn login(&self, user_name: &str, password: &str) -> Result<Tokens, Error> {
        if self.access() == TicketingAccess::IntegrationKey {
            if !is_header_value(password) {
                return Err(super::input("password", "a key is printable characters without spaces"));
            }
            let access = Zeroizing::new(password.to_owned());
            return Ok(Tokens { access, refresh: None, session_id: None });
        }
        let (session, access) = self.start_session(user_name, password).await?;
        let session_id = session.uri.map(Zeroizing::new);
        Ok(Tokens { access, refresh: None, session_id })
    }

    /// Begins a session; gives it and its key.
    ///
    /// # Errors
    /// As [`Ticketing::login`].
    pub async fn start_session(
        &self,
        identification: &str,
        password: &str,
    ) -> Result<(TicketingSession, Zeroizing<String>), Error> {
        let asked = json!({ "identification": identification, "password": password });
        let request = Request::post(self.url("sessions")?, START, &asked);
        let reply = match self.ask_with(self.config.app_key.as_deref(), request).await {
            Err(Error::Status { status: 401, .. }) => return Err(Error::BadPassword),
            Err(Error::Status { status: 404, server_code, .. })
                if server_code.as_deref() == Some(super::UNKNOWN_RESOURCE) =>
            {
                return Err(Error::BadPassword);
            }
            other => other?,
        };
        let session = read(&reply)?;
        let key = session.key.clone().ok_or_else(|| reply.unreadable("key"))?;
        Ok((session, key))
    }

    /// The session that a key belongs to.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`], [`Error::Reply`].
    pub async fn active_session(&self, session: &Session) -> Result<TicketingSession, Error> {
        let url = self.url("sessions/active")?;
        read(&self.ask(session, || Request::get(url.clone(), ACTIVE)).await?)
    }

    /// Ends a session on the server. One that is over already counts as ended; a key that is no session's is left alone.
    ///
    /// # Errors
    /// As [`super::Http::send`]; [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`].
    pub async fn end_session(&self, tokens: &Tokens) -> Result<(), Error> {
        if self.access() == TicketingAccess::IntegrationKey {
            return Ok(());
        }
        let request = Request::delete(self.url("sessions/active")?, END);
        match self.ask_with(Some(&tokens.access), request).await {
            Err(Error::Status { status: 401 | 403 | 404, .. }) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Whether the server no longer knows a session: asking for the session itself is refused. What cannot be told now is
    /// no reason to end it.
    pub(super) async fn is_over(&self, session: &Session) -> bool {
        if self.access() == TicketingAccess::IntegrationKey {
            return false;
        }
        let Ok(url) = self.url("sessions/active") else { return false };
        let reply = session.send(&self.http, self, || self.timed(Request::get(url.clone(), ACTIVE))).await;
        match reply {
            Ok(reply) => matches!(reply.status, 403 | 404),
            Err(error) => error == Error::SignedOut,
        }
    }

    /// The address of the account whose tickets are listed.
    ///
    /// # Errors
    /// As [`Ticketing::active_session`]; [`Error::Input`] naming `account` for a key without one.
    pub async fn account_uri(&self, session: &Session) -> Result<String, Error> {
        Ok(format!("/accounts/{}", segment(&self.account(session).await?)))
    }

    /// The number of the account whose tickets are listed.
    pub(super) async fn account(&self, session: &Session) -> Result<String, Error> {
        let lock = || self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(number) = self.config.account.clone().or_else(|| lock().clone()) {
            return Ok(number);
        }
        if self.access() == TicketingAccess::IntegrationKey {
            return Err(super::input("account", "a key has no account of its own; name the one to list"));
        }
        let found = self.active_session(session).await?.account;
        let unreadable = || Error::Reply { endpoint: ACTIVE.to_owned(), field: "account".to_owned() };
        let number = found.filter(|number| !number.is_empty()).ok_or_else(unreadable)?;
        *lock() = Some(number.clone());
        Ok(number)
    }
}

fn read(reply: &Reply) -> Result<TicketingSession, Error> {
    TicketingSession::read(body(reply)?.get()).ok_or_else(|| reply.unreadable("body"))
}
