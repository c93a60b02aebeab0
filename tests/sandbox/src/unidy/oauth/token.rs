//! The token endpoint.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension};
use serde_json::Value;
use url::form_urlencoded;

use super::authorize::scopes;
use super::client::{self, UnidyClient};
use super::error::OAuthError;
use super::grant::{Granted, revoke_chain};
use crate::app::random;
use crate::unidy::caller::Site;
use crate::unidy::choices::TokenBody;
use crate::unidy::encode;

type Parameters = HashMap<String, String>;
type Reply = Result<([(HeaderName, HeaderValue); 2], Json<Value>), OAuthError>;

/// `POST /oauth/token`
pub(super) async fn token(site: Site, headers: HeaderMap, body: Bytes) -> Reply {
    let request = Request { site: &site, parameters: parameters(&site, &headers, &body)?, headers: &headers };
    // A code that is used again is refused, and what came of it is revoked: both are kept.
    let (reply, spent) = site.app.db.write(|db| {
        let result = request.reply(db);
        match result {
            Ok(Outcome::Reply(reply)) => Ok((Some(reply), false)),
            Ok(Outcome::SpentCode) => Ok((None, true)),
            Err(error) => Err(error),
        }
    })?;
    match (reply, spent) {
        (Some(reply), _) => {
            let no_store = (header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            Ok(([no_store, (header::PRAGMA, HeaderValue::from_static("no-cache"))], Json(reply)))
        }
        _ => Err(OAuthError::invalid_grant("The authorization code was used before")),
    }
}

enum Outcome {
    Reply(Value),
    SpentCode,
}

struct Request<'a> {
    site: &'a Site,
    parameters: Parameters,
    headers: &'a HeaderMap,
}

impl Request<'_> {
    fn reply(&self, db: &Connection) -> Result<Outcome, OAuthError> {
        match self.get("grant_type")? {
            "authorization_code" => self.authorization_code(db),
            "refresh_token" => self.refresh_token(db),
            "client_credentials" => self.client_credentials(db),
            _ => Err(OAuthError::new("unsupported_grant_type", "The grant type is not supported")),
        }
    }

    fn get(&self, name: &str) -> Result<&str, OAuthError> {
        let value = self.parameters.get(name).map(String::as_str).filter(|value| !value.is_empty());
        value.ok_or_else(|| OAuthError::invalid_request(&format!("{name} is missing")))
    }

    /// The client, once it has proved who it is: by its secret in the body or in a header, or by having none.
    fn client(&self, db: &Connection) -> Result<UnidyClient, OAuthError> {
        let (id, secret) = match basic(self.headers) {
            Some((id, secret)) => (id, Some(secret)),
            None => (self.get("client_id")?.to_owned(), self.parameters.get("client_secret").cloned()),
        };
        let client = client::find(db, &self.site.brand.name, &id)?.ok_or_else(OAuthError::invalid_client)?;
        match &client.client_secret {
            Some(known) if secret.as_ref() != Some(known) => Err(OAuthError::invalid_client()),
            _ => Ok(client),
        }
    }

    fn authorization_code(&self, db: &Connection) -> Result<Outcome, OAuthError> {
        let client = self.client(db)?;
        let code = self.get("code")?;
        let Some(kept) = Kept::find(self.site, db, code)?.filter(|kept| kept.client_id == client.client_id)
        else {
            return Err(OAuthError::invalid_grant("The authorization code is not valid"));
        };
        if kept.used {
            revoke_chain(db, code)?;
            return Ok(Outcome::SpentCode);
        }
        if self.site.app.now_s() >= kept.expires_at {
            return Err(OAuthError::invalid_grant("The authorization code has expired"));
        }
        if self.get("redirect_uri")? != kept.redirect_uri {
            return Err(OAuthError::invalid_grant("The redirect address is another one"));
        }
        check_verifier(self.parameters.get("code_verifier"), &kept)?;
        db.execute("UPDATE unidy_grant SET used = 1 WHERE code = ?1", [code])?;
        let granted = Granted {
            client,
            user: self.site.by_id(db, kept.user_id)?,
            scopes: kept.scope.split(' ').map(str::to_owned).collect(),
            nonce: kept.nonce,
            auth_time: kept.auth_time,
            origin: code.to_owned(),
        };
        Ok(Outcome::Reply(granted.reply(self.site, db, None)?))
    }

    fn refresh_token(&self, db: &Connection) -> Result<Outcome, OAuthError> {
        let client = self.client(db)?;
        if client.client_secret.is_none() && !self.site.choices.refresh_without_secret {
            return Err(OAuthError::invalid_client());
        }
        let token = self.get("refresh_token")?;
        let found: Option<(i64, String, i64, String, bool)> = db
            .query_row(
                "SELECT user_id, scope, auth_time, origin, revoked FROM unidy_refresh_token
                    WHERE token = ?1 AND brand = ?2 AND client_id = ?3",
                (token, &self.site.brand.name, &client.client_id),
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
            )
            .optional()?;
        let Some((user_id, scope, auth_time, origin, false)) = found else {
            return Err(OAuthError::invalid_grant("The refresh token is not valid"));
        };
        let allowed = UnidyClient { scopes: scope.split(' ').map(str::to_owned).collect(), ..client.clone() };
        let granted = Granted {
            client,
            user: self.site.by_id(db, user_id)?,
            scopes: scopes(&allowed, self.parameters.get("scope"))?,
            nonce: None,
            auth_time,
            origin,
        };
        let kept = (!self.site.choices.rotate_refresh_tokens).then_some(token);
        if kept.is_none() {
            db.execute("UPDATE unidy_refresh_token SET revoked = 1 WHERE token = ?1", [token])?;
        }
        Ok(Outcome::Reply(granted.reply(self.site, db, kept)?))
    }

    fn client_credentials(&self, db: &Connection) -> Result<Outcome, OAuthError> {
        let client = self.client(db)?;
        if client.client_secret.is_none() {
            return Err(OAuthError::new("unauthorized_client", "A public client has no credentials"));
        }
        let scopes = scopes(&client, self.parameters.get("scope"))?;
        let origin = encode(&random::<16>()?);
        let granted = Granted { client, user: None, scopes, nonce: None, auth_time: 0, origin };
        Ok(Outcome::Reply(granted.reply(self.site, db, None)?))
    }
}

