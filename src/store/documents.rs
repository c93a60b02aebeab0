//! Files of tickets and orders, codes that never change, and certificates: what systems hand out whole.

use rusqlite::{OptionalExtension as _, Row};

use super::Store;
use crate::error::Error;
use crate::model::{Document, StaticCode, Symbology, TicketHash};

/// A file as it came.
#[derive(Clone, PartialEq, Eq)]
pub struct NewDocument<'a> {
    /// The account it was fetched for.
    pub account_id: &'a str,
    /// What it belongs to: `ticket/` or `order/` and an id.
    pub subject: &'a str,
    /// Media type.
    pub media_type: &'a str,
    /// Unix seconds.
    pub fetched_at: i64,
    /// The file.
    pub bytes: &'a [u8],
}

/// A person's certificate at a system.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredEnrollment {
    /// The enrolment's id.
    pub enrollment_id: String,
    /// X.509, PEM.
    pub certificate: String,
    /// The private key that came with it, sealed by the key vault.
    pub sealed_key: Vec<u8>,
}

/// A ticket whose code is to be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeWanted {
    /// The ticket.
    pub ticket: TicketHash,
    /// The tenant that sold it.
    pub tenant: Option<String>,
    /// The system's ticket id.
    pub remote_id: String,
    /// The system's record of the event, as JSON.
    pub event: String,
}

