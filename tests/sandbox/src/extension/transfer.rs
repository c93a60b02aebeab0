//! Transfers as they are kept: a ticket on its way to somebody else.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::gates::{Place as EventPlace, closes_at};
use super::ticket::Ticket;
use super::write::Call;
use crate::edit;
use crate::problem::Problem;

pub(super) const PENDING: &str = "pending";
pub(super) const ACCEPTED: &str = "accepted";
pub(super) const CANCELLED: &str = "cancelled";
pub(super) const DECLINED: &str = "declined";

/// What a recipient does with a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferEnd {
    /// The ticket goes to the recipient, or out of the sandbox if that is none of its users.
    Accepted,
    /// The ticket stays.
    Declined,
}

/// A transfer. Times are Unix seconds.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) id: i64,
    pub(super) ticket_id: i64,
    pub(super) sender: i64,
    recipient: String,
    pub(super) state: String,
    created_at: i64,
    expires_at: i64,
}

/// Where in the sandbox, and when: what finding transfers depends on.
pub(super) struct Place<'a> {
    pub(super) tenant: &'a str,
    pub(super) now: i64,
}

/// Selects what [`Transfer::read`] reads at the time ?2.
const SELECT: &str = "SELECT id, ticket_id, sender_id, recipient,
        CASE WHEN state = 'pending' AND expires_at <= ?2 THEN 'expired' ELSE state END AS state,
        created_at, expires_at
    FROM transfer WHERE tenant = ?1";

/// Whether the user ?3 is whom a transfer names.
const TO_RECIPIENT: &str = "recipient = (SELECT name FROM user WHERE user.id = ?3)";

