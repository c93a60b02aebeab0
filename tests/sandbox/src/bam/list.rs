//! Lists of tickets: filters, order and pages.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::{Connection, ToSql};
use serde_json::{Value, json};

use super::BamError;
use super::auth::{Holder, signed_in};
use super::etag::tagged;
use super::ticket::{SELECT, Shape};
use crate::app::App;

const FORMATS: [&str; 2] = ["PDF", "SECURE"];
const SORTABLE: [&str; 5] = ["id", "seq_num", "status", "format", "updated_at"];

type Parameters = HashMap<String, String>;

/// What a list was asked for.
struct Listing {
    /// `None` lists all tenants.
    tenant: Option<String>,
    format: Option<String>,
    status: Option<String>,
    sort_by: &'static str,
    descending: bool,
    limit: usize,
    offset: usize,
    shape: Shape,
}

/// `GET /v1/ticket`
pub(super) async fn of_all_tenants(
    State(app): State<Arc<App>>,
    Query(mut query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Response, BamError> {
    query.remove("status");
    list(&app, &headers, None, &query)
}

/// `GET /t/{tenant}/event/v1/ticket`, which filters by `status` as well.
pub(super) async fn of_tenant(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Response, BamError> {
    app.tenant(&tenant).ok_or_else(|| BamError::not_found("Tenant"))?;
    list(&app, &headers, Some(tenant), &query)
}

fn list(
    app: &App,
    headers: &HeaderMap,
    tenant: Option<String>,
    query: &Parameters,
) -> Result<Response, BamError> {
    let owner = signed_in(app, headers)?;
    let listing = Listing::from_query(tenant, query, app.config.page_limit)?;
    let page = app.db.read(|db| listing.run(db, &owner))?;
    Ok(tagged(headers, &page))
}

impl Listing {
    fn from_query(tenant: Option<String>, query: &Parameters, page_limit: usize) -> Result<Self, BamError> {
        let page_limit = page_limit.max(1);
        let limit = number(query, "limit", page_limit)?;
        if limit == 0 {
            return Err(BamError::bad_parameter("limit"));
        }
        Ok(Self {
            tenant,
            format: choice(query, "format", &FORMATS)?.map(str::to_owned),
            status: query.get("status").cloned(),
            sort_by: choice(query, "sort_by", &SORTABLE)?.unwrap_or("id"),
            descending: choice(query, "direction", &["asc", "desc"])? == Some("desc"),
            limit: limit.min(page_limit),
            offset: number(query, "offset", 0)?,
            shape: Shape::from_query(query)?,
        })
    }

    /// Tenant and id make the order of equals stable.
    fn run(&self, db: &Connection, owner: &Holder) -> rusqlite::Result<Value> {
        let filter =
            "WHERE owner_id = ?1 AND (?2 IS NULL OR ticket.tenant = ?2) AND (?3 IS NULL OR format = ?3)
            AND (?4 IS NULL OR status = ?4)";
        let filters: [&dyn ToSql; 4] = [&owner.id, &self.tenant, &self.format, &self.status];
        let total: i64 =
            db.query_row(&format!("SELECT count(*) FROM ticket {filter}"), &filters[..], |row| row.get(0))?;
        let direction = if self.descending { "DESC" } else { "ASC" };
        let page = format!(
            "{SELECT} {filter} ORDER BY ticket.{} {direction}, ticket.id, ticket.tenant LIMIT {} OFFSET {}",
            self.sort_by, self.limit, self.offset
        );
        let mut statement = db.prepare_cached(&page)?;
        let tickets = statement
            .query_map(&filters[..], |row| self.shape.read(row, owner))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(json!({
            "data": tickets,
            "paging": {"limit": self.limit, "offset": self.offset, "total": total},
        }))
    }
}

fn choice(
    query: &Parameters,
    name: &str,
    choices: &[&'static str],
) -> Result<Option<&'static str>, BamError> {
    query
        .get(name)
        .map(|text| {
            let known = choices.iter().copied().find(|choice| choice == text);
            known.ok_or_else(|| BamError::bad_parameter(name))
        })
        .transpose()
}

/// Numbers are u32, so that SQLite takes every one of them.
fn number(query: &Parameters, name: &str, default: usize) -> Result<usize, BamError> {
    let Some(text) = query.get(name) else { return Ok(default) };
    text.parse::<u32>().map(|number| number as usize).map_err(|_| BamError::bad_parameter(name))
}
