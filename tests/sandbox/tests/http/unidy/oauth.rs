//! OAuth and OpenID Connect.

mod flows;
mod id_token;
mod refusals;
mod token;

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use reqwest::{Client, Method, redirect};
use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use ticket_wallet_sandbox::{Consent, UnidyClient};
use url::Url;

use super::support::{Club, MIRA, answer};
use crate::support::Answer;

pub(crate) const VERIFIER: &str = "0123456789abcdefghijABCDEFGHIJ-._~0123456789";

pub(crate) fn challenge() -> String {
    BASE64.encode(digest(&SHA256, VERIFIER.as_bytes()))
}

/// A club where Mira consents at once.
pub(crate) async fn consenting() -> Club {
    let club = Club::start().await;
    club.choose(|choices| choices.consent = Consent::Approve { user: MIRA.to_owned() });
    club
}

pub(crate) fn client(club: &Club, name: &str) -> UnidyClient {
    club.brand.client(name).unwrap().clone()
}

/// Asks for authorization without following the answer.
pub(crate) async fn authorize(club: &Club, query: &[(&str, &str)]) -> Answer {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    answer(client.get(format!("{}/oauth/authorize", club.brand.url)).query(query)).await
}

/// What an answer says at the redirect address: in the query, or in the fragment.
pub(crate) fn redirected(answer: &Answer) -> (String, HashMap<String, String>) {
    assert_eq!(answer.status, 302, "{}", answer.text);
    let address = Url::parse(answer.header("location")).unwrap();
    let text = address.fragment().or(address.query()).unwrap().to_owned();
    let base = answer.header("location").split(['?', '#']).next().unwrap().to_owned();
    (base, url::form_urlencoded::parse(text.as_bytes()).into_owned().collect())
}

/// Posts JSON to the token endpoint.
pub(crate) async fn token(club: &Club, body: Value) -> Answer {
    answer(club.request(Method::POST, "/oauth/token").json(&body)).await
}

/// A code for the public app, asked for with S256.
pub(crate) async fn app_code(club: &Club, scope: &str) -> String {
    let app = client(club, "app");
    let (_, answer) = redirected(
        &authorize(
            club,
            &[
                ("client_id", &app.client_id),
                ("redirect_uri", &app.redirect_uri),
                ("response_type", "code"),
                ("scope", scope),
                ("state", "s"),
                ("nonce", "n"),
                ("code_challenge", &challenge()),
                ("code_challenge_method", "S256"),
            ],
        )
        .await,
    );
    answer["code"].clone()
}

/// The request that turns such a code into tokens.
pub(crate) fn redeem(club: &Club, code: &str) -> Value {
    let app = client(club, "app");
    json!({
        "grant_type": "authorization_code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_uri,
        "code": code,
        "code_verifier": VERIFIER,
    })
}

/// Tokens of a user for the public app.
pub(crate) async fn app_tokens(club: &Club, scope: &str) -> Value {
    let code = app_code(club, scope).await;
    let tokens = token(club, redeem(club, &code)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.text);
    tokens.json()
}

/// An access token of the partner's server.
pub(crate) async fn server_token(club: &Club, scope: &str) -> String {
    let server = client(club, "partner");
    let body = json!({
        "grant_type": "client_credentials",
        "client_id": server.client_id,
        "client_secret": server.client_secret,
        "scope": scope,
    });
    token(club, body).await.json()["access_token"].as_str().unwrap().to_owned()
}
