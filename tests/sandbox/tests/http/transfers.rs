//! Transfers: sending, taking back, ends, and what they do to credentials.

use serde_json::{Value, json};
use ticket_wallet::barcode::Purpose;
use ticket_wallet_sandbox::TransferEnd;

use crate::support::{Answer, CLUB, CREDENTIALS, Device, START_S, World, binding, rfc3339};

const TRANSFERS: &str = "/t/nordhafen/wallet/v1/transfers";

/// A ticket of the first user, bound to a device.
struct Sender {
    world: World,
    token: String,
    device: Device,
    ticket: String,
    bound: Value,
}

impl Sender {
    async fn new() -> Self {
        let world = World::start_with(|config| config.token_life_s = u32::MAX).await;
        let (token, device) = (world.token().await, Device::new());
        let ticket = world.eligible(&token).await.remove(0);
        let bound = world.bind(&token, &ticket, &device).await;
        Self { world, token, device, ticket, bound }
    }

    fn body(&self, key: &str) -> Value {
        let surrender = self.device.statement(Purpose::Surrender, &self.bound, self.world.now(), key);
        json!({"ticket_id": self.ticket, "recipient": "jonas@example.org", "surrender": surrender})
    }

    async fn send(&self) -> Answer {
        let key = self.world.new_key();
        self.world.post_with_key(&self.token, TRANSFERS, &key, self.body(&key)).await
    }

    /// Sends the ticket; returns the transfer's id.
    async fn sent(&self) -> String {
        let answer = self.send().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    async fn cancel(&self, id: &str) -> Answer {
        self.world.post(&self.token, &format!("{TRANSFERS}/{id}/cancel"), json!({})).await
    }

    async fn state(&self, id: &str) -> String {
        let transfer = self.world.get(&self.token, &format!("{TRANSFERS}/{id}")).await.json();
        transfer["state"].as_str().unwrap().to_owned()
    }

    fn kinds(&self) -> Vec<String> {
        self.world.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect()
    }

    /// The number of moves that the ticket has left, asked for with a device that is refused.
    async fn moves_left(&self) -> Value {
        let refused = self.world.post(&self.token, CREDENTIALS, binding(&self.ticket, &Device::new())).await;
        assert_eq!(refused.problem(), "bound-elsewhere");
        refused.json()["moves_left"].clone()
    }
}

#[tokio::test]
async fn a_transfer_surrenders_and_waits_until_the_event_at_most() {
    let sender = Sender::new().await;
    let (world, token) = (&sender.world, &sender.token);
    let sent = sender.send().await.json();
    let path = format!("/t/{CLUB}/event/v1/ticket/{}?with=ticket_config.event", sender.ticket);
    let ticket = world.get(token, &path).await.json();
    let start = ticket["data"]["ticket_config"]["event"]["start_at"].as_str().unwrap().replace(".000", "");
    let expected = json!({"id": sent["id"], "ticket_id": sender.ticket, "recipient": "jonas@example.org",
        "state": "pending", "created_at": "2027-01-15T08:00:00Z", "expires_at": start});
    assert_eq!(sent, expected);
    assert_eq!(world.get(token, TRANSFERS).await.json(), json!({"items": [sent]}));
    let one = format!("{TRANSFERS}/{}", sent["id"].as_str().unwrap());
    assert_eq!(world.get(token, &one).await.json(), sent);
    let renewal = sender.device.statement(Purpose::Renew, &sender.bound, START_S, "r");
    let renew = format!("{CREDENTIALS}/{}/renew", sender.ticket);
    assert_eq!(world.post_with_key(token, &renew, "r", renewal).await.problem(), "not-bound");
    for refused in
        [sender.send().await, world.post(token, CREDENTIALS, binding(&sender.ticket, &sender.device)).await]
    {
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "transfer-pending"));
        assert_eq!(refused.json()["transfer_id"], sent["id"]);
    }
    assert_eq!(sender.kinds(), ["credential.bind", "transfer.create"]);
    let others = world.sign_in(1).await.0;
    assert_eq!(world.get(&others, TRANSFERS).await.json(), json!({"items": []}));
    assert_eq!(world.get(&others, &one).await.problem(), "transfer-not-found");
    let late = world.eligible(token).await.pop().unwrap();
    let body = json!({"ticket_id": late, "recipient": "x", "surrender": null});
    let unbound = world.post(token, TRANSFERS, body).await.json();
    assert_eq!(unbound["expires_at"], "2027-01-18T08:00:00Z", "72 hours");
    assert_eq!(world.get(token, TRANSFERS).await.json(), json!({"items": [unbound, sent]}));
}

