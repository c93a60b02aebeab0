//! What holders answer: reading, writing, and what is counted.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::Fault;

use crate::support::{Answer, Ask, World};

const HOLDER: &str = "/t/nordhafen/event/v1/ticket/1/ticket_holder";
const TICKET: &str = "/t/nordhafen/event/v1/ticket/1?with=ticket_holder";

async fn send(world: &World, token: &str, method: Method, path: &str, body: Value) -> Answer {
    let ask = Ask { method, path: path.to_owned(), token: Some(token), key: None, body: Some(body) };
    world.try_ask(ask).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_given_once_and_changed_after() {
    let world = World::start().await;
    let token = world.token().await;
    let before = world.get(&token, TICKET).await.json()["data"].clone();
    assert_eq!(world.get(&token, HOLDER).await.json(), json!({"data": []}));
    let first = json!({"response": {"shirt": "M", "guests": ["Zoë"]}});
    let created = send(&world, &token, Method::POST, HOLDER, first.clone()).await;
    assert_eq!(created.status, 200);
    let created = created.json()["data"].clone();
    assert_eq!(created["response"], first["response"]);
    let again = send(&world, &token, Method::POST, HOLDER, first).await;
    assert_eq!((again.status.as_u16(), &again.json()["errorCode"]), (409, &json!("ALREADY_EXISTS")));
    assert!(again.json()["message"].is_string());
    let one = format!("{HOLDER}/{}", created["id"]);
    let second = json!({"response": {"shirt": "L"}});
    let updated = send(&world, &token, Method::PATCH, &one, second).await.json()["data"].clone();
    assert_eq!((&updated["id"], &updated["response"]), (&created["id"], &json!({"shirt": "L"})));
    assert!(updated["updated_at"].as_str() > created["updated_at"].as_str());
    assert_eq!(world.get(&token, HOLDER).await.json(), json!({"data": [updated]}));
    assert_eq!(world.get(&token, &one).await.json(), json!({"data": updated}));
    let after = world.get(&token, TICKET).await.json()["data"].clone();
    assert_eq!(after["updated_at"], updated["updated_at"]);
    assert!(before["updated_at"].as_str() < created["updated_at"].as_str());
    let mut holder = before["ticket_holder"].clone();
    holder["response"] = json!({"shirt": "L"});
    holder["updated_at"] = updated["updated_at"].clone();
    assert_eq!(after["ticket_holder"], holder);
}

#[tokio::test]
async fn refusals_change_and_count_nothing() {
    let world = World::start().await;
    let (token, others) = (world.token().await, world.sign_in(1).await.0);
    let good = json!({"response": {}});
    let missing = "/t/nordhafen/event/v1/ticket/9999/ticket_holder";
    let nowhere = "/t/nowhere/event/v1/ticket/1/ticket_holder";
    let unanswered = format!("{HOLDER}/1");
    for (method, path, token, body, status) in [
        (Method::GET, HOLDER, &others, &good, 404),
        (Method::POST, HOLDER, &others, &good, 404),
        (Method::POST, missing, &token, &good, 404),
        (Method::POST, nowhere, &token, &good, 404),
        (Method::PATCH, unanswered.as_str(), &token, &good, 404),
        (Method::POST, HOLDER, &"x".to_owned(), &good, 401),
        (Method::POST, HOLDER, &token, &json!({}), 422),
        (Method::POST, HOLDER, &token, &json!({"response": "M"}), 422),
        (Method::POST, HOLDER, &token, &json!([1]), 422),
    ] {
        let refused = send(&world, token, method.clone(), path, body.clone()).await;
        assert_eq!(refused.status.as_u16(), status, "{method} {path} {body}");
        assert!(refused.json()["errorCode"].is_string() && refused.json()["message"].is_string());
    }
    assert_eq!(world.get(&token, HOLDER).await.json(), json!({"data": []}));
    assert_eq!(world.sandbox.journal().unwrap(), []);
    assert_eq!(send(&world, &token, Method::POST, HOLDER, good.clone()).await.status, 200);
    let unknown = send(&world, &token, Method::PATCH, &format!("{HOLDER}/2"), good).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(world.sandbox.journal().unwrap().len(), 1);
}

#[tokio::test]
async fn every_write_that_is_applied_is_in_the_journal() {
    let world = World::start().await;
    let token = world.token().await;
    world.fault("ticket_holder", Fault::LostReply);
    let path = HOLDER.to_owned();
    let body = Some(json!({"response": {"n": 0}}));
    let ask = Ask { method: Method::POST, path, token: Some(&token), key: None, body };
    assert!(world.try_ask(ask).await.is_err());
    for n in [1, 1, 2] {
        let body = json!({"response": {"n": n}});
        let path = format!("{HOLDER}/1");
        assert_eq!(send(&world, &token, Method::PATCH, &path, body).await.status, 200);
    }
    let entries = world.sandbox.journal().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| (entry.seq, entry.kind.as_str())).collect();
    let update = "ticket_holder.update";
    assert_eq!(told, [(1, "ticket_holder.create"), (2, update), (3, update), (4, update)]);
    let numbers: Vec<_> = entries.iter().map(|entry| entry.detail["response"]["n"].clone()).collect();
    assert_eq!(numbers, [0, 1, 1, 2]);
    for entry in &entries {
        assert_eq!((entry.user.as_str(), entry.subject.as_str()), ("mira@example.org", "nordhafen/1"));
        assert_eq!(entry.idempotency_key, None);
    }
    assert_eq!(world.get("", "/sandbox/journal").await.json(), json!(entries));
}
