//! Opening and closing: the only place that opens and keys a connection.

use std::path::Path;
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, InterruptHandle, OpenFlags};

use super::envelope::{Check, Keys, StoreKey};
use super::files::{Files, PARTS, read, remove, unfinished, write};
use super::lock::FolderLock;
use super::{State, Store, cipher, database, recover, rekey, schema};
use crate::error::{Error, RecoveryReason};
use crate::host::KeyVault;

const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The open database.
pub(super) struct Connections {
    pub(super) writer: Mutex<Connection>,
    pub(super) reader: Mutex<Connection>,
    interrupts: [InterruptHandle; 2],
    /// Last, so that the connections are closed before others are let in.
    lock: FolderLock,
}

opaque_debug!(Connections);

impl Store {
    /// Opens the wallet in `folder`, or makes it where nothing is. What exists is never deleted, and nothing is written
    /// before the key has proved right.
    ///
    /// # Errors
    /// [`Error::Vault`] when the vault cannot be used now, [`Error::Recovery`] when key and database do not fit
    /// together, [`Error::OpenElsewhere`], [`Error::NewerSchema`], [`Error::File`], [`Error::Database`].
    pub fn open(folder: &Path, vault: &dyn KeyVault) -> Result<Self, Error> {
        let files = Files::in_folder(folder)?;
        let connections = Connections::open(&files, vault, FolderLock::take(folder)?)?;
        Ok(Self { files, state: RwLock::new(State::Open(Box::new(connections))) })
    }

    /// Interrupts what runs, folds the log into the database and closes it: no file stays open, and others may open
    /// it. Calls fail with [`Error::Paused`] until [`Store::resume`]. Nothing happens, and nothing more, as soon as the
    /// pause is not `wanted` any more: whoever resumes says so first.
    pub fn pause(&self, wanted: impl Fn() -> bool) {
        if let Ok(open) = self.state.read().unwrap_or_else(PoisonError::into_inner).open()
            && wanted()
        {
            open.interrupts.iter().for_each(InterruptHandle::interrupt);
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !wanted() {
            return;
        }
        match std::mem::replace(&mut *state, State::Paused) {
            State::Open(connections) => drop(connections.close()),
            closed => *state = closed,
        }
    }

    /// Opens the database again; one that is open stays so.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Error::Wiped`].
    pub fn resume(&self, vault: &dyn KeyVault) -> Result<(), Error> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if matches!(*state, State::Paused) {
            let lock = FolderLock::take(&self.files.folder)?;
            *state = State::Open(Box::new(Connections::open(&self.files, vault, lock)?));
        }
        state.open().map(drop)
    }

    /// Gives the database a new key, sealed by the vault. A crash at any point leaves a wallet that opens with all its
    /// content, under the old key or the new one. Nothing waits for the vault but this call.
    ///
    /// # Errors
    /// [`Error::Vault`], [`Error::File`], [`Error::Database`]: the old key still holds. [`Error::Paused`], also when the
    /// store was paused meanwhile.
    pub fn rekey(&self, vault: &dyn KeyVault) -> Result<(), Error> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).open()?;
        let change = rekey::prepare(&self.files, vault)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.open()?;
        change.begin(&self.files)?;
        let State::Open(connections) = std::mem::replace(&mut *state, State::Paused) else {
            return Err(Error::Paused);
        };
        let lock = connections.close();
        let rekeyed = rekey::rekey(&self.files, &change.keys);
        let (connections, key) = Connections::open_with(&self.files, &change.keys, lock)?;
        *state = State::Open(Box::new(connections));
        change.end(&self.files, key)?;
        rekeyed
    }

    /// Deletes every file of the wallet, what recovery put aside included. It cannot be opened again.
    ///
    /// # Errors
    /// [`Error::File`]: some file is still there, and the next attempt goes on.
    pub fn wipe(&self) -> Result<(), Error> {
        self.pause(|| true);
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let _lock = FolderLock::take(&self.files.folder)?;
        *state = State::Wiped;
        // The key goes first: without it the rest is noise.
        for part in PARTS.iter().rev() {
            let part = self.files.folder.join(part);
            remove(&part)?;
            remove(&unfinished(&part))?;
        }
        recover::kept_folders(&self.files)?.iter().try_for_each(|folder| remove(folder))
    }
}

impl Connections {
    /// Opens what is in the folder, or makes it.
    pub(super) fn open(files: &Files, vault: &dyn KeyVault, lock: FolderLock) -> Result<Self, Error> {
        recover::finish(files)?;
        let keys = files.keys(vault)?;
        let (open, key) = Self::open_with(files, &keys, lock)?;
        if keys.next.is_some() {
            files.seal(vault, key)?;
        }
        Ok(open)
    }

