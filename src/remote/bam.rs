//! B.A.M Ticketing, the holder's side.
//!
//! **Documented**: `GET v1/ticket` with `format`, `with_enrollment_id`, `sort_by`, `direction` and `with` (the vendor's
//! page "Tickets"); login, refresh, headers, tenant hosts and the fields of every record (the vendor's SDK 7.19.0).
//!
//! **Assumed**: lists are paged by `limit` and `offset` where the reply has `paging`; a reply without it is the whole
//! list. A ticket's tenant is the `organization_name` of its event's organizer.
//!
//! **Configurable** ([`SystemConfig`]): the global host, the tenants' hosts as a template, the tenant of tickets that
//! do not tell theirs, the relations asked for, the extension's address.

mod auth;
mod holder;
mod relation;
mod tickets;
mod wire;

pub use holder::TicketPlace;
pub use relation::{Relation, RelationError, RelationExpression};
pub use tickets::{Direction, TicketPage, TicketQuery};
pub use wire::{
    BamEvent, BamSector, BamTicket, BamTicketAsset, BamTicketConfig, BamTicketDiscount, BamTicketHolder,
    BamTicketType, BamTimeslot,
};

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

use super::address::join;
use super::{Http, Request, Session, api_url, tenant_template, with_tenant};
use crate::error::Error;
use crate::model::{Provider, SystemConfig};

/// A client of one B.A.M installation.
#[derive(Debug)]
pub struct Bam {
    http: Arc<Http>,
    api: Url,
    tenant_template: String,
    extension_template: String,
    default_tenant: Option<String>,
    relations: RelationExpression,
    /// Tenants by organizer id, as far as they were asked for.
    tenants: Mutex<HashMap<i64, String>>,
}

impl Bam {
    /// A client with this configuration.
    ///
    /// # Errors
    /// [`Error::Input`] naming `url`, `tenant_url`, `extension_url` or `relations`.
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
        Ok(Self {
            http,
            api,
            tenant_template,
            extension_template,
            default_tenant: config.default_tenant.clone(),
            relations,
            tenants: Mutex::default(),
        })
    }

    /// What its requests go through.
    pub(super) fn http(&self) -> &Http {
        &self.http
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

    /// The tenant of an organizer; asked for once.
    ///
    /// # Errors
    /// As [`Session::send`]; [`Error::Status`], [`Error::Reply`].
    pub async fn tenant_of(
        &self,
        session: &Session,
        organizer: Option<i64>,
    ) -> Result<Option<String>, Error> {
        let Some(organizer) = organizer else { return Ok(self.default_tenant.clone()) };
        let known = self.tenants.lock().unwrap_or_else(PoisonError::into_inner).get(&organizer).cloned();
        if known.is_some() {
            return Ok(known);
        }
        let url = self.global(&format!("account/v1/organizer/{organizer}"))?;
        let request = || Request::get(url.clone(), "GET account/v1/organizer/:id");
        let reply = session.send(&self.http, self, request).await?;
        let tenant = reply.json::<wire::Data<wire::Organizer>>()?.data.organization_name;
        // Refused here rather than when an address is first made of it.
        with_tenant(&self.tenant_template, &tenant)
            .map_err(|_| reply.unreadable("data.organization_name"))?;
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(organizer, tenant.clone());
        Ok(Some(tenant))
    }
}
