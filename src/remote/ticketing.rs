//! TickeTing, version 3 of its REST API.
//!
//! **Documented** (the vendor's reference 3.0.0): the two headers of every request, `X-API-Key` and `X-Client-Version`;
//! sessions and integration keys; the errors 401, 403, 404 of two kinds, 412 and 500, under `message` or `error`; admission
//! tokens: issuing, listing with `page`, `records` and `global`, and reading one. Its headings *Session Authentication*,
//! *Token Authentication*, *API Integrations*, *Account Management*, *Account Verification*, *Account Activation*, *Password
//! Reset*, *Account Activity*, *Managing Host Accounts*, *Working with Events*, *Event Reporting*, *Ad Zone Management*,
//! *Advertising an Event*, *Placing an Order*, *Order Settlement*, *Ticket Transfers*, *Region Management*, *Venue
//! Management*, *Category Management*, *Reviewing Content*, *Transaction Reports* and *Default Values* name no operation.
//!
//! **Left out**, of what the SDK's texts name: payments and refunds of orders (`POST` to an order's `payments` and `refunds`),
//! for they move money, by a provider and with cards that a wallet has no business with, and a lost answer to one could not
//! be read back from what is public; orders by *tiers*, which the texts of 2026 have in place of sections, for no document
//! gives their replies; verifications, activations and resets of accounts, hosts, venues, regions, categories, reports,
//! advertising and reviews, for these are a back office's and no ticket's; API integrations, whose operations are nowhere
//! written; the API's version 2. No transfer can be declined: nothing public has it.
//!
//! **Read in the vendor's SDK, its tests and their texts**: `sessions`, `sessions/active`, `tokens/{code}`; changing and
//! deleting admission tokens; an event's tickets with `modified_since`; admissions and their filters; an account's tickets;
//! transfers by section and quantity, `lookups`, and orders, as they were before sections became tiers; 404 for a page
//! beyond the end; 403 for a session that has ended; dates in two forms, `N/A`, and an hour zero for *never*.
//!
//! **Assumed**: an address in a record, `/events/…`, stands below the API's own, its version included, and what leads to
//! another origin is never followed; a refusal with 403 says that a session has ended if the session itself is refused too;
//! a ticket with a time of redemption is used, whatever its status; a list that is a bare array is whole; a ticket that the
//! account's list lacks when asked for by its serial is gone; an event's name, place and times are those of `GET
//! /events/{event}`, and where that is refused, its id stands for its name.
//!
//! **Not asked for**: the wallet extension, unless its address is configured, for the API answers no request without a key.
//!
//! **Tolerated**: ids and addresses of any form, numbers and texts alike, up to 64 bits and beyond, for they stay texts;
//! sections and owners as addresses or as records; statuses that are not documented; both keys of errors, and none.
//!
//! **Configurable** ([`TicketingConfig`]): session or integration key, the version that is told, the app's own key, whose
//! tickets are listed, how long a request may take, the time zone of times without one, how dates are written in queries,
//! which code tickets show, and whether 404 stands for an empty list.

mod admissions;
mod events;
mod fault;
mod orders;
mod page;
mod record;
mod session;
mod tickets;
mod time;
mod tokens;
mod transfers;

pub use events::TicketingEvent;
pub use fault::{RESTRICTED, UNAUTHENTICATED, UNKNOWN_ENDPOINT, UNKNOWN_RESOURCE};
pub use orders::{OrderItem, OrderQuery, TicketingOrder};
pub use page::{PageQuery, TicketingPage};
pub use record::{TicketingTicket, last_part};
pub use session::TicketingSession;
pub use tickets::{AccountTicketQuery, EventTicketQuery};
pub use time::read_time;
pub use transfers::{TicketingLookup, TicketingTransfer, TransferRole};

use std::sync::atomic::AtomicU32;
use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use super::address::{join, segment};
use super::checks::{input, is_header_value};
use super::{Http, Refresh, Reply, Request, Session, api_url};
use crate::error::Error;
use crate::model::expiry::Zone;
use crate::model::{Provider, SystemConfig, TicketingAccess, TicketingConfig, Tokens};

/// The version that the documents describe.
const CLIENT_VERSION: &str = "3.0.0";
/// The vendor's SDK gives a request up after so many milliseconds.
const TIMEOUT_MS: u32 = 10_000;

/// A client of TickeTing.
#[derive(Debug)]
pub struct Ticketing {
    http: Arc<Http>,
    api: Url,
    extension: Option<Url>,
    config: TicketingConfig,
    zone: Zone,
    /// The session's own account, asked for once.
    account: Mutex<Option<String>>,
    /// What was asked for of events lately.
    events: Mutex<events::Known>,
    /// How many records a page has at most, once a server has given fewer than were asked for.
    page_size: AtomicU32,
}

impl Ticketing {
    /// A client with this configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `url`, `extension_url`, `time_zone`, `client_version`, `app_key`, `account` or `timeout_ms`.
    pub fn new(http: Arc<Http>, config: &SystemConfig) -> Result<Self, Error> {
        let api = api_url(&config.url)?;
        let extension = config.extension_url.as_deref().map(api_url).transpose();
        let extension =
            extension.map_err(|e| Error::Input { field: "extension_url", reason: e.to_string() })?;
        let config = config.ticketing.clone().unwrap_or_default();
        let zone = Zone::named(config.time_zone.as_deref().unwrap_or("UTC"));
        let zone =
            zone.ok_or_else(|| input("time_zone", "no such time zone; write it like America/Antigua"))?;
        for (field, value) in [("client_version", &config.client_version), ("app_key", &config.app_key)] {
            if value.as_deref().is_some_and(|value| !is_header_value(value)) {
                return Err(input(field, "printable characters without spaces"));
            }
        }
        if config.account.as_deref().is_some_and(|number| number.trim().is_empty()) {
            return Err(input("account", "must not be empty"));
        }
        if config.timeout_ms == Some(0) {
            return Err(input("timeout_ms", "must be 1 at least"));
        }
        Ok(Self {
            http,
            api,
            extension,
            config,
            zone,
            account: Mutex::default(),
            events: Mutex::default(),
            page_size: AtomicU32::new(0),
        })
    }

