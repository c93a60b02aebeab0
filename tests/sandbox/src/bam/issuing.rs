//! Tickets on their way from a call for their issue to its end. The ledger's part takes as long as was chosen.

use rusqlite::{Connection, ToSql};

use super::choices::{BamChoices, IssueEnd};
use crate::moment::later_than;

const ISSUED: &str = "issued";
const RESERVED: &str = "reserved";

/// Gives a ticket another status.
pub(super) fn set_status(
    db: &Connection,
    tenant: &str,
    ticket_id: i64,
    status: &str,
    now_s: i64,
) -> rusqlite::Result<()> {
    let before: String = db.query_row(
        "SELECT updated_at FROM ticket WHERE tenant = ?1 AND id = ?2",
        (tenant, ticket_id),
        |row| row.get(0),
    )?;
    db.execute(
        "UPDATE ticket SET status = ?3, updated_at = ?4, by_organizer = by_organizer AND ?3 <> 'issued'
            WHERE tenant = ?1 AND id = ?2",
        (tenant, ticket_id, status, later_than(&before, now_s)),
    )?;
    Ok(())
}

/// Begins to issue a ticket.
pub(super) fn begin(
    db: &Connection,
    choices: &BamChoices,
    tenant: &str,
    ticket_id: i64,
    now_s: i64,
) -> rusqlite::Result<()> {
    let (ends, polls_left, due_at) = match choices.issue {
        IssueEnd::AfterPolls(polls) => (ISSUED, Some(polls), None),
        IssueEnd::AfterSeconds(seconds) => (ISSUED, None, Some(now_s.saturating_add(seconds.into()))),
        IssueEnd::Never => (ISSUED, None, None),
        IssueEnd::FallsBack(polls) => (RESERVED, Some(polls), None),
    };
    set_status(db, tenant, ticket_id, &choices.status_between, now_s)?;
    db.execute(
        "INSERT INTO issuing (tenant, ticket_id, ends, polls_left, due_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        (tenant, ticket_id, ends, polls_left, due_at),
    )?;
    settle(db, now_s)
}

/// Ends what is due.
pub(super) fn settle(db: &Connection, now_s: i64) -> rusqlite::Result<()> {
    let mut statement = db.prepare_cached(
        "DELETE FROM issuing WHERE polls_left = 0 OR due_at <= ?1 RETURNING tenant, ticket_id, ends",
    )?;
    let due = statement
        .query_map([now_s], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
        .collect::<rusqlite::Result<Vec<(String, i64, String)>>>()?;
    due.iter().try_for_each(|(tenant, id, ends)| set_status(db, tenant, *id, ends, now_s))
}

/// Counts a reply that shows the tickets which `part` selects: everything of a query behind `FROM ticket`.
pub(super) fn count_poll(db: &Connection, part: &str, parameters: &[&dyn ToSql]) -> rusqlite::Result<()> {
    let sql = format!(
        "UPDATE issuing SET polls_left = max(polls_left - 1, 0) WHERE polls_left IS NOT NULL
            AND (tenant, ticket_id) IN (SELECT ticket.tenant, ticket.id FROM ticket {part})"
    );
    db.prepare_cached(&sql)?.execute(parameters)?;
    Ok(())
}

/// Whether a ticket is being issued.
pub(super) fn is_pending(db: &Connection, tenant: &str, ticket_id: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM issuing WHERE tenant = ?1 AND ticket_id = ?2)";
    db.query_row(sql, (tenant, ticket_id), |row| row.get(0))
}
