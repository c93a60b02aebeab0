//! Transfers, by section and quantity: `/transfers`, `/accounts/{number}/transfers`, and `/lookups` to find a recipient.
//!
//! Nothing tells a repeated transfer from a new one: after a lost answer the list of those that the account has sent tells
//! what there is, and two of the same tickets to the same recipient are not told apart.

use serde_json::{Map, Value, json};

use super::super::unidy::raw::{self, Members};
use super::page::{List, PageQuery, Parameters, TicketingPage};
use super::record::{address, last_part};
use super::{Ticketing, body, input};
use crate::error::Error;
use crate::model::SectionCount;
use crate::remote::address::segment;
use crate::remote::bounds::{self, Gathering};
use crate::remote::{Reply, Request, Session};

const START: &str = "POST transfers";
const GET: &str = "GET transfers/:id";
const CLAIM: &str = "POST transfers/:id/claims";
const CANCEL: &str = "DELETE transfers/:id";
const LIST: &str = "GET accounts/:number/transfers";
const LOOK_UP: &str = "POST lookups";

/// Transfers asked for at once.
const RECORDS: u32 = 100;
/// So many pages are read to tell what a lost answer left.
const MAX_PAGES: u32 = 50;

/// On which side of a transfer the account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferRole {
    /// It hands over.
    Sender,
    /// It is to get.
    Recipient,
}

/// A transfer.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingTransfer {
    /// Its address below the API's.
    pub uri: String,
    /// In the server's words: `Pending`, `Claimed`, `Cancelled`, or what it adds.
    pub status: Option<String>,
    /// When it was begun, in the server's words.
    pub initiated: Option<String>,
    /// What it hands over.
    pub tickets: Vec<SectionCount>,
    /// The sender's address.
    pub sender: Option<String>,
    /// The recipient's address.
    pub recipient: Option<String>,
    /// Where the recipient claims it.
    pub claims: Option<String>,
    record: String,
}

/// An account that was looked up.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingLookup {
    /// Its address below the API's.
    pub uri: String,
    record: String,
}

opaque_debug!(TicketingTransfer, TicketingLookup);

impl TransferRole {
    fn as_text(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::Recipient => "recipient",
        }
    }
}

