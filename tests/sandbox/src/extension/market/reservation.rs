//! Reservations: listings that wait for their buyer's payment, and sales that come of them.

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};

use super::super::binding::Binding;
use super::super::ticket::Ticket;
use super::super::transfer::rfc3339;
use super::super::write::Call;
use super::listing::{Listing, RESERVED, SOLD};
use super::rules::{Terms, money};
use crate::bam::{Holder, Shape};
use crate::edit;
use crate::problem::Problem;
use crate::seeded;

pub(super) const PAID: &str = "paid";

/// A reservation. Its total is in minor units, its time in Unix seconds.
#[derive(Debug, Clone)]
pub(super) struct Reservation {
    pub(super) id: i64,
    pub(super) listing: i64,
    pub(super) buyer: i64,
    pub(super) device_key: Vec<u8>,
    pub(super) total: i64,
    code: String,
    pub(super) state: String,
    expires_at: i64,
}

const COLUMNS: &str = "id, listing_id, buyer_id, device_key, total, code, state, expires_at";

impl Reservation {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            listing: row.get(1)?,
            buyer: row.get(2)?,
            device_key: row.get(3)?,
            total: row.get(4)?,
            code: row.get(5)?,
            state: row.get(6)?,
            expires_at: row.get(7)?,
        })
    }

    /// Finds the buyer's reservation of this id.
    pub(super) fn find(db: &Connection, buyer: i64, id: &str) -> Result<Self, Problem> {
        let id = id.parse::<i64>().ok().filter(|number| number.to_string() == id);
        let sql = format!("SELECT {COLUMNS} FROM reservation WHERE id = ?1 AND buyer_id = ?2");
        db.query_row(&sql, (id, buyer), Self::read).optional()?.ok_or_else(missing)
    }

    /// Finds a reservation by the last part of its payment's address.
    pub(super) fn by_code(db: &Connection, code: &str) -> Result<Self, Problem> {
        let sql = format!("SELECT {COLUMNS} FROM reservation WHERE code = ?1");
        db.query_row(&sql, [code], Self::read).optional()?.ok_or_else(missing)
    }

    /// What a buyer's device holds of a listing, or waits to.
    pub(super) fn of_device(
        db: &Connection,
        listing: i64,
        buyer: i64,
        device_key: &[u8],
    ) -> rusqlite::Result<Option<Self>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM reservation WHERE listing_id = ?1 AND buyer_id = ?2 AND device_key = ?3
                AND state IN ('pending', 'paid')"
        );
        db.query_row(&sql, (listing, buyer, device_key), Self::read).optional()
    }

    /// Reserves an active listing for the caller, until the market closes at the latest.
    pub(super) fn create(
        call: &Call<'_>,
        db: &Connection,
        listing: &mut Listing,
        device_key: &[u8],
        terms: &Terms,
    ) -> Result<Self, Problem> {
        listing.set_state(db, RESERVED)?;
        listing.take_barcode(call, db)?;
        let code = seeded::uuid(call.app.config.seed, &format!("payment {} {}", listing.id, listing.version));
        let total = terms.breakdown(listing.price).buyer_total();
        let expires_at = terms.closes_at.min(call.now + i64::from(terms.rules.reservation_s));
        let sql = format!(
            "INSERT INTO reservation (listing_id, buyer_id, device_key, total, code, state, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, 'pending', ?6) RETURNING {COLUMNS}"
        );
        let values = (listing.id, call.user, device_key, total, &code, expires_at);
        Ok(db.query_row(&sql, values, Self::read)?)
    }

    /// The payment came: the ticket is the buyer's, bound to the device that bought it, one generation on.
    pub(super) fn pay(&mut self, call: &Call<'_>, db: &Connection) -> Result<(), Problem> {
        let tenant = &call.tenant.name;
        let mut listing = Listing::find(db, tenant, &self.listing.to_string())?;
        db.execute("UPDATE reservation SET state = ?2 WHERE id = ?1", (self.id, PAID))?;
        PAID.clone_into(&mut self.state);
        listing.set_state(db, SOLD)?;
        let name: String =
            db.query_row("SELECT name FROM user WHERE id = ?1", [self.buyer], |row| row.get(0))?;
        edit::hand_over(db, tenant, listing.ticket_id, &name, call.now)?;
        let ticket = Ticket::owned(db, tenant, self.buyer, &listing.ticket_id.to_string())?;
        let generation = bind_anew(call, db, &ticket, self.device_key.clone())?;
        let detail =
            json!({"listing_id": listing.id.to_string(), "total": self.total, "generation": generation});
        call.record(db, "resale.sell", ticket.id, detail)
    }

    /// The reservation as it is sent: once it is paid for, with the ticket and its credential.
    pub(super) fn to_json(&self, call: &Call<'_>, db: &Connection, url: &str) -> Result<Value, Problem> {
        let mut json = json!({
            "reservation": self.id.to_string(),
            "listing_id": self.listing.to_string(),
            "state": self.state,
            "total": money(self.total),
            "payment_url": format!("{url}/t/{}/wallet/v1/resale/pay/{}", call.tenant.name, self.code),
            "simulated": true,
            "expires_at": rfc3339(self.expires_at),
        });
        if self.state == PAID {
            let listing = Listing::find(db, &call.tenant.name, &self.listing.to_string())?;
            hand_out(call, db, self.buyer, listing.ticket_id, &mut json)?;
        }
        Ok(json)
    }
}

fn missing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "reservation-not-found", "No such reservation")
}

/// Binds a ticket that has changed hands to its new holder's device, with all its moves. Returns the generation.
pub(in super::super) fn bind_anew(
    call: &Call<'_>,
    db: &Connection,
    ticket: &Ticket,
    device_key: Vec<u8>,
) -> Result<u16, Problem> {
    let before = Binding::find(call, db, ticket)?.unwrap_or_else(|| Binding::none(0));
    let fresh = Binding { moves_left: call.app.config.moves, ..before };
    let binding = fresh.next(call, db, ticket, device_key)?;
    binding.save(call, db, ticket)?;
    Ok(binding.generation)
}

/// Adds a ticket and its credential to an answer to its new holder. A ticket that has gone on to somebody else adds nothing.
pub(in super::super) fn hand_out(
    call: &Call<'_>,
    db: &Connection,
    holder: i64,
    ticket_id: i64,
    json: &mut Value,
) -> Result<(), Problem> {
    let record = Shape::of_feed().find(db, &Holder::of(holder), &call.tenant.name, ticket_id)?;
    let Some(record) = record else { return Ok(()) };
    let ticket = Ticket::owned(db, &call.tenant.name, holder, &ticket_id.to_string())?;
    json["ticket"] = record;
    if let Some(binding) = Binding::find(call, db, &ticket)?.filter(|binding| !binding.surrendered) {
        let bound = binding.to_json(&ticket);
        for member in ["credential", "generation", "renew_after"] {
            json[member] = bound[member].clone();
        }
    }
    Ok(())
}
