//! What is saved from one database into another: rows that can be read, that the tables take and that make sense.

use std::collections::HashMap;

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction};

use crate::model::WriteState;
use crate::store::{accounts, outbox};

/// The tables that no server can give back, each after those it refers to.
pub(super) const SAVED: [&str; 12] = [
    "account",
    "device_key",
    "credential",
    "doomed_key",
    "outbox",
    "enrollment",
    "office_write",
    "scanner",
    "gate_record",
    "gate_certificate",
    "gate_floor",
    "gate_sequence",
];

/// How much was saved.
pub(in crate::store) struct Saved {
    pub(in crate::store) accounts: u32,
    pub(in crate::store) credentials: u32,
    pub(in crate::store) outbox: u32,
    pub(in crate::store) records: u32,
}

/// Copies what can be had.
pub(in crate::store) fn copy(old: &Connection, new: &mut Connection) -> rusqlite::Result<Saved> {
    let transaction = new.transaction()?;
    let saved: HashMap<_, _> = SAVED
        .iter()
        .map(|table| Ok((*table, copy_table(old, &transaction, table)?)))
        .collect::<rusqlite::Result<_>>()?;
    // A key in use is never one to delete, whichever table its row was found in.
    transaction.execute_batch(
        "DELETE FROM doomed_key WHERE handle IN
             (SELECT handle FROM device_key UNION SELECT next_handle FROM device_key WHERE next_handle NOT NULL)",
    )?;
    // What the wallet made by itself it makes again.
    transaction.execute(
        "DELETE FROM outbox WHERE payload ->> 'kind' = 'renew' OR (payload ->> 'kind' = 'bind' AND NOT payload ->> 'move')",
        [],
    )?;
    // Its last records may be lost: a second one of their places would be a fork.
    transaction.execute("UPDATE scanner SET chain = NULL", [])?;
    // What came before or after the others may be lost: the person decides.
    let held = transaction.execute("UPDATE outbox SET state = ?1", [WriteState::Held.as_text()])?;
    transaction.commit()?;
    let outbox = u32::try_from(held).unwrap_or(u32::MAX);
    let of = |table| saved[table];
    Ok(Saved { accounts: of("account"), credentials: of("credential"), outbox, records: of("gate_record") })
}

/// Copies the good rows of a table; returns how many.
fn copy_table(old: &Connection, new: &Transaction<'_>, table: &str) -> rusqlite::Result<u32> {
    let Ok(mut select) = old.prepare(&format!("SELECT * FROM {table} NOT INDEXED")) else { return Ok(0) };
    let columns = select.column_names().collect::<Vec<_>>().join(", ");
    let count = select.column_count();
    let places = vec!["?"; count].join(", ");
    let mut insert = new.prepare(&format!("INSERT OR IGNORE INTO {table} ({columns}) VALUES ({places})"))?;
    let mut rows = select.query([])?;
    let mut saved = 0;
    // An error ends the walk: what came until then is what can be had.
    while let Ok(Some(row)) = rows.next() {
        let Ok(values) = (0..count).map(|column| row.get(column)).collect::<Result<Vec<Value>, _>>() else {
            continue;
        };
        if table == "credential" {
            keep_key_of(new, row)?;
        }
        // A row of another table's shape, or of none, is refused by this one's constraints.
        let taken = insert.execute(rusqlite::params_from_iter(values)).is_ok_and(|changed| changed > 0);
        saved += u32::from(taken && keep_sense(new, table)?);
    }
    Ok(saved)
}

/// A credential names its key: a row that was lost with the table of the keys is made anew.
fn keep_key_of(new: &Connection, credential: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    let key = (credential.get::<_, String>("handle"), credential.get::<_, Vec<u8>>("ticket_id"));
    let (Ok(handle), Ok(ticket)) = key else { return Ok(()) };
    new.execute("INSERT OR IGNORE INTO device_key (handle, ticket_id) VALUES (?1, ?2)", (handle, ticket))
        .map(drop)
}

/// Takes the row that was just inserted out again when nobody could read it; returns whether it stays.
fn keep_sense(new: &Connection, table: &str) -> rusqlite::Result<bool> {
    let row = new.last_insert_rowid();
    let sense = match table {
        "account" => accounts::at(new, row).is_ok(),
        "outbox" => outbox::find(new, row).is_ok(),
        _ => true,
    };
    if !sense {
        new.execute(&format!("DELETE FROM {table} WHERE rowid = ?1"), [row])?;
    }
    Ok(sense)
}
