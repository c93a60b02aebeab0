//! What the brands have at the start: users, categories and tickets.
//!
//! Every user of every brand gets each ticket of `tickets.json`, which between them hold every form that a ticket may
//! have, and plain ones as many as are asked for. The first user of the first brand also has the document's own.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc, Weekday};
use chrono_tz::Tz;
use rusqlite::{Connection, Transaction};
use serde::Deserialize;
use serde_json::{Value, json};

use super::BRANDS;
use super::error::UnidyError;
use super::local_time::{local_ms, stamp};
use super::oauth::client;
use super::record::Record;
use super::ticket::{replace, replace_text};
use crate::app::App;
use crate::seeded;

/// The ticket of Unidy's integration guide, word for word.
pub(crate) const DOCUMENT_TICKET: &str = include_str!("seed_ticket.json");
const TICKETS: &str = include_str!("tickets.json");
const CATEGORIES: &str = include_str!("categories.json");

/// The members that hold times.
const TIMES: [&str; 4] = ["starts_at", "ends_at", "created_at", "updated_at"];
const PLAIN_TITLES: [&str; 4] = ["Heimspiel", "Gastspiel", "Freundschaftsspiel", "Pokalabend"];

#[derive(Deserialize)]
struct Template {
    category: String,
    ticket: Record,
}

#[derive(Deserialize)]
struct Category {
    key: String,
    service_id: Option<u32>,
    currency: Option<String>,
    title: String,
    text: Option<String>,
    button_cta_url: Option<String>,
}

/// What the season of all brands is laid out by.
pub(crate) struct Season<'a> {
    pub(crate) users: &'a [String],
    pub(crate) seed: u64,
    pub(crate) tickets_per_user: usize,
    pub(crate) now: DateTime<Utc>,
    pub(crate) zone: Tz,
}

/// Fills the empty tables; users of these names are there, with ids from 1.
pub(crate) fn fill(db: &Transaction<'_>, season: &Season<'_>) -> Result<(), UnidyError> {
    let document = Record::read(DOCUMENT_TICKET)?;
    let templates: Vec<Template> = serde_json::from_str(TICKETS)?;
    let categories: Vec<Category> = serde_json::from_str(CATEGORIES)?;
    for brand in BRANDS {
        let brand = BrandPlan { db, season, document: &document, brand };
        client::fill(db, season.seed, brand.brand)?;
        brand.categories(&categories)?;
        for (index, user) in season.users.iter().enumerate() {
            brand.user(index, user, &templates)?;
        }
    }
    Ok(())
}

/// Registers the texts of all codes that the brands' tickets hold.
pub(crate) fn give_out_codes(app: &App) -> rusqlite::Result<()> {
    let codes: Vec<String> = app.db.read(|db| {
        db.prepare(
            "SELECT json_extract(body, '$.wallet_export.qr_code') FROM unidy_ticket
                WHERE json_type(body, '$.wallet_export.qr_code') = 'text'
            UNION SELECT json_extract(body, '$.metadata.barcode') FROM unidy_ticket
                WHERE json_type(body, '$.metadata.barcode') = 'text'",
        )?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()
    })?;
    codes.iter().for_each(|code| app.give_out(code));
    Ok(())
}

struct BrandPlan<'a> {
    db: &'a Connection,
    season: &'a Season<'a>,
    document: &'a Record,
    brand: &'a str,
}

