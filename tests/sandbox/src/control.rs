//! The sandbox's own routes: faults and the log of requests, for tests that speak only HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use crate::app::App;
use crate::faults::FaultRule;

/// Where these routes stand.
pub(crate) const PREFIX: &str = "/sandbox/";

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/faults", post(add_faults).delete(clear_faults))
        .route("/sandbox/requests", get(requests))
}

async fn add_faults(State(app): State<Arc<App>>, Json(rules): Json<Vec<FaultRule>>) -> StatusCode {
    for rule in rules {
        app.add_fault(rule);
    }
    StatusCode::NO_CONTENT
}

async fn clear_faults(State(app): State<Arc<App>>) -> StatusCode {
    app.clear_faults();
    StatusCode::NO_CONTENT
}

async fn requests(State(app): State<Arc<App>>) -> Json<Vec<String>> {
    Json(app.requests())
}
