//! What may be sold on an event's market, for how much, and what it costs.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::gates::{Place, closes_at};
use super::super::ticket::Ticket;
use super::super::transfer::rfc3339;
use crate::problem::Problem;

/// Millionths in a whole.
const WHOLE_PPM: i128 = 1_000_000;
/// Every price of the sandbox is in it.
pub(super) const CURRENCY: &str = "EUR";

/// What an organizer allows on the market of an event. Percentages are millionths, amounts cents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MarketRules {
    /// Whether tickets can be sold at all.
    pub allowed: bool,
    /// Why not.
    pub reason: Option<String>,
    /// Whether the cap is a part of what the buyer paid in all, in place of the face value.
    pub of_total_paid: bool,
    /// The highest price, as a part of the basis.
    pub cap_ppm: Option<u32>,
    /// The highest price.
    pub cap_minor: Option<i64>,
    /// What the seller pays of the price.
    pub seller_fee_ppm: u32,
    /// What the buyer pays above the price.
    pub buyer_fee_ppm: u32,
    /// What the buyer pays besides.
    pub buyer_fixed_fee: i64,
    /// What the seller pays besides.
    pub seller_fixed_fee: i64,
    /// Whether the seller's barcode goes on showing while its ticket is listed.
    pub barcode_shown: bool,
    /// Whether new listings wait for the organizer.
    pub reviewed: bool,
    /// Whether a purchase waits for a payment; else it is paid for at once.
    pub payment_page: bool,
    /// How long it waits, in seconds.
    pub reservation_s: u32,
}

impl Default for MarketRules {
    /// Up to 110 % of the face value; 5 % from the seller, 3.5 % and 50 cents from the buyer, who pays on a page.
    fn default() -> Self {
        Self {
            allowed: true,
            reason: None,
            of_total_paid: false,
            cap_ppm: Some(1_100_000),
            cap_minor: None,
            seller_fee_ppm: 50_000,
            buyer_fee_ppm: 35_000,
            buyer_fixed_fee: 50,
            seller_fixed_fee: 0,
            barcode_shown: false,
            reviewed: false,
            payment_page: true,
            reservation_s: 600,
        }
    }
}

impl MarketRules {
    pub(super) fn of(db: &Connection, place: &Place) -> Result<Self, Problem> {
        let sql = "SELECT rules FROM market_event WHERE tenant = ?1 AND event_id = ?2";
        let found =
            db.query_row(sql, (&place.tenant, place.event), |row| row.get::<_, String>(0)).optional()?;
        match found {
            Some(json) => serde_json::from_str(&json).map_err(|_| Problem::internal()),
            None => Ok(Self::default()),
        }
    }
}

/// Lays down what counts on the market of an event from now on. Returns whether there is such an event.
pub(crate) fn set(db: &Connection, tenant: &str, event: i64, rules: &MarketRules) -> rusqlite::Result<bool> {
    let json = serde_json::to_string(rules).unwrap_or_default();
    let sql = "INSERT OR REPLACE INTO market_event (tenant, event_id, rules)
        SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM ticket_config WHERE tenant = ?1 AND event_id = ?2)";
    db.execute(sql, (tenant, event, json)).map(|count| count > 0)
}

/// What counts for one ticket.
pub(super) struct Terms {
    pub(super) rules: MarketRules,
    /// From when on nothing changes hands, Unix seconds.
    pub(super) closes_at: i64,
    face_value: i64,
    paid: Option<i64>,
}

