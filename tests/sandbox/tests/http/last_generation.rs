//! A ticket's generations are 65,535: the last one is never given up, for there would be no code for anybody after it.

use serde_json::{Value, json};
use ticket_wallet::barcode::Purpose;
use ticket_wallet_sandbox::{GateTicketEdit, MarketRules};

use crate::support::{Answer, CLUB, CREDENTIALS, Device, World, binding, credential};

const WALLET: &str = "/t/nordhafen/wallet/v1";

/// A ticket of the club, bound with the last generation.
struct Last {
    world: World,
    token: String,
    device: Device,
    ticket: String,
    bound: Value,
}

impl Last {
    async fn new() -> Self {
        let world = World::start_with(|config| config.token_life_s = u32::MAX).await;
        let (token, device) = (world.token().await, Device::new());
        let ticket = world.eligible(&token).await.remove(0);
        world.bind(&token, &ticket, &device).await;
        let floor = GateTicketEdit { generation: Some(u16::MAX), state: None };
        assert!(world.sandbox.edit_gate_ticket(CLUB, ticket.parse().unwrap(), &floor).unwrap());
        let device = Device::new();
        let moved = world.post(&token, &format!("{CREDENTIALS}?move=true"), binding(&ticket, &device)).await;
        assert_eq!(moved.status, 200, "{}", moved.text);
        let bound = moved.json();
        Self { world, token, device, ticket, bound }
    }

    async fn event(&self) -> i64 {
        let path = format!("/t/{CLUB}/event/v1/ticket/{}?with=ticket_config.event", self.ticket);
        let ticket = self.world.get(&self.token, &path).await.json();
        ticket["data"]["ticket_config"]["event"]["id"].as_i64().unwrap()
    }

    /// A write that gives the ticket's code up.
    async fn give_up(&self, path: &str, rest: Value) -> Answer {
        let key = self.world.new_key();
        let statement = self.device.statement(Purpose::Surrender, &self.bound, self.world.now(), &key);
        let mut body = json!({ "ticket_id": self.ticket, "surrender": statement });
        for member in [statement, rest] {
            body.as_object_mut().unwrap().extend(member.as_object().unwrap().clone());
        }
        self.world.post_with_key(&self.token, &format!("{WALLET}/{path}"), &key, body).await
    }
}

#[tokio::test]
async fn a_binding_is_not_below_what_gates_let_in() {
    let last = Last::new().await;
    assert_eq!(last.bound["generation"], u16::MAX);
    assert_eq!(credential(&last.bound).fields().generation, u16::MAX);
}

#[tokio::test]
async fn the_last_generation_is_not_given_up() {
    let last = Last::new().await;
    let event = last.event().await;
    let (surrender, price) =
        (format!("credentials/{}/surrender", last.ticket), json!({ "minor": 100, "currency": "EUR" }));
    for barcode_shown in [false, true] {
        let rules = MarketRules { barcode_shown, ..MarketRules::default() };
        assert!(last.world.sandbox.set_market_rules(CLUB, event, &rules).unwrap());
        for (path, rest) in [
            (surrender.as_str(), json!({})),
            ("transfers", json!({ "recipient": "jonas@example.org" })),
            ("resale/listings", json!({ "price": price })),
        ] {
            let refused = last.give_up(path, rest).await;
            assert_eq!(refused.problem(), "generations-used-up", "{path}, shown: {barcode_shown}");
        }
    }
    let other = binding(&last.ticket, &Device::new());
    let moved = last.world.post(&last.token, &format!("{CREDENTIALS}?move=true"), other).await;
    assert_eq!(moved.problem(), "generations-used-up");
    let again = last.world.bind(&last.token, &last.ticket, &last.device).await;
    assert_eq!(again, last.bound, "its holder goes on having it");
}
