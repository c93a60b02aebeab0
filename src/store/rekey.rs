//! A new key for the database: the envelope holds the old one and the new one while the pages are written anew in one
//! transaction, so that at every moment one of the two opens it. [`super::open::Connections::open`] ends what was broken
//! off.

use rusqlite::{OpenFlags, OptionalExtension as _};

use super::database;
use super::envelope::Keys;
use super::files::Files;
use super::open::{configure_writer, connect, fold};
use crate::error::Error;
use crate::host::KeyVault;

/// Makes the next key and has the vault keep it beside the one that opens the database.
pub(super) fn prepare(files: &Files, vault: &dyn KeyVault) -> Result<Keys, Error> {
    let current = files.key_in_use(files.keys(vault)?)?;
    let next = current.successor()?;
    files.seal(vault, &current, Some(&next))?;
    Ok(Keys { current, next: Some(next) })
}

/// Gives the closed database the next of the keys. An error leaves it with the current one.
pub(super) fn rekey(files: &Files, keys: &Keys) -> Result<(), Error> {
    let context = database("the database cannot be given a new key");
    let Some(next) = &keys.next else { return Ok(()) };
    let writer = connect(files, &keys.current, OpenFlags::SQLITE_OPEN_READ_WRITE, true)?;
    configure_writer(&writer)?;
    // A failure is told by the absence of an answer only.
    let done: Option<String> =
        writer.query_row(&next.pragma("rekey"), [], |row| row.get(0)).optional().map_err(context)?;
    let unfinished = Error::Database {
        context: "the database cannot be given a new key",
        reason: "it cannot be written".to_owned(),
    };
    done.ok_or_else(|| unfinished.clone())?;
    // What the old key encrypted goes with the log.
    if !fold(&writer).map_err(context)? {
        return Err(unfinished);
    }
    drop(writer);
    connect(files, next, OpenFlags::SQLITE_OPEN_READ_WRITE, true).map(drop)
}
