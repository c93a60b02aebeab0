//! A holder's own listings: rules, preview, listing a ticket, another price, taking it back.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::super::binding::Binding;
use super::super::fields::time;
use super::super::ticket::Ticket;
use super::super::transfer::Transfer;
use super::super::transfers::surrender;
use super::super::write::{Call, Reply, served, ticket_id, user, write};
use super::listing::{ACTIVE, Listing, UNDER_REVIEW, WITHDRAWN};
use super::rules::{Terms, read_money};
use super::settle;
use crate::app::App;
use crate::problem::Problem;

/// `GET /resale/rules`: what counts for one of the user's tickets.
pub(super) async fn rules(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let tenant = &served(&app, &tenant)?.0.name;
    let owner = user(&app, &headers)?;
    let id = query.get("ticket").ok_or_else(|| Problem::malformed("ticket names the ticket"))?;
    app.db.read(|db| {
        let mut json = match Ticket::owned(db, tenant, owner, id) {
            Ok(ticket) => Terms::of(db, tenant, &ticket)?.to_json(),
            // Whoever holds a ticket that is no SECURE one learns why it cannot be sold.
            Err(problem) if problem.status() == StatusCode::CONFLICT => {
                json!({"allowed": false, "reason": "only SECURE tickets that are issued or activated can be sold"})
            }
            Err(problem) => return Err(problem),
        };
        json["ticket_id"] = json!(id);
        Ok(Json(json))
    })
}

/// `POST /resale/preview`: what a price would come to. Nothing is kept.
pub(super) async fn preview(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Problem> {
    let tenant = &served(&app, &tenant)?.0.name;
    let owner = user(&app, &headers)?;
    let item: Value =
        serde_json::from_slice(&body).map_err(|_| Problem::malformed("the body is not JSON"))?;
    let price = read_money(&item, "price")?;
    app.db.read(|db| {
        let ticket = Ticket::owned(db, tenant, owner, ticket_id(&item)?)?;
        let terms = Terms::of(db, tenant, &ticket)?;
        terms.check(price, app.now_s())?;
        Ok(Json(terms.breakdown(price).to_json()))
    })
}

/// `POST /resale/listings`
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| create_one(call, db, &call.json()?).map(Reply::Json)).await
}

/// A ticket is listed, and its barcode given up where the event hides it, in one transaction.
fn create_one(call: &Call<'_>, db: &Connection, item: &Value) -> Result<Value, Problem> {
    let tenant = &call.tenant.name;
    settle(call.app, db, tenant)?;
    let price = read_money(item, "price")?;
    let expires_at = match item.get("expires_at").is_some_and(|at| !at.is_null()) {
        true => Some(i64::from(time(item, "expires_at")?)),
        false => None,
    };
    let ticket = Ticket::eligible(call, db, ticket_id(item)?)?;
    Transfer::refuse_pending(call, db, &ticket)?;
    Listing::refuse_open(call, db, &ticket)?;
    let terms = Terms::of(db, tenant, &ticket)?;
    terms.check(price, call.now)?;
    if expires_at.is_some_and(|at| at <= call.now) {
        return Err(Problem::invalid_field("expires_at", "it is over already"));
    }
    if let Some(held) = Binding::find(call, db, &ticket)? {
        held.refuse_last()?;
    }
    let surrendered = match terms.rules.barcode_shown {
        true => None,
        false => surrender(call, db, &ticket, super::super::transfers::signed(item)?)?,
    };
    let listing = Listing::create(db, tenant, call.user, &ticket, &terms, (price, expires_at, call.now))?;
    let detail = json!({"listing_id": listing.id.to_string(), "price": price, "surrendered": surrendered});
    call.record(db, "resale.list", ticket.id, detail)?;
    listing.to_json(db, tenant, call.user)
}

/// `GET /resale/listings/{listing_id}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let tenant = &served(&app, &tenant)?.0.name;
    let asker = user(&app, &headers)?;
    app.db.write(|db| {
        settle(&app, db, tenant)?;
        Listing::find(db, tenant, &id)?.to_json(db, tenant, asker).map(Json)
    })
}

/// `PATCH /resale/listings/{listing_id}`: another price.
pub(super) async fn edit(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let expected = expected_version(request.headers());
    write(&app, &tenant, request, |call, db| {
        let mut listing = changeable(call, db, &id, expected?)?;
        let price = read_money(&call.json()?, "price")?;
        let ticket = Ticket::owned(db, &call.tenant.name, call.user, &listing.ticket_id.to_string())?;
        Terms::of(db, &call.tenant.name, &ticket)?.check(price, call.now)?;
        listing.set_price(db, price)?;
        let detail = json!({"listing_id": id, "price": price, "version": listing.version});
        call.record(db, "resale.edit", listing.ticket_id, detail)?;
        listing.to_json(db, &call.tenant.name, call.user).map(Reply::Json)
    })
    .await
}

/// `DELETE /resale/listings/{listing_id}`
pub(super) async fn withdraw(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    let expected = expected_version(request.headers());
    write(&app, &tenant, request, |call, db| {
        let mut listing = changeable(call, db, &id, expected?)?;
        listing.set_state(db, WITHDRAWN)?;
        call.record(db, "resale.withdraw", listing.ticket_id, json!({"listing_id": id}))?;
        listing.to_json(db, &call.tenant.name, call.user).map(Reply::Json)
    })
    .await
}

/// The user's own listing, in the version that they saw, for which nobody pays. One that has ended says so, whichever
/// version they saw.
fn changeable(call: &Call<'_>, db: &Connection, id: &str, expected: i64) -> Result<Listing, Problem> {
    settle(call.app, db, &call.tenant.name)?;
    let listing = Listing::find(db, &call.tenant.name, id)?;
    if listing.seller != call.user {
        return Err(Problem::new(StatusCode::NOT_FOUND, "listing-not-found", "No such listing"));
    }
    if listing.version != expected && super::listing::OPEN.contains(&listing.state.as_str()) {
        let other =
            Problem::new(StatusCode::PRECONDITION_FAILED, "version-mismatch", "It was changed meanwhile");
        return Err(other.with("version", listing.version));
    }
    if ![UNDER_REVIEW, ACTIVE, "paused"].contains(&listing.state.as_str()) {
        return Err(listing.ended());
    }
    Ok(listing)
}

/// `If-Match` (RFC 9110, section 13.1.1) with the version as its only entity tag.
fn expected_version(headers: &HeaderMap) -> Result<i64, Problem> {
    let needed = || {
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "precondition-required", "If-Match is needed")
            .detail("If-Match must be the listing's version in double quotes")
    };
    let value = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()).ok_or_else(needed)?;
    let tag = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    tag.and_then(|tag| tag.parse().ok()).ok_or_else(needed)
}
