//! B.A.M Ticketing, for holders and organisers.
//!
//! **Documented** by the vendor's page "Tickets": `GET v1/ticket` with `format`, `with_enrollment_id`, `sort_by`,
//! `direction` and `with`; `POST /ticket/reserve` with all members of its body; `POST /ticket/free` and `/ticket/issue` by
//! their purpose. By the vendor's SDK 7.19.0: login, refresh and `organizer_id`, headers, tenant hosts, the fields of every
//! record, a tenant's list with `status`, single tickets by id and by ledger id, `…/qrcode` and what its code holds, the
//! event's public key, `ticket_holder` with its questions, `send-group`, orders and their downloads, certificates, one's own
//! offers and how they are taken back, the rules of the secondary market, what is signed for a transfer, the claims of a
//! token, validators of events, the three steps of a ledger transaction and its `TICKET.INVALIDATE`, `TICKET.TRANSFER` and
//! `TICKET.MARK_FOR_SALE`.
//!
//! **Assumed**:
//! - Lists are paged by `limit` and `offset` where the reply has `paging`; a reply without it is the whole list. Records
//!   come in `data`, in `data.tickets`, in `tickets` or as the bare list.
//! - A ticket's tenant is the `organization_name` of its event's organizer.
//! - Ids are opaque, and come as numbers or as texts. An id of digits is sent as a number, any other as a text.
//! - `free` and `issue` name tickets by their ids and answer with the tickets, with anything else or with nothing. An
//!   issue goes on when its answer has come, for the ledger comes first: the ticket is asked for until it is `issued`.
//! - A reservation whose answer was lost shows in the tenant's list with `status=reserved`, if that shows an organiser what
//!   is reserved for others. Where it does not, or does not tell for whom, nothing tells, and the outcome is unknown.
//! - Whoever has a token with the claim `permissions` acts for the organizers that it names; what it permits within is not
//!   documented and not read. Where a token tells nothing of permissions, who signed in for an organizer acts for it.
//! - A certificate is renewed in place of the one before; 404 says that there is none.
//! - What the ledger gives to be signed is a hash, in hex as the SDK reads it, or in Base64. A transaction is carried out when
//!   its status is `SUCCESS` or `VALID`; what any other means is open.
//! - The ledger takes a transaction once: its digest is spent then, so that the last step may be sent again.
//! - Limits of the market's rules are what a price may be over the face value, as the vendor's pages call them a markup
//!   limit; of two the lower counts, and a limit of 0 beside another one is not set. The price of an offer is what a buyer
//!   pays, and fees are taken from it. Rules that are a draft are not in force. A ticket configuration without rules
//!   cannot be resold.
//! - Prices on the ledger are decimal numbers of major units. `locked_until` is the time until which an offer stands, as
//!   RFC 3339; sellers, buyers and new owners are named by their enrolments.
//! - A ticket that is on offer keeps its code, for the ledger has no call that gives one up while it is.
//! - A validator's wallet signs in for its organizer and may read the event's key, as the SDK's page for check-in apps has
//!   it. What the local validation server of `server_url` answers to is not documented: it is not asked.
//! - A picture of a code is upright and in whole modules.
//! - Statuses, formats and kinds are open: an unknown text is kept.
//!
//! **Configurable** ([`SystemConfig`]): the global host, the tenants' hosts as a template, the tenant of tickets that
//! do not tell theirs, the relations asked for, the extension's address; and ([`BamConfig`]) what stands before
//! `/ticket/reserve` and its like, the member of the body that holds the ids and the form of that body, the organizer to
//! sign in for, and whether SECURE tickets without the extension show the code of `…/qrcode`.
//!
//! **Left out**, of what the vendor's page and SDK have:
//!
//! | operation | why |
//! | --- | --- |
//! | `POST auth/external`, `auth/impersonate`, `auth/service`, `guest/login` | sign-ins of other providers' apps, administrators, servers and people without an account: a wallet's or clerk's account has a user name |
//! | `POST auth/challenge`, `auth/wallet` of a holder | sign-in by the certificate's key, which the server made: no better than the password. A validator, who has none, signs in so |
//! | registration, passwords, profiles (`account/v1/user`, but for `should_renew_certificate`) | done in the vendor's own pages |
//! | `GET account/v1/user/enrollment/:id` | tells of other people; an enrolment is given by its owner |
//! | events, ticket configurations, sectors, time slots, questionnaires, `v1/event`, `v1/category`, `v1/my_events`, venues, uploads | the catalogue is kept in the vendor's back office; what a ticket has of it comes as its relations |
//! | `POST event/v1/order`, `order_contact`, `payment/v1/payment/stripe`, `order/:id/refund` | buying and paying: a payment needs the vendor's page, and has no idempotency key |
//! | offers of type `AUCTION` | not available, as the vendor's page says |
//! | buying an offer, the offers of others | no document tells how |
//! | making and changing the market's rules, `…/qr-payload` | done in the vendor's back office |
//! | `nft`, `POST blockchain/v1/transaction` in one step | another service; the one step sends the private key along |
//! | `GET …/event/:id/qr_codes` | every code of the event, as whoever reads the list could show them; gates here check codes by their key |

