//! Unidy, both of its APIs, and the sign-ins that lead to them.
//!
//! **Documented**: the ticket's fields, its three states and the job that ends them, users and categories, the addresses of
//! the interfaces, the three OAuth flows (the vendor's guide "Integrate Tickets with Unidy"); OAuth's endpoints and
//! replies, discovery (the vendor's pages on OIDC); everything below `api/sdk/v1`: sign-in, lists with their filters and
//! pages, single tickets, links to documents, transfers, and the identifiers of errors (the vendor's SDK 1.10.0).
//!
//! **Assumed**: the partner API has tickets and categories as resources in the usual way: `GET` for lists and single
//! records, `POST` to create, `PATCH` or `PUT` to update, `DELETE`; its lists take the parameters of the SDK's; its tickets are
//! those of the guide. An event is what tickets of one category with one start share: Unidy has none of its own, so that
//! its id, `category@start`, is this library's. The list of tickets is in a stable order when it is ordered by creation.
//!
//! **Tolerated**: ids that are no UUIDs; prices as numbers or decimal texts; metadata of every JSON type; states and states
//! of payment that are not documented; errors as `error_identifier`, as `error_details`, or both; lists in three forms; a
//! created ticket in the reply's body or at its `Location`; refresh tokens that are replaced at each use, or not.
//!
//! **Configurable** ([`UnidyConfig`]): which API and, for the partner's, which flow; keys and the OAuth app; the time zone
//! of the nightly job and whether it ends passive tickets; the partner API's path and names and the verb of an update; the
//! form of requests to the token endpoint; whether the brand has transfers switched on.
//!
//! **Left out**, of what is documented:
//! - `api/sdk/v1/subscriptions`, `transactions`: they are no tickets, and nothing of them admits anybody.
//! - `api/sdk/v1/service_connections`, `profile`: the person's relation to the brand, which its own pages keep.
//! - `POST api/v1/users`, `users/:id/subscriptions` and their batches, custom attributes, newsletters: the administration of
//!   persons, for which `admin:*` and `users:*` scopes are needed that no ticket system should hold.
//! - `api/v1/ticket_categories` beyond reading: no schema of them is documented, so that a write would be a guess.
//! - `response_mode=form_post`: an app has no server to post to. PKCE `plain`: it proves nothing that `S256` does not.
//! - Webhooks: they reach servers, not devices, and no ticket events are named.
//! - The maintenance job: the brand's own; its rule is followed locally ([`Unidy::effective_state`]).

mod documents;
mod normalise;
pub mod oauth;
mod partner;
mod query;
pub(super) mod raw;
mod record;
mod same;
mod sign_in;
mod tickets;
mod transfers;
mod ui;

pub use documents::{ExportFormat, ExportLink};
pub use partner::{TicketChange, UnidyCategory};
pub use query::{PageMeta, UnidyOrder, UnidyTicketPage, UnidyTicketQuery};
pub use record::{DEFAULT_CURRENCY, UnidyTicket, iso_amount};
pub use same::is_same_json;
pub use sign_in::{LoginOptions, Secret, SignInStatus, SignInStep};
pub use transfers::{UnidyTransfer, UnidyTransfers};
pub use ui::UnidyUi;

use std::sync::{Arc, Mutex};

use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use self::oauth::{AuthorizationServer, Jwks};
use super::address::join;
use super::checks::{input, is_header_value};
use super::{Http, Refresh, Reply, Request, api_url};
use crate::error::Error;
use crate::model::expiry::Zone;
use crate::model::{Provider, PulledTicket, SystemConfig, Tokens, UnidyApi, UnidyConfig, UnidyGrant};

/// Where the nightly job runs when nothing else is configured: the vendor's home.
const TIME_ZONE: &str = "Europe/Berlin";

/// A client of one Unidy brand.
#[derive(Debug)]
pub struct Unidy {
    http: Arc<Http>,
    brand: Url,
    extension: Url,
    config: UnidyConfig,
    zone: Zone,
    partner: partner::Paths,
    /// Asked for once.
    server: Mutex<Option<Arc<AuthorizationServer>>>,
    keys: Mutex<Option<Arc<Jwks>>>,
}

impl Unidy {
    /// A client with this configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `url`, `extension_url`, `time_zone`, `sdk_key`, `sdk_version`, `partner_prefix`,
    /// `tickets_resource` or
    /// `categories_resource`.
    pub fn new(http: Arc<Http>, config: &SystemConfig) -> Result<Self, Error> {
        let brand = api_url(&config.url)?;
        let extension = config.extension_url.as_deref().map_or_else(|| Ok(brand.clone()), api_url);
        let extension =
            extension.map_err(|e| Error::Input { field: "extension_url", reason: e.to_string() })?;
        let config = config.unidy.clone().unwrap_or_default();
        let zone = Zone::named(config.time_zone.as_deref().unwrap_or(TIME_ZONE));
        let zone =
            zone.ok_or_else(|| input("time_zone", "no such time zone; write it like Europe/Berlin"))?;
        if config.api == UnidyApi::Sdk {
            let key =
                config.sdk_key.as_deref().ok_or_else(|| input("sdk_key", "the SDK's API needs its key"))?;
            if !is_header_value(key) {
                return Err(input("sdk_key", "a key is printable characters without spaces"));
            }
        }
        if config.sdk_version.as_deref().is_some_and(|version| !is_header_value(version)) {
            return Err(input("sdk_version", "a version is printable characters without spaces"));
        }
        let partner = partner::Paths::new(&config)?;
        Ok(Self {
            http,
            brand,
            extension,
            config,
            zone,
            partner,
            server: Mutex::default(),
            keys: Mutex::default(),
        })
    }