impl Terms {
    pub(super) fn of(db: &Connection, tenant: &str, ticket: &Ticket) -> Result<Self, Problem> {
        let place = Place { tenant: tenant.to_owned(), event: ticket.event_id };
        let rules = MarketRules::of(db, &place)?;
        let sql = "SELECT CAST(round(100 * json_extract(body, '$.face_value')) AS INTEGER),
                CAST(round(100 * order_item.price) AS INTEGER)
            FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            LEFT JOIN order_item ON order_item.tenant = ticket.tenant AND order_item.id = order_item_id
            WHERE ticket.tenant = ?1 AND ticket.id = ?2";
        let (face_value, paid) = db.query_row(sql, (tenant, ticket.id), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?))
        })?;
        Ok(Self { rules, closes_at: closes_at(db, &place)?, face_value, paid })
    }

    /// The highest price.
    fn cap(&self) -> Option<i64> {
        let basis =
            if self.rules.of_total_paid { self.paid.unwrap_or(self.face_value) } else { self.face_value };
        let part = self.rules.cap_ppm.map(|ppm| part(basis, ppm));
        [part, self.rules.cap_minor].into_iter().flatten().min()
    }

    /// Refuses a ticket, or a price, that the rules do not allow.
    pub(super) fn check(&self, price: i64, now: i64) -> Result<(), Problem> {
        use axum::http::StatusCode;
        if !self.rules.allowed {
            let refused =
                Problem::new(StatusCode::CONFLICT, "resale-not-allowed", "The ticket cannot be sold on");
            return Err(
                refused.detail(self.rules.reason.as_deref().unwrap_or("the organizer does not allow it"))
            );
        }
        if now >= self.closes_at {
            return Err(Problem::new(StatusCode::CONFLICT, "resale-closed", "The market has closed"));
        }
        if price <= 0 {
            return Err(Problem::invalid_field("price", "more than nothing is needed here"));
        }
        match self.cap().filter(|cap| price > *cap) {
            Some(cap) => {
                Err(Problem::new(StatusCode::CONFLICT, "price-over-cap", "The price is over the cap")
                    .with("cap", money(cap)))
            }
            None => Ok(()),
        }
    }

    /// What a price comes to.
    pub(super) fn breakdown(&self, price: i64) -> Breakdown {
        let rules = &self.rules;
        Breakdown {
            face_value: self.face_value,
            price,
            buyer_fee: part(price, rules.buyer_fee_ppm) + rules.buyer_fixed_fee,
            seller_fee: (part(price, rules.seller_fee_ppm) + rules.seller_fixed_fee).min(price),
        }
    }

    /// The rules as they are sent.
    pub(super) fn to_json(&self) -> Value {
        let rules = &self.rules;
        let mut json = json!({
            "allowed": rules.allowed,
            "basis": if rules.of_total_paid { "total_paid" } else { "face_value" },
            "currency": CURRENCY,
            "face_value": money(self.face_value),
            "seller_fee_percent": percent(rules.seller_fee_ppm),
            "buyer_fee_percent": percent(rules.buyer_fee_ppm),
            "fixed_fees": {"buyer": money(rules.buyer_fixed_fee), "seller": money(rules.seller_fixed_fee)},
            "barcode_while_listed": if rules.barcode_shown { "shown" } else { "hidden" },
            "closes_at": rfc3339(self.closes_at),
        });
        let optional = [
            ("cap_percent", rules.cap_ppm.map(percent)),
            ("cap_minor", rules.cap_minor.map(Value::from)),
            ("total_paid", self.paid.map(money)),
            ("reason", rules.reason.clone().map(Value::from)),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                json[name] = value;
            }
        }
        json
    }
}

/// What a price comes to for both sides, in minor units.
#[derive(Debug, Clone, Copy)]
pub(super) struct Breakdown {
    face_value: i64,
    price: i64,
    buyer_fee: i64,
    seller_fee: i64,
}

impl Breakdown {
    pub(super) fn buyer_total(&self) -> i64 {
        self.price + self.buyer_fee
    }

    pub(super) fn to_json(self) -> Value {
        json!({
            "face_value": money(self.face_value),
            "seller_price": money(self.price),
            "fees": {"buyer": money(self.buyer_fee), "seller": money(self.seller_fee)},
            "buyer_total": money(self.buyer_total()),
            "seller_proceeds": money(self.price - self.seller_fee),
        })
    }
}

/// A part of an amount, rounded down.
fn part(amount: i64, ppm: u32) -> i64 {
    i64::try_from(i128::from(amount) * i128::from(ppm) / WHOLE_PPM).unwrap_or(i64::MAX)
}

/// Minor units as an amount.
pub(super) fn money(minor: i64) -> Value {
    json!({"minor": minor, "currency": CURRENCY})
}

/// An amount of a request, in minor units.
pub(super) fn read_money(item: &Value, name: &str) -> Result<i64, Problem> {
    let amount = item.get(name).unwrap_or(&Value::Null);
    let minor = amount["minor"].as_i64().filter(|_| amount["currency"] == CURRENCY);
    minor.ok_or_else(|| Problem::invalid_field(name, "whole minor units of EUR are needed here"))
}

fn percent(ppm: u32) -> Value {
    let text = format!("{}.{:04}", ppm / 10_000, ppm % 10_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    serde_json::from_str(text).unwrap_or_default()
}
