//! The ledger as scanners exchange it: chain by chain, with whose records they are and how far each was heard.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Store;
use super::gate::{NewRecord, RECORD, StoredRecord, insert_record, set_standings, stored};
use crate::admission::Standing;
use crate::error::Error;
use crate::ledger::{ChainHead, ChainId, Kind, Place, Record, ScannerId};
use crate::model::{EventHash, TicketHash};

/// So many chains of a scanner are known by their heads alone.
const MOST_EMPTY_CHAINS: u32 = 16;

/// What came from others, all of it checked.
#[derive(Default)]
pub struct TakenIn {
    /// Signed certificates, each with its scanner's id.
    pub certificates: Vec<(ScannerId, Vec<u8>)>,
    /// The newest heads.
    pub heads: Vec<ChainHead>,
    /// Records that are not there yet, and whether they count.
    pub records: Vec<(Record, Standing)>,
    /// What that changes for records that are there.
    pub standings: Vec<(i64, Standing)>,
    /// Records that are there, and that the server has too.
    pub at_server: Vec<Place>,
    /// Whether the server has the records.
    pub by_server: bool,
}

opaque_debug!(TakenIn);

/// A chain, and how far it is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainTally {
    /// The chain.
    pub chain: ChainId,
    /// Whose it is.
    pub scanner: ScannerId,
    /// Records that are here.
    pub records: u32,
    /// The last place that has one; 0 where none has.
    pub last: u32,
    /// The newest record's time, Unix milliseconds.
    pub newest_ms: Option<u64>,
}

