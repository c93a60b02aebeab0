//! Listings as they are kept.

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};

use super::super::binding::Binding;
use super::super::ticket::Ticket;
use super::super::transfer::rfc3339;
use super::super::write::Call;
use super::rules::{Terms, money};
use crate::problem::Problem;

pub(super) const ACTIVE: &str = "active";
pub(super) const RESERVED: &str = "reserved";
pub(super) const UNDER_REVIEW: &str = "under_review";
pub(super) const WITHDRAWN: &str = "withdrawn";
pub(super) const SOLD: &str = "sold";
/// The states of a listing that may still be sold.
pub(super) const OPEN: [&str; 4] = [UNDER_REVIEW, ACTIVE, "paused", RESERVED];
/// In which a ticket whose barcode was given up for it has none.
pub(super) const HIDDEN: &str = "('under_review', 'active', 'reserved')";

/// A ticket that is offered, or was. Times are Unix seconds, amounts minor units.
#[derive(Debug, Clone)]
pub(in super::super) struct Listing {
    pub(super) id: i64,
    pub(super) ticket_id: i64,
    pub(super) event_id: i64,
    pub(super) seller: i64,
    pub(super) state: String,
    reason: Option<String>,
    pub(super) version: i64,
    pub(super) price: i64,
    created_at: i64,
    expires_at: i64,
    pub(super) hidden: bool,
}

pub(super) const COLUMNS: &str =
    "id, ticket_id, event_id, seller_id, state, reason, version, price, created_at, expires_at, hidden";

