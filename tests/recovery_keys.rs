//! Promise: recovery helps where the key is gone as well, waits where it is only locked, can be killed at any moment, and
//! no two processes have a wallet open.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

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
#[path = "support/stock.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod stock;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use files::{Files, assert_same, files};
use hooked_vault::{Call, HookedVault};
use phone::{TestClock, open, vault_in};
use stock::{Stock, content, laid_out, read_all, recover, stock, syncs_and_shows};
use ticket_wallet::error::RecoveryReason;
use ticket_wallet::{Config, WalletError, recover_wallet};

/// In the order in which recovery moves them.
const PARTS: [&str; 7] =
    ["wallet.db-wal", "wallet.db-shm", "wallet.db", "wallet.key", "wallet.kcv", "wallet.map", "install.id"];

fn without(files: &Files, name: &str) -> Files {
    let mut files = files.clone();
    files.remove(name).unwrap();
    files
}

fn with(files: &Files, name: &str, bytes: &[u8]) -> Files {
    let mut files = files.clone();
    files.insert(name.to_owned(), bytes.to_vec()).unwrap();
    files
}

/// Without what every opening may change.
fn lasting(files: &Files) -> Files {
    let apart = ["wallet.lock", "wallet.db-shm", "vault.lock"];
    files
        .iter()
        .filter(|(name, _)| !apart.contains(&name.as_str()))
        .map(|(n, b)| (n.clone(), b.clone()))
        .collect()
}

fn other_wallet(clock: &TestClock) -> Files {
    let folder = tempfile::tempdir().unwrap();
    drop(open(folder.path(), clock).unwrap());
    files(folder.path())
}

/// Ways to lose the key, and what is said then.
fn lost_keys(mine: &Files, other: &Files) -> Vec<(&'static str, Files, RecoveryReason)> {
    let wrong = ["wallet.key", "vault.json", "install.id"]
        .iter()
        .fold(mine.clone(), |files, name| with(&files, name, &other[*name]));
    vec![
        ("wrong key", wrong, RecoveryReason::WrongKey),
        ("no vault", without(mine, "vault.json"), RecoveryReason::KeyMissing),
        ("no envelope", without(mine, "wallet.key"), RecoveryReason::KeyMissing),
        ("a restored backup", without(mine, "install.id"), RecoveryReason::RestoredBackup),
        ("another vault", with(mine, "vault.json", &other["vault.json"]), RecoveryReason::KeyInvalid),
        ("no database", without(mine, "wallet.db"), RecoveryReason::DatabaseMissing),
    ]
}

#[tokio::test]
async fn a_lost_key_is_told_and_a_new_wallet_takes_over() {
    let stock = stock().await;
    let other = other_wallet(&stock.clock);
    for mine in [&stock.closed, &stock.open] {
        for (what, files_before, why) in lost_keys(mine, &other) {
            let folder = laid_out(&files_before);
            match open(folder.path(), &stock.clock) {
                Err(WalletError::NeedsRecovery { why: told, .. }) => assert_eq!(told, why, "{what}"),
                Err(other) => panic!("{what}: {other:?}"),
                Ok(_) => panic!("{what}: opened"),
            }
            assert_same(&lasting(&files_before), &lasting(&files(folder.path())), what);
            let report = recover(folder.path()).unwrap();
            assert_eq!((report.why, report.kept_in.as_deref()), (Some(why), Some("kept-1")), "{what}");
            let mut kept = lasting(&files_before);
            kept.remove("vault.json");
            assert_same(&kept, &lasting(&files(&folder.path().join("kept-1"))), what);
            let wallet = open(folder.path(), &stock.clock).unwrap();
            assert!(content(&wallet).unwrap().tickets.is_empty(), "{what}");
            if what == "a restored backup" {
                syncs_and_shows(&wallet, &stock.sandbox).await;
            }
        }
    }
}

