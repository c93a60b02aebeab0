//! Idempotency keys: missing, repeated, reused, in progress.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Answer, Ask, CREDENTIALS, Device, World, begin_write, binding};

async fn with_header(world: &World, token: &str, key: Option<&str>, body: Value) -> Answer {
    let (path, key) = (CREDENTIALS.to_owned(), key.map(str::to_owned));
    let ask = Ask { method: Method::POST, path, token: Some(token), key, body: Some(body) };
    world.try_ask(ask).await.unwrap()
}

#[tokio::test]
async fn a_key_must_be_there_and_quoted() {
    let world = World::start().await;
    let token = world.token().await;
    for key in [None, Some("8e03978e-40d5-43e8-bc93-6894a57f9324"), Some("\"\""), Some("\"a")] {
        let refused = with_header(&world, &token, key, json!([])).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (400, "idempotency-key-required"));
    }
    assert_eq!(with_header(&world, &token, Some("\"a\""), json!([])).await.status, 200);
}

#[tokio::test]
async fn a_repeated_request_gets_the_first_reply_byte_for_byte() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let body = binding(&world.eligible(&token).await[0], &device);
    let moving = format!("{CREDENTIALS}?move=true");
    let first = world.post_with_key(&token, &moving, "k", body.clone()).await;
    world.pass(60);
    world.post(&token, &moving, binding(body["ticket_id"].as_str().unwrap(), &Device::new())).await;
    let again = world.post_with_key(&token, &moving, "k", body).await;
    assert_eq!((again.status, &again.text), (first.status, &first.text));
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(again.json()["generation"], 1);
}

#[tokio::test]
async fn refusals_are_repeated_too() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let first = world.post_with_key(&token, CREDENTIALS, "k", binding("9999", &device)).await;
    let again = world.post_with_key(&token, CREDENTIALS, "k", binding("9999", &device)).await;
    assert_eq!((first.status.as_u16(), again.problem().as_str()), (404, "ticket-not-found"));
    assert_eq!(again.text, first.text);
}

#[tokio::test]
async fn a_key_is_for_one_request_of_one_user() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let tickets = world.eligible(&token).await;
    let body = binding(&tickets[0], &device);
    assert_eq!(world.post_with_key(&token, CREDENTIALS, "k", body.clone()).await.status, 200);
    let moving = format!("{CREDENTIALS}?move=true");
    let renew = format!("{CREDENTIALS}/renew");
    for (path, body) in [
        (CREDENTIALS, binding(&tickets[1], &device)),
        (moving.as_str(), body.clone()),
        (renew.as_str(), body.clone()),
    ] {
        let reused = world.post_with_key(&token, path, "k", body).await;
        assert_eq!((reused.status.as_u16(), reused.problem().as_str()), (422, "key-reused"));
    }
    let others = world.sign_in(1).await.0;
    assert_eq!(world.post_with_key(&others, CREDENTIALS, "k", json!([])).await.status, 200);
}

#[tokio::test]
async fn a_second_request_while_the_first_is_in_progress_is_refused() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let ticket = world.eligible(&token).await.remove(0);
    let body = binding(&ticket, &device);
    let text = body.to_string();
    let mut slow = begin_write(&world, &token, CREDENTIALS, "k", text.len()).await;
    let refused = world.post_with_key(&token, CREDENTIALS, "k", body.clone()).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "in-progress"));
    slow.write_all(text.as_bytes()).await.unwrap();
    let mut reply = String::new();
    slow.read_to_string(&mut reply).await.unwrap();
    assert!(reply.starts_with("HTTP/1.1 200"), "{reply}");
    let after = world.post_with_key(&token, CREDENTIALS, "k", body).await;
    assert!(reply.ends_with(&after.text) && !after.text.is_empty());
}
