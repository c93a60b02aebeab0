//! The market's part, and what recipients do with transfers.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::{ListingChange, MarketRules};

use super::{Record, TRANSFERS, refusals};
use crate::support::{Answer, Ask, CLUB, Device, THEATRE};

const RULES: &str = "/wallet/v1/resale/rules";
const PREVIEW: &str = "/wallet/v1/resale/preview";
const LISTINGS: &str = "/wallet/v1/resale/listings";
const LISTING: &str = "/wallet/v1/resale/listings/{listing_id}";
const PURCHASE: &str = "/wallet/v1/resale/listings/{listing_id}/purchase";
const RESERVATION: &str = "/wallet/v1/resale/reservations/{reservation_id}";
const ACCEPT: &str = "/wallet/v1/transfers/{transfer_id}/accept";
const DECLINE: &str = "/wallet/v1/transfers/{transfer_id}/decline";
const EVENT: i64 = 1;

fn money(minor: i64) -> Value {
    json!({"minor": minor, "currency": "EUR"})
}

impl Record {
    fn rules(&self, rules: &MarketRules) {
        assert!(self.world.sandbox.set_market_rules(CLUB, EVENT, rules).unwrap());
    }

    async fn ask(
        &mut self,
        method: Method,
        operation: &str,
        (key, version): (Option<&str>, Option<i64>),
        body: Option<Value>,
    ) -> Answer {
        let (path, key) = (self.path(CLUB, operation), key.map(|key| format!("\"{key}\"")));
        let token = self.token.clone();
        let ask = Ask { method: method.clone(), path, token: Some(&token), key, body };
        let answer = self.world.ask_about(ask, version).await;
        self.check(method.as_str().to_lowercase().as_str(), operation, &answer);
        answer
    }

    async fn as_somebody_else<T>(&mut self, work: impl AsyncFnOnce(&mut Self) -> T) -> T {
        let others = self.world.sign_in(1).await.0;
        let own = std::mem::replace(&mut self.token, others);
        let done = work(self).await;
        self.token = own;
        done
    }

    async fn list(&mut self, key: &str, price: i64) -> Answer {
        let body = json!({"ticket_id": self.ticket, "price": money(price)});
        self.write(LISTINGS, key, body).await
    }

    /// Lists the ticket, and has its listing's id stand in paths.
    async fn listed(&mut self, key: &str) {
        self.listing = self.list(key, 1000).await.json()["id"].as_str().unwrap().to_owned();
    }

    pub(super) async fn market(&mut self) {
        for operation in [LISTINGS, PURCHASE, ACCEPT, DECLINE] {
            self.common_refusals(operation).await;
        }
        self.reads().await;
        self.previews().await;
        self.listings().await;
        self.changes().await;
        self.purchases().await;
        self.handed_over().await;
    }

    async fn reads(&mut self) {
        let rules = format!("{}?ticket={}", self.path(CLUB, RULES), self.ticket);
        self.refused_reads(&self.path(CLUB, RULES), RULES).await;
        self.read(&rules, RULES).await;
        self.read(&self.path(CLUB, RULES), RULES).await;
        self.read(&format!("{}?ticket=9999", self.path(CLUB, RULES)), RULES).await;
        let pdf = self.world.ids(&self.token, CLUB, |ticket| ticket["format"] == "PDF").await.remove(0);
        let refused = self.read(&format!("{}?ticket={pdf}", self.path(CLUB, RULES)), RULES).await;
        assert_eq!(refused.json()["allowed"], false);
        self.refused_reads(&self.path(CLUB, LISTINGS), LISTINGS).await;
        self.read(&self.path(THEATRE, LISTINGS), LISTINGS).await;
        self.read(&self.path(CLUB, LISTINGS), LISTINGS).await;
        for operation in [LISTING, RESERVATION] {
            self.refused_reads(&self.path(CLUB, operation), operation).await;
            self.read(&self.path(CLUB, operation), operation).await;
        }
    }

