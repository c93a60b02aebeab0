//! Devices at the gates: each event has one validator, which whoever knows its token may fetch. Its wallet signs in like
//! a holder's, for the organizer, and may read the event's key and codes.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use rusqlite::{Connection, OptionalExtension};
use serde::Serialize;
use serde_json::{Value, json};

use super::BamError;
use super::session::{VALIDATOR, holder, organizer_tenant, signed_in};
use super::wallet::Wallet;
use crate::app::{App, random};
use crate::seeded;

const LIFE_S: i64 = 365 * 86_400;

/// `GET /account/v1/organizer/validator/{token}`: needs no access token; one that is not the organizer's is refused.
pub(super) async fn by_token(
    State(app): State<Arc<App>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    app.db.write(|db| {
        let (tenant, event) = place_of(&app, db, &token)?.ok_or_else(|| BamError::not_found("Validator"))?;
        if holder(&app, &headers).is_some_and(|caller| !caller.organizes(&tenant)) {
            return Err(BamError::forbidden());
        }
        Ok(Json(json!({"data": validator(&app, db, &tenant, event)?})))
    })
}

/// `GET /account/v1/organizer/{organizer}/validator/export?event_id=`: without an event those of all events.
pub(super) async fn export(
    State(app): State<Arc<App>>,
    Path(organizer): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let caller = signed_in(&app, &headers)?;
    let event: Option<i64> = query
        .get("event_id")
        .map(|text| text.parse())
        .transpose()
        .map_err(|_| BamError::bad_parameter("event_id"))?;
    app.db.write(|db| {
        let tenant = organizer_tenant(db, &Value::from(organizer.as_str()))?;
        let tenant = tenant.ok_or_else(|| BamError::not_found("Organizer"))?;
        if !caller.organizes(&tenant) {
            return Err(BamError::forbidden());
        }
        let events = events(db)?
            .into_iter()
            .filter(|(of, id)| *of == tenant && event.is_none_or(|event| event == *id));
        let validators = events.map(|(_, id)| validator(&app, db, &tenant, id));
        Ok(Json(json!({"data": validators.collect::<Result<Vec<_>, _>>()?})))
    })
}

/// What a device at an event's gates signs in to B.A.M with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidatorToken {
    /// The tenant.
    pub tenant: String,
    /// The event's id.
    pub event_id: i64,
    /// What its validator is fetched with.
    pub token: String,
}

/// The tokens of all events of all tenants.
pub(crate) fn validator_tokens(app: &App, db: &Connection) -> rusqlite::Result<Vec<ValidatorToken>> {
    let token = |(tenant, event_id): (String, i64)| {
        let token = validator_token(app, &tenant, event_id);
        ValidatorToken { tenant, event_id, token }
    };
    Ok(events(db)?.into_iter().map(token).collect())
}

/// The token of an event's validator. The same seed makes the same token.
pub(crate) fn validator_token(app: &App, tenant: &str, event: i64) -> String {
    let token = hex::encode(&seeded::bytes(app.config.seed, &format!("validator {tenant} {event}"))[..16]);
    app.give_out(&token);
    token
}

/// The event whose validator has this token.
fn place_of(app: &App, db: &Connection, token: &str) -> rusqlite::Result<Option<(String, i64)>> {
    let is_it = |(tenant, event): &(String, i64)| validator_token(app, tenant, *event) == token;
    Ok(events(db)?.into_iter().find(is_it))
}

fn events(db: &Connection) -> rusqlite::Result<Vec<(String, i64)>> {
    let mut statement =
        db.prepare_cached("SELECT DISTINCT tenant, event_id FROM ticket_config ORDER BY 1, 2")?;
    statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// A validator; its wallet is made when it is first asked for.
fn validator(app: &App, db: &Connection, tenant: &str, event: i64) -> Result<Value, BamError> {
    let token = validator_token(app, tenant, event);
    if let Some(found) = find(db, &token)? {
        return Ok(found);
    }
    let enrollment = seeded::uuid(app.config.seed, &format!("validator {tenant} {event}"));
    let now_s = app.now_s();
    let wallet = Wallet::create(app, &enrollment, now_s, now_s + LIFE_S)?;
    db.execute(
        "INSERT INTO user (name, password, enrollment_id, kind, works_for) VALUES (?1, ?2, ?3, ?4, ?5)",
        (format!("validator-{tenant}-{event}"), hex::encode(random::<16>()?), &enrollment, VALIDATOR, tenant),
    )?;
    db.execute(
        "INSERT INTO certificate (user_id, public_key, pem, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (db.last_insert_rowid(), &wallet.public_key, &wallet.certificate, now_s + LIFE_S),
    )?;
    db.execute(
        "INSERT INTO validator (token, tenant, event_id, enrollment_id, certificate, private_key)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (&token, tenant, event, enrollment, wallet.certificate, wallet.private_key),
    )?;
    find(db, &token)?.ok_or_else(|| BamError::not_found("Validator"))
}

/// The event of a tenant that an enrollment validates.
pub(super) fn event_of(db: &Connection, tenant: &str, enrollment: &str) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT event_id FROM validator WHERE tenant = ?1 AND enrollment_id = ?2";
    db.query_row(sql, (tenant, enrollment), |row| row.get(0)).optional()
}

fn find(db: &Connection, token: &str) -> rusqlite::Result<Option<Value>> {
    let sql = "SELECT event_id, tenant, rowid, enrollment_id, certificate, private_key FROM validator
        WHERE token = ?1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(json!({
            "event_id": row.get::<_, i64>(0)?,
            "organizer": row.get::<_, String>(1)?,
            "wallet": {
                "id": row.get::<_, i64>(2)?,
                "enrollment_id": row.get::<_, String>(3)?,
                "certificate": row.get::<_, String>(4)?,
                "private_key": row.get::<_, String>(5)?,
            },
            "server_url": null,
        }))
    };
    db.query_row(sql, [token], read).optional()
}
