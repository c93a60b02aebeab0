//! Lists of listings: a user's own, and what others offer for an event.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::super::write::{served, user};
use super::listing::{COLUMNS, Listing};
use super::settle;
use crate::app::App;
use crate::problem::Problem;

/// What a query asks for.
type Asked = HashMap<String, String>;

/// `GET /resale/listings`: with `mine` the user's own, the newest first; with `event` those of others that can be bought,
/// the cheapest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<Asked>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let tenant = &served(&app, &tenant)?.0.name;
    let asker = user(&app, &headers)?;
    app.db.write(|db| {
        settle(&app, db, tenant)?;
        match query.contains_key("mine") {
            true => mine(db, tenant, asker),
            false => offered(&app, db, tenant, asker, &query),
        }
    })
}

fn mine(db: &Connection, tenant: &str, seller: i64) -> Result<Json<Value>, Problem> {
    let sql = format!("SELECT {COLUMNS} FROM listing WHERE tenant = ?1 AND seller_id = ?2 ORDER BY id DESC");
    let mut statement = db.prepare_cached(&sql)?;
    let found = statement.query_map((tenant, seller), Listing::read)?.collect::<Result<Vec<_>, _>>()?;
    Ok(Json(json!({"items": shown(db, tenant, seller, &found)?})))
}

fn offered(
    app: &App,
    db: &Connection,
    tenant: &str,
    asker: i64,
    query: &Asked,
) -> Result<Json<Value>, Problem> {
    let event = number(query, "event")?.ok_or_else(|| Problem::malformed("event or mine is needed"))?;
    let (after, after_id) = cursor(query)?;
    let most = i64::try_from(app.config.page_limit).unwrap_or(i64::MAX).max(1);
    let limit = number(query, "limit")?.unwrap_or(most).min(most);
    if limit < 1 {
        return Err(Problem::malformed("limit is not a number of 1 at least"));
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM listing WHERE tenant = ?1 AND event_id = ?2 AND state = 'active' AND seller_id <> ?3
            AND (price, id) > (?4, ?5) AND (?6 IS NULL OR price <= ?6)
            AND (?7 IS NULL OR ?7 = (SELECT json_extract(sector.body, '$.name') FROM ticket
                JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
                WHERE ticket.tenant = listing.tenant AND ticket.id = listing.ticket_id))
            ORDER BY price, id LIMIT ?8"
    );
    let values = (
        tenant,
        event,
        asker,
        after,
        after_id,
        number(query, "max_price")?,
        query.get("section"),
        limit.saturating_add(1),
    );
    let mut statement = db.prepare_cached(&sql)?;
    let mut found = statement.query_map(values, Listing::read)?.collect::<Result<Vec<_>, _>>()?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = found.len() > limit;
    found.truncate(limit);
    let mut page = json!({"items": shown(db, tenant, asker, &found)?, "more": more});
    if let Some(last) = found.last() {
        page["cursor"] = json!(format!("{}-{}", last.price, last.id));
    }
    Ok(Json(page))
}

fn shown(db: &Connection, tenant: &str, asker: i64, found: &[Listing]) -> Result<Vec<Value>, Problem> {
    found.iter().map(|listing| listing.to_json(db, tenant, asker)).collect()
}

fn number(query: &Asked, name: &str) -> Result<Option<i64>, Problem> {
    let read =
        |text: &String| text.parse().map_err(|_| Problem::malformed(format!("{name} is not a number")));
    query.get(name).map(read).transpose()
}

/// Price and id of the last listing of the page before.
fn cursor(query: &Asked) -> Result<(i64, i64), Problem> {
    let Some(cursor) = query.get("cursor") else { return Ok((i64::MIN, 0)) };
    let read = cursor.split_once('-').and_then(|(price, id)| Some((price.parse().ok()?, id.parse().ok()?)));
    read.ok_or_else(|| Problem::malformed("the cursor is none of this server's"))
}
