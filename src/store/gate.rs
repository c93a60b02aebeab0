//! A gate's scanner, manifest and ledger.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row};
use zeroize::Zeroizing;

use super::Store;
use super::ledger::keep_certificate;
use crate::admission::Standing;
use crate::error::Error;
use crate::ledger::{ChainId, Kind, Record, ScannerId, Verdict};
use crate::model::{EventHash, TicketHash};

/// What a scanner is registered as.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredScanner {
    /// Where, as what and by which keys, as JSON: B.A.M's has a private key in it.
    pub registered: Zeroizing<String>,
    /// The event.
    pub event: EventHash,
    /// The scanner's id at its server; a random one where the server gives none.
    pub scanner: ScannerId,
    /// The handle of its key in the vault.
    pub key_handle: String,
    /// The chain of its records; `None` after a recovery, until another has begun.
    pub chain: Option<ChainId>,
    /// The signed certificate, where the server gives one.
    pub certificate: Option<Vec<u8>>,
}

/// A record that is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The row.
    pub id: i64,
    /// The record.
    pub record: Record,
    /// The code that was scanned, where it is not signed.
    pub code: Option<String>,
    /// Whether the server has it.
    pub sent: bool,
    /// What the server holds against it.
    pub conflict: Option<String>,
    /// Whether it counts.
    pub standing: Standing,
}

/// A record to keep.
#[derive(Clone, Copy)]
pub struct NewRecord<'a> {
    /// The record.
    pub record: &'a Record,
    /// The code that was scanned, where it is not signed.
    pub code: Option<&'a str>,
    /// Whether its server needs to be told.
    pub to_send: bool,
    /// Whether it counts.
    pub standing: Standing,
}

/// How many records of a kind and verdict there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// The kind.
    pub kind: Kind,
    /// The verdict.
    pub verdict: Verdict,
    /// Records.
    pub records: u32,
    /// Persons in them.
    pub persons: u32,
}

