//! The token endpoint.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::TokenBody;

use super::{app_code, app_tokens, authorize, client, consenting, redeem, redirected, token};
use crate::unidy::support::{Club, answer, error, refusal};

async fn is_good(club: &Club, tokens: &Value) -> bool {
    let token = tokens["access_token"].as_str().unwrap();
    answer(club.request(Method::GET, "/api/v1/tickets").bearer_auth(token)).await.status == 200
}

#[tokio::test]
async fn a_code_becomes_tokens_once() {
    let club = consenting().await;
    let code = app_code(&club, "openid tickets:read").await;
    let reply = token(&club, redeem(&club, &code)).await;
    assert_eq!((reply.status.as_u16(), reply.header("cache-control")), (200, "no-store"));
    let tokens = reply.json();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("Bearer"), &json!(7200)));
    assert_eq!(
        (&tokens["scope"], &tokens["created_at"]),
        (&json!("openid tickets:read"), &json!(club.world.now()))
    );
    assert!(is_good(&club, &tokens).await);
    let again = token(&club, redeem(&club, &code)).await;
    assert_eq!(refusal(&again), error(400, "invalid_grant"));
    assert!(!is_good(&club, &tokens).await, "what came of the code is revoked");
    let known = club.world.sandbox.secrets();
    for secret in [&json!(code), &tokens["access_token"], &tokens["refresh_token"], &tokens["id_token"]] {
        assert!(known.contains(&secret.as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn a_code_needs_its_client_its_address_and_its_verifier() {
    let club = consenting().await;
    for (name, value, wrong) in [
        ("redirect_uri", json!("https://shop.example.org/callback"), "invalid_grant"),
        ("code_verifier", json!("another-verifier-that-is-long-enough-to-be-one"), "invalid_grant"),
        ("code_verifier", json!("short"), "invalid_grant"),
        ("code_verifier", json!(null), "invalid_grant"),
        ("code", json!("x"), "invalid_grant"),
        ("code", json!(null), "invalid_request"),
        ("redirect_uri", json!(null), "invalid_request"),
        ("grant_type", json!("password"), "unsupported_grant_type"),
        ("grant_type", json!(null), "invalid_request"),
        ("client_id", json!(null), "invalid_request"),
    ] {
        let mut body = redeem(&club, &app_code(&club, "openid").await);
        body[name] = value;
        let refused = token(&club, body).await;
        assert_eq!(refusal(&refused), error(400, wrong), "{name}");
        assert!(refused.json()["error_description"].is_string());
    }
    let shop = client(&club, "shop");
    let mut body = redeem(&club, &app_code(&club, "openid").await);
    body["client_id"] = json!(shop.client_id);
    assert_eq!(refusal(&token(&club, body.clone()).await), error(401, "invalid_client"));
    body["client_secret"] = json!(shop.client_secret);
    assert_eq!(refusal(&token(&club, body).await), error(400, "invalid_grant"), "another client's code");
    let late = redeem(&club, &app_code(&club, "openid").await);
    club.world.pass(600);
    assert_eq!(refusal(&token(&club, late).await), error(400, "invalid_grant"));
}

#[tokio::test]
async fn a_client_with_a_secret_proves_it_in_the_body_or_in_a_header() {
    let club = consenting().await;
    let shop = client(&club, "shop");
    let secret = shop.client_secret.clone().unwrap();
    let code = async || {
        let query = [
            ("client_id", shop.client_id.as_str()),
            ("redirect_uri", &shop.redirect_uri),
            ("response_type", "code"),
        ];
        redirected(&authorize(&club, &query).await).1["code"].clone()
    };
    let body = |code: String| json!({"grant_type": "authorization_code", "redirect_uri": shop.redirect_uri, "code": code});
    let mut posted = body(code().await);
    posted["client_id"] = json!(shop.client_id);
    posted["client_secret"] = json!(secret);
    assert_eq!(token(&club, posted).await.status, 200);
    let basic = |body: Value, secret: &str| {
        club.request(Method::POST, "/oauth/token").basic_auth(&shop.client_id, Some(secret)).json(&body)
    };
    assert_eq!(answer(basic(body(code().await), &secret)).await.status, 200);
    let refused = answer(basic(body(code().await), "x")).await;
    assert_eq!(refusal(&refused), error(401, "invalid_client"));
    assert!(refused.header("www-authenticate").starts_with("Basic"));
    let mut downgraded = body(code().await);
    downgraded["client_id"] = json!(shop.client_id);
    downgraded["client_secret"] = json!(secret);
    downgraded["code_verifier"] = json!(super::VERIFIER);
    assert_eq!(refusal(&token(&club, downgraded).await), error(400, "invalid_grant"));
}

#[tokio::test]
async fn refreshing_goes_by_the_switches() {
    let club = consenting().await;
    let app = client(&club, "app");
    let tokens = app_tokens(&club, "openid tickets:read").await;
    let refresh = async |refresh_token: &Value, scope: Option<&str>| {
        let mut body = json!({"grant_type": "refresh_token", "client_id": app.client_id, "refresh_token": refresh_token});
        if let Some(scope) = scope {
            body["scope"] = json!(scope);
        }
        token(&club, body).await
    };
    club.world.pass(7200);
    assert!(!is_good(&club, &tokens).await);
    let second = refresh(&tokens["refresh_token"], None).await.json();
    assert!(is_good(&club, &second).await);
    assert_ne!(second["refresh_token"], tokens["refresh_token"]);
    assert_eq!(refusal(&refresh(&tokens["refresh_token"], None).await), error(400, "invalid_grant"));
    assert_eq!(
        refusal(&refresh(&second["refresh_token"], Some("tickets:write")).await),
        error(400, "invalid_scope")
    );
    let narrow = refresh(&second["refresh_token"], Some("openid")).await.json();
    assert_eq!((&narrow["scope"], is_good(&club, &narrow).await), (&json!("openid"), false));
    club.choose(|choices| choices.rotate_refresh_tokens = false);
    let same = refresh(&narrow["refresh_token"], None).await.json();
    assert_eq!(same["refresh_token"], narrow["refresh_token"]);
    club.choose(|choices| choices.refresh_without_secret = false);
    assert_eq!(refusal(&refresh(&narrow["refresh_token"], None).await), error(401, "invalid_client"));
    club.choose(|choices| (choices.refresh_without_secret, choices.access_token_life_s) = (true, 60));
    assert_eq!(refresh(&narrow["refresh_token"], None).await.json()["expires_in"], 60);
}

#[tokio::test]
async fn a_server_signs_in_on_its_own() {
    let club = consenting().await;
    let server = client(&club, "partner");
    let mut body = json!({"grant_type": "client_credentials", "client_id": server.client_id, "client_secret": server.client_secret});
    let tokens = token(&club, body.clone()).await.json();
    assert_eq!((tokens.get("refresh_token"), &tokens["scope"]), (None, &json!(server.scopes.join(" "))));
    assert!(is_good(&club, &tokens).await);
    body["scope"] = json!("tickets:read nothing:read");
    assert_eq!(refusal(&token(&club, body.clone()).await), error(400, "invalid_scope"));
    body["client_secret"] = json!("x");
    assert_eq!(refusal(&token(&club, body.clone()).await), error(401, "invalid_client"));
    body["client_id"] = json!(client(&club, "app").client_id);
    assert_eq!(refusal(&token(&club, body).await), error(400, "unauthorized_client"));
}

#[tokio::test]
async fn bodies_are_json_or_forms_as_switched() {
    let club = consenting().await;
    let server = client(&club, "partner");
    let secret = server.client_secret.clone().unwrap();
    let json =
        json!({"grant_type": "client_credentials", "client_id": server.client_id, "client_secret": secret});
    let form = format!("grant_type=client_credentials&client_id={}&client_secret={secret}", server.client_id);
    for (switch, json_status, form_status) in
        [(TokenBody::Any, 200, 200), (TokenBody::Json, 200, 400), (TokenBody::Form, 400, 200)]
    {
        club.choose(|choices| choices.token_body = switch);
        assert_eq!(token(&club, json.clone()).await.status, json_status);
        let posted = club.request(Method::POST, "/oauth/token").body(form.clone());
        let posted = posted.header("content-type", "application/x-www-form-urlencoded");
        assert_eq!(answer(posted).await.status, form_status);
    }
    let broken =
        club.request(Method::POST, "/oauth/token").header("content-type", "application/json").body("[");
    assert_eq!(refusal(&answer(broken).await), error(400, "invalid_request"));
}
