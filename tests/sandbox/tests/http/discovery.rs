//! Finding the extension, and the sandbox's own routes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use reqwest::Method;
use serde_json::json;
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Ask, THEATRE, World};

#[tokio::test]
async fn clubs_serve_the_extension_and_the_theatre_does_not() {
    let world = World::start().await;
    let found = world.get("", "/t/weidental/.well-known/ticket-wallet").await;
    let issuer_key = BASE64.encode(hex::decode(&world.sandbox.issuer_keys()[1]).unwrap());
    let features = ["credentials", "transfer", "resale", "gate"];
    let expected = json!({"version": 1, "base": "/t/weidental/wallet/v1", "features": features,
        "issuer_keys": [issuer_key]});
    assert_eq!((found.status.as_u16(), found.json()), (200, expected));
    let token = world.token().await;
    for path in ["/t/eschenried/.well-known/ticket-wallet", "/t/nowhere/.well-known/ticket-wallet"] {
        assert_eq!(world.get(&token, path).await.problem(), "not-served");
    }
    let path = format!("/t/{THEATRE}/wallet/v1/credentials");
    let refused = world.post(&token, &path, json!([])).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (404, "not-served"));
}

#[tokio::test]
async fn unknown_paths_and_methods_are_answered_in_the_style_of_their_place() {
    let world = World::start().await;
    assert_eq!(world.get("", "/nothing").await.json()["errorCode"], "NOT_FOUND");
    assert_eq!(world.get("", "/account/v1/auth/login").await.status, 405);
    assert_eq!(world.get("", "/t/nordhafen/wallet/v1/nothing").await.problem(), "not-found");
    assert_eq!(
        world.get("", "/t/nordhafen/wallet/v1/credentials/renew").await.problem(),
        "method-not-allowed"
    );
}

#[tokio::test]
async fn requests_are_logged_without_queries_and_own_routes() {
    let world = World::start().await;
    let token = world.token().await;
    world.get(&token, "/v1/ticket?limit=1").await;
    let logged = world.get("", "/sandbox/requests").await.json();
    assert_eq!(logged, json!(["POST /account/v1/auth/login", "GET /v1/ticket"]));
    assert_eq!(json!(world.sandbox.requests()), logged);
}

#[tokio::test]
async fn stopping_closes_listener_and_connections_and_frees_the_port() {
    let world = World::start().await;
    let url = world.sandbox.url();
    let mut open = TcpStream::connect(url.replace("http://", "")).await.unwrap();
    open.write_all(b"GET /sandbox/requests HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    assert_eq!(open.read_u8().await.unwrap(), b'H');
    world.sandbox.stop().await;
    let mut rest = Vec::new();
    // It ends in order or by a reset: what counts is that it ends.
    let _ = open.read_to_end(&mut rest).await;
    assert!(world.client.get(&url).send().await.is_err());
    let port = url.rsplit(':').next().unwrap().parse().unwrap();
    let again = Sandbox::start(SandboxConfig { port, ..SandboxConfig::default() }).await.unwrap();
    assert_eq!(again.url(), url);
    assert!(Sandbox::start(SandboxConfig { port, ..SandboxConfig::default() }).await.is_err());
    let window_s = SandboxConfig { window_s: 4, ..SandboxConfig::default() };
    assert!(Sandbox::start(window_s).await.is_err());
}

#[tokio::test]
async fn replies_carry_the_sandboxs_date() {
    let world = World::start().await;
    assert_eq!(world.get("", "/v1/ticket").await.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
    world.sandbox.set_clock_offset_s(-3600);
    assert_eq!(world.get("", "/v1/ticket").await.header("date"), "Fri, 15 Jan 2027 07:00:00 GMT");
}

#[tokio::test]
async fn device_headers_are_taken() {
    let world = World::start().await;
    let url = format!("{}/v1/ticket", world.sandbox.url());
    let request = world.client.get(url).bearer_auth(world.token().await);
    let reply = request.header("x-device-id", "abc").header("x-app-version", "1.2.3").send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let ask =
        Ask { method: Method::DELETE, path: "/v1/ticket".to_owned(), token: None, key: None, body: None };
    assert_eq!(world.try_ask(ask).await.unwrap().status, 405);
}
