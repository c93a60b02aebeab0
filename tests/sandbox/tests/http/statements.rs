//! Renewing and surrendering: what devices state.

use serde_json::{Value, json};
use ticket_wallet::barcode::Purpose;

use crate::support::{Answer, CREDENTIALS, Device, START_S, World, binding, credential, rfc3339};

/// A user's token, a device, and a ticket bound to it.
struct Bound {
    world: World,
    token: String,
    device: Device,
    ticket: String,
    reply: Value,
}

impl Bound {
    async fn new() -> Self {
        // Tokens outlive the leases, so that only the leases are looked at.
        let world = World::start_with(|config| config.token_life_s = 365 * 24 * 3600).await;
        let (token, device) = (world.token().await, Device::new());
        let ticket = world.eligible(&token).await.remove(0);
        let reply = world.bind(&token, &ticket, &device).await;
        Self { world, token, device, ticket, reply }
    }

    fn path(&self, action: &str) -> String {
        format!("{CREDENTIALS}/{}/{action}", self.ticket)
    }

    /// Renews with a statement that `change` may spoil.
    async fn renew(&self, at: i64, change: impl FnOnce(&mut Value)) -> Answer {
        let key = self.world.new_key();
        let mut body = self.device.statement(Purpose::Renew, &self.reply, at, &key);
        change(&mut body);
        self.world.post_with_key(&self.token, &self.path("renew"), &key, body).await
    }

    async fn surrender(&self, at: i64) -> Answer {
        let key = self.world.new_key();
        let body = self.device.statement(Purpose::Surrender, &self.reply, at, &key);
        self.world.post_with_key(&self.token, &self.path("surrender"), &key, body).await
    }
}

