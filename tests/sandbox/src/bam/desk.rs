//! The organizer's side: who may use it, and where it stands.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use rusqlite::Connection;
use serde_json::Value;

use super::BamError;
use super::choices::{BamChoices, OrganizerPrefix};
use super::session::{Holder, organizer_tenant, signed_in};
use crate::app::App;
use crate::journal;

/// Somebody who acts for a tenant's organizer.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) tenant: String,
    user: i64,
    parameters: HashMap<String, String>,
}

impl FromRequestParts<Arc<App>> for Desk {
    type Rejection = BamError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, BamError> {
        Self::of(parts, app, Holder::organizes).await
    }
}

/// Somebody who may read a tenant's events: who acts for its organizer, or a validator of one.
#[derive(Debug)]
pub(super) struct EventReader(pub(super) Desk);

impl FromRequestParts<Arc<App>> for EventReader {
    type Rejection = BamError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, BamError> {
        Desk::of(parts, app, Holder::reads_events_of).await.map(Self)
    }
}

impl Desk {
    async fn of(
        parts: &mut Parts,
        app: &Arc<App>,
        may: impl Fn(&Holder, &str) -> bool,
    ) -> Result<Self, BamError> {
        let Path(parameters) = Path::<HashMap<String, String>>::from_request_parts(parts, app)
            .await
            .map_err(|_| BamError::not_found("Tenant"))?;
        let tenant = parameters.get("tenant").filter(|name| app.tenant(name).is_some());
        let tenant = tenant.ok_or_else(|| BamError::not_found("Tenant"))?.clone();
        let caller = signed_in(app, &parts.headers)?;
        if !may(&caller, &tenant) {
            return Err(BamError::forbidden());
        }
        Ok(Self { tenant, user: caller.id, parameters })
    }

    /// The event that the path names, below an organizer that must be this one.
    pub(super) fn event(&self, db: &Connection) -> Result<i64, BamError> {
        let organizer = Value::from(self.parameter("organizer"));
        match organizer_tenant(db, &organizer)? {
            Some(tenant) if tenant == self.tenant => {}
            Some(_) => return Err(BamError::forbidden()),
            None => return Err(BamError::not_found("Organizer")),
        }
        let event = self.parameter("id").parse().map_err(|_| BamError::bad_parameter("id"))?;
        known_event(db, &self.tenant, event)
    }

    fn parameter(&self, name: &str) -> &str {
        self.parameters.get(name).map_or("", String::as_str)
    }

    /// Writes an applied write to a ticket into the journal.
    pub(super) fn record(
        &self,
        db: &Connection,
        kind: &str,
        ticket_id: i64,
        detail: Value,
    ) -> rusqlite::Result<()> {
        let (tenant, user_id) = (self.tenant.as_str(), self.user);
        journal::Applied { user_id, kind, tenant, ticket_id, idempotency_key: None, detail }.record(db)
    }
}

/// An event's id, or 404.
pub(super) fn known_event(db: &Connection, tenant: &str, event: i64) -> Result<i64, BamError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM ticket_config WHERE tenant = ?1 AND event_id = ?2)";
    let known: bool = db.query_row(sql, (tenant, event), |row| row.get(0))?;
    if known { Ok(event) } else { Err(BamError::not_found("Event")) }
}

/// A request for one of the organizer's writes at the place that was chosen for them; 404 anywhere else.
#[derive(Debug)]
pub(super) struct AtItsPlace;

impl FromRequestParts<Arc<App>> for AtItsPlace {
    type Rejection = BamError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, BamError> {
        let served = below_tenant(parts.uri.path()).and_then(|path| path.split_once("ticket/"));
        let prefix = served.map(|(prefix, _)| prefix.trim_end_matches('/'));
        if prefix == Some(path_of(&app.bam_choices())) { Ok(Self) } else { Err(BamError::not_found("Path")) }
    }
}

/// What follows `/t/{tenant}/` in a path.
fn below_tenant(path: &str) -> Option<&str> {
    path.strip_prefix("/t/")?.split_once('/').map(|(_, rest)| rest)
}

fn path_of(choices: &BamChoices) -> &'static str {
    match choices.organizer_prefix {
        OrganizerPrefix::EventV1 => "event/v1",
        OrganizerPrefix::V1 => "v1",
        OrganizerPrefix::None => "",
    }
}
