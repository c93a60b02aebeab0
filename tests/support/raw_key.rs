//! The raw key of a wallet's database, opened by the format of its files alone.
#![allow(unsafe_code, reason = "SQLCipher's start is a function in C")]

use std::ffi::{c_char, c_int};
use std::fs;
use std::path::Path;
use std::ptr;

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

unsafe extern "C" {
    fn sqlcipher_extra_init(argument: *const c_char) -> c_int;
}

/// A connection that has no key yet and can take one: another thread may be starting SQLCipher.
pub(crate) fn unkeyed(database: &Path) -> Connection {
    let connection = Connection::open(database).unwrap();
    // SAFETY: SQLCipher takes a mutex of its own, returns at once if it is ready, and ignores the argument.
    unsafe { sqlcipher_extra_init(ptr::null()) };
    connection
}

/// A connection to a database with this raw key.
pub(crate) fn keyed(database: &Path, key: &str) -> Connection {
    let connection = unkeyed(database);
    connection.execute_batch(&format!("PRAGMA key = \"x'{key}'\"")).unwrap();
    connection
}
