//! Promise: the files of a wallet tell nothing to whoever has them without the key, and no wallet is lost or replaced
//! by an empty one because its key or its database is not what it was.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/files.rs"]
mod files;
#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/syncs.rs"]
mod syncs;

use std::path::Path;
use std::sync::Arc;

use files::{Files, assert_same, files, put};
use hooked_vault::{Call, HookedVault};
use phone::{Phone, TestClock, open, sandbox, vault_in};
use raw_key::{keyed, raw_key};
use rusqlite::Connection;
use syncs::Step;
use tempfile::TempDir;
use ticket_wallet::error::RecoveryReason;
use ticket_wallet::host::KeyVaultError;
use ticket_wallet::model::{BarcodeProfile, TicketFilter};
use ticket_wallet::{Config, Wallet, WalletError};
use ticket_wallet_sandbox::SandboxConfig;

const MAGIC: &[u8] = b"SQLite format 3\0";

/// A synced wallet as it lies on the disk, closed and, with a write-ahead log, open.
struct Synced {
    clock: TestClock,
    closed: Files,
    open: Files,
    /// Texts and bytes that must not be found in any file.
    secrets: Vec<Vec<u8>>,
}

async fn synced() -> Synced {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let mut secrets: Vec<Vec<u8>> =
        ["mira@example.org", &sandbox.users()[0].password, "eyJhbGci", "127.0.0.1"]
            .map(|text| text.as_bytes().to_vec())
            .to_vec();
    for ticket in phone.tickets() {
        let detail = phone.wallet.ticket(ticket.id.clone()).unwrap();
        secrets.extend([
            ticket.title.into_bytes(),
            hex::decode(&ticket.id).unwrap(),
            ticket.id.clone().into_bytes(),
        ]);
        let words = [ticket.venue, ticket.category, ticket.section, detail.holder, Some(detail.body_json)];
        secrets.extend(words.into_iter().flatten().map(String::into_bytes));
        let shown = phone.wallet.present(ticket.id, None);
        if let Some(shown) = shown.as_ref().ok().filter(|shown| shown.profile == BarcodeProfile::Static) {
            secrets.push(shown.text.clone().into_bytes());
        } else if let Ok(shown) = shown {
            let code = ticket_wallet::barcode::base45::decode(&shown.text.as_bytes()[4..]).unwrap();
            // The device key and the issuer's signature, and the text that they give together.
            secrets.extend([
                code[38..70].to_vec(),
                code[70..134].to_vec(),
                shown.text.as_bytes()[..100].to_vec(),
            ]);
        }
    }
    let open = files(phone.folder.path());
    let Phone { folder, wallet, .. } = phone;
    drop(wallet);
    Synced { clock, closed: files(folder.path()), open, secrets }
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[tokio::test]
async fn no_file_holds_a_word_in_plain_text() {
    let synced = synced().await;
    assert!(synced.open["wallet.db-wal"].len() > 10_000, "the write-ahead log is full");
    assert!(synced.closed["wallet.db"].len() > 50_000 && !synced.closed.contains_key("wallet.db-wal"));
    assert!(synced.secrets.len() > 100);
    for (name, bytes) in synced.open.iter().chain(&synced.closed) {
        assert!(!contains(bytes, MAGIC), "{name} begins like a plain database");
        // The vault's file holds keys and nothing else; the device keys are not among its secrets.
        for secret in synced.secrets.iter().filter(|secret| secret.len() >= 5) {
            assert!(!contains(bytes, secret), "{name} holds {}", String::from_utf8_lossy(secret));
        }
    }

    // The control: in a plain database, and in its write-ahead log, every one of them is found.
    let folder = tempfile::tempdir().unwrap();
    let plain = Connection::open(folder.path().join("plain.db")).unwrap();
    plain.pragma_update(None, "journal_mode", "WAL").unwrap();
    plain.execute_batch("PRAGMA page_size = 65536; CREATE TABLE word (bytes BLOB);").unwrap();
    for secret in &synced.secrets {
        plain.execute("INSERT INTO word VALUES (?1)", [secret]).unwrap();
    }
    assert!(contains(&files(folder.path())["plain.db-wal"], &synced.secrets[0]));
    drop(plain);
    let found = &files(folder.path())["plain.db"];
    assert!(found.starts_with(MAGIC));
    let of_one_page = synced.secrets.iter().filter(|secret| secret.len() < 900);
    assert!(of_one_page.clone().count() > 100);
    for secret in of_one_page {
        assert!(contains(found, secret), "{}", String::from_utf8_lossy(secret));
    }
}

/// Opens a wallet made of these files and checks that it refuses and changes none of them.
fn refused(clock: &TestClock, before: &Files, what: &str) -> WalletError {
    let folder = tempfile::tempdir().unwrap();
    put(before, folder.path());
    let refused = open(folder.path(), clock);
    let error = refused.err().unwrap_or_else(|| panic!("{what}: it opened"));
    assert_untouched(before, folder.path(), what);
    // And again: nothing that the first attempt left behind makes the second one succeed.
    assert_eq!(open(folder.path(), clock).err().as_ref(), Some(&error), "{what}");
    assert_untouched(before, folder.path(), what);
    error
}

/// Every file is as it was. SQLite may leave an empty log, and its index of the log, which it makes anew at each opening.
fn assert_untouched(before: &Files, folder: &Path, what: &str) {
    const INDEX: [&str; 2] = ["wallet.db-shm", "wallet.lock"];
    let mut after = without(&files(folder), &INDEX);
    if !before.contains_key("wallet.db-wal") {
        assert_eq!(after.remove("wallet.db-wal").unwrap_or_default(), [0; 0], "{what}");
    }
    assert_same(&without(before, &INDEX), &after, what);
}

fn needs_recovery(clock: &TestClock, before: &Files, wanted: RecoveryReason, what: &str) {
    match refused(clock, before, what) {
        WalletError::NeedsRecovery { why, reason } => {
            assert_eq!(why, wanted, "{what}");
            assert!(reason.contains("Nothing was changed"), "{reason}");
        }
        other => panic!("{what}: {other:?}"),
    }
}

/// These files opened in their own place show all tickets.
fn opens(clock: &TestClock, files: &Files, what: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    put(files, folder.path());
    let wallet = open(folder.path(), clock).unwrap_or_else(|error| panic!("{what}: {error}"));
    let tickets = wallet.tickets(TicketFilter { limit: 1000, ..TicketFilter::default() }).unwrap();
    assert_eq!(tickets.len(), 24, "{what}");
    folder
}

fn without(files: &Files, names: &[&str]) -> Files {
    let left = files.iter().filter(|(name, _)| !names.contains(&name.as_str()));
    left.map(|(name, bytes)| (name.clone(), bytes.clone())).collect()
}

fn with(files: &Files, name: &str, bytes: Vec<u8>) -> Files {
    let mut files = files.clone();
    files.insert(name.to_owned(), bytes).unwrap();
    files
}

/// The files with these of another wallet in the place of their own.
fn exchanged(files: &Files, other: &Files, names: &[&str]) -> Files {
    names.iter().fold(files.clone(), |files, name| with(&files, name, other[*name].clone()))
}

#[tokio::test]
async fn another_key_changes_no_byte() {
    let synced = synced().await;
    let other = other_wallet(&synced.clock);
    for (state, mine) in [("closed", &synced.closed), ("with a write-ahead log", &synced.open)] {
        let expect = |files: &Files, why, what: &str| {
            needs_recovery(&synced.clock, files, why, &format!("{state}: {what}"));
        };
        let key = ["wallet.key", "vault.json", "install.id"];
        expect(&exchanged(mine, &other, &key), RecoveryReason::WrongKey, "another wallet's key");
        expect(&exchanged(mine, &other, &["wallet.kcv"]), RecoveryReason::WrongKey, "another check value");
        for lost in ["vault.json", "install.id", "wallet.key"] {
            let exchanged = exchanged(mine, &other, &[lost]);
            expect(&exchanged, RecoveryReason::KeyInvalid, &format!("another {lost}"));
        }
        let cut = with(mine, "wallet.key", mine["wallet.key"][..20].to_vec());
        expect(&cut, RecoveryReason::KeyInvalid, "half an envelope");
        expect(&with(mine, "wallet.key", vec![]), RecoveryReason::KeyInvalid, "an empty envelope");
        expect(&without(mine, &["vault.json"]), RecoveryReason::KeyMissing, "no vault");
        expect(&without(mine, &["wallet.key"]), RecoveryReason::KeyMissing, "no envelope");
        expect(&without(mine, &["install.id"]), RecoveryReason::RestoredBackup, "no install id");
        let unchecked = without(&exchanged(mine, &other, &key), &["wallet.kcv"]);
        expect(&unchecked, RecoveryReason::Damaged, "another wallet's key and no check value");
        let all_keys = ["vault.json", "wallet.key", "install.id", "wallet.kcv"];
        expect(&without(mine, &all_keys), RecoveryReason::KeyMissing, "the database alone");
        drop(opens(&synced.clock, mine, state));
    }
}

/// A wallet of its own with nothing in it.
fn other_wallet(clock: &TestClock) -> Files {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), clock).unwrap());
    files(folder.path())
}