    /// The provider's name for a brand's tickets: with its path, where several brands share a host.
    ///
    /// # Errors
    /// [`Error::Input`] when the address cannot stand in it.
    pub fn provider(&self) -> Result<Provider, Error> {
        let path = self.brand.path().trim_matches('/');
        let brand = Some(path).filter(|path| !path.is_empty());
        Provider::new("unidy", &self.brand, brand)
            .map_err(|e| Error::Input { field: "provider", reason: e.to_string() })
    }

    /// What its requests go through.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// The configured address of the brand.
    pub fn brand(&self) -> &Url {
        &self.brand
    }

    /// Where the extension is looked for: beside the brand, where nothing else is configured.
    pub fn extension_base(&self) -> &Url {
        &self.extension
    }

    /// A session for user name and password; with client credentials, for the server itself.
    ///
    /// # Errors
    /// [`Error::BadPassword`]; [`Error::Input`] naming `grant` where a person signs in through the browser; as
    /// [`Http::send`], [`Error::Status`], [`Error::Reply`], [`Error::OAuth`].
    pub async fn session_for(&self, user_name: &str, password: &str) -> Result<Tokens, Error> {
        match (self.config.api, self.grant()) {
            (UnidyApi::Sdk, _) => self.login(user_name, password).await,
            (UnidyApi::Partner, UnidyGrant::ClientCredentials) => self.client_credentials().await,
            (UnidyApi::Partner, _) => Err(input("grant", "a person signs in through the browser here")),
        }
    }

    /// Takes out of a record what the wallet shows.
    ///
    /// # Errors
    /// [`Error::Reply`] when it has no id; [`Error::Input`] for ids that cannot be hashed.
    pub fn read_ticket(&self, record: &str) -> Result<PulledTicket, Error> {
        let unreadable = || Error::Reply { endpoint: "GET /tickets".to_owned(), field: "id".to_owned() };
        self.normalise(&UnidyTicket::read(record).ok_or_else(unreadable)?)
    }

    /// Which API the account is of: transfers, documents and sign-ins by password are the SDK's, making and changing
    /// tickets, categories and OAuth the partner's, and both have lists and single tickets.
    pub fn api(&self) -> UnidyApi {
        self.config.api
    }

    /// The zone in which a day ends for tickets without an end.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// An address of the SDK's API.
    fn sdk(&self, path: &str) -> Result<Url, Error> {
        join(&self.brand, &format!("api/sdk/v1/{path}"))
    }

    /// That the account is of this API.
    fn needs(&self, api: UnidyApi) -> Result<(), Error> {
        let reason = match api {
            _ if self.config.api == api => return Ok(()),
            UnidyApi::Sdk => "only the SDK's API has this",
            UnidyApi::Partner => "only the partner API has this",
        };
        Err(input("api", reason))
    }

    /// A request with what the SDK's API asks of every one.
    fn sdk_request<'a>(&self, mut request: Request<'a>) -> Request<'a> {
        self.sign_as_sdk(&mut request);
        request
    }

    fn sign_as_sdk(&self, request: &mut Request<'_>) {
        request.bearer = self.config.sdk_key.clone().map(Zeroizing::new);
        let version = self.config.sdk_version.clone().map(|version| ("SDK-Version", Zeroizing::new(version)));
        request.headers.extend(version);
        request.headers.push(("Accept", Zeroizing::new("application/json".to_owned())));
    }
}

impl Refresh for Unidy {
    async fn refresh(&self, http: &Http, tokens: &Tokens) -> Result<Tokens, Error> {
        match self.config.api {
            UnidyApi::Sdk => self.refresh_sign_in(http, tokens).await,
            UnidyApi::Partner => self.refresh_grant(http, tokens).await,
        }
    }

    fn renews_by_itself(&self) -> bool {
        self.config.api == UnidyApi::Partner && self.grant() == UnidyGrant::ClientCredentials
    }

    fn authorise(&self, request: &mut Request<'_>, access: Zeroizing<String>) {
        match self.config.api {
            UnidyApi::Sdk => {
                self.sign_as_sdk(request);
                request.headers.push(("X-ID-Token", access));
            }
            UnidyApi::Partner => {
                request.bearer = Some(access);
                request.headers.push(("Accept", Zeroizing::new("application/json".to_owned())));
            }
        }
    }
}

/// The body of a success as it was written.
fn body(reply: &Reply) -> Result<Box<RawValue>, Error> {
    reply.json()
}
