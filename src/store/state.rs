//! How the store stands: its files, its version, whether it is sound.

use std::fs;
use std::path::Path;

use rusqlite::Connection;

use super::files::{Files, PARTS, exists};
use super::{Store, accounts, outbox, recover, schema};
use crate::error::Error;

/// What is known of a wallet's files.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct FileState {
    /// Size of the database in bytes.
    pub database_bytes: u64,
    /// Size of its write-ahead log in bytes.
    pub log_bytes: u64,
    /// How many migrations its schema has; `None` when it does not open.
    pub schema: Option<u32>,
    /// Whether every page passed its check; `None` when it does not open.
    pub sound: Option<bool>,
    /// Folders into which recoveries put old files.
    pub kept: Vec<String>,
}

impl Store {
    /// The state of the open store; every page is read and checked.
    ///
    /// # Errors
    /// [`Error::Database`], [`Error::Paused`].
    pub fn file_state(&self) -> Result<FileState, Error> {
        let (schema, sound) = self.read("the database cannot be checked", |db| {
            Ok((u32::try_from(schema::map(db)?.version).ok(), Some(is_sound(db)?)))
        })?;
        Ok(FileState { schema, sound, ..of_files(&self.files) })
    }

    /// How many tickets of an account are listed, and how many barcodes are held for them.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn count(&self, account_id: &str) -> Result<(u32, u32), Error> {
        self.read("the tickets cannot be counted", |db| {
            db.query_row(
                "SELECT count(*), count(c.ticket_id) FROM ticket t LEFT JOIN credential c ON c.ticket_id = t.id
                 WHERE t.account_id = ?1 AND t.absences < 2",
                [account_id],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
        })
    }
}

/// Whether every page passes its check, the tables hang together, and what no server can give back makes sense.
pub(super) fn is_sound(db: &Connection) -> rusqlite::Result<bool> {
    if db.prepare("PRAGMA cipher_integrity_check")?.exists([])? {
        return Ok(false);
    }
    let said: String = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok(said == "ok" && accounts::all(db).is_ok() && outbox::all(db).is_ok())
}

/// Whether there is anything of a wallet in a folder.
pub fn is_there(folder: &Path) -> bool {
    PARTS.iter().any(|part| exists(&folder.join(part)))
        || recover::kept_folders(&Files::at(folder)).is_ok_and(|kept| !kept.is_empty())
}

/// What the file system tells of a wallet that is not open.
pub fn file_state_of(folder: &Path) -> FileState {
    of_files(&Files::at(folder))
}

fn of_files(files: &Files) -> FileState {
    let size = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    FileState {
        database_bytes: size(&files.database),
        log_bytes: size(&files.log()),
        kept: recover::kept_folders(files).iter().flatten().filter_map(|folder| name(folder)).collect(),
        ..FileState::default()
    }
}