impl Store {
    /// Keeps what came from others, all of it or nothing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn take_in(&self, event: EventHash, taken: &TakenIn) -> Result<(), Error> {
        self.write("what others sent cannot be kept", |tx| {
            for (scanner, bytes) in &taken.certificates {
                keep_certificate(tx, event, *scanner, bytes)?;
            }
            let mut hear = tx.prepare_cached(
                "INSERT OR REPLACE INTO gate_head (chain, event, bytes) VALUES (?1, ?2, ?3)",
            )?;
            for head in &taken.heads {
                hear.execute((head.fields().chain.0, event.0, head.as_bytes()))?;
            }
            let told: BTreeSet<_> = taken.heads.iter().map(|head| head.fields().scanner).collect();
            told.into_iter().try_for_each(|scanner| forget_most_heads(tx, event, scanner))?;
            for (record, standing) in &taken.records {
                let to_send = !taken.by_server;
                insert_record(tx, NewRecord { record, code: None, to_send, standing: *standing })?;
            }
            let mut mark = tx.prepare_cached(
                "UPDATE gate_record SET sent = 1 WHERE sent = 0 AND chain = ?1 AND sequence = ?2 AND hash = ?3",
            )?;
            for at in &taken.at_server {
                mark.execute((at.chain.0, at.sequence, at.hash))?;
            }
            set_standings(tx, &taken.standings)?;
            fail::fail_point!("delta-written");
            Ok(())
        })?;
        fail::fail_point!("delta-kept");
        Ok(())
    }

    /// Certificates of others at an event, as they were signed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate_certificates(&self, event: EventHash) -> Result<Vec<Vec<u8>>, Error> {
        self.read("the scanners' certificates cannot be read", |db| {
            db.prepare_cached("SELECT bytes FROM gate_certificate WHERE event = ?1 ORDER BY scanner, bytes")?
                .query_map([event.0], |row| row.get(0))?
                .collect()
        })
    }

    /// The newest head of each other chain at an event.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate_heads(&self, event: EventHash) -> Result<Vec<ChainHead>, Error> {
        self.read("the scanners' heads cannot be read", |db| {
            db.prepare_cached("SELECT bytes FROM gate_head WHERE event = ?1 ORDER BY chain")?
                .query_map([event.0], |row| {
                    ChainHead::from_bytes(row.get_ref(0)?.as_blob()?)
                        .map_err(|_| rusqlite::Error::InvalidQuery)
                })?
                .collect()
        })
    }

    /// Chains of which an event has records, rising.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn chains(&self, event: EventHash) -> Result<BTreeSet<ChainId>, Error> {
        self.read("the ledger cannot be read", |db| {
            // Goes from chain to chain through the index, and not over every record.
            let mut next = db.prepare_cached(
                "SELECT chain, event FROM gate_record WHERE chain > ?1 ORDER BY chain LIMIT 1",
            )?;
            let (mut found, mut at) = (BTreeSet::new(), Vec::new());
            let mut after = |at: &[u8]| -> rusqlite::Result<Option<([u8; 16], [u8; 8])>> {
                next.query_map([at], |row| Ok((row.get(0)?, row.get(1)?)))?.next().transpose()
            };
            while let Some((chain, of)) = after(&at)? {
                if of == event.0 {
                    found.insert(ChainId(chain));
                }
                at = chain.to_vec();
            }
            Ok(found)
        })
    }

    /// How far each chain of an event is here, rising.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn chain_tallies(&self, event: EventHash) -> Result<Vec<ChainTally>, Error> {
        self.read("the ledger cannot be read", |db| {
            // Bytes 21 to 28 of a record are its scanner (docs/gate.md, "Ledger record").
            db.prepare_cached(
                "SELECT chain, substr(min(bytes), 21, 8), count(*), max(sequence), max(time_ms)
                 FROM gate_record WHERE event = ?1 GROUP BY chain ORDER BY chain",
            )?
            .query_map([event.0], |row| {
                let newest: i64 = row.get(4)?;
                Ok(ChainTally {
                    chain: ChainId(row.get(0)?),
                    scanner: ScannerId(row.get(1)?),
                    records: row.get(2)?,
                    last: row.get(3)?,
                    newest_ms: u64::try_from(newest).ok(),
                })
            })?
            .collect()
        })
    }

    /// The places of a chain that have a record, rising.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn places(&self, chain: ChainId) -> Result<Vec<(u32, [u8; 32])>, Error> {
        self.read("the chain cannot be read", |db| {
            db.prepare_cached(
                "SELECT sequence, hash FROM gate_record WHERE chain = ?1 ORDER BY sequence, hash",
            )?
            .query_map([chain.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect()
        })
    }

    /// Records of a chain after a place, rising, `limit` at most.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn chain_records(&self, after: &Place, limit: u32) -> Result<Vec<StoredRecord>, Error> {
        self.read("the chain cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE chain = ?1 AND (sequence, hash) > (?2, ?3)
                 ORDER BY sequence, hash LIMIT ?4"
            ))?
            .query_map((after.chain.0, after.sequence, after.hash, limit), stored)?
            .collect()
        })
    }

    /// Whether a record is there.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn has_record(&self, place: &Place) -> Result<bool, Error> {
        self.read("the ledger cannot be read", |db| {
            db.prepare_cached("SELECT 1 FROM gate_record WHERE chain = ?1 AND sequence = ?2 AND hash = ?3")?
                .exists((place.chain.0, place.sequence, place.hash))
        })
    }

    /// An event's records of a kind.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn records_of_kind(&self, event: EventHash, kind: Kind) -> Result<Vec<StoredRecord>, Error> {
        self.read("the records cannot be read", |db| {
            db.prepare_cached(&format!("SELECT {RECORD} FROM gate_record WHERE event = ?1 AND kind = ?2"))?
                .query_map((event.0, kind as u8), stored)?
                .collect()
        })
    }

    /// An event's records that do not simply count.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn doubtful_records(&self, event: EventHash) -> Result<Vec<StoredRecord>, Error> {
        self.read("the records cannot be read", |db| {
            db.prepare_cached(&format!(
                "SELECT {RECORD} FROM gate_record WHERE event = ?1 AND standing <> ?2 ORDER BY chain, sequence, hash"
            ))?
            .query_map((event.0, Standing::Counted as u8), stored)?
            .collect()
        })
    }

    /// Tickets that were let in more than once, by rising id.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn tickets_entered_again(&self, event: EventHash) -> Result<Vec<TicketHash>, Error> {
        self.read("the records cannot be read", |db| {
            db.prepare_cached(
                "SELECT ticket FROM gate_record
                 WHERE event = ?1 AND ticket NOT NULL AND kind IN (?2, ?3) AND standing < ?4
                 GROUP BY ticket HAVING count(*) > 1 OR sum(persons) > 1 ORDER BY ticket",
            )?
            .query_map(
                (event.0, Kind::Admission as u8, Kind::Override as u8, Standing::Failed as u8),
                |row| row.get(0).map(TicketHash),
            )?
            .collect()
        })
    }

    /// Places of an event's chains that more than one record claims, with how many.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forked_places(&self, event: EventHash) -> Result<Vec<(ChainId, u32, u32)>, Error> {
        self.read("the ledger cannot be read", |db| {
            db.prepare_cached(
                "SELECT chain, sequence, count(*) FROM gate_record WHERE event = ?1
                 GROUP BY chain, sequence HAVING count(*) > 1 ORDER BY chain, sequence",
            )?
            .query_map([event.0], |row| Ok((ChainId(row.get(0)?), row.get(1)?, row.get(2)?)))?
            .collect()
        })
    }

    /// Records of an event of which the one before is not there: chain, sequence, and the last place before it that has any
    /// record; 0 where none has.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn records_after_gaps(&self, event: EventHash) -> Result<Vec<(ChainId, u32, u32)>, Error> {
        self.read("the ledger cannot be read", |db| after_gaps(db, event))
    }
}

