//! Sessions.

use axum::Json;
use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caller::{Caller, Client};
use super::choices::TicketingChoices;
use super::error::TicketingError;
use super::page::{object, texts};
use super::world::{Key, World, session_date};
use crate::app::random;

/// `POST /sessions`
pub(super) async fn start(client: Client, body: Bytes) -> Result<Response, TicketingError> {
    let (app, choices) = (client.app.clone(), client.choices.clone());
    if choices.sign_in_needs_key {
        client.identify()?;
    }
    let body = object(&body)?;
    let [identification, password] = texts(&body, ["identification", "password"])?;
    let key = hex::encode(random::<16>()?);
    app.give_out(&key);
    let mut world = app.ticketing.world();
    let found = world.accounts.iter().position(|account| account.name == identification);
    let account = found.ok_or_else(TicketingError::no_resource)?;
    if world.accounts[account].password != password {
        let words = "The provided credentials are invalid.";
        return Err(TicketingError::error(StatusCode::UNAUTHORIZED, words));
    }
    let id = world.new_id();
    world.keys.insert(key.clone(), Key::Session { account, started: app.now_s(), id });
    let session = session(&world, &key, &choices).ok_or_else(TicketingError::internal)?;
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

/// `GET /sessions/active`
pub(super) async fn active(caller: Caller) -> Result<Json<Value>, TicketingError> {
    let world = caller.app.ticketing.world();
    session(&world, &caller.key, &caller.choices).map(Json).ok_or_else(TicketingError::restricted)
}

/// `DELETE /sessions/active`
pub(super) async fn end(caller: Caller) -> Result<StatusCode, TicketingError> {
    let mut world = caller.app.ticketing.world();
    if !matches!(world.keys.get(&caller.key), Some(Key::Session { .. })) {
        return Err(TicketingError::restricted());
    }
    world.keys.remove(&caller.key);
    Ok(StatusCode::NO_CONTENT)
}

/// A session's record; `None` for a key of another kind.
fn session(world: &World, key: &str, choices: &TicketingChoices) -> Option<Value> {
    let Some(Key::Session { account, started, id }) = world.keys.get(key) else { return None };
    Some(json!({
        "self": format!("/sessions/{id}"), "started": session_date(*started, choices), "key": key,
        "account": world.accounts.get(*account)?.uri(),
    }))
}
