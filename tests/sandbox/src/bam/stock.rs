//! Tickets that can be had: taking them out of what is available, and giving them back.

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::fields::Fields;
use crate::moment::later_than;

/// Sequence numbers of tickets that are taken stand apart from those of the season.
const FIRST_SEQUENCE: i64 = 1_000_000;

/// What tickets are wanted for: a ticket config, with sector and timeslot where its event has such.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) ticket_config_id: i64,
    pub(super) sector_id: Option<i64>,
    pub(super) timeslot_id: Option<i64>,
    pub(super) quantity: u32,
    pub(super) seats: Vec<String>,
}

/// Whose tickets they become, and how.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taker<'a> {
    pub(super) tenant: &'a str,
    pub(super) event_id: i64,
    pub(super) owner_id: i64,
    pub(super) format: &'a str,
    pub(super) by_organizer: bool,
    /// The item of the order that they are bought with.
    pub(super) order_item_id: Option<i64>,
    pub(super) now_s: i64,
}

impl Wanted {
    /// Reads an item of a body. Seats are named one by one or not at all.
    pub(super) fn read(item: &Fields<'_>) -> Result<Self, BamError> {
        let seats: Vec<_> = item.texts("selected_seats")?.into_iter().map(str::to_owned).collect();
        let quantity = item.quantity("quantity")?;
        if !seats.is_empty() && seats.len() != quantity as usize {
            return Err(item.invalid("selected_seats"));
        }
        if item.given("ticket_discount").is_some_and(|discounts| discounts != &json!([])) {
            return Err(item.invalid("ticket_discount"));
        }
        Ok(Self {
            ticket_config_id: item.id("ticket_config_id")?,
            sector_id: item.optional_id("sector_id")?,
            timeslot_id: item.optional_id("timeslot_id")?,
            quantity,
            seats,
        })
    }

    /// Checks that the item fits its event: 404 for an unknown ticket config, 422 for one of another event and for a
    /// sector or timeslot that does not belong to it, or is missing.
    pub(super) fn check(
        &self,
        db: &Connection,
        taker: &Taker<'_>,
        item: &Fields<'_>,
    ) -> Result<(), BamError> {
        let event = event_of(db, taker.tenant, self.ticket_config_id)?;
        if event.ok_or_else(|| BamError::not_found("Ticket config"))? != taker.event_id {
            return Err(item.invalid("ticket_config_id"));
        }
        for (table, name, id) in
            [("sector", "sector_id", self.sector_id), ("timeslot", "timeslot_id", self.timeslot_id)]
        {
            if !fits(db, taker, table, id)? {
                return Err(item.invalid(name));
            }
        }
        Ok(())
    }

    /// Checks that the config is on sale to the taker: 409 outside its sale, and beyond what one user may have.
    pub(super) fn check_sale(&self, db: &Connection, taker: &Taker<'_>) -> Result<(), BamError> {
        let (on_sale, may_have): (bool, bool) = db.query_row(
            "SELECT body ->> '$.event.status' = 'published'
                    AND unixepoch(body ->> '$.start_sale_at') <= ?3 AND unixepoch(body ->> '$.end_sale_at') > ?3,
                body ->> '$.tickets_per_user' >= ?4 + (SELECT count(*) FROM ticket
                    WHERE ticket.tenant = ?1 AND ticket_config_id = ?2 AND owner_id = ?5)
                FROM ticket_config WHERE tenant = ?1 AND id = ?2",
            (taker.tenant, self.ticket_config_id, taker.now_s, self.quantity, taker.owner_id),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        match (on_sale, may_have) {
            (true, true) => Ok(()),
            (false, _) => {
                Err(BamError::new(StatusCode::CONFLICT, "NOT_ON_SALE", "The tickets are not on sale"))
            }
            _ => Err(BamError::new(
                StatusCode::CONFLICT,
                "TOO_MANY_TICKETS",
                "More tickets than a user may have",
            )),
        }
    }

    /// Takes the tickets and tells their ids: 409 when there are not enough.
    pub(super) fn take(&self, db: &Connection, taker: &Taker<'_>) -> Result<Vec<i64>, BamError> {
        if self.left(db, taker)? < i64::from(self.quantity) {
            return Err(BamError::new(StatusCode::CONFLICT, "SOLD_OUT", "Not enough tickets available"));
        }
        let mut ids = Vec::new();
        for number in 0..self.quantity as usize {
            let id = self.take_one(db, taker, self.seats.get(number))?;
            move_stock(db, taker.tenant, self.ticket_config_id, self.sector_id, -1)?;
            ids.push(id);
        }
        Ok(ids)
    }

    /// How many can be had at most.
    fn left(&self, db: &Connection, taker: &Taker<'_>) -> rusqlite::Result<i64> {
        db.query_row(
            "SELECT min(
                (SELECT json_extract(body, '$.available_tickets') FROM ticket_config
                    WHERE tenant = ?1 AND id = ?2),
                ifnull((SELECT json_extract(body, '$.available_tickets') FROM sector
                    WHERE tenant = ?1 AND id = ?3), ?5),
                ifnull((SELECT json_extract(body, '$.capacity') FROM timeslot WHERE tenant = ?1 AND id = ?4)
                    - (SELECT count(*) FROM ticket
                        WHERE tenant = ?1 AND timeslot_id = ?4 AND owner_id IS NOT NULL), ?5))",
            (taker.tenant, self.ticket_config_id, self.sector_id, self.timeslot_id, i64::MAX),
            |row| row.get(0),
        )
    }