/// Keeps a scanner's certificate, as it was signed.
pub(super) fn keep_certificate(
    db: &Connection,
    event: EventHash,
    scanner: ScannerId,
    signed: &[u8],
) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO gate_certificate (scanner, event, bytes) VALUES (?1, ?2, ?3)")?
        .execute((scanner.0, event.0, signed))
        .map(drop)
}

/// Whoever invents chains gets no room for them: of a scanner's chains without any record the latest heads are kept.
fn forget_most_heads(db: &Connection, event: EventHash, scanner: ScannerId) -> rusqlite::Result<()> {
    // A chain id begins with its scanner's; bytes 73 to 80 of a head are its time (docs/gate.md, "Chain head").
    db.prepare_cached(
        "DELETE FROM gate_head WHERE chain IN
             (SELECT chain FROM gate_head head WHERE event = ?1 AND substr(chain, 1, 8) = ?2
                 AND NOT EXISTS (SELECT 1 FROM gate_record record WHERE record.chain = head.chain)
              ORDER BY substr(bytes, 73, 8) DESC, chain DESC LIMIT -1 OFFSET ?3)",
    )?
    .execute((event.0, scanner.0, MOST_EMPTY_CHAINS))
    .map(drop)
}

fn after_gaps(db: &Connection, event: EventHash) -> rusqlite::Result<Vec<(ChainId, u32, u32)>> {
    // Bytes 33 to 64 of a record are the hash of the one before (docs/gate.md, "Ledger record").
    db.prepare_cached(
        "SELECT chain, sequence,
             (SELECT coalesce(max(low.sequence), 0) FROM gate_record low
              WHERE low.chain = one.chain AND low.sequence < one.sequence)
         FROM gate_record one WHERE event = ?1 AND sequence > 1 AND NOT EXISTS
             (SELECT 1 FROM gate_record before WHERE before.chain = one.chain
              AND before.sequence = one.sequence - 1 AND before.hash = substr(one.bytes, 33, 32))
         ORDER BY chain, sequence",
    )?
    .query_map([event.0], |row| Ok((ChainId(row.get(0)?), row.get(1)?, row.get(2)?)))?
    .collect()
}