fn field(answer: &Answer) -> String {
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (422, "invalid-field"));
    answer.json()["field"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn renewal_moves_the_lease_and_keeps_the_rest() {
    let bound = Bound::new().await;
    bound.world.pass(24 * 3600);
    let renewed = bound.renew(bound.world.now(), |_| {}).await;
    assert_eq!(renewed.status, 200, "{}", renewed.text);
    let (old, new) = (*credential(&bound.reply).fields(), *credential(&renewed.json()).fields());
    assert_eq!(i64::from(new.lease_end), START_S + 72 * 3600);
    assert_eq!(i64::from(new.not_before), START_S);
    assert_eq!(
        new,
        ticket_wallet::barcode::CredentialFields {
            lease_end: new.lease_end,
            not_before: new.not_before,
            ..old
        }
    );
    assert_eq!(renewed.json()["renew_after"], "2027-01-17T08:00:00Z");
    let current = bound.world.bind(&bound.token, &bound.ticket, &bound.device).await;
    assert_eq!(current, renewed.json());
}

#[tokio::test]
async fn renewal_is_accepted_after_the_lease_and_with_an_older_lease() {
    let bound = Bound::new().await;
    bound.world.pass(90 * 24 * 3600);
    for _ in 0..2 {
        let renewed = bound.renew(bound.world.now(), |_| {}).await;
        assert_eq!(renewed.status, 200, "the first credential has the current generation still");
    }
}

#[tokio::test]
async fn statements_that_do_not_hold_are_refused() {
    let bound = Bound::new().await;
    assert_eq!(bound.renew(START_S - 300, |_| {}).await.status, 200);
    assert_eq!(bound.renew(START_S + 300, |_| {}).await.status, 200);
    assert_eq!(field(&bound.renew(START_S - 301, |_| {}).await), "at");
    assert_eq!(field(&bound.renew(START_S + 301, |_| {}).await), "at");
    assert_eq!(
        field(&bound.renew(START_S, |body| body["at"] = json!(rfc3339(START_S + 1))).await),
        "signature"
    );
    for at in
        [json!("2027-01-15T08:00:00.5Z"), json!(START_S), json!("yesterday"), json!("1960-01-01T00:00:00Z")]
    {
        assert_eq!(field(&bound.renew(START_S, |body| body["at"] = at).await), "at");
    }
    let offset = bound.renew(START_S, |body| body["at"] = json!("2027-01-15T09:00:00+01:00")).await;
    assert_eq!(offset.status, 200);
    assert_eq!(field(&bound.renew(START_S, |body| body["signature"] = json!("AAAA")).await), "signature");
    assert_eq!(field(&bound.renew(START_S, |body| body["credential"] = json!("AAAA")).await), "credential");
    let forged = Device::new().statement(Purpose::Renew, &bound.reply, START_S, "k");
    let answer = bound.world.post_with_key(&bound.token, &bound.path("renew"), "k", forged).await;
    assert_eq!(field(&answer), "signature");
}

#[tokio::test]
async fn a_statement_counts_for_its_own_key_and_purpose_only() {
    let bound = Bound::new().await;
    let body = bound.device.statement(Purpose::Renew, &bound.reply, START_S, "one");
    let other = bound.world.post_with_key(&bound.token, &bound.path("renew"), "two", body.clone()).await;
    assert_eq!(field(&other), "signature");
    let surrender = bound.world.post_with_key(&bound.token, &bound.path("surrender"), "one", body).await;
    assert_eq!(field(&surrender), "signature");
}

#[tokio::test]
async fn credentials_of_another_ticket_or_an_older_generation_are_refused() {
    let bound = Bound::new().await;
    let (world, token) = (&bound.world, &bound.token);
    let other = world.eligible(token).await.remove(1);
    let path = format!("{CREDENTIALS}/{other}/renew");
    let unbound =
        world.post(token, &path, bound.device.statement(Purpose::Renew, &bound.reply, START_S, "x")).await;
    assert_eq!((unbound.status.as_u16(), unbound.problem().as_str()), (409, "not-bound"));
    world.bind(token, &other, &bound.device).await;
    let key = world.new_key();
    let wrong = bound.device.statement(Purpose::Renew, &bound.reply, START_S, &key);
    assert_eq!(field(&world.post_with_key(token, &path, &key, wrong).await), "credential");
    let moving = format!("{CREDENTIALS}?move=true");
    assert_eq!(world.post(token, &moving, binding(&bound.ticket, &Device::new())).await.status, 200);
    let superseded = bound.renew(START_S, |_| {}).await;
    assert_eq!((superseded.status.as_u16(), superseded.problem().as_str()), (409, "superseded"));
}

#[tokio::test]
async fn many_are_renewed_at_once_with_one_result_each() {
    let bound = Bound::new().await;
    let (world, token) = (&bound.world, &bound.token);
    let other = world.eligible(token).await.remove(1);
    let second = world.bind(token, &other, &bound.device).await;
    let key = world.new_key();
    let item = |reply: &Value, id: &str| {
        let mut item = bound.device.statement(Purpose::Renew, reply, START_S, &key);
        item["ticket_id"] = json!(id);
        item
    };
    let items = json!([item(&second, &other), item(&bound.reply, "9999"), item(&bound.reply, &bound.ticket)]);
    let path = format!("{CREDENTIALS}/renew");
    let results = world.post_with_key(token, &path, &key, items).await.json();
    assert_eq!((&results[0]["ticket_id"], &results[0]["generation"]), (&json!(other), &json!(1)));
    assert_eq!((&results[1]["ticket_id"], &results[1]["problem"]["status"]), (&json!("9999"), &json!(404)));
    assert_eq!(results[2]["ticket_id"], json!(bound.ticket));
    assert_eq!(results.as_array().unwrap().len(), 3);
    assert_eq!(world.post(token, &path, json!({})).await.problem(), "malformed");
    let many = vec![json!({"ticket_id": "1"}); 101];
    assert_eq!(world.post(token, &path, json!(many)).await.problem(), "too-large");
}

#[tokio::test]
async fn surrender_ends_a_generation_and_costs_no_move() {
    let bound = Bound::new().await;
    assert_eq!(field(&bound.surrender(START_S - 301).await), "at");
    let done = bound.surrender(START_S).await;
    assert_eq!((done.status.as_u16(), done.text.as_str()), (204, ""));
    assert_eq!(bound.surrender(START_S).await.problem(), "not-bound");
    assert_eq!(bound.renew(START_S, |_| {}).await.problem(), "not-bound");
    let other = Device::new();
    let next = bound.world.bind(&bound.token, &bound.ticket, &other).await;
    assert_eq!(next["generation"], 2);
    let refused = bound.world.post(&bound.token, CREDENTIALS, binding(&bound.ticket, &bound.device)).await;
    assert_eq!(refused.json()["moves_left"], 3);
}

#[tokio::test]
async fn statements_go_by_the_sandboxs_own_time() {
    let bound = Bound::new().await;
    bound.world.sandbox.set_clock_offset_s(1000);
    assert_eq!(field(&bound.renew(START_S, |_| {}).await), "at");
    assert_eq!(bound.renew(START_S + 1000, |_| {}).await.status, 200);
}
