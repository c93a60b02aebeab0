//! A small program that needs the database to be linked in. `no_openssl.rs` links it; nothing else builds it.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use ticket_wallet::host::SoftwareVault;
use ticket_wallet::{Config, Wallet};

fn main() {
    let folder = std::env::args().nth(1).unwrap();
    let vault = SoftwareVault::new(format!("{folder}/vault.json"));
    let wallet = Wallet::open(Config::in_folder(folder), Arc::new(vault), None, None).unwrap();
    assert!(wallet.accounts().unwrap().is_empty());
}
