//! The outbox: writes that were accepted, until their outcome is known. Nothing is dropped from it but by its outcome
//! or by the person.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};

use super::Store;
use super::credentials::{HeldCredential, put_credential, put_refusal, surrender};
use super::tickets::put_ticket_holder;
use super::transfers::{StoredTransfer, put_transfer, put_transfer_state};
use crate::error::Error;
use crate::model::{OutboxItem, RejectionReason, TicketHash, TransferState, Write, WriteState};

/// More waiting writes than anybody makes by hand: a full outbox refuses new ones.
const MAX_ROWS: i64 = 500;
/// A write that was never sent is given up after this many seconds: 30 days.
const MAX_AGE_S: i64 = 30 * 86_400;

/// A write to accept.
#[derive(Clone, PartialEq, Eq)]
pub struct NewWrite {
    /// The account that it is sent for.
    pub account_id: String,
    /// The ticket it is about.
    pub subject: TicketHash,
    /// What to write.
    pub write: Write,
    /// Idempotency key.
    pub key: String,
    /// Unix seconds.
    pub created_at: i64,
    /// Whether a server stood behind that time.
    pub dated: bool,
}

/// A write as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct OutboxRow {
    /// Grows in the order of acceptance.
    pub id: i64,
    /// The write.
    pub new: NewWrite,
    /// Where it stands.
    pub state: WriteState,
    /// How often it was sent and may have been carried out.
    pub attempts: u32,
    /// What the server held before the first attempt, as JSON.
    pub before: Option<String>,
    /// Why it was rejected: reason, status, code.
    pub rejection: Option<(RejectionReason, Option<u16>, Option<String>)>,
}

/// The outcome of a write, with what it changes here.
#[derive(Clone, PartialEq, Eq)]
pub enum Settled {
    /// The ticket's holder is this now, the system's record as JSON.
    Holder(String),
    /// The ticket is bound, or its lease renewed.
    Credential(Box<HeldCredential>),
    /// The server refused to bind or renew, with this problem; the ticket tells it and the next sync tries anew.
    NotBound(String),
    /// The credential was given up.
    Surrendered,
    /// The transfer is under way.
    TransferCreated(StoredTransfer),
    /// The transfer with this id has ended.
    TransferEnded(String, TransferState),
    /// Surely not applied, to be sent again.
    NotSent,
    /// Surely not applied, to be sent again under another key and stated anew.
    Anew(String),
    /// Refused; it stays until the person decides.
    Rejected(RejectionReason, Option<u16>, Option<String>),
    /// Nothing tells what became of it; it stays until the person decides.
    Unknown,
    /// What the wallet made by itself and will make again.
    Dropped,
}

opaque_debug!(NewWrite, OutboxRow, Settled);

impl Store {
    /// Accepts a person's write. Once this has returned, it is not lost.
    ///
    /// # Errors
    /// [`Error::OutboxFull`], [`Error::Database`].
    pub fn enqueue(&self, new: &NewWrite) -> Result<i64, Error> {
        let id = self.write("the change cannot be kept", |tx| {
            let waiting: i64 =
                tx.query_row(&format!("SELECT count(*) FROM outbox WHERE NOT ({AUTOMATIC})"), [], |row| {
                    row.get(0)
                })?;
            if waiting >= MAX_ROWS { Ok(None) } else { insert(tx, new).map(Some) }
        })?;
        fail::fail_point!("outbox-accepted");
        id.ok_or(Error::OutboxFull)
    }

