//! The maintenance job: it makes tickets inactive that are over. It runs by the sandbox's clock, at the next request.
//!
//! Tickets with an `ends_at` are looked at every quarter of an hour, the others at 00:00 of the day after their
//! `starts_at`.

use chrono_tz::Tz;
use rusqlite::{Connection, Row};
use serde_json::json;

use super::choices::UnidyChoices;
use super::error::UnidyError;
use super::local_time::{date, midnight_ms, next_midnight_ms, stamp};
use super::record::Record;
use super::ticket;
use crate::app::App;

/// Runs what of the job has come due since it ran last.
pub(crate) fn run(app: &App) -> Result<(), UnidyError> {
    let now_ms = app.now_s().saturating_mul(1000);
    if now_ms <= app.unidy.maintained_ms() {
        return Ok(());
    }
    let choices = app.unidy.choices();
    app.db.write(|db| {
        let last_ms = app.unidy.maintained_ms();
        if now_ms <= last_ms {
            return Ok(());
        }
        if choices.maintenance {
            Run { db, choices: &choices, zone: choices.zone(), last_ms, now_ms }.all()?;
        }
        app.unidy.set_maintained_ms(now_ms);
        Ok(())
    })
}

struct Run<'a> {
    db: &'a Connection,
    choices: &'a UnidyChoices,
    zone: Tz,
    last_ms: i64,
    now_ms: i64,
}

/// A ticket that may be over.
struct Candidate {
    brand: String,
    starts_at: i64,
    ends_at: Option<i64>,
    document: bool,
    body: String,
}

impl Run<'_> {
    fn all(&self) -> Result<(), UnidyError> {
        let raster_ms = i64::from(self.choices.raster_minutes.max(1)) * 60_000;
        let tick = self.now_ms - self.now_ms.rem_euclid(raster_ms);
        if tick > self.last_ms {
            let over = self.candidates("ends_at <= ?1", tick)?;
            for ticket in over {
                let end = ticket.ends_at.unwrap_or_default();
                let first = (self.last_ms - self.last_ms.rem_euclid(raster_ms)) + raster_ms;
                let due = end + (raster_ms - end.rem_euclid(raster_ms)) % raster_ms;
                self.end(&ticket, due.max(first))?;
            }
        }
        let midnight = midnight_ms(date(self.now_ms, self.zone), self.zone);
        if midnight > self.last_ms {
            let open = self.candidates("ends_at IS NULL AND starts_at < ?1", midnight)?;
            for ticket in open {
                let due = next_midnight_ms(ticket.starts_at, self.zone);
                if due <= midnight {
                    self.end(&ticket, due.max(next_midnight_ms(self.last_ms, self.zone)))?;
                }
            }
        }
        Ok(())
    }

    fn candidates(&self, condition: &str, moment_ms: i64) -> rusqlite::Result<Vec<Candidate>> {
        let states = if self.choices.passive_expires { "('active', 'passive')" } else { "('active')" };
        let sql = format!(
            "SELECT brand, starts_at, ends_at, document, body FROM unidy_ticket
                WHERE state IN {states} AND {condition}"
        );
        self.db.prepare_cached(&sql)?.query_map([moment_ms], Candidate::read)?.collect()
    }

    fn end(&self, ticket: &Candidate, at_ms: i64) -> Result<(), UnidyError> {
        let mut record = Record::read(&ticket.body)?;
        record.set("state", &json!("inactive"))?;
        record.set("updated_at", &json!(stamp(at_ms, self.zone)))?;
        ticket::replace(self.db, &ticket.brand, &record, ticket.document)
    }
}

impl Candidate {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            brand: row.get(0)?,
            starts_at: row.get(1)?,
            ends_at: row.get(2)?,
            document: row.get(3)?,
            body: row.get(4)?,
        })
    }
}
