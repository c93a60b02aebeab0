//! Reading what is left of a damaged database: page by page, below SQLite, which gives up at the first bad one.
//!
//! Pages that fail their check are replaced by others over which SQLite walks on; if the first pages are among them, a
//! schema is made for what `wallet.map` says. The outcome is a plain database in memory, never on the disk.

mod copy;
mod image;
mod log;
mod pages;
mod tree;

use std::collections::HashSet;

use rusqlite::{Connection, MAIN_DB};

pub(super) use copy::copy;

use super::database;
use super::envelope::StoreKey;
use super::files::{Files, read};
use super::schema::{self, Map};
use crate::error::Error;

/// What is left of a database.
pub(super) struct Remains {
    /// A plain database in memory. Its tables hold what could be read, and rows of NULLs where nothing could.
    pub(super) connection: Option<Connection>,
    /// Pages it had.
    pub(super) pages: u32,
    /// Pages that pass their check; the others fail it, or are gone.
    pub(super) readable: u32,
}

/// Puts together what the key opens of the database and its log.
pub(super) fn remains(files: &Files, key: &StoreKey) -> Result<Remains, Error> {
    let database = read(&files.database)?.unwrap_or_default();
    let mut encrypted = pages::split(&database);
    log::lay_over(&read(&files.log())?.unwrap_or_default(), &mut encrypted);
    let mut pages = pages::decrypt_all(&encrypted, key);
    let map: Option<Map> = read(&files.map)?.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let roots = map.iter().flat_map(|map| map.roots.values().copied()).collect();
    pages.resize(tree::pages_before(&pages, &roots), None);
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let readable = pages.iter().flatten().count();
    let connection = if readable == 0 { None } else { open(&pages, map)? };
    Ok(Remains { connection, pages: count(pages.len()), readable: count(readable) })
}

/// With its own schema where that can be read, else with the one of the map.
fn open(pages: &[Option<Vec<u8>>], map: Option<Map>) -> Result<Option<Connection>, Error> {
    let own = image::with_own_schema(pages, &HashSet::new()).map(load).transpose()?;
    let own = own.and_then(|own| schema::map(&own).ok()).filter(|own| own.version > 0);
    let image = match (own, map) {
        (Some(own), _) => image::with_own_schema(pages, &own.roots.into_values().collect()),
        (None, Some(map)) => image::with_schema_of(&map, pages),
        (None, None) => None,
    };
    image.map(load).transpose()
}

fn load(image: Vec<u8>) -> Result<Connection, Error> {
    let context = database("the remains of the database cannot be read");
    let mut connection = Connection::open_in_memory().map_err(context)?;
    let length = image.len();
    connection.deserialize_read_exact(MAIN_DB, &image[..], length, true).map_err(context)?;
    Ok(connection)
}