#[tokio::test]
async fn a_database_that_is_gone_or_damaged_is_not_replaced() {
    let synced = synced().await;
    let (clock, closed) = (&synced.clock, &synced.closed);
    let logs = ["wallet.db-wal", "wallet.db-shm"];
    let gone = without(closed, &["wallet.db"]);
    needs_recovery(clock, &gone, RecoveryReason::DatabaseMissing, "no database");
    let gone = without(&synced.open, &["wallet.db"]);
    needs_recovery(clock, &gone, RecoveryReason::DatabaseMissing, "only a write-ahead log");

    let database = &closed["wallet.db"];
    for at in [0, 15, 16, 40, 100, 2000, 4032, 4095] {
        let mut bytes = database.clone();
        bytes[at] ^= 1;
        let what = format!("byte {at} of the first page");
        if at < 16 {
            // The salt is part of the raw key, so that its place in the file is not read.
            drop(opens(clock, &with(closed, "wallet.db", bytes), &what));
        } else {
            needs_recovery(clock, &with(closed, "wallet.db", bytes), RecoveryReason::Damaged, &what);
        }
    }
    for length in [0, 1, 15, 16, 100, 4095, 4096, 8192, database.len() - 4096, database.len() - 4097] {
        let cut = with(closed, "wallet.db", database[..length].to_vec());
        needs_recovery(clock, &cut, RecoveryReason::Damaged, &format!("cut to {length} bytes"));
    }
    needs_recovery(
        clock,
        &with(&synced.open, "wallet.db", vec![]),
        RecoveryReason::Damaged,
        "emptied, with a log",
    );
    for (what, bytes) in [("zeros", vec![0; 8192]), ("a text", b"not a database".repeat(1000))] {
        needs_recovery(clock, &with(closed, "wallet.db", bytes), RecoveryReason::Damaged, what);
    }
    let plain = tempfile::tempdir().unwrap();
    Connection::open(plain.path().join("db")).unwrap().execute_batch("CREATE TABLE ticket (id)").unwrap();
    let plain = with(closed, "wallet.db", files(plain.path())["db"].clone());
    needs_recovery(clock, &plain, RecoveryReason::Damaged, "a plain database");

    // Without its log a fresh database has no table yet: a copy that forgot the log is not a new wallet.
    let fresh = fresh_and_open(clock);
    assert!(fresh["wallet.db-wal"].len() > 10_000);
    needs_recovery(clock, &without(&fresh, &logs), RecoveryReason::Damaged, "a copy without its log");
    let other = other_wallet(clock);
    let foreign = exchanged(closed, &other, &["wallet.db"]);
    needs_recovery(clock, &foreign, RecoveryReason::Damaged, "another wallet's database");
}

