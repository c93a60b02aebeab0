//! Tickets as B.A.M writes them, and single ones by id.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde_json::{Value, json};

use super::BamError;
use super::issuing;
use super::relations::Relations;
use super::session::{Holder, signed_in};
use crate::app::App;

/// Selects what [`read`] reads.
pub(super) const SELECT: &str = "SELECT ticket.id, seq_num, status, kyc_status, seat_id, format, updated_at,
        holder, ticket_config.body, sector.body, timeslot.body, holder_response, holder_updated_at,
        user.enrollment_id
    FROM ticket
    JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
    LEFT JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
    LEFT JOIN timeslot ON timeslot.tenant = ticket.tenant AND timeslot.id = timeslot_id
    LEFT JOIN user ON user.id = owner_id";

/// The relations of tickets in the change feed.
const FEED: &str = "[ticket_config.[event,ticket_type],sector,timeslot,ticket_holder,ticket_discount]";

/// What a ticket shall be shown with.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(super) relations: Relations,
    pub(super) with_enrollment_id: bool,
}

impl Shape {
    /// Reads `with` and `with_enrollment_id`.
    pub(super) fn from_query(query: &HashMap<String, String>) -> Result<Self, BamError> {
        let with = query.get("with").map_or("", String::as_str);
        let with_enrollment_id = match query.get("with_enrollment_id").map(String::as_str) {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(BamError::bad_parameter("with_enrollment_id")),
        };
        let relations = Relations::parse(with).ok_or_else(|| BamError::bad_parameter("with"))?;
        Ok(Self { relations, with_enrollment_id })
    }

    /// A ticket without relations.
    pub(super) fn plain() -> Self {
        Self { relations: Relations::default(), with_enrollment_id: false }
    }

    /// The shape of tickets in the change feed.
    pub(crate) fn of_feed() -> Self {
        Self { relations: Relations::parse(FEED).unwrap_or_default(), with_enrollment_id: false }
    }

    /// Finds the owner's ticket by its id.
    pub(crate) fn find(
        &self,
        db: &Connection,
        owner: &Holder,
        tenant: &str,
        id: i64,
    ) -> rusqlite::Result<Option<Value>> {
        let sql = format!("{SELECT} WHERE owner_id = ?1 AND ticket.tenant = ?2 AND ticket.id = ?3");
        db.prepare_cached(&sql)?.query_row((owner.id, tenant, id), |row| self.read(row)).optional()
    }

    /// Finds a ticket by its id, whoever owns it.
    pub(super) fn find_any(&self, db: &Connection, tenant: &str, id: i64) -> rusqlite::Result<Option<Value>> {
        let sql = format!("{SELECT} WHERE ticket.tenant = ?1 AND ticket.id = ?2");
        db.prepare_cached(&sql)?.query_row((tenant, id), |row| self.read(row)).optional()
    }

    /// Reads a row of [`SELECT`] as the ticket that is sent.
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Value> {
        let mut ticket = full_ticket(row)?;
        self.relations.prune(&mut ticket);
        if self.with_enrollment_id {
            ticket["enrollment_id"] = json!(row.get::<_, Option<String>>(13)?);
        }
        Ok(ticket)
    }
}

/// `GET /t/{tenant}/event/v1/ticket/{id}`
pub(super) async fn by_id(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    let id: i64 = id.parse().map_err(|_| BamError::bad_parameter("id"))?;
    one(&app, &owner, &tenant, "ticket.id", &id, &Shape::from_query(&query)?)
}

/// `GET /t/{tenant}/event/v1/ticket/bc/{blockchain_id}`
pub(super) async fn by_blockchain_id(
    State(app): State<Arc<App>>,
    Path((tenant, blockchain_id)): Path<(String, String)>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    one(&app, &owner, &tenant, "blockchain_id", &blockchain_id, &Shape::from_query(&query)?)
}

/// An organizer sees all of its tickets, everybody else those of their own.
fn one(
    app: &App,
    caller: &Holder,
    tenant: &str,
    column: &str,
    value: &dyn ToSql,
    shape: &Shape,
) -> Result<Json<Value>, BamError> {
    let filter =
        format!("WHERE ticket.tenant = ?1 AND {column} = ?2 AND (owner_id = ?3 OR ticket.tenant = ?4)");
    let parameters: [&dyn ToSql; 4] = [&tenant, value, &caller.id, &caller.organizer];
    let found = app.db.read(|db| {
        let mut statement = db.prepare_cached(&format!("{SELECT} {filter}"))?;
        let found = statement.query_row(&parameters[..], |row| shape.read(row)).optional()?;
        issuing::count_poll(db, &filter, &parameters)?;
        Ok::<_, BamError>(found)
    })?;
    found.map(|ticket| Json(json!({"data": ticket}))).ok_or_else(|| BamError::not_found("Ticket"))
}

/// A ticket with every relation filled in.
fn full_ticket(row: &Row<'_>) -> rusqlite::Result<Value> {
    let id: i64 = row.get(0)?;
    Ok(json!({
        "id": id,
        "seq_num": row.get::<_, i64>(1)?,
        "status": row.get::<_, String>(2)?,
        "kyc_status": row.get::<_, String>(3)?,
        "seat_id": row.get::<_, Option<String>>(4)?,
        "format": row.get::<_, String>(5)?,
        "updated_at": row.get::<_, String>(6)?,
        "ticket_config": body(row, 8)?,
        "sector": body(row, 9)?,
        "ticket_holder": holder(row)?,
        "ticket_discount": [],
        "timeslot": body(row, 10)?,
        "order_item": {"id": id, "quantity": 1},
        "ticket_asset": [],
    }))
}

/// The person on the ticket; what that person answered comes with it once there is an answer.
fn holder(row: &Row<'_>) -> rusqlite::Result<Value> {
    let mut holder = body(row, 7)?;
    if let Some(answered_at) = row.get::<_, Option<String>>(12)? {
        holder["response"] = body(row, 11)?;
        holder["updated_at"] = json!(answered_at);
    }
    Ok(holder)
}

fn body(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