impl Listing {
    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            ticket_id: row.get(1)?,
            event_id: row.get(2)?,
            seller: row.get(3)?,
            state: row.get(4)?,
            reason: row.get(5)?,
            version: row.get(6)?,
            price: row.get(7)?,
            created_at: row.get(8)?,
            expires_at: row.get(9)?,
            hidden: row.get(10)?,
        })
    }

    /// Finds a listing by its id.
    pub(super) fn find(db: &Connection, tenant: &str, id: &str) -> Result<Self, Problem> {
        let id = id.parse::<i64>().ok().filter(|number| number.to_string() == id);
        let sql = format!("SELECT {COLUMNS} FROM listing WHERE tenant = ?1 AND id = ?2");
        let found = db.query_row(&sql, (tenant, id), Self::read).optional()?;
        found.ok_or_else(|| Problem::new(StatusCode::NOT_FOUND, "listing-not-found", "No such listing"))
    }

    /// The ticket's open listing.
    pub(super) fn open_of(db: &Connection, tenant: &str, ticket: i64) -> rusqlite::Result<Option<Self>> {
        let open = OPEN.join("', '");
        let sql = format!(
            "SELECT {COLUMNS} FROM listing WHERE tenant = ?1 AND ticket_id = ?2 AND state IN ('{open}')"
        );
        db.query_row(&sql, (tenant, ticket), Self::read).optional()
    }

    /// Refuses what cannot be done to a ticket while it is listed.
    pub(in super::super) fn refuse_open(
        call: &Call<'_>,
        db: &Connection,
        ticket: &Ticket,
    ) -> Result<(), Problem> {
        match Self::open_of(db, &call.tenant.name, ticket.id)? {
            Some(open) => Err(open.in_the_way()),
            None => Ok(()),
        }
    }

    /// Refuses a barcode to a ticket that gave it up for its listing.
    pub(in super::super) fn refuse_hidden(
        call: &Call<'_>,
        db: &Connection,
        ticket: &Ticket,
    ) -> Result<(), Problem> {
        let open = Self::open_of(db, &call.tenant.name, ticket.id)?;
        match open.filter(|open| open.state == RESERVED || open.hidden && open.state != "paused") {
            Some(open) => Err(open.in_the_way()),
            None => Ok(()),
        }
    }

    fn in_the_way(&self) -> Problem {
        Problem::new(StatusCode::CONFLICT, "ticket-listed", "The ticket is listed for sale")
            .with("listing_id", self.id.to_string())
    }

    /// 409: it can be changed no more, or not now.
    pub(super) fn ended(&self) -> Problem {
        let (kind, title) = match self.state.as_str() {
            RESERVED => ("reserved", "The listing is reserved for a buyer"),
            SOLD | "reissued" | "paid_out" => ("sold", "The ticket was sold"),
            _ => ("listing-ended", "The listing is open no longer"),
        };
        Problem::new(StatusCode::CONFLICT, kind, title).with("state", self.state.clone())
    }

    /// Keeps a new listing of a seller's.
    pub(super) fn create(
        db: &Connection,
        tenant: &str,
        seller: i64,
        ticket: &Ticket,
        terms: &Terms,
        (price, expires_at, now): (i64, Option<i64>, i64),
    ) -> Result<Self, Problem> {
        let state = if terms.rules.reviewed { UNDER_REVIEW } else { ACTIVE };
        let expires_at = expires_at.unwrap_or(i64::MAX).min(terms.closes_at);
        let sql = format!(
            "INSERT INTO listing (tenant, ticket_id, event_id, seller_id, state, price, created_at, expires_at, hidden)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING {COLUMNS}"
        );
        let hidden = !terms.rules.barcode_shown;
        let values = (tenant, ticket.id, ticket.event_id, seller, state, price, now, expires_at, hidden);
        Ok(db.query_row(&sql, values, Self::read)?)
    }

    /// Puts the listing into another state, which is another version of it.
    pub(super) fn set_state(&mut self, db: &Connection, state: &str) -> rusqlite::Result<()> {
        state.clone_into(&mut self.state);
        self.keep(db)
    }

    pub(super) fn set_price(&mut self, db: &Connection, price: i64) -> rusqlite::Result<()> {
        self.price = price;
        self.keep(db)
    }

    fn keep(&mut self, db: &Connection) -> rusqlite::Result<()> {
        self.version += 1;
        db.execute(
            "UPDATE listing SET state = ?2, price = ?3, version = ?4 WHERE id = ?1",
            (self.id, &self.state, self.price, self.version),
        )?;
        Ok(())
    }

    /// The listing as it is sent to somebody.
    pub(super) fn to_json(&self, db: &Connection, tenant: &str, asker: i64) -> Result<Value, Problem> {
        let ticket = Ticket { id: self.ticket_id, event_id: self.event_id, section: 0 };
        let mut json = json!({
            "id": self.id.to_string(),
            "ticket_id": self.ticket_id.to_string(),
            "event_id": self.event_id.to_string(),
            "state": self.state,
            "version": self.version,
            "price": money(self.price),
            "mine": self.seller == asker,
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
        });
        if let Some(reason) = &self.reason {
            json["reason"] = json!(reason);
        }
        let sql =
            "SELECT json_extract(sector.body, '$.name'), seat_id, json_extract(ticket_config.body, '$.name')
            FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            LEFT JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
            WHERE ticket.tenant = ?1 AND ticket.id = ?2";
        let found = db.query_row(sql, (tenant, self.ticket_id), |row| {
            let named = ["section", "seat", "category"].into_iter().zip(0..);
            named
                .map(|(name, at)| Ok((name, row.get::<_, Option<String>>(at)?)))
                .collect::<Result<Vec<_>, _>>()
        });
        // A ticket that has left the sandbox left its listing behind.
        let Some(texts) = found.optional()? else { return Ok(json) };
        for (name, text) in texts {
            if let Some(text) = text {
                json[name] = json!(text);
            }
        }
        json["breakdown"] = Terms::of(db, tenant, &ticket)?.breakdown(self.price).to_json();
        let sql = "SELECT id FROM reservation WHERE listing_id = ?1 AND buyer_id = ?2
            AND state IN ('pending', 'paid')";
        let reservation = db.query_row(sql, (self.id, asker), |row| row.get::<_, i64>(0)).optional()?;
        if let Some(id) = reservation {
            json["reservation"] = json!(id.to_string());
        }
        Ok(json)
    }

    /// Ends the barcode of the seller's device, of whom nothing is asked: the server's own doing.
    pub(super) fn take_barcode(&self, call: &Call<'_>, db: &Connection) -> Result<(), Problem> {
        let ticket = Ticket { id: self.ticket_id, event_id: self.event_id, section: 0 };
        if let Some(mut binding) = Binding::find(call, db, &ticket)? {
            binding.surrendered = true;
            binding.save(call, db, &ticket)?;
        }
        Ok(())
    }
}
