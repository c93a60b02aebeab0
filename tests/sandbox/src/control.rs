//! The sandbox's own routes: faults, the log of requests and the journal, for tests that speak only HTTP.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};

use crate::app::App;
use crate::bam::BamError;
use crate::faults::FaultRule;
use crate::journal::{self, JournalEntry};

/// Where these routes stand.
pub(crate) const PREFIX: &str = "/sandbox/";

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/faults", post(add_faults).delete(clear_faults))
        .route("/sandbox/requests", get(requests))
        .route("/sandbox/journal", get(journal))
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

async fn journal(State(app): State<Arc<App>>) -> Result<Json<Vec<JournalEntry>>, BamError> {
    Ok(Json(app.db.read(journal::entries)?))
}

async fn requests(State(app): State<Arc<App>>) -> Json<Vec<String>> {
    Json(app.requests())
}
