//! What happens to tickets and events without the holder's doing: the box office's side.

use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::moment::later_than;

/// What shall change about a ticket; what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TicketEdit {
    /// The status, any text.
    #[serde(default)]
    pub status: Option<String>,
    /// The seat, any text.
    #[serde(default)]
    pub seat_id: Option<String>,
}

/// Adds a SECURE, issued ticket for an event of a tenant, made out to its owner, and tells its id, which no ticket had
/// before. `None` when there is no such user or event.
pub(crate) fn add_ticket(
    db: &Connection,
    user: &str,
    tenant: &str,
    event_id: i64,
    now_s: i64,
) -> rusqlite::Result<Option<i64>> {
    db.query_row(
        "WITH fresh AS (SELECT 1 + coalesce(max(ticket_id), 0) AS id FROM change WHERE tenant = ?2),
            config AS (SELECT min(id) AS id FROM ticket_config WHERE tenant = ?2 AND event_id = ?3)
        INSERT INTO ticket (tenant, id, owner_id, ticket_config_id, sector_id, seq_num, status, kyc_status,
            format, blockchain_id, holder, updated_at)
        SELECT ?2, fresh.id, user.id, config.id,
            (SELECT sector.id FROM sector, json_each(sector.body, '$.ticket_config') AS listed
                WHERE tenant = ?2 AND json_extract(listed.value, '$.id') = config.id
                ORDER BY sector.id LIMIT 1),
            ?4 + fresh.id, 'issued', 'not_required', 'SECURE',
            format('E%dTC%dT%d', ?3, config.id, ?4 + fresh.id),
            json_object('id', fresh.id, 'email', user.name), ?5
        FROM user, fresh, config WHERE user.name = ?1 AND config.id IS NOT NULL
        RETURNING id",
        (user, tenant, event_id, FIRST_SEQUENCE, later_than("", now_s)),
        |row| row.get(0),
    )
    .optional()
}

/// Sequence numbers of added tickets stand apart from those of the season.
const FIRST_SEQUENCE: i64 = 1_000_000;

/// Takes a ticket from its owner. Returns whether there was one.
pub(crate) fn remove_ticket(
    db: &Connection,
    user: &str,
    tenant: &str,
    ticket_id: i64,
) -> rusqlite::Result<bool> {
    let sql = "DELETE FROM ticket WHERE tenant = ?2 AND id = ?3
        AND owner_id = (SELECT id FROM user WHERE name = ?1)";
    db.execute(sql, (user, tenant, ticket_id)).map(|count| count > 0)
}

/// Gives a ticket to another user; takes it out of the sandbox when there is no user of this name.
pub(crate) fn hand_over(
    db: &Connection,
    tenant: &str,
    ticket_id: i64,
    recipient: &str,
    now_s: i64,
) -> rusqlite::Result<()> {
    let Some(before) = updated_at(db, tenant, ticket_id)? else { return Ok(()) };
    let handed = db.execute(
        "UPDATE ticket SET owner_id = user.id, updated_at = ?4 FROM user
            WHERE tenant = ?1 AND ticket.id = ?2 AND user.name = ?3",
        (tenant, ticket_id, recipient, later_than(&before, now_s)),
    )?;
    if handed == 0 {
        db.execute("DELETE FROM ticket WHERE tenant = ?1 AND id = ?2", (tenant, ticket_id))?;
    }
    Ok(())
}

fn updated_at(db: &Connection, tenant: &str, ticket_id: i64) -> rusqlite::Result<Option<String>> {
    let sql = "SELECT updated_at FROM ticket WHERE tenant = ?1 AND id = ?2";
    db.query_row(sql, (tenant, ticket_id), |row| row.get(0)).optional()
}

/// Changes a ticket. Returns whether there was one.
pub(crate) fn edit_ticket(
    db: &Connection,
    tenant: &str,
    ticket_id: i64,
    edit: &TicketEdit,
    now_s: i64,
) -> rusqlite::Result<bool> {
    let Some(before) = updated_at(db, tenant, ticket_id)? else { return Ok(false) };
    db.execute(
        "UPDATE ticket SET status = coalesce(?3, status), seat_id = coalesce(?4, seat_id), updated_at = ?5
            WHERE tenant = ?1 AND id = ?2",
        (tenant, ticket_id, &edit.status, &edit.seat_id, later_than(&before, now_s)),
    )?;
    Ok(true)
}

/// Gives an event another name; the tickets' own `updated_at` stays. Returns whether there is such an event.
pub(crate) fn rename_event(
    db: &Connection,
    tenant: &str,
    event_id: i64,
    name: &str,
    now_s: i64,
) -> rusqlite::Result<bool> {
    let before: Option<String> = db.query_row(
        "SELECT max(json_extract(body, '$.event.updated_at')) FROM ticket_config
            WHERE tenant = ?1 AND event_id = ?2",
        (tenant, event_id),
        |row| row.get(0),
    )?;
    let Some(before) = before else { return Ok(false) };
    db.execute(
        "UPDATE ticket_config SET body = json_set(body, '$.event.name', ?3, '$.event.updated_at', ?4)
            WHERE tenant = ?1 AND event_id = ?2",
        (tenant, event_id, name, later_than(&before, now_s)),
    )?;
    Ok(true)
}
