//! TEXPO (Roomful, Valuverse): the adminserver's catalogue of tickets to buy, and what its holders' API has over HTTP.
//!
//! **Documented**: the adminserver's methods `ticket.createPurchasableTicket`, `ticket.updatePurchasableTicket`,
//! `ticket.deletePurchasableTicket` and `ticket.getPurchasableTickets`, with their paths, requests, replies and the
//! permission `network.manage`; the members of a ticket to buy; `error` with its members `status`, `code` and `message`
//! (the vendor's page "Adminserver: Ticket API"). Signing in at the adminserver with `auth/login`, `auth/check` and
//! `auth/logout`, the header `X-Session-Id`, the user API's `signin`, the holders' `ticket.getPurchasableTickets` and the
//! PDF of a ticket, `GET api/v0/resource/ticket/{id}` (the vendor's other pages). There is no purchase, no transfer and no
//! admission among these: it is a catalogue, and tickets that somebody bought.
//!
//! **Assumed**: the methods are called `jsonRpc` and are none of JSON-RPC 2.0's: parameters are the body, and nothing else
//! is sent. `error.status` is true for a failure. An update replaces the whole entry, so that the entry is read first and
//! sent back with the changes in it, members that are not known here included; what somebody else changes between these
//! two requests is lost. A session of either sign-in counts at the holders' API. Tickets that somebody bought are read by
//! `POST rpc/ticket.getPurchasedTickets`: the documents have this method over a websocket only, beside one that they have
//! over both. An event is what entries of one name and one start share, so that its id, `name@start`, is this library's.
//!
//! **Tolerated**: `error` that is missing, `null`, `false` or of zero values, on a success; empty bodies, `{}` and
//! `{"data": {}}`, which as a list's answer show no entries and tell nothing of one; successes that show no entry or another,
//! which count where the catalogue has the entry; results beside `data` instead of in it; errors with status 200 or another one; times as seconds,
//! milliseconds or texts; prices as numbers or texts; members of any type, ticket types and kinds of grants that are not
//! documented.
//!
//! **Prices** are read from their decimal text, not through a float: see [`price::parse`]. They are sent as a JSON
//! number with two decimals, `64.10`; an update that does not change the price sends the number that was read.
//!
//! **Configurable** ([`TexpoConfig`]): the network and its header; where an account signs in; how times are written; paths;
//! the holders' API's address; whether purchased tickets are asked for; what `error.status` means; codes that refuse a
//! missing permission; whether a reply without a list says that the catalogue is empty.
//!
//! **Left out**, of what the vendor's other pages have: the websocket (`ticket:getPurchasedTicket`, `ticket:purchaseTicket`,
//! `ticket:deleteTicket`, `ticket:onTicketPurchased`), for it is a protocol of its own with a session's lifetime, its two
//! writes are marked as tests and one of them is for administrators alone, and what a holder reads by it comes over HTTP
//! where a server has it; the Stripe checkout (`payment.createStripeCheckoutSession`), for it moves money on a page of its
//! own; roles (`rbac.*`) and one-time tokens, for these are the network's administration.
//!
//! **Not found in the documents**, so that nothing here relies on it: what a `productId` that is taken is answered with,
//! what an unknown one is, the table of error codes, how a session ends, any paging, any key that makes a repeated
//! request recognisable. After a lost answer the catalogue is listed: the caller's `productId` tells.

mod catalogue;
mod envelope;
mod fields;
mod holder;
mod object;
pub mod price;
mod record;
mod sign_in;

pub use fields::{agrees, changed_members};
pub use record::{PurchasedTicket, read_product, read_time};

use std::sync::Arc;

use url::Url;
use zeroize::Zeroizing;

use super::address::join;
use super::checks::{input, is_header_value};
use super::{Http, Refresh, Reply, Request, api_url};
use crate::error::Error;
use crate::model::{Provider, SystemConfig, TexpoConfig, Tokens};

/// The permission that the adminserver's methods need.
pub const PERMISSION: &str = "network.manage";

const SESSION_HEADER: &str = "X-Session-Id";
/// What a configured header must not be called: the request has these already.
const TAKEN: [&str; 8] = [
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "idempotency-key",
    "transfer-encoding",
    "x-session-id",
];

/// A client of one network.
#[derive(Debug)]
pub struct Texpo {
    http: Arc<Http>,
    base: Url,
    holders: Url,
    extension: Url,
    config: TexpoConfig,
    paths: Paths,
}