/// An authorization code as it is kept.
struct Kept {
    client_id: String,
    user_id: i64,
    redirect_uri: String,
    scope: String,
    nonce: Option<String>,
    challenge: Option<String>,
    method: Option<String>,
    auth_time: i64,
    expires_at: i64,
    used: bool,
}

impl Kept {
    fn find(site: &Site, db: &Connection, code: &str) -> rusqlite::Result<Option<Self>> {
        db.query_row(
            "SELECT client_id, user_id, redirect_uri, scope, nonce, challenge, method, auth_time, expires_at, used
                FROM unidy_grant WHERE code = ?1 AND brand = ?2",
            (code, &site.brand.name),
            |row| {
                Ok(Self {
                    client_id: row.get(0)?,
                    user_id: row.get(1)?,
                    redirect_uri: row.get(2)?,
                    scope: row.get(3)?,
                    nonce: row.get(4)?,
                    challenge: row.get(5)?,
                    method: row.get(6)?,
                    auth_time: row.get(7)?,
                    expires_at: row.get(8)?,
                    used: row.get(9)?,
                })
            },
        )
        .optional()
    }
}

/// Whether a text has the form of a code verifier, and of a challenge (RFC 7636, section 4).
pub(super) fn is_verifier(text: &str) -> bool {
    (43..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

/// A challenge and its verifier belong together; neither may come without the other.
fn check_verifier(verifier: Option<&String>, kept: &Kept) -> Result<(), OAuthError> {
    let fits = match (verifier, &kept.challenge) {
        (None, None) => true,
        (Some(verifier), Some(challenge)) if is_verifier(verifier) => match kept.method.as_deref() {
            Some("S256") => encode(digest(&SHA256, verifier.as_bytes()).as_ref()) == *challenge,
            _ => verifier == challenge,
        },
        _ => false,
    };
    if fits {
        Ok(())
    } else {
        Err(OAuthError::invalid_grant("The code verifier does not fit the code challenge"))
    }
}

/// The parameters of a body, which is JSON or a form, as far as that is switched on.
fn parameters(site: &Site, headers: &HeaderMap, body: &Bytes) -> Result<Parameters, OAuthError> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_json = kind.starts_with("application/json");
    let read = match site.choices.token_body {
        TokenBody::Any => true,
        TokenBody::Json => is_json,
        TokenBody::Form => !is_json,
    };
    if !read {
        return Err(OAuthError::invalid_request("The body cannot be read"));
    }
    if !is_json {
        return Ok(form_urlencoded::parse(body).into_owned().collect());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => {
            let texts = members.into_iter().filter_map(|(name, value)| match value {
                Value::String(text) => Some((name, text)),
                _ => None,
            });
            Ok(texts.collect())
        }
        _ => Err(OAuthError::invalid_request("The body cannot be read")),
    }
}

/// Id and secret of an `Authorization: Basic` header, each percent-encoded (RFC 6749, section 2.3.1).
fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let plain = |text: &str| {
        let pair = format!("x={text}");
        form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    Some((plain(id)?, plain(secret)?))
}
