//! Device keys and credentials: irreplaceable, kept apart from the tickets they belong to.

use rusqlite::{Row, Transaction};

use super::Store;
use crate::barcode::{Credential, IssuerKey};
use crate::error::Error;
use crate::model::{NoBarcodeReason, TicketHash};

/// A ticket to bind, or a credential to renew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// The ticket.
    pub ticket: TicketHash,
    /// The tenant that sold it.
    pub tenant: Option<String>,
    /// The system's ticket id.
    pub remote_id: String,
    /// The system's event id.
    pub event_remote_id: Option<String>,
    /// What is held already.
    pub state: BindingState,
}

/// A credential as it is kept: checked before it came here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCredential {
    /// What the issuer signed.
    pub credential: Credential,
    /// The issuer's key that signed it.
    pub issuer_key: IssuerKey,
    /// From when on it should be renewed, Unix seconds.
    pub renew_after: i64,
}

/// The device's side of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BindingState {
    /// Handle of the device key in the vault.
    pub handle: Option<String>,
    /// Whether the vault no longer has that key.
    pub lost: bool,
    /// Whether the credential is being given up: something that ends it was sent, and its answer is not known.
    pub leaving: bool,
    /// The credential.
    pub credential: Option<HeldCredential>,
    /// The problem type with which the server last refused to bind.
    pub refusal: Option<String>,
}

