//! What the authorization endpoint was asked for, and how it answers.

use std::collections::HashMap;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use rusqlite::Connection;
use url::form_urlencoded;

use super::client::{self, UnidyClient};
use super::error::OAuthError;
use super::grant::Granted;
use super::page;
use crate::app::random;
use crate::unidy::caller::{Person, Site};
use crate::unidy::encode;
use crate::unidy::error::UnidyError;

/// How long an authorization code counts, in seconds.
const CODE_LIFE_S: i64 = 600;

/// The parameters of a request.
pub(super) type Parameters = HashMap<String, String>;

/// A request that may be answered at its redirect address.
pub(super) struct Asked {
    client: UnidyClient,
    redirect_uri: String,
    state: Option<String>,
    mode: Mode,
}

/// What of it can be granted.
pub(super) struct Wanted {
    code: bool,
    token: bool,
    id_token: bool,
    scopes: Vec<String>,
    nonce: Option<String>,
    challenge: Option<String>,
    method: String,
}

/// How the answer gets to the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Query,
    Fragment,
    FormPost,
}

impl Asked {
    /// Finds out who asks and where the answer goes; a page of its own tells people when that is not known.
    pub(super) fn read(site: &Site, db: &Connection, query: &Parameters) -> Result<Self, Box<Response>> {
        let wrong = |words: &str| Box::new(page::message(StatusCode::BAD_REQUEST, words));
        let client_id = query.get("client_id").map_or("", String::as_str);
        let found = client::find(db, &site.brand.name, client_id);
        let client = found.map_err(|_| wrong("The sandbox failed"))?;
        let client = client.ok_or_else(|| wrong("invalid_client: no such client"))?;
        let redirect_uri = query.get("redirect_uri").cloned().unwrap_or_default();
        if redirect_uri != client.redirect_uri {
            return Err(wrong("invalid_request: the redirect address is not the client's"));
        }
        let only_code = query.get("response_type").is_none_or(|types| types == "code");
        let mode = match query.get("response_mode").map(String::as_str) {
            Some("form_post") => Mode::FormPost,
            Some("fragment") => Mode::Fragment,
            _ if only_code => Mode::Query,
            _ => Mode::Fragment,
        };
        Ok(Self { client, redirect_uri, state: query.get("state").cloned(), mode })
    }

    /// Finds out what is asked for.
    pub(super) fn wanted(&self, query: &Parameters) -> Result<Wanted, OAuthError> {
        let types: Vec<&str> = query.get("response_type").map_or("", String::as_str).split(' ').collect();
        if types.iter().any(|wanted| !["code", "token", "id_token"].contains(wanted)) {
            return Err(OAuthError::new("unsupported_response_type", "The response type is not supported"));
        }
        if query
            .get("response_mode")
            .is_some_and(|it| !["query", "fragment", "form_post"].contains(&it.as_str()))
        {
            return Err(OAuthError::invalid_request("The response mode is not supported"));
        }
        let wanted = Wanted {
            code: types.contains(&"code"),
            token: types.contains(&"token"),
            id_token: types.contains(&"id_token"),
            scopes: scopes(&self.client, query.get("scope"))?,
            nonce: query.get("nonce").cloned(),
            challenge: query.get("code_challenge").cloned(),
            method: query.get("code_challenge_method").map_or("plain", String::as_str).to_owned(),
        };
        self.check(&wanted)?;
        Ok(wanted)
    }

    fn check(&self, wanted: &Wanted) -> Result<(), OAuthError> {
        let identity = wanted.scopes.iter().any(|scope| scope == "openid");
        if wanted.id_token && !identity {
            return Err(OAuthError::new("invalid_scope", "An ID token needs the scope openid"));
        }
        if wanted.id_token && wanted.nonce.is_none() {
            return Err(OAuthError::invalid_request("An ID token needs a nonce"));
        }
        if !["plain", "S256"].contains(&wanted.method.as_str()) {
            return Err(OAuthError::invalid_request("The code challenge method is not supported"));
        }
        if wanted.challenge.as_ref().is_some_and(|challenge| !super::token::is_verifier(challenge)) {
            return Err(OAuthError::invalid_request("The code challenge is not valid"));
        }
        if wanted.code && self.client.client_secret.is_none() && wanted.challenge.is_none() {
            return Err(OAuthError::invalid_request("A public client needs a code challenge"));
        }
        Ok(())
    }

