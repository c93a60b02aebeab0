//! Gates of a tenant's events: scanners sign in with admission codes, fetch manifests and deltas, and exchange the records
//! of their ledgers.

mod codes;
mod control;
mod ledger;
mod manifest;
mod records;
mod scanner;
mod view;

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

pub use codes::AdmissionCode;
pub(crate) use codes::all as admission_codes;
pub use control::{BadManifest, GateEventEdit, GateTicketEdit};
pub(crate) use control::{edit_event, edit_ticket, revoke, routes as control_routes};
pub(crate) use view::report;

pub(super) use manifest::closes_at;
pub(super) use records::admitted;

use super::fields::encode;
use super::idempotency::key;
use super::write::{once, served};
use crate::app::App;
use crate::problem::Problem;
use scanner::{Scanner, sign_in};

/// The tables.
pub(crate) const SCHEMA: &str = include_str!("gates/schema.sql");
/// Claims of those who sign in; users and scanners have other numbers.
const NOBODY: i64 = 0;
/// The media type of manifests and deltas.
const BYTES: &str = "application/octet-stream";

/// The routes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{tenant}/wallet/v1/gates", post(register))
        .route("/t/{tenant}/wallet/v1/gates/manifest", get(latest))
        .route("/t/{tenant}/wallet/v1/gates/nonce", get(nonces))
        .route("/t/{tenant}/wallet/v1/gates/ledger", get(download).post(upload))
}

/// `POST /gates`
async fn register(State(app): State<Arc<App>>, Path(tenant): Path<String>, request: Request) -> Response {
    let done = async {
        let (tenant, _) = served(&app, &tenant)?;
        let claim = (NOBODY, key(request.headers())?);
        once(&app, claim, request, |db, body| sign_in(&app, db, tenant, &body)).await
    };
    done.await.into_response()
}

/// `GET /gates/manifest`
async fn latest(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let since = query.get("since").map(|text| text.parse::<u32>());
    let since = since.transpose().map_err(|_| Problem::malformed("since is not a sequence"))?;
    let bytes = app.db.write(|db| {
        let scanner = Scanner::signed_in(&app, db, &tenant, &headers)?;
        manifest::answer(&app, db, &scanner, since)
    })?;
    Ok(match bytes {
        Some(bytes) => ([(header::CONTENT_TYPE, BYTES)], bytes).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

/// `GET /gates/nonce`
async fn nonces(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    app.db.read(|db| {
        let scanner = Scanner::signed_in(&app, db, &tenant, &headers)?;
        let epochs = manifest::nonce_epochs(&app, db, &scanner.place())?;
        let epochs =
            epochs.iter().map(|one| json!({"begin": one.begin, "end": one.end, "nonce": encode(&one.nonce)}));
        Ok(Json(epochs.collect()))
    })
}

/// `POST /gates/ledger`
async fn upload(State(app): State<Arc<App>>, Path(tenant): Path<String>, request: Request) -> Response {
    let done = async {
        let scanner = app.db.read(|db| Scanner::signed_in(&app, db, &tenant, request.headers()))?;
        let key = key(request.headers())?;
        let claim = (-scanner.number, key.clone());
        once(&app, claim, request, |db, body| ledger::take(&app, db, &scanner, &key, &body)).await
    };
    done.await.into_response()
}

/// `GET /gates/ledger`
async fn download(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    app.db.read(|db| {
        let scanner = Scanner::signed_in(&app, db, &tenant, &headers)?;
        Ok(Json(ledger::page(&app, db, &scanner, query.get("cursor").map(String::as_str))?))
    })
}

/// An event of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    /// The tenant.
    pub(crate) tenant: String,
    /// The event's id.
    pub(crate) event: i64,
}
