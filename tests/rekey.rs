//! Promise: a new key loses nothing, leaves nothing of the old one, and can be broken off at any moment.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

#[path = "support/disk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod disk;
#[path = "support/files.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod files;
#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/stock.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stock;

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use files::{Files, files};
use hooked_vault::{Call, HookedVault};
use phone::{open, vault_in};
use raw_key::{keyed, raw_key};
use ring::hmac;
use stock::{PAGE, Stock, content, laid_out, read_all, recover, stock, write};
use tempfile::TempDir;
use ticket_wallet::host::KeyVault as _;
use ticket_wallet::{Config, Wallet, WalletError};

/// How many pages of the database this key does not open.
fn strange_pages(folder: &Path, key: &str) -> usize {
    let connection = keyed(&folder.join("wallet.db"), key);
    let mut statement = connection.prepare("PRAGMA cipher_integrity_check").unwrap();
    statement.query_map([], |_| Ok(())).unwrap().count()
}

#[tokio::test]
async fn a_new_key_keeps_everything_and_nothing_of_the_old_one() {
    let stock = stock().await;
    let folder = laid_out(&stock.open);
    let old = raw_key(folder.path());
    let wallet = open(folder.path(), &stock.clock).unwrap();
    wallet.rekey().unwrap();
    let rekeyed = files(folder.path());
    assert!(content(&wallet).unwrap() == stock.open_content);
    assert!(rekeyed.get("wallet.db-wal").is_none_or(Vec::is_empty), "the log still has pages");
    write(&wallet, &stock.open_content.tickets[0].summary.id, 100);
    drop(wallet);
    let copy = laid_out(&rekeyed);
    let new = raw_key(folder.path());
    assert_ne!(old, new);
    let pages = rekeyed["wallet.db"].len() / PAGE;
    assert_eq!((strange_pages(copy.path(), &new), strange_pages(copy.path(), &old)), (0, pages));
    let with_old = keyed(&folder.path().join("wallet.db"), &old);
    assert!(
        with_old.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0)).is_err()
    );
    assert_eq!(
        read_all(folder.path(), &stock.clock).unwrap().outbox.len(),
        stock.open_content.outbox.len() + 1
    );
}

/// The files in the middle of being given a new key.
struct Midway {
    /// Both keys in the envelope, the database as it was.
    prepared: Files,
    /// The log with all pages under the new key, as it was before they went into the database.
    log: Vec<u8>,
    /// The database and the check value under the new key.
    database: Vec<u8>,
    check_value: Vec<u8>,
}

fn midway(stock: &Stock) -> Midway {
    let folder = laid_out(&stock.closed);
    let current = raw_key(folder.path());
    let next_key = [0x5A; 32];
    let plain = [hex::decode(&current).unwrap(), next_key.to_vec()].concat();
    let install_id = &stock.closed["install.id"];
    let sealed = vault_in(folder.path())
        .seal(plain, [b"ticket-wallet/1/envelope\0", &install_id[..]].concat())
        .unwrap();
    fs::write(folder.path().join("wallet.key"), [b"TWK\x01", &sealed[..]].concat()).unwrap();
    let prepared = files(folder.path());
    let connection = keyed(&folder.path().join("wallet.db"), &current);
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
    connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
    let salt = &current[64..];
    let rekey = format!("PRAGMA rekey = \"x'{}{salt}'\"", hex::encode(next_key));
    let said: String = connection.query_row(&rekey, [], |row| row.get(0)).unwrap();
    assert_eq!(said, "ok");
    let log = fs::read(folder.path().join("wallet.db-wal")).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    let database = fs::read(folder.path().join("wallet.db")).unwrap();
    let salt = hex::decode(salt).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &next_key);
    let tag = hmac::sign(&key, &[b"ticket-wallet/1/kcv\0", &salt[..]].concat());
    Midway { prepared, log, database, check_value: tag.as_ref()[..16].to_vec() }
}

