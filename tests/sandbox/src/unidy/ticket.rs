//! Tickets: how they are kept, and how they are served.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use rusqlite::{Connection, OptionalExtension};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::caller::Holder;
use super::choices::{PriceForm, UnidyChoices};
use super::error::UnidyError;
use super::local_time::moment_ms;
use super::record::Record;
use crate::app::App;

/// A ticket of a brand as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) user_id: i64,
    /// Its JSON as it stands.
    pub(crate) body: String,
    pub(crate) document: bool,
}

impl Stored {
    /// The ticket as the brand serves it.
    pub(crate) fn served(&self, choices: &UnidyChoices) -> Result<Box<RawValue>, UnidyError> {
        served(&self.body, self.document, choices)
    }

    /// Its members.
    pub(crate) fn record(&self) -> Result<Record, UnidyError> {
        Ok(Record::read(&self.body)?)
    }
}

/// A ticket's JSON in the forms that are switched on; the document's own ticket is served as it stands.
pub(crate) fn served(
    body: &str,
    document: bool,
    choices: &UnidyChoices,
) -> Result<Box<RawValue>, UnidyError> {
    if document {
        return Ok(RawValue::from_string(body.to_owned())?);
    }
    let mut record = Record::read(body)?;
    if !choices.exportable_to_wallet {
        record.remove("exportable_to_wallet");
    }
    match (choices.price, record.raw("price").map(RawValue::get)) {
        (PriceForm::Null, _) => record.set("price", &Value::Null)?,
        (PriceForm::String, Some(number)) if number != "null" => {
            let price = two_decimals(number);
            record.set("price", &json!(price))?;
        }
        _ => {}
    }
    Ok(to_raw_value(&record)?)
}

/// A JSON number with two decimals.
fn two_decimals(number: &str) -> String {
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if decimals.len() <= 2 && number.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'-' | b'.')) {
        return format!("{whole}.{decimals:0<2}");
    }
    number.parse::<f64>().map_or_else(|_| number.to_owned(), |price| format!("{price:.2}"))
}

/// A ticket of a brand by its id; the document's own only while it is switched on.
pub(crate) fn find(
    db: &Connection,
    brand: &str,
    id: &str,
    choices: &UnidyChoices,
) -> Result<Option<Stored>, UnidyError> {
    let found: Option<(i64, bool, String)> = db
        .prepare_cached("SELECT user_id, document, body FROM unidy_ticket WHERE brand = ?1 AND id = ?2")?
        .query_row((brand, id), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((user_id, document, body)) = found else { return Ok(None) };
    if document && !choices.document_ticket {
        return Ok(None);
    }
    Ok(Some(Stored { user_id, body, document }))
}

/// All tickets of a user as the brand serves them, in the order of their ids.
pub(crate) fn of_user(
    db: &Connection,
    brand: &str,
    user: &str,
    choices: &UnidyChoices,
) -> Result<Vec<String>, UnidyError> {
    let mut statement = db.prepare_cached(
        "SELECT document, body FROM unidy_ticket
            WHERE brand = ?1 AND user_id = (SELECT id FROM user WHERE name = ?2) AND (?3 OR NOT document)
            ORDER BY id",
    )?;
    let rows =
        statement.query_map((brand, user, choices.document_ticket), |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.map(|row| {
        let (document, body): (bool, String) = row?;
        Ok(served(&body, document, choices)?.get().to_owned())
    })
    .collect()
}

/// Adds a ticket, or puts new JSON in the place of the old. Its owner and category are the ones it names.
pub(crate) fn replace(
    db: &Connection,
    brand: &str,
    record: &Record,
    document: bool,
) -> Result<(), UnidyError> {
    replace_text(db, brand, &serde_json::to_string(record)?, document)
}

/// The same with the text that is to be kept.
pub(crate) fn replace_text(
    db: &Connection,
    brand: &str,
    body: &str,
    document: bool,
) -> Result<(), UnidyError> {
    let record = Record::read(body)?;
    let text = |name: &str| record.text(name).unwrap_or_default();
    let time = |name: &str| record.text(name).and_then(|text| moment_ms(&text));
    db.prepare_cached(
        "INSERT OR REPLACE INTO unidy_ticket (brand, id, user_id, category_id, state, payment_state, reference,
                starts_at, ends_at, created_at, document, body)
            SELECT ?1, ?2, user_id, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12
            FROM unidy_user WHERE brand = ?1 AND unidy_id = ?3",
    )?
    .execute((
        brand,
        text("id"),
        text("user_id"),
        text("ticket_category_id"),
        text("state"),
        record.text("payment_state"),
        text("reference"),
        time("starts_at").unwrap_or_default(),
        time("ends_at"),
        time("created_at").unwrap_or_default(),
        document,
        body,
    ))?;
    Ok(())
}

/// Takes a ticket out. Returns whether there was one.
pub(crate) fn delete(db: &Connection, brand: &str, id: &str) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM unidy_ticket WHERE brand = ?1 AND id = ?2";
    db.execute(sql, (brand, id)).map(|count| count > 0)
}

/// The caller's ticket of this id, or 404.
pub(crate) fn own(app: &App, holder: &Holder, id: &str) -> Result<Stored, UnidyError> {
    let site = &holder.site;
    let found = app.db.read(|db| find(db, &site.brand.name, id, &site.choices))?;
    found.filter(|ticket| ticket.user_id == holder.user.id).ok_or_else(UnidyError::not_found)
}

/// `GET /api/sdk/v1/tickets/{id}`
pub(super) async fn by_id(
    holder: Holder,
    Path((_, id)): Path<(String, String)>,
) -> Result<Json<Box<RawValue>>, UnidyError> {
    let app = Arc::clone(&holder.site.app);
    Ok(Json(own(&app, &holder, &id)?.served(&holder.site.choices)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_get_two_decimals() {
        for (number, price) in
            [("64", "64.00"), ("34.5", "34.50"), ("0.01", "0.01"), ("-5.0", "-5.00"), ("1e2", "100.00")]
        {
            assert_eq!(two_decimals(number), price);
        }
    }
}
