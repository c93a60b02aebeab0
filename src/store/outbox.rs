//! The outbox: writes that were accepted, until their outcome is known. Nothing is dropped from it but by its outcome
//! or by the person.

mod decide;
mod row;

pub use row::{Acquisition, NewWrite, OutboxRow, Settled};
pub(super) use row::{all, find, has_rows};

use rusqlite::Transaction;

use self::row::{COLUMNS, forget_statement, insert, outbox_row, selected, update};
use super::Store;
use super::accounts::is_known;
use super::credentials::{doom_key, put_acquired_key, put_credential, put_refusal, surrender};
use super::listings::put_listing;
use super::tickets::{put_acquired, put_ticket_holder};
use super::transfers::{put_transfer, put_transfer_state};
use crate::error::Error;
use crate::model::{RejectionReason, TicketHash, Write, WriteState};

/// More waiting writes than anybody makes by hand: a full outbox refuses new ones.
const MAX_ROWS: i64 = 500;
/// A write that was never sent is given up after this many seconds: 30 days.
const MAX_AGE_S: i64 = 30 * 86_400;

/// Picks what [`Write::is_automatic`] is.
pub(super) const AUTOMATIC: &str =
    "payload ->> 'kind' = 'renew' OR payload ->> 'kind' = 'bind' AND NOT payload ->> 'move'";

impl Store {
    /// Accepts a person's write. Once this has returned, it is not lost.
    ///
    /// # Errors
    /// [`Error::OutboxFull`]; [`Error::NotFound`] when the account was signed out; [`Error::Database`].
    pub fn enqueue(&self, new: &NewWrite) -> Result<i64, Error> {
        self.accept(new, WriteState::Waiting)
    }

    /// Keeps a write that is to be sent while somebody waits for it, and not by itself when they wait no more.
    ///
    /// # Errors
    /// As [`Store::enqueue`].
    pub fn hold(&self, new: &NewWrite) -> Result<i64, Error> {
        self.accept(new, WriteState::Held)
    }

    fn accept(&self, new: &NewWrite, state: WriteState) -> Result<i64, Error> {
        let id = self.write("the change cannot be kept", |tx| {
            if !is_known(tx, &new.account_id)? {
                return Ok(Err(Error::NotFound { what: "account" }));
            }
            let waiting: i64 =
                tx.query_row(&format!("SELECT count(*) FROM outbox WHERE NOT ({AUTOMATIC})"), [], |row| {
                    row.get(0)
                })?;
            if waiting >= MAX_ROWS { Ok(Err(Error::OutboxFull)) } else { insert(tx, new, state).map(Ok) }
        })?;
        fail::fail_point!("outbox-accepted");
        id
    }

    /// Keeps writes that the wallet makes by itself, all with one key, for tickets about which nothing waits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn enqueue_automatic(&self, batch: &[NewWrite]) -> Result<(), Error> {
        self.write("the barcodes cannot be asked for", |tx| {
            for new in batch {
                if !has_rows(tx, new.subject)? {
                    insert(tx, new, WriteState::Waiting)?;
                }
            }
            Ok(())
        })
    }

    /// All writes, or those of an account or about a ticket, in their order.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn outbox(
        &self,
        account_id: Option<&str>,
        subject: Option<TicketHash>,
    ) -> Result<Vec<OutboxRow>, Error> {
        self.read("the outbox cannot be read", |db| selected(db, account_id, subject))
    }

    /// How many writes are sent by themselves, and how many wait for the person.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_outbox(&self) -> Result<(u32, u32), Error> {
        self.read("the outbox cannot be read", |db| {
            db.prepare_cached(
                "SELECT count(*) FILTER (WHERE state IN ('waiting', 'sent')),
                        count(*) FILTER (WHERE state NOT IN ('waiting', 'sent')) FROM outbox",
            )?
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
        })
    }

    /// One write.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn outbox_row(&self, id: i64) -> Result<OutboxRow, Error> {
        self.read("the outbox cannot be read", |db| find(db, id))?
            .ok_or(Error::NotFound { what: "change in the outbox" })
    }

    /// What an account may send now, in order: of each ticket the first write, unless that one waits for the person.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn sendable(&self, account_id: &str) -> Result<Vec<OutboxRow>, Error> {
        self.read("the outbox cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT {COLUMNS} FROM outbox o WHERE account_id = ?1 AND state IN ('waiting', 'sent')
                 AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.subject = o.subject AND e.id < o.id) ORDER BY id"
            ))?;
            statement.query_map([account_id], outbox_row)?.collect()
        })
    }

    /// Keeps what an attempt is about to send, before its first byte. `false`, and nothing is kept, when the person has
    /// changed or discarded one of the writes since it was read: then nothing of them may be sent.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_attempt(&self, rows: &mut [OutboxRow]) -> Result<bool, Error> {
        let begun = self.write("the change cannot be kept", |tx| {
            for row in &mut *rows {
                if find(tx, row.id)?
                    .is_none_or(|kept| (&kept.new.key, kept.state) != (&row.new.key, row.state))
                {
                    return Ok(false);
                }
            }
            for row in &mut *rows {
                (row.state, row.attempts) = (WriteState::Sent, row.attempts.saturating_add(1));
                update(tx, row)?;
            }
            Ok(true)
        })?;
        fail::fail_point!("outbox-begun");
        Ok(begun)
    }

    /// Keeps outcomes and what follows from them; of a write that the person has changed or discarded meanwhile, nothing.
    ///
    /// # Errors
    /// [`Error::Database`]: all of them stay as they were.
    pub fn settle(&self, outcomes: &[(OutboxRow, Settled)]) -> Result<(), Error> {
        fail::fail_point!("outbox-replied");
        self.write("the outcome cannot be kept", |tx| {
            outcomes.iter().try_for_each(|(row, outcome)| settle(tx, row, outcome))
        })?;
        fail::fail_point!("outbox-settled");
        Ok(())
    }

    /// Gives up what is too old, and dates what was written while no time was certain. `now` is a confirmed time.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn age_outbox(&self, now: i64) -> Result<(), Error> {
        self.write("the outbox cannot be brought up to date", |tx| {
            tx.execute("UPDATE outbox SET created_at = ?1, dated = 1 WHERE dated = 0", [now])?;
            let oldest = now.saturating_sub(MAX_AGE_S);
            // What the wallet makes by itself is made anew.
            tx.execute(&format!("DELETE FROM outbox WHERE created_at < ?1 AND ({AUTOMATIC})"), [oldest])?;
            tx.execute(
                "UPDATE outbox SET state = 'rejected', reason = ?2 WHERE state = 'waiting' AND created_at < ?1",
                (oldest, RejectionReason::Expired.as_text()),
            )?;
            tx.execute(
                "UPDATE outbox SET state = 'unknown' WHERE state = 'sent' AND created_at < ?1",
                [oldest],
            )?;
            Ok(())
        })
    }
}