/// The files at every point at which a crash leaves other ones.
fn crashes(midway: &Midway) -> Vec<(String, Files)> {
    let with = |what: String, changes: &[(&str, &[u8])]| {
        let mut files = midway.prepared.clone();
        for (name, bytes) in changes {
            files.insert((*name).to_owned(), bytes.to_vec());
        }
        (what, files)
    };
    let mut crashes = vec![with("before the database is touched".to_owned(), &[])];
    for length in (0..=midway.log.len()).step_by(PAGE * 3 + 1000).chain([midway.log.len()]) {
        crashes.push(with(format!("{length} bytes of the log"), &[("wallet.db-wal", &midway.log[..length])]));
    }
    let old = &midway.prepared["wallet.db"];
    for page in (1..old.len() / PAGE).step_by(7) {
        let at = page * PAGE;
        let mixed = [&midway.database[..at], &old[at..]].concat();
        let what = format!("{page} pages copied from the log");
        crashes.push(with(what, &[("wallet.db-wal", &midway.log), ("wallet.db", &mixed)]));
    }
    let (database, check_value) = (&midway.database[..], &midway.check_value[..]);
    crashes.push(with("before the check value".to_owned(), &[("wallet.db", database)]));
    let last = [("wallet.db", database), ("wallet.kcv", check_value)];
    crashes.push(with("before the last envelope".to_owned(), &last));
    crashes
}

#[tokio::test]
async fn a_crash_at_any_point_loses_nothing() {
    let stock = stock().await;
    let midway = midway(&stock);
    for (what, files_then) in crashes(&midway) {
        let folder = laid_out(&files_then);
        let found = read_all(folder.path(), &stock.clock).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(found == stock.closed_content, "{what}: something is missing");
        // One key is left in the envelope, and it is the database's.
        assert_eq!(strange_pages(folder.path(), &raw_key(folder.path())), 0, "{what}");
        assert!(recover(folder.path()).unwrap().why.is_none(), "{what}");
        let wallet = open(folder.path(), &stock.clock).unwrap();
        wallet.rekey().unwrap();
        assert!(content(&wallet).unwrap() == stock.closed_content, "{what}: after another key");
    }
}

fn open_with(
    folder: &TempDir,
    stock: &Stock,
    refused: Call<'static>,
    allowed: usize,
) -> Result<Wallet, WalletError> {
    let vault = Arc::new(HookedVault::refusing(vault_in(folder.path()), refused, allowed));
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
    Wallet::open(config, vault, Some(Arc::new(stock.clock.clone())), None)
}

#[tokio::test]
async fn a_vault_that_refuses_leaves_the_wallet_working() {
    let stock = stock().await;
    // A new key takes one unsealing, after that of the opening, and two sealings.
    for (refused, allowed) in [(Call::Unseal, 1), (Call::Seal, 0), (Call::Seal, 1)] {
        let what = format!("{refused:?} after {allowed}");
        let folder = laid_out(&stock.closed);
        let before = raw_key(folder.path());
        let wallet = open_with(&folder, &stock, refused, allowed).unwrap();
        let error = wallet.rekey().unwrap_err();
        assert!(matches!(error, WalletError::KeyUnavailable { .. }), "{what}: {error:?}");
        assert!(content(&wallet).unwrap() == stock.closed_content, "{what}");
        assert_eq!(raw_key(folder.path()), before, "{what}");
        // Still refused, and still nothing is lost.
        assert!(wallet.rekey().is_err(), "{what}");
        drop(wallet);
        let wallet = open(folder.path(), &stock.clock).unwrap();
        wallet.rekey().unwrap();
        assert!(content(&wallet).unwrap() == stock.closed_content, "{what}");
        drop(wallet);
        assert_eq!(strange_pages(folder.path(), &raw_key(folder.path())), 0, "{what}");
    }
}

#[tokio::test]
async fn a_full_disk_leaves_the_old_key_working() {
    let stock = stock().await;
    disk::insert();
    let folder = laid_out(&stock.closed);
    let old = raw_key(folder.path());
    disk::watch(folder.path(), 0, true);
    let wallet = open(folder.path(), &stock.clock).unwrap();
    for room in [0, 5_000, 100_000, stock.closed["wallet.db"].len() - PAGE] {
        disk::limit(Some(room));
        let error = wallet.rekey().unwrap_err();
        assert!(matches!(error, WalletError::Storage { .. }), "{room}: {error:?}");
        assert!(content(&wallet).unwrap() == stock.closed_content, "with room for {room}");
        disk::limit(None);
        assert_eq!(raw_key(folder.path()), old, "with room for {room}");
    }
    wallet.rekey().unwrap();
    assert!(content(&wallet).unwrap() == stock.closed_content);
    assert_ne!(raw_key(folder.path()), old);
}

