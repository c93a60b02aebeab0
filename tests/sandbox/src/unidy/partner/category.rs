//! Ticket categories.

use axum::Json;
use axum::response::{IntoResponse, Response};
use rusqlite::OptionalExtension;
use serde_json::value::RawValue;

use super::wrapped;
use crate::unidy::error::UnidyError;
use crate::unidy::list::{Listing, Page, Parameters};
use crate::unidy::oauth::Bearer;

/// `GET …/ticket_categories`
pub(super) fn list(bearer: &Bearer, query: &Parameters) -> Result<Response, UnidyError> {
    bearer.check("tickets:read")?;
    let site = &bearer.site;
    let listing = Listing::from_query(query, None, site)?;
    let page = site.app.db.read(|db| {
        let count = "SELECT count(*) FROM unidy_category WHERE brand = ?1";
        let count = db.query_row(count, [&site.brand.name], |row| row.get(0))?;
        let mut statement =
            db.prepare("SELECT body FROM unidy_category WHERE brand = ?1 ORDER BY rowid LIMIT ?2 OFFSET ?3")?;
        let (limit, offset) = listing.window();
        let rows = statement.query_map((&site.brand.name, limit, offset), |row| row.get(0))?;
        let results = rows.map(|body| Ok::<_, UnidyError>(RawValue::from_string(body?)?));
        Ok::<_, UnidyError>(Page {
            meta: listing.meta(count, site.choices.count_only),
            results: results.collect::<Result<_, _>>()?,
        })
    })?;
    Ok(wrapped(site, &site.choices.categories_path, page))
}

/// `GET …/ticket_categories/{id}`
pub(super) fn get(bearer: &Bearer, id: &str) -> Result<Response, UnidyError> {
    bearer.check("tickets:read")?;
    let site = &bearer.site;
    let body: Option<String> = site.app.db.read(|db| {
        let sql = "SELECT body FROM unidy_category WHERE brand = ?1 AND id = ?2";
        db.query_row(sql, (&site.brand.name, id), |row| row.get(0)).optional()
    })?;
    let body = body.ok_or_else(UnidyError::not_found)?;
    Ok(Json(RawValue::from_string(body)?).into_response())
}