/// A new wallet's files while it is open: everything stands in the write-ahead log.
fn fresh_and_open(clock: &TestClock) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let wallet = open(folder.path(), clock).unwrap();
    let files = files(folder.path());
    drop(wallet);
    files
}

#[tokio::test]
async fn damage_found_while_reading_is_told_and_nothing_goes() {
    let synced = synced().await;
    let database = &synced.closed["wallet.db"];
    let mut told = 0;
    for page in 1..database.len() / 4096 {
        let mut bytes = database.clone();
        bytes[page * 4096 + 100] ^= 1;
        let folder = tempfile::tempdir().unwrap();
        put(&with(&synced.closed, "wallet.db", bytes), folder.path());
        let read_all = || -> Result<(), WalletError> {
            let wallet = open(folder.path(), &synced.clock)?;
            let tickets = wallet.tickets(TicketFilter { limit: 1000, ..TicketFilter::default() })?;
            assert_eq!(tickets.len(), 24, "page {page}");
            tickets.into_iter().try_for_each(|ticket| wallet.ticket(ticket.id).map(drop))
        };
        match read_all() {
            // Pages of indexes and tables that nothing of this reads.
            Ok(()) => {}
            Err(WalletError::NeedsRecovery { why: RecoveryReason::Damaged, .. }) => told += 1,
            Err(other) => panic!("page {page}: {other:?}"),
        }
    }
    assert!(told > 5, "{told} damaged pages were noticed");
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_left_to_it() {
    let synced = synced().await;
    let folder = opens(&synced.clock, &synced.closed, "as it was");
    let connection = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    let known: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    for newer in [known + 1, i64::from(i32::MAX), -1] {
        connection.pragma_update(None, "user_version", newer).unwrap();
        connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
        let before = without(&files(folder.path()), &["wallet.db-wal", "wallet.db-shm"]);
        match refused(&synced.clock, &before, &format!("version {newer}")) {
            WalletError::Storage { reason } => assert!(reason.contains("update the app"), "{reason}"),
            other => panic!("version {newer}: {other:?}"),
        }
    }
    connection.pragma_update(None, "user_version", known).unwrap();
    drop(connection);
    drop(opens(&synced.clock, &files(folder.path()), "the known version again"));
}

fn open_locked(folder: &Path, clock: &TestClock) -> Result<Wallet, WalletError> {
    let vault = HookedVault::new(vault_in(folder));
    vault.before(|call| if matches!(call, Call::PublicKey(_)) { Ok(()) } else { Err(KeyVaultError::Locked) });
    let vault = Arc::new(vault);
    Wallet::open(Config::in_folder(folder.to_str().unwrap()), vault, Some(Arc::new(clock.clone())), None)
}

#[tokio::test]
async fn a_locked_vault_is_to_be_tried_again() {
    let synced = synced().await;
    for before in [&synced.closed, &synced.open] {
        let folder = tempfile::tempdir().unwrap();
        put(before, folder.path());
        let refused = open_locked(folder.path(), &synced.clock).unwrap_err();
        assert!(matches!(refused, WalletError::KeyUnavailable { .. }), "{refused:?}");
        assert_same(before, &files(folder.path()), "locked");
        drop(opens(&synced.clock, before, "unlocked"));
    }
    let fresh = tempfile::tempdir().unwrap();
    assert!(matches!(open_locked(fresh.path(), &synced.clock), Err(WalletError::KeyUnavailable { .. })));
    assert!(!fresh.path().join("wallet.db").exists() && !fresh.path().join("wallet.key").exists());
    assert!(open(fresh.path(), &synced.clock).is_ok(), "the first opening is made up for");
}

/// A power cut leaves a side file as it was or as it is to be: it is whole on the disk before it has its name, and has its
/// name there before anything else becomes of the wallet.
#[test]
fn side_files_are_on_the_disk_before_and_after_they_get_their_names() {
    let folder = tempfile::tempdir().unwrap();
    syncs::watch(folder.path());
    let wallet = open(folder.path(), &TestClock::new()).unwrap();
    let begun = syncs::stop();
    syncs::watch(folder.path());
    wallet.rekey().unwrap();
    let rekeyed = syncs::stop();
    for (steps, expected) in [
        (begun, &["install.id", "wallet.key", "wallet.kcv", "wallet.map"][..]),
        (rekeyed, &["wallet.key", "wallet.kcv", "wallet.key"]),
    ] {
        let mut names = Vec::new();
        for (place, step) in steps.iter().enumerate() {
            let Step::Named(name, length) = step else { continue };
            if name == "vault.json" {
                continue;
            }
            let whole = Step::Synced(format!("{name}.new"), *length);
            assert_eq!(place.checked_sub(1).map(|before| &steps[before]), Some(&whole), "{steps:?}");
            let folder = |step: &Step| matches!(step, Step::Synced(name, _) if name.is_empty());
            assert!(steps.get(place + 1).is_some_and(folder), "{steps:?}");
            names.push(name.as_str());
        }
        let mut expected = expected.to_vec();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{steps:?}");
    }
}