mod auth;
mod claims;
mod code;
mod enrollment;
mod holder;
mod ledger;
mod market;
mod office;
mod orders;
mod raw;
mod relation;
mod ticket_file;
mod tickets;
mod validator;
mod wallet_key;
mod wire;

pub use claims::{claims, permitted_organizers};
pub use enrollment::Enrollment;
pub use holder::{HolderForm, TicketPlace};
pub use ledger::{LedgerCall, LedgerDigest, LedgerReceipt, LedgerTicket, SignedTransaction};
pub use market::TransferPayload;
pub use office::ReservedAs;
pub use relation::{Relation, RelationError, RelationExpression};
pub use ticket_file::TicketFile;
pub use tickets::{Direction, TicketPage, TicketQuery};
pub use validator::BamValidator;
pub use wallet_key::WalletKey;
pub use wire::{
    BamEvent, BamRuleset, BamSector, BamTicket, BamTicketAsset, BamTicketConfig, BamTicketDiscount,
    BamTicketHolder, BamTicketType, BamTimeslot, Decimal,
};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::address::{join, segment};
use super::{Http, Request, Session, api_url, tenant_template, with_tenant};
use crate::error::Error;
use crate::model::{BamConfig, BamIdsForm, Provider, SystemConfig};

/// A client of one B.A.M installation.
#[derive(Debug)]
pub struct Bam {
    http: Arc<Http>,
    api: Url,
    tenant_template: String,
    extension_template: String,
    default_tenant: Option<String>,
    relations: RelationExpression,
    organizer_id: Option<i64>,
    /// What stands before `ticket/reserve`: nothing, or a path that ends in a slash.
    organizer_prefix: String,
    ids_field: String,
    ids_form: BamIdsForm,
    static_codes: bool,
    /// Tenants by organizer id, as far as they were asked for.
    tenants: Mutex<HashMap<String, String>>,
}

impl Bam {
    /// A client with this configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `url`, `tenant_url`, `extension_url`, `relations`, `organizer_prefix` or `ids_field`.
    pub fn new(http: Arc<Http>, config: &SystemConfig) -> Result<Self, Error> {
        let api = api_url(&config.url)?;
        let tenant_template = config.tenant_url.clone().unwrap_or_else(|| tenant_template(&api));
        let extension_template = config.extension_url.clone().unwrap_or_else(|| tenant_template.clone());
        for (field, template) in [("tenant_url", &tenant_template), ("extension_url", &extension_template)] {
            with_tenant(template, "tenant").map_err(|e| Error::Input { field, reason: e.to_string() })?;
        }
        let relations = config.relations.as_deref().unwrap_or(tickets::RELATIONS);
        let relations = RelationExpression::parse(relations)
            .map_err(|e| Error::Input { field: "relations", reason: e.to_string() })?;
        let BamConfig { organizer_prefix, ids_field, ids_form, organizer_id, static_codes } =
            config.bam.clone().unwrap_or_default();
        Ok(Self {
            http,
            api,
            tenant_template,
            extension_template,
            default_tenant: config.default_tenant.clone(),
            relations,
            organizer_id,
            organizer_prefix: office::prefix(organizer_prefix.as_deref())?,
            ids_field: office::ids_field(ids_field)?,
            ids_form: ids_form.unwrap_or_default(),
            static_codes,
            tenants: Mutex::default(),
        })
    }