#[tokio::test]
async fn a_cancelled_transfer_frees_the_ticket_at_no_cost() {
    let sender = Sender::new().await;
    let id = sender.sent().await;
    let cancelled = sender.cancel(&id).await;
    assert_eq!((cancelled.status.as_u16(), &cancelled.json()["state"]), (200, &json!("cancelled")));
    assert_eq!(sender.state(&id).await, "cancelled");
    let again = sender.cancel(&id).await;
    assert_eq!((again.status.as_u16(), again.problem().as_str()), (409, "transfer-ended"));
    assert_eq!(again.json()["state"], "cancelled");
    let next = sender.world.bind(&sender.token, &sender.ticket, &Device::new()).await;
    assert_eq!(next["generation"], 2);
    assert_eq!(sender.moves_left().await, 3);
    assert_eq!(sender.cancel("9").await.problem(), "transfer-not-found");
    let kinds = ["credential.bind", "transfer.create", "transfer.cancel", "credential.bind"];
    assert_eq!(sender.kinds(), kinds);
}

#[tokio::test]
async fn declined_and_expired_transfers_free_the_ticket_too() {
    let sender = Sender::new().await;
    let world = &sender.world;
    let id = sender.sent().await;
    let number = id.parse().unwrap();
    assert!(world.sandbox.end_transfer(CLUB, number, TransferEnd::Declined).unwrap());
    assert!(!world.sandbox.end_transfer(CLUB, number, TransferEnd::Accepted).unwrap());
    assert_eq!(sender.state(&id).await, "declined");
    assert_eq!(sender.cancel(&id).await.json()["state"], "declined");
    let device = Device::new();
    let bound = world.bind(&sender.token, &sender.ticket, &device).await;
    let sender = Sender { device, bound, ..sender };
    let id = sender.sent().await;
    sender.world.pass(72 * 3600);
    assert_eq!(sender.state(&id).await, "expired");
    assert_eq!(sender.cancel(&id).await.json()["state"], "expired");
    assert_eq!(sender.world.bind(&sender.token, &sender.ticket, &Device::new()).await["generation"], 3);
    assert_eq!(sender.moves_left().await, 3);
}

#[tokio::test]
async fn an_accepted_ticket_is_the_recipients_with_a_new_generation() {
    let sender = Sender::new().await;
    let world = &sender.world;
    let id = sender.sent().await;
    let path = format!("/sandbox/transfers/{CLUB}/{id}");
    assert_eq!(world.open(&path, json!({"state": "accepted"})).await.status, 204);
    assert_eq!(world.open(&path, json!({"state": "accepted"})).await.status, 404);
    assert_eq!(sender.state(&id).await, "accepted");
    let ticket = format!("/t/{CLUB}/event/v1/ticket/{}", sender.ticket);
    assert_eq!(world.get(&sender.token, &ticket).await.status, 404);
    let others = world.sign_in(1).await.0;
    assert_eq!(world.get(&others, &ticket).await.status, 200);
    assert_eq!(world.bind(&others, &sender.ticket, &Device::new()).await["generation"], 2);
    let other = world.eligible(&sender.token).await.remove(0);
    let body = json!({"ticket_id": other, "recipient": "somebody@example.net"});
    let id = world.post(&sender.token, TRANSFERS, body).await.json()["id"].as_str().unwrap().to_owned();
    assert!(world.sandbox.end_transfer(CLUB, id.parse().unwrap(), TransferEnd::Accepted).unwrap());
    let ticket = format!("/t/{CLUB}/event/v1/ticket/{other}");
    assert_eq!(world.get(&sender.token, &ticket).await.status, 404);
    assert_eq!(sender.state(&id).await, "accepted");
}