    /// Keeps writes that the wallet makes by itself, all with one key, for tickets about which nothing waits.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn enqueue_automatic(&self, batch: &[NewWrite]) -> Result<(), Error> {
        self.write("the barcodes cannot be asked for", |tx| {
            for new in batch {
                if !has_rows(tx, new.subject)? {
                    insert(tx, new)?;
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

    /// Sends a write again that waits for the person; `fresh` is its key where the old one has had its answer, `now` the
    /// Unix second and whether a server stands behind it.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Input`] when it needs nobody; [`Error::Database`].
    pub fn retry_write(&self, id: i64, fresh: &str, now: (i64, bool)) -> Result<OutboxRow, Error> {
        self.decide(id, |row| {
            match row.state {
                WriteState::Rejected => {
                    row.new.key = fresh.to_owned();
                    forget_statement(&mut row.new.write);
                    accept_what_is_there(&mut row.new.write);
                    (row.state, row.before, row.attempts) = (WriteState::Waiting, None, 0);
                }
                // What no server tells is sent as if for the first time.
                WriteState::Unknown if !row.new.write.is_repeatable() => row.state = WriteState::Waiting,
                WriteState::Unknown => row.state = WriteState::Sent,
                // Saved from a damaged wallet: what had been sent may have been answered.
                WriteState::Held if row.attempts > 0 => row.state = WriteState::Sent,
                // What was before it may be lost.
                WriteState::Held => {
                    accept_what_is_there(&mut row.new.write);
                    row.state = WriteState::Waiting;
                }
                WriteState::Waiting | WriteState::Sent => return Err("it is being sent by itself"),
            }
            ((row.new.created_at, row.new.dated), row.rejection) = (now, None);
            Ok(())
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
        self.decide(id, |row| {
            let unsent = row.attempts == 0 && matches!(row.state, WriteState::Waiting | WriteState::Held);
            if !unsent && row.state != WriteState::Rejected {
                return Err("what it does may have happened already; retry or discard it");
            }
            row.new = NewWrite { write, key: fresh.to_owned(), created_at, dated, ..row.new.clone() };
            if row.state == WriteState::Rejected {
                accept_what_is_there(&mut row.new.write);
            }
            (row.state, row.before, row.attempts, row.rejection) = (WriteState::Waiting, None, 0, None);
            Ok(())
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
            Ok(Some(Ok(row)))
        })?;
        found
            .ok_or(Error::NotFound { what: "change in the outbox" })?
            .map_err(|reason: &str| Error::Input { field: "id", reason: reason.to_owned() })
    }

    fn decide(
        &self,
        id: i64,
        change: impl FnOnce(&mut OutboxRow) -> Result<(), &'static str>,
    ) -> Result<OutboxRow, Error> {
        let decided = self.write("the change cannot be kept", |tx| {
            let Some(mut row) = find(tx, id)? else { return Ok(None) };
            if let Err(reason) = change(&mut row) {
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

impl From<OutboxRow> for OutboxItem {
    fn from(row: OutboxRow) -> Self {
        let (rejection, status, server_code) = match row.rejection {
            Some((reason, status, code)) => (Some(reason), status, code),
            None => (None, None, None),
        };
        Self {
            id: row.id,
            account_id: row.new.account_id,
            ticket_id: row.new.subject.to_string(),
            kind: row.new.write.kind(),
            state: row.state,
            created_at: row.new.created_at,
            attempts: row.attempts,
            content: row.new.write.content(),
            rejection,
            status,
            server_code,
        }
    }
}

const COLUMNS: &str = "id, account_id, subject, payload, idempotency_key, created_at, dated, state, attempts, before, \
                       reason, status, server_code";

/// Picks what [`Write::is_automatic`] is.
const AUTOMATIC: &str =
    "payload ->> 'kind' = 'renew' OR payload ->> 'kind' = 'bind' AND NOT payload ->> 'move'";

fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
    let wrong = || rusqlite::Error::InvalidQuery;
    let reason: Option<String> = row.get(10)?;
    let rejection = match reason.as_deref().map(RejectionReason::from_text) {
        Some(reason) => Some((reason.ok_or_else(wrong)?, row.get(11)?, row.get(12)?)),
        None => None,
    };
    Ok(OutboxRow {
        id: row.get(0)?,
        new: NewWrite {
            account_id: row.get(1)?,
            subject: TicketHash(row.get(2)?),
            write: serde_json::from_str(row.get_ref(3)?.as_str()?).map_err(|_| wrong())?,
            key: row.get(4)?,
            created_at: row.get(5)?,
            dated: row.get(6)?,
        },
        state: WriteState::from_text(row.get_ref(7)?.as_str()?).ok_or_else(wrong)?,
        attempts: row.get(8)?,
        before: row.get(9)?,
        rejection,
    })
}

/// Every write.
pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<OutboxRow>> {
    selected(db, None, None)
}

fn selected(
    db: &Connection,
    account_id: Option<&str>,
    subject: Option<TicketHash>,
) -> rusqlite::Result<Vec<OutboxRow>> {
    let mut statement = db.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM outbox WHERE (:account IS NULL OR account_id = :account)
         AND (:subject IS NULL OR subject = :subject) ORDER BY id"
    ))?;
    let subject = subject.map(|subject| subject.0);
    let named = named_params! { ":account": account_id, ":subject": subject.as_ref().map(|s| &s[..]) };
    statement.query_map(named, outbox_row)?.collect()
}

pub(super) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<OutboxRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?
        .query_row([id], outbox_row)
        .optional()
}

/// A statement is bound to its idempotency key: another key needs another one.
fn forget_statement(write: &mut Write) {
    if let Some(statement) = write.statement_mut() {
        *statement = None;
    }
}

/// Whoever repeats a write that met a change made elsewhere has seen that change.
fn accept_what_is_there(write: &mut Write) {
    if let Write::SaveTicketHolder { expected, .. } = write {
        *expected = None;
    }
}

fn payload(write: &Write) -> String {
    // Every part of it is JSON by nature.
    serde_json::to_string(write).unwrap_or_default()
}

pub(super) fn has_rows(db: &Connection, subject: TicketHash) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE subject = ?1)")?
        .query_row([&subject.0[..]], |row| row.get(0))
}

fn insert(tx: &Transaction<'_>, new: &NewWrite) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO outbox (account_id, subject, payload, idempotency_key, created_at, dated, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'waiting')",
    )?
    .execute((
        &new.account_id,
        &new.subject.0[..],
        payload(&new.write),
        &new.key,
        new.created_at,
        new.dated,
    ))?;
    Ok(tx.last_insert_rowid())
}

fn update(tx: &Transaction<'_>, row: &OutboxRow) -> rusqlite::Result<()> {
    let (reason, status, code) = match &row.rejection {
        Some((reason, status, code)) => (Some(reason.as_text()), *status, code.as_deref()),
        None => (None, None, None),
    };
    tx.prepare_cached(
        "UPDATE outbox SET payload = ?2, idempotency_key = ?3, created_at = ?4, state = ?5, attempts = ?6, before = ?7,
                reason = ?8, status = ?9, server_code = ?10, dated = ?11 WHERE id = ?1",
    )?
    .execute((
        row.id,
        payload(&row.new.write),
        &row.new.key,
        row.new.created_at,
        row.state.as_text(),
        row.attempts,
        &row.before,
        reason,
        status,
        code,
        row.new.dated,
    ))?;
    Ok(())
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
    Ok(())
}
