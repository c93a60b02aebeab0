//! The box office's side of gates, for tests: rules of events, states of tickets, revoked scanners, bad manifests.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use ticket_wallet::NonceEpoch;

use super::Place;
use super::codes::{self, AdmissionCode};
use super::manifest::nonce_epochs;
use super::records::Records;
use super::scanner::Scanner;
use super::view::{self, report};
use crate::app::{App, lock};
use crate::problem::Problem;

/// A manifest that a gate must not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BadManifest {
    /// Signed, but older than any that was sent.
    LowerSequence,
    /// Signed with another key than the pinned one.
    OtherKey,
    /// Half of one.
    Truncated,
    /// Signed and newer, with two issuer keys of one key id beside the tenant's own: no gate may mistake one for the other.
    DoubledKeyId,
}

/// What shall be said of an event; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateEventEdit {
    /// `single`, `re_entry`, `entries` or `days`.
    pub policy: Option<String>,
    /// How many times or days, 1 or more.
    pub entries: Option<u8>,
    /// Whether each signed code must cover a venue nonce.
    pub nonce_required: Option<bool>,
    /// From when on nothing changes hands, Unix seconds.
    pub closes_at: Option<i64>,
    /// The last second of certificates that scanners get when they sign in from now on, Unix seconds; 0 is for ever.
    pub certified_until: Option<i64>,
}

/// What shall be said of a ticket at the gates; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GateTicketEdit {
    /// `valid`, `revoked`, `blocked` or `listed`, whatever the ticket's own status says.
    pub state: Option<String>,
    /// The lowest generation that lets in.
    pub generation: Option<u16>,
}

const POLICIES: [&str; 4] = ["single", "re_entry", "entries", "days"];
const STATES: [&str; 4] = ["valid", "revoked", "blocked", "listed"];

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/gates", get(live))
        .route("/sandbox/gates/codes", get(codes))
        .route("/sandbox/gates/events/{tenant}/{id}", patch(event))
        .route("/sandbox/gates/events/{tenant}/{id}/nonce", get(nonce))
        .route("/sandbox/gates/tickets/{tenant}/{id}", patch(ticket))
        .route("/sandbox/gates/scanners/{id}/revoke", post(scanner))
        .route("/sandbox/gates/bad-manifest", put(bad_manifest).delete(good_manifest))
}

/// Text for people; JSON for whoever asks for it.
async fn live(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let report = app.db.read(|db| report(&app, db))?;
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("application/json") {
        return Ok(Json(report).into_response());
    }
    Ok(view::text(&report).into_response())
}

async fn codes(State(app): State<Arc<App>>) -> Result<Json<Vec<AdmissionCode>>, Problem> {
    Ok(Json(app.db.read(|db| codes::all(&app, db))?))
}

async fn event(
    State(app): State<Arc<App>>,
    Path((tenant, event)): Path<(String, i64)>,
    Json(edit): Json<GateEventEdit>,
) -> Result<StatusCode, Problem> {
    done(app.db.write(|db| edit_event(db, &Place { tenant, event }, &edit))?)
}

/// The venue nonce that phones show now, in hex.
async fn nonce(
    State(app): State<Arc<App>>,
    Path((tenant, event)): Path<(String, i64)>,
) -> Result<Json<Value>, Problem> {
    let epochs = app.db.read(|db| nonce_epochs(&app, db, &Place { tenant, event }))?;
    let now = app.now_s();
    let is_now = |one: &&NonceEpoch| (i64::from(one.begin)..=i64::from(one.end)).contains(&now);
    let nonce = epochs.iter().find(is_now).map(|one| hex::encode(&one.nonce));
    nonce.map(|nonce| Json(json!({ "nonce": nonce }))).ok_or_else(missing)
}

async fn ticket(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(edit): Json<GateTicketEdit>,
) -> Result<StatusCode, Problem> {
    done(app.db.write(|db| edit_ticket(db, &tenant, id, &edit))?)
}

async fn scanner(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let id = hex::decode(id).map_err(|_| Problem::malformed("a scanner's id is hex"))?;
    done(app.db.write(|db| revoke(db, &id))?)
}

async fn bad_manifest(State(app): State<Arc<App>>, Json(bad): Json<BadManifest>) -> StatusCode {
    *lock(&app.bad_manifest) = Some(bad);
    StatusCode::NO_CONTENT
}

async fn good_manifest(State(app): State<Arc<App>>) -> StatusCode {
    *lock(&app.bad_manifest) = None;
    StatusCode::NO_CONTENT
}

