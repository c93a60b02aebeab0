//! A wallet stocked from the sandbox, for measurements.
#![allow(dead_code, reason = "each benchmark uses its own part")]

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use ticket_wallet::host::{KeyVault as _, SoftwareVault};
use ticket_wallet::model::{SignIn, SystemConfig, TicketFilter, TicketSystem};
use ticket_wallet::{Config, Wallet};
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

pub(crate) struct Stocked {
    pub(crate) folder: TempDir,
    pub(crate) wallet: Wallet,
    /// A ticket that shows a barcode.
    pub(crate) ticket: String,
}

pub(crate) fn vault_in(folder: &Path) -> SoftwareVault {
    SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned())
}

pub(crate) fn open(folder: &Path) -> Wallet {
    Wallet::open(
        Config { bind_ahead_days: 3, send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) },
        Arc::new(vault_in(folder)),
        None,
        None,
    )
    .unwrap()
}

/// A wallet with this many tickets in a folder of its own.
pub(crate) fn wallet(tickets: usize) -> Stocked {
    let folder = tempfile::tempdir().unwrap();
    let (wallet, ticket) = wallet_in(folder.path(), tickets);
    Stocked { folder, wallet, ticket }
}

/// A wallet with this many tickets, signed in and synced, and one that shows a barcode; the sandbox is gone.
pub(crate) fn wallet_in(folder: &Path, tickets: usize) -> (Wallet, String) {
    let wallet = open(folder);
    runtime().block_on(async {
        let sandbox = sandbox(tickets).await;
        let user = &sandbox.users()[0];
        sign_in(&wallet, &sandbox.url(), &user.name, &user.password).await;
        wallet.sync(None).await.unwrap();
    });
    let all = wallet.tickets(TicketFilter::default()).unwrap();
    let ticket = all.into_iter().find(|ticket| wallet.present(ticket.id.clone(), None).is_ok()).unwrap().id;
    (wallet, ticket)
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A sandbox whose users have this many tickets each.
pub(crate) async fn sandbox(tickets: usize) -> Sandbox {
    Sandbox::start(SandboxConfig { tickets_per_user: tickets, ..SandboxConfig::default() }).await.unwrap()
}

pub(crate) async fn sign_in(wallet: &Wallet, url: &str, user_name: &str, password: &str) {
    let (config, user_name, password) = (SystemConfig::at(url), user_name.to_owned(), password.to_owned());
    wallet.sign_in(SignIn { system: TicketSystem::Bam, config, user_name, password }).await.unwrap();
}

/// The raw key of the database in this folder: 96 hex digits, key and salt.
pub(crate) fn raw_key(folder: &Path) -> String {
    let envelope = std::fs::read(folder.join("wallet.key")).unwrap();
    let install_id = std::fs::read(folder.join("install.id")).unwrap();
    let associated = [b"ticket-wallet/1/envelope\0".as_slice(), &install_id].concat();
    hex::encode(vault_in(folder).unseal(envelope[4..].to_vec(), associated).unwrap())
}
