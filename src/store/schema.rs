//! The schema: numbered SQL files, applied in one transaction.

use std::collections::BTreeMap;

use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::database;
use crate::error::Error;

const MIGRATIONS: [&str; 9] = [
    include_str!("migrations/0001_wallet.sql"),
    include_str!("migrations/0002_outbox.sql"),
    include_str!("migrations/0003_systems.sql"),
    include_str!("migrations/0004_gate.sql"),
    include_str!("migrations/0005_exchange.sql"),
    include_str!("migrations/0006_manifest_parts.sql"),
    include_str!("migrations/0007_gate_memory.sql"),
    include_str!("migrations/0008_market.sql"),
    include_str!("migrations/0009_of_tickets.sql"),
];

/// Where each table and index of a database begins.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Map {
    /// How many migrations were applied.
    pub(super) version: usize,
    /// Page numbers, from 1.
    pub(super) roots: BTreeMap<String, u32>,
}

/// Brings the database to this version's schema. `PRAGMA user_version` counts the migrations applied.
///
/// # Errors
/// [`Error::NewerSchema`] when a later version wrote it; nothing is changed then.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Error> {
    migrate_to(connection, MIGRATIONS.len())
}

/// Brings the database to the schema after so many migrations.
pub(super) fn migrate_to(connection: &mut Connection, version: usize) -> Result<(), Error> {
    let context = database("the schema cannot be brought up to date");
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(context)?;
    let found: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(context)?;
    let known = i64::try_from(version).unwrap_or(i64::MAX);
    let Some(missing) = usize::try_from(found).ok().and_then(|found| MIGRATIONS.get(found..version)) else {
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

/// The version and the beginnings of everything in a database.
pub(super) fn map(connection: &Connection) -> rusqlite::Result<Map> {
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut statement = connection.prepare("SELECT name, rootpage FROM sqlite_master WHERE rootpage > 0")?;
    let roots = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    Ok(Map { version: usize::try_from(version).unwrap_or(0), roots })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT name || ': ' || coalesce(sql, '') FROM sqlite_master ORDER BY name")
            .unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn a_database_brought_up_step_by_step_equals_a_new_one() {
        let mut fresh = Connection::open_in_memory().unwrap();
        migrate(&mut fresh).unwrap();
        let mut stepwise = Connection::open_in_memory().unwrap();
        for version in 1..=MIGRATIONS.len() {
            migrate_to(&mut stepwise, version).unwrap();
            assert_eq!(map(&stepwise).unwrap().version, version);
        }
        assert_eq!(texts(&fresh), texts(&stepwise));
    }

    #[test]
    fn a_manifest_that_lies_in_one_row_is_kept() {
        let mut older = Connection::open_in_memory().unwrap();
        migrate_to(&mut older, 5).unwrap();
        let (event, body) = ([7_u8; 8], vec![1_u8; 100_000]);
        older
            .execute("INSERT INTO gate_manifest (event, body, taken) VALUES (?1, ?2, 3)", (event, &body))
            .unwrap();
        migrate(&mut older).unwrap();
        let part: ([u8; 8], i64, Vec<u8>) = older
            .query_row("SELECT event, number, bytes FROM gate_manifest_part", [], |row| row.try_into())
            .unwrap();
        assert!(part == (event, 0, body));
        let taken: ([u8; 8], i64) =
            older.query_row("SELECT event, taken FROM gate_manifest", [], |row| row.try_into()).unwrap();
        assert_eq!(taken, (event, 3));
    }

    #[test]
    fn the_sequence_of_a_signed_manifest_in_use_is_kept() {
        let sequences = |key: Option<&str>| {
            let mut older = Connection::open_in_memory().unwrap();
            migrate_to(&mut older, 6).unwrap();
            let registered = serde_json::json!({ "manifest_key": key }).to_string();
            for (event, sequence) in [([7_u8; 8], 0xFEDC_BA90_u32), ([8; 8], 5)] {
                let body = [&b"TWM1"[..], &event, &sequence.to_be_bytes(), &[0; 11]].concat();
                older.execute("INSERT INTO gate_manifest_part VALUES (?1, 0, ?2)", (event, body)).unwrap();
            }
            for event in [[8_u8; 8], [7; 8]] {
                let sql =
                    "INSERT INTO scanner (registered, event, scanner_id, key_handle) VALUES (?1, ?2, ?2, '')";
                older.execute(sql, (&registered, event)).unwrap();
            }
            migrate(&mut older).unwrap();
            let mut kept = older.prepare("SELECT event, key, sequence FROM gate_sequence").unwrap();
            let rows = kept.query_map([], |row| row.try_into()).unwrap();
            rows.collect::<Result<Vec<([u8; 8], String, u32)>, _>>().unwrap()
        };
        let key = "ab".repeat(32);
        assert_eq!(sequences(Some(&key)), [([7; 8], key, 0xFEDC_BA90)], "of the post that it stands at");
        assert_eq!(sequences(None), []);
    }

    #[test]
    fn listings_and_transfers_stay_what_they_are() {
        let mut older = Connection::open_in_memory().unwrap();
        migrate_to(&mut older, 8).unwrap();
        older.pragma_update(None, "foreign_keys", false).unwrap();
        let listing = "INSERT INTO listing VALUES ('one', '3', X'07', 'active', NULL, 'hidden', 4, 6400, 'EUR', '{}', 5, 6)";
        let transfer = "INSERT INTO transfer VALUES ('one', '3', X'08', 'ada@example.org', 'pending', 9)";
        older.execute_batch(&format!("{listing}; {transfer}")).unwrap();
        migrate(&mut older).unwrap();
        let whole = |sql: &str| older.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        let listing = "SELECT count(*) FROM listing WHERE (account_id, remote_id, ticket_id, state, policy, version, minor,
            currency, breakdown, created_at, expires_at)
            = ('one', '3', X'07', 'active', 'hidden', 4, 6400, 'EUR', '{}', 5, 6) AND reason IS NULL";
        let transfer = "SELECT count(*) FROM transfer WHERE (account_id, remote_id, ticket_id, recipient, state, expires_at)
            = ('one', '3', X'08', 'ada@example.org', 'pending', 9)";
        assert_eq!((whole(listing), whole(transfer)), (1, 1));
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let mut newer = Connection::open_in_memory().unwrap();
        migrate(&mut newer).unwrap();
        let known = MIGRATIONS.len();
        assert!(matches!(migrate_to(&mut newer, known - 1), Err(Error::NewerSchema { .. })));
        assert_eq!(map(&newer).unwrap().version, known);
    }
}
