//! The secondary market: organizers' rules, what a ticket's owner signs on the ledger to sell a ticket or to hand it over, and
//! the buyers that a test plays.

mod buyers;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use ticket_wallet::model::Money;

use super::BamError;
use super::fields::{Body, Fields, unreadable};
use super::session::signed_in;
use crate::app::App;
use crate::edit;
use crate::journal;

pub(crate) use buyers::control_routes;

/// The one currency of the sandbox.
const CURRENCY: &str = "EUR";
/// Offers that are made by the ledger are numbered from here on.
const FIRST_OFFER: i64 = 1_000;

/// `GET /account/v1/market-control/{id}`
pub(super) async fn ruleset(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    signed_in(&app, &headers)?;
    let found = app.db.read(|db| read_rules(db, "id = ?1", &id))?;
    let ruleset = found.into_iter().next().ok_or_else(|| BamError::not_found("Ruleset"))?;
    Ok(Json(json!({"data": ruleset})))
}

/// `GET /account/v1/market-control?organizer_id=`
pub(super) async fn rulesets(
    State(app): State<Arc<App>>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    signed_in(&app, &headers)?;
    let organizer = query.get("organizer_id").map_or("", String::as_str);
    let sql = "?1 IN ('', CAST(json_extract(body, '$.organizer_id') AS TEXT))";
    Ok(Json(json!({"data": app.db.read(|db| read_rules(db, sql, organizer))?})))
}

fn read_rules(db: &Connection, condition: &str, value: &str) -> rusqlite::Result<Vec<Value>> {
    let sql = format!("SELECT body FROM market_ruleset WHERE {condition} ORDER BY id");
    let mut statement = db.prepare(&sql)?;
    let bodies = statement.query_map([value], |row| row.get::<_, String>(0))?;
    bodies.map(|body| Ok(serde_json::from_str(&body?).unwrap_or_default())).collect()
}

/// `POST /t/{tenant}/event/v1/ticket/transfer`: only tells what is to be signed.
pub(super) async fn transfer_payload(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, app.bam_choices().string_ids)?;
    let (ids, new_owner) = (fields.ids("ids")?, fields.text("new_owner_id")?);
    let entries = app.db.read(|db| {
        let entry = |id: &i64| {
            let sql = "SELECT seq_num, ticket_config_id, event_id FROM ticket
                JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                WHERE ticket.tenant = ?1 AND ticket.id = ?2 AND owner_id = ?3";
            let read = |row: &rusqlite::Row<'_>| {
                Ok(json!({
                    "seq_num": row.get::<_, i64>(0)?,
                    "ticket_config": {"id": row.get::<_, i64>(1)?, "event": {"id": row.get::<_, i64>(2)?}},
                    "new_owner_id": new_owner,
                }))
            };
            let found = db.query_row(sql, (&tenant, id, owner.id), read).optional()?;
            found.ok_or_else(|| BamError::not_found("Ticket"))
        };
        ids.iter().map(entry).collect::<Result<Vec<_>, BamError>>()
    })?;
    Ok(Json(json!({"data": {"data": entries}})))
}

/// Whoever signs on the ledger, at one tenant.
pub(super) struct Party<'a> {
    pub(super) app: &'a App,
    pub(super) db: &'a Connection,
    pub(super) tenant: &'a str,
    pub(super) enrollment: &'a str,
}

/// A ticket that its owner names on the ledger.
struct Named {
    id: i64,
    face_value: Money,
    rules: Value,
}

