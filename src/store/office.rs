//! Writes of organisers: kept before their first byte leaves, with what became of them.

use rusqlite::{OptionalExtension as _, Row};

use super::Store;
use super::credentials::surrender;
use super::tickets::TOMBSTONE;
use crate::error::Error;
use crate::model::{OfficeWrite, OfficeWriteKind, OfficeWriteState, TicketHash};

/// Kept writes beyond this many lose their oldest ones that are settled.
const KEPT: u32 = 1_000;
const COLUMNS: &str = "id, account_id, kind, payload, created_at, state, answer, status, server_code";

/// What became of an organiser's write.
#[derive(Clone, PartialEq, Eq)]
pub struct OfficeOutcome {
    /// Where it stands.
    pub state: OfficeWriteState,
    /// What the server answered, as JSON.
    pub answer: Option<String>,
    /// The HTTP status with which it was refused.
    pub status: Option<u16>,
    /// The server's error code.
    pub server_code: Option<String>,
}

opaque_debug!(OfficeOutcome);

impl Store {
    /// Keeps a write that is about to be sent; gives its id.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_office_write(
        &self,
        account_id: &str,
        kind: OfficeWriteKind,
        payload: &str,
        now: i64,
    ) -> Result<i64, Error> {
        self.write("the write cannot be kept", |tx| {
            tx.execute(
                "DELETE FROM office_write WHERE state IN ('done', 'rejected') AND id <= (SELECT max(id) FROM office_write) - ?1",
                [KEPT],
            )?;
            tx.query_row(
                "INSERT INTO office_write (account_id, kind, payload, created_at, state)
                 VALUES (?1, ?2, ?3, ?4, 'sent') RETURNING id",
                (account_id, kind.as_text(), payload, now),
                |row| row.get(0),
            )
        })
    }

    /// Keeps what became of a write.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn settle_office_write(&self, id: i64, outcome: &OfficeOutcome) -> Result<OfficeWrite, Error> {
        self.write("the write cannot be kept", |tx| {
            tx.query_row(
                &format!(
                    "UPDATE office_write SET state = ?2, answer = ?3, status = ?4, server_code = ?5 WHERE id = ?1
                     RETURNING {COLUMNS}"
                ),
                (id, outcome.state.as_text(), &outcome.answer, outcome.status, &outcome.server_code),
                write,
            )
        })
    }

    /// One write.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn office_write(&self, id: i64) -> Result<OfficeWrite, Error> {
        self.read("the write cannot be read", |db| {
            db.query_row(&format!("SELECT {COLUMNS} FROM office_write WHERE id = ?1"), [id], write).optional()
        })?
        .ok_or(Error::NotFound { what: "write" })
    }

    /// An account's writes, the newest first, `limit` at most.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn office_writes(&self, account_id: &str, limit: u32) -> Result<Vec<OfficeWrite>, Error> {
        self.read("the writes cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM office_write WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2"
            ))?;
            statement.query_map((account_id, limit), write)?.collect()
        })
    }

    /// Erases the credentials of tickets that the account offered for sale and does not have any more: they were sold.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn erase_sold(&self, account_id: &str) -> Result<(), Error> {
        self.write("the sold tickets cannot be cleared", |tx| {
            let sql = format!(
                "SELECT DISTINCT t.id FROM ticket t JOIN credential c ON c.ticket_id = t.id
                 JOIN ticket_body b ON b.ticket_id = t.id
                 JOIN office_write w ON w.kind = ?2 AND w.state <> 'rejected' AND {OF_TICKET}
                 WHERE t.account_id = ?1 AND t.absences >= {TOMBSTONE}"
            );
            let mut statement = tx.prepare_cached(&sql)?;
            let sold = statement.query_map((account_id, OfficeWriteKind::MarkForSale.as_text()), |row| {
                row.get(0).map(TicketHash)
            })?;
            sold.collect::<rusqlite::Result<Vec<_>>>()?
                .into_iter()
                .try_for_each(|ticket| surrender(tx, ticket))
        })
    }

    /// Whether a ticket is on offer, or may be, on its system's own market at a moment, in Unix seconds, as far as was asked
    /// for here.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn is_on_offer(&self, ticket: TicketHash, at: i64) -> Result<bool, Error> {
        self.read("the offers cannot be read", |db| {
            let sql = format!(
                "SELECT w.kind = ?2 AND w.payload ->> '$.until' > ?4
                 FROM ticket t JOIN ticket_body b ON b.ticket_id = t.id JOIN office_write w ON {OF_TICKET}
                 WHERE t.id = ?1 AND (w.kind = ?2 AND w.state <> 'rejected' OR w.kind = ?3 AND w.state = 'done')
                 ORDER BY w.id DESC LIMIT 1"
            );
            let kinds = (OfficeWriteKind::MarkForSale.as_text(), OfficeWriteKind::DeleteOffer.as_text());
            let mut statement = db.prepare_cached(&sql)?;
            let newest = statement.query_row((ticket.0, kinds.0, kinds.1, at), |row| row.get(0));
            Ok(newest.optional()?.unwrap_or(false))
        })
    }

    /// Forgets a write.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn forget_office_write(&self, id: i64) -> Result<(), Error> {
        let gone = self.write("the write cannot be forgotten", |tx| {
            tx.execute("DELETE FROM office_write WHERE id = ?1", [id])
        })?;
        if gone == 0 { Err(Error::NotFound { what: "write" }) } else { Ok(()) }
    }
}

/// What makes a write `w` one of the ticket `t` with the body `b`.
const OF_TICKET: &str = "w.account_id = t.account_id AND w.payload ->> '$.ticket_id' = b.remote_id
     AND w.payload ->> '$.tenant' IS b.tenant";

fn write(row: &Row<'_>) -> rusqlite::Result<OfficeWrite> {
    let wrong = || rusqlite::Error::InvalidQuery;
    Ok(OfficeWrite {
        id: row.get(0)?,
        account_id: row.get(1)?,
        kind: OfficeWriteKind::from_text(row.get_ref(2)?.as_str()?).ok_or_else(wrong)?,
        request_json: row.get(3)?,
        created_at: row.get(4)?,
        state: OfficeWriteState::from_text(row.get_ref(5)?.as_str()?).ok_or_else(wrong)?,
        answer_json: row.get(6)?,
        status: row.get(7)?,
        server_code: row.get(8)?,
    })
}
