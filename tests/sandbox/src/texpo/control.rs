//! The sandbox's own routes about TEXPO, for tests that speak only HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::access::{self, TexpoAccess};
use super::choices::TexpoChoices;
use super::plan;
use crate::app::App;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/texpo", get(show))
        .route("/sandbox/texpo/choices", get(choices).put(set_choices))
        .route("/sandbox/texpo/catalogue/{count}", put(set_catalogue))
        .route("/sandbox/texpo/entries", put(put_entry))
        .route("/sandbox/texpo/tickets", post(buy))
        .route("/sandbox/texpo/tickets/{id}", delete(remove))
}

async fn show(State(app): State<Arc<App>>) -> Json<TexpoAccess> {
    Json(access::access(&app))
}

async fn choices(State(app): State<Arc<App>>) -> Json<TexpoChoices> {
    Json(app.texpo.choices())
}

/// Members that are left out get their defaults.
async fn set_choices(State(app): State<Arc<App>>, Json(choices): Json<TexpoChoices>) -> StatusCode {
    app.texpo.set_choices(choices);
    StatusCode::NO_CONTENT
}

async fn set_catalogue(State(app): State<Arc<App>>, Path(count): Path<usize>) -> StatusCode {
    app.texpo.data().entries = plan::catalogue(count, app.now_s());
    StatusCode::NO_CONTENT
}

async fn put_entry(State(app): State<Arc<App>>, Json(members): Json<Map<String, Value>>) -> StatusCode {
    let put = access::put(&app, &access::text(members));
    if put { StatusCode::NO_CONTENT } else { StatusCode::BAD_REQUEST }
}

#[derive(Deserialize)]
struct Bought {
    user: String,
    product_id: String,
}

async fn buy(State(app): State<Arc<App>>, Json(bought): Json<Bought>) -> Result<Json<Value>, StatusCode> {
    let ticket = access::buy(&app, &bought.user, &bought.product_id);
    ticket.map(|id| Json(json!({"id": id}))).ok_or(StatusCode::NOT_FOUND)
}

async fn remove(State(app): State<Arc<App>>, Path(id): Path<String>) -> StatusCode {
    if access::remove(&app, &id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND }
}
