//! Promise: wallets that are opened at once, as the first thing a process does, all open.
#![allow(clippy::unwrap_used, missing_docs)]

use std::env;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Barrier};
use std::thread;

use ticket_wallet::host::SoftwareVault;
use ticket_wallet::{Config, Wallet};

const TEST: &str = "wallets_opened_first_and_at_once_all_open";
const FOLDER: &str = "FIRST_OPEN_FOLDER";
/// SQLite starts once in a process, so that each try is a process of its own.
const PROCESSES: usize = 60;
const WALLETS: usize = 4;

fn open(folder: &Path) -> Wallet {
    let vault = SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned());
    Wallet::open(Config::in_folder(folder.to_str().unwrap()), Arc::new(vault), None, None).unwrap()
}

/// Opens the folder's wallets, each from a thread of its own.
fn open_all(folder: &Path) {
    let start = Arc::new(Barrier::new(WALLETS));
    let threads: Vec<_> = (0..WALLETS)
        .map(|number| {
            let (folder, start) = (folder.join(number.to_string()), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                drop(open(&folder));
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

fn open_all_in_a_process(folder: &Path) -> Output {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture"]).env(FOLDER, folder).output().unwrap()
}

#[test]
fn wallets_opened_first_and_at_once_all_open() {
    if let Some(folder) = env::var_os(FOLDER) {
        return open_all(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    for number in 0..WALLETS {
        std::fs::create_dir(folder.path().join(number.to_string())).unwrap();
    }
    let failed: Vec<String> = (0..PROCESSES)
        .map(|_| open_all_in_a_process(folder.path()))
        .filter(|output| !output.status.success())
        .map(|output| String::from_utf8_lossy(&output.stderr).into_owned())
        .collect();
    assert!(failed.is_empty(), "{} of {PROCESSES} processes: {}", failed.len(), failed.concat());
}
