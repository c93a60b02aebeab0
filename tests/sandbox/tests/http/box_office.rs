//! What happens to tickets without the holder's doing, and lists that did not change.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use ticket_wallet_sandbox::TicketEdit;

use crate::support::{Answer, Ask, CLUB, World};

const LIST: &str = "/v1/ticket?with=ticket_config.event&sort_by=updated_at&direction=desc";

async fn list_unless(world: &World, token: &str, tag: &str) -> Answer {
    let url = format!("{}{LIST}", world.sandbox.url());
    let request = world.client.get(url).bearer_auth(token).header("if-none-match", tag);
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status(), reply.headers().clone());
    Answer { status, headers, text: reply.text().await.unwrap() }
}

async fn ticket(world: &World, token: &str, id: i64) -> Value {
    let path = format!("/t/{CLUB}/event/v1/ticket/{id}?with=[ticket_config.event,sector,ticket_holder]");
    world.get(token, &path).await.json()["data"].clone()
}

#[tokio::test]
async fn an_unchanged_list_is_not_sent_again() {
    let world = World::start().await;
    let token = world.token().await;
    let first = world.get(&token, LIST).await;
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2, "{tag}");
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), "*".to_owned()] {
        let again = list_unless(&world, &token, &known).await;
        assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""), "{known}");
        assert_eq!(again.header("etag"), tag);
    }
    let other = list_unless(&world, &token, "\"x\"").await;
    assert_eq!((other.status, &other.text), (StatusCode::OK, &first.text));
    let renamed = world.sandbox.rename_event(CLUB, 1, "Nachholspiel").unwrap();
    assert!(renamed);
    let changed = list_unless(&world, &token, &tag).await;
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), tag);
    assert_eq!(list_unless(&world, "x", &tag).await.status, 401);
}

#[tokio::test]
async fn tickets_and_events_change_and_move_their_time() {
    let world = World::start().await;
    let token = world.token().await;
    let before = ticket(&world, &token, 1).await;
    let edit = TicketEdit { status: Some("invalidated".to_owned()), ..TicketEdit::default() };
    assert!(world.sandbox.edit_ticket(CLUB, 1, &edit).unwrap());
    let used = ticket(&world, &token, 1).await;
    assert_eq!((&used["status"], &used["seat_id"]), (&json!("invalidated"), &before["seat_id"]));
    let edit = TicketEdit { seat_id: Some("112-1-2".to_owned()), ..TicketEdit::default() };
    assert!(world.sandbox.edit_ticket(CLUB, 1, &edit).unwrap());
    let moved = ticket(&world, &token, 1).await;
    assert_eq!((&moved["status"], &moved["seat_id"]), (&json!("invalidated"), &json!("112-1-2")));
    let times = [&before, &used, &moved].map(|ticket| ticket["updated_at"].as_str().unwrap());
    assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    let first = world.get(&token, LIST).await.json()["data"][0].clone();
    assert_eq!((&first["id"], &first["status"]), (&json!(1), &json!("invalidated")));
    let event = &moved["ticket_config"]["event"];
    assert!(world.sandbox.rename_event(CLUB, event["id"].as_i64().unwrap(), "Nachholspiel").unwrap());
    let renamed = ticket(&world, &token, 1).await;
    assert_eq!(renamed["ticket_config"]["event"]["name"], "Nachholspiel");
    assert!(renamed["ticket_config"]["event"]["updated_at"].as_str() > event["updated_at"].as_str());
    assert_eq!(renamed["updated_at"], moved["updated_at"]);
    assert!(!world.sandbox.edit_ticket(CLUB, 9999, &edit).unwrap());
    assert!(!world.sandbox.rename_event(CLUB, 9999, "x").unwrap());
}

#[tokio::test]
async fn added_tickets_are_whole_and_have_new_ids() {
    let world = World::start().await;
    let token = world.token().await;
    let user = world.sandbox.users()[0].name.clone();
    let first = world.sandbox.add_ticket(&user, CLUB, 1).unwrap().unwrap();
    let added = ticket(&world, &token, first).await;
    assert_eq!((&added["status"], &added["format"]), (&json!("issued"), &json!("SECURE")));
    assert_eq!(added["ticket_config"]["event"]["id"], 1);
    assert_eq!(added["ticket_holder"]["email"], json!(user));
    assert!(added["sector"]["id"].is_i64());
    assert_eq!(added["updated_at"], "2027-01-15T08:00:00.000Z");
    assert!(world.sandbox.remove_ticket(&user, CLUB, first).unwrap());
    let second = world.sandbox.add_ticket(&user, CLUB, 1).unwrap().unwrap();
    assert!(second > first);
    assert!(world.eligible(&token).await.contains(&second.to_string()));
    assert_eq!(world.sandbox.add_ticket("nobody@example.org", CLUB, 1).unwrap(), None);
    assert_eq!(world.sandbox.add_ticket(&user, CLUB, 9999).unwrap(), None);
    assert_eq!(world.sandbox.journal().unwrap(), [], "the holder wrote nothing");
}

#[tokio::test]
async fn the_same_can_be_done_over_http() {
    let world = World::start().await;
    let token = world.token().await;
    let user = &world.sandbox.users()[0].name;
    let send = async |method: Method, path: &str, body: Value| {
        let ask = Ask { method, path: path.to_owned(), token: None, key: None, body: Some(body) };
        world.try_ask(ask).await.unwrap()
    };
    let added = send(Method::POST, "/sandbox/tickets/nordhafen", json!({"user": user, "event_id": 1})).await;
    let id = added.json()["id"].as_i64().unwrap();
    let path = format!("/sandbox/tickets/nordhafen/{id}");
    assert_eq!(send(Method::PATCH, &path, json!({"seat_id": "9-9-9"})).await.status, 204);
    assert_eq!(send(Method::PATCH, "/sandbox/events/nordhafen/1", json!({"name": "N"})).await.status, 204);
    let found = ticket(&world, &token, id).await;
    assert_eq!((&found["seat_id"], &found["ticket_config"]["event"]["name"]), (&json!("9-9-9"), &json!("N")));
    let remove = format!("{path}?user={user}");
    assert_eq!(send(Method::DELETE, &remove, json!(null)).await.status, 204);
    assert_eq!(send(Method::DELETE, &remove, json!(null)).await.status, 404);
    assert_eq!(send(Method::PATCH, &path, json!({})).await.status, 404);
    assert_eq!(send(Method::PATCH, "/sandbox/events/nowhere/1", json!({"name": "N"})).await.status, 404);
    let nobody = json!({"user": "nobody", "event_id": 1});
    assert_eq!(send(Method::POST, "/sandbox/tickets/nordhafen", nobody).await.status, 404);
}
