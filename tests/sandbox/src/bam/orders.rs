//! Orders as B.A.M writes them: lists in pages, and single ones.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde_json::{Value, json};

use super::BamError;
use super::list::{Page, flag, parsed};
use super::relations::{ORDER, Relations};
use super::session::{Holder, signed_in};
use super::ticket::Shape;
use crate::app::App;

type Parameters = HashMap<String, String>;

/// Selects what [`OrderShape::read`] reads.
const SELECT: &str =
    "SELECT ticket_order.tenant, ticket_order.id, user.enrollment_id, user.kind, format, status, refunded,
        hold_token, payment_id, payment_created_at, contact, created_at,
        (SELECT round(sum(price * quantity), 2) FROM order_item
            WHERE order_item.tenant = ticket_order.tenant AND order_id = ticket_order.id)
    FROM ticket_order JOIN user ON user.id = owner_id";

/// Orders of a tenant that a caller may see: its own ones, and an organizer all.
const VISIBLE: &str = "ticket_order.tenant = ?1 AND (owner_id = ?2 OR ticket_order.tenant = ?3)";

/// `GET /t/{tenant}/event/v1/order`: the caller's orders, and with `include_not_owned` an organizer's customers'.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    app.tenant(&tenant).ok_or_else(|| BamError::not_found("Tenant"))?;
    let page = Page::from_query(&query, app.config.page_limit)?;
    let shape = OrderShape::from_query(&query)?;
    let filter = Filter::from_query(&query, &caller, &tenant)?;
    app.db.read(|db| filter.run(db, &tenant, &caller, page, &shape))
}

/// `GET /t/{tenant}/event/v1/order/{id}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    let shape = OrderShape::from_query(&query)?;
    app.db.read(|db| {
        let order = Order::find(db, &caller, &tenant, &id)?;
        Ok(Json(json!({"data": shape.of(db, &order)?})))
    })
}

/// What a list of orders was asked for.
struct Filter {
    id: Option<i64>,
    event_id: Option<i64>,
    contact_email: Option<String>,
    not_owned: bool,
}

impl Filter {
    fn from_query(query: &Parameters, caller: &Holder, tenant: &str) -> Result<Self, BamError> {
        let not_owned = flag(query, "include_not_owned")?;
        if not_owned && !caller.organizes(tenant) {
            return Err(BamError::forbidden());
        }
        Ok(Self {
            id: parsed(query, "id")?,
            event_id: parsed(query, "event_id")?,
            contact_email: query.get("contact_email").cloned(),
            not_owned,
        })
    }

    fn run(
        &self,
        db: &Connection,
        tenant: &str,
        caller: &Holder,
        page: Page,
        shape: &OrderShape,
    ) -> Result<Json<Value>, BamError> {
        let filter = "WHERE ticket_order.tenant = ?1 AND (owner_id = ?2 OR ?3)
            AND (?4 IS NULL OR ticket_order.id = ?4)
            AND (?5 IS NULL OR json_extract(contact, '$.email') = ?5)
            AND (?6 IS NULL OR EXISTS (SELECT 1 FROM order_item
                JOIN ticket ON ticket.tenant = order_item.tenant AND order_item_id = order_item.id
                JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                WHERE order_item.tenant = ticket_order.tenant AND order_id = ticket_order.id
                    AND ticket_config.event_id = ?6))";
        let filters: [&dyn ToSql; 6] =
            [&tenant, &caller.id, &self.not_owned, &self.id, &self.contact_email, &self.event_id];
        let count = format!("SELECT count(*) FROM ticket_order {filter}");
        let total: i64 = db.query_row(&count, &filters[..], |row| row.get(0))?;
        let sql = format!("{SELECT} {filter} ORDER BY ticket_order.id {}", page.sql());
        let mut statement = db.prepare_cached(&sql)?;
        let orders = statement.query_map(&filters[..], Order::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
        let data = orders.iter().map(|order| shape.of(db, order)).collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Json(json!({"data": data, "paging": page.told(total)})))
    }
}

/// An order without its relations.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) tenant: String,
    pub(super) id: i64,
    pub(super) status: String,
    pub(super) format: String,
    /// In the currency's major unit.
    pub(super) total: f64,
    contact: Option<String>,
    plain: Value,
}