    async fn previews(&mut self) {
        let of = |ticket: &str, price: Value| Some(json!({"ticket_id": ticket, "price": price}));
        let ticket = self.ticket.clone();
        for (body, status) in [
            (of(&ticket, money(1000)), 200),
            (None, 400),
            (of("9999", money(1000)), 404),
            (of(&ticket, money(1_000_000)), 409),
            (of(&ticket, json!("10")), 422),
        ] {
            assert_eq!(self.ask(Method::POST, PREVIEW, (None, None), body).await.status, status);
        }
        for fault in refusals() {
            self.world.fault(&self.path(CLUB, PREVIEW), fault);
            self.ask(Method::POST, PREVIEW, (None, None), of(&ticket, money(1000))).await;
        }
    }

    async fn listings(&mut self) {
        self.rules(&MarketRules { allowed: false, ..MarketRules::default() });
        assert_eq!(self.list("m1", 1000).await.problem(), "resale-not-allowed");
        self.rules(&MarketRules::default());
        assert_eq!(self.list("m2", 1_000_000).await.problem(), "price-over-cap");
        let unknown = json!({"ticket_id": "9999", "price": money(1000)});
        assert_eq!(self.write(LISTINGS, "m3", unknown).await.problem(), "ticket-not-found");
        self.listed("m4").await;
        assert_eq!(self.list("m5", 1000).await.problem(), "ticket-listed");
        let binding = crate::support::binding(&self.ticket, &Device::new());
        assert_eq!(self.write(super::BIND, "m6", binding).await.problem(), "ticket-listed");
        let transfer = json!({"ticket_id": self.ticket, "recipient": "x"});
        assert_eq!(self.write(TRANSFERS, "m7", transfer).await.problem(), "ticket-listed");
        self.read(&format!("{}?mine=true", self.path(CLUB, LISTINGS)), LISTINGS).await;
        self.read(&self.path(CLUB, LISTING), LISTING).await;
        self.as_somebody_else(async |record| {
            let offered = format!("{}?event={EVENT}&limit=1", record.path(CLUB, LISTINGS));
            assert_eq!(record.read(&offered, LISTINGS).await.json()["items"][0]["mine"], false);
        })
        .await;
    }

    async fn changes(&mut self) {
        let price = Some(json!({"price": money(900)}));
        for method in [Method::PATCH, Method::DELETE] {
            for fault in refusals() {
                self.world.fault(&self.path(CLUB, LISTING), fault);
                self.ask(method.clone(), LISTING, (Some("-"), Some(1)), price.clone()).await;
            }
            let unkeyed = self.ask(method.clone(), LISTING, (None, Some(1)), price.clone()).await;
            assert_eq!(unkeyed.status, 400);
            let key = format!("c1 {method}");
            let unversioned = self.ask(method.clone(), LISTING, (Some(&key), None), price.clone()).await;
            assert_eq!(unversioned.problem(), "precondition-required");
            let key = format!("c2 {method}");
            let other = self.ask(method.clone(), LISTING, (Some(&key), Some(7)), price.clone()).await;
            assert_eq!(other.problem(), "version-mismatch");
            let own = std::mem::replace(&mut self.listing, "9999".to_owned());
            let key = format!("c3 {method}");
            let missing = self.ask(method, LISTING, (Some(&key), Some(1)), price.clone()).await;
            assert_eq!(missing.problem(), "listing-not-found");
            self.listing = own;
        }
        let none = Some(json!({"price": "10"}));
        assert_eq!(self.ask(Method::PATCH, LISTING, (Some("c4"), Some(1)), none).await.status, 422);
        assert_eq!(self.ask(Method::PATCH, LISTING, (Some("c5"), Some(1)), price.clone()).await.status, 200);
        assert_eq!(self.ask(Method::DELETE, LISTING, (Some("c6"), Some(2)), None).await.status, 200);
        for method in [Method::PATCH, Method::DELETE] {
            let key = format!("c7 {method}");
            let ended = self.ask(method, LISTING, (Some(&key), Some(3)), price.clone()).await;
            assert_eq!(ended.problem(), "listing-ended");
        }
    }

