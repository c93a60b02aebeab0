//! Promise: the database of an older version opens with everything it had, and a full disk in the middle costs nothing.
//!
//! `fixtures/wallet-1` is a wallet of schema version 1. `TICKET_WALLET_WRITE_FIXTURE=1` has the test write it anew.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

#[path = "support/disk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod disk;
#[path = "support/files.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod files;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/stock.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stock;

use std::fs;
use std::path::{Path, PathBuf};

use files::{Files, assert_same, files};
use phone::{TODAY_MS, TestClock, open, vault_in};
use raw_key::{keyed, raw_key};
use ring::hmac;
use rusqlite::params;
use serde_json::json;
use stock::{content, laid_out, passes_the_gate, rows};
use ticket_wallet::host::KeyVault as _;
use ticket_wallet::model::{AccountState, Provider, SystemConfig};
use ticket_wallet::{CredentialRequest, Issuer, Wallet, WalletError};

const PROVIDER: &str = "bam:api.example.org/org1";
const TICKETS: u32 = 3;
/// What the fixture's database is encrypted with: a test's key, which guards nothing.
const KEY: [u8; 32] = [7; 32];
const SALT: [u8; 16] = [9; 16];
const TABLES: [&str; 8] =
    ["account", "event", "ticket", "ticket_body", "device_key", "credential", "cursor", "setting"];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/wallet-1")
}

/// Makes a wallet of version 1 in an empty folder, by the format of its files.
fn make(folder: &Path) {
    let install_id = [3; 16];
    let sealed = vault_in(folder)
        .seal([&KEY[..], &SALT].concat(), [b"ticket-wallet/1/envelope\0", &install_id[..]].concat())
        .unwrap();
    let check = hmac::Key::new(hmac::HMAC_SHA256, &KEY);
    let check = hmac::sign(&check, &[b"ticket-wallet/1/kcv\0", &SALT[..]].concat());
    fs::write(folder.join("install.id"), install_id).unwrap();
    fs::write(folder.join("wallet.key"), [b"TWK\x01", &sealed[..]].concat()).unwrap();
    fs::write(folder.join("wallet.kcv"), &check.as_ref()[..16]).unwrap();
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    let mode: String = database.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    database.execute_batch(include_str!("../src/store/migrations/0001_wallet.sql")).unwrap();
    database.pragma_update(None, "user_version", 1).unwrap();
    let config = serde_json::to_string(&SystemConfig::at("https://api.example.org")).unwrap();
    database
        .execute(
            "INSERT INTO account VALUES ('bam-1', 'bam', ?1, 'mira', 'access', 'refresh', 4)",
            params![config],
        )
        .unwrap();
    let event = Provider::parse(PROVIDER).unwrap().event("9").unwrap();
    database
        .execute(
            "INSERT INTO event VALUES (?1, '9', 'Derby', 'Arena', ?2, NULL, 'Europe/Berlin', '{}')",
            params![&event.0[..], TODAY_MS / 1000 + 3600],
        )
        .unwrap();
    (1..=TICKETS).for_each(|number| put_ticket(folder, &database, number));
    database.execute("INSERT INTO cursor VALUES ('bam-1', 'tickets', 4, 3, 1)", []).unwrap();
    database.execute("INSERT INTO setting VALUES ('device_id', 'device-1')", []).unwrap();
}

/// A ticket that is bound to a key of the vault.
fn put_ticket(folder: &Path, database: &rusqlite::Connection, number: u32) {
    let (starts, now) = (TODAY_MS / 1000 + 3600, u32::try_from(TODAY_MS / 1000).unwrap());
    let provider = Provider::parse(PROVIDER).unwrap();
    let (id, event) = (provider.ticket(&number.to_string()).unwrap(), provider.event("9").unwrap());
    let handle = format!("key-{number}");
    let issuer = Issuer::new(vec![1; 32]).unwrap();
    let request = CredentialRequest {
        provider: PROVIDER.to_owned(),
        event_id: "9".to_owned(),
        ticket_id: number.to_string(),
        section: 0,
        generation: 1,
        not_before: now - 3600,
        lease_end: now + 86_400,
        window_s: 30,
        nonce_required: false,
        device_key: vault_in(folder).create_key(handle.clone()).unwrap(),
    };
    let credential = issuer.credential(request).unwrap();
    let put = |sql: &str, values: &[&dyn rusqlite::ToSql]| database.execute(sql, values).unwrap();
    let id = &id.0[..];
    put(
        "INSERT INTO ticket VALUES (?1, 'bam-1', ?2, 'Erwachsene', NULL, 'SECURE', 'issued', 'signed', ?2, 'Arena', 'A',
                                    ?3, 0, 4)",
        &[&id, &starts, &format!("Reihe 1, Platz {number}")],
    );
    let body = json!({ "id": number, "note": "x".repeat(3000 * number as usize) }).to_string();
    put(
        "INSERT INTO ticket_body VALUES (?1, 'org1', ?2, ?3, 'Mira', NULL, ?4)",
        &[&id, &number.to_string(), &&event.0[..], &body],
    );
    put("INSERT INTO device_key VALUES (?1, ?2)", &[&handle, &id]);
    put(
        "INSERT INTO credential VALUES (?1, ?2, ?3, 1, ?4, ?5)",
        &[&id, &credential, &issuer.public_key(), &(now + 80_000), &handle],
    );
}

