//! What a scanner decides on, and the end of its chain, where a decision is kept while what it was taken on still holds.

use rusqlite::{Connection, OptionalExtension as _};

use super::Store;
use super::gate::{NewRecord, RECORD, StoredRecord, insert_record, stored};
use super::refusals::Beside;
use crate::admission::Standing;
use crate::error::Error;
use crate::ledger::{ChainId, Kind, RecordFields};
use crate::model::{EventHash, TicketHash};

/// Where a chain ends, and how many manifests were taken into use until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LedgerHead {
    /// How many manifests.
    pub manifests: i64,
    /// The sequence of the chain's last record; 0 when it has none.
    pub sequence: u32,
    /// The hash of that record; zeros when there is none.
    pub hash: [u8; 32],
}

/// What a decision was taken on: a record of it is kept only while this still holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Basis {
    /// How many manifests were taken into use.
    pub manifests: i64,
    /// The records of the ticket that were looked at, and their standing.
    pub records: Vec<(i64, Standing)>,
}

impl Store {
    /// Where a chain ends.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn ledger_head(&self, chain: ChainId) -> Result<LedgerHead, Error> {
        self.read("the ledger cannot be read", |db| {
            let (sequence, hash) = last_of(db, chain)?;
            Ok(LedgerHead { manifests: manifests(db)?, sequence, hash })
        })
    }

    /// Keeps a record of this scanner at the end of its chain, and what belongs to it, unless something of what it was decided on has changed;
    /// returns whether nothing has. Then the record is on the disk.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn append_record(
        &self,
        basis: &Basis,
        new: NewRecord<'_>,
        beside: Beside<'_>,
    ) -> Result<bool, Error> {
        let kept = self.write("the record cannot be kept", |tx| {
            let is_kept = still_holds(tx, basis, new.record.fields())? && insert_record(tx, new)?;
            if is_kept {
                beside.keep(tx)?;
            }
            fail::fail_point!("record-written");
            Ok(is_kept)
        })?;
        fail::fail_point!("record-kept");
        Ok(kept)
    }

    /// The records about a ticket by which is decided: those that count and refuse nobody, and all of one's own chain.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn deciding_records(
        &self,
        event: EventHash,
        ticket: TicketHash,
        own: Option<ChainId>,
    ) -> Result<Vec<StoredRecord>, Error> {
        self.read("the ticket's records cannot be read", |db| {
            db.prepare_cached(&format!("SELECT {RECORD} FROM ({OF_TICKET}) ORDER BY id"))?
                .query_map(of_ticket(event, ticket, own), stored)?
                .collect()
        })
    }
}

/// The records by which is decided of a ticket. Bytes 21 to 28 of a record are its scanner (docs/gate.md, "Ledger record").
const OF_TICKET: &str = "SELECT * FROM
     (SELECT *, row_number() OVER (PARTITION BY substr(bytes, 21, 8) ORDER BY chain, sequence, hash) AS place
      FROM gate_record
      WHERE ticket = ?1 AND event = ?2 AND (chain = ?3 OR (standing < ?4 AND kind <> ?5)))
     WHERE chain = ?3 OR place <= ?6";
/// So many records of one other scanner about a ticket are looked at, those at the first places: more than any honest one
/// writes.
const MOST_OF_A_SCANNER: u32 = 256;

fn of_ticket(event: EventHash, ticket: TicketHash, own: Option<ChainId>) -> impl rusqlite::Params {
    let own = own.map(|chain| chain.0);
    (ticket.0, event.0, own, Standing::Failed as u8, Kind::Refusal as u8, MOST_OF_A_SCANNER)
}

/// How many manifests were taken into use.
pub(super) fn manifests(db: &Connection) -> rusqlite::Result<i64> {
    db.prepare_cached("SELECT coalesce(max(taken), 0) FROM gate_manifest")?.query_row([], |row| row.get(0))
}

/// The last place of a chain; zeros when it has none.
fn last_of(db: &Connection, chain: ChainId) -> rusqlite::Result<(u32, [u8; 32])> {
    let last = db
        .prepare_cached(
            "SELECT sequence, hash FROM gate_record WHERE chain = ?1 ORDER BY sequence DESC, id DESC LIMIT 1",
        )?
        .query_row([chain.0], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(last.unwrap_or((0, [0; 32])))
}

/// Whether a record still follows from what it was decided on.
fn still_holds(db: &Connection, basis: &Basis, fields: &RecordFields) -> rusqlite::Result<bool> {
    if manifests(db)? != basis.manifests
        || last_of(db, fields.chain)? != (fields.sequence - 1, fields.previous)
    {
        return Ok(false);
    }
    let Some(ticket) = fields.ticket else { return Ok(true) };
    let now: Vec<(i64, u8)> = db
        .prepare_cached(&format!("SELECT id, standing FROM ({OF_TICKET}) ORDER BY id"))?
        .query_map(of_ticket(fields.event, ticket, Some(fields.chain)), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    Ok(now.into_iter().eq(basis.records.iter().map(|(id, standing)| (*id, *standing as u8))))
}
