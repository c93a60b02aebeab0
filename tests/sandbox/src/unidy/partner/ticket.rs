//! Tickets: read with `tickets:read`, written with `tickets:write`. A user's token is good for that user's own.

use axum::Json;
use axum::body::Bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::input::{Input, MEMBERS};
use super::{names, wrapped};
use crate::app::random;
use crate::journal;
use crate::unidy::choices::CreatedForm;
use crate::unidy::error::UnidyError;
use crate::unidy::list::{Listing, Parameters};
use crate::unidy::local_time::stamp;
use crate::unidy::oauth::Bearer;
use crate::unidy::record::Record;
use crate::unidy::ticket::{self, Stored};

/// `GET …/tickets`, with the SDK API's parameters and `user_id`.
pub(super) fn list(bearer: &Bearer, query: &Parameters) -> Result<Response, UnidyError> {
    bearer.check("tickets:read")?;
    let site = &bearer.site;
    let page = site.app.db.read(|db| {
        let mut owner = bearer.user.as_ref().map(|user| user.id);
        if let Some(id) = query.get("user_id") {
            // No user has the id 0, so that nobody's tickets are listed for an unknown one.
            let asked = site.by_unidy_id(db, id)?.map_or(0, |user| user.id);
            if owner.is_some_and(|own| own != asked) {
                return Err(UnidyError::forbidden("forbidden"));
            }
            owner = Some(asked);
        }
        Listing::from_query(query, owner, site)?.run(db, site)
    })?;
    Ok(wrapped(site, &site.choices.tickets_path, page))
}

/// `GET …/tickets/{id}`
pub(super) fn get(bearer: &Bearer, id: &str) -> Result<Response, UnidyError> {
    bearer.check("tickets:read")?;
    let found = bearer.site.app.db.read(|db| manageable(bearer, db, id))?;
    Ok(Json(found.served(&bearer.site.choices)?).into_response())
}

/// `POST …/tickets`
pub(super) fn create(bearer: &Bearer, body: &Bytes) -> Result<Response, UnidyError> {
    bearer.check("tickets:write")?;
    let site = &bearer.site;
    let id = uuid()?;
    let served = site.app.db.write(|db| {
        let input = Input::read(body)?;
        let mut record = Record::default();
        record.set("id", &json!(id))?;
        let now = json!(stamp(site.app.now_s().saturating_mul(1000), site.choices.zone()));
        for name in MEMBERS {
            if name == "price" {
                record.set("created_at", &now)?;
                record.set("updated_at", &now)?;
            }
            record.set(name, &Value::Null)?;
        }
        record.set("state", &json!("active"))?;
        if let Some(user) = &bearer.user {
            record.set("user_id", &json!(user.unidy_id))?;
        }
        record.set("exportable_to_wallet", &json!(false))?;
        input.apply(site, db, &mut record, true)?;
        check_owner(bearer, &record)?;
        ticket::replace(db, &site.brand.name, &record, false)?;
        note(bearer, db, "create", &id, names(input.members()))?;
        let kept = ticket::find(db, &site.brand.name, &id, &site.choices)?;
        kept.ok_or_else(UnidyError::internal)?.served(&site.choices)
    })?;
    Ok(created(bearer, &id, served))
}

fn created(bearer: &Bearer, id: &str, ticket: Box<RawValue>) -> Response {
    let choices = &bearer.site.choices;
    let parts = [bearer.site.brand.url.as_str(), &choices.partner_prefix, &choices.tickets_path, id];
    let parts: Vec<&str> =
        parts.iter().map(|part| part.trim_matches('/')).filter(|it| !it.is_empty()).collect();
    match choices.created {
        CreatedForm::Body => (StatusCode::CREATED, Json(ticket)).into_response(),
        CreatedForm::Location => {
            let address = super::header(&parts.join("/"));
            (StatusCode::NO_CONTENT, [(header::LOCATION, address)]).into_response()
        }
    }
}

/// `PUT …/tickets/{id}` and `PATCH`: members that are left out stay.
pub(super) fn update(bearer: &Bearer, id: &str, body: &Bytes) -> Result<Response, UnidyError> {
    bearer.check("tickets:write")?;
    let site = &bearer.site;
    let served = site.app.db.write(|db| {
        let found = manageable(bearer, db, id)?;
        let input = Input::read(body)?;
        let mut record = found.record()?;
        let now = stamp(site.app.now_s().saturating_mul(1000), site.choices.zone());
        record.set("updated_at", &json!(now))?;
        input.apply(site, db, &mut record, false)?;
        check_owner(bearer, &record)?;
        ticket::replace(db, &site.brand.name, &record, found.document)?;
        note(bearer, db, "update", id, names(input.members()))?;
        let kept = ticket::find(db, &site.brand.name, id, &site.choices)?;
        kept.ok_or_else(UnidyError::internal)?.served(&site.choices)
    })?;
    Ok(Json(served).into_response())
}

/// `DELETE …/tickets/{id}`
pub(super) fn delete(bearer: &Bearer, id: &str) -> Result<Response, UnidyError> {
    bearer.check("tickets:write")?;
    let site = &bearer.site;
    site.app.db.write(|db| {
        manageable(bearer, db, id)?;
        ticket::delete(db, &site.brand.name, id)?;
        note(bearer, db, "delete", id, json!([]))?;
        Ok::<_, UnidyError>(StatusCode::NO_CONTENT.into_response())
    })
}

/// The ticket, if there is one and the caller may manage it.
fn manageable(bearer: &Bearer, db: &Connection, id: &str) -> Result<Stored, UnidyError> {
    let site = &bearer.site;
    let found = ticket::find(db, &site.brand.name, id, &site.choices)?;
    let found = found.ok_or_else(UnidyError::not_found)?;
    match &bearer.user {
        Some(user) if user.id != found.user_id => Err(UnidyError::forbidden("forbidden")),
        _ => Ok(found),
    }
}

/// A user's token gives no ticket to anybody else.
fn check_owner(bearer: &Bearer, record: &Record) -> Result<(), UnidyError> {
    match &bearer.user {
        Some(user) if record.text("user_id").as_ref() != Some(&user.unidy_id) => {
            Err(UnidyError::forbidden("forbidden"))
        }
        _ => Ok(()),
    }
}

fn note(bearer: &Bearer, db: &Connection, what: &str, id: &str, members: Value) -> rusqlite::Result<()> {
    let subject = format!("{}/{id}", bearer.site.brand.name);
    let detail = json!({"members": members});
    journal::record(db, bearer.name(), &format!("unidy.ticket.{what}"), &subject, None, &detail)
}

/// A random UUID of version 4.
fn uuid() -> std::io::Result<String> {
    let mut raw = random::<16>()?;
    raw[6] = raw[6] & 0x0f | 0x40;
    raw[8] = raw[8] & 0x3f | 0x80;
    let hex = hex::encode(raw);
    Ok([&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-"))
}
