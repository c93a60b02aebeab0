//! Who asks, and of which brand.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Row};

use super::brand::Brand;
use super::choices::UnidyChoices;
use super::error::UnidyError;
use super::maintenance;
use crate::app::App;

/// The brand a request is for. The maintenance job has run when a handler gets one.
#[derive(Debug, Clone)]
pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    pub(crate) brand: Arc<Brand>,
    pub(crate) choices: UnidyChoices,
}

impl Site {
    /// The brand of this name, after maintenance.
    pub(crate) fn open(app: &Arc<App>, brand: &str) -> Result<Self, UnidyError> {
        let brand = app.unidy.brand(brand).ok_or_else(UnidyError::not_found)?;
        maintenance::run(app)?;
        Ok(Self { app: Arc::clone(app), brand: Arc::clone(brand), choices: app.unidy.choices() })
    }

    /// The user whom a value of this column belongs to: `name` or `unidy_id`.
    fn find(&self, db: &Connection, column: &str, value: &str) -> rusqlite::Result<Option<Person>> {
        let sql = format!("{PERSON} WHERE brand = ?1 AND {column} = ?2");
        db.query_row(&sql, (&self.brand.name, value), Person::read).optional()
    }

    /// The user with this e-mail address, in any case.
    pub(crate) fn by_email(&self, db: &Connection, email: &str) -> rusqlite::Result<Option<Person>> {
        self.find(db, "name", &email.trim().to_lowercase())
    }

    /// The user with this id at the brand.
    pub(crate) fn by_unidy_id(&self, db: &Connection, id: &str) -> rusqlite::Result<Option<Person>> {
        self.find(db, "unidy_id", id)
    }

    /// The user with the sandbox's own id.
    pub(crate) fn by_id(&self, db: &Connection, id: i64) -> rusqlite::Result<Option<Person>> {
        let sql = format!("{PERSON} WHERE brand = ?1 AND user_id = ?2");
        db.query_row(&sql, (&self.brand.name, id), Person::read).optional()
    }
}

const PERSON: &str = "SELECT user_id, unidy_id, name, password, account
    FROM unidy_user JOIN user ON user.id = user_id";

/// A user as a brand knows them.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: i64,
    pub(crate) unidy_id: String,
    pub(crate) email: String,
    pub(crate) password: String,
    pub(crate) account: String,
}

impl Person {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            unidy_id: row.get(1)?,
            email: row.get(2)?,
            password: row.get(3)?,
            account: row.get(4)?,
        })
    }
}

impl FromRequestParts<Arc<App>> for Site {
    type Rejection = UnidyError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, UnidyError> {
        let path = Path::<HashMap<String, String>>::from_request_parts(parts, app).await;
        let Path(path) = path.map_err(|_| UnidyError::not_found())?;
        Self::open(app, path.get("brand").map_or("", String::as_str))
    }
}

/// An app of the brand, known by the SDK key.
pub(crate) struct SdkApp(pub(crate) Site);

impl FromRequestParts<Arc<App>> for SdkApp {
    type Rejection = UnidyError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, UnidyError> {
        let site = Site::from_request_parts(parts, app).await?;
        match bearer(&parts.headers) {
            Some(key) if key == site.brand.sdk_key => Ok(Self(site)),
            _ => Err(UnidyError::unauthorized()),
        }
    }
}

/// A user of an app, known by the SDK key and an ID token.
pub(crate) struct Holder {
    pub(crate) site: Site,
    pub(crate) user: Person,
}

impl FromRequestParts<Arc<App>> for Holder {
    type Rejection = UnidyError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, UnidyError> {
        let SdkApp(site) = SdkApp::from_request_parts(parts, app).await?;
        let token = parts.headers.get("x-id-token").and_then(|value| value.to_str().ok());
        let refused = |name| UnidyError::new(StatusCode::UNAUTHORIZED, name);
        let token = token.ok_or_else(|| refused("missing_id_token"))?;
        let user = app.db.read(|db| {
            let known: Option<i64> = db
                .query_row(
                    "SELECT user_id FROM unidy_id_token WHERE token = ?1 AND brand = ?2 AND expires_at > ?3",
                    (token.trim(), &site.brand.name, app.now_s()),
                    |row| row.get(0),
                )
                .optional()?;
            let user = known.map(|id| site.by_id(db, id)).transpose()?.flatten();
            user.ok_or_else(|| refused("invalid_id_token"))
        })?;
        Ok(Self { site, user })
    }
}

/// The token of an `Authorization: Bearer` header.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