/// Everything that stands in a wallet of version 1, or in that part of a newer one.
fn of_version_1(folder: &Path) -> Vec<String> {
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    let columns = |table: &str| {
        let columns = match table {
            "account" => 7,
            "event" => 8,
            "ticket" => 14,
            "ticket_body" => 7,
            "device_key" | "setting" => 2,
            "credential" => 6,
            _ => 5,
        };
        let rows = rows(&database, table).into_iter().map(move |row| format!("{:?}", &row[..columns]));
        rows.collect::<Vec<_>>()
    };
    TABLES.iter().flat_map(|table| columns(table)).collect()
}

/// The schema's texts and its version.
fn schema(folder: &Path) -> Vec<String> {
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    let mut statement = database
        .prepare("SELECT type || name || tbl_name || coalesce(sql, '') FROM sqlite_master ORDER BY 1")
        .unwrap();
    let mut texts: Vec<String> =
        statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap();
    let version: i64 = database.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    texts.push(version.to_string());
    texts
}

fn shows_everything(wallet: &Wallet) {
    let content = content(wallet).unwrap();
    assert_eq!((content.tickets.len(), content.shown.len(), content.outbox.len()), (3, 3, 0));
    assert_eq!(
        (&*content.accounts[0].user_name, content.accounts[0].state),
        ("mira", AccountState::SignedIn)
    );
    for (ticket, number) in content.tickets.iter().zip([1_usize, 2, 3]) {
        assert_eq!(ticket.event.as_ref().unwrap().name, "Derby");
        assert!(ticket.body_json.len() > 3000, "ticket {number}");
        passes_the_gate(wallet, &ticket.summary.id);
    }
}

fn comes_up_to_date(old: &Files) {
    let clock = TestClock::new();
    let folder = laid_out(old);
    let before = of_version_1(folder.path());
    assert_eq!(before.len(), 4 * TICKETS as usize + 4, "the rows of the fixture");
    let wallet = open(folder.path(), &clock).unwrap();
    shows_everything(&wallet);
    drop(wallet);
    assert_eq!(of_version_1(folder.path()), before);
    let database = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    let owners: i64 = database
        .query_row("SELECT count(*) FROM device_key WHERE account_id = 'bam-1' AND lost = 0", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(owners, i64::from(TICKETS), "keys know their account");
    let fresh = tempfile::tempdir().unwrap();
    drop(open(fresh.path(), &clock).unwrap());
    assert_eq!(schema(folder.path()), schema(fresh.path()));
}

#[test]
fn a_wallet_of_version_1_comes_up_to_date() {
    let made = tempfile::tempdir().unwrap();
    make(made.path());
    if std::env::var_os("TICKET_WALLET_WRITE_FIXTURE").is_some() {
        fs::create_dir_all(fixture()).unwrap();
        for (name, bytes) in files(made.path()) {
            fs::write(fixture().join(name), bytes).unwrap();
        }
    }
    comes_up_to_date(&files(&fixture()));
    comes_up_to_date(&files(made.path()));
}

#[test]
fn a_full_disk_in_the_middle_leaves_the_old_version() {
    let clock = TestClock::new();
    disk::insert();
    let old = files(&fixture());
    let mut refused = 0;
    for room in (0..).step_by(2048) {
        let folder = laid_out(&old);
        disk::watch(folder.path(), 0, true);
        disk::limit(Some(room));
        let opened = open(folder.path(), &clock);
        disk::limit(None);
        match opened {
            Err(WalletError::Storage { .. }) => refused += 1,
            Err(other) => panic!("with room for {room}: {other:?}"),
            Ok(wallet) => {
                shows_everything(&wallet);
                break;
            }
        }
        let is_database = |name: &String| name == "wallet.db" || name == "wallet.key" || name == "wallet.kcv";
        let of = |files: Files| files.into_iter().filter(|(name, _)| is_database(name)).collect();
        assert_same(&of(old.clone()), &of(files(folder.path())), &format!("with room for {room}"));
        assert_eq!(
            schema(laid_out(&files(folder.path())).path()).last().unwrap(),
            "1",
            "with room for {room}"
        );
        shows_everything(&open(folder.path(), &clock).unwrap());
    }
    assert!(refused > 5, "{refused} times it was full");
}
