//! A new key for the database: the envelope holds the old one and the new one while the pages are written anew in one
//! transaction, so that at every moment one of the two opens it. [`super::open::Connections::open`] ends what was broken
//! off.

use rusqlite::{OpenFlags, OptionalExtension as _};

use super::database;
use super::envelope::{Keys, StoreKey};
use super::files::{Files, read};
use super::open::{configure_writer, connect, fold};
use crate::error::Error;
use crate::host::KeyVault;

const CONTEXT: &str = "the database cannot be given a new key";

/// The change from one key to the next, with all that the vault does for it done before the database is closed.
pub(super) struct Change {
    /// The key that opens the database, and the next one.
    pub(super) keys: Keys,
    /// The envelope before the change, in the middle of it, and after it.
    before: Vec<u8>,
    midway: Vec<u8>,
    after: Vec<u8>,
}

opaque_debug!(Change);

/// Makes the next key and has the vault seal it. Nothing is written.
pub(super) fn prepare(files: &Files, vault: &dyn KeyVault) -> Result<Change, Error> {
    let (before, keys) = files.open_envelope(vault)?;
    let current = files.key_in_use(keys)?;
    let next = current.successor()?;
    let midway = files.sealed(vault, &current, Some(&next))?;
    let after = files.sealed(vault, &next, None)?;
    Ok(Change { keys: Keys { current, next: Some(next) }, before, midway, after })
}

impl Change {
    /// Keeps both keys, unless the database was given another one since the change was prepared.
    pub(super) fn begin(&self, files: &Files) -> Result<(), Error> {
        if read(&files.envelope)?.as_deref() != Some(&self.before[..]) {
            return Err(Error::Database {
                context: CONTEXT,
                reason: "it was just given another one".to_owned(),
            });
        }
        files.write_envelope(&self.midway)
    }

    /// Keeps the key alone that the database has.
    pub(super) fn end(&self, files: &Files, key: &StoreKey) -> Result<(), Error> {
        let is_next = self.keys.next.as_ref() == Some(key);
        files.write_envelope(if is_next { &self.after } else { &self.before })
    }
}

/// Gives the closed database the next of the keys. An error leaves it with the current one.
pub(super) fn rekey(files: &Files, keys: &Keys) -> Result<(), Error> {
    let context = database(CONTEXT);
    let Some(next) = &keys.next else { return Ok(()) };
    let writer = connect(files, &keys.current, OpenFlags::SQLITE_OPEN_READ_WRITE, true)?;
    configure_writer(&writer)?;
    // A failure is told by the absence of an answer only.
    let done: Option<String> =
        writer.query_row(&next.pragma("rekey"), [], |row| row.get(0)).optional().map_err(context)?;
    let unfinished = Error::Database { context: CONTEXT, reason: "it cannot be written".to_owned() };
    done.ok_or_else(|| unfinished.clone())?;
    // What the old key encrypted goes with the log.
    if !fold(&writer).map_err(context)? {
        return Err(unfinished);
    }
    drop(writer);
    connect(files, next, OpenFlags::SQLITE_OPEN_READ_WRITE, true).map(drop)
}