/// While the vault takes its time to seal a new key, does something else with the wallet, and returns what became of the
/// rekeying.
fn while_it_seals(
    folder: &TempDir,
    stock: &Stock,
    other: impl FnOnce(&Wallet) + Send,
) -> Result<(), WalletError> {
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
    let clock = Arc::new(stock.clock.clone());
    let wallet = Wallet::open(config, Arc::clone(&vault) as _, Some(clock), None).unwrap();
    let (sealing, is_sealing) = channel();
    let (let_go, held) = channel::<()>();
    let places = Mutex::new(Some((sealing, held)));
    vault.before(move |call| {
        // Only the first one is held.
        let first = (call == Call::Seal).then(|| places.lock().unwrap().take()).flatten();
        if let Some((sealing, held)) = first {
            sealing.send(()).unwrap();
            let _ = held.recv();
        }
        Ok(())
    });
    let wallet = &wallet;
    thread::scope(|scope| {
        let rekeying = scope.spawn(|| wallet.rekey());
        is_sealing.recv().unwrap();
        let (done, is_done) = channel();
        let app = scope.spawn(move || {
            other(wallet);
            done.send(()).unwrap();
        });
        let in_time = is_done.recv_timeout(Duration::from_secs(20));
        drop(let_go);
        app.join().unwrap();
        assert!(in_time.is_ok(), "it waits for the vault");
        rekeying.join().unwrap()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_waits_for_a_vault_that_seals_a_new_key() {
    let stock = stock().await;
    let folder = laid_out(&stock.closed);
    let old = raw_key(folder.path());
    while_it_seals(&folder, &stock, |wallet| {
        assert!(content(wallet).unwrap() == stock.closed_content);
        write(wallet, &stock.closed_content.tickets[0].summary.id, 100);
    })
    .unwrap();
    assert_ne!(raw_key(folder.path()), old);
    let found = read_all(folder.path(), &stock.clock).unwrap();
    assert_eq!(found.outbox.len(), stock.closed_content.outbox.len() + 1, "what came meanwhile is kept");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_a_wallets_work_while_the_vault_seals_leaves_the_old_key() {
    let stock = stock().await;
    let folder = laid_out(&stock.closed);
    let old = raw_key(folder.path());
    let runtime = tokio::runtime::Handle::current();
    // Who is given time has had it.
    let pass = async || stock.clock.pass_s(6);
    let pause = |wallet: &Wallet| {
        runtime.block_on(async { tokio::join!(wallet.pause(), pass()) });
    };
    let paused = while_it_seals(&folder, &stock, pause);
    assert!(matches!(paused, Err(WalletError::Paused { .. })), "{paused:?}");
    assert_eq!(raw_key(folder.path()), old);
    let resumed = while_it_seals(&folder, &stock, |wallet| {
        pause(wallet);
        wallet.resume().unwrap();
    });
    assert!(resumed.is_ok(), "{resumed:?}");
    let other = raw_key(folder.path());
    assert_ne!(other, old);
    let second = while_it_seals(&folder, &stock, |wallet| wallet.rekey().unwrap());
    assert!(matches!(second, Err(WalletError::Storage { .. })), "{second:?}");
    assert_ne!(raw_key(folder.path()), other, "the one that was first");
    assert!(read_all(folder.path(), &stock.clock).unwrap() == stock.closed_content);
    let wiped = while_it_seals(&folder, &stock, |wallet| {
        runtime.block_on(async { tokio::join!(wallet.wipe(), pass()) }).0.unwrap();
    });
    assert!(wiped.is_err());
    assert!(!folder.path().join("wallet.key").exists() && !folder.path().join("wallet.db").exists());
}
