//! Handing a ticket to somebody: `api/sdk/v1/tickets/:id/transfer` and `api/sdk/v1/ticket_transfers`.
//!
//! A refusal is an [`Error::Status`] whose code is the server's identifier: `feature_disabled`, `not_ticket_owner`,
//! `not_transfer_sender`, `offer_email_failed`, `recipient_invite_failed`, `recipient_is_owner`, `recipient_mismatch`,
//! `ticket_already_transferred`, `ticket_not_active`, `transfer_already_pending`, `transfer_expired`,
//! `transfer_not_pending`.
//!
//! Nothing tells a repeated request from a new one. A ticket has one pending transfer at most, so that a lost answer is read
//! back from the list, and a second offer is refused as `transfer_already_pending`.

use serde_json::{Value, json};
use url::Url;
use zeroize::Zeroizing;

use super::raw::{self, Members};
use super::record::{UnidyTicket, unix_seconds};
use super::{Unidy, body};
use crate::error::Error;
use crate::model::{TransferState, UnidyApi};
use crate::remote::address::segment;
use crate::remote::{Reply, Request, Session};

/// A transfer.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyTransfer {
    /// Its id, which whoever answers it must show.
    pub token: Zeroizing<String>,
    /// Where it stands.
    pub status: TransferState,
    /// To whom.
    pub recipient_email: Option<String>,
    /// From whom.
    pub sender_email: Option<String>,
    /// Until when it can be accepted, Unix seconds.
    pub expires_at: Option<i64>,
    /// When it was made, Unix seconds.
    pub created_at: Option<i64>,
    /// The ticket, as far as the server shows it.
    pub ticket: Option<UnidyTicket>,
}

/// The transfers that are pending and have not expired.
#[derive(Clone, PartialEq, Eq)]
pub struct UnidyTransfers {
    /// To the person who is signed in.
    pub incoming: Vec<UnidyTransfer>,
    /// From them.
    pub outgoing: Vec<UnidyTransfer>,
}

opaque_debug!(UnidyTransfer, UnidyTransfers);

impl Unidy {
    /// The pending transfers of the person who is signed in: `GET api/sdk/v1/ticket_transfers`.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`]; [`Error::Input`] naming `api` where the account is not of
    /// the SDK's API.
    pub async fn transfers(&self, session: &Session) -> Result<UnidyTransfers, Error> {
        self.needs(UnidyApi::Sdk)?;
        let url = self.sdk("ticket_transfers")?;
        let request = || Request::get(url.clone(), "GET api/sdk/v1/ticket_transfers");
        let reply = session.send(&self.http, self, request).await?;
        let body = body(&reply)?;
        let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("incoming"))?;
        let list = |name: &str| {
            let items = members.raw(name).map_or_else(|| Some(Vec::new()), raw::items);
            let items = items.ok_or_else(|| reply.unreadable(name))?.into_iter().enumerate();
            let read = items.map(|(index, item)| {
                transfer(item).ok_or_else(|| reply.unreadable(&format!("{name}[{index}].token")))
            });
            read.collect::<Result<_, Error>>()
        };
        Ok(UnidyTransfers { incoming: list("incoming")?, outgoing: list("outgoing")? })
    }

    /// Offers a ticket to somebody by e-mail: `POST api/sdk/v1/tickets/:id/transfer`.
    ///
    /// # Errors
    /// As [`Unidy::transfers`].
    pub async fn create_transfer(
        &self,
        session: &Session,
        ticket_id: &str,
        recipient_email: &str,
    ) -> Result<UnidyTransfer, Error> {
        let url = self.sdk(&format!("tickets/{}/transfer", segment(ticket_id)))?;
        let body = json!({ "recipient_email": recipient_email });
        self.transfer_call(session, url, "POST api/sdk/v1/tickets/:id/transfer", &body).await
    }

    /// Takes a ticket that was offered: `POST api/sdk/v1/ticket_transfers/:token/accept`.
    ///
    /// # Errors
    /// As [`Unidy::transfers`].
    pub async fn accept_transfer(&self, session: &Session, token: &str) -> Result<UnidyTransfer, Error> {
        let endpoint = "POST api/sdk/v1/ticket_transfers/:token/accept";
        self.transfer_call(session, self.answer_url(token, "accept")?, endpoint, &json!({})).await
    }

    /// Turns an offer down: `POST api/sdk/v1/ticket_transfers/:token/decline`.
    ///
    /// # Errors
    /// As [`Unidy::transfers`].
    pub async fn decline_transfer(&self, session: &Session, token: &str) -> Result<UnidyTransfer, Error> {
        let endpoint = "POST api/sdk/v1/ticket_transfers/:token/decline";
        self.transfer_call(session, self.answer_url(token, "decline")?, endpoint, &json!({})).await
    }

    /// Takes an own offer back: `POST api/sdk/v1/ticket_transfers/:token/cancel`.
    ///
    /// # Errors
    /// As [`Unidy::transfers`].
    pub async fn cancel_transfer(&self, session: &Session, token: &str) -> Result<UnidyTransfer, Error> {
        let endpoint = "POST api/sdk/v1/ticket_transfers/:token/cancel";
        self.transfer_call(session, self.answer_url(token, "cancel")?, endpoint, &json!({})).await
    }

    fn answer_url(&self, token: &str, answer: &str) -> Result<Url, Error> {
        self.sdk(&format!("ticket_transfers/{}/{answer}", segment(token)))
    }

    async fn transfer_call(
        &self,
        session: &Session,
        url: Url,
        endpoint: &'static str,
        body: &Value,
    ) -> Result<UnidyTransfer, Error> {
        self.needs(UnidyApi::Sdk)?;
        let request = || Request::post(url.clone(), endpoint, body);
        let reply = session.send(&self.http, self, request).await?;
        read(&reply)
    }
}

fn read(reply: &Reply) -> Result<UnidyTransfer, Error> {
    transfer(body(reply)?.get()).ok_or_else(|| reply.unreadable("token"))
}

/// Unidy writes `canceled`.
fn state(text: String) -> TransferState {
    if text.eq_ignore_ascii_case("canceled") {
        TransferState::Cancelled
    } else {
        TransferState::from_text(&text)
    }
}

fn transfer(json: &str) -> Option<UnidyTransfer> {
    let members = Members::read(json)?;
    let time = |name: &str| unix_seconds(&members.text(name)?);
    Some(UnidyTransfer {
        token: members.label("token").filter(|token| !token.is_empty()).map(Zeroizing::new)?,
        status: state(members.text("status").unwrap_or_default()),
        recipient_email: members.text("recipient_email"),
        sender_email: members.text("sender_email"),
        expires_at: time("expires_at"),
        created_at: time("created_at"),
        ticket: members.raw("ticket").and_then(UnidyTicket::read),
    })
}