fn settle(tx: &Transaction<'_>, row: &OutboxRow, outcome: &Settled) -> rusqlite::Result<()> {
    if find(tx, row.id)?.is_none_or(|kept| kept.new.key != row.new.key) {
        return Ok(());
    }
    let (account, ticket) = (&row.new.account_id, row.new.subject);
    let stays = |state, rejection| OutboxRow { state, rejection, ..row.clone() };
    match outcome {
        Settled::NotSent => {
            let attempts = row.attempts.saturating_sub(1);
            return update(tx, &OutboxRow { attempts, ..stays(WriteState::Waiting, None) });
        }
        Settled::Anew(key) => {
            let mut again = OutboxRow { before: None, attempts: 0, ..stays(WriteState::Waiting, None) };
            again.new.key.clone_from(key);
            forget_statement(&mut again.new.write);
            return update(tx, &again);
        }
        Settled::Rejected(reason, status, code) => {
            return update(tx, &stays(WriteState::Rejected, Some((*reason, *status, code.clone()))));
        }
        Settled::Unknown => return update(tx, &stays(WriteState::Unknown, None)),
        Settled::Dropped => {}
        Settled::Holder(record) => put_ticket_holder(tx, ticket, record)?,
        Settled::Credential(held) => put_credential(tx, ticket, held)?,
        Settled::NotBound(problem) => put_refusal(tx, ticket, Some(problem))?,
        Settled::Reserved(reservation) => {
            let mut waits = row.clone();
            if let Write::Purchase { reservation: held, .. } = &mut waits.new.write {
                *held = Some((**reservation).clone());
            }
            return update(tx, &waits);
        }
        Settled::Listed(listing) => {
            put_listing(tx, account, listing)?;
            expect_version(tx, row, listing.version)?;
        }
        Settled::Declined => {}
        Settled::Acquired(acquired) => {
            if let Some(record) = &acquired.ticket {
                put_acquired(tx, account, record)?;
            }
            surrender(tx, ticket)?;
            put_acquired_key(tx, account, ticket, &acquired.handle)?;
            match &acquired.held {
                Some(held) => put_credential(tx, ticket, held)?,
                None => put_refusal(tx, ticket, None)?,
            }
        }
        Settled::Surrendered => surrender(tx, ticket)?,
        Settled::TransferCreated(transfer) => {
            surrender(tx, ticket)?;
            put_transfer(tx, account, transfer)?;
        }
        Settled::TransferEnded(id, state) => {
            put_transfer_state(tx, account, id, ticket, state)?;
        }
    }
    tx.execute("DELETE FROM outbox WHERE id = ?1", [row.id])?;
    match (row.new.write.acquired_key(), outcome) {
        (_, Settled::Acquired(_)) | (None, _) => Ok(()),
        (Some(handle), _) => doom_key(tx, handle),
    }
}

/// What was asked for behind a change of the person's own is about the version that it made.
fn expect_version(tx: &Transaction<'_>, row: &OutboxRow, version: i64) -> rusqlite::Result<()> {
    let Write::EditListing { expected, .. } = &row.new.write else { return Ok(()) };
    tx.execute(
        "UPDATE outbox SET payload = json_set(payload, '$.expected', ?4)
         WHERE subject = ?1 AND id > ?2 AND payload ->> 'expected' = ?3 AND state = 'waiting'",
        (&row.new.subject.0[..], row.id, expected, version),
    )?;
    Ok(())
}