    /// The provider's name for the API's tickets: its host, whatever the version.
    ///
    /// # Errors
    /// [`Error::Input`] when the address cannot stand in it.
    pub fn provider(&self) -> Result<Provider, Error> {
        Provider::new("ticketing", &self.api, None)
            .map_err(|e| Error::Input { field: "provider", reason: e.to_string() })
    }

    /// What its requests go through.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// Where the extension is looked for. Only a configured address is: the API refuses every request that lacks its headers,
    /// which are sent nowhere else.
    pub fn extension_base(&self) -> Option<&Url> {
        self.extension.as_ref()
    }

    /// What the account is let in by.
    pub fn access(&self) -> TicketingAccess {
        self.config.access.unwrap_or_default()
    }

    /// The zone of times that are written without one.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// Where an address of a record leads: below the API's own.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for one that leads elsewhere, so that no key is sent there.
    pub fn resolve(&self, uri: &str) -> Result<Url, Error> {
        let elsewhere = || Error::Untrusted { what: "the server names an address that is not its own" };
        let base = self.api.path().trim_end_matches('/');
        let below = |path: &str| path == base || path.starts_with(&format!("{base}/"));
        let url = if uri.starts_with('/') && !uri.starts_with("//") {
            let below = !base.is_empty() && below(uri);
            let path = if below { uri.to_owned() } else { format!("{base}{uri}") };
            self.api.join(&path).map_err(|_| elsewhere())?
        } else {
            Url::parse(uri).map_err(|_| elsewhere())?
        };
        // Dots in a path are resolved by now.
        if url.origin() == self.api.origin() && url.username().is_empty() && below(url.path()) {
            Ok(url)
        } else {
            Err(elsewhere())
        }
    }

    /// A section's address, from an address or from its id alone.
    ///
    /// # Errors
    /// [`Error::Input`] naming `sections`.
    pub fn section_uri(event_id: &str, section: &str) -> Result<String, Error> {
        let is_plain = |c: char| c.is_ascii_graphic() && !"?#\"<>\\".contains(c);
        if section.is_empty() || !section.chars().all(is_plain) {
            return Err(input("sections", "a section is an id, or an address like /events/1/sections/2"));
        }
        if section.starts_with('/') {
            return Ok(section.to_owned());
        }
        Ok(format!("/events/{}/sections/{}", segment(event_id), segment(section)))
    }

    fn url(&self, path: &str) -> Result<Url, Error> {
        join(&self.api, path)
    }

    /// An address below an event.
    fn event_url(&self, event_id: &str, path: &str) -> Result<Url, Error> {
        if event_id.trim().is_empty() {
            return Err(input("event_id", "must not be empty"));
        }
        self.url(&format!("events/{}{path}", segment(event_id)))
    }

    /// Sends a request of the account, and gives a success; everything else is the error that it is.
    async fn ask<'a>(
        &self,
        session: &Session,
        request: impl Fn() -> Request<'a> + Send + Sync,
    ) -> Result<Reply, Error> {
        let reply = session.send(&self.http, self, || self.timed(request())).await?;
        if reply.is_success() {
            return Ok(reply);
        }
        let mut sent = request();
        self.authorise(&mut sent, Zeroizing::new(String::new()));
        let refusal = fault::refusal(&reply, &sent, &self.http);
        if reply.status == 403 && self.is_over(session).await {
            return session.end();
        }
        Err(refusal)
    }

    /// Sends a request that no session is needed for.
    async fn ask_with(&self, key: Option<&str>, mut request: Request<'_>) -> Result<Reply, Error> {
        self.sign(&mut request, key.map(|key| Zeroizing::new(key.to_owned())));
        let request = self.timed(request);
        let named = self.http.header_names(&request);
        let described = fault::describe(&request, named);
        let reply = self.http.send(request).await?;
        if reply.is_success() { Ok(reply) } else { Err(fault::refused(&reply, described)) }
    }

    fn timed<'a>(&self, request: Request<'a>) -> Request<'a> {
        Request { timeout_ms: Some(self.config.timeout_ms.unwrap_or(TIMEOUT_MS)), ..request }
    }

    /// What every request carries: the version, and the key where there is one.
    fn sign(&self, request: &mut Request<'_>, key: Option<Zeroizing<String>>) {
        request.headers.extend(key.map(|key| ("X-API-Key", key)));
        let version = self.config.client_version.as_deref().unwrap_or(CLIENT_VERSION);
        request.headers.push(("X-Client-Version", Zeroizing::new(version.to_owned())));
        request.headers.push(("Accept", Zeroizing::new("application/json".to_owned())));
    }
}

impl Refresh for Ticketing {
    /// Nothing renews a session but signing in.
    async fn refresh(&self, _: &Http, _: &Tokens) -> Result<Tokens, Error> {
        Err(Error::SignedOut)
    }

    fn authorise(&self, request: &mut Request<'_>, access: Zeroizing<String>) {
        self.sign(request, Some(access));
    }
}

/// The body of a success as it was written.
fn body(reply: &Reply) -> Result<Box<RawValue>, Error> {
    reply.json()
}
