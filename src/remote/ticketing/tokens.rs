//! Admission tokens: `/events/{event}/tokens`, and what one lets in to: `GET /tokens/{code}`.
//!
//! Nothing tells a repeated request from a new one: a lost answer to a new token is read back from the list, and two tokens
//! of the same sections are told apart by their codes alone, which the server chooses.

use serde_json::json;

use super::super::unidy::raw::Members;
use super::page::{List, PageQuery, Parameters, TicketingPage};
use super::record::{address, addresses, checked, last_part};
use super::{Ticketing, body, input, is_header_value};
use crate::error::Error;
use crate::model::{AdmissionToken, GateAccess, TokenQuery};
use crate::remote::address::segment;
use crate::remote::bounds;
use crate::remote::{Reply, Request, Session};

const ISSUE: &str = "POST events/:event/tokens";
const LIST: &str = "GET events/:event/tokens";
const GET: &str = "GET events/:event/tokens/:token";
const UPDATE: &str = "PUT events/:event/tokens/:token";
const DELETE: &str = "DELETE events/:event/tokens/:token";
const LOOK_UP: &str = "GET tokens/:code";

impl AdmissionToken {
    /// Reads a record. `None` when it is no object, has no address, or nests deeper than 100 levels.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let uri = members.label("self").filter(|uri| !last_part(uri).is_empty())?;
        Some(Self {
            id: last_part(&uri).to_owned(),
            uri,
            code: members.label("code"),
            global: members.flag("global").unwrap_or_default(),
            sections: members.raw("sections").and_then(addresses).unwrap_or_default(),
            body_json: record.to_owned(),
        })
    }

    /// Whether it is good for just these sections, in whatever order and under whatever event's address.
    pub fn is_for(&self, sections: &[String]) -> bool {
        let ids = |all: &[String]| -> std::collections::BTreeSet<String> {
            all.iter().map(|uri| last_part(uri).to_owned()).collect()
        };
        ids(&self.sections) == ids(sections)
    }
}

impl Ticketing {
    /// Issues a token for sections, each named by its address or its id.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::UpgradeNeeded`], [`Error::ServerFault`], [`Error::Reply`];
    /// [`Error::Input`] naming `event_id` or `sections`.
    pub async fn issue_token(
        &self,
        session: &Session,
        event_id: &str,
        sections: &[String],
    ) -> Result<AdmissionToken, Error> {
        let url = self.event_url(event_id, "/tokens")?;
        let asked = json!({ "sections": section_uris(event_id, sections)? });
        read(&self.ask(session, || Request::post(url.clone(), ISSUE, &asked)).await?)
    }

    /// One page of an event's tokens.
    ///
    /// # Errors
    /// As [`Ticketing::issue_token`].
    pub async fn tokens(
        &self,
        session: &Session,
        event_id: &str,
        query: &TokenQuery,
    ) -> Result<TicketingPage<AdmissionToken>, Error> {
        let page = PageQuery { page: query.page, records: query.records };
        let global = query.global.map(|global| global.to_string());
        let list = List {
            url: self.event_url(event_id, "/tokens")?,
            endpoint: LIST,
            page,
            parameters: Parameters::default().with("global", global).and(Parameters::of(page)),
        };
        self.list(session, list, AdmissionToken::read).await
    }

    /// A single token.
    ///
    /// # Errors
    /// As [`Ticketing::issue_token`]; [`Error::Status`] with 404 for one that there is not.
    pub async fn token(
        &self,
        session: &Session,
        event_id: &str,
        token_id: &str,
    ) -> Result<AdmissionToken, Error> {
        let url = self.token_url(event_id, token_id)?;
        read(&self.ask(session, || Request::get(url.clone(), GET)).await?)
    }

    /// Makes a token good for just these sections, and gives it as the server has it then.
    ///
    /// # Errors
    /// As [`Ticketing::issue_token`]; [`Error::Status`] with 409 for the event's own token. A failed reading after it was
    /// changed is an [`Error::Reply`], which [`Error::is_uncertain`] tells.
    pub async fn update_token(
        &self,
        session: &Session,
        event_id: &str,
        token_id: &str,
        sections: &[String],
    ) -> Result<AdmissionToken, Error> {
        let url = self.token_url(event_id, token_id)?;
        let asked = json!({ "sections": section_uris(event_id, sections)? });
        let reply = self.ask(session, || Request::put(url.clone(), UPDATE, &asked)).await?;
        if reply.bytes().is_empty() {
            return self.token(session, event_id, token_id).await.map_err(|_| reply.unreadable("body"));
        }
        read(&reply)
    }

    /// Deletes a token; it cannot be undone.
    ///
    /// # Errors
    /// As [`Ticketing::update_token`].
    pub async fn delete_token(&self, session: &Session, event_id: &str, token_id: &str) -> Result<(), Error> {
        let url = self.token_url(event_id, token_id)?;
        self.ask(session, || Request::delete(url.clone(), DELETE)).await.map(drop)
    }

    /// What a token's code lets in to. The look-up goes with the account's own key.
    ///
    /// # Errors
    /// As [`Ticketing::issue_token`]; [`Error::Status`] with 404 for an unknown code; [`Error::Input`] naming `code`.
    pub async fn look_up_code(&self, session: &Session, code: &str) -> Result<GateAccess, Error> {
        checked("code", &[code.to_owned()])?;
        let url = self.url(&format!("tokens/{}", segment(code)))?;
        let reply = self.ask(session, || Request::get(url.clone(), LOOK_UP)).await?;
        let body = body(&reply)?;
        let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("body"))?;
        let key = members.text("key").filter(|key| is_header_value(key));
        let event = address(&members, "event").ok_or_else(|| reply.unreadable("event"))?;
        Ok(GateAccess {
            key: key.ok_or_else(|| reply.unreadable("key"))?,
            event_id: last_part(&event).to_owned(),
            sections: members.raw("sections").and_then(addresses).unwrap_or_default(),
        })
    }

    fn token_url(&self, event_id: &str, token_id: &str) -> Result<url::Url, Error> {
        if token_id.trim().is_empty() {
            return Err(input("token_id", "must not be empty"));
        }
        self.event_url(event_id, &format!("/tokens/{}", segment(token_id)))
    }
}

/// The addresses of sections, at least one.
fn section_uris(event_id: &str, sections: &[String]) -> Result<Vec<String>, Error> {
    checked("sections", sections)?;
    sections.iter().map(|section| Ticketing::section_uri(event_id, section)).collect()
}

fn read(reply: &Reply) -> Result<AdmissionToken, Error> {
    AdmissionToken::read(body(reply)?.get()).ok_or_else(|| reply.unreadable("self"))
}
