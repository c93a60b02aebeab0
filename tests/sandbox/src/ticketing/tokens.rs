//! Admission tokens.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caller::Caller;
use super::choices::UpdateReply;
use super::error::TicketingError;
use super::page::{Parameters, list as texts, object, page};
use super::world::{World, event_uri};
use crate::app::App;
use crate::journal;

const IMMUTABLE: &str = "The global admission token cannot be modified or invalidated.";

/// `POST /events/{event}/tokens`
pub(super) async fn issue(
    caller: Caller,
    Path(event): Path<String>,
    body: Bytes,
) -> Result<Response, TicketingError> {
    let id = event_id(&caller, &event)?;
    let sections = sections(&caller.app.ticketing.world(), &event, &body)?;
    let (mut token, secrets) = {
        let mut world = caller.app.ticketing.world();
        let token = world.add_token(id, sections, caller.choices.new_tokens_stay_global)?.clone();
        let key = world.key_of(token.id).unwrap_or_default().to_owned();
        (token, [key])
    };
    caller.app.give_out(&token.code);
    secrets.iter().for_each(|secret| caller.app.give_out(secret));
    note(&caller, "issue", &format!("{event}/{}", token.id))?;
    token.global = caller.choices.new_tokens_are_global;
    Ok((StatusCode::CREATED, Json(token.to_json())).into_response())
}

/// `GET /events/{event}/tokens`
pub(super) async fn list(
    caller: Caller,
    Path(event): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let id = event_id(&caller, &event)?;
    let global = match query.get("global").map(String::as_str) {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(_) => return Err(TicketingError::invalid(&["global"])),
    };
    let world = caller.app.ticketing.world();
    let of = world.tokens.iter().filter(|token| token.event == id);
    let all: Vec<Value> = of
        .filter(|token| global.is_none_or(|global| token.global == global))
        .map(super::world::Token::to_json)
        .collect();
    page(&all, &query, &caller.choices)
}

/// `GET /events/{event}/tokens/{token}`
pub(super) async fn one(
    caller: Caller,
    Path((event, token)): Path<(String, String)>,
) -> Result<Json<Value>, TicketingError> {
    event_id(&caller, &event)?;
    let world = caller.app.ticketing.world();
    Ok(Json(world.tokens[position(&world, &event, &token)?].to_json()))
}

/// `PUT /events/{event}/tokens/{token}`
pub(super) async fn update(
    caller: Caller,
    Path((event, token)): Path<(String, String)>,
    body: Bytes,
) -> Result<Response, TicketingError> {
    event_id(&caller, &event)?;
    let changed = {
        let mut world = caller.app.ticketing.world();
        let at = changeable(&world, &event, &token)?;
        let sections = sections(&world, &event, &body)?;
        world.tokens[at].sections = sections;
        world.tokens[at].to_json()
    };
    note(&caller, "update", &format!("{event}/{token}"))?;
    Ok(match caller.choices.update_reply {
        UpdateReply::Token => Json(changed).into_response(),
        UpdateReply::Nothing => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `DELETE /events/{event}/tokens/{token}`
pub(super) async fn delete(
    caller: Caller,
    Path((event, token)): Path<(String, String)>,
) -> Result<StatusCode, TicketingError> {
    event_id(&caller, &event)?;
    {
        let mut world = caller.app.ticketing.world();
        let at = changeable(&world, &event, &token)?;
        let token = world.tokens.remove(at);
        if let Some(key) = world.key_of(token.id).map(str::to_owned) {
            world.keys.remove(&key);
        }
    }
    note(&caller, "delete", &format!("{event}/{token}"))?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /tokens/{code}`
pub(super) async fn look_up(caller: Caller, Path(code): Path<String>) -> Result<Json<Value>, TicketingError> {
    let world = caller.app.ticketing.world();
    let token =
        world.tokens.iter().find(|token| token.code == code).ok_or_else(TicketingError::no_resource)?;
    let key = world.key_of(token.id).ok_or_else(TicketingError::internal)?;
    let sections = token.to_json()["sections"].take();
    Ok(Json(json!({ "key": key, "event": event_uri(token.event), "sections": sections })))
}

/// The event, if the caller manages it.
fn event_id(caller: &Caller, event: &str) -> Result<u64, TicketingError> {
    caller.manages()?;
    let world = caller.app.ticketing.world();
    world.event(event).map(|event| event.id).ok_or_else(TicketingError::no_resource)
}

/// The sections that a body names, all of the event.
fn sections(world: &World, event: &str, body: &Bytes) -> Result<Vec<u64>, TicketingError> {
    let uris = texts(&object(body)?, "sections")?;
    let of_event = |uri: &String| {
        let (of, section) = world.section(uri)?;
        (of.id.to_string() == event).then_some(section.id)
    };
    let ids: Option<Vec<_>> = uris.iter().map(of_event).collect();
    ids.ok_or_else(|| TicketingError::invalid(&["sections"]))
}

fn position(world: &World, event: &str, token: &str) -> Result<usize, TicketingError> {
    let is_it = |one: &super::world::Token| one.event.to_string() == event && one.id.to_string() == token;
    world.tokens.iter().position(is_it).ok_or_else(TicketingError::no_resource)
}

fn changeable(world: &World, event: &str, token: &str) -> Result<usize, TicketingError> {
    let at = position(world, event, token)?;
    if world.tokens[at].global { Err(TicketingError::conflict(IMMUTABLE)) } else { Ok(at) }
}

fn note(caller: &Caller, what: &str, subject: &str) -> Result<(), TicketingError> {
    let (app, kind): (&Arc<App>, _) = (&caller.app, format!("ticketing.token.{what}"));
    let name = caller.name();
    app.db
        .write(|db| journal::record(db, &name, &kind, subject, None, &json!({})))
        .map_err(TicketingError::from)
}