/// 204, or 404 when there was nothing to do it to.
fn done(found: bool) -> Result<StatusCode, Problem> {
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(missing()) }
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Nothing here")
}

/// Says something of an event. Returns whether there is one.
pub(crate) fn edit_event(db: &Connection, place: &Place, edit: &GateEventEdit) -> Result<bool, Problem> {
    if edit.policy.as_ref().is_some_and(|policy| !POLICIES.contains(&policy.as_str())) {
        return Err(Problem::invalid_field("policy", "none of the policies"));
    }
    let at = (&place.tenant, place.event);
    let sql = "SELECT EXISTS (SELECT 1 FROM ticket_config WHERE tenant = ?1 AND event_id = ?2)";
    if !db.query_row(sql, at, |row| row.get(0))? {
        return Ok(false);
    }
    db.execute("INSERT OR IGNORE INTO gate_event (tenant, event_id) VALUES (?1, ?2)", at)?;
    db.execute(
        "UPDATE gate_event SET policy = coalesce(?3, policy), entries = coalesce(?4, entries),
            nonce_required = coalesce(?5, nonce_required), closes_at = coalesce(?6, closes_at),
            certified_until = coalesce(?7, certified_until)
            WHERE tenant = ?1 AND event_id = ?2",
        (at.0, at.1, &edit.policy, edit.entries, edit.nonce_required, edit.closes_at, edit.certified_until),
    )?;
    if let Some(closes_at) = edit.closes_at {
        end_by(db, place, closes_at)?;
    }
    Ok(true)
}

/// What is offered, reserved or on its way at an event ends no later than this.
fn end_by(db: &Connection, place: &Place, closes_at: i64) -> rusqlite::Result<()> {
    for sql in [
        "UPDATE listing SET expires_at = min(expires_at, ?3) WHERE tenant = ?1 AND event_id = ?2",
        "UPDATE reservation SET expires_at = min(expires_at, ?3) WHERE state = 'pending'
            AND listing_id IN (SELECT id FROM listing WHERE tenant = ?1 AND event_id = ?2)",
        "UPDATE transfer SET expires_at = min(expires_at, ?3) WHERE tenant = ?1 AND state = 'pending'
            AND ticket_id IN (SELECT ticket.id FROM ticket JOIN ticket_config
                ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                WHERE ticket.tenant = ?1 AND event_id = ?2)",
    ] {
        db.execute(sql, (&place.tenant, place.event, closes_at))?;
    }
    Ok(())
}

/// Says something of a ticket. Returns whether there is one.
pub(crate) fn edit_ticket(
    db: &Connection,
    tenant: &str,
    id: i64,
    edit: &GateTicketEdit,
) -> Result<bool, Problem> {
    if edit.state.as_ref().is_some_and(|state| !STATES.contains(&state.as_str())) {
        return Err(Problem::invalid_field("state", "none of the states"));
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM ticket WHERE tenant = ?1 AND id = ?2)";
    if !db.query_row(sql, (tenant, id), |row| row.get(0))? {
        return Ok(false);
    }
    db.execute("INSERT OR IGNORE INTO gate_ticket (tenant, ticket_id) VALUES (?1, ?2)", (tenant, id))?;
    db.execute(
        "UPDATE gate_ticket SET state = coalesce(?3, state), generation = coalesce(?4, generation)
            WHERE tenant = ?1 AND ticket_id = ?2",
        (tenant, id, &edit.state, edit.generation),
    )?;
    Ok(true)
}

/// Revokes a scanner: of its records those count that are held by now. Returns whether there is one.
pub(crate) fn revoke(db: &Connection, id: &[u8]) -> Result<bool, Problem> {
    let Some(scanner) = Scanner::find(db, id)? else { return Ok(false) };
    db.execute("UPDATE gate_scanner SET revoked = 1 WHERE id = ?1", [id])?;
    let records = Records::of(db, &scanner.place())?;
    // Of a scanner without records no chain is known: the row of zeros says that none is good.
    let mut last = std::collections::BTreeMap::from([([0; 16], (0, [0; 32]))]);
    for kept in records.all.iter().filter(|kept| kept.linked && kept.record.fields().scanner.0[..] == *id) {
        last.remove(&[0; 16]);
        last.insert(kept.record.fields().chain.0, (kept.record.fields().sequence, kept.record.hash()));
    }
    for (chain, (last_good, hash)) in last {
        db.execute(
            "INSERT OR IGNORE INTO gate_revocation (scanner, chain, last_good, hash) VALUES (?1, ?2, ?3, ?4)",
            (id, &chain[..], last_good, &hash[..]),
        )?;
    }
    Ok(true)
}