/// Where what is served.
#[derive(Debug)]
struct Paths {
    rpc: String,
    auth: String,
    holder: String,
    user_auth: String,
    network_header: String,
}

impl Texpo {
    /// A client with this configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `url`, `extension_url`, `holder_url`, `network_id`, `network_header`, `rpc_prefix`,
    /// `auth_prefix`, `holder_prefix` or `user_auth_prefix`.
    pub fn new(http: Arc<Http>, config: &SystemConfig) -> Result<Self, Error> {
        let base = api_url(&config.url)?;
        let or_base = |field: &'static str, url: &Option<String>| {
            let url = url.as_deref().map_or_else(|| Ok(base.clone()), api_url);
            url.map_err(|e| Error::Input { field, reason: e.to_string() })
        };
        let extension = or_base("extension_url", &config.extension_url)?;
        let config = config.texpo.clone().unwrap_or_default();
        let holders = or_base("holder_url", &config.holder_url)?;
        if config.network_id.as_deref().is_some_and(|id| !is_header_value(id)) {
            return Err(input("network_id", "an id is printable characters without spaces"));
        }
        let paths = Paths::new(&config)?;
        Ok(Self { http, base, holders, extension, config, paths })
    }

    /// The provider's name for a network's tickets.
    ///
    /// # Errors
    /// [`Error::Input`] when the address cannot stand in it.
    pub fn provider(&self) -> Result<Provider, Error> {
        Provider::new("texpo", &self.holders, self.config.network_id.as_deref())
            .map_err(|e| Error::Input { field: "provider", reason: e.to_string() })
    }

    /// What its requests go through.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// Where the extension is looked for: beside the adminserver, where nothing else is configured.
    pub fn extension_base(&self) -> &Url {
        &self.extension
    }

    /// Whether tickets that somebody bought are asked for.
    pub fn lists_tickets(&self) -> bool {
        self.config.purchased_tickets
    }

    fn rpc_url(&self, method: &str) -> Result<Url, Error> {
        join(&self.base, below(&self.paths.rpc, method).as_str())
    }

    fn holder_url(&self, path: &str) -> Result<Url, Error> {
        join(&self.holders, below(&self.paths.holder, path).as_str())
    }

    fn network(&self) -> Option<(String, String)> {
        self.config.network_id.clone().map(|id| (self.paths.network_header.clone(), id))
    }
}

impl Refresh for Texpo {
    /// There is nothing to renew a session with.
    async fn refresh(&self, _: &Http, _: &Tokens) -> Result<Tokens, Error> {
        Err(Error::SignedOut)
    }

    fn is_refused(&self, reply: &Reply) -> bool {
        reply.status == 401 || (!envelope::is_gateways(reply.status) && self.told_code(reply) == Some(401))
    }

    fn authorise(&self, request: &mut Request<'_>, access: Zeroizing<String>) {
        request.headers.push((SESSION_HEADER, access));
        request.headers.push(("Accept", Zeroizing::new("application/json".to_owned())));
        request.named_header = self.network();
    }
}

impl Paths {
    fn new(config: &TexpoConfig) -> Result<Self, Error> {
        let path = |field: &'static str, configured: &Option<String>, default: &str| {
            let path = configured.as_deref().unwrap_or(default).trim_matches('/').to_owned();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~/".contains(c);
            let names = path.is_empty() || path.split('/').all(|part| !["", ".", ".."].contains(&part));
            if path.chars().all(plain) && names {
                Ok(path)
            } else {
                Err(input(field, "a path is names of letters, digits, - _ . ~, with / between them"))
            }
        };
        let network_header = config.network_header.clone().unwrap_or_else(|| "X-Network-Id".to_owned());
        let token = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        if network_header.is_empty()
            || !network_header.chars().all(token)
            || TAKEN.contains(&network_header.to_ascii_lowercase().as_str())
        {
            return Err(input("network_header", "a header's name of its own is letters, digits, - and _"));
        }
        Ok(Self {
            rpc: path("rpc_prefix", &config.rpc_prefix, "jsonRpc")?,
            auth: path("auth_prefix", &config.auth_prefix, "auth")?,
            holder: path("holder_prefix", &config.holder_prefix, "api/v0")?,
            user_auth: path("user_auth_prefix", &config.user_auth_prefix, "api/v1/auth")?,
            network_header,
        })
    }
}

fn below(prefix: &str, path: &str) -> String {
    format!("{prefix}/{path}").trim_start_matches('/').to_owned()
}