/// A lost check value or another wallet's: the key opens the database all the same, and everything is saved.
#[tokio::test]
async fn a_wrong_check_value_loses_nothing() {
    let stock = stock().await;
    let folder = laid_out(&with(&stock.closed, "wallet.kcv", &[0; 16]));
    let report = recover(folder.path()).unwrap();
    assert_eq!((report.why, report.damaged_pages), (Some(RecoveryReason::WrongKey), 0));
    assert_eq!(report.outbox as usize, stock.closed_content.outbox.len());
    let wallet = open(folder.path(), &stock.clock).unwrap();
    assert!(wallet.accounts().unwrap() == stock.closed_content.accounts);
}

#[tokio::test]
async fn a_locked_vault_changes_nothing() {
    let stock = stock().await;
    let mut damaged = stock.open.clone();
    damaged.get_mut("wallet.db").unwrap()[4096 * 4 + 30] ^= 1;
    let locks = [
        (stock.closed.clone(), Call::Unseal),
        (damaged.clone(), Call::Unseal),
        (damaged, Call::Seal),
        (without(&stock.open, "wallet.key"), Call::Seal),
        (without(&stock.closed, "install.id"), Call::Seal),
    ];
    for (n, (before, locked)) in locks.into_iter().enumerate() {
        let folder = laid_out(&before);
        let vault = Arc::new(HookedVault::refusing(vault_in(folder.path()), locked, 0));
        let refused = recover_wallet(Config::in_folder(folder.path().to_str().unwrap()), vault).unwrap_err();
        assert!(matches!(refused, WalletError::KeyUnavailable { .. }), "{n}: {refused:?}");
        assert_same(&lasting(&before), &lasting(&files(folder.path())), &format!("locked, {n}"));
        assert!(!folder.path().join("kept-1").exists() && !folder.path().join("recovering").exists(), "{n}");
    }
}

#[tokio::test]
async fn a_sound_wallet_is_left_as_it_is() {
    let stock = stock().await;
    let folder = laid_out(&stock.closed);
    let report = recover(folder.path()).unwrap();
    assert!(report.why.is_none() && report.kept_in.is_none());
    assert_same(&lasting(&stock.closed), &lasting(&files(folder.path())), "sound");
    let folder = laid_out(&stock.open);
    assert!(recover(folder.path()).unwrap().why.is_none());
    assert!(read_all(folder.path(), &stock.clock).unwrap() == stock.open_content);
}

