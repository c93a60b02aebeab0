//! Transfers: handing a ticket to somebody else, and taking it back.

use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::{Extension, stated, unix_seconds};
use crate::error::Error;
use crate::model::{Statement, TransferState};
use crate::remote::address::{join, segment};
use crate::remote::{Http, Refresh, Request, Session};

/// A transfer as the server tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct WireTransfer {
    /// Its id.
    pub id: String,
    /// The system's ticket id.
    pub ticket_id: String,
    /// Who shall get the ticket.
    pub recipient: String,
    /// Where it stands.
    pub state: TransferState,
    /// Until when it can be accepted, Unix seconds.
    pub expires_at: Option<i64>,
    /// Who hands it over; told to recipients.
    pub sender: Option<String>,
    /// The ticket's title; told to recipients.
    pub title: Option<String>,
    /// The system's event id; told to recipients.
    pub event_id: Option<String>,
}

opaque_debug!(WireTransfer);

#[derive(Deserialize)]
struct Body {
    id: String,
    ticket_id: String,
    #[serde(default)]
    recipient: String,
    state: String,
    #[serde(default)]
    expires_at: Option<String>,
    sender: Option<String>,
    title: Option<String>,
    event_id: Option<String>,
}

#[derive(Deserialize)]
struct List {
    items: Vec<Body>,
}

impl Extension {
    /// Hands a ticket over, and its credential with it where it has one: `POST /transfers`.
    ///
    /// # Errors
    /// As [`Extension::take_over`]; [`Error::Reply`] naming `ticket_id` for an answer about another ticket.
    pub async fn create_transfer(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        (ticket_id, recipient): (&str, &str),
        statement: Option<&Statement>,
    ) -> Result<WireTransfer, Error> {
        let mut body = json!({ "ticket_id": ticket_id, "recipient": recipient });
        if let Some(statement) = statement {
            body["surrender"] = stated(statement)?;
        }
        let call = (join(&self.base, "transfers")?, "POST /transfers");
        let reply = self.write(http, session, system, call, idempotency_key, &body).await?;
        let made = reply.json().map(Body::read)?;
        if made.ticket_id == ticket_id { Ok(made) } else { Err(reply.unreadable("ticket_id")) }
    }

    /// Takes a transfer back: `POST /transfers/{id}/cancel`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn cancel_transfer(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        id: &str,
    ) -> Result<WireTransfer, Error> {
        let url = join(&self.base, &format!("transfers/{}/cancel", segment(id)))?;
        self.end_transfer(http, session, system, idempotency_key, (url, "POST /transfers/:id/cancel")).await
    }

    /// Declines a transfer: `POST /transfers/{id}/decline`.
    ///
    /// # Errors
    /// As [`Extension::take_over`].
    pub async fn decline_transfer(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        id: &str,
    ) -> Result<WireTransfer, Error> {
        let url = join(&self.base, &format!("transfers/{}/decline", segment(id)))?;
        self.end_transfer(http, session, system, idempotency_key, (url, "POST /transfers/:id/decline")).await
    }

    async fn end_transfer(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        idempotency_key: &str,
        call: (Url, &'static str),
    ) -> Result<WireTransfer, Error> {
        let reply = self.write(http, session, system, call, idempotency_key, &json!({})).await?;
        reply.json().map(Body::read)
    }

    /// The transfers to the signed-in user: `GET /transfers?incoming`.
    ///
    /// # Errors
    /// As [`Extension::transfers`].
    pub async fn incoming_transfers(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
    ) -> Result<Vec<WireTransfer>, Error> {
        let mut url = join(&self.base, "transfers")?;
        url.query_pairs_mut().append_pair("incoming", "true");
        let request = || Request::get(url.clone(), "GET /transfers?incoming");
        let list: List = session.send(http, system, request).await?.json()?;
        Ok(list.items.into_iter().map(Body::read).collect())
    }

    /// The transfers that the signed-in user sent: `GET /transfers`.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn transfers(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
    ) -> Result<Vec<WireTransfer>, Error> {
        let url = join(&self.base, "transfers")?;
        let reply = session.send(http, system, || Request::get(url.clone(), "GET /transfers")).await?;
        let list: List = reply.json()?;
        Ok(list.items.into_iter().map(Body::read).collect())
    }

    /// One transfer that the signed-in user made: `GET /transfers/{id}`.
    ///
    /// # Errors
    /// As [`Extension::transfers`].
    pub async fn transfer(
        &self,
        http: &Http,
        session: &Session,
        system: &impl Refresh,
        id: &str,
    ) -> Result<WireTransfer, Error> {
        let url = join(&self.base, &format!("transfers/{}", segment(id)))?;
        let reply = session.send(http, system, || Request::get(url.clone(), "GET /transfers/:id")).await?;
        let found = reply.json().map(Body::read)?;
        if found.id == id { Ok(found) } else { Err(reply.unreadable("id")) }
    }
}

impl Body {
    fn read(self) -> WireTransfer {
        WireTransfer {
            id: self.id,
            ticket_id: self.ticket_id,
            recipient: self.recipient,
            state: TransferState::from_text(&self.state),
            expires_at: self.expires_at.as_deref().and_then(unix_seconds),
            sender: self.sender,
            title: self.title,
            event_id: self.event_id,
        }
    }
}