    async fn purchases(&mut self) {
        self.listed("p1").await;
        let purchase = |most: i64| json!({"device_key": Device::new().public(), "max_total": money(most)});
        assert_eq!(self.write(PURCHASE, "p2", purchase(9999)).await.problem(), "own-listing");
        let rival = self.as_somebody_else(async |record| {
            assert_eq!(record.write(PURCHASE, "p3", purchase(1000)).await.problem(), "price-changed");
            let held = record.write(PURCHASE, "p4", purchase(9999)).await;
            assert_eq!(held.status, 202);
            record.reservation = held.json()["reservation"].as_str().unwrap().to_owned();
            record.read(&record.path(CLUB, RESERVATION), RESERVATION).await;
            record.write(PURCHASE, "p5", purchase(9999)).await
        });
        assert_eq!(rival.await.problem(), "reserved");
        let refused = self.read(&self.path(CLUB, RESERVATION), RESERVATION).await;
        assert_eq!(refused.problem(), "reservation-not-found", "it is another's");
        self.world.pass(601);
        self.rules(&MarketRules { payment_page: false, ..MarketRules::default() });
        self.as_somebody_else(async |record| {
            assert_eq!(record.write(PURCHASE, "p6", purchase(9999)).await.status, 200);
            assert_eq!(record.write(PURCHASE, "p7", purchase(9999)).await.problem(), "sold");
        })
        .await;
        self.ticket = self.world.eligible(&self.token).await.remove(0);
    }

    async fn handed_over(&mut self) {
        let user = self.world.sandbox.users()[0].name.clone();
        for (operation, key) in [(DECLINE, "h1"), (ACCEPT, "h2")] {
            let id = self.world.sandbox.add_ticket(&user, CLUB, EVENT).unwrap().unwrap().to_string();
            let recipient = self.world.sandbox.users()[1].name.clone();
            let sent = self.write(TRANSFERS, key, json!({"ticket_id": id, "recipient": recipient})).await;
            self.transfer = sent.json()["id"].as_str().unwrap().to_owned();
            self.as_somebody_else(async |record| {
                record.read(&format!("{}?incoming=true", record.path(CLUB, TRANSFERS)), TRANSFERS).await;
                let body = match operation {
                    ACCEPT => json!({"device_key": Device::new().public()}),
                    _ => json!({}),
                };
                let (first, again) = (format!("{key} 1"), format!("{key} 2"));
                assert_eq!(record.write(operation, &first, body.clone()).await.status, 200);
                let body =
                    if operation == ACCEPT { json!({"device_key": Device::new().public()}) } else { body };
                assert_eq!(record.write(operation, &again, body).await.problem(), "transfer-ended");
                record.transfer = "9999".to_owned();
                let body = json!({"device_key": Device::new().public()});
                let missing = record.write(operation, &format!("{key} 3"), body).await;
                assert_eq!(missing.problem(), "transfer-not-found");
            })
            .await;
        }
    }

    /// Once the event has begun nothing is sold any more.
    pub(super) async fn closed_market(&mut self) {
        let ticket = self.ticket.clone();
        let body = Some(json!({"ticket_id": ticket, "price": money(100)}));
        assert_eq!(self.ask(Method::POST, PREVIEW, (None, None), body).await.problem(), "resale-closed");
    }
}

/// A state that no listing has by itself is told as it is.
#[tokio::test]
async fn a_scripted_state_is_told_as_it_is() {
    let mut record = Record::start().await;
    record.listed("s1").await;
    let id = record.listing.parse().unwrap();
    let to = ListingChange::State("held_for_the_moon".to_owned());
    record.world.sandbox.change_listing(CLUB, id, &to).unwrap();
    let told = record.read(&record.path(CLUB, LISTING), LISTING).await;
    assert_eq!(told.json()["state"], "held_for_the_moon");
}
