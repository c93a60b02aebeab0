//! What a partner writes about a ticket, and what is wrong with it.

use axum::body::Bytes;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Map, Value, json};

use crate::unidy::body;
use crate::unidy::caller::Site;
use crate::unidy::error::UnidyError;
use crate::unidy::local_time::{moment_ms, stamp};
use crate::unidy::record::Record;

/// The members that can be written, in the order of the document's ticket.
pub(super) const MEMBERS: [&str; 17] = [
    "title",
    "text",
    "reference",
    "metadata",
    "wallet_export",
    "state",
    "payment_state",
    "button_cta_url",
    "info_banner",
    "seating",
    "venue",
    "currency",
    "starts_at",
    "ends_at",
    "price",
    "user_id",
    "ticket_category_id",
];

/// The members that a ticket cannot be without.
const REQUIRED: [&str; 5] = ["title", "reference", "starts_at", "user_id", "ticket_category_id"];
const STATES: [&str; 3] = ["active", "passive", "inactive"];
/// Prices have eight digits, two of them decimals.
const PRICE_LIMIT: f64 = 1_000_000.0;

/// The members that were sent; the ones nobody knows are left out, as are those that the server sets itself.
pub(super) struct Input {
    members: Map<String, Value>,
    record: Record,
}

impl Input {
    /// Reads a ticket, or an object whose only member `ticket` is one.
    pub(super) fn read(bytes: &Bytes) -> Result<Self, UnidyError> {
        let mut members = body::object(bytes)?;
        let mut record: Record = serde_json::from_slice(bytes).unwrap_or_default();
        if let Some(Value::Object(inner)) = members.get("ticket").filter(|_| members.len() == 1) {
            record = record.raw("ticket").and_then(|it| Record::read(it.get()).ok()).unwrap_or_default();
            members = inner.clone();
        }
        members.retain(|name, _| MEMBERS.contains(&name.as_str()));
        Ok(Self { members, record })
    }

    /// The members.
    pub(super) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Writes the members into a record, `new` or not; all that are wrong are told at once.
    pub(super) fn apply(
        &self,
        site: &Site,
        db: &Connection,
        record: &mut Record,
        new: bool,
    ) -> Result<(), UnidyError> {
        let mut wrong = Vec::new();
        for name in MEMBERS {
            match self.members.get(name) {
                Some(value) => match checked(site, db, name, value)? {
                    Ok(Some(value)) => record.set(name, &value)?,
                    Ok(None) => self.record.raw(name).into_iter().for_each(|raw| {
                        record.set_raw(name, raw.to_owned());
                    }),
                    Err(words) => wrong.push((name.to_owned(), words.to_owned())),
                },
                None if new && REQUIRED.contains(&name) && record.value(name).is_null() => {
                    wrong.push((name.to_owned(), "can't be blank".to_owned()));
                }
                None => {}
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(UnidyError::fields(wrong)) }
    }
}

/// What to keep of a member: another value, `None` for what was sent, or words about what is wrong.
type Checked = Result<Option<Value>, &'static str>;

fn checked(site: &Site, db: &Connection, name: &str, value: &Value) -> Result<Checked, UnidyError> {
    let blank = value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    if blank && REQUIRED.contains(&name) {
        return Ok(Err("can't be blank"));
    }
    Ok(match name {
        "metadata" | "wallet_export" => Ok(None),
        "state" => match value.as_str() {
            Some(state) if STATES.contains(&state) => Ok(None),
            _ => Err("is not included in the list"),
        },
        "price" => price(value),
        "starts_at" | "ends_at" => time(site, value),
        "user_id" | "ticket_category_id" => exists(site, db, name, value)?,
        "currency" if value.as_str().is_some_and(|it| it.len() != 3) => Err("is the wrong length"),
        _ if value.is_null() || value.is_string() => Ok(None),
        _ => Err("must be a string"),
    })
}

/// A price is a number or a string that holds one, rounded to two decimals.
fn price(value: &Value) -> Checked {
    let number = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        value => value.as_f64(),
    };
    match number.filter(|number| number.is_finite()) {
        None => Err("is not a number"),
        Some(number) if number.abs() >= PRICE_LIMIT => Err("must be less than 1000000"),
        Some(number) => Ok(Some(json!((number * 100.0).round() / 100.0))),
    }
}

/// A time is kept in the tenant's zone.
fn time(site: &Site, value: &Value) -> Checked {
    if value.is_null() {
        return Ok(None);
    }
    let moment = value.as_str().and_then(moment_ms);
    moment.map(|moment| Some(json!(stamp(moment, site.choices.zone())))).ok_or("is not a valid time")
}

fn exists(site: &Site, db: &Connection, name: &str, value: &Value) -> Result<Checked, UnidyError> {
    let id = value.as_str().unwrap_or_default();
    let found = if name == "user_id" {
        site.by_unidy_id(db, id)?.is_some()
    } else {
        let sql = "SELECT 1 FROM unidy_category WHERE brand = ?1 AND id = ?2";
        db.query_row(sql, (&site.brand.name, id), |_| Ok(())).optional()?.is_some()
    };
    Ok(if found { Ok(None) } else { Err("must exist") })
}