impl Store {
    /// Tickets of an account to bind now: signed, owned, without a credential whose key is there, with nothing in the
    /// outbox; pinned, or starting before `until` (Unix seconds) and not ended before `now`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn bindable(&self, account_id: &str, now: i64, until: i64) -> Result<Vec<Binding>, Error> {
        self.bindings(
            "SELECT t.id FROM ticket t
             LEFT JOIN credential c ON c.ticket_id = t.id
             LEFT JOIN device_key k ON k.ticket_id = t.id
             WHERE t.account_id = ?1 AND t.profile = 'signed' AND t.status IN ('issued', 'activated', 'active', 'passive')
             AND t.absences = 0 AND (c.ticket_id IS NULL OR k.lost = 1) AND (t.pinned = 1 OR t.starts_at <= ?3)
             AND (t.pinned = 1 OR coalesce(t.ends_at, t.starts_at + 86400) >= ?2)
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.subject = t.id)",
            "coalesce(b.refusal, '') <> ?4",
            (account_id, now, until, NoBarcodeReason::SURRENDERED),
        )
    }

    /// Credentials of an account whose time to renew has come, with nothing in the outbox.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn renewable(&self, account_id: &str, now: i64) -> Result<Vec<Binding>, Error> {
        self.bindings(
            "SELECT c.ticket_id FROM credential c JOIN device_key k ON k.ticket_id = c.ticket_id
             WHERE c.renew_after <= ?2 AND k.lost = 0
             AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.subject = c.ticket_id)",
            "t.account_id = ?1 AND coalesce(t.ends_at, t.starts_at + 86400) >= ?2",
            (account_id, now),
        )
    }

    /// A ticket with what is held for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn binding_of(&self, ticket: TicketHash) -> Result<Binding, Error> {
        let found = self.bindings("SELECT ?1", "TRUE", [&ticket.0[..]])?;
        found.into_iter().next().ok_or(Error::NotFound { what: "ticket" })
    }

    /// What is held for a ticket.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn binding(&self, ticket: TicketHash) -> Result<BindingState, Error> {
        self.binding_of(ticket).map(|binding| binding.state)
    }

    /// The handles of the keys to bind tickets to; the fresh one of a ticket becomes it when there is none, or when the
    /// one there was lost. The rows are there before the vault is asked, so that no key is ever made that nobody knows
    /// of.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn plan_device_keys(&self, fresh: &[(TicketHash, String)]) -> Result<Vec<String>, Error> {
        self.write("the device keys cannot be planned", |tx| {
            fresh.iter().map(|(ticket, fresh)| plan_device_key(tx, *ticket, fresh)).collect()
        })
    }

    /// Gives a ticket's credential up: it went to somebody else by a way that surrenders nothing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn give_up(&self, ticket: TicketHash) -> Result<(), Error> {
        self.write("the credential cannot be given up", |tx| surrender(tx, ticket))
    }

    /// Remembers whether the vault has lost a ticket's key. The credential stays until it is replaced.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn mark_key(&self, handle: &str, lost: bool) -> Result<(), Error> {
        self.write("the device key cannot be marked", |tx| {
            tx.execute("UPDATE device_key SET lost = ?2 WHERE handle = ?1", (handle, lost)).map(drop)
        })
    }

    /// Whether a ticket is bound ahead of time.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn pin(&self, ticket: TicketHash, pinned: bool) -> Result<(), Error> {
        let found = self.write("the ticket cannot be pinned", |tx| {
            if pinned {
                lift_surrender(tx, ticket)?;
            }
            tx.execute("UPDATE ticket SET pinned = ?2 WHERE id = ?1", (&ticket.0[..], pinned))
        })?;
        if found == 0 { Err(Error::NotFound { what: "ticket" }) } else { Ok(()) }
    }

    /// Keys that the vault shall delete.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn doomed_keys(&self) -> Result<Vec<String>, Error> {
        self.read("the keys to delete cannot be read", |db| {
            let mut statement = db.prepare_cached("SELECT handle FROM doomed_key ORDER BY handle")?;
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// All keys of the wallet, those to delete included.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn key_handles(&self) -> Result<Vec<String>, Error> {
        self.read("the keys cannot be read", |db| {
            let mut statement = db.prepare_cached(
                "SELECT handle FROM doomed_key UNION SELECT handle FROM device_key
                 UNION SELECT next_handle FROM device_key WHERE next_handle IS NOT NULL
                 UNION SELECT key_handle FROM scanner
                 UNION SELECT payload ->> 'handle' FROM outbox WHERE payload ->> 'handle' IS NOT NULL",
            )?;
            statement.query_map([], |row| row.get(0))?.collect()
        })
    }

    /// Forgets a key that the vault has deleted.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_doomed_key(&self, handle: &str) -> Result<(), Error> {
        self.write("the deleted key cannot be forgotten", |tx| {
            tx.execute("DELETE FROM doomed_key WHERE handle = ?1", [handle]).map(drop)
        })
    }

    /// What is held for tickets. `candidates` selects their ids from narrow tables alone, so that the wide rows of all
    /// others are not read.
    fn bindings(
        &self,
        candidates: &str,
        condition: &str,
        parameters: impl rusqlite::Params,
    ) -> Result<Vec<Binding>, Error> {
        self.read("the credentials cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "WITH candidate (id) AS MATERIALIZED ({candidates})
                 SELECT t.id, b.tenant, b.remote_id, e.remote_id, k.handle, b.refusal,
                        c.bytes, c.issuer_key, c.renew_after, coalesce(k.lost, 0),
                        EXISTS (SELECT 1 FROM outbox o WHERE o.subject = t.id
                                AND (o.state IN ('sent', 'unknown') OR o.state = 'held' AND o.attempts > 0)
                                AND o.payload ->> 'kind' IN ('surrender', 'create_transfer'))
                 FROM candidate
                 CROSS JOIN ticket t ON t.id = candidate.id
                 CROSS JOIN ticket_body b ON b.ticket_id = t.id
                 LEFT JOIN event e ON e.hash = b.event
                 LEFT JOIN device_key k ON k.ticket_id = t.id
                 LEFT JOIN credential c ON c.ticket_id = t.id
                 WHERE {condition} ORDER BY t.list_order, t.id"
            ))?;
            statement.query_map(parameters, binding)?.collect()
        })
    }
}

fn binding(row: &Row<'_>) -> rusqlite::Result<Binding> {
    Ok(Binding {
        ticket: TicketHash(row.get(0)?),
        tenant: row.get(1)?,
        remote_id: row.get(2)?,
        event_remote_id: row.get(3)?,
        state: BindingState {
            handle: row.get(4)?,
            refusal: row.get(5)?,
            credential: held(row)?,
            lost: row.get(9)?,
            leaving: row.get(10)?,
        },
    })
}

fn held(row: &Row<'_>) -> rusqlite::Result<Option<HeldCredential>> {
    let Some(bytes) = row.get_ref(6)?.as_blob_or_null()? else { return Ok(None) };
    let wrong = || rusqlite::Error::InvalidQuery;
    Ok(Some(HeldCredential {
        credential: Credential::from_bytes(bytes).map_err(|_| wrong())?,
        issuer_key: IssuerKey::from_bytes(row.get_ref(7)?.as_blob()?).map_err(|_| wrong())?,
        renew_after: row.get(8)?,
    }))
}

