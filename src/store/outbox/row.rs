//! Writes as they are kept, a row of the outbox each.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, named_params};

use crate::model::{
    HeldReservation, OutboxItem, PulledTicket, RejectionReason, TicketHash, TransferState, Write, WriteState,
};
use crate::store::credentials::HeldCredential;
use crate::store::listings::StoredListing;
use crate::store::transfers::StoredTransfer;

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
    /// The ticket is listed, or its listing stands so now.
    Listed(Box<StoredListing>),
    /// The listing is held for the account until it is paid for; what became of that is asked for later.
    Reserved(Box<HeldReservation>),
    /// The ticket is the account's.
    Acquired(Box<Acquisition>),
    /// The ticket that was offered is not taken.
    Declined,
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

/// A ticket that came to the account by a purchase or a transfer.
#[derive(Clone, PartialEq, Eq)]
pub struct Acquisition {
    /// The ticket; `None` where a pull has brought it.
    pub ticket: Option<PulledTicket>,
    /// The device key that it is bound to.
    pub handle: String,
    /// The credential, where a good one came with it.
    pub held: Option<HeldCredential>,
}

opaque_debug!(NewWrite, OutboxRow, Settled, Acquisition);

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

pub(super) const COLUMNS: &str = "id, account_id, subject, payload, idempotency_key, created_at, dated, state, attempts, before, \
                       reason, status, server_code";

pub(super) fn outbox_row(row: &Row<'_>) -> rusqlite::Result<OutboxRow> {
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

impl OutboxRow {
    /// A write of which nothing was kept.
    pub fn of(new: NewWrite) -> Self {
        Self { id: 0, new, state: WriteState::Waiting, attempts: 0, before: None, rejection: None }
    }

    /// Whether it was never sent, and is not sent by itself.
    pub fn is_on_hold(&self) -> bool {
        self.state == WriteState::Held && self.attempts == 0
    }

    /// Whether it ends the ticket's credential here once it is carried out. A refused one does not.
    pub fn gives_up(&self) -> bool {
        self.state != WriteState::Rejected && self.new.write.ends_credential()
    }
}

/// Every write.
pub(in crate::store) fn all(db: &Connection) -> rusqlite::Result<Vec<OutboxRow>> {
    selected(db, None, None)
}

pub(super) fn selected(
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

pub(in crate::store) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<OutboxRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM outbox WHERE id = ?1"))?
        .query_row([id], outbox_row)
        .optional()
}

/// A statement is bound to its idempotency key, and a reservation came of it: another key needs another one.
pub(super) fn forget_statement(write: &mut Write) {
    if let Some(statement) = write.statement_mut() {
        *statement = None;
    }
    if let Write::Purchase { reservation, .. } = write {
        *reservation = None;
    }
}

fn payload(write: &Write) -> String {
    // Every part of it is JSON by nature.
    serde_json::to_string(write).unwrap_or_default()
}

pub(in crate::store) fn has_rows(db: &Connection, subject: TicketHash) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT EXISTS (SELECT 1 FROM outbox WHERE subject = ?1)")?
        .query_row([&subject.0[..]], |row| row.get(0))
}

pub(super) fn insert(tx: &Transaction<'_>, new: &NewWrite, state: WriteState) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO outbox (account_id, subject, payload, idempotency_key, created_at, dated, state)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute((
        &new.account_id,
        &new.subject.0[..],
        payload(&new.write),
        &new.key,
        new.created_at,
        new.dated,
        state.as_text(),
    ))?;
    Ok(tx.last_insert_rowid())
}

pub(super) fn update(tx: &Transaction<'_>, row: &OutboxRow) -> rusqlite::Result<()> {
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
