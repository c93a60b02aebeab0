//! A wallet with two accounts, their tickets and barcodes, and changes that were not sent, as it lies on the disk.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tempfile::TempDir;
use ticket_wallet::barcode::CodeVerdict;
use ticket_wallet::model::{Account, BarcodeProfile, OutboxItem, TicketDetail, TicketFilter};
use ticket_wallet::{
    CheckerConfig, CodeChecker, Config, KnownIssuer, RecoveryReport, Wallet, WalletError, recover_wallet,
};
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::files::{Files, files, put};
use crate::phone::{Phone, TestClock, open, sandbox, sign_in, vault_in};
use crate::raw_key::{keyed, raw_key};

pub(crate) const PAGE: usize = 4096;
/// What no server can give back; the last is the outbox.
pub(crate) const KEPT_TABLES: [&str; 4] = ["account", "device_key", "credential", "outbox"];

pub(crate) struct Stock {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    /// Closed: everything is in the database.
    pub(crate) closed: Files,
    /// Copied while it was open, with its latest changes in the log.
    pub(crate) open: Files,
    /// What the two hold.
    pub(crate) closed_content: Content,
    pub(crate) open_content: Content,
}

/// All that a wallet shows.
#[derive(Clone, PartialEq)]
pub(crate) struct Content {
    pub(crate) accounts: Vec<Account>,
    pub(crate) tickets: Vec<TicketDetail>,
    pub(crate) outbox: Vec<OutboxItem>,
    /// Tickets that show a barcode.
    pub(crate) shown: Vec<String>,
}

pub(crate) async fn stock() -> Stock {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.sign_in(&sandbox, 1).await;
    phone.wallet.sync(None).await.unwrap();
    let ids: Vec<_> = phone.tickets().into_iter().map(|ticket| ticket.id).collect();
    for (n, id) in ids.iter().enumerate() {
        write(&phone.wallet, id, 400 + n * 20);
        phone.wallet.pin(id.clone(), true).unwrap();
    }
    // Rows that go on for pages of their own.
    write(&phone.wallet, &ids[0], 9000);
    write(&phone.wallet, &ids[1], 30_000);
    let signed =
        phone.tickets().into_iter().rfind(|ticket| ticket.profile == BarcodeProfile::Signed).unwrap();
    phone.wallet.transfer(signed.id, "nia@example.org".to_owned()).unwrap();
    let closed_content = content(&phone.wallet).unwrap();
    let Phone { folder, wallet, .. } = phone;
    drop(wallet);
    let closed = files(folder.path());
    let wallet = self::open(folder.path(), &clock).unwrap();
    for id in &ids[..5] {
        write(&wallet, id, 700);
    }
    let open_content = content(&wallet).unwrap();
    Stock { open: files(folder.path()), clock, sandbox, closed, closed_content, open_content }
}

/// A change of the holder's answers with a text of this length.
pub(crate) fn write(wallet: &Wallet, ticket: &str, length: usize) -> OutboxItem {
    let text: String = ('a'..='z').cycle().take(length).collect();
    wallet.save_ticket_holder(ticket.to_owned(), json!({ "name": text }).to_string()).unwrap()
}

/// Reads everything.
pub(crate) fn content(wallet: &Wallet) -> Result<Content, WalletError> {
    let listed = wallet.tickets(TicketFilter { limit: 100_000, ..TicketFilter::default() })?;
    let mut shown = Vec::new();
    for ticket in &listed {
        match wallet.present(ticket.id.clone(), None) {
            Ok(_) => shown.push(ticket.id.clone()),
            Err(WalletError::NoBarcode { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    wallet.transfers(None)?;
    let tickets = listed.into_iter().map(|ticket| wallet.ticket(ticket.id)).collect::<Result<_, _>>()?;
    Ok(Content { accounts: wallet.accounts()?, tickets, outbox: wallet.outbox(None)?, shown })
}

/// These files in a folder of their own.
pub(crate) fn laid_out(files: &Files) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(files, folder.path());
    folder
}

/// Opens what is in a folder and reads everything.
pub(crate) fn read_all(folder: &Path, clock: &TestClock) -> Result<Content, WalletError> {
    content(&open(folder, clock)?)
}

pub(crate) fn recover(folder: &Path) -> Result<RecoveryReport, WalletError> {
    recover_wallet(Config::in_folder(folder.to_str().unwrap()), vault_in(folder))
}

/// A connection to the database of the wallet in a folder.
pub(crate) fn database(folder: &Path) -> Connection {
    keyed(&folder.join("wallet.db"), &raw_key(folder))
}

/// Every row of a table, whole.
pub(crate) fn rows(database: &Connection, table: &str) -> Vec<Vec<Value>> {
    let mut statement = database.prepare(&format!("SELECT * FROM {table} ORDER BY 1")).unwrap();
    let columns = statement.column_count();
    let read = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect());
    read.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Signs in again, syncs, and shows a barcode to the gate.
pub(crate) async fn syncs_and_shows(wallet: &Wallet, sandbox: &Sandbox) {
    for user in 0..2 {
        wallet.sign_in(sign_in(sandbox, user)).await.unwrap();
    }
    wallet.sync(None).await.unwrap();
    let content = content(wallet).unwrap();
    assert_eq!(content.tickets.len(), 48);
    for id in &content.shown {
        passes_the_gate(wallet, id);
    }
}

/// A ticket's barcode is good.
pub(crate) fn passes_the_gate(wallet: &Wallet, ticket: &str) {
    let shown = wallet.present(ticket.to_owned(), None).unwrap();
    if shown.profile == BarcodeProfile::Static {
        // The system's own code: no issuer of credentials signed it.
        assert!(!shown.text.is_empty() && shown.issuer_key.is_empty());
        return;
    }
    let issuers = vec![KnownIssuer { public_key: shown.issuer_key, valid_from: None, valid_until: None }];
    let gate =
        CodeChecker::new(CheckerConfig { issuers, event: None, sections: vec![], tolerance_s: 10 }).unwrap();
    let check = gate.check(shown.text.into_bytes(), shown.presented_at, vec![]).unwrap();
    assert_eq!(check.verdict, CodeVerdict::Valid, "{ticket}");
}