    /// What its requests go through.
    pub(super) fn http(&self) -> &Http {
        &self.http
    }

    /// Whether SECURE tickets of a tenant without the extension show the code of [`Bam::qr_code`].
    pub fn shows_static_codes(&self) -> bool {
        self.static_codes
    }

    /// An address on the global host.
    fn global(&self, path: &str) -> Result<Url, Error> {
        join(&self.api, path)
    }

    /// An address on a tenant's host; on the global one where there is no tenant.
    fn tenant_url(&self, tenant: Option<&str>, path: &str) -> Result<Url, Error> {
        match tenant {
            Some(tenant) => join(&with_tenant(&self.tenant_template, tenant)?, path),
            None => self.global(path),
        }
    }

    /// The provider's name for a tenant's tickets.
    ///
    /// # Errors
    /// [`Error::Input`] when a part cannot stand in it.
    pub fn provider(&self, tenant: Option<&str>) -> Result<Provider, Error> {
        Provider::new("bam", &self.api, tenant)
            .map_err(|e| Error::Input { field: "provider", reason: e.to_string() })
    }

    /// Where the extension of a tenant is looked for.
    ///
    /// # Errors
    /// [`Error::Input`] when the tenant's name cannot stand in an address.
    pub fn extension_base(&self, tenant: Option<&str>) -> Result<Url, Error> {
        tenant.map_or_else(|| Ok(self.api.clone()), |tenant| with_tenant(&self.extension_template, tenant))
    }

    /// The tenant of an organizer; asked for once. The configuration's default where there is no organizer.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn tenant_of(
        &self,
        session: &Session,
        organizer: Option<i64>,
    ) -> Result<Option<String>, Error> {
        let organizer = organizer.map(|id| id.to_string());
        self.tenant_of_organizer(session, organizer.as_deref()).await
    }

    /// The same by an id or name that is any text.
    ///
    /// # Errors
    /// As [`Bam::tenant_of`]; [`Error::Input`] naming `id`.
    pub async fn tenant_of_organizer(
        &self,
        session: &Session,
        organizer: Option<&str>,
    ) -> Result<Option<String>, Error> {
        let Some(organizer) = organizer else { return Ok(self.default_tenant.clone()) };
        let known = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(organizer).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let url = self.global(&format!("account/v1/organizer/{}", path_id(organizer)?))?;
        let request = || Request::get(url.clone(), "GET account/v1/organizer/:id");
        let reply = session.send(&self.http, self, request).await?;
        let tenant = reply.json::<wire::Data<wire::Organizer>>()?.data.organization_name;
        // Refused here rather than when an address is first made of it.
        with_tenant(&self.tenant_template, &tenant)
            .map_err(|_| reply.unreadable("data.organization_name"))?;
        let mut tenants = self.tenants.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(organizer.to_owned(), tenant.clone());
        Ok(Some(tenant))
    }
}

/// An id as one segment of a path. An encoded dot is a dot in an address, so that one or two of them lead elsewhere.
///
/// # Errors
/// [`Error::Input`] naming `id`.
fn path_id(id: &str) -> Result<String, Error> {
    if matches!(id, "" | "." | "..") {
        return Err(Error::Input { field: "id", reason: "it cannot stand in an address".to_owned() });
    }
    Ok(segment(id))
}