    /// Grants what is wanted in the name of a user.
    pub(super) fn grant(
        &self,
        site: &Site,
        db: &Connection,
        wanted: &Wanted,
        user: Person,
    ) -> Result<Response, UnidyError> {
        let code = encode(&random::<32>()?);
        let granted = Granted {
            client: self.client.clone(),
            user: Some(user),
            scopes: wanted.scopes.clone(),
            nonce: wanted.nonce.clone(),
            auth_time: site.app.now_s(),
            origin: code.clone(),
        };
        let mut answer: Vec<(&str, String)> = Vec::new();
        if wanted.code {
            self.keep(site, db, wanted, &granted)?;
            site.app.give_out(&code);
            answer.push(("code", code.clone()));
        }
        let mut access_token = None;
        if wanted.token {
            let token = granted.access_token(site, db)?;
            answer.push(("access_token", token.clone()));
            answer.push(("token_type", "Bearer".to_owned()));
            answer.push(("expires_in", site.choices.access_token_life_s.to_string()));
            answer.push(("scope", wanted.scopes.join(" ")));
            access_token = Some(token);
        }
        if wanted.id_token {
            let code = wanted.code.then_some(code.as_str());
            let token = granted.id_token(site, db, access_token.as_deref(), code)?;
            answer.extend(token.map(|token| ("id_token", token)));
        }
        Ok(self.answer(answer))
    }

    /// Answers with a refusal.
    pub(super) fn refuse(&self, error: &OAuthError) -> Response {
        self.answer(vec![("error", error.error.to_owned()), ("error_description", error.description.clone())])
    }

    fn keep(
        &self,
        site: &Site,
        db: &Connection,
        wanted: &Wanted,
        granted: &Granted,
    ) -> rusqlite::Result<usize> {
        db.execute(
            "INSERT INTO unidy_grant (code, brand, client_id, user_id, redirect_uri, scope, nonce, challenge, method,
                    auth_time, expires_at, used)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)",
            (
                &granted.origin,
                &site.brand.name,
                &self.client.client_id,
                granted.user.as_ref().map(|user| user.id),
                &self.redirect_uri,
                wanted.scopes.join(" "),
                &wanted.nonce,
                &wanted.challenge,
                wanted.challenge.as_ref().map(|_| &wanted.method),
                granted.auth_time,
                granted.auth_time.saturating_add(CODE_LIFE_S),
            ),
        )
    }

    /// The answer at the redirect address.
    fn answer(&self, mut answer: Vec<(&str, String)>) -> Response {
        answer.extend(self.state.clone().map(|state| ("state", state)));
        if self.mode == Mode::FormPost {
            return Html(page::form_post(&self.redirect_uri, &answer)).into_response();
        }
        let text = form_urlencoded::Serializer::new(String::new()).extend_pairs(&answer).finish();
        let mark = match self.mode {
            Mode::Fragment => '#',
            _ if self.redirect_uri.contains('?') => '&',
            _ => '?',
        };
        let address = HeaderValue::from_str(&format!("{}{mark}{text}", self.redirect_uri));
        match address {
            Ok(address) => (StatusCode::FOUND, [(header::LOCATION, address)]).into_response(),
            Err(_) => {
                page::message(StatusCode::BAD_REQUEST, "invalid_request: the redirect address is no address")
            }
        }
    }
}

/// The scopes asked for, or all that the client may have.
pub(super) fn scopes(client: &UnidyClient, asked: Option<&String>) -> Result<Vec<String>, OAuthError> {
    let asked = asked.map_or("", String::as_str).split_whitespace();
    let scopes: Vec<String> = asked.map(str::to_owned).collect();
    if scopes.is_empty() {
        return Ok(client.scopes.clone());
    }
    match scopes.iter().all(|scope| client.allows(scope)) {
        true => Ok(scopes),
        false => Err(OAuthError::new("invalid_scope", "The client may not ask for this scope")),
    }
}
