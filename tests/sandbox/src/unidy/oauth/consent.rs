//! The authorization endpoint: who consents, and how they say so.
//!
//! A browser gets a page to sign in at, which posts `email`, `password` and `decision` (`allow` or `deny`) to the same
//! address. A switch consents or refuses without a page.

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use url::form_urlencoded;

use super::authorize::{Asked, Parameters};
use super::error::OAuthError;
use super::page;
use crate::unidy::caller::{Person, Site};
use crate::unidy::choices::Consent;
use crate::unidy::error::UnidyError;

/// `GET /oauth/authorize`
pub(super) async fn ask(site: Site, Query(query): Query<Parameters>) -> Result<Response, UnidyError> {
    decide(&site, &query, |db| {
        Ok(match &site.choices.consent {
            Consent::Approve { user } => match site.by_email(db, user)? {
                Some(user) => Decision::Allow(user),
                None => Decision::Page(StatusCode::OK, ""),
            },
            Consent::Deny => Decision::Deny,
            Consent::Ask if query.get("prompt").is_some_and(|prompt| prompt == "none") => {
                Decision::NotSignedIn
            }
            Consent::Ask => Decision::Page(StatusCode::OK, ""),
        })
    })
}

/// `POST /oauth/authorize`, from the page.
pub(super) async fn answer(
    site: Site,
    Query(query): Query<Parameters>,
    body: Bytes,
) -> Result<Response, UnidyError> {
    let answered: Parameters = form_urlencoded::parse(&body).into_owned().collect();
    let field = |name: &str| answered.get(name).map_or("", String::as_str);
    decide(&site, &query, |db| {
        if field("decision") == "deny" {
            return Ok(Decision::Deny);
        }
        let user = site.by_email(db, field("email"))?;
        let known = user.filter(|it| it.password == field("password") && it.account == "active");
        Ok(known.map_or(
            Decision::Page(StatusCode::UNAUTHORIZED, "Wrong e-mail address or password"),
            Decision::Allow,
        ))
    })
}

/// What comes of a request.
enum Decision {
    Allow(Person),
    Deny,
    NotSignedIn,
    Page(StatusCode, &'static str),
}

fn decide(
    site: &Site,
    query: &Parameters,
    decision: impl FnOnce(&Connection) -> Result<Decision, UnidyError>,
) -> Result<Response, UnidyError> {
    site.app.db.write(|db| {
        let asked = match Asked::read(site, db, query) {
            Ok(asked) => asked,
            Err(page) => return Ok(*page),
        };
        let wanted = match asked.wanted(query) {
            Ok(wanted) => wanted,
            Err(error) => return Ok(asked.refuse(&error)),
        };
        match decision(db)? {
            Decision::Allow(user) => asked.grant(site, db, &wanted, user),
            Decision::Deny => Ok(asked.refuse(&OAuthError::new("access_denied", "The user refused"))),
            Decision::NotSignedIn => {
                Ok(asked.refuse(&OAuthError::new("login_required", "Nobody is signed in")))
            }
            Decision::Page(status, words) => {
                let hint = query.get("login_hint").map_or("", String::as_str);
                Ok(page::sign_in(status, hint, words).into_response())
            }
        }
    })
}