opaque_debug!(StoredScanner, StoredRecord, NewRecord<'_>);

pub(super) const RECORD: &str = "id, bytes, code, sent, conflict, standing";

impl Store {
    /// The scanner that this gate is.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn scanner(&self) -> Result<Option<StoredScanner>, Error> {
        self.read("the scanner cannot be read", |db| {
            db.query_row(
                "SELECT registered, event, scanner_id, key_handle, chain, certificate FROM scanner ORDER BY id DESC LIMIT 1",
                [],
                |row| {
                    Ok(StoredScanner {
                        registered: Zeroizing::new(row.get(0)?),
                        event: EventHash(row.get(1)?),
                        scanner: ScannerId(row.get(2)?),
                        key_handle: row.get(3)?,
                        chain: row.get::<_, Option<[u8; 16]>>(4)?.map(ChainId),
                        certificate: row.get(5)?,
                    })
                },
            )
            .optional()
        })
    }

    /// Makes this gate another scanner. The records of the one before stay.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_scanner(&self, new: &StoredScanner) -> Result<(), Error> {
        let chain = new.chain.map(|chain| chain.0);
        self.write("the scanner cannot be kept", |tx| {
            tx.execute(
                "INSERT INTO scanner (registered, event, scanner_id, key_handle, chain, certificate)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (
                    new.registered.as_str(),
                    new.event.0,
                    new.scanner.0,
                    &new.key_handle,
                    chain,
                    &new.certificate,
                ),
            )?;
            // It goes with what this scanner writes, also when this gate has become another one.
            match &new.certificate {
                Some(signed) => keep_certificate(tx, new.event, new.scanner, signed),
                None => Ok(()),
            }
        })
    }

    /// The scanners that this gate is or has been.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn own_scanners(&self) -> Result<BTreeSet<ScannerId>, Error> {
        self.read("the scanners cannot be read", |db| {
            db.prepare("SELECT scanner_id FROM scanner")?
                .query_map([], |row| row.get(0).map(ScannerId))?
                .collect()
        })
    }

    /// Keeps what this gate's scanner is registered as from now on.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_registered(&self, scanner: ScannerId, registered: &str) -> Result<(), Error> {
        self.write("the scanner cannot be kept", |tx| {
            tx.execute(
                "UPDATE scanner SET registered = ?2 WHERE id = (SELECT max(id) FROM scanner) AND scanner_id = ?1",
                (scanner.0, registered),
            )
            .map(drop)
        })
    }

    /// Begins another chain for the scanner.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn begin_chain(&self, chain: ChainId) -> Result<(), Error> {
        self.write("the chain cannot be begun", |tx| {
            tx.execute("UPDATE scanner SET chain = ?1 WHERE id = (SELECT max(id) FROM scanner)", [chain.0])
                .map(drop)
        })
    }

    /// The newest row of the whole ledger; 0 when it is empty.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn newest_record(&self) -> Result<i64, Error> {
        self.read("the ledger cannot be read", |db| {
            db.query_row("SELECT coalesce(max(id), 0) FROM gate_record", [], |row| row.get(0))
        })
    }

    /// All records about a ticket.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn ticket_records(&self, event: EventHash, ticket: TicketHash) -> Result<Vec<StoredRecord>, Error> {
        self.read("the ticket's records cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE ticket = ?1 AND event = ?2 ORDER BY id"
            ))?
            .query_map((ticket.0, event.0), stored)?
            .collect()
        })
    }

    /// The record at a place of a chain.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn record_at(&self, chain: ChainId, sequence: u32) -> Result<StoredRecord, Error> {
        self.read("the record cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE chain = ?1 AND sequence = ?2 ORDER BY id LIMIT 1"
            ))?
            .query_row((chain.0, sequence), stored)
            .optional()
        })?
        .ok_or(Error::NotFound { what: "record" })
    }

    /// An event's records, the newest first, `limit` at most.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn records(&self, event: EventHash, limit: u32) -> Result<Vec<StoredRecord>, Error> {
        self.read("the records cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE event = ?1 ORDER BY id DESC LIMIT ?2"
            ))?
            .query_map((event.0, limit), stored)?
            .collect()
        })
    }

    /// Records that the server does not have, the oldest first, after a row, `limit` at most.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn unsent_records(
        &self,
        event: EventHash,
        after: i64,
        limit: u32,
    ) -> Result<Vec<StoredRecord>, Error> {
        self.read("the records cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE sent = 0 AND event = ?1 AND id > ?2 ORDER BY id LIMIT ?3"
            ))?
            .query_map((event.0, after, limit), stored)?
            .collect()
        })
    }

    /// Keeps that the server has records, and what it holds against some.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn mark_records_sent(&self, rows: &[(i64, Option<String>)]) -> Result<(), Error> {
        self.write("the records cannot be marked", |tx| {
            let mut mark = tx.prepare_cached(
                "UPDATE gate_record SET sent = 1, conflict = coalesce(?2, conflict) WHERE id = ?1",
            )?;
            rows.iter().try_for_each(|(id, conflict)| mark.execute((id, conflict)).map(drop))
        })
    }

    /// Keeps that an event's server may have none of its records.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn mark_records_unsent(&self, event: EventHash) -> Result<(), Error> {
        self.write("the records cannot be marked", |tx| {
            tx.execute("UPDATE gate_record SET sent = 0 WHERE event = ?1", [event.0]).map(drop)
        })
    }

    /// How many records there are of all events, and how many of them no server has.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count_records(&self) -> Result<(u32, u32), Error> {
        self.read("the records cannot be counted", |db| {
            db.query_row("SELECT count(*), count(*) FILTER (WHERE sent = 0) FROM gate_record", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
        })
    }

    /// Keeps what there is to say of a record that still waits to be sent, in place of what was said before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn note_record(&self, id: i64, note: Option<&str>) -> Result<(), Error> {
        self.write("the record cannot be marked", |tx| {
            tx.execute("UPDATE gate_record SET conflict = ?2 WHERE id = ?1 AND sent = 0", (id, note))
                .map(drop)
        })
    }

    /// Keeps that the server has a record, and what it holds against it, in place of what was said before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn settle_record(&self, id: i64, conflict: Option<&str>) -> Result<(), Error> {
        self.write("the record cannot be marked", |tx| {
            tx.execute("UPDATE gate_record SET sent = 1, conflict = ?2 WHERE id = ?1", (id, conflict))
                .map(drop)
        })
    }

    /// How many records of each kind and verdict an event has that count, or that are of this chain, and how many wait to
    /// be sent.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tallies(&self, event: EventHash, own: Option<ChainId>) -> Result<(Vec<Tally>, u32), Error> {
        self.read("the records cannot be counted", |db| {
            let tallies = db
                .prepare_cached(
                    "SELECT kind, verdict, count(*), sum(persons) FROM gate_record
                     WHERE event = ?1 AND (standing < ?2 OR chain = ?3) GROUP BY kind, verdict",
                )?
                .query_map((event.0, Standing::Failed as u8, own.map(|chain| chain.0)), |row| {
                    let wrong = || rusqlite::Error::InvalidQuery;
                    Ok(Tally {
                        kind: Kind::from_number(row.get(0)?).ok_or_else(wrong)?,
                        verdict: Verdict::from_number(row.get(1)?).ok_or_else(wrong)?,
                        records: row.get(2)?,
                        // Others' records may name any number.
                        persons: u32::try_from(row.get::<_, i64>(3)?).unwrap_or(u32::MAX),
                    })
                })?
                .collect::<Result<_, _>>()?;
            let unsent = db.query_row(
                "SELECT count(*) FROM gate_record WHERE sent = 0 AND event = ?1",
                [event.0],
                |row| row.get(0),
            )?;
            Ok((tallies, unsent))
        })
    }
}

/// Keeps a record that is not there yet; returns whether it was not.
pub(super) fn insert_record(db: &Connection, new: NewRecord<'_>) -> rusqlite::Result<bool> {
    let fields = new.record.fields();
    let changed = db
        .prepare_cached(
            "INSERT OR IGNORE INTO gate_record (event, chain, sequence, hash, ticket, kind, verdict, persons, time_ms, bytes, sent, code, standing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(rusqlite::params![
            fields.event.0,
            fields.chain.0,
            fields.sequence,
            new.record.hash(),
            fields.ticket.map(|ticket| ticket.0),
            fields.kind as u8,
            fields.verdict as u8,
            fields.persons,
            i64::try_from(fields.time_ms).unwrap_or(i64::MAX),
            new.record.as_bytes(),
            !new.to_send,
            new.code,
            new.standing as u8,
        ])?;
    Ok(changed > 0)
}

pub(super) fn set_standings(db: &Connection, standings: &[(i64, Standing)]) -> rusqlite::Result<()> {
    let mut set = db.prepare_cached("UPDATE gate_record SET standing = ?2 WHERE id = ?1")?;
    standings.iter().try_for_each(|(id, standing)| set.execute((id, *standing as u8)).map(drop))
}

pub(super) fn stored(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    let wrong = || rusqlite::Error::InvalidQuery;
    let record = Record::from_bytes(row.get_ref(1)?.as_blob()?).map_err(|_| wrong())?;
    Ok(StoredRecord {
        id: row.get(0)?,
        record,
        code: row.get(2)?,
        sent: row.get(3)?,
        conflict: row.get(4)?,
        standing: Standing::from_number(row.get(5)?).ok_or_else(wrong)?,
    })
}
