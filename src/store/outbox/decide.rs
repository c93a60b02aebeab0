//! What the person decides about writes: again, otherwise, or not at all.

use rusqlite::Transaction;

use super::row::{NewWrite, OutboxRow, find, forget_statement, update};
use crate::error::Error;
use crate::model::{Write, WriteState};
use crate::store::Store;
use crate::store::credentials::doom_key;
use crate::store::listings::version;

impl Store {
    /// Sends a write again that waits for the person; `fresh` is its key where the old one has had its answer, `now` the
    /// Unix second and whether a server stands behind it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Input`] when it needs nobody; [`Error::Database`].
    pub fn retry_write(&self, id: i64, fresh: &str, now: (i64, bool)) -> Result<OutboxRow, Error> {
        self.decide(id, |tx, row| {
            match row.state {
                WriteState::Rejected => {
                    row.new.key = fresh.to_owned();
                    forget_statement(&mut row.new.write);
                    accept_what_is_there(tx, row)?;
                    (row.state, row.before, row.attempts) = (WriteState::Waiting, None, 0);
                }
                // What no server tells is sent as if for the first time.
                WriteState::Unknown if !row.new.write.is_repeatable() => row.state = WriteState::Waiting,
                WriteState::Unknown => row.state = WriteState::Sent,
                // Saved from a damaged wallet: what had been sent may have been answered.
                WriteState::Held if row.attempts > 0 => row.state = WriteState::Sent,
                // What was before it may be lost.
                WriteState::Held => {
                    accept_what_is_there(tx, row)?;
                    row.state = WriteState::Waiting;
                }
                WriteState::Waiting | WriteState::Sent => return Ok(Err("it is being sent by itself")),
            }
            ((row.new.created_at, row.new.dated), row.rejection) = (now, None);
            Ok(Ok(()))
        })
    }

    /// Replaces what a write carries that has not been sent or was refused, and sends it.
    ///
    /// # Errors
    /// As [`Store::retry_write`].
    pub fn edit_write(
        &self,
        id: i64,
        write: Write,
        fresh: &str,
        (created_at, dated): (i64, bool),
    ) -> Result<OutboxRow, Error> {
        self.decide(id, |tx, row| {
            let unsent = row.attempts == 0 && matches!(row.state, WriteState::Waiting | WriteState::Held);
            if !unsent && row.state != WriteState::Rejected {
                return Ok(Err("what it does may have happened already; retry or discard it"));
            }
            row.new = NewWrite { write, key: fresh.to_owned(), created_at, dated, ..row.new.clone() };
            if row.state == WriteState::Rejected {
                accept_what_is_there(tx, row)?;
            }
            (row.state, row.before, row.attempts, row.rejection) = (WriteState::Waiting, None, 0, None);
            Ok(Ok(()))
        })
    }

    /// Takes a write out of the outbox.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Input`] while its answer is awaited; [`Error::Database`].
    pub fn discard_write(&self, id: i64) -> Result<OutboxRow, Error> {
        let found = self.write("the change cannot be discarded", |tx| {
            let Some(row) = find(tx, id)? else { return Ok(None) };
            if row.state == WriteState::Sent {
                return Ok(Some(Err("its answer is awaited; sync first")));
            }
            tx.execute("DELETE FROM outbox WHERE id = ?1", [id])?;
            if let Some(handle) = row.new.write.acquired_key() {
                doom_key(tx, handle)?;
            }
            Ok(Some(Ok(row)))
        })?;
        found
            .ok_or(Error::NotFound { what: "change in the outbox" })?
            .map_err(|reason: &str| Error::Input { field: "id", reason: reason.to_owned() })
    }

    fn decide(
        &self,
        id: i64,
        change: impl FnOnce(&Transaction<'_>, &mut OutboxRow) -> rusqlite::Result<Result<(), &'static str>>,
    ) -> Result<OutboxRow, Error> {
        let decided = self.write("the change cannot be kept", |tx| {
            let Some(mut row) = find(tx, id)? else { return Ok(None) };
            if let Err(reason) = change(tx, &mut row)? {
                return Ok(Some(Err(reason)));
            }
            update(tx, &row)?;
            Ok(Some(Ok(row)))
        })?;
        decided
            .ok_or(Error::NotFound { what: "change in the outbox" })?
            .map_err(|reason| Error::Input { field: "id", reason: reason.to_owned() })
    }
}

/// Whoever repeats a write that met a change made elsewhere has seen that change.
fn accept_what_is_there(tx: &Transaction<'_>, row: &mut OutboxRow) -> rusqlite::Result<()> {
    match &mut row.new.write {
        Write::SaveTicketHolder { expected, .. } => *expected = None,
        Write::EditListing { listing_id, expected, .. } | Write::WithdrawListing { listing_id, expected } => {
            let known = version(tx, &row.new.account_id, (row.new.subject, listing_id))?;
            *expected = known.unwrap_or(*expected);
        }
        _ => {}
    }
    Ok(())
}
