//! Signing in, renewing tokens, and finding out who asks.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::Deserialize;
use serde_json::{Value, json};

use super::BamError;
use super::token::Claims;
use crate::app::{App, random};

type Body<T> = Result<Json<T>, JsonRejection>;

#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    password: String,
}

#[derive(Deserialize)]
pub(super) struct Refresh {
    refresh_token: String,
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The user's id.
    pub(crate) id: i64,
    /// The user's enrollment.
    pub(crate) enrollment_id: String,
}

struct Account {
    id: i64,
    name: String,
    enrollment_id: String,
}

impl Account {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, name: row.get(1)?, enrollment_id: row.get(2)? })
    }
}

/// `POST /account/v1/auth/login`
pub(super) async fn login(State(app): State<Arc<App>>, body: Body<Login>) -> Result<Json<Value>, BamError> {
    let Json(login) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let account = db
            .query_row(
                "SELECT id, name, enrollment_id FROM user WHERE name = ?1 AND password = ?2",
                (&login.username, &login.password),
                Account::read,
            )
            .optional()?
            .ok_or_else(|| refused("INVALID_CREDENTIALS", "Invalid username or password"))?;
        open_session(&app, db, account)
    })
}

/// `POST /account/v1/auth/refresh`: a refresh token counts once.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    body: Body<Refresh>,
) -> Result<Json<Value>, BamError> {
    let Json(refresh) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let account = db
            .query_row(
                "SELECT id, name, enrollment_id FROM user WHERE id =
                    (SELECT user_id FROM session WHERE refresh_token = ?1)",
                [&refresh.refresh_token],
                Account::read,
            )
            .optional()?
            .ok_or_else(|| refused("INVALID_REFRESH_TOKEN", "Invalid refresh token"))?;
        db.execute("DELETE FROM session WHERE refresh_token = ?1", [&refresh.refresh_token])?;
        open_session(&app, db, account)
    })
}

/// Who sent a request with these headers; `None` without a token that counts.
pub(crate) fn holder(app: &App, headers: &HeaderMap) -> Option<Holder> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let claims = app.token_key().verify(token.trim(), app.now_s())?;
    Some(Holder { id: claims.id, enrollment_id: claims.enrollment_id })
}

/// Who sent a request, or B.A.M's 401.
pub(super) fn signed_in(app: &App, headers: &HeaderMap) -> Result<Holder, BamError> {
    holder(app, headers).ok_or_else(BamError::unauthorized)
}

fn open_session(app: &App, db: &Connection, account: Account) -> Result<Json<Value>, BamError> {
    let refresh_token = hex::encode(random::<32>()?);
    db.execute("INSERT INTO session (refresh_token, user_id) VALUES (?1, ?2)", (&refresh_token, account.id))?;
    let life_s = app.config.token_life_s;
    let claims = Claims::registered(account.id, account.name, account.enrollment_id, app.now_s(), life_s);
    let token = app.token_key().sign(&claims)?;
    app.give_out(&token);
    app.give_out(&refresh_token);
    Ok(Json(json!({"data": {"token": token, "refresh_token": refresh_token}})))
}

fn refused(code: &str, message: &str) -> BamError {
    BamError::new(StatusCode::UNAUTHORIZED, code, message)
}

/// 400: the body is not JSON of the right shape.
pub(super) fn unreadable(_: JsonRejection) -> BamError {
    BamError::bad_parameter("body")
}
