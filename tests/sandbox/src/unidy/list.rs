//! Lists of tickets: filters, order and pages.

use std::collections::HashMap;

use axum::Json;
use axum::extract::Query;
use rusqlite::{Connection, ToSql};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::caller::{Holder, Site};
use super::error::UnidyError;
use super::ticket::served;

/// The most tickets that a page may have.
const MAX_LIMIT: u32 = 250;
const ORDERS: [&str; 4] = ["starts_at", "ends_at", "reference", "created_at"];

/// The parameters of a query.
pub(crate) type Parameters = HashMap<String, String>;

/// What a list was asked for.
#[derive(Debug)]
pub(crate) struct Listing {
    /// `None` lists the tickets of all users.
    pub(crate) owner: Option<i64>,
    page: u32,
    limit: u32,
    state: Option<String>,
    payment_state: Option<String>,
    category_id: Option<String>,
    service_id: Option<u32>,
    order_by: &'static str,
    descending: bool,
}

/// One page.
#[derive(Debug, Serialize)]
pub(crate) struct Page {
    pub(crate) meta: Value,
    pub(crate) results: Vec<Box<RawValue>>,
}

/// `GET /api/sdk/v1/tickets`
pub(super) async fn tickets(
    holder: Holder,
    Query(query): Query<Parameters>,
) -> Result<Json<Page>, UnidyError> {
    let listing = Listing::from_query(&query, Some(holder.user.id), &holder.site)?;
    let page = holder.site.app.db.read(|db| listing.run(db, &holder.site))?;
    Ok(Json(page))
}

impl Listing {
    /// Reads the parameters of a query; all that are wrong are told at once.
    pub(crate) fn from_query(
        query: &Parameters,
        owner: Option<i64>,
        site: &Site,
    ) -> Result<Self, UnidyError> {
        let mut reader = Reader { query, wrong: Vec::new() };
        let default_limit = u32::from(site.choices.default_limit).clamp(1, MAX_LIMIT);
        let listing = Self {
            owner,
            page: reader.number("page", u32::MAX).unwrap_or(1),
            limit: reader.number("limit", MAX_LIMIT).unwrap_or(default_limit),
            state: query.get("state").cloned(),
            payment_state: query.get("payment_state").cloned(),
            category_id: query.get("ticket_category_id").cloned(),
            service_id: reader.number("service_id", u32::MAX),
            order_by: reader.choice("order_by", &ORDERS).unwrap_or("created_at"),
            descending: reader.choice("order_direction", &["asc", "desc"]) != Some("asc"),
        };
        if reader.wrong.is_empty() { Ok(listing) } else { Err(UnidyError::parameters(reader.wrong)) }
    }

    /// The page. The id makes the order of equals stable; what has no end comes last in ascending order.
    pub(crate) fn run(&self, db: &Connection, site: &Site) -> Result<Page, UnidyError> {
        const FILTER: &str = "WHERE unidy_ticket.brand = ?1 AND (?2 IS NULL OR user_id = ?2)
            AND (?3 IS NULL OR state = ?3) AND (?4 IS NULL OR payment_state = ?4)
            AND (?5 IS NULL OR category_id = ?5) AND (?6 OR NOT document)
            AND (?7 IS NULL OR EXISTS (SELECT 1 FROM unidy_category AS category WHERE category.id = category_id
                AND category.brand = unidy_ticket.brand AND service_id = ?7))";
        let filters: [&dyn ToSql; 7] = [
            &site.brand.name,
            &self.owner,
            &self.state,
            &self.payment_state,
            &self.category_id,
            &site.choices.document_ticket,
            &self.service_id,
        ];
        let count: u32 =
            db.query_row(&format!("SELECT count(*) FROM unidy_ticket {FILTER}"), &filters[..], |row| {
                row.get(0)
            })?;
        let direction = if self.descending { "DESC NULLS FIRST" } else { "ASC NULLS LAST" };
        let (limit, offset) = self.window();
        let sql = format!(
            "SELECT document, body FROM unidy_ticket {FILTER} ORDER BY {} {direction}, id LIMIT {limit} OFFSET {offset}",
            self.order_by
        );
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map(&filters[..], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let results = rows.map(|row| {
            let (document, body): (bool, String) = row?;
            served(&body, document, &site.choices)
        });
        Ok(Page {
            meta: self.meta(count, site.choices.count_only),
            results: results.collect::<Result<_, _>>()?,
        })
    }

    /// How many to give, after how many.
    pub(crate) fn window(&self) -> (u32, i64) {
        (self.limit, i64::from(self.page - 1) * i64::from(self.limit))
    }

    /// What a page says about itself and its neighbours, out of so many.
    pub(crate) fn meta(&self, count: u32, count_only: bool) -> Value {
        if count_only {
            return json!({ "count": count, "page": self.page, "limit": self.limit });
        }
        let last = count.div_ceil(self.limit).max(1);
        json!({
            "count": count,
            "page": self.page,
            "limit": self.limit,
            "last": last,
            "prev": (self.page > 1).then(|| (self.page - 1).min(last)),
            "next": (self.page < last).then(|| self.page + 1),
        })
    }
}

/// Reads parameters and remembers the wrong ones.
struct Reader<'a> {
    query: &'a Parameters,
    wrong: Vec<(String, String)>,
}

impl Reader<'_> {
    /// A whole number from 1 to `max`.
    fn number(&mut self, name: &str, max: u32) -> Option<u32> {
        let text = self.query.get(name)?;
        let number = text.parse::<u32>().ok().filter(|number| (1..=max).contains(number));
        if number.is_none() {
            let words = match max {
                u32::MAX => "must be an integer greater than or equal to 1".to_owned(),
                _ => format!("must be an integer from 1 to {max}"),
            };
            self.wrong.push((name.to_owned(), words));
        }
        number
    }

    fn choice(&mut self, name: &str, choices: &[&'static str]) -> Option<&'static str> {
        let text = self.query.get(name)?;
        let known = choices.iter().copied().find(|choice| choice == text);
        if known.is_none() {
            self.wrong.push((name.to_owned(), format!("must be one of: {}", choices.join(", "))));
        }
        known
    }
}