/// One step of a recovery.
#[derive(Debug)]
enum Step {
    Move(String, String),
    Make(&'static str),
    Remove(String),
}

impl Step {
    fn take(&self, folder: &Path) {
        match self {
            Self::Move(from, to) => fs::rename(folder.join(from), folder.join(to)).unwrap(),
            Self::Make(name) => fs::create_dir(folder.join(name)).unwrap(),
            Self::Remove(name) => fs::remove_file(folder.join(name)).unwrap(),
        }
    }
}

/// The old files and, beside them, the new ones whole; and the steps from there to the end.
fn about_to_be_put_in_place(stock: &Stock, old: &Files) -> (tempfile::TempDir, Vec<Step>) {
    let folder = laid_out(old);
    recover(folder.path()).unwrap();
    let new = files(folder.path());
    let start = laid_out(old);
    let making = start.path().join("recovering");
    fs::create_dir(&making).unwrap();
    let mut steps = vec![Step::Make("kept-1")];
    for part in PARTS {
        if old.contains_key(part) {
            steps.push(Step::Move(part.to_owned(), format!("kept-1/{part}")));
        }
        if let Some(bytes) = new.get(part) {
            fs::write(making.join(part), bytes).unwrap();
            steps.push(Step::Move(format!("recovering/{part}"), part.to_owned()));
        }
    }
    fs::write(making.join("wallet.lock"), "").unwrap();
    fs::write(making.join("complete"), "kept-1").unwrap();
    steps.push(Step::Remove("recovering/complete".to_owned()));
    steps.push(Step::Remove("recovering/wallet.lock".to_owned()));
    assert!(steps.len() > 10 && stock.closed_content.outbox.len() > 10);
    (start, steps)
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy_folder(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[tokio::test]
async fn a_recovery_killed_between_any_two_steps_is_ended() {
    let stock = stock().await;
    for old in [&stock.closed, &stock.open] {
        let mut old = old.clone();
        old.get_mut("wallet.db").unwrap()[4096 * 4 + 30] ^= 1;
        let (state, steps) = about_to_be_put_in_place(&stock, &old);
        for n in 0..=steps.len() {
            for by_opening in [true, false] {
                let what =
                    format!("killed before step {n} of {}, ended by opening: {by_opening}", steps.len());
                let folder = tempfile::tempdir().unwrap();
                copy_folder(state.path(), folder.path());
                if !by_opening {
                    assert_eq!(recover(folder.path()).unwrap().why, None, "{what}");
                }
                let wallet = open(folder.path(), &stock.clock).unwrap_or_else(|e| panic!("{what}: {e}"));
                let outbox = wallet.outbox(None).unwrap();
                assert!(outbox.len() >= stock.closed_content.outbox.len(), "{what}");
                assert!(wallet.accounts().unwrap() == stock.closed_content.accounts, "{what}");
                let mut kept = lasting(&old);
                kept.remove("vault.json");
                assert_same(&kept, &lasting(&files(&folder.path().join("kept-1"))), &what);
                assert!(!folder.path().join("recovering").exists(), "{what}");
            }
            if let Some(step) = steps.get(n) {
                step.take(state.path());
            }
        }
    }
}

/// Until the marker stands, the new wallet counts for nothing.
#[tokio::test]
async fn a_recovery_killed_before_it_was_whole_begins_anew() {
    let stock = stock().await;
    let mut old = stock.closed.clone();
    old.get_mut("wallet.db").unwrap()[4096 * 4 + 30] ^= 1;
    let (state, _) = about_to_be_put_in_place(&stock, &old);
    fs::remove_file(state.path().join("recovering/complete")).unwrap();
    let parts: Vec<_> = files(&state.path().join("recovering")).into_keys().collect();
    for part in parts {
        let folder = tempfile::tempdir().unwrap();
        copy_folder(state.path(), folder.path());
        let report = recover(folder.path()).unwrap();
        assert_eq!(report.kept_in.as_deref(), Some("kept-1"), "before {part}");
        assert_eq!(report.outbox as usize, stock.closed_content.outbox.len(), "before {part}");
        assert!(open(folder.path(), &stock.clock).is_ok());
        fs::remove_file(state.path().join("recovering").join(part)).unwrap();
    }
}

const HELD: &str = "TICKET_WALLET_TEST_HELD";

/// The same test in a second process holds the wallet open until its input ends.
#[test]
fn who_has_the_wallet_open_is_told() {
    let clock = TestClock::new();
    if let Some(folder) = std::env::var_os(HELD) {
        let _wallet = open(Path::new(&folder), &clock).unwrap();
        fs::write(Path::new(&folder).join("is-open"), "").unwrap();
        std::io::stdin().lines().for_each(drop);
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "who_has_the_wallet_open_is_told", "--nocapture"])
        .env(HELD, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
    while !folder.path().join("is-open").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended: {:?}", said.next());
        std::thread::yield_now();
    }
    let by = format!("process {}", child.id());
    for refused in [open(folder.path(), &clock).err(), recover(folder.path()).err()] {
        match refused {
            Some(WalletError::InUse { reason }) => assert!(reason.contains(&by), "{reason}"),
            other => panic!("{other:?}"),
        }
    }
    // However it ends.
    child.kill().unwrap();
    child.wait().unwrap();
    drop(open(folder.path(), &clock).unwrap());
}
