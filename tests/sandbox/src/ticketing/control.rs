//! The sandbox's own routes about TickeTing, for tests that speak only HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::get;
use axum::{Json, Router};

use super::access::{self, TicketingServed};
use super::choices::TicketingChoices;
use crate::app::App;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/ticketing", get(show))
        .route("/sandbox/ticketing/choices", get(choices).put(set_choices))
}

/// The address is the one that the request came to.
async fn show(State(app): State<Arc<App>>, headers: HeaderMap) -> Json<TicketingServed> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    Json(access::served(&app, &format!("http://{host}")))
}

async fn choices(State(app): State<Arc<App>>) -> Json<TicketingChoices> {
    Json(app.ticketing.choices())
}

/// Members that are left out get their defaults.
async fn set_choices(State(app): State<Arc<App>>, Json(choices): Json<TicketingChoices>) -> StatusCode {
    app.ticketing.set_choices(choices);
    StatusCode::NO_CONTENT
}
