//! The schema: numbered SQL files, applied in one transaction.

use rusqlite::{Connection, TransactionBehavior};

use super::database;
use crate::error::Error;

const MIGRATIONS: [&str; 1] = [include_str!("migrations/0001_wallet.sql")];

/// Brings the database to this version's schema. `PRAGMA user_version` counts the migrations applied.
///
/// # Errors
/// [`Error::NewerSchema`] when a later version wrote it; nothing is changed then.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    let context = database("the schema cannot be brought up to date");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(context)?;
    let found: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(context)?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    let Some(missing) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..)) else {
        return Err(Error::NewerSchema { found, known });
    };
    for sql in missing {
        transaction.execute_batch(sql).map_err(context)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", known).map_err(context)?;
    }
    transaction.commit().map_err(context)
}
