//! Codes and tokens: how they are made, kept and found again.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::client::UnidyClient;
use crate::app::{App, random};
use crate::unidy::caller::{Person, Site, bearer};
use crate::unidy::encode;
use crate::unidy::error::UnidyError;
use crate::unidy::id_token::{Asked, issue};

/// What was granted, to whom, and by whom.
#[derive(Clone)]
pub(super) struct Granted {
    pub(super) client: UnidyClient,
    /// `None` for a client on its own.
    pub(super) user: Option<Person>,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
    /// When the user signed in, in Unix seconds.
    pub(super) auth_time: i64,
    /// The first code of the chain of tokens, or a name of its own.
    pub(super) origin: String,
}

impl Granted {
    /// Whether an ID token belongs to it.
    pub(super) fn is_for_identity(&self) -> bool {
        self.user.is_some() && self.scopes.iter().any(|scope| scope == "openid")
    }

    /// Makes an access token and notes that it counts.
    pub(super) fn access_token(&self, site: &Site, db: &Connection) -> Result<String, UnidyError> {
        let token = encode(&random::<32>()?);
        let expires_at = site.app.now_s().saturating_add(site.choices.access_token_life_s.into());
        db.execute(
            "INSERT INTO unidy_access_token (token, brand, client_id, user_id, scope, origin, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (
                &token,
                &site.brand.name,
                &self.client.client_id,
                self.user.as_ref().map(|user| user.id),
                self.scopes.join(" "),
                &self.origin,
                expires_at,
            ),
        )?;
        site.app.give_out(&token);
        Ok(token)
    }

    /// Makes a refresh token.
    fn refresh_token(&self, site: &Site, db: &Connection, user: &Person) -> Result<String, UnidyError> {
        let token = encode(&random::<32>()?);
        db.execute(
            "INSERT INTO unidy_refresh_token
                    (token, brand, client_id, user_id, scope, auth_time, origin, revoked)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
            (
                &token,
                &site.brand.name,
                &self.client.client_id,
                user.id,
                self.scopes.join(" "),
                self.auth_time,
                &self.origin,
            ),
        )?;
        site.app.give_out(&token);
        Ok(token)
    }

    /// Makes an ID token, bound to what comes with it.
    pub(super) fn id_token(
        &self,
        site: &Site,
        db: &Connection,
        access_token: Option<&str>,
        code: Option<&str>,
    ) -> Result<Option<String>, UnidyError> {
        let Some(user) = self.user.as_ref().filter(|_| self.is_for_identity()) else { return Ok(None) };
        let asked = Asked {
            audience: &self.client.client_id,
            nonce: self.nonce.as_deref(),
            auth_time: self.auth_time,
            access_token,
            code,
            sid: None,
        };
        issue(db, site, user, &asked).map(Some)
    }

    /// What the token endpoint replies: with a refresh token for users, the one that is kept or a new one.
    pub(super) fn reply(
        &self,
        site: &Site,
        db: &Connection,
        kept_refresh: Option<&str>,
    ) -> Result<Value, UnidyError> {
        let access_token = self.access_token(site, db)?;
        let mut reply = json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": site.choices.access_token_life_s,
        });
        if let Some(user) = &self.user {
            reply["refresh_token"] = match kept_refresh {
                Some(token) => json!(token),
                None => json!(self.refresh_token(site, db, user)?),
            };
        }
        reply["scope"] = json!(self.scopes.join(" "));
        reply["created_at"] = json!(site.app.now_s());
        if let Some(token) = self.id_token(site, db, Some(&access_token), None)? {
            reply["id_token"] = json!(token);
        }
        Ok(reply)
    }
}

/// Revokes everything that goes back to one code.
pub(super) fn revoke_chain(db: &Connection, origin: &str) -> rusqlite::Result<()> {
    db.execute("DELETE FROM unidy_access_token WHERE origin = ?1", [origin])?;
    db.execute("UPDATE unidy_refresh_token SET revoked = 1 WHERE origin = ?1", [origin])?;
    Ok(())
}

/// Makes all access and ID tokens invalid, and with `sessions` everything that gives new ones.
pub(crate) fn revoke_access(db: &Connection, sessions: bool) -> rusqlite::Result<()> {
    db.execute_batch("DELETE FROM unidy_access_token; DELETE FROM unidy_id_token;")?;
    if sessions {
        db.execute_batch(
            "UPDATE unidy_refresh_token SET revoked = 1;
            UPDATE unidy_sdk_refresh SET revoked = 1;
            UPDATE unidy_grant SET used = 1;
            UPDATE unidy_sign_in SET state = 'signed_out';",
        )?;
    }
    Ok(())
}

/// Who asks with an access token.
pub(crate) struct Bearer {
    pub(crate) site: Site,
    pub(crate) client_id: String,
    /// `None` for a client on its own.
    pub(crate) user: Option<Person>,
    scopes: Vec<String>,
}

impl Bearer {
    /// Whether the token is good for a scope.
    pub(crate) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }

    /// 403 unless the token is good for a scope.
    pub(crate) fn check(&self, scope: &str) -> Result<(), UnidyError> {
        if self.has(scope) { Ok(()) } else { Err(UnidyError::forbidden("insufficient_scope")) }
    }

    /// Who is to stand in the journal.
    pub(crate) fn name(&self) -> &str {
        self.user.as_ref().map_or(&self.client_id, |user| &user.email)
    }
}

impl FromRequestParts<Arc<App>> for Bearer {
    type Rejection = UnidyError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, UnidyError> {
        let site = Site::from_request_parts(parts, app).await?;
        let token = bearer(&parts.headers).ok_or_else(UnidyError::unauthorized)?;
        let (client_id, user, scope) = app.db.read(|db| {
            let found: Option<(String, Option<i64>, String)> = db
                .query_row(
                    "SELECT client_id, user_id, scope FROM unidy_access_token
                        WHERE token = ?1 AND brand = ?2 AND expires_at > ?3",
                    (token, &site.brand.name, app.now_s()),
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?;
            let (client_id, user, scope) = found.ok_or_else(UnidyError::unauthorized)?;
            let user = user.map(|id| site.by_id(db, id)).transpose()?.flatten();
            Ok::<_, UnidyError>((client_id, user, scope))
        })?;
        Ok(Self { site, client_id, user, scopes: scope.split(' ').map(str::to_owned).collect() })
    }
}
