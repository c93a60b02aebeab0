//! The journal of what was done to credentials.

use serde_json::json;
use ticket_wallet::barcode::Purpose;

use crate::support::{CLUB, CREDENTIALS, Device, START_S, World, binding};

#[tokio::test]
async fn applied_writes_are_told_in_order_and_only_those() {
    let world = World::start_with(|config| config.moves = 1).await;
    let (token, first, second) = (world.token().await, Device::new(), Device::new());
    let tickets = world.eligible(&token).await;
    let ticket = &tickets[0];
    let moving = format!("{CREDENTIALS}?move=true");
    let renew = format!("{CREDENTIALS}/{ticket}/renew");
    let surrender = format!("{CREDENTIALS}/{ticket}/surrender");
    let batch = json!([binding(ticket, &first), binding("9999", &first), binding(&tickets[1], &first)]);
    world.post_with_key(&token, CREDENTIALS, "bind", batch.clone()).await;
    world.post_with_key(&token, CREDENTIALS, "bind", batch).await;
    world.bind(&token, ticket, &first).await;
    world.post(&token, CREDENTIALS, binding(ticket, &second)).await;
    let moved = world.post_with_key(&token, &moving, "move", binding(ticket, &second)).await.json();
    let refused = world.post(&token, &moving, binding(ticket, &first)).await;
    assert_eq!((refused.problem().as_str(), &refused.json()["moves_left"]), ("bound-elsewhere", &json!(0)));
    let renewal = second.statement(Purpose::Renew, &moved, START_S, "renew");
    let renewed = world.post_with_key(&token, &renew, "renew", renewal.clone()).await.json();
    world.post_with_key(&token, &renew, "renew", renewal).await;
    world.post_with_key(&token, &surrender, "no", json!({})).await;
    let statement = second.statement(Purpose::Surrender, &renewed, START_S, "end");
    assert_eq!(world.post_with_key(&token, &surrender, "end", statement).await.status, 204);
    world.post_with_key(&token, CREDENTIALS, "again", binding(ticket, &first)).await;
    let entries = world.sandbox.journal().unwrap();
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            let (key, generation) = (entry.idempotency_key.as_deref().unwrap(), &entry.detail["generation"]);
            (entry.seq, entry.kind.as_str(), entry.subject.clone(), key, generation.as_i64().unwrap())
        })
        .collect();
    let subject = |ticket: &str| format!("{CLUB}/{ticket}");
    let expected = [
        (1, "credential.bind", subject(ticket), "bind", 1),
        (2, "credential.bind", subject(&tickets[1]), "bind", 1),
        (3, "credential.move", subject(ticket), "move", 2),
        (4, "credential.renew", subject(ticket), "renew", 2),
        (5, "credential.surrender", subject(ticket), "end", 2),
        (6, "credential.bind", subject(ticket), "again", 3),
    ];
    assert_eq!(told, expected);
    assert_eq!(entries[5].detail["device_key"], json!(first.public()));
    assert_eq!(entries[5].detail["moves_left"], 0, "binding after a surrender costs no move");
    assert_eq!(world.get("", "/sandbox/journal").await.json(), json!(entries));
}
