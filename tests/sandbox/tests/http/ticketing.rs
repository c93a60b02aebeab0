//! TickeTing over plain HTTP: its errors word for word, its switches, and the secrets that it gives out.

use serde_json::{Value, json};

use crate::support::World;

/// Asks with just these headers; gives the status and the body.
async fn ask(
    world: &World,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> (u16, Value) {
    let url = format!("{}/ticketing/v3{path}", world.sandbox.url());
    let mut request = world.client.request(method.parse().unwrap(), url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    (status, serde_json::from_slice(&reply.bytes().await.unwrap()).unwrap_or_default())
}

const VERSION: (&str, &str) = ("X-Client-Version", "3.0.0");

#[tokio::test]
async fn the_version_comes_before_the_key_and_the_key_before_the_rest() {
    let world = World::start().await;
    let served = world.sandbox.ticketing();
    let key = served.integration_key.as_str();
    let path = format!("/events/{}/tokens", served.events[0].id);
    for (headers, status) in [
        (vec![], 412),
        (vec![("X-API-Key", key)], 412),
        (vec![("X-API-Key", key), ("X-Client-Version", "2.99.99")], 412),
        (vec![("X-API-Key", key), ("X-Client-Version", "three")], 412),
        (vec![VERSION], 401),
        (vec![VERSION, ("X-API-Key", " ")], 401),
        (vec![VERSION, ("X-API-Key", "nothing")], 403),
        (vec![VERSION, ("X-API-Key", key)], 200),
        (vec![("X-Client-Version", "3.1"), ("X-API-Key", key)], 200),
    ] {
        assert_eq!(ask(&world, "GET", &path, &headers, None).await.0, status, "{headers:?}");
    }
    let headers = [VERSION, ("X-API-Key", key)];
    for (method, path, key) in [
        ("GET", "/invalid/endpoint", "message"),
        ("PATCH", path.as_str(), "message"),
        ("GET", "/events/0000000", "error"),
        ("GET", "/events/abc/tokens", "error"),
    ] {
        let (status, body) = ask(&world, method, path, &headers, None).await;
        assert!(status == 404 && body[key].is_string(), "{method} {path}: {body}");
    }
    let (_, body) = ask(&world, "GET", "/invalid/endpoint", &headers, None).await;
    assert_eq!(body["message"], "The requested endpoint /invalid/endpoint does not exist on this server.");
    for body in [json!([]), json!({}), json!({ "sections": [] }), json!({ "sections": [7] })] {
        assert_eq!(ask(&world, "POST", &path, &headers, Some(body)).await.0, 400);
    }
    for query in ["page=0", "records=x", "global=maybe"] {
        assert_eq!(ask(&world, "GET", &format!("{path}?{query}"), &headers, None).await.0, 400, "{query}");
    }
}

#[tokio::test]
async fn choices_are_read_and_set_and_secrets_told() {
    let world = World::start().await;
    let served = world.get("", "/sandbox/ticketing").await.json();
    assert_eq!(served["url"], world.sandbox.ticketing().url.as_str());
    let told = world.get("", "/sandbox/ticketing/choices").await.json();
    assert_eq!((&told["errors"], &told["least_version"]), (&json!("by_document"), &json!("3.0.0")));
    let choices = json!({ "errors": "error", "session_life_s": 5 });
    assert_eq!(world.put("/sandbox/ticketing/choices", choices).await.status, 204);
    assert_eq!(world.sandbox.ticketing_choices().session_life_s, Some(5));
    assert_eq!(world.put("/sandbox/ticketing/choices", json!({ "new": 1 })).await.status, 422);

    let user = world.sandbox.users()[0].clone();
    let sign_in = json!({ "identification": user.name, "password": user.password });
    let (status, session) = ask(&world, "POST", "/sessions", &[VERSION], Some(sign_in)).await;
    let key = session["key"].as_str().unwrap();
    assert!(status == 201 && world.sandbox.secrets().iter().any(|secret| secret == key));
    let headers = [VERSION, ("X-API-Key", key)];
    assert_eq!(ask(&world, "GET", "/sessions/active", &headers, None).await.1["key"], key);
    world.pass(5);
    let (status, body) = ask(&world, "GET", "/sessions/active", &headers, None).await;
    assert!(status == 403 && body["error"].is_string(), "{body}");
    let served = world.sandbox.ticketing();
    for secret in [&served.integration_key, &served.events[0].global_code] {
        assert!(world.sandbox.secrets().contains(secret));
    }
}
