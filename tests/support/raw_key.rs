//! The raw key of a wallet's database, opened by the format of its files alone.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use ticket_wallet::host::{KeyVault as _, SoftwareVault};

/// 96 hex digits: 32 bytes of key, 16 of salt.
pub(crate) fn raw_key(folder: &Path) -> String {
    let envelope = fs::read(folder.join("wallet.key")).unwrap();
    let sealed = envelope.strip_prefix(b"TWK\x01").unwrap().to_vec();
    let install_id = fs::read(folder.join("install.id")).unwrap();
    let associated = [b"ticket-wallet/1/envelope\0", &install_id[..]].concat();
    let vault = SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned());
    let plain = vault.unseal(sealed, associated).unwrap();
    assert_eq!(plain.len(), 48);
    hex::encode(plain)
}

/// A connection to a database with this raw key.
pub(crate) fn keyed(database: &Path, key: &str) -> Connection {
    let connection = Connection::open(database).unwrap();
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
    connection
}