opaque_debug!(NewDocument<'_>, StoredEnrollment);

impl Store {
    /// Keeps a file in place of an older one of the same kind, and gives its id.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_document(&self, new: &NewDocument<'_>) -> Result<i64, Error> {
        self.write("the document cannot be kept", |tx| {
            tx.query_row(
                "INSERT INTO document (account_id, subject, media_type, fetched_at, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (account_id, subject, media_type) DO UPDATE SET fetched_at = ?4, bytes = ?5 RETURNING id",
                (new.account_id, new.subject, new.media_type, new.fetched_at, new.bytes),
                |row| row.get(0),
            )
        })
    }

    /// The files of one subject, or of all, without their bytes.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn documents(&self, account_id: &str, subject: Option<&str>) -> Result<Vec<Document>, Error> {
        self.read("the documents cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT id, account_id, subject, media_type, fetched_at, length(bytes) FROM document
                 WHERE account_id = ?1 AND (?2 IS NULL OR subject = ?2) ORDER BY id",
            )?;
            statement.query_map((account_id, subject), document)?.collect()
        })
    }

    /// A file.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn document_bytes(&self, id: i64) -> Result<Vec<u8>, Error> {
        self.read("the document cannot be read", |db| {
            db.query_row("SELECT bytes FROM document WHERE id = ?1", [id], |row| row.get(0)).optional()
        })?
        .ok_or(Error::NotFound { what: "document" })
    }

    /// Keeps a ticket's code.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_static_code(
        &self,
        ticket: TicketHash,
        code: &StaticCode,
        verified: bool,
    ) -> Result<(), Error> {
        self.write("the code cannot be kept", |tx| put_static_code(tx, ticket, code, verified))
    }

    /// A ticket's code that never changes.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn static_code(&self, ticket: TicketHash) -> Result<Option<StaticCode>, Error> {
        self.read("the code cannot be read", |db| {
            db.prepare_cached("SELECT text, symbology, source FROM static_code WHERE ticket_id = ?1")?
                .query_row([&ticket.0[..]], |row| {
                    Ok(StaticCode {
                        text: row.get(0)?,
                        symbology: Symbology::from_text(row.get_ref(1)?.as_str()?),
                        source: row.get(2)?,
                    })
                })
                .optional()
        })
    }

    /// SECURE tickets of an account that show a code that never changes and have none yet, starting before `until`
    /// (Unix seconds) and not ended before `now`; `limit` at most, soonest first.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn codes_wanted(
        &self,
        account_id: &str,
        now: i64,
        until: i64,
        limit: u32,
    ) -> Result<Vec<CodeWanted>, Error> {
        self.read("the tickets cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT t.id, b.tenant, b.remote_id, coalesce(e.body, '{}') FROM ticket t
                 JOIN ticket_body b ON b.ticket_id = t.id LEFT JOIN event e ON e.hash = t.event
                 WHERE t.account_id = ?1 AND t.profile = 'static' AND t.format = 'SECURE' AND t.absences = 0
                 AND t.status IN ('issued', 'activated') AND (t.pinned = 1 OR t.starts_at <= ?3)
                 AND (t.pinned = 1 OR coalesce(t.ends_at, t.starts_at + 86400) >= ?2)
                 AND NOT EXISTS (SELECT 1 FROM static_code c WHERE c.ticket_id = t.id)
                 ORDER BY t.list_order, t.id LIMIT ?4",
            )?;
            let rows = statement.query_map((account_id, now, until, limit), |row| {
                Ok(CodeWanted {
                    ticket: TicketHash(row.get(0)?),
                    tenant: row.get(1)?,
                    remote_id: row.get(2)?,
                    event: row.get(3)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Keeps an account's certificate in place of an older one.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_enrollment(&self, account_id: &str, enrollment: &StoredEnrollment) -> Result<(), Error> {
        let StoredEnrollment { enrollment_id, certificate, sealed_key } = enrollment;
        self.write("the certificate cannot be kept", |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO enrollment (account_id, enrollment_id, certificate, sealed_key)
                 VALUES (?1, ?2, ?3, ?4)",
                (account_id, enrollment_id, certificate, sealed_key),
            )?;
            tx.execute("DELETE FROM setting WHERE name = ?1", [enrolling(account_id)]).map(drop)
        })
    }

    /// Keeps that a certificate is about to be asked for.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_enrolling(&self, account_id: &str, now: i64) -> Result<(), Error> {
        self.write("the certificate cannot be kept", |tx| {
            let sql = "INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)";
            tx.execute(sql, (enrolling(account_id), now.to_string())).map(drop)
        })
    }

    /// Forgets it: the server has surely made none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn end_enrolling(&self, account_id: &str) -> Result<(), Error> {
        self.write("the certificate cannot be kept", |tx| {
            tx.execute("DELETE FROM setting WHERE name = ?1", [enrolling(account_id)]).map(drop)
        })
    }

    /// Since when, in Unix seconds, it is not known whether the server has made a certificate that was asked for.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn enrolling_since(&self, account_id: &str) -> Result<Option<i64>, Error> {
        let value: Option<String> = self.read("the certificate cannot be read", |db| {
            db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([enrolling(account_id)], |row| row.get(0))
                .optional()
        })?;
        Ok(value.map(|value| value.parse().unwrap_or_default()))
    }

    /// An account's certificate.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn enrollment(&self, account_id: &str) -> Result<Option<StoredEnrollment>, Error> {
        self.read("the certificate cannot be read", |db| {
            db.prepare_cached(
                "SELECT enrollment_id, certificate, sealed_key FROM enrollment WHERE account_id = ?1",
            )?
            .query_row([account_id], |row| {
                Ok(StoredEnrollment {
                    enrollment_id: row.get(0)?,
                    certificate: row.get(1)?,
                    sealed_key: row.get(2)?,
                })
            })
            .optional()
        })
    }
}

/// The setting that says since when an account's certificate is asked for.
fn enrolling(account_id: &str) -> String {
    format!("enrolling/{account_id}")
}

/// Keeps a ticket's code within a transaction. A code with a checked signature gives way to none without.
pub(super) fn put_static_code(
    tx: &rusqlite::Connection,
    ticket: TicketHash,
    code: &StaticCode,
    verified: bool,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO static_code (ticket_id, text, symbology, source, verified) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (ticket_id) DO UPDATE SET text = ?2, symbology = ?3, source = ?4, verified = ?5
         WHERE verified <= ?5",
    )?
    .execute((&ticket.0[..], &code.text, code.symbology.as_text(), &code.source, verified))
    .map(drop)
}

fn document(row: &Row<'_>) -> rusqlite::Result<Document> {
    Ok(Document {
        id: row.get(0)?,
        account_id: row.get(1)?,
        subject: row.get(2)?,
        media_type: row.get(3)?,
        fetched_at: row.get(4)?,
        size: row.get::<_, i64>(5)?.unsigned_abs(),
    })
}
