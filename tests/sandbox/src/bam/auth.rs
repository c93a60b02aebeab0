//! Signing in with a password, and renewing tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::OptionalExtension;
use serde::Deserialize;
use serde_json::Value;

use super::BamError;
use super::fields::{Body, unreadable};
use super::session::{Account, refused};
use crate::app::App;

#[derive(Deserialize)]
pub(super) struct Login {
    username: String,
    password: String,
    organizer_id: Option<Value>,
}

#[derive(Deserialize)]
pub(super) struct Refresh {
    refresh_token: String,
    organizer_id: Option<Value>,
}

/// `POST /account/v1/auth/login`: with an `organizer_id` (an organizer's name or id) for somebody who works there.
pub(super) async fn login(State(app): State<Arc<App>>, body: Body<Login>) -> Result<Json<Value>, BamError> {
    let Json(login) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let condition = "name = ?1 AND password = ?2 AND kind = 'registered'";
        let account = Account::find(db, condition, &[&login.username, &login.password])?
            .ok_or_else(|| refused("INVALID_CREDENTIALS", "Invalid username or password"))?;
        let organizer = login.organizer_id.map(|wanted| account.organizer(db, &wanted)).transpose()?;
        Ok(Json(account.open_session(&app, db, organizer.as_deref())?))
    })
}

/// `POST /account/v1/auth/refresh`: a refresh token counts once.
pub(super) async fn refresh(
    State(app): State<Arc<App>>,
    body: Body<Refresh>,
) -> Result<Json<Value>, BamError> {
    let Json(refresh) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let sql = "DELETE FROM session WHERE refresh_token = ?1 RETURNING user_id, organizer";
        let (user, before): (i64, Option<String>) = db
            .query_row(sql, [&refresh.refresh_token], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(|| refused("INVALID_REFRESH_TOKEN", "Invalid refresh token"))?;
        let account = Account::find(db, "id = ?1", &[&user])?.ok_or_else(BamError::unauthorized)?;
        let organizer = match refresh.organizer_id {
            Some(wanted) => Some(account.organizer(db, &wanted)?),
            None => before.filter(|_| app.bam_choices().refresh_keeps_organizer),
        };
        Ok(Json(account.open_session(&app, db, organizer.as_deref())?))
    })
}
