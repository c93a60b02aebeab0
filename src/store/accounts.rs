//! Accounts and their sessions.

use rusqlite::{Connection, OptionalExtension as _, Row};
use zeroize::Zeroizing;

use super::Store;
use super::outbox::AUTOMATIC;
use crate::error::Error;
use crate::model::{StoredAccount, TicketSystem, Tokens};

const COLUMNS: &str = "id, system, config, user_name, access_token, refresh_token, session_id";

impl Store {
    /// Keeps an account; one with the same id is brought up to date.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn save_account(&self, account: &StoredAccount) -> Result<(), Error> {
        let config = serde_json::to_string(&account.config)
            .map_err(|_| Error::Untrusted { what: "the address cannot be kept" })?;
        let (access, refresh, session) = token_columns(account.tokens.as_ref());
        self.write("the account cannot be kept", |tx| {
            tx.execute(
                "INSERT INTO account (id, system, config, user_name, access_token, refresh_token, session_id)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (id) DO UPDATE SET config = ?3, access_token = ?5, refresh_token = ?6, session_id = ?7",
                (&account.id, account.system.as_text(), config, &account.user_name, access, refresh, session),
            )?;
            Ok(())
        })
    }

    /// All accounts, in the order of their ids.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn accounts(&self) -> Result<Vec<StoredAccount>, Error> {
        self.read("the accounts cannot be read", all)
    }

    /// One account.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Database`].
    pub fn account(&self, id: &str) -> Result<StoredAccount, Error> {
        self.read("the account cannot be read", |db| {
            db.prepare_cached(&format!("SELECT {COLUMNS} FROM account WHERE id = ?1"))?
                .query_row([id], account)
                .optional()
        })?
        .ok_or(Error::NotFound { what: "account" })
    }

    /// Removes an account with its tickets, credentials, keys and writes, and nothing of any other. Its keys are to be
    /// deleted from the vault then: [`Store::doomed_keys`].
    ///
    /// # Errors
    /// [`Error::Input`] while writes of the person wait that are not to be discarded, [`Error::Database`].
    pub fn remove_account(&self, id: &str, discard_changes: bool) -> Result<(), Error> {
        let waiting = self.write("the account cannot be removed", |tx| {
            let writes = format!("SELECT count(*) FROM outbox WHERE account_id = ?1 AND NOT ({AUTOMATIC})");
            let waiting: i64 = tx.query_row(&writes, [id], |row| row.get(0))?;
            if waiting > 0 && !discard_changes {
                return Ok(Some(waiting));
            }
            // A ticket that went to another account of this wallet took its key along.
            tx.execute_batch("CREATE TEMP TABLE IF NOT EXISTS leaving (ticket_id BLOB); DELETE FROM leaving")?;
            tx.execute(
                "INSERT INTO leaving SELECT ticket_id FROM device_key k
                 WHERE coalesce((SELECT t.account_id FROM ticket t WHERE t.id = k.ticket_id), k.account_id) = ?1",
                [id],
            )?;
            tx.execute_batch(
                "INSERT OR IGNORE INTO doomed_key SELECT handle FROM device_key WHERE ticket_id IN leaving
                     UNION SELECT next_handle FROM device_key WHERE ticket_id IN leaving AND next_handle IS NOT NULL;
                 DELETE FROM credential WHERE ticket_id IN leaving;
                 DELETE FROM device_key WHERE ticket_id IN leaving;",
            )?;
            tx.execute(
                "INSERT OR IGNORE INTO doomed_key SELECT payload ->> 'handle' FROM outbox
                 WHERE account_id = ?1 AND payload ->> 'kind' IN ('purchase', 'accept_transfer')",
                [id],
            )?;
            tx.execute("DELETE FROM outbox WHERE account_id = ?1", [id])?;
            tx.execute("DELETE FROM office_write WHERE account_id = ?1", [id])?;
            tx.execute("DELETE FROM account WHERE id = ?1", [id])?;
            tx.execute_batch("DELETE FROM event WHERE hash NOT IN (SELECT event FROM ticket_body WHERE event NOT NULL)")?;
            Ok(None)
        })?;
        waiting.map_or(Ok(()), |waiting| {
            let reason =
                format!("{waiting} changes of this account wait in the outbox; sync first, or discard them");
            Err(Error::Input { field: "discard_changes", reason })
        })
    }

    /// Replaces an account's session; `None` ends it.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_tokens(&self, account_id: &str, tokens: Option<&Tokens>) -> Result<(), Error> {
        let (access, refresh, session) = token_columns(tokens);
        self.write("the session cannot be kept", |tx| {
            tx.execute(
                "UPDATE account SET access_token = ?2, refresh_token = ?3, session_id = ?4 WHERE id = ?1",
                (account_id, access, refresh, session),
            )?;
            Ok(())
        })
    }
}

type TokenColumns<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

fn token_columns(tokens: Option<&Tokens>) -> TokenColumns<'_> {
    let Some(Tokens { access, refresh, session_id }) = tokens else { return (None, None, None) };
    (
        Some(access.as_str()),
        refresh.as_ref().map(|token| token.as_str()),
        session_id.as_ref().map(|id| id.as_str()),
    )
}

pub(super) fn all(db: &Connection) -> rusqlite::Result<Vec<StoredAccount>> {
    let mut statement = db.prepare_cached(&format!("SELECT {COLUMNS} FROM account ORDER BY id"))?;
    statement.query_map([], account)?.collect()
}

/// Whether there is such an account.
pub(super) fn is_known(db: &Connection, id: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM account WHERE id = ?1")?.exists([id])
}

/// The account of one row of the table.
pub(super) fn at(db: &Connection, row: i64) -> rusqlite::Result<StoredAccount> {
    db.query_row(&format!("SELECT {COLUMNS} FROM account WHERE rowid = ?1"), [row], account)
}

fn account(row: &Row<'_>) -> rusqlite::Result<StoredAccount> {
    let wrong = || rusqlite::Error::InvalidQuery;
    let access: Option<String> = row.get(4)?;
    let refresh: Option<String> = row.get(5)?;
    let session: Option<String> = row.get(6)?;
    Ok(StoredAccount {
        id: row.get(0)?,
        system: TicketSystem::from_text(&row.get::<_, String>(1)?).ok_or_else(wrong)?,
        config: serde_json::from_str(&row.get::<_, String>(2)?).map_err(|_| wrong())?,
        user_name: row.get(3)?,
        tokens: access.map(|access| Tokens {
            access: Zeroizing::new(access),
            refresh: refresh.map(Zeroizing::new),
            session_id: session.map(Zeroizing::new),
        }),
    })
}