impl BrandPlan<'_> {
    /// Whether the document's own ticket belongs to this user of the brand.
    fn has_document(&self, user: usize) -> bool {
        user == 0 && self.brand == BRANDS[0]
    }

    fn unidy_id(&self, index: usize, user: &str) -> String {
        let seeded = || seeded::uuid(self.season.seed, &format!("unidy user {} {user}", self.brand));
        self.document.text("user_id").filter(|_| self.has_document(index)).unwrap_or_else(seeded)
    }

    /// The document's category is the first brand's season tickets.
    fn category_id(&self, key: &str) -> String {
        let seeded = || seeded::uuid(self.season.seed, &format!("unidy category {} {key}", self.brand));
        let of_document = key == "season" && self.brand == BRANDS[0];
        self.document.text("ticket_category_id").filter(|_| of_document).unwrap_or_else(seeded)
    }

    fn categories(&self, categories: &[Category]) -> rusqlite::Result<()> {
        for category in categories {
            let id = self.category_id(&category.key);
            let created = self.time(self.season.now - TimeDelta::days(90));
            let body = json!({
                "id": id,
                "title": category.title,
                "text": category.text,
                "currency": category.currency,
                "button_cta_url": category.button_cta_url,
                "created_at": created,
                "updated_at": created,
            });
            self.db.execute(
                "INSERT INTO unidy_category (brand, id, service_id, body) VALUES (?1, ?2, ?3, ?4)",
                (self.brand, id, category.service_id, body.to_string()),
            )?;
        }
        Ok(())
    }

    fn user(&self, index: usize, user: &str, templates: &[Template]) -> Result<(), UnidyError> {
        let unidy_id = self.unidy_id(index, user);
        self.db.execute(
            "INSERT INTO unidy_user (brand, user_id, unidy_id, account)
                SELECT ?1, id, ?3, 'active' FROM user WHERE name = ?2",
            (self.brand, user, &unidy_id),
        )?;
        if self.has_document(index) {
            replace_text(self.db, self.brand, DOCUMENT_TICKET, true)?;
        }
        let plain =
            (0..self.plain_count()).map(|number| self.plain(number)).collect::<Result<Vec<_>, _>>()?;
        for (number, template) in templates.iter().chain(&plain).enumerate() {
            let record = self.ticket(user, &unidy_id, number, template)?;
            replace(self.db, self.brand, &record, false)?;
        }
        Ok(())
    }

    /// This brand's share of the tickets that each user is to have.
    fn plain_count(&self) -> usize {
        let position = BRANDS.iter().position(|brand| *brand == self.brand).unwrap_or_default();
        (self.season.tickets_per_user + BRANDS.len() - 1 - position) / BRANDS.len()
    }

    fn plain(&self, number: usize) -> serde_json::Result<Template> {
        let title = PLAIN_TITLES[number % PLAIN_TITLES.len()];
        let day = 2 + number % 60;
        let ticket = json!({
            "title": format!("{title} {}", number + 1),
            "text": null,
            "reference": format!("{}-{:06}", self.brand.to_uppercase(), number + 1),
            "metadata": {"seat": {"row": (number / 30 + 1).to_string(), "seat": (number % 30 + 1).to_string()}},
            "wallet_export": null,
            "state": "active",
            "payment_state": "paid",
            "button_cta_url": null,
            "info_banner": null,
            "seating": format!("Reihe {}, Platz {}", number / 30 + 1, number % 30 + 1),
            "venue": "Hafenstadion Nordhafen",
            "currency": "EUR",
            "starts_at": format!("+{day} 18:30"),
            "ends_at": format!("+{day} 20:30"),
            "price": 22.5,
            "exportable_to_wallet": true,
        });
        let ticket = Record::read(&ticket.to_string())?;
        Ok(Template { category: "matches".to_owned(), ticket })
    }

    /// A template with its id, its owner and its times filled in. Later ones were created later.
    fn ticket(
        &self,
        user: &str,
        unidy_id: &str,
        number: usize,
        template: &Template,
    ) -> serde_json::Result<Record> {
        let label = format!("unidy ticket {} {user} {number}", self.brand);
        let minutes = i64::try_from(number).unwrap_or_default();
        let created = self.time(self.season.now - TimeDelta::days(30) + TimeDelta::minutes(minutes));
        let mut record = Record::default();
        record.set("id", &json!(seeded::uuid(self.season.seed, &label)))?;
        for (name, raw) in template.ticket.members().filter(|(name, _)| *name != "price") {
            match template.ticket.value(name) {
                Value::String(when) if TIMES.contains(&name) => record.set(name, &json!(self.when(&when)))?,
                _ => record.set_raw(name, raw.to_owned()),
            }
        }
        record.set("created_at", &json!(created))?;
        record.set("updated_at", &json!(created))?;
        if let Some(price) = template.ticket.raw("price") {
            record.set_raw("price", price.to_owned());
        }
        record.set("user_id", &json!(unidy_id))?;
        record.set("ticket_category_id", &json!(self.category_id(&template.category)))?;
        Ok(record)
    }

    fn time(&self, moment: DateTime<Utc>) -> String {
        stamp(moment.timestamp_millis(), self.season.zone)
    }

    /// What a template says about a time: `+days hh:mm`, `in seconds`, `spring hh:mm` or `autumn hh:mm [later]` for the
    /// next days on which Europe's clocks change; anything else stands for itself.
    fn when(&self, text: &str) -> String {
        let (zone, today) = (self.season.zone, self.season.now.with_timezone(&self.season.zone).date_naive());
        let mut words = text.split(' ');
        let (first, second, later) = (words.next(), words.next(), words.next().is_some());
        let (Some(first), Some(second)) = (first, second) else { return text.to_owned() };
        let day = match first {
            "in" => {
                let seconds = TimeDelta::seconds(second.parse().unwrap_or_default());
                return self.time(self.season.now + seconds);
            }
            "spring" => next_change(today, 3),
            "autumn" => next_change(today, 10),
            days => today + TimeDelta::days(days.parse().unwrap_or_default()),
        };
        let time = NaiveTime::parse_from_str(second, "%H:%M").unwrap_or_default();
        stamp(local_ms(NaiveDateTime::new(day, time), zone, later), zone)
    }
}

/// The next last Sunday of a month, later than `after`.
fn next_change(after: NaiveDate, month: u32) -> NaiveDate {
    let of_year = |year| {
        let last = NaiveDate::from_ymd_opt(year, month, 31).unwrap_or(after);
        let back = Days::new(last.weekday().days_since(Weekday::Sun).into());
        last.checked_sub_days(back).unwrap_or(last)
    };
    let this_year = of_year(after.year());
    if this_year > after { this_year } else { of_year(after.year() + 1) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn clocks_change_on_the_last_sunday() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(next_change(day("2027-01-15"), 3), day("2027-03-28"));
        assert_eq!(next_change(day("2027-03-28"), 3), day("2028-03-26"));
        assert_eq!(next_change(day("2027-01-15"), 10), day("2027-10-31"));
    }
}
