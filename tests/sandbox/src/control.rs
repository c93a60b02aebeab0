//! The sandbox's own routes, for tests that speak only HTTP: faults, the log of requests, the journal, and the box
//! office's side of tickets and events.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::bam::{self, BamChoices, BamError};
use crate::edit::{self, TicketEdit};
use crate::extension::{self, TransferEnd};
use crate::faults::FaultRule;
use crate::journal::{self, JournalEntry};
use crate::recorder::RecordedRequest;
use crate::users::OrganizerUser;

/// Where these routes stand.
pub(crate) const PREFIX: &str = "/sandbox/";

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/faults", post(add_faults).delete(clear_faults))
        .route("/sandbox/requests", get(requests))
        .route("/sandbox/recorded", get(recorded))
        .route("/sandbox/secrets", get(secrets))
        .route("/sandbox/journal", get(journal))
        .route("/sandbox/organizers", get(organizers))
        .route("/sandbox/validators/{tenant}/{event}", get(validator))
        .route("/sandbox/bam", get(bam_choices).put(set_bam_choices))
        .route("/sandbox/expire-cursors", post(expire_cursors))
        .route("/sandbox/tickets/{tenant}", post(add_ticket))
        .route("/sandbox/tickets/{tenant}/{id}", patch(edit_ticket).delete(remove_ticket))
        .route("/sandbox/events/{tenant}/{id}", patch(rename_event))
        .route("/sandbox/orders/{tenant}/{id}", post(end_payment))
        .route("/sandbox/transfers/{tenant}/{id}", post(end_transfer))
        .merge(extension::gate_control_routes())
        .merge(bam::market_control_routes())
        .merge(extension::market_control_routes())
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

async fn expire_cursors(State(app): State<Arc<App>>) -> StatusCode {
    app.expire_cursors();
    StatusCode::NO_CONTENT
}

async fn journal(State(app): State<Arc<App>>) -> Result<Json<Vec<JournalEntry>>, BamError> {
    Ok(Json(app.db.read(journal::entries)?))
}

async fn requests(State(app): State<Arc<App>>) -> Json<Vec<String>> {
    Json(app.requests())
}

async fn recorded(State(app): State<Arc<App>>) -> Json<Vec<RecordedRequest>> {
    Json(app.recorder.requests())
}

async fn secrets(State(app): State<Arc<App>>) -> Json<Vec<String>> {
    Json(app.recorder.secrets())
}

async fn organizers(State(app): State<Arc<App>>) -> Json<Vec<OrganizerUser>> {
    Json(app.organizers.clone())
}

async fn validator(State(app): State<Arc<App>>, Path((tenant, event)): Path<(String, i64)>) -> Json<Value> {
    Json(json!({"token": bam::validator_token(&app, &tenant, event)}))
}

async fn bam_choices(State(app): State<Arc<App>>) -> Json<BamChoices> {
    Json(app.bam_choices())
}

/// Members that are left out get their defaults.
async fn set_bam_choices(State(app): State<Arc<App>>, Json(choices): Json<BamChoices>) -> StatusCode {
    app.set_bam_choices(choices);
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
struct NewTicket {
    user: String,
    event_id: i64,
}

#[derive(Deserialize)]
struct Owner {
    user: String,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

#[derive(Deserialize)]
struct Payment {
    paid: bool,
}

#[derive(Deserialize)]
struct Ended {
    state: TransferEnd,
}

async fn add_ticket(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Json(new): Json<NewTicket>,
) -> Result<Json<Value>, BamError> {
    let now_s = app.now_s();
    let id = app.db.write(|db| edit::add_ticket(db, &new.user, &tenant, new.event_id, now_s))?;
    id.map(|id| Json(json!({"id": id}))).ok_or_else(|| BamError::not_found("User or event"))
}

async fn edit_ticket(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(change): Json<TicketEdit>,
) -> Result<StatusCode, BamError> {
    let now_s = app.now_s();
    done("Ticket", app.db.write(|db| edit::edit_ticket(db, &tenant, id, &change, now_s)))
}

async fn remove_ticket(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Query(owner): Query<Owner>,
) -> Result<StatusCode, BamError> {
    done("Ticket", app.db.write(|db| edit::remove_ticket(db, &owner.user, &tenant, id)))
}

async fn rename_event(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(name): Json<Name>,
) -> Result<StatusCode, BamError> {
    let now_s = app.now_s();
    done("Event", app.db.write(|db| edit::rename_event(db, &tenant, id, &name.name, now_s)))
}

async fn end_transfer(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(ended): Json<Ended>,
) -> Result<StatusCode, BamError> {
    let now_s = app.now_s();
    let found = app.db.write(|db| extension::end_transfer(db, &tenant, id, ended.state, now_s));
    done("Pending transfer", found)
}

async fn end_payment(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(payment): Json<Payment>,
) -> Result<StatusCode, BamError> {
    let ended = app.db.write(|db| bam::end_payment(&app, db, &tenant, id, payment.paid))?;
    done("Pending payment", Ok(ended))
}

/// 204, or 404 when there was nothing to do it to.
fn done(what: &str, found: rusqlite::Result<bool>) -> Result<StatusCode, BamError> {
    if found? { Ok(StatusCode::NO_CONTENT) } else { Err(BamError::not_found(what)) }
}
