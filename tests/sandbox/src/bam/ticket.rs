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
use super::list::flag;
use super::relations::{Relations, TICKET};
use super::session::{Holder, signed_in};
use crate::app::App;

/// Selects what [`read`] reads.
pub(super) const SELECT: &str = "SELECT ticket.id, seq_num, status, kyc_status, seat_id, format, updated_at,
        holder, ticket_config.body, sector.body, timeslot.body, holder_response, holder_updated_at,
        user.enrollment_id, order_item.id, order_item.order_id, order_item.price
    FROM ticket
    JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
    LEFT JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
    LEFT JOIN timeslot ON timeslot.tenant = ticket.tenant AND timeslot.id = timeslot_id
    LEFT JOIN order_item ON order_item.tenant = ticket.tenant AND order_item.id = order_item_id
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
        let with_enrollment_id = flag(query, "with_enrollment_id")?;
        let relations = Relations::parse(with, TICKET).ok_or_else(|| BamError::bad_parameter("with"))?;
        Ok(Self { relations, with_enrollment_id })
    }

    /// A ticket without relations.
    pub(super) fn plain() -> Self {
        Self { relations: Relations::default(), with_enrollment_id: false }
    }

    /// The shape of tickets in the change feed.
    pub(crate) fn of_feed() -> Self {
        Self { relations: Relations::parse(FEED, TICKET).unwrap_or_default(), with_enrollment_id: false }
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

    /// The tickets that were bought with an item of an order.
    pub(super) fn of_item(&self, db: &Connection, tenant: &str, item: i64) -> rusqlite::Result<Vec<Value>> {
        let sql = format!("{SELECT} WHERE ticket.tenant = ?1 AND order_item_id = ?2 ORDER BY ticket.id");
        db.prepare_cached(&sql)?.query_map((tenant, item), |row| self.read(row))?.collect()
    }

    /// Reads a row of [`SELECT`] as the ticket that is sent.
    pub(super) fn read(&self, row: &Row<'_>) -> rusqlite::Result<Value> {
        let mut ticket = full_ticket(row)?;
        self.relations.prune(&mut ticket, TICKET);
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
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
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
        "order_item": order_item(row)?,
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

/// The item of an order that the ticket was bought with, if it was.
fn order_item(row: &Row<'_>) -> rusqlite::Result<Value> {
    let Some(id) = row.get::<_, Option<i64>>(14)? else { return Ok(Value::Null) };
    Ok(json!({"id": id, "order_id": row.get::<_, i64>(15)?, "price": row.get::<_, f64>(16)?}))
}

fn body(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let text: Option<String> = row.get(column)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}
