//! Signing in, access tokens and refresh tokens.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use serde_json::{Value, json};
use ticket_wallet_sandbox::SandboxConfig;

use crate::support::{START_S, World};

async fn refresh(world: &World, token: &str) -> crate::support::Answer {
    world.open("/account/v1/auth/refresh", json!({"refresh_token": token})).await
}

#[tokio::test]
async fn wrong_password_and_broken_body_are_told_apart() {
    let world = World::start().await;
    let name = &world.sandbox.users()[0].name;
    let wrong = world.open("/account/v1/auth/login", json!({"username": name, "password": "no"})).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(wrong.json()["errorCode"], "INVALID_CREDENTIALS");
    assert!(wrong.json()["message"].is_string());
    let broken = world.open("/account/v1/auth/login", json!({"username": name})).await;
    assert_eq!((broken.status.as_u16(), &broken.json()["errorCode"]), (400, &json!("VALIDATION_FAILED")));
}

#[tokio::test]
async fn token_is_a_jwt_with_its_claims() {
    let world = World::start().await;
    let token = world.token().await;
    let part = |n: usize| BASE64.decode(token.split('.').nth(n).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&part(1)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&part(0)).unwrap(), json!({"alg": "HS256", "typ": "JWT"}));
    assert_eq!((&claims["iat"], &claims["exp"]), (&json!(START_S), &json!(START_S + 3600)));
    assert_eq!((&claims["username"], &claims["type"]), (&json!("mira@example.org"), &json!("registered")));
    assert_eq!((&claims["verified"], &claims["enrolled"]), (&json!(true), &json!(true)));
    assert!(claims["id"].is_i64());
    assert_eq!(claims["permissions"], json!({}), "a holder organizes nothing");
    assert_eq!(claims["enrollment_id"].as_str().unwrap().len(), 36);
}

#[tokio::test]
async fn token_expires_and_refresh_rotates() {
    let world = World::start().await;
    let (token, first) = world.sign_in(0).await;
    world.pass(3599);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    world.pass(1);
    let expired = world.get(&token, "/v1/ticket").await;
    assert_eq!((expired.status.as_u16(), &expired.json()["errorCode"]), (401, &json!("UNAUTHORIZED")));
    let renewed = refresh(&world, &first).await;
    assert_eq!(renewed.status, 200);
    let token = renewed.json()["data"]["token"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    let again = refresh(&world, &first).await;
    assert_eq!((again.status.as_u16(), &again.json()["errorCode"]), (401, &json!("INVALID_REFRESH_TOKEN")));
    assert_eq!(refresh(&world, renewed.json()["data"]["refresh_token"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn revoked_tokens_can_be_refreshed_and_revoked_sessions_cannot() {
    let world = World::start().await;
    let (token, first) = world.sign_in(0).await;
    world.sandbox.revoke_tokens().unwrap();
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 401);
    let renewed = refresh(&world, &first).await.json();
    let token = renewed["data"]["token"].as_str().unwrap();
    assert_eq!(world.get(token, "/v1/ticket").await.status, 200);
    world.sandbox.revoke_sessions().unwrap();
    assert_eq!(world.get(token, "/v1/ticket").await.status, 401);
    assert_eq!(refresh(&world, renewed["data"]["refresh_token"].as_str().unwrap()).await.status, 401);
}

#[tokio::test]
async fn tokens_go_by_the_sandboxs_own_time() {
    let world = World::start().await;
    let token = world.token().await;
    world.sandbox.set_clock_offset_s(7200);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 401);
    world.sandbox.set_clock_offset_s(0);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
}

#[tokio::test]
async fn every_account_route_but_login_needs_a_token() {
    let world = World::start().await;
    for path in [
        "/v1/ticket",
        "/account/v1/organizer/101",
        "/t/nordhafen/event/v1/ticket",
        "/t/nordhafen/event/v1/ticket/1",
        "/t/nordhafen/event/v1/ticket/bc/E1TC1T1",
    ] {
        assert_eq!(world.get("x.y.z", path).await.status, 401, "{path}");
    }
}

#[tokio::test]
async fn organizer_names_its_tenant() {
    let world = World::start().await;
    let token = world.token().await;
    let organizer = world.get(&token, "/account/v1/organizer/102").await.json();
    assert_eq!(organizer["data"]["organization_name"], "weidental");
    assert_eq!(organizer["data"]["id"], 102);
    assert_eq!(world.get(&token, "/account/v1/organizer/999").await.status, 404);
    assert_eq!(world.get(&token, "/account/v1/organizer/x").await.status, 400);
}

#[tokio::test]
async fn users_do_not_print_their_passwords() {
    let world = World::start().await;
    let user = &world.sandbox.users()[0];
    assert!(world.sandbox.users().len() >= 2);
    assert!(!format!("{:?} {:?}", world.sandbox, user).contains(&user.password));
    assert_eq!(serde_json::to_value(user).unwrap()["password"], json!(user.password));
}

#[tokio::test]
async fn same_seed_gives_the_same_users_and_keys() {
    let (one, two) = (World::start().await, World::start().await);
    let other = World::start_with(|config| config.seed = 2).await;
    assert_eq!(one.sandbox.users(), two.sandbox.users());
    assert_eq!(one.sandbox.issuer_keys(), two.sandbox.issuer_keys());
    assert_ne!(one.sandbox.issuer_keys(), other.sandbox.issuer_keys());
    assert_eq!(one.sandbox.issuer_keys().len(), 2);
    assert!(format!("{:?}", SandboxConfig::default()).contains("seed"));
}
