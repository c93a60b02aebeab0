//! Sign-ins that went to the browser or wait for a code.

use rusqlite::OptionalExtension as _;

use super::Store;
use crate::error::Error;

/// What stands for an account's transfers among its resources.
const TRANSFERS: &str = "unidy-transfers";

/// A sign-in that has not come back.
#[derive(Clone, PartialEq, Eq)]
pub struct PendingSignIn {
    /// Names it.
    pub state: String,
    /// What is being signed in to, as JSON.
    pub account: String,
    /// What the answer is checked against, as JSON.
    pub request: String,
    /// Unix seconds.
    pub created_at: i64,
}

opaque_debug!(PendingSignIn);

impl Store {
    /// Keeps a sign-in, and forgets those that were begun before `since` (Unix seconds).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn remember_sign_in(&self, pending: &PendingSignIn, since: i64) -> Result<(), Error> {
        self.write("the sign-in cannot be kept", |tx| {
            tx.execute("DELETE FROM pending_sign_in WHERE created_at < ?1", [since])?;
            tx.execute(
                "INSERT OR REPLACE INTO pending_sign_in (state, account, request, created_at) VALUES (?1, ?2, ?3, ?4)",
                (&pending.state, &pending.account, &pending.request, pending.created_at),
            )
            .map(drop)
        })
    }

    /// A sign-in that was begun since then (Unix seconds).
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn pending_sign_in(&self, state: &str, since: i64) -> Result<PendingSignIn, Error> {
        self.read("the sign-in cannot be read", |db| {
            db.query_row(
                "SELECT state, account, request, created_at FROM pending_sign_in WHERE state = ?1 AND created_at >= ?2",
                (state, since),
                |row| {
                    Ok(PendingSignIn {
                        state: row.get(0)?,
                        account: row.get(1)?,
                        request: row.get(2)?,
                        created_at: row.get(3)?,
                    })
                },
            )
            .optional()
        })?
        .ok_or(Error::NotFound { what: "sign-in" })
    }

    /// Forgets a sign-in.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn forget_sign_in(&self, state: &str) -> Result<(), Error> {
        self.write("the sign-in cannot be forgotten", |tx| {
            tx.execute("DELETE FROM pending_sign_in WHERE state = ?1", [state]).map(drop)
        })
    }

    /// What was seen of an account's extension: whether tickets carry signed barcodes, and whether changes came by its feed.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn seen_of_extension(&self, account_id: &str) -> Result<(bool, bool), Error> {
        self.read("the account cannot be read", |db| {
            db.query_row(
                "SELECT EXISTS (SELECT 1 FROM ticket WHERE account_id = ?1 AND profile = 'signed'),
                        EXISTS (SELECT 1 FROM cursor WHERE account_id = ?1 AND resource = 'feed')",
                [account_id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }

    /// Keeps whether an account's server has transfers, as it said last.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn note_transfers(&self, account_id: &str, offered: bool) -> Result<(), Error> {
        self.write("the account cannot be kept", |tx| {
            tx.execute(
                "INSERT INTO cursor (account_id, resource, pull, position, complete) VALUES (?1, ?2, 0, 0, ?3)
                 ON CONFLICT (account_id, resource) DO UPDATE SET complete = ?3 WHERE complete <> ?3",
                (account_id, TRANSFERS, offered),
            )
            .map(drop)
        })
    }

    /// Whether an account's server has transfers; `None` when it has not said so yet.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn seen_transfers(&self, account_id: &str) -> Result<Option<bool>, Error> {
        self.read("the account cannot be read", |db| {
            db.query_row(
                "SELECT complete FROM cursor WHERE account_id = ?1 AND resource = ?2",
                (account_id, TRANSFERS),
                |row| row.get(0),
            )
            .optional()
        })
    }
}
