//! The journal: every write of a user or a scanner that was applied, in order. An entry is part of its write's transaction, so
//! refusals and replies that are given again leave none.

use rusqlite::{Connection, Row};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A write that was applied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalEntry {
    /// Counts from 1, without gaps.
    pub seq: i64,
    /// The name of the user, or of the scanner, whose write it was.
    pub user: String,
    /// What was done, for example `credential.bind`, or `gate.records` for records that were handed over.
    pub kind: String,
    /// What it was done to; a ticket, and of `gate.records` an event, is `tenant/id`.
    pub subject: String,
    /// The idempotency key, without quotes; `None` for writes that take none.
    pub idempotency_key: Option<String>,
    /// More about it; the members depend on the kind.
    pub detail: Value,
}

/// A write that is being applied.
#[derive(Debug)]
pub(crate) struct Applied<'a> {
    pub(crate) user_id: i64,
    pub(crate) kind: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) ticket_id: i64,
    pub(crate) idempotency_key: Option<&'a str>,
    pub(crate) detail: Value,
}

impl Applied<'_> {
    /// Writes the entry.
    pub(crate) fn record(&self, db: &Connection) -> rusqlite::Result<()> {
        let user: String =
            db.query_row("SELECT name FROM user WHERE id = ?1", [self.user_id], |row| row.get(0))?;
        let subject = format!("{}/{}", self.tenant, self.ticket_id);
        record(db, &user, self.kind, &subject, self.idempotency_key, &self.detail)
    }
}

/// Writes an entry.
pub(crate) fn record(
    db: &Connection,
    user: &str,
    kind: &str,
    subject: &str,
    idempotency_key: Option<&str>,
    detail: &Value,
) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO journal (user, kind, subject, idempotency_key, detail) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((user, kind, subject, idempotency_key, detail.to_string()))?;
    Ok(())
}

/// All entries so far.
pub(crate) fn entries(db: &Connection) -> rusqlite::Result<Vec<JournalEntry>> {
    db.prepare_cached("SELECT seq, user, kind, subject, idempotency_key, detail FROM journal ORDER BY seq")?
        .query_map([], entry)?
        .collect()
}

fn entry(row: &Row<'_>) -> rusqlite::Result<JournalEntry> {
    let detail: String = row.get(5)?;
    Ok(JournalEntry {
        seq: row.get(0)?,
        user: row.get(1)?,
        kind: row.get(2)?,
        subject: row.get(3)?,
        idempotency_key: row.get(4)?,
        detail: serde_json::from_str(&detail).unwrap_or_default(),
    })
}
