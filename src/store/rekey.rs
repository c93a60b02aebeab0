//! A new key for the database: the envelope holds the old one and the new one while the pages are written anew in one
//! transaction, so that at every moment one of the two opens it. [`super::open::Connections::open`] ends what was broken
//! off.

use rusqlite::OpenFlags;

use super::database;
use super::envelope::Keys;
use super::files::Files;
use super::open::{configure_writer, connect, fold};
use crate::error::Error;
use crate::host::KeyVault;

/// Gives the closed database in `files` a new key, up to the point from which opening finds it.
pub(super) fn rekey(files: &Files, vault: &dyn KeyVault) -> Result<(), Error> {
    let Keys { current, .. } = files.keys(vault)?;
    let next = current.successor()?;
    files.seal(vault, &current, Some(&next))?;
    let context = database("the database cannot be given a new key");
    let writer = connect(files, &current, OpenFlags::SQLITE_OPEN_READ_WRITE, true)?;
    configure_writer(&writer)?;
    writer.execute_batch(&next.pragma("rekey")).map_err(context)?;
    // What the old key encrypted goes with the log.
    fold(&writer).map_err(context)
}
