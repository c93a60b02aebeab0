//! Accounts, the sessions that they open, and finding out who asks.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use serde_json::{Value, json};

use super::BamError;
use super::token::Claims;
use crate::app::{App, random};

/// What an organizer's token permits, by class.
const PERMITTED: [(&str, &[&str]); 2] =
    [("event", &["read"]), ("ticket", &["free", "issue", "reserve", "send"])];
/// What a validator's does.
const PERMITTED_TO_VALIDATORS: [(&str, &[&str]); 2] = [("event", &["read"]), ("ticket", &["invalidate"])];
/// The kind of a validator's account.
pub(super) const VALIDATOR: &str = "validator";

/// Who asks.
#[derive(Debug)]
pub(crate) struct Holder {
    /// The user's id.
    pub(crate) id: i64,
    /// The tenant for whose organizer the user acts.
    pub(super) organizer: Option<String>,
    pub(super) is_validator: bool,
}

impl Holder {
    /// A user who acts for nobody else.
    pub(crate) fn of(id: i64) -> Self {
        Self { id, organizer: None, is_validator: false }
    }

    /// Whether the user acts for this tenant's organizer.
    pub(super) fn organizes(&self, tenant: &str) -> bool {
        self.reads_events_of(tenant) && !self.is_validator
    }

    /// Whether the user may read what a tenant's gates need: its organizer, or a validator of one of its events.
    pub(super) fn reads_events_of(&self, tenant: &str) -> bool {
        self.organizer.as_deref() == Some(tenant)
    }
}

/// A user's account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) enrollment_id: Option<String>,
    pub(super) kind: String,
    works_for: Option<String>,
    /// The device that signs in, where it tells.
    pub(super) device_id: Option<String>,
}

impl Account {
    /// The one account for which an SQL condition holds.
    pub(super) fn find(
        db: &Connection,
        condition: &str,
        parameters: &[&dyn ToSql],
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!("SELECT id, name, enrollment_id, kind, works_for FROM user WHERE {condition}");
        db.prepare_cached(&sql)?.query_row(parameters, Self::read).optional()
    }

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            enrollment_id: row.get(2)?,
            kind: row.get(3)?,
            works_for: row.get(4)?,
            device_id: None,
        })
    }

    /// Keeps a new account of somebody without name and password.
    pub(super) fn create(
        db: &Connection,
        kind: &str,
        enrollment_id: Option<String>,
    ) -> Result<Self, BamError> {
        let name = format!("{kind}-{}", hex::encode(random::<8>()?));
        db.execute(
            "INSERT INTO user (name, password, enrollment_id, kind) VALUES (?1, ?2, ?3, ?4)",
            (&name, hex::encode(random::<16>()?), &enrollment_id, kind),
        )?;
        let id = db.last_insert_rowid();
        Ok(Self { id, name, enrollment_id, kind: kind.to_owned(), works_for: None, device_id: None })
    }

    /// The tenant of the organizer that is named by name or id, if the user works for it.
    pub(super) fn organizer(&self, db: &Connection, wanted: &Value) -> Result<String, BamError> {
        let tenant = organizer_tenant(db, wanted)?.ok_or_else(|| BamError::not_found("Organizer"))?;
        if self.works_for.as_ref() == Some(&tenant) { Ok(tenant) } else { Err(BamError::forbidden()) }
    }

    fn permitted(&self) -> BTreeMap<String, Vec<String>> {
        let permitted = if self.kind == VALIDATOR { PERMITTED_TO_VALIDATORS } else { PERMITTED };
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        permitted.iter().map(|(class, permitted)| ((*class).to_owned(), names(permitted))).collect()
    }

    /// An access token that acts for this tenant's organizer.
    pub(super) fn token(&self, app: &App, organizer: Option<&str>) -> Result<String, BamError> {
        let iat = app.now_s();
        let is_known = self.kind == "registered" || self.kind == "service";
        let token = app.token_key().sign(&Claims {
            exp: iat.saturating_add(app.config.token_life_s.into()),
            iat,
            username: self.name.clone(),
            verified: is_known,
            id: self.id,
            device_id: self.device_id.clone(),
            enrollment_id: self.enrollment_id.clone(),
            enrolled: self.enrollment_id.is_some(),
            kind: if is_known { "registered" } else { &self.kind }.to_owned(),
            permissions: organizer.map(|tenant| (tenant.to_owned(), self.permitted())).into_iter().collect(),
        })?;
        app.give_out(&token);
        Ok(token)
    }

    /// Access and refresh token, as a sign-in answers them.
    pub(super) fn open_session(
        &self,
        app: &App,
        db: &Connection,
        organizer: Option<&str>,
    ) -> Result<Value, BamError> {
        let refresh_token = hex::encode(random::<32>()?);
        db.execute(
            "INSERT INTO session (refresh_token, user_id, organizer) VALUES (?1, ?2, ?3)",
            (&refresh_token, self.id, organizer),
        )?;
        app.give_out(&refresh_token);
        let mut data = json!({"token": self.token(app, organizer)?, "refresh_token": refresh_token});
        if let Some(organizer) = organizer {
            data["organizer_id"] = json!(organizer);
        }
        Ok(json!({"data": data}))
    }
}

/// The tenant of the organizer of this name or id; an id may be a number or its text.
pub(super) fn organizer_tenant(db: &Connection, wanted: &Value) -> rusqlite::Result<Option<String>> {
    let text = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
    let sql = "SELECT tenant FROM organizer WHERE ?1 IN (tenant, title, CAST(id AS TEXT))";
    db.query_row(sql, [text], |row| row.get(0)).optional()
}

/// Who sent a request with these headers; `None` without a token that counts.
pub(crate) fn holder(app: &App, headers: &HeaderMap) -> Option<Holder> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let claims = app.token_key().verify(token.trim(), app.now_s())?;
    let is_validator = claims.kind == VALIDATOR;
    Some(Holder { id: claims.id, organizer: claims.permissions.into_keys().next(), is_validator })
}

/// Who sent a request, or B.A.M's 401.
pub(super) fn signed_in(app: &App, headers: &HeaderMap) -> Result<Holder, BamError> {
    holder(app, headers).ok_or_else(BamError::unauthorized)
}

/// 401 with a reason.
pub(super) fn refused(code: &str, message: &str) -> BamError {
    BamError::new(StatusCode::UNAUTHORIZED, code, message)
}
