//! The authorization endpoint: every way to an answer.

use reqwest::{Client, Method, redirect};
use serde_json::json;
use ticket_wallet_sandbox::{Consent, NewUnidyClient};

use super::{VERIFIER, app_code, authorize, challenge, client, consenting, redeem, redirected, token};
use crate::unidy::support::{Club, JONAS, MIRA, answer};

#[tokio::test]
async fn what_is_served_is_told() {
    let club = Club::start().await;
    let told = answer(club.request(Method::GET, "/.well-known/openid-configuration")).await.json();
    assert_eq!(told["issuer"], club.brand.url);
    for (name, path) in [
        ("authorization_endpoint", "/oauth/authorize"),
        ("token_endpoint", "/oauth/token"),
        ("userinfo_endpoint", "/oauth/userinfo"),
        ("jwks_uri", "/oauth/jwks"),
    ] {
        assert_eq!(told[name], format!("{}{path}", club.brand.url));
    }
    assert_eq!(told["code_challenge_methods_supported"], json!(["S256", "plain"]));
}

#[tokio::test]
async fn a_person_signs_in_at_a_page() {
    let club = Club::start().await;
    let app = client(&club, "app");
    let query = [
        ("client_id", app.client_id.as_str()),
        ("redirect_uri", &app.redirect_uri),
        ("response_type", "code"),
        ("state", "a b&c"),
        ("login_hint", "mira@\"<x>"),
        ("code_challenge", VERIFIER),
    ];
    let page = authorize(&club, &query).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("value=\"mira@&quot;&lt;x&gt;\""), "{}", page.text);
    let browser = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().unwrap();
    let send = async |email: &str, password: &str, decision: &str| {
        let url = format!("{}/oauth/authorize", club.brand.url);
        let text = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("email", email), ("password", password), ("decision", decision)])
            .finish();
        let form =
            browser.post(url).query(&query).header("content-type", "application/x-www-form-urlencoded");
        answer(form.body(text)).await
    };
    assert_eq!(send(MIRA, "x", "allow").await.status, 401);
    let (base, denied) = redirected(&send(MIRA, "", "deny").await);
    assert_eq!((base, denied["error"].as_str()), (app.redirect_uri.clone(), "access_denied"));
    let (base, allowed) = redirected(&send(JONAS, &club.password(JONAS), "allow").await);
    assert_eq!((base, allowed["state"].as_str()), (app.redirect_uri.clone(), "a b&c"));
    let tokens = token(&club, redeem(&club, &allowed["code"])).await;
    assert_eq!(
        (tokens.status.as_u16(), tokens.json()["token_type"].as_str()),
        (200, Some("Bearer")),
        "plain"
    );
    let info = club.request(Method::GET, "/oauth/userinfo");
    let info = answer(info.bearer_auth(tokens.json()["access_token"].as_str().unwrap())).await;
    assert_eq!(info.json()["email"], JONAS);
}

#[tokio::test]
async fn a_switch_consents_or_refuses_without_a_page() {
    let club = consenting().await;
    assert!(!app_code(&club, "openid").await.is_empty());
    let app = client(&club, "app");
    let query = [
        ("client_id", app.client_id.as_str()),
        ("redirect_uri", &app.redirect_uri),
        ("response_type", "code"),
        ("code_challenge", VERIFIER),
        ("prompt", "none"),
    ];
    club.choose(|choices| choices.consent = Consent::Deny);
    assert_eq!(redirected(&authorize(&club, &query).await).1["error"], "access_denied");
    club.choose(|choices| choices.consent = Consent::Ask);
    assert_eq!(redirected(&authorize(&club, &query).await).1["error"], "login_required");
}

#[tokio::test]
async fn implicit_answers_stand_in_the_fragment() {
    let club = consenting().await;
    let app = client(&club, "app");
    for (types, given, missing) in [
        (
            "token",
            &["access_token", "token_type", "expires_in", "scope", "state"][..],
            &["code", "id_token"][..],
        ),
        ("id_token", &["id_token", "state"], &["code", "access_token"]),
        ("id_token token", &["id_token", "access_token"], &["code"]),
        ("id_token code", &["id_token", "code"], &["access_token"]),
        ("code token id_token", &["id_token", "code", "access_token"], &[]),
    ] {
        let query = [
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", &app.redirect_uri),
            ("response_type", types),
            ("scope", "openid tickets:read"),
            ("state", "s"),
            ("nonce", "n"),
            ("code_challenge", &challenge()),
            ("code_challenge_method", "S256"),
        ];
        let reply = authorize(&club, &query).await;
        assert!(reply.header("location").contains('#'), "{types}");
        let (_, answer) = redirected(&reply);
        assert!(given.iter().all(|name| answer.contains_key(*name)), "{types}: {answer:?}");
        assert!(missing.iter().all(|name| !answer.contains_key(*name)), "{types}: {answer:?}");
    }
}

#[tokio::test]
async fn answers_go_where_the_mode_says() {
    let club = consenting().await;
    let uri = "https://app.example.org/cb?x=1";
    let new = NewUnidyClient {
        name: "other".to_owned(),
        confidential: true,
        redirect_uri: uri.to_owned(),
        scopes: vec!["openid".to_owned()],
    };
    let other = club.world.sandbox.add_unidy_client("nord", new).unwrap();
    assert!(other.client_secret.is_some());
    let query = |mode: &'static str| {
        [
            ("client_id", other.client_id.clone()),
            ("redirect_uri", uri.to_owned()),
            ("response_type", "code".to_owned()),
            ("response_mode", mode.to_owned()),
        ]
    };
    let ask = async |mode: &'static str| {
        let query = query(mode);
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        authorize(&club, &query).await
    };
    assert!(ask("query").await.header("location").starts_with("https://app.example.org/cb?x=1&code="));
    assert!(ask("fragment").await.header("location").starts_with("https://app.example.org/cb?x=1#code="));
    let page = ask("form_post").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("action=\"https://app.example.org/cb?x=1\""), "{}", page.text);
    assert!(page.text.contains("name=\"code\""));
}
