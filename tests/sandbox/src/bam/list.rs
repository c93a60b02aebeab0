//! Lists of tickets: filters, order and pages.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::{Connection, ToSql};
use serde_json::{Value, json};

use super::BamError;
use super::etag::tagged;
use super::issuing;
use super::session::{Holder, signed_in};
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
    /// `None` for a whole list.
    page: Option<Page>,
    shape: Shape,
    /// Whether an organizer's reservations are among the tickets.
    reserved: bool,
    /// So many of these, the last ones, are not.
    unlisted_last: u32,
}

/// Which part of a list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page {
    limit: usize,
    offset: usize,
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
    let listing = Listing::from_query(app, tenant, query)?;
    let page = app.db.read(|db| listing.run(db, &owner))?;
    Ok(tagged(app, headers, page))
}

impl Page {
    /// Reads `limit` and `offset`.
    pub(super) fn from_query(query: &Parameters, most: usize) -> Result<Self, BamError> {
        let most = most.max(1);
        let limit = number(query, "limit", most)?;
        if limit == 0 {
            return Err(BamError::bad_parameter("limit"));
        }
        Ok(Self { limit: limit.min(most), offset: number(query, "offset", 0)? })
    }

    /// The end of a query for this part.
    pub(super) fn sql(self) -> String {
        format!("LIMIT {} OFFSET {}", self.limit, self.offset)
    }

    /// This part of a list.
    pub(super) fn of<T>(self, list: Vec<T>) -> impl Iterator<Item = T> {
        list.into_iter().skip(self.offset).take(self.limit)
    }

    /// What a reply says about this part of so many.
    pub(super) fn told(self, total: i64) -> Value {
        json!({"limit": self.limit, "offset": self.offset, "total": total})
    }
}

impl Listing {
    fn from_query(app: &App, tenant: Option<String>, query: &Parameters) -> Result<Self, BamError> {
        let choices = app.bam_choices();
        let paged = if tenant.is_some() { choices.tenant_paged } else { choices.paged };
        let mut shape = Shape::from_query(query)?;
        shape.with_enrollment_id &= choices.owners_listed || tenant.is_none();
        let page = paged.then(|| Page::from_query(query, app.config.page_limit)).transpose()?;
        Ok(Self {
            reserved: choices.reserved_listed && tenant.is_some(),
            tenant,
            format: choice(query, "format", &FORMATS)?.map(str::to_owned),
            status: query.get("status").cloned(),
            sort_by: choice(query, "sort_by", &SORTABLE)?.unwrap_or("id"),
            descending: choice(query, "direction", &["asc", "desc"])? == Some("desc"),
            page,
            shape,
            unlisted_last: choices.unlisted_last,
        })
    }

    /// Tenant and id make the order of equals stable.
    fn run(&self, db: &Connection, owner: &Holder) -> rusqlite::Result<Value> {
        let filter = "WHERE (owner_id = ?1 OR (by_organizer AND ticket.tenant = ?5))
            AND (?2 IS NULL OR ticket.tenant = ?2) AND (?3 IS NULL OR format = ?3)
            AND (?4 IS NULL OR status = ?4)
            AND (?2 IS NULL OR ticket.id NOT IN (SELECT late.id FROM ticket AS late
                WHERE late.tenant = ?2 AND late.by_organizer ORDER BY late.updated_at DESC, late.id DESC LIMIT ?6))";
        let organizer = owner.organizer.as_ref().filter(|_| self.reserved);
        let filters: [&dyn ToSql; 6] =
            [&owner.id, &self.tenant, &self.format, &self.status, &organizer, &self.unlisted_last];
        let direction = if self.descending { "DESC" } else { "ASC" };
        let part = format!(
            "{filter} ORDER BY ticket.{} {direction}, ticket.id, ticket.tenant {}",
            self.sort_by,
            self.page.map_or_else(String::new, Page::sql)
        );
        let mut statement = db.prepare_cached(&format!("{SELECT} {part}"))?;
        let tickets = statement
            .query_map(&filters[..], |row| self.shape.read(row))?
            .collect::<rusqlite::Result<Vec<_>>>()?;
        issuing::count_poll(db, &part, &filters)?;
        let Some(page) = self.page else { return Ok(json!({"data": tickets})) };
        let count = format!("SELECT count(*) FROM ticket {filter}");
        let total: i64 = db.query_row(&count, &filters[..], |row| row.get(0))?;
        Ok(json!({"data": tickets, "paging": page.told(total)}))
    }
}

/// A parameter that is one of several texts.
pub(super) fn choice(
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

/// A parameter that is `true` or `false`; false when it is left out.
pub(super) fn flag(query: &Parameters, name: &str) -> Result<bool, BamError> {
    Ok(choice(query, name, &["true", "false"])? == Some("true"))
}

/// A parameter of another type than text.
pub(super) fn parsed<T: FromStr>(query: &Parameters, name: &str) -> Result<Option<T>, BamError> {
    query.get(name).map(|text| text.parse().map_err(|_| BamError::bad_parameter(name))).transpose()
}

/// Numbers are u32, so that SQLite takes every one of them.
fn number(query: &Parameters, name: &str, default: usize) -> Result<usize, BamError> {
    let Some(text) = query.get(name) else { return Ok(default) };
    text.parse::<u32>().map(|number| number as usize).map_err(|_| BamError::bad_parameter(name))
}
