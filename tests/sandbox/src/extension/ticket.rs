//! The tickets that credentials are for.

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension};

use super::write::Call;
use crate::problem::Problem;

/// A ticket that may have a credential.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) id: i64,
    pub(super) event_id: i64,
    /// The sector's code; 0 where the ticket has no sector.
    pub(super) section: u16,
}

impl Ticket {
    /// Finds the user's own ticket: SECURE, and issued or activated.
    pub(super) fn eligible(call: &Call<'_>, db: &Connection, id: &str) -> Result<Self, Problem> {
        Self::owned(db, &call.tenant.name, call.user, id)
    }

    /// Finds a ticket of a tenant's that somebody owns: SECURE, and issued or activated.
    pub(super) fn owned(db: &Connection, tenant: &str, owner: i64, id: &str) -> Result<Self, Problem> {
        let id = id.parse::<i64>().ok().filter(|number| number.to_string() == id);
        let found = db
            .query_row(
                "SELECT ticket.id, ticket_config.event_id, coalesce(code, 0),
                    format = 'SECURE' AND ticket.status IN ('issued', 'activated')
                FROM ticket
                JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                LEFT JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
                WHERE ticket.tenant = ?1 AND owner_id = ?2 AND ticket.id = ?3",
                (tenant, owner, id),
                |row| {
                    let (id, event_id) = (row.get(0)?, row.get(1)?);
                    Ok((Self { id, event_id, section: row.get(2)? }, row.get::<_, bool>(3)?))
                },
            )
            .optional()?;
        match found {
            Some((ticket, true)) => Ok(ticket),
            Some((_, false)) => Err(not_eligible()),
            None => Err(Problem::ticket_not_found()),
        }
    }
}

fn not_eligible() -> Problem {
    Problem::new(StatusCode::CONFLICT, "not-eligible", "The ticket cannot have a credential")
        .detail("only SECURE tickets that are issued or activated can")
}