    /// Opens what is in the folder with the key that fits; returns which.
    fn open_with<'k>(files: &Files, keys: &'k Keys, lock: FolderLock) -> Result<(Self, &'k StoreKey), Error> {
        let check = files.check(keys)?;
        if check == Check::Fits {
            require_content(files)?;
        }
        let (mut writer, key) = connect_with_either(files, keys, check)?;
        configure_writer(&writer)?;
        schema::migrate(&mut writer)?;
        let reader = connect(files, key, OpenFlags::SQLITE_OPEN_READ_WRITE, true)?;
        reader.pragma_update(None, "query_only", true).map_err(database("the reader cannot be set up"))?;
        if check == Check::Absent || keys.next.is_some() {
            files.write_check_value(key)?;
        }
        keep_map(files, &writer)?;
        // Only now may closing write: what was refused above is left as it was found.
        for connection in [&writer, &reader] {
            keep_log_on_close(connection, false).map_err(database("the database cannot be set up"))?;
        }
        let interrupts = [writer.get_interrupt_handle(), reader.get_interrupt_handle()];
        let open = Self { writer: Mutex::new(writer), reader: Mutex::new(reader), interrupts, lock };
        Ok((open, key))
    }

    /// Closes both connections and leaves the files as they are, their log included.
    pub(super) fn leave(self) -> rusqlite::Result<()> {
        let writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        let reader = self.reader.into_inner().unwrap_or_else(PoisonError::into_inner);
        [&writer, &reader].into_iter().try_for_each(|connection| keep_log_on_close(connection, true))
    }

    /// Folds the log into the database and closes both connections; whoever gets the lock decides who comes next.
    pub(super) fn close(self) -> FolderLock {
        let writer = self.writer.into_inner().unwrap_or_else(PoisonError::into_inner);
        drop(self.reader);
        // A full disk keeps the log, which the next opening reads.
        let _ = fold(&writer);
        drop(writer);
        self.lock
    }
}

/// Copies the log into the database and empties it; returns whether all of it went.
pub(super) fn fold(connection: &Connection) -> rusqlite::Result<bool> {
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// Whether the last connection leaves the log as it is when it closes, instead of folding it in.
fn keep_log_on_close(connection: &Connection, keep: bool) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep).map(drop)
}

/// Between two keys the one that opens the database is its own.
fn connect_with_either<'k>(
    files: &Files,
    keys: &'k Keys,
    check: Check,
) -> Result<(Connection, &'k StoreKey), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let complete = check == Check::Fits;
    let found = connect(files, &keys.current, flags, complete).map(|connection| (connection, &keys.current));
    match (found, &keys.next) {
        (Err(Error::Recovery { .. }), Some(next)) => {
            connect(files, next, flags, complete).map(|connection| (connection, next))
        }
        (found, _) => found,
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

/// Opens and keys one connection and proves the key by reading the schema, which a `complete` wallet has. Closing it
/// folds no log.
pub(super) fn connect(
    files: &Files,
    key: &StoreKey,
    flags: OpenFlags,
    complete: bool,
) -> Result<Connection, Error> {
    let context = database("the database cannot be opened");
    let connection = Connection::open_with_flags(&files.database, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)
        .map_err(context)?;
    keep_log_on_close(&connection, true).map_err(context)?;
    cipher::wait_until_ready();
    connection
        .execute_batch(&key.pragma("key"))
        .map_err(|_| Error::Untrusted { what: "the database cannot be keyed" })?;
    require_cipher(&connection)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(context)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(context)?;
    if complete && tables == 0 {
        return Err(Error::Recovery { why: RecoveryReason::Damaged });
    }
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

pub(super) fn configure_writer(connection: &Connection) -> Result<(), Error> {
    let context = database("the database cannot be set up");
    let mode: String =
        connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(context)?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(Error::Untrusted { what: "the file system cannot keep a write-ahead log" });
    }
    connection.pragma_update(None, "synchronous", "FULL").map_err(context)?;
    connection.pragma_update(None, "secure_delete", true).map_err(context)
}

/// Writes down where the tables begin, when it has changed.
fn keep_map(files: &Files, connection: &Connection) -> Result<(), Error> {
    let map = schema::map(connection).map_err(database("the schema cannot be read"))?;
    let bytes = serde_json::to_vec(&map).map_err(|_| Error::Untrusted { what: "the map cannot be kept" })?;
    if read(&files.map)?.as_deref() == Some(&bytes[..]) { Ok(()) } else { write(&files.map, &bytes) }
}
