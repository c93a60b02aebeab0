//! Entries as they are taken and served.

use chrono::{DateTime, SecondsFormat};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::choices::{PriceText, TexpoChoices, Timestamps};
use super::reply::Failure;
use super::state::{Entry, NETWORK, Purchased, user_id};
use crate::unidy::record::Record;

/// The documented members.
const MEMBERS: [&str; 11] = [
    "productId",
    "eventName",
    "eventStartDate",
    "eventEndDate",
    "ticketType",
    "ticketName",
    "ticketDescription",
    "price",
    "thumbnailId",
    "discount",
    "grants",
];
const TIMES: [&str; 2] = ["eventStartDate", "eventEndDate"];
const FIRST_MILLISECONDS: i64 = 100_000_000_000;

/// Reads what was sent as an entry.
pub(crate) fn read(ticket: &RawValue, choices: &TexpoChoices) -> Result<(String, Record), Failure> {
    let mut record = Record::read(ticket.get())?;
    let product_id = record.text("productId").filter(|id| !id.is_empty());
    let product_id = product_id.ok_or_else(|| Failure::unreadable("productId is required"))?;
    let names: Vec<_> = record.members().map(|(name, _)| name.to_owned()).collect();
    for name in names.iter().filter(|name| !MEMBERS.contains(&name.as_str()) && !choices.keeps_unknown) {
        record.remove(name);
    }
    for name in TIMES {
        match record.value(name) {
            Value::Null => {}
            value if is_time(&value, choices.timestamps) => {}
            _ => return Err(Failure::unreadable("timestamp in another encoding")),
        }
    }
    match record.value("price") {
        Value::Null => {}
        Value::Number(price) if price.as_f64().is_some_and(|price| price >= 0.0) => {}
        _ => return Err(Failure::unreadable("price must be a number of 0 at least")),
    }
    Ok((product_id, record))
}

/// An entry in the forms that are switched on.
pub(crate) fn served(entry: &Entry, choices: &TexpoChoices) -> Result<String, Failure> {
    Ok(serde_json::to_string(&shaped(&entry.body, choices)?)?)
}

/// A purchased ticket in the forms that are switched on.
pub(crate) fn purchased(ticket: &Purchased, choices: &TexpoChoices) -> Result<String, Failure> {
    let mut record = Record::default();
    record.set("ticketId", &json!(ticket.ticket_id))?;
    record.set("userId", &json!(user_id(&ticket.user)))?;
    record.set("purchaseDate", &time(ticket.bought_at_s, choices.timestamps))?;
    for (name, raw) in shaped(&ticket.body, choices)?.members() {
        record.set_raw(name, raw.to_owned());
    }
    Ok(serde_json::to_string(&record)?)
}

fn shaped(body: &str, choices: &TexpoChoices) -> Result<Record, Failure> {
    let mut record = Record::read(body)?;
    for name in TIMES {
        if let Some(unix_s) = seconds(&record.value(name)) {
            record.set(name, &time(unix_s, choices.timestamps))?;
        }
    }
    if let Some(number) = record.raw("price").map(|price| price.get().to_owned())
        && let Ok(double) = number.parse::<f64>()
    {
        let text = match choices.price {
            PriceText::AsSent => number,
            PriceText::Double => double.to_string(),
            PriceText::AllDigits => all_digits(double),
            PriceText::Text => json!(number).to_string(),
        };
        record.set_raw("price", RawValue::from_string(text)?);
    }
    if choices.adds_members {
        record.set("networkId", &json!(NETWORK))?;
        record.set_raw("revision", RawValue::from_string("12345678901234567890123".to_owned())?);
    }
    Ok(record)
}

/// 17 significant digits.
fn all_digits(double: f64) -> String {
    let before_the_point = double.abs().max(1.0).log10().floor();
    let places = (16.0 - before_the_point).clamp(0.0, 16.0);
    format!("{double:.*}", places as usize)
}

fn time(unix_s: i64, form: Timestamps) -> Value {
    match form {
        Timestamps::UnixSeconds => json!(unix_s),
        Timestamps::UnixMilliseconds => json!(unix_s.saturating_mul(1000)),
        Timestamps::Iso => {
            let time = DateTime::from_timestamp(unix_s, 0).unwrap_or_default();
            json!(time.to_rfc3339_opts(SecondsFormat::Millis, true))
        }
    }
}

fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => {
            let number = number.as_i64()?;
            Some(if number.abs() < FIRST_MILLISECONDS { number } else { number.div_euclid(1000) })
        }
        Value::String(text) => DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp()),
        _ => None,
    }
}

fn is_time(value: &Value, form: Timestamps) -> bool {
    match form {
        Timestamps::UnixSeconds => value.as_i64().is_some_and(|number| number.abs() < FIRST_MILLISECONDS),
        Timestamps::UnixMilliseconds => {
            value.as_i64().is_some_and(|number| number.abs() >= FIRST_MILLISECONDS)
        }
        Timestamps::Iso => value.as_str().is_some_and(|text| DateTime::parse_from_rfc3339(text).is_ok()),
    }
}