    /// A ticket that was given back before is taken first.
    fn take_one(&self, db: &Connection, taker: &Taker<'_>, seat: Option<&String>) -> rusqlite::Result<i64> {
        let sql = "SELECT id FROM ticket
            WHERE tenant = ?1 AND ticket_config_id = ?2 AND status = 'available' ORDER BY id LIMIT 1";
        let free = db.query_row(sql, (taker.tenant, self.ticket_config_id), |row| row.get(0)).optional()?;
        let id = free.map_or_else(|| self.create(db, taker), Ok)?;
        db.execute(
            "UPDATE ticket SET owner_id = user.id, status = 'reserved', format = ?3, sector_id = ?4,
                timeslot_id = ?5, seat_id = ?6, by_organizer = ?7, updated_at = ?8, order_item_id = ?10,
                holder = json_object('id', ticket.id, 'email', user.name),
                holder_response = NULL, holder_updated_at = NULL
            FROM user WHERE ticket.tenant = ?1 AND ticket.id = ?2 AND user.id = ?9",
            (
                taker.tenant,
                id,
                taker.format,
                self.sector_id,
                self.timeslot_id,
                seat,
                taker.by_organizer,
                later_than(&updated_at(db, taker.tenant, id)?, taker.now_s),
                taker.owner_id,
                taker.order_item_id,
            ),
        )?;
        Ok(id)
    }

    /// A new ticket that nobody has, with an id that none had before.
    fn create(&self, db: &Connection, taker: &Taker<'_>) -> rusqlite::Result<i64> {
        db.query_row(
            "WITH fresh AS (SELECT 1 + max(
                (SELECT coalesce(max(ticket_id), 0) FROM change WHERE tenant = ?1),
                (SELECT coalesce(max(id), 0) FROM ticket WHERE tenant = ?1)) AS id)
            INSERT INTO ticket (tenant, id, ticket_config_id, seq_num, status, kyc_status, format,
                blockchain_id, holder, updated_at)
            SELECT ?1, id, ?2, ?3 + id, 'available', 'not_required', ?4,
                format('E%dTC%dT%d', ?5, ?2, ?3 + id), '{}', ?6 FROM fresh RETURNING id",
            (
                taker.tenant,
                self.ticket_config_id,
                FIRST_SEQUENCE,
                taker.format,
                taker.event_id,
                later_than("", taker.now_s),
            ),
            |row| row.get(0),
        )
    }
}

/// Takes a ticket from its owner and makes it available again.
pub(super) fn give_back(db: &Connection, tenant: &str, ticket_id: i64, now_s: i64) -> rusqlite::Result<()> {
    let moment = later_than(&updated_at(db, tenant, ticket_id)?, now_s);
    let (config, sector) = db.query_row(
        "SELECT ticket_config_id, sector_id FROM ticket WHERE tenant = ?1 AND id = ?2",
        (tenant, ticket_id),
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    db.execute(
        "UPDATE ticket SET owner_id = NULL, status = 'available', by_organizer = 0, order_item_id = NULL, updated_at = ?3
            WHERE tenant = ?1 AND id = ?2",
        (tenant, ticket_id, moment),
    )?;
    move_stock(db, tenant, config, sector, 1)
}

/// Counts tickets of a config, and of a sector, as available (or no more, below 0).
fn move_stock(
    db: &Connection,
    tenant: &str,
    config: i64,
    sector: Option<i64>,
    by: i64,
) -> rusqlite::Result<()> {
    let available = "'$.available_tickets', json_extract(body, '$.available_tickets') + ?3";
    db.prepare_cached(&format!(
        "UPDATE ticket_config SET body = json_set(body, {available}) WHERE tenant = ?1 AND id = ?2"
    ))?
    .execute((tenant, config, by))?;
    db.prepare_cached(&format!(
        "UPDATE sector SET body = json_set(body, {available},
            '$.reserved_tickets', json_extract(body, '$.reserved_tickets') - ?3)
            WHERE tenant = ?1 AND id = ?2"
    ))?
    .execute((tenant, sector, by))?;
    Ok(())
}

fn updated_at(db: &Connection, tenant: &str, ticket_id: i64) -> rusqlite::Result<String> {
    let sql = "SELECT updated_at FROM ticket WHERE tenant = ?1 AND id = ?2";
    db.query_row(sql, (tenant, ticket_id), |row| row.get(0))
}

/// The event of a ticket config.
pub(super) fn event_of(db: &Connection, tenant: &str, config: i64) -> rusqlite::Result<Option<i64>> {
    let sql = "SELECT event_id FROM ticket_config WHERE tenant = ?1 AND id = ?2";
    db.query_row(sql, (tenant, config), |row| row.get(0)).optional()
}

/// Whether an id is one of the event's sectors or timeslots; none is right where the event has none.
fn fits(db: &Connection, taker: &Taker<'_>, table: &str, id: Option<i64>) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT CASE WHEN ?3 IS NULL THEN count(*) = 0 ELSE ifnull(max(id = ?3), 0) END FROM {table}
            WHERE tenant = ?1 AND event_id = ?2"
    );
    db.query_row(&sql, (taker.tenant, taker.event_id, id), |row| row.get(0))
}

/// A ticket that was taken, as its reply tells it: with the ids of what it is for.
pub(super) fn with_ids(db: &Connection, tenant: &str, mut ticket: Value) -> rusqlite::Result<Value> {
    let sql = "SELECT ticket_config_id, sector_id, timeslot_id FROM ticket WHERE tenant = ?1 AND id = ?2";
    let ids: (i64, Option<i64>, Option<i64>) = db
        .query_row(sql, (tenant, ticket["id"].as_i64()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    ticket["ticket_config_id"] = json!(ids.0);
    ticket["sector_id"] = json!(ids.1);
    ticket["timeslot_id"] = json!(ids.2);
    Ok(ticket)
}