impl Party<'_> {
    /// `TICKET.MARK_FOR_SALE`: of several tickets all go up for sale, or none.
    pub(super) fn mark_for_sale(&self, argument: &Value, for_good: bool) -> Result<Value, BamError> {
        let fields = Fields::of_body(argument, false)?;
        if fields.text("seller_id")? != self.enrollment {
            return Err(BamError::forbidden());
        }
        let mut offers = Vec::new();
        for item in fields.array("tickets")? {
            offers.push(self.offer(item, for_good)?);
        }
        if offers.is_empty() {
            return Err(fields.invalid("tickets"));
        }
        Ok(json!({"offers": offers}))
    }

    fn offer(&self, item: &Value, for_good: bool) -> Result<Value, BamError> {
        let fields = Fields::of_body(item, false)?;
        let ticket = self.named(item)?;
        let kind = fields.choice("type", &["DIRECT", "MARKET", "AUCTION"])?;
        let buyer = fields.given("buyer_id").map(|_| fields.text("buyer_id")).transpose()?;
        match (kind, buyer) {
            ("AUCTION", _) => return Err(refuse("AUCTION_NOT_AVAILABLE", "Auctions are not available")),
            ("DIRECT", Some(buyer)) => drop(self.other(buyer)?),
            ("MARKET", None) => {}
            _ => return Err(fields.invalid("buyer_id")),
        }
        let until = fields.text("locked_until")?;
        let until = DateTime::parse_from_rfc3339(until).map_err(|_| fields.invalid("locked_until"))?;
        if until.timestamp() <= self.app.now_s() {
            return Err(fields.invalid("locked_until"));
        }
        let price = fields.given("price").filter(|price| price.is_number());
        let price = price.and_then(|price| Money::parse(&price.to_string(), CURRENCY).ok());
        let price = price.filter(|price| price.minor >= 0).ok_or_else(|| fields.invalid("price"))?;
        ticket.may_cost(&price)?;
        if self.is_offered(ticket.id)? {
            return Err(BamError::new(StatusCode::CONFLICT, "ALREADY_OFFERED", "The ticket is on offer"));
        }
        if !for_good {
            return Ok(Value::Null);
        }
        let id: i64 = self.db.query_row(
            "INSERT INTO offer (tenant, id, ticket_id, kind, price, valid_until, buyer_id)
                SELECT ?1, ?2 + coalesce(max(seq), 0), ?3, ?4, ?5, ?6, ?7 FROM journal RETURNING id",
            (self.tenant, FIRST_OFFER, ticket.id, kind, major(&price), until.timestamp_millis(), buyer),
            |row| row.get(0),
        )?;
        self.record("ledger.mark_for_sale", ticket.id, &json!({"offer_id": id, "price": price.to_string()}))?;
        self.tempt(id)?;
        Ok(json!({"id": id}))
    }

    /// `TICKET.TRANSFER`
    pub(super) fn transfer(&self, argument: &Value, for_good: bool) -> Result<Value, BamError> {
        let fields = Fields::of_body(argument, false)?;
        let mut handed = Vec::new();
        for item in fields.array("data")? {
            let (ticket, fields) = (self.named(item)?, Fields::of_body(item, false)?);
            let recipient = self.other(fields.text("new_owner_id")?)?;
            if ticket.rules["transfer_enabled"] != true {
                return Err(refuse("TRANSFER_DISABLED", "Tickets cannot be transferred"));
            }
            if for_good {
                self.record("ledger.transfer", ticket.id, &json!({"recipient": recipient}))?;
                self.change_hands(ticket.id, &recipient)?;
            }
            handed.push(json!({"ticket_id": ticket.id}));
        }
        if handed.is_empty() { Err(fields.invalid("data")) } else { Ok(json!({"tickets": handed})) }
    }

    /// The ticket that is named, which must be the signer's, SECURE, and good to go in with.
    fn named(&self, item: &Value) -> Result<Named, BamError> {
        let number = |place: &str| item.pointer(place).and_then(Value::as_i64);
        let key = (number("/seq_num"), number("/ticket_config/id"), number("/ticket_config/event/id"));
        let (Some(sequence), Some(config), Some(event)) = key else { return Err(BamError::invalid("args")) };
        let sql = "SELECT ticket.id, format, status, ticket_config.body, market_ruleset.body FROM ticket
            JOIN user ON user.id = owner_id
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            LEFT JOIN market_ruleset ON market_ruleset.tenant = ticket.tenant
                AND market_ruleset.id = CAST(json_extract(ticket_config.body, '$.secondary_market_ruleset_id') AS TEXT)
            WHERE ticket.tenant = ?1 AND seq_num = ?2 AND ticket_config_id = ?3 AND event_id = ?4
                AND enrollment_id = ?5";
        let found = self.db.query_row(sql, (self.tenant, sequence, config, event, self.enrollment), |row| {
            let texts: [Option<String>; 4] = [row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?];
            Ok((row.get::<_, i64>(0)?, texts.map(Option::unwrap_or_default)))
        });
        let (id, [format, status, config, rules]) =
            found.optional()?.ok_or_else(|| BamError::not_found("Ticket"))?;
        if format != "SECURE" {
            return Err(refuse("TICKET_NOT_SECURE", "Only SECURE tickets can be sold"));
        }
        if !["issued", "activated"].contains(&status.as_str()) {
            return Err(BamError::new(
                StatusCode::CONFLICT,
                "TICKET_NOT_USABLE",
                "The ticket cannot be used",
            ));
        }
        let config: Value = serde_json::from_str(&config).unwrap_or_default();
        let face_value = Money::parse(&config["face_value"].to_string(), CURRENCY);
        let face_value = face_value.map_err(|_| refuse("NOT_FOR_SALE", "The ticket has no price"))?;
        Ok(Named { id, face_value, rules: serde_json::from_str(&rules).unwrap_or_default() })
    }

    /// The name of somebody else's account.
    fn other(&self, enrollment: &str) -> Result<String, BamError> {
        let sql = "SELECT name FROM user WHERE enrollment_id = ?1 AND enrollment_id <> ?2";
        let found = self.db.query_row(sql, [enrollment, self.enrollment], |row| row.get(0)).optional()?;
        found.ok_or_else(|| BamError::not_found("Enrollment"))
    }

    fn is_offered(&self, ticket: i64) -> rusqlite::Result<bool> {
        let sql = "SELECT 1 FROM offer WHERE tenant = ?1 AND ticket_id = ?2 AND valid_until > ?3";
        self.db.prepare_cached(sql)?.exists((self.tenant, ticket, self.app.now_s() * 1000))
    }

    /// A ticket gets another owner: it is on offer no more, and what a device was bound by counts no more.
    fn change_hands(&self, ticket: i64, recipient: &str) -> rusqlite::Result<()> {
        let place = (self.tenant, ticket);
        self.db.execute("DELETE FROM offer WHERE tenant = ?1 AND ticket_id = ?2", place)?;
        self.db.execute("UPDATE binding SET surrendered = 1 WHERE tenant = ?1 AND ticket_id = ?2", place)?;
        edit::hand_over(self.db, self.tenant, ticket, recipient, self.app.now_s())
    }

    fn record(&self, kind: &str, ticket: i64, detail: &Value) -> rusqlite::Result<()> {
        let sql = "SELECT name FROM user WHERE enrollment_id = ?1";
        let name: String = self.db.query_row(sql, [self.enrollment], |row| row.get(0))?;
        journal::record(self.db, &name, kind, &format!("{}/{ticket}", self.tenant), None, detail)
    }
}

impl Named {
    /// Whether the organizer's rules let it cost so much.
    fn may_cost(&self, price: &Money) -> Result<(), BamError> {
        if self.rules["resale_enabled"] != true || self.rules["status"] == "draft" {
            return Err(refuse("RESALE_DISABLED", "Tickets cannot be sold"));
        }
        let percentage = self.rules["price_limit_percentage"].to_string().parse().unwrap_or_default();
        let over = self.face_value.share(percentage).map_err(|_| BamError::invalid("price"))?;
        let fixed = Money::parse(&self.rules["price_limit_fixed"].to_string(), CURRENCY);
        let over = match fixed {
            Ok(fixed) if fixed.minor > 0 && over.minor > 0 => over.minor.min(fixed.minor),
            Ok(fixed) if fixed.minor > 0 => fixed.minor,
            _ => over.minor,
        };
        let is_over = price.minor > self.face_value.minor.saturating_add(over);
        if is_over { Err(refuse("PRICE_TOO_HIGH", "The price is over the limit")) } else { Ok(()) }
    }
}

fn refuse(code: &str, message: &str) -> BamError {
    BamError::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
}

/// As the order book's numbers are written.
fn major(price: &Money) -> f64 {
    price.major().parse().unwrap_or_default()
}
