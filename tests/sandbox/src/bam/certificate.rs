//! Enrollment: the server makes a wallet's key and a certificate for it, and hands both over. It keeps only the public
//! key, so that who loses the reply must renew.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::fields::{Body, Fields, unreadable};
use super::session::{Account, signed_in};
use super::wallet::{Wallet, new_enrollment};
use crate::app::App;
use crate::journal;

const LIFE_DAYS: i64 = 365;
/// So long before its end a certificate should be renewed.
const RENEW_DAYS: i64 = 30;
const DAY_S: i64 = 86_400;

/// `POST /account/v1/certificate/enroll`: once for each user. Who sends no token is a new user.
pub(super) async fn enroll(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    Fields::of_body(&body, false)?;
    app.db.write(|db| {
        let account = if headers.contains_key(header::AUTHORIZATION) {
            caller(&app, db, &headers)?
        } else {
            Account::create(db, "anon", Some(new_enrollment()?))?
        };
        if expiry(db, account.id)?.is_some() {
            return Err(BamError::new(StatusCode::CONFLICT, "ALREADY_ENROLLED", "Already enrolled"));
        }
        certify(&app, db, account, "certificate.enroll")
    })
}

/// `POST /account/v1/certificate/renew`: the key before counts no more.
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    Fields::of_body(&body, false)?;
    app.db.write(|db| {
        let account = caller(&app, db, &headers)?;
        expiry(db, account.id)?.ok_or_else(|| BamError::not_found("Certificate"))?;
        certify(&app, db, account, "certificate.renew")
    })
}

/// `GET /account/v1/user/{id}`: users see themselves.
pub(super) async fn user(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    app.db.read(|db| {
        let account = caller(&app, db, &headers)?;
        if account.id != id.parse::<i64>().map_err(|_| BamError::bad_parameter("id"))? {
            return Err(BamError::forbidden());
        }
        let expiry = expiry(db, account.id)?;
        let due = expiry.is_some_and(|expiry| expiry - app.now_s() < RENEW_DAYS * DAY_S);
        Ok(Json(json!({"data": {
            "id": account.id,
            "username": account.name,
            "email": account.name,
            "enrollment_id": account.enrollment_id,
            "verified": true,
            "should_renew_certificate": due,
        }})))
    })
}

fn caller(app: &App, db: &Connection, headers: &HeaderMap) -> Result<Account, BamError> {
    let user = signed_in(app, headers)?.id;
    Account::find(db, "id = ?1", &[&user])?.ok_or_else(BamError::unauthorized)
}

fn expiry(db: &Connection, user: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT expires_at FROM certificate WHERE user_id = ?1";
    db.query_row(sql, [user], |row| row.get(0)).optional()
}

fn certify(app: &App, db: &Connection, account: Account, kind: &str) -> Result<Json<Value>, BamError> {
    let enrollment = account.enrollment_id.map_or_else(new_enrollment, Ok)?;
    db.execute("UPDATE user SET enrollment_id = ?2 WHERE id = ?1", (account.id, &enrollment))?;
    let expires_at = app.now_s() + LIFE_DAYS * DAY_S;
    let wallet = Wallet::create(app, &enrollment, app.now_s(), expires_at)?;
    db.execute(
        "INSERT OR REPLACE INTO certificate (user_id, public_key, pem, expires_at) VALUES (?1, ?2, ?3, ?4)",
        (account.id, &wallet.public_key, &wallet.certificate, expires_at),
    )?;
    journal::record(db, &account.name, kind, &format!("enrollment/{enrollment}"), None, &json!({}))?;
    Ok(Json(json!({"data": {
        "id": account.id,
        "enrollment_id": enrollment,
        "certificate": wallet.certificate,
        "private_key": wallet.private_key,
    }})))
}