fn plan_device_key(tx: &Transaction<'_>, ticket: TicketHash, fresh: &str) -> rusqlite::Result<String> {
    tx.prepare_cached(
        "INSERT INTO device_key (handle, ticket_id, account_id)
         VALUES (?1, ?2, (SELECT account_id FROM ticket WHERE id = ?2))
         ON CONFLICT (ticket_id) DO UPDATE SET next_handle = coalesce(next_handle, ?1) WHERE lost = 1",
    )?
    .execute((fresh, &ticket.0[..]))?;
    tx.prepare_cached("SELECT coalesce(next_handle, handle) FROM device_key WHERE ticket_id = ?1")?
        .query_row([&ticket.0[..]], |row| row.get(0))
}

/// Keeps a checked credential for the device key planned before; a key that was lost gives way to the new one.
pub(super) fn put_credential(
    tx: &Transaction<'_>,
    ticket: TicketHash,
    held: &HeldCredential,
) -> rusqlite::Result<()> {
    let id = &ticket.0[..];
    tx.execute("DELETE FROM credential WHERE ticket_id = ?1", [id])?;
    tx.execute(
        "INSERT OR IGNORE INTO doomed_key SELECT handle FROM device_key WHERE ticket_id = ?1 AND next_handle IS NOT NULL",
        [id],
    )?;
    tx.execute(
        "UPDATE device_key SET handle = next_handle, next_handle = NULL, lost = 0
         WHERE ticket_id = ?1 AND next_handle IS NOT NULL",
        [id],
    )?;
    tx.execute(
        "INSERT INTO credential (ticket_id, bytes, issuer_key, generation, renew_after, handle)
         VALUES (?1, ?2, ?3, ?4, ?5, (SELECT handle FROM device_key WHERE ticket_id = ?1))",
        (
            id,
            &held.credential.as_bytes()[..],
            &held.issuer_key.to_bytes()[..],
            held.credential.fields().generation,
            held.renew_after,
        ),
    )?;
    put_refusal(tx, ticket, None)
}

/// Remembers why the server refused to bind a ticket; `None` forgets it.
pub(super) fn put_refusal(
    tx: &Transaction<'_>,
    ticket: TicketHash,
    problem_type: Option<&str>,
) -> rusqlite::Result<()> {
    tx.execute("UPDATE ticket_body SET refusal = ?2 WHERE ticket_id = ?1", (&ticket.0[..], problem_type))?;
    Ok(())
}

/// The server has taken the credential back: it goes, and its key with it. No sync binds the ticket by itself again.
pub(super) fn surrender(tx: &Transaction<'_>, ticket: TicketHash) -> rusqlite::Result<()> {
    let id = &ticket.0[..];
    tx.execute("DELETE FROM credential WHERE ticket_id = ?1", [id])?;
    tx.execute(
        "INSERT OR IGNORE INTO doomed_key SELECT handle FROM device_key WHERE ticket_id = ?1
         UNION SELECT next_handle FROM device_key WHERE ticket_id = ?1 AND next_handle IS NOT NULL",
        [id],
    )?;
    tx.execute("DELETE FROM device_key WHERE ticket_id = ?1", [id])?;
    put_refusal(tx, ticket, Some(NoBarcodeReason::SURRENDERED))
}

/// Has the vault delete a key that was made for a ticket which did not come.
pub(super) fn doom_key(tx: &Transaction<'_>, handle: &str) -> rusqlite::Result<()> {
    tx.execute("INSERT OR IGNORE INTO doomed_key (handle) VALUES (?1)", [handle]).map(drop)
}

/// The key that a ticket was acquired with is the ticket's.
pub(super) fn put_acquired_key(
    tx: &Transaction<'_>,
    account_id: &str,
    ticket: TicketHash,
    handle: &str,
) -> rusqlite::Result<()> {
    let values = (handle, &ticket.0[..], account_id);
    tx.execute("INSERT INTO device_key (handle, ticket_id, account_id) VALUES (?1, ?2, ?3)", values).map(drop)
}

fn lift_surrender(tx: &Transaction<'_>, ticket: TicketHash) -> rusqlite::Result<()> {
    tx.execute(
        "UPDATE ticket_body SET refusal = NULL WHERE ticket_id = ?1 AND refusal = ?2",
        (&ticket.0[..], NoBarcodeReason::SURRENDERED),
    )?;
    Ok(())
}
