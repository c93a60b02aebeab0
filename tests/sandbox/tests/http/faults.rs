//! Every fault, once by the handle and once over HTTP.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::{Fault, FaultRule};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{Ask, CREDENTIALS, Device, World, binding};

/// Sends a request as it stands; gives what came back before the connection ended, and how it ended.
async fn raw(world: &World, request: &str) -> (Vec<u8>, std::io::Result<usize>) {
    let mut stream = TcpStream::connect(world.sandbox.url().replace("http://", "")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    let end = stream.read_to_end(&mut bytes).await;
    (bytes, end)
}

fn get(path: &str, token: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n")
}

#[tokio::test]
async fn refusals_come_with_their_retry_after_as_it_stands() {
    let world = World::start().await;
    let token = world.token().await;
    let too_many = |text: &str| Fault::TooMany { retry_after: text.to_owned() };
    for (fault, status, code, retry_after) in [
        (Fault::Unauthorized, 401, "UNAUTHORIZED", ""),
        (too_many("7"), 429, "TOO_MANY_REQUESTS", "7"),
        (
            too_many("Fri, 15 Jan 2027 08:00:05 GMT"),
            429,
            "TOO_MANY_REQUESTS",
            "Fri, 15 Jan 2027 08:00:05 GMT",
        ),
        (Fault::Unavailable { retry_after: "soon".to_owned() }, 503, "UNAVAILABLE", "soon"),
    ] {
        world.fault("/v1/ticket", fault);
        let refused = world.get(&token, "/v1/ticket").await;
        assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (status, retry_after));
        assert_eq!(refused.json()["errorCode"], code);
        assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    }
}

#[tokio::test]
async fn refusals_of_the_extension_are_problems() {
    let world = World::start().await;
    for (fault, problem) in [
        (Fault::Unauthorized, "unauthorized"),
        (Fault::TooMany { retry_after: "1".to_owned() }, "too-many-requests"),
        (Fault::Unavailable { retry_after: "1".to_owned() }, "unavailable"),
    ] {
        world.fault("ticket-wallet", fault);
        assert_eq!(world.get("", "/t/nordhafen/.well-known/ticket-wallet").await.problem(), problem);
    }
}

#[tokio::test]
async fn latency_delays_the_handling() {
    let world = World::start().await;
    world.fault("/v1/ticket", Fault::LatencyMs(1));
    assert_eq!(world.get("x", "/v1/ticket").await.status, 401);
    world.fault("/v1/ticket", Fault::LatencyMs(3_600_000));
    tokio::select! {
        _ = world.get("x", "/v1/ticket") => panic!("the reply came at once"),
        () = async {
            while world.sandbox.requests().len() < 2 {
                tokio::task::yield_now().await;
            }
            assert_eq!(world.get("x", "/v1/ticket").await.status, 401, "only one request is delayed");
        } => {}
    }
}

#[tokio::test]
async fn truncated_json_is_a_whole_reply_with_half_a_body() {
    let world = World::start().await;
    let token = world.token().await;
    let whole = world.get(&token, "/v1/ticket").await;
    world.fault("/v1/ticket", Fault::TruncatedJson);
    let cut = world.get(&token, "/v1/ticket").await;
    assert_eq!((cut.status.as_u16(), cut.text.len()), (200, whole.text.len() / 2));
    assert_eq!(cut.header("content-length"), cut.text.len().to_string());
    assert!(whole.text.starts_with(&cut.text));
    assert!(serde_json::from_str::<Value>(&cut.text).is_err());
}

#[tokio::test]
async fn reset_ends_the_connection_before_anything_is_done() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let ticket = world.eligible(&token).await.remove(0);
    world.fault(CREDENTIALS, Fault::Reset);
    let ask = Ask {
        method: Method::POST,
        path: CREDENTIALS.to_owned(),
        token: Some(&token),
        key: Some("\"k\"".to_owned()),
        body: Some(binding(&ticket, &device)),
    };
    assert!(world.try_ask(ask).await.is_err());
    assert_eq!(world.sandbox.requests().last().unwrap(), &format!("POST {CREDENTIALS}"));
    let other = world.post_with_key(&token, CREDENTIALS, "k", binding(&ticket, &Device::new())).await;
    assert_eq!(other.status, 200, "nothing was bound and no key was used: {}", other.text);
    world.fault("/v1/ticket", Fault::Reset);
    let (bytes, end) = raw(&world, &get("/v1/ticket", &token)).await;
    assert_eq!(bytes, b"");
    assert_eq!(end.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn lost_reply_is_done_and_not_answered() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let ticket = world.eligible(&token).await.remove(0);
    let body = binding(&ticket, &device).to_string();
    world.fault(CREDENTIALS, Fault::LostReply);
    let request = format!(
        "POST {CREDENTIALS} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\nidempotency-key: \"k\"\r\n\
         connection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let (bytes, end) = raw(&world, &request).await;
    assert_eq!((bytes, end.unwrap_err().kind()), (Vec::new(), std::io::ErrorKind::ConnectionReset));
    let refused = world.post(&token, CREDENTIALS, binding(&ticket, &Device::new())).await;
    assert_eq!(refused.problem(), "bound-elsewhere");
    let repeated = world.post_with_key(&token, CREDENTIALS, "k", serde_json::from_str(&body).unwrap()).await;
    assert_eq!(repeated.json()["generation"], 1);
}

#[tokio::test]
async fn clock_off_changes_the_date_of_one_reply() {
    let world = World::start().await;
    let token = world.token().await;
    world.fault("/v1/ticket", Fault::ClockOff { seconds: 86_400 });
    let off = world.get(&token, "/v1/ticket").await;
    assert_eq!((off.status.as_u16(), off.header("date")), (200, "Sat, 16 Jan 2027 08:00:00 GMT"));
    assert_eq!(world.get(&token, "/v1/ticket").await.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
}

#[tokio::test]
async fn rules_go_by_method_and_path_and_count() {
    let world = World::start().await;
    let token = world.token().await;
    world.sandbox.fault(FaultRule {
        method: Some("get".to_owned()),
        path_contains: "organizer".to_owned(),
        skip: 1,
        times: 2,
        fault: Fault::Unauthorized,
    });
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    assert_eq!(world.open("/account/v1/organizer/101", json!({})).await.status, 405);
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(world.get(&token, "/account/v1/organizer/101").await.status.as_u16());
    }
    assert_eq!(statuses, [200, 401, 401, 200]);
}

#[tokio::test]
async fn rules_are_set_and_cleared_over_http() {
    let world = World::start().await;
    let token = world.token().await;
    let rules = json!([
        {"path_contains": "/v1/ticket", "fault": {"too_many": {"retry_after": "3"}}},
        {"method": "GET", "path_contains": "", "skip": 1, "times": 9, "fault": "unauthorized"},
    ]);
    assert_eq!(world.open("/sandbox/faults", rules).await.status, 204);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 429);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 401);
    let path = "/sandbox/faults".to_owned();
    let clear = Ask { method: Method::DELETE, path, token: None, key: None, body: None };
    assert_eq!(world.try_ask(clear).await.unwrap().status, 204);
    assert_eq!(world.get(&token, "/v1/ticket").await.status, 200);
    assert_eq!(world.open("/sandbox/faults", json!([{"fault": "nonsense"}])).await.status, 422);
}
