//! Transfers: the server's copy.

use rusqlite::{Row, Transaction};

use super::Store;
use super::credentials::put_refusal;
use crate::error::Error;
use crate::model::{TicketHash, Transfer, TransferState};

/// A transfer of a ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredTransfer {
    /// The system's id.
    pub remote_id: String,
    /// The ticket.
    pub ticket: TicketHash,
    /// Who shall get it.
    pub recipient: String,
    /// Where it stands.
    pub state: TransferState,
    /// Until when it can be accepted, Unix seconds.
    pub expires_at: Option<i64>,
}

opaque_debug!(StoredTransfer);

impl Store {
    /// An account's transfers, or all.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn transfers(&self, account_id: Option<&str>) -> Result<Vec<StoredTransfer>, Error> {
        self.read("the transfers cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT remote_id, ticket_id, recipient, state, expires_at FROM transfer
                 WHERE ?1 IS NULL OR account_id = ?1 ORDER BY account_id, remote_id",
            )?;
            statement.query_map([account_id], transfer)?.collect()
        })
    }

    /// The tenants of the tickets of which an account has transfers that were not ended when last heard of.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn transfer_tenants(&self, account_id: &str) -> Result<Vec<Option<String>>, Error> {
        self.read("the transfers cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT DISTINCT b.tenant FROM transfer t JOIN ticket_body b ON b.ticket_id = t.ticket_id
                 WHERE t.account_id = ?1 AND t.state NOT IN ('accepted', 'declined', 'cancelled', 'expired', 'ended')",
            )?;
            statement.query_map([account_id], |row| row.get(0))?.collect()
        })
    }

    /// An account's transfers that were pending when last heard of, each with the system's id of its ticket; `None` for a
    /// ticket that the wallet does not have any more.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn open_transfers(&self, account_id: &str) -> Result<Vec<(StoredTransfer, Option<String>)>, Error> {
        self.read("the transfers cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT t.remote_id, t.ticket_id, t.recipient, t.state, t.expires_at, b.remote_id
                 FROM transfer t LEFT JOIN ticket_body b ON b.ticket_id = t.ticket_id
                 WHERE t.account_id = ?1 AND t.state = 'pending' ORDER BY t.remote_id",
            )?;
            statement.query_map([account_id], |row| Ok((transfer(row)?, row.get(5)?)))?.collect()
        })
    }

    /// An account's transfers at a tenant that were not ended when last heard of.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn going_transfers(
        &self,
        account_id: &str,
        tenant: Option<&str>,
    ) -> Result<Vec<StoredTransfer>, Error> {
        self.read("the transfers cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT remote_id, ticket_id, recipient, state, expires_at FROM transfer WHERE account_id = ?1
                 AND ticket_id IN (SELECT ticket_id FROM ticket_body WHERE tenant IS ?2)
                 AND state NOT IN ('accepted', 'declined', 'cancelled', 'expired', 'ended')",
            )?;
            statement.query_map((account_id, tenant), transfer)?.collect()
        })
    }

    /// Brings transfers up to date. A ticket whose transfer has ended may be bound again.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_transfers(&self, account_id: &str, transfers: &[StoredTransfer]) -> Result<(), Error> {
        self.write("the transfers cannot be kept", |tx| {
            for transfer in transfers {
                put_transfer(tx, account_id, transfer)?;
            }
            Ok(())
        })
    }
}

fn transfer(row: &Row<'_>) -> rusqlite::Result<StoredTransfer> {
    Ok(StoredTransfer {
        remote_id: row.get(0)?,
        ticket: TicketHash(row.get(1)?),
        recipient: row.get(2)?,
        state: TransferState::from_text(row.get_ref(3)?.as_str()?),
        expires_at: row.get(4)?,
    })
}

pub(super) fn put_transfer(
    tx: &Transaction<'_>,
    account_id: &str,
    transfer: &StoredTransfer,
) -> rusqlite::Result<()> {
    put_transfer_state(tx, account_id, &transfer.remote_id, transfer.ticket, &transfer.state)?;
    tx.prepare_cached(
        "INSERT INTO transfer (account_id, remote_id, ticket_id, recipient, state, expires_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (account_id, ticket_id, remote_id) DO UPDATE SET recipient = ?4, expires_at = ?6",
    )?
    .execute((
        account_id,
        &transfer.remote_id,
        &transfer.ticket.0[..],
        &transfer.recipient,
        transfer.state.as_text(),
        transfer.expires_at,
    ))?;
    Ok(())
}

/// A ticket whose transfer comes to its end may be bound again, if it is still there to bind.
pub(super) fn put_transfer_state(
    tx: &Transaction<'_>,
    account_id: &str,
    remote_id: &str,
    ticket: TicketHash,
    state: &TransferState,
) -> rusqlite::Result<()> {
    let changed = tx.execute(
        "UPDATE transfer SET state = ?4 WHERE account_id = ?1 AND ticket_id = ?2 AND remote_id = ?3 AND state <> ?4",
        (account_id, &ticket.0[..], remote_id, state.as_text()),
    )?;
    if changed > 0 && *state != TransferState::Pending { put_refusal(tx, ticket, None) } else { Ok(()) }
}

impl From<StoredTransfer> for Transfer {
    fn from(transfer: StoredTransfer) -> Self {
        Self {
            remote_id: transfer.remote_id,
            ticket_id: transfer.ticket.to_string(),
            recipient: transfer.recipient,
            state: transfer.state,
            expires_at: transfer.expires_at,
        }
    }
}
