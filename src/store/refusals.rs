//! What a record of a refusal does not tell, for staff who override it: bounded, and in the same transaction as the record.

use rusqlite::{Connection, OptionalExtension as _};

use super::Store;
use crate::barcode::{CODE_LEN, NONCE_LEN};
use crate::error::Error;
use crate::ledger::{ChainId, RecordId};

/// How many of a scanner's newest refusals can be overridden.
pub const REFUSALS: u32 = 256;

/// A refusal that can be overridden, or was.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredRefusal {
    /// Whether it refused somebody who was leaving.
    pub is_leaving: bool,
    /// The signed code that holds all the same, and the venue nonce in it.
    pub proof: Option<([u8; CODE_LEN], Option<[u8; NONCE_LEN]>)>,
    /// Whether staff have overridden it.
    pub is_overridden: bool,
}

/// What is kept with a record of this scanner.
#[derive(Clone, Copy)]
pub enum Beside<'a> {
    /// Nothing.
    Nothing,
    /// Of a refusal.
    Refusal(RecordId, &'a StoredRefusal),
    /// That it overrides this refusal.
    Overriding(RecordId),
}

opaque_debug!(StoredRefusal, Beside<'_>);

impl Store {
    /// What is known of a refusal; `None` for one that is not among its scanner's newest.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn refusal(&self, id: RecordId) -> Result<Option<StoredRefusal>, Error> {
        self.read("the refusal cannot be read", |db| {
            db.prepare_cached(
                "SELECT is_leaving, code, nonce, is_overridden FROM gate_refusal WHERE chain = ?1 AND sequence = ?2",
            )?
            .query_row((id.chain.0, id.sequence), |row| {
                let (code, nonce): (Option<_>, _) = (row.get(1)?, row.get(2)?);
                Ok(StoredRefusal {
                    is_leaving: row.get(0)?,
                    proof: code.map(|code| (code, nonce)),
                    is_overridden: row.get(3)?,
                })
            })
            .optional()
        })
    }
}

impl Beside<'_> {
    pub(super) fn keep(self, db: &Connection) -> rusqlite::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Refusal(id, refusal) => {
                let (code, nonce) = refusal.proof.map_or((None, None), |(code, nonce)| (Some(code), nonce));
                db.prepare_cached(
                    "INSERT INTO gate_refusal (chain, sequence, is_leaving, code, nonce, is_overridden)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                )?
                .execute((
                    id.chain.0,
                    id.sequence,
                    refusal.is_leaving,
                    code,
                    nonce,
                    refusal.is_overridden,
                ))?;
                keep_the_newest(db, id.chain)
            }
            Self::Overriding(id) => db
                .prepare_cached(
                    "UPDATE gate_refusal SET is_overridden = 1 WHERE chain = ?1 AND sequence = ?2",
                )?
                .execute((id.chain.0, id.sequence))
                .map(drop),
        }
    }
}

/// Those of the chains before can be overridden no more.
fn keep_the_newest(db: &Connection, chain: ChainId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM gate_refusal WHERE chain <> ?1 OR id <=
             (SELECT id FROM gate_refusal WHERE chain = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute((chain.0, REFUSALS))
    .map(drop)
}