impl Transfer {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            ticket_id: row.get(1)?,
            sender: row.get(2)?,
            recipient: row.get(3)?,
            state: row.get(4)?,
            created_at: row.get(5)?,
            expires_at: row.get(6)?,
        })
    }

    /// The sender's transfers, the newest first.
    pub(super) fn all(db: &Connection, place: &Place<'_>, sender: i64) -> Result<Vec<Self>, Problem> {
        let sql = format!("{SELECT} AND sender_id = ?3 ORDER BY id DESC");
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map((place.tenant, place.now, sender), Self::read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The transfers to a recipient, the newest first.
    pub(super) fn incoming(db: &Connection, place: &Place<'_>, recipient: i64) -> Result<Vec<Self>, Problem> {
        let sql = format!("{SELECT} AND {TO_RECIPIENT} ORDER BY id DESC");
        let mut statement = db.prepare_cached(&sql)?;
        let rows = statement.query_map((place.tenant, place.now, recipient), Self::read)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Finds a transfer to a recipient.
    pub(super) fn to_recipient(
        db: &Connection,
        place: &Place<'_>,
        recipient: i64,
        id: &str,
    ) -> Result<Self, Problem> {
        Self::one(db, place, TO_RECIPIENT, recipient, id)
    }

    /// Finds the sender's transfer of this id.
    pub(super) fn find(db: &Connection, place: &Place<'_>, sender: i64, id: &str) -> Result<Self, Problem> {
        Self::one(db, place, "sender_id = ?3", sender, id)
    }

    fn one(db: &Connection, place: &Place<'_>, whose: &str, user: i64, id: &str) -> Result<Self, Problem> {
        let id = id.parse::<i64>().ok().filter(|number| number.to_string() == id);
        let sql = format!("{SELECT} AND {whose} AND id = ?4");
        let found = db.query_row(&sql, (place.tenant, place.now, user, id), Self::read).optional()?;
        found.ok_or_else(|| {
            Problem::new(StatusCode::NOT_FOUND, "transfer-not-found", "The user has no such transfer")
        })
    }

    /// Refuses what cannot be done to a ticket while a transfer of it waits.
    pub(super) fn refuse_pending(call: &Call<'_>, db: &Connection, ticket: &Ticket) -> Result<(), Problem> {
        let sql = format!("SELECT id FROM ({SELECT} AND ticket_id = ?3) WHERE state = 'pending'");
        let place = (&call.tenant.name, call.now, ticket.id);
        let pending = db.query_row(&sql, place, |row| row.get::<_, i64>(0)).optional()?;
        pending.map_or(Ok(()), |id| {
            Err(Problem::new(StatusCode::CONFLICT, "transfer-pending", "A transfer of the ticket is pending")
                .with("transfer_id", id.to_string()))
        })
    }

    /// Keeps a new transfer.
    pub(super) fn create(
        call: &Call<'_>,
        db: &Connection,
        ticket: &Ticket,
        recipient: &str,
    ) -> Result<Self, Problem> {
        let life_s = i64::from(call.app.config.transfer_life_s);
        let place = EventPlace { tenant: call.tenant.name.clone(), event: ticket.event_id };
        let expires_at = closes_at(db, &place)?.min(call.now + life_s);
        if expires_at <= call.now {
            let title = "The ticket cannot be transferred any more";
            return Err(Problem::new(StatusCode::CONFLICT, "transfer-closed", title));
        }
        db.execute(
            "INSERT INTO transfer (tenant, ticket_id, sender_id, recipient, state, created_at, expires_at)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (&call.tenant.name, ticket.id, call.user, recipient, PENDING, call.now, expires_at),
        )?;
        Ok(Self {
            id: db.last_insert_rowid(),
            ticket_id: ticket.id,
            sender: call.user,
            recipient: recipient.to_owned(),
            state: PENDING.to_owned(),
            created_at: call.now,
            expires_at,
        })
    }

    /// Ends a pending transfer.
    pub(super) fn set_state(&mut self, db: &Connection, state: &str) -> rusqlite::Result<()> {
        state.clone_into(&mut self.state);
        db.execute("UPDATE transfer SET state = ?2 WHERE id = ?1", (self.id, state))?;
        Ok(())
    }

    /// Refuses what can only be done to a pending transfer.
    pub(super) fn refuse_ended(&self) -> Result<(), Problem> {
        if self.state == PENDING {
            return Ok(());
        }
        let ended = Problem::new(StatusCode::CONFLICT, "transfer-ended", "The transfer has ended");
        Err(ended.with("state", self.state.clone()))
    }

    /// Gives the ticket to its recipient, a user.
    pub(super) fn accept(
        &mut self,
        db: &Connection,
        recipient: i64,
        place: &Place<'_>,
    ) -> rusqlite::Result<()> {
        self.set_state(db, ACCEPTED)?;
        let sql = "SELECT name FROM user WHERE id = ?1";
        let name: String = db.query_row(sql, [recipient], |row| row.get(0))?;
        edit::hand_over(db, place.tenant, self.ticket_id, &name, place.now)
    }

    /// The transfer as its recipient gets it: with who sends it, and what.
    pub(super) fn to_recipients_json(&self, db: &Connection, place: &Place<'_>) -> Result<Value, Problem> {
        let mut json = self.to_json();
        let sql = "SELECT name FROM user WHERE id = ?1";
        json["sender"] = db.query_row(sql, [self.sender], |row| row.get::<_, String>(0))?.into();
        let sql =
            "SELECT ticket_config.event_id, json_extract(ticket_config.body, '$.event.name') FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            WHERE ticket.tenant = ?1 AND ticket.id = ?2";
        let found = db.query_row(sql, (place.tenant, self.ticket_id), |row| {
            Ok((row.get::<_, i64>(0)?.to_string(), row.get::<_, String>(1)?))
        });
        if let Some((event, title)) = found.optional()? {
            (json["event_id"], json["title"]) = (event.into(), title.into());
        }
        Ok(json)
    }

    /// The transfer as it is sent.
    pub(super) fn to_json(&self) -> Value {
        json!({
            "id": self.id.to_string(),
            "ticket_id": self.ticket_id.to_string(),
            "recipient": self.recipient,
            "state": self.state,
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.expires_at),
        })
    }
}

/// Unix seconds as they are sent.
pub(super) fn rfc3339(unix_s: i64) -> String {
    let time = DateTime::from_timestamp(unix_s, 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Ends a pending transfer as its recipient. Returns whether there was one.
pub(crate) fn end(
    db: &Connection,
    tenant: &str,
    id: i64,
    end: TransferEnd,
    now_s: i64,
) -> rusqlite::Result<bool> {
    let sql = format!("{SELECT} AND id = ?3");
    let found = db.query_row(&sql, (tenant, now_s, id), Transfer::read).optional()?;
    let Some(mut transfer) = found.filter(|transfer| transfer.state == PENDING) else { return Ok(false) };
    match end {
        TransferEnd::Declined => transfer.set_state(db, DECLINED)?,
        TransferEnd::Accepted => {
            transfer.set_state(db, ACCEPTED)?;
            edit::hand_over(db, tenant, transfer.ticket_id, &transfer.recipient, now_s)?;
        }
    }
    Ok(true)
}
