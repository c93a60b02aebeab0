//! A gate's manifests: the one in use, and what no later one may fall below.

use rusqlite::{Connection, OptionalExtension as _};

use super::Store;
use super::decisions::manifests;
use super::gate::set_standings;
use crate::admission::Standing;
use crate::error::Error;
use crate::manifest::Head;
use crate::model::{EventHash, TicketHash};

/// How much of a manifest is in a row: SQLite holds a row several times while it writes it.
const PART_LEN: usize = 64 << 10;

impl Store {
    /// The body of the manifest in use.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Recovery`] where its pages are damaged.
    pub fn gate_manifest(&self, event: EventHash) -> Result<Option<Vec<u8>>, Error> {
        self.read("the manifest cannot be read", |db| {
            let sql = "SELECT sum(length(bytes)) FROM gate_manifest_part WHERE event = ?1";
            let Some(length) = db.query_row(sql, [event.0], |row| row.get::<_, Option<u32>>(0))? else {
                return Ok(None);
            };
            let mut body = Vec::with_capacity(length as usize);
            let mut parts =
                db.prepare("SELECT bytes FROM gate_manifest_part WHERE event = ?1 ORDER BY number")?;
            let mut parts = parts.query([event.0])?;
            while let Some(part) = parts.next()? {
                body.extend(part.get_ref(0)?.as_blob()?);
            }
            Ok(Some(body))
        })
    }

    /// Takes a manifest into use, with its sequence, floors that it would lower and what it changes of records' standing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_gate_manifest(
        &self,
        (event, body): (EventHash, &[u8]),
        floors: &[(TicketHash, u16)],
        standings: &[(i64, Standing)],
    ) -> Result<(), Error> {
        self.write("the manifest cannot be kept", |tx| {
            tx.execute(
                "INSERT OR REPLACE INTO gate_manifest (event, taken) VALUES (?1, ?2)",
                (event.0, manifests(tx)? + 1),
            )?;
            tx.execute("DELETE FROM gate_manifest_part WHERE event = ?1", [event.0])?;
            let mut put = tx.prepare_cached(
                "INSERT INTO gate_manifest_part (event, number, bytes) VALUES (?1, ?2, ?3)",
            )?;
            for (number, part) in (0_i64..).zip(body.chunks(PART_LEN)) {
                put.execute((event.0, number, part))?;
            }
            if let Some(sequence) = Head::sequence_in(body) {
                raise_sequence(tx, event, sequence)?;
            }
            raise_floors(tx, floors)?;
            set_standings(tx, standings)?;
            fail::fail_point!("manifest-written");
            Ok(())
        })
    }

    /// Forgets the manifest in use but for its floors: it is none that this gate may go on from.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_gate_manifest(&self, event: EventHash, floors: &[(TicketHash, u16)]) -> Result<(), Error> {
        self.write("the manifest cannot be forgotten", |tx| {
            tx.execute("UPDATE gate_manifest SET taken = taken + 1 WHERE event = ?1", [event.0])?;
            tx.execute("DELETE FROM gate_manifest_part WHERE event = ?1", [event.0])?;
            raise_floors(tx, floors)
        })
    }

    /// The highest sequence of an event's manifests under this key, in hex, that was ever in use; 0 when none was.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate_sequence(&self, event: EventHash, key: &str) -> Result<u32, Error> {
        self.read("the manifest's sequence cannot be read", |db| {
            db.prepare_cached("SELECT sequence FROM gate_sequence WHERE event = ?1 AND key = ?2")?
                .query_row((event.0, key), |row| row.get(0))
                .optional()
        })
        .map(Option::unwrap_or_default)
    }

    /// The lowest generation of a ticket that a manifest before the one in use left; 0 when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate_floor(&self, ticket: TicketHash) -> Result<u16, Error> {
        self.read("the ticket's floor cannot be read", |db| {
            db.prepare_cached("SELECT generation FROM gate_floor WHERE ticket = ?1")?
                .query_row([ticket.0], |row| row.get(0))
                .optional()
        })
        .map(Option::unwrap_or_default)
    }
}

fn raise_floors(db: &Connection, floors: &[(TicketHash, u16)]) -> rusqlite::Result<()> {
    let mut keep = db.prepare_cached(
        "INSERT INTO gate_floor (ticket, generation) VALUES (?1, ?2)
         ON CONFLICT (ticket) DO UPDATE SET generation = max(generation, excluded.generation)",
    )?;
    floors.iter().try_for_each(|(ticket, floor)| keep.execute((ticket.0, floor)).map(drop))
}

/// Where the scanner has pinned a key, a sequence is that key's.
fn raise_sequence(db: &Connection, event: EventHash, sequence: u32) -> rusqlite::Result<()> {
    db.prepare_cached(
        "INSERT INTO gate_sequence (event, key, sequence)
         SELECT event, registered ->> 'manifest_key', ?2 FROM scanner
         WHERE id = (SELECT max(id) FROM scanner) AND event = ?1 AND registered ->> 'manifest_key' NOT NULL
         ON CONFLICT (event, key) DO UPDATE SET sequence = max(sequence, excluded.sequence)",
    )?
    .execute((event.0, sequence))
    .map(drop)
}
