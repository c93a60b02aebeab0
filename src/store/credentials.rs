//! Device keys and credentials: irreplaceable, kept apart from the tickets they belong to.

use rusqlite::Row;

use super::Store;
use crate::barcode::{Credential, IssuerKey};
use crate::error::Error;
use crate::model::TicketHash;

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
    /// The credential.
    pub credential: Option<HeldCredential>,
    /// The problem type with which the server last refused to bind.
    pub refusal: Option<String>,
}

impl Store {
    /// Tickets of an account that may be bound now: signed, owned, without a credential, starting before `until` (Unix
    /// seconds) and not ended before `now`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn bindable(&self, account_id: &str, now: i64, until: i64) -> Result<Vec<Binding>, Error> {
        self.bindings(
            "t.account_id = ?1 AND t.profile = 'signed' AND t.status IN ('issued', 'activated') AND t.absences = 0
             AND c.bytes IS NULL AND t.starts_at <= ?3 AND coalesce(e.ends_at, t.starts_at + 86400) >= ?2",
            (account_id, now, until),
        )
    }

    /// Credentials of an account whose time to renew has come.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn renewable(&self, account_id: &str, now: i64) -> Result<Vec<Binding>, Error> {
        self.bindings(
            "t.account_id = ?1 AND c.renew_after <= ?2 AND coalesce(e.ends_at, t.starts_at + 86400) >= ?2",
            (account_id, now),
        )
    }

    /// What is held for a ticket.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn binding(&self, ticket: TicketHash) -> Result<BindingState, Error> {
        let found = self.bindings("t.id = ?1", [&ticket.0[..]])?;
        Ok(found.into_iter().next().map(|binding| binding.state).unwrap_or_default())
    }

    /// The handle of a ticket's device key; `fresh` becomes it when there is none. The row is there before the vault
    /// is asked, so that no key is ever made that nobody knows of.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn plan_device_key(&self, ticket: TicketHash, fresh: &str) -> Result<String, Error> {
        self.write("the device key cannot be planned", |tx| {
            tx.execute(
                "INSERT INTO device_key (handle, ticket_id) VALUES (?1, ?2) ON CONFLICT (ticket_id) DO NOTHING",
                (fresh, &ticket.0[..]),
            )?;
            tx.query_row("SELECT handle FROM device_key WHERE ticket_id = ?1", [&ticket.0[..]], |row| row.get(0))
        })
    }

    /// Keeps a checked credential for the device key planned before.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_credential(&self, ticket: TicketHash, held: &HeldCredential) -> Result<(), Error> {
        self.write("the credential cannot be kept", |tx| {
            let id = &ticket.0[..];
            tx.execute(
                "INSERT OR REPLACE INTO credential (ticket_id, bytes, issuer_key, generation, renew_after, handle)
                 VALUES (?1, ?2, ?3, ?4, ?5, (SELECT handle FROM device_key WHERE ticket_id = ?1))",
                (
                    id,
                    &held.credential.as_bytes()[..],
                    &held.issuer_key.to_bytes()[..],
                    held.credential.fields().generation,
                    held.renew_after,
                ),
            )?;
            tx.execute("UPDATE ticket_body SET refusal = NULL WHERE ticket_id = ?1", [id])?;
            Ok(())
        })
    }

    /// Remembers why the server refused to bind a ticket.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_refusal(&self, ticket: TicketHash, problem_type: &str) -> Result<(), Error> {
        self.write("the refusal cannot be kept", |tx| {
            tx.execute(
                "UPDATE ticket_body SET refusal = ?2 WHERE ticket_id = ?1",
                (&ticket.0[..], problem_type),
            )?;
            Ok(())
        })
    }

    fn bindings(&self, condition: &str, parameters: impl rusqlite::Params) -> Result<Vec<Binding>, Error> {
        self.read("the credentials cannot be read", |db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT t.id, b.tenant, b.remote_id, e.remote_id, k.handle, b.refusal,
                        c.bytes, c.issuer_key, c.renew_after
                 FROM ticket t
                 JOIN ticket_body b ON b.ticket_id = t.id
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
        state: BindingState { handle: row.get(4)?, refusal: row.get(5)?, credential: held(row)? },
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
