//! The change feed: a user's tickets of all tenants, in the order in which they last changed.
//!
//! A page ends at a change, and so does its cursor. A ticket that changes moves to the end, so a client that keeps a
//! page and its cursor together misses nothing.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::app::App;
use crate::bam::{self, Holder, Shape};
use crate::problem::Problem;

/// `GET /.well-known/ticket-wallet` at the root.
pub(super) async fn discovery() -> Json<Value> {
    Json(json!({"version": 1, "base": "/wallet/v1", "features": ["tickets"], "issuer_keys": []}))
}

/// `GET /tickets`
pub(super) async fn tickets(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let owner = bam::holder(&app, &headers).ok_or_else(Problem::unauthorized)?;
    let epoch = app.feed_epoch();
    let after = match query.get("cursor") {
        Some(cursor) => read_cursor(cursor, epoch)?,
        None => 0,
    };
    let limit = limit(&query, app.config.page_limit.max(1))?;
    let page = app.db.read(|db| Page::read(db, &owner, after, limit))?;
    let cursor = format!("{epoch}-{}", page.last);
    Ok(Json(json!({"items": page.items, "cursor": cursor, "more": page.more})))
}

/// 410: the client must start again, without a cursor.
pub(crate) fn cursor_expired() -> Problem {
    Problem::new(StatusCode::GONE, "cursor-expired", "The cursor is too old")
}

/// The change that a cursor stands at. A cursor of another epoch has expired.
pub(super) fn read_cursor(cursor: &str, epoch: u64) -> Result<i64, Problem> {
    let malformed = || Problem::malformed("the cursor is none of this server's");
    let (of, seq) = cursor.split_once('-').ok_or_else(malformed)?;
    let of: u64 = of.parse().map_err(|_| malformed())?;
    let seq: u32 = seq.parse().map_err(|_| malformed())?;
    if of == epoch { Ok(seq.into()) } else { Err(cursor_expired()) }
}

fn limit(query: &HashMap<String, String>, page_limit: usize) -> Result<u32, Problem> {
    let page_limit = u32::try_from(page_limit).unwrap_or(u32::MAX);
    let Some(text) = query.get("limit") else { return Ok(page_limit) };
    let limit = text.parse::<u32>().ok().filter(|limit| *limit > 0);
    let limit = limit.ok_or_else(|| Problem::malformed("limit is not a number of 1 at least"))?;
    Ok(page_limit.min(limit))
}

struct Page {
    items: Vec<Value>,
    /// The last change of the page.
    last: i64,
    more: bool,
}

/// A changed ticket.
struct Change {
    seq: i64,
    tenant: String,
    ticket_id: i64,
    organizer_id: i64,
}

impl Page {
    fn read(db: &Connection, owner: &Holder, after: i64, limit: u32) -> rusqlite::Result<Self> {
        let mut changes = Change::after(db, owner.id, after, i64::from(limit) + 1)?;
        let more = changes.len() > limit as usize;
        changes.truncate(limit as usize);
        let shape = Shape::of_feed();
        let items = changes.iter().map(|change| change.item(db, owner, &shape)).collect::<Result<_, _>>()?;
        Ok(Self { items, last: changes.last().map_or(after, |change| change.seq), more })
    }
}

impl Change {
    fn after(db: &Connection, owner: i64, after: i64, limit: i64) -> rusqlite::Result<Vec<Self>> {
        db.prepare_cached(
            "SELECT seq, change.tenant, ticket_id, organizer.id FROM change
                JOIN organizer ON organizer.tenant = change.tenant
                WHERE owner_id = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3",
        )?
        .query_map((owner, after, limit), |row| {
            Ok(Self {
                seq: row.get(0)?,
                tenant: row.get(1)?,
                ticket_id: row.get(2)?,
                organizer_id: row.get(3)?,
            })
        })?
        .collect()
    }

    /// The ticket as it is now. Ids are each tenant's own, so a removal tells the organizer too.
    fn item(&self, db: &Connection, owner: &Holder, shape: &Shape) -> rusqlite::Result<Value> {
        let ticket = shape.find(db, owner, &self.tenant, self.ticket_id)?;
        Ok(ticket.unwrap_or_else(
            || json!({"id": self.ticket_id, "organizer_id": self.organizer_id, "deleted": true}),
        ))
    }
}
