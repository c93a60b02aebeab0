//! Promise: the database is SQLCipher's own format. The original library, which computes with OpenSSL, reads what is
//! written here, and the other way round.
#![allow(clippy::unwrap_used, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
mod support;

use std::path::Path;

use phone::{Phone, TestClock, open, sandbox};
use raw_key::{keyed, raw_key, unkeyed};
use rusqlite::Connection;
use serde_json::{Value, json};
use support::run_script;
use ticket_wallet::model::TicketFilter;
use ticket_wallet_sandbox::SandboxConfig;

const KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const SALT: &str = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const ALGORITHMS: [&str; 3] = ["SHA1", "SHA256", "SHA512"];
const MAKE: &str = "CREATE TABLE t (n INTEGER, text TEXT, bytes BLOB)";
/// Rows that are longer than a page.
const FILL: &str = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 50)
    INSERT INTO t SELECT n, 'Ö' || hex(zeroblob(4500)), x'00ff' FROM number";
const SUM: &str = "SELECT count(*), sum(n), sum(length(text)), max(hex(bytes)) FROM t";

fn summed() -> Value {
    json!([[50, 1275, 50 * 9001, "00FF"]])
}

fn theirs(arguments: &[&str]) -> Value {
    let printed = run_script("sqlcipher.py", arguments, "");
    if printed.is_empty() { Value::Null } else { serde_json::from_str(&printed).unwrap() }
}

fn sum(connection: &Connection) -> Value {
    let row = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Value> {
        Ok(json!([[
            row.get::<_, i64>(0)?,
            row.get::<_, i64>(1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, String>(3)?
        ]]))
    };
    connection.query_row(SUM, [], row).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn the_original_reads_a_wallet_and_the_wallet_what_the_original_changed() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let mut titles: Vec<_> = phone.tickets().into_iter().map(|ticket| ticket.title).collect();
    titles.sort();
    let Phone { folder, wallet, .. } = phone;
    drop(wallet);

    let database = folder.path().join("wallet.db");
    let key = raw_key(folder.path());
    let read = theirs(&["read", path(&database), &key, "SELECT title FROM ticket"]);
    let mut read: Vec<_> =
        read.as_array().unwrap().iter().map(|row| row[0].as_str().unwrap().to_owned()).collect();
    read.sort();
    assert_eq!(read, titles);
    assert_eq!(theirs(&["read", path(&database), &key, "PRAGMA cipher_integrity_check"]), json!([]));
    assert_eq!(theirs(&["read", path(&database), &key, "PRAGMA integrity_check"]), json!([["ok"]]));

    theirs(&["write", path(&database), &key, "UPDATE ticket SET title = 'Geändert: ' || title"]);
    let wallet = open(folder.path(), &clock).unwrap();
    let changed = wallet.tickets(TicketFilter::default()).unwrap();
    let mut changed: Vec<_> =
        changed.iter().map(|ticket| ticket.title.strip_prefix("Geändert: ").unwrap().to_owned()).collect();
    changed.sort();
    assert_eq!(changed, titles);
}

#[test]
fn raw_keys_with_and_without_salt_go_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    for (name, key) in [("key", KEY.to_owned()), ("key-and-salt", format!("{KEY}{SALT}"))] {
        let file = folder.path().join(format!("{name}-theirs.db"));
        theirs(&["write", path(&file), &key, MAKE, FILL]);
        assert_eq!(sum(&keyed(&file, &key)), summed(), "{name}");

        let file = folder.path().join(format!("{name}-ours.db"));
        let ours = keyed(&file, &key);
        ours.execute_batch(&format!("{MAKE};{FILL}")).unwrap();
        drop(ours);
        assert_eq!(theirs(&["read", path(&file), &key, SUM]), summed(), "{name}");
    }
}

#[test]
fn every_hmac_goes_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let set = |connection: &Connection, hmac: &str| {
        connection.execute_batch(&format!("PRAGMA cipher_hmac_algorithm = HMAC_{hmac}")).unwrap();
    };
    for hmac in ALGORITHMS {
        let file = folder.path().join(format!("{hmac}-theirs.db"));
        theirs(&["write", "--hmac", hmac, path(&file), KEY, MAKE, FILL]);
        let ours = keyed(&file, KEY);
        set(&ours, hmac);
        assert_eq!(sum(&ours), summed(), "{hmac}");

        let file = folder.path().join(format!("{hmac}-ours.db"));
        let ours = keyed(&file, KEY);
        set(&ours, hmac);
        ours.execute_batch(&format!("{MAKE};{FILL}")).unwrap();
        drop(ours);
        assert_eq!(theirs(&["read", "--hmac", hmac, path(&file), KEY, SUM]), summed(), "{hmac}");
        // The control: the setting is no empty word.
        for other in ALGORITHMS.iter().filter(|other| **other != hmac) {
            let ours = keyed(&file, KEY);
            set(&ours, other);
            assert!(ours.query_row(SUM, [], |_| Ok(())).is_err(), "{hmac} read as {other}");
        }
    }
}

#[test]
fn passphrases_go_both_ways_with_every_key_derivation() {
    let folder = tempfile::tempdir().unwrap();
    let passphrase = "a passphrase, no key – mit Umlaut: ä";
    let with_passphrase = |file: &Path, kdf: &str| {
        let connection = unkeyed(file);
        connection.pragma_update(None, "key", passphrase).unwrap();
        connection.execute_batch(&format!("PRAGMA cipher_kdf_algorithm = PBKDF2_HMAC_{kdf}")).unwrap();
        connection
    };
    for kdf in ALGORITHMS {
        let options = ["--kdf", kdf, "--passphrase"];
        let file = folder.path().join(format!("{kdf}-theirs.db"));
        theirs(&[&["write"], &options[..], &[path(&file), passphrase, MAKE, FILL]].concat());
        assert_eq!(sum(&with_passphrase(&file, kdf)), summed(), "{kdf}");

        let file = folder.path().join(format!("{kdf}-ours.db"));
        let ours = with_passphrase(&file, kdf);
        ours.execute_batch(&format!("{MAKE};{FILL}")).unwrap();
        drop(ours);
        assert_eq!(
            theirs(&[&["read"], &options[..], &[path(&file), passphrase, SUM]].concat()),
            summed(),
            "{kdf}"
        );
    }
}

#[test]
fn a_header_in_plain_text_goes_both_ways() {
    let folder = tempfile::tempdir().unwrap();
    let key = format!("{KEY}{SALT}");
    let set = |connection: &Connection| {
        connection.execute_batch("PRAGMA cipher_plaintext_header_size = 32").unwrap();
    };
    let options = ["--plaintext-header", "32"];
    let file = folder.path().join("theirs.db");
    theirs(&[&["write"], &options[..], &[path(&file), &key, MAKE, FILL]].concat());
    let ours = keyed(&file, &key);
    set(&ours);
    assert_eq!(sum(&ours), summed());

    let file = folder.path().join("ours.db");
    let ours = keyed(&file, &key);
    set(&ours);
    ours.execute_batch(&format!("{MAKE};{FILL}")).unwrap();
    drop(ours);
    assert!(std::fs::read(&file).unwrap().starts_with(b"SQLite format 3\0"));
    assert_eq!(theirs(&[&["read"], &options[..], &[path(&file), &key, SUM]].concat()), summed());
}
