//! Opening: the only place that opens and keys a connection.

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::envelope::{Files, StoreKey};
use super::{Store, database, schema};
use crate::error::{Error, RecoveryReason};
use crate::host::KeyVault;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

impl Store {
    /// Opens the wallet in `folder`, or makes it where nothing is. What exists is never deleted, and nothing is written
    /// before the key has proved right.
    ///
    /// # Errors
    /// [`Error::Vault`] when the vault cannot be used now, [`Error::Recovery`] when key and database do not fit
    /// together, [`Error::NewerSchema`], [`Error::File`], [`Error::Database`].
    pub fn open(folder: &Path, vault: &dyn KeyVault) -> Result<Self, Error> {
        let files = Files::in_folder(folder)?;
        let key = files.key(vault)?;
        let known_good = files.check(&key)?;
        if known_good {
            require_content(&files)?;
        }
        let create = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let mut writer = connect(&files, &key, create, known_good)?;
        configure_writer(&writer)?;
        schema::migrate(&mut writer)?;
        let reader = connect(&files, &key, OpenFlags::SQLITE_OPEN_READ_WRITE, true)?;
        reader.pragma_update(None, "query_only", true).map_err(database("the reader cannot be set up"))?;
        if !known_good {
            files.write_check_value(&key)?;
        }
        Ok(Self { writer: Mutex::new(writer), reader: Mutex::new(reader) })
    }
}

/// A complete wallet has a database. SQLite would take an empty file for a new one and delete the write-ahead log.
fn require_content(files: &Files) -> Result<(), Error> {
    match files.database_len()? {
        None => Err(Error::Recovery { why: RecoveryReason::DatabaseMissing }),
        Some(0) => Err(Error::Recovery { why: RecoveryReason::Damaged }),
        Some(_) => Ok(()),
    }
}

/// Opens and keys one connection and proves the key by reading the schema, which a `complete` wallet has. Until then
/// closing writes nothing, a left write-ahead log included.
fn connect(files: &Files, key: &StoreKey, flags: OpenFlags, complete: bool) -> Result<Connection, Error> {
    let context = database("the database cannot be opened");
    let connection = Connection::open_with_flags(&files.database, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(context)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(context)?;
    connection
        .execute_batch(&key.pragma())
        .map_err(|_| Error::Untrusted { what: "the database cannot be keyed" })?;
    require_cipher(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(context)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(context)?;
    if complete && tables == 0 {
        return Err(Error::Recovery { why: RecoveryReason::Damaged });
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false).map_err(context)?;
    for (name, value) in [("foreign_keys", "ON"), ("trusted_schema", "OFF"), ("temp_store", "MEMORY")] {
        connection.pragma_update(None, name, value).map_err(context)?;
    }
    Ok(connection)
}

/// A build without SQLCipher would ignore the key and write plain text: such a wallet is never opened.
fn require_cipher(connection: &Connection) -> Result<(), Error> {
    let version: Result<String, _> = connection.query_row("PRAGMA cipher_version", [], |row| row.get(0));
    match version {
        Ok(version) if !version.is_empty() => Ok(()),
        _ => Err(Error::Untrusted { what: "this build cannot encrypt: SQLCipher is missing" }),
    }
}

fn configure_writer(connection: &Connection) -> Result<(), Error> {
    let context = database("the database cannot be set up");
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(context)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(Error::Untrusted { what: "the file system cannot keep a write-ahead log" });
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(context)?;
    connection.pragma_update(None, "secure_delete", true).map_err(context)
}