impl Order {
    /// The order of this id that a caller may see.
    pub(super) fn find(db: &Connection, caller: &Holder, tenant: &str, id: &str) -> Result<Self, BamError> {
        let id: i64 = id.parse().map_err(|_| BamError::bad_parameter("id"))?;
        let sql = format!("{SELECT} WHERE {VISIBLE} AND ticket_order.id = ?4");
        let found = db.query_row(&sql, (tenant, caller.id, &caller.organizer, id), Self::read).optional()?;
        found.ok_or_else(|| BamError::not_found("Order"))
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (status, format): (String, String) = (row.get(5)?, row.get(4)?);
        let total = row.get::<_, Option<f64>>(12)?.unwrap_or_default();
        Ok(Self {
            tenant: row.get(0)?,
            id: row.get(1)?,
            total,
            contact: row.get(10)?,
            plain: json!({
                "id": row.get::<_, i64>(1)?,
                "owner_id": row.get::<_, Option<String>>(2)?,
                "owner_type": row.get::<_, String>(3)?,
                "payment_id": row.get::<_, Option<String>>(8)?,
                "format": format,
                "status": status,
                "total": total,
                "refunded_amount": row.get::<_, f64>(6)?,
                "payment_created_at": row.get::<_, Option<String>>(9)?,
                "created_at": row.get::<_, String>(11)?,
                "currency": "EUR",
                "hold_token": row.get::<_, Option<String>>(7)?,
            }),
            status,
            format,
        })
    }

    /// Ids of the order's tickets.
    pub(super) fn ticket_ids(&self, db: &Connection) -> rusqlite::Result<Vec<i64>> {
        let mut statement = db.prepare_cached(
            "SELECT ticket.id FROM ticket
                JOIN order_item ON order_item.tenant = ticket.tenant AND order_item.id = order_item_id
                WHERE order_item.tenant = ?1 AND order_id = ?2 ORDER BY ticket.id",
        )?;
        statement.query_map((&self.tenant, self.id), |row| row.get(0))?.collect()
    }

    /// Whether its tickets are paid, or some of them still are.
    pub(super) fn is_paid(&self) -> bool {
        self.status == "paid" || self.status == "partially_refunded"
    }

    /// Gives the order another status.
    pub(super) fn set_status(&mut self, db: &Connection, status: &str) -> rusqlite::Result<()> {
        status.clone_into(&mut self.status);
        self.plain["status"] = json!(status);
        let sql = "UPDATE ticket_order SET status = ?3 WHERE tenant = ?1 AND id = ?2";
        db.execute(sql, (&self.tenant, self.id, status)).map(drop)
    }
}

/// What an order shall be shown with.
#[derive(Debug)]
pub(super) struct OrderShape {
    relations: Relations,
}

impl OrderShape {
    fn from_query(query: &Parameters) -> Result<Self, BamError> {
        Self::parse(query.get("with").map_or("", String::as_str))
    }

    /// Reads a relation expression.
    pub(super) fn parse(with: &str) -> Result<Self, BamError> {
        let relations = Relations::parse(with, ORDER).ok_or_else(|| BamError::bad_parameter("with"))?;
        Ok(Self { relations })
    }

    /// The order as it is sent.
    pub(super) fn of(&self, db: &Connection, order: &Order) -> rusqlite::Result<Value> {
        let mut body = order.plain.clone();
        if self.relations.ask("order_item") {
            body["order_item"] = json!(items(db, order)?);
        }
        let contact = order.contact.as_deref().and_then(|contact| serde_json::from_str(contact).ok());
        body["order_contact"] = contact.unwrap_or_default();
        self.relations.prune(&mut body, ORDER);
        Ok(body)
    }
}

/// The items, each with its tickets and all that belongs to them.
fn items(db: &Connection, order: &Order) -> rusqlite::Result<Vec<Value>> {
    let mut statement = db.prepare_cached(
        "SELECT id, price, quantity FROM order_item WHERE tenant = ?1 AND order_id = ?2 ORDER BY id",
    )?;
    let rows = statement.query_map((&order.tenant, order.id), |row| {
        Ok((row.get::<_, i64>(0)?, row.get::<_, f64>(1)?, row.get::<_, i64>(2)?))
    })?;
    let mut items = Vec::new();
    for row in rows {
        let (id, price, quantity) = row?;
        let tickets = Shape::of_feed().of_item(db, &order.tenant, id)?;
        items.push(json!({"id": id, "price": price, "quantity": quantity, "ticket": tickets}));
    }
    Ok(items)
}