#[tokio::test]
async fn what_is_refused_leaves_the_credential_and_the_journal() {
    let sender = Sender::new().await;
    let (world, token) = (&sender.world, &sender.token);
    let send = async |change: &dyn Fn(&mut Value)| {
        let key = world.new_key();
        let mut body = sender.body(&key);
        change(&mut body);
        world.post_with_key(token, TRANSFERS, &key, body).await
    };
    let wrong_key = sender.body("another key")["surrender"].clone();
    let unbound = world.eligible(token).await.remove(1);
    let pdf = world.ids(token, CLUB, |ticket| ticket["format"] == "PDF").await.remove(0);
    let change = |member: &'static str, value: Value| move |body: &mut Value| body[member] = value.clone();
    for (answer, status, problem, field) in [
        (send(&change("surrender", json!(null))).await, 422, "invalid-field", json!("surrender")),
        (send(&change("surrender", json!({}))).await, 422, "invalid-field", json!("at")),
        (send(&change("surrender", wrong_key)).await, 422, "invalid-field", json!("signature")),
        (send(&change("recipient", json!(" "))).await, 422, "invalid-field", json!("recipient")),
        (send(&change("recipient", json!(1))).await, 422, "invalid-field", json!("recipient")),
        (send(&change("ticket_id", json!(1))).await, 422, "invalid-field", json!("ticket_id")),
        (send(&change("ticket_id", json!("9999"))).await, 404, "ticket-not-found", json!(null)),
        (send(&change("ticket_id", json!(pdf))).await, 409, "not-eligible", json!(null)),
        (send(&change("ticket_id", json!(unbound))).await, 409, "not-bound", json!(null)),
    ] {
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, problem));
        assert_eq!(answer.json().get("field").cloned().unwrap_or_default(), field, "{problem}");
    }
    world.pass(35 * 3600);
    let closed = sender.send().await;
    assert_eq!((closed.status.as_u16(), closed.problem().as_str()), (409, "transfer-closed"));
    assert_eq!(world.bind(token, &sender.ticket, &sender.device).await, sender.bound);
    assert_eq!(sender.kinds(), ["credential.bind"]);
    assert_eq!(world.get(token, TRANSFERS).await.json(), json!({"items": []}));
}

#[tokio::test]
async fn repetitions_get_the_first_reply_and_are_not_applied_again() {
    let sender = Sender::new().await;
    let (world, token) = (&sender.world, &sender.token);
    let body = sender.body("k");
    let first = world.post_with_key(token, TRANSFERS, "k", body.clone()).await;
    let again = world.post_with_key(token, TRANSFERS, "k", body.clone()).await;
    assert_eq!((again.status.as_u16(), &again.text), (200, &first.text));
    let path = format!("{TRANSFERS}/{}/cancel", first.json()["id"].as_str().unwrap());
    let cancelled = world.post_with_key(token, &path, "c", json!({})).await;
    assert_eq!(world.post_with_key(token, &path, "c", json!({})).await.text, cancelled.text);
    assert_eq!(world.post_with_key(token, TRANSFERS, "k", body).await.text, first.text);
    assert_eq!(world.post_with_key(token, &path, "k", json!({})).await.problem(), "key-reused");
    let entries = world.sandbox.journal().unwrap();
    let told: Vec<_> =
        entries[1..].iter().map(|entry| (entry.kind.as_str(), entry.idempotency_key.as_deref())).collect();
    assert_eq!(told, [("transfer.create", Some("k")), ("transfer.cancel", Some("c"))]);
    let detail = json!({"transfer_id": first.json()["id"], "recipient": "jonas@example.org",
        "surrendered": 1});
    assert_eq!(entries[1].detail, detail);
    assert_eq!(entries[1].subject, format!("{CLUB}/{}", sender.ticket));
    let mut stale = sender.body("l");
    stale["surrender"]["at"] = json!(rfc3339(START_S - 1));
    assert_eq!(world.post_with_key(token, TRANSFERS, "l", stale).await.problem(), "not-bound");
}
