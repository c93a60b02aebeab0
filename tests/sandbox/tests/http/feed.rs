//! The change feed: whole, in order, nothing lost, nothing twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use ticket_wallet_sandbox::TicketEdit;

use crate::support::{CLUB, FEED, THEATRE, World};

const LIST: &str = "/v1/ticket?limit=1000&with=[ticket_config.[event,ticket_type],sector,timeslot,ticket_holder,ticket_discount]";

async fn world() -> World {
    World::start_with(|config| config.feed = true).await
}

/// A client that keeps each page and its cursor together.
#[derive(Default)]
struct Client {
    cursor: Option<String>,
    /// By organizer and id.
    tickets: BTreeMap<(i64, i64), Value>,
}

impl Client {
    /// Gets one page; returns its items and whether there are more.
    async fn page(&mut self, world: &World, token: &str, limit: usize) -> (Vec<Value>, bool) {
        let cursor = self.cursor.as_ref().map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let answer = world.get(token, &format!("{FEED}?limit={limit}{cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let page = answer.json();
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= limit);
        for item in &items {
            let deleted = item.get("deleted") == Some(&json!(true));
            let event = if deleted { item } else { &item["ticket_config"]["event"] };
            let key = (event["organizer_id"].as_i64().unwrap(), item["id"].as_i64().unwrap());
            if deleted {
                self.tickets.remove(&key)
            } else {
                self.tickets.insert(key, item.clone())
            };
        }
        self.cursor = Some(page["cursor"].as_str().unwrap().to_owned());
        (items, page["more"].as_bool().unwrap())
    }

    /// Gets all pages; returns the number of items.
    async fn pull(&mut self, world: &World, token: &str, limit: usize) -> usize {
        let mut count = 0;
        loop {
            let (items, more) = self.page(world, token, limit).await;
            count += items.len();
            if !more {
                return count;
            }
        }
    }

    async fn assert_holds_the_list(&self, world: &World, token: &str) {
        let list = world.get(token, LIST).await.json();
        let listed: BTreeSet<_> = list["data"].as_array().unwrap().iter().map(Value::to_string).collect();
        let held: BTreeSet<_> = self.tickets.values().map(Value::to_string).collect();
        assert_eq!(held, listed);
    }
}

#[tokio::test]
async fn the_feed_is_announced_and_served_only_when_it_is_on() {
    let (on, off) = (world().await, World::start().await);
    let found = on.get("", "/.well-known/ticket-wallet").await;
    let expected = json!({"version": 1, "base": "/wallet/v1", "features": ["tickets"], "issuer_keys": []});
    assert_eq!((found.status.as_u16(), found.json()), (200, expected));
    for path in ["/.well-known/ticket-wallet", FEED] {
        assert_eq!(off.get(&off.token().await, path).await.problem(), "not-found");
    }
    let tenant = on.get("", "/t/nordhafen/.well-known/ticket-wallet").await.json();
    assert!(!tenant["features"].as_array().unwrap().contains(&json!("tickets")));
    assert_eq!(on.get("x", FEED).await.problem(), "unauthorized");
}

#[tokio::test]
async fn pages_of_any_size_hold_what_the_list_holds() {
    let world = world().await;
    for user in [0, 1] {
        let token = world.sign_in(user).await.0;
        for limit in [1, 7, 24, 1000] {
            let mut client = Client::default();
            assert_eq!(client.pull(&world, &token, limit).await, 24);
            client.assert_holds_the_list(&world, &token).await;
            assert_eq!(client.pull(&world, &token, limit).await, 0, "nothing twice");
        }
    }
}

#[tokio::test]
async fn changes_between_pages_are_neither_lost_nor_repeated() {
    let world = world().await;
    let token = world.token().await;
    let user = world.sandbox.users()[0].name.clone();
    let mut client = Client::default();
    let (first, more) = client.page(&world, &token, 10).await;
    assert!(more && first.len() == 10);
    let edit = TicketEdit { seat_id: Some("1-1-1".to_owned()), ..TicketEdit::default() };
    assert!(world.sandbox.edit_ticket(CLUB, 1, &edit).unwrap());
    assert!(world.sandbox.remove_ticket(&user, THEATRE, 1).unwrap());
    let added = world.sandbox.add_ticket(&user, CLUB, 1).unwrap().unwrap();
    client.pull(&world, &token, 10).await;
    assert!(client.tickets.contains_key(&(101, added)) && !client.tickets.contains_key(&(103, 1)));
    client.assert_holds_the_list(&world, &token).await;
    assert!(world.sandbox.remove_ticket(&user, CLUB, added).unwrap());
    let (items, more) = client.page(&world, &token, 10).await;
    assert_eq!(items, [json!({"id": added, "organizer_id": 101, "deleted": true})]);
    assert!(!more);
    client.assert_holds_the_list(&world, &token).await;
}

#[tokio::test]
async fn a_renamed_event_brings_its_tickets_and_nobody_elses() {
    let world = world().await;
    let token = world.token().await;
    let (mut client, mut other) = (Client::default(), Client::default());
    let others = world.sign_in(1).await.0;
    client.pull(&world, &token, 100).await;
    other.pull(&world, &others, 100).await;
    let is_first = |ticket: &&Value| {
        let event = &ticket["ticket_config"]["event"];
        event["organizer_id"] == 101 && event["id"] == 1
    };
    let concerned = client.tickets.values().filter(is_first).count();
    assert!(concerned > 0 && concerned < 24);
    assert!(world.sandbox.rename_event(CLUB, 1, "Nachholspiel").unwrap());
    assert_eq!(client.pull(&world, &token, 1).await, concerned);
    client.assert_holds_the_list(&world, &token).await;
    let edit = TicketEdit { status: Some("invalidated".to_owned()), ..TicketEdit::default() };
    let mine = client.tickets.keys().find(|key| key.0 == 101).unwrap().1;
    assert!(world.sandbox.edit_ticket(CLUB, mine, &edit).unwrap());
    other.pull(&world, &others, 100).await;
    assert_eq!(other.pull(&world, &others, 100).await, 0);
    other.assert_holds_the_list(&world, &others).await;
    assert_eq!(client.pull(&world, &token, 100).await, 1);
}

#[tokio::test]
async fn an_expired_cursor_is_gone_and_the_client_starts_again() {
    let world = world().await;
    let token = world.token().await;
    let mut client = Client::default();
    client.pull(&world, &token, 100).await;
    let old = format!("{FEED}?cursor={}", client.cursor.take().unwrap());
    world.sandbox.expire_cursors();
    let gone = world.get(&token, &old).await;
    assert_eq!((gone.status.as_u16(), gone.problem().as_str()), (410, "cursor-expired"));
    assert_eq!(client.pull(&world, &token, 100).await, 24);
    let path = format!("{FEED}?cursor={}", client.cursor.as_ref().unwrap());
    assert_eq!(world.get(&token, &path).await.status, 200);
    assert_eq!(world.open("/sandbox/expire-cursors", json!(null)).await.status, 204);
    assert_eq!(world.get(&token, &path).await.status, 410);
}

#[tokio::test]
async fn bad_cursors_and_limits_are_refused() {
    let world = world().await;
    let token = world.token().await;
    for query in ["cursor=", "cursor=x", "cursor=1", "cursor=1-", "cursor=1--1", "limit=0", "limit=x"] {
        let refused = world.get(&token, &format!("{FEED}?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (400, "malformed"), "{query}");
    }
}
