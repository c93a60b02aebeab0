//! Bindings: which device holds a ticket's current credential.

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};
use ticket_wallet::CredentialRequest;

use super::fields::{encode, refused};
use super::ticket::Ticket;
use super::write::Call;
use crate::problem::Problem;

/// Credentials count from a day before they are signed, for clocks that are behind.
const BEFORE_S: i64 = 24 * 3600;

/// A ticket's binding. Times are Unix seconds.
#[derive(Debug, Clone)]
pub(super) struct Binding {
    pub(super) device_key: Vec<u8>,
    pub(super) credential: Vec<u8>,
    pub(super) generation: u16,
    pub(super) moves_left: u16,
    pub(super) renew_after: i64,
    pub(super) surrendered: bool,
}

impl Binding {
    /// The binding before the first: generation 0, with all its moves.
    pub(super) fn none(moves_left: u16) -> Self {
        Self {
            device_key: Vec::new(),
            credential: Vec::new(),
            generation: 0,
            moves_left,
            renew_after: 0,
            surrendered: true,
        }
    }

    /// Finds a ticket's binding.
    pub(super) fn find(call: &Call<'_>, db: &Connection, ticket: &Ticket) -> Result<Option<Self>, Problem> {
        let found = db
            .prepare_cached(
                "SELECT device_key, credential, generation, moves_left, renew_after, surrendered
                    FROM binding WHERE tenant = ?1 AND ticket_id = ?2",
            )?
            .query_row((&call.tenant.name, ticket.id), |row| {
                Ok(Self {
                    device_key: row.get(0)?,
                    credential: row.get(1)?,
                    generation: row.get(2)?,
                    moves_left: row.get(3)?,
                    renew_after: row.get(4)?,
                    surrendered: row.get(5)?,
                })
            })
            .optional()?;
        Ok(found)
    }

    /// The binding that a device holds, neither missing nor surrendered.
    pub(super) fn held(call: &Call<'_>, db: &Connection, ticket: &Ticket) -> Result<Self, Problem> {
        let not_bound = || Problem::new(StatusCode::CONFLICT, "not-bound", "No device holds the ticket");
        Self::find(call, db, ticket)?.filter(|binding| !binding.surrendered).ok_or_else(not_bound)
    }

    /// Refuses to end a binding behind which there could be no other.
    pub(super) fn refuse_last(&self) -> Result<(), Problem> {
        if self.generation == u16::MAX { Err(used_up()) } else { Ok(()) }
    }

    /// The same binding with the next generation's credential, for this device; with the lowest that gates let in, where that
    /// is higher.
    pub(super) fn next(
        &self,
        call: &Call<'_>,
        db: &Connection,
        ticket: &Ticket,
        device_key: Vec<u8>,
    ) -> Result<Self, Problem> {
        let sql = "SELECT coalesce(max(generation), 0) FROM gate_ticket WHERE tenant = ?1 AND ticket_id = ?2";
        let floor: u16 = db.query_row(sql, (&call.tenant.name, ticket.id), |row| row.get(0))?;
        let generation = self.generation.checked_add(1).ok_or_else(used_up)?.max(floor);
        Self { device_key, generation, surrendered: false, ..self.clone() }.signed(call, ticket)
    }

    /// The same binding with a new lease from now on.
    pub(super) fn signed(mut self, call: &Call<'_>, ticket: &Ticket) -> Result<Self, Problem> {
        let seconds = |time: i64| u32::try_from(time).map_err(|_| Problem::internal());
        let lease_s = i64::from(call.app.config.lease_s);
        let request = CredentialRequest {
            provider: call.tenant.provider.to_string(),
            event_id: ticket.event_id.to_string(),
            ticket_id: ticket.id.to_string(),
            section: ticket.section,
            generation: self.generation,
            not_before: seconds(call.now - BEFORE_S)?,
            lease_end: seconds(call.now + lease_s)?,
            window_s: call.app.config.window_s,
            nonce_required: false,
            device_key: self.device_key.clone(),
        };
        self.credential = call.issuer.credential(request).map_err(refused)?;
        self.renew_after = call.now + lease_s / 2;
        Ok(self)
    }

    /// Keeps the binding.
    pub(super) fn save(&self, call: &Call<'_>, db: &Connection, ticket: &Ticket) -> Result<(), Problem> {
        db.prepare_cached(
            "INSERT OR REPLACE INTO binding (tenant, ticket_id, device_key, credential, generation,
                moves_left, renew_after, surrendered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            call.tenant.name,
            ticket.id,
            self.device_key,
            self.credential,
            self.generation,
            self.moves_left,
            self.renew_after,
            self.surrendered
        ])?;
        Ok(())
    }

    /// What the journal says about the binding.
    pub(super) fn detail(&self) -> Value {
        json!({
            "generation": self.generation,
            "device_key": encode(&self.device_key),
            "moves_left": self.moves_left,
        })
    }

    /// The binding as it is sent.
    pub(super) fn to_json(&self, ticket: &Ticket) -> Value {
        let renew_after = DateTime::from_timestamp(self.renew_after, 0).unwrap_or_default();
        json!({
            "ticket_id": ticket.id.to_string(),
            "credential": encode(&self.credential),
            "generation": self.generation,
            "renew_after": renew_after.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }
}

fn used_up() -> Problem {
    Problem::new(StatusCode::CONFLICT, "generations-used-up", "The ticket was bound too often")
}