impl TicketingTransfer {
    /// Reads a record. `None` when it is no object, has no address, or nests deeper than 100 levels.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let items = members.raw("tickets").and_then(raw::items).unwrap_or_default();
        let item = |item: &&str| {
            let item = Members::read(item)?;
            let quantity = u32::try_from(item.number("quantity")?).ok()?;
            Some(SectionCount { section: address(&item, "section")?, quantity })
        };
        Some(Self {
            uri: members.text("self").filter(|uri| !uri.is_empty())?,
            status: members.text("status"),
            initiated: members.text("initiated"),
            tickets: items.iter().filter_map(item).collect(),
            sender: address(&members, "sender"),
            recipient: address(&members, "recipient"),
            claims: members.text("claims"),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl TicketingLookup {
    /// The whole record as it was written.
    pub fn record(&self) -> &str {
        &self.record
    }
}

impl Ticketing {
    /// Finds an account by user name, e-mail address or whatever else identifies it.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`] with 404 for nobody; [`Error::UpgradeNeeded`], [`Error::ServerFault`],
    /// [`Error::Reply`].
    pub async fn look_up_account(
        &self,
        session: &Session,
        identification: &str,
        role: Option<&str>,
    ) -> Result<TicketingLookup, Error> {
        let mut asked = json!({ "identification": identification });
        if let Some(role) = role {
            asked["role"] = json!(role);
        }
        let url = self.url("lookups")?;
        let reply = self.ask(session, || Request::post(url.clone(), LOOK_UP, &asked)).await?;
        let record = body(&reply)?;
        let members = Members::read(record.get()).ok_or_else(|| reply.unreadable("body"))?;
        let number = || members.label("number").map(|number| format!("/accounts/{number}"));
        let uri = members.label("self").or_else(number).ok_or_else(|| reply.unreadable("self"))?;
        Ok(TicketingLookup { uri, record: record.get().to_owned() })
    }

    /// Hands tickets to somebody: from one account's address to another's.
    ///
    /// # Errors
    /// As [`Ticketing::look_up_account`]; [`Error::Status`] with 400 when the sender has too few; [`Error::Input`] naming
    /// `tickets`.
    pub async fn start_transfer(
        &self,
        session: &Session,
        sender: &str,
        recipient: &str,
        tickets: &[SectionCount],
    ) -> Result<TicketingTransfer, Error> {
        let asked =
            json!({ "sender": sender, "recipient": recipient, "tickets": counts("tickets", tickets)? });
        let url = self.url("transfers")?;
        read(&self.ask(session, || Request::post(url.clone(), START, &asked)).await?)
    }

    /// A single transfer, by its address.
    ///
    /// # Errors
    /// As [`Ticketing::look_up_account`]; [`Error::Untrusted`] for an address elsewhere.
    pub async fn transfer(&self, session: &Session, uri: &str) -> Result<TicketingTransfer, Error> {
        let url = self.resolve(uri)?;
        read(&self.ask(session, || Request::get(url.clone(), GET)).await?)
    }

    /// Takes what is handed over; whether the server carried it out.
    ///
    /// # Errors
    /// As [`Ticketing::transfer`]; [`Error::Status`] with 403 for somebody else's, with 409 for one that is not pending.
    pub async fn claim_transfer(
        &self,
        session: &Session,
        transfer: &TicketingTransfer,
    ) -> Result<bool, Error> {
        let place = || format!("{}/claims", transfer.uri.trim_end_matches('/'));
        let url = self.resolve(&transfer.claims.clone().unwrap_or_else(place))?;
        let nothing = json!({});
        let reply = self.ask(session, || Request::post(url.clone(), CLAIM, &nothing)).await?;
        if reply.bytes().is_empty() {
            return Ok(true);
        }
        let body = body(&reply)?;
        Ok(Members::read(body.get()).and_then(|members| members.flag("success")).unwrap_or(true))
    }

    /// Takes a transfer back.
    ///
    /// # Errors
    /// As [`Ticketing::transfer`]; [`Error::Status`] with 409 for one that is not pending.
    pub async fn cancel_transfer(&self, session: &Session, uri: &str) -> Result<(), Error> {
        let url = self.resolve(uri)?;
        self.ask(session, || Request::delete(url.clone(), CANCEL)).await.map(drop)
    }

    /// One page of the account's transfers.
    ///
    /// # Errors
    /// As [`Ticketing::look_up_account`]; [`Error::Input`] naming `account` for a key without one.
    pub async fn transfers(
        &self,
        session: &Session,
        role: TransferRole,
        status: Option<&str>,
        page: PageQuery,
    ) -> Result<TicketingPage<TicketingTransfer>, Error> {
        let number = self.account(session).await?;
        let list = List {
            url: self.url(&format!("accounts/{}/transfers", segment(&number)))?,
            endpoint: LIST,
            page,
            parameters: Parameters::default()
                .with("role", Some(role.as_text()))
                .with("status", status)
                .and(Parameters::of(page)),
        };
        self.list(session, list, TicketingTransfer::read).await
    }

    /// What a lost answer to [`Ticketing::start_transfer`] may have left: the account's transfers of just these tickets to
    /// this recipient, wherever they stand, for one may be claimed by now. `None` where there are too many transfers to look at.
    ///
    /// # Errors
    /// As [`Ticketing::transfers`]; [`Error::Reply`] for a list of too many bytes.
    pub async fn sent_like(
        &self,
        session: &Session,
        recipient: &str,
        tickets: &[SectionCount],
    ) -> Result<Option<Vec<TicketingTransfer>>, Error> {
        let ids = |items: &[SectionCount]| -> std::collections::BTreeMap<String, u32> {
            items.iter().map(|item| (last_part(&item.section).to_owned(), item.quantity)).collect()
        };
        let (wanted, mut found, mut gathering) = (ids(tickets), Vec::new(), Gathering::of(LIST));
        for page in 1..=MAX_PAGES {
            let asked = PageQuery { page: Some(page), records: Some(RECORDS) };
            let page = self.transfers(session, TransferRole::Sender, None, asked).await?;
            gathering.add(page.entries.iter().map(|one| one.record.len()).sum())?;
            let more = page.more();
            found.extend(page.entries.into_iter().filter(|one| {
                let to = one.recipient.as_deref().map(last_part);
                to == Some(last_part(recipient)) && ids(&one.tickets) == wanted
            }));
            if !more {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// Quantities by section, as the server takes them.
pub(super) fn counts(field: &'static str, items: &[SectionCount]) -> Result<Value, Error> {
    if items.is_empty() || items.iter().any(|item| item.quantity == 0 || item.section.is_empty()) {
        return Err(input(field, "name a section and a quantity of 1 at least"));
    }
    let mut counts = Map::new();
    for item in items {
        if counts.insert(item.section.clone(), json!(item.quantity)).is_some() {
            return Err(input(field, "name each section once"));
        }
    }
    Ok(Value::Object(counts))
}

fn read(reply: &Reply) -> Result<TicketingTransfer, Error> {
    TicketingTransfer::read(body(reply)?.get()).ok_or_else(|| reply.unreadable("self"))
}
