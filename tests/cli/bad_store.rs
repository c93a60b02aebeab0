//! A store that cannot be used gets one clear line and exit code 5, and stays as it is; where there is none, none is made.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, in_store, run};
use crate::files::{assert_same, files, put};

const READS: [&[&str]; 4] =
    [&["tickets", "list"], &["accounts"], &["show", "641f28287962ebcf0828e652"], &["sync"]];

/// A wallet with tickets.
fn wallet() -> TempDir {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    served.login(folder.path(), 0).json();
    run(&mut in_store(folder.path(), &["sync", "--json"]), b"").json();
    folder
}

#[test]
fn a_folder_that_was_mistyped_is_no_empty_wallet() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("walet");
    let others: [&[&str]; 5] = [
        &["outbox", "list"],
        &["rekey"],
        &["transfer", "list"],
        &["logout", "641f28287962ebcf"],
        &["orders", "list"],
    ];
    for store in [folder.path(), &nowhere] {
        for command in READS.iter().chain(&others) {
            let line = fails(|| in_store(store, command), b"", 2, "not_found");
            assert!(line.contains("there is no wallet in") && line.contains("ticket-wallet login"), "{line}");
        }
    }
    assert!(!nowhere.exists() && fs::read_dir(folder.path()).unwrap().next().is_none(), "none is made");
}

#[test]
fn a_folder_that_was_mistyped_is_no_gate_and_no_box_office() {
    let folder = tempfile::tempdir().unwrap();
    let gate: &[&[&str]] = &[
        &["gate", "status"],
        &["gate", "scan"],
        &["gate", "records"],
        &["gate", "sync"],
        &["gate", "report"],
    ];
    let office: &[&[&str]] = &[
        &["box-office", "accounts"],
        &["box-office", "writes", "list"],
        &["catalogue", "list"],
        &["tokens", "list", "1"],
        &["admissions", "tickets", "1"],
    ];
    let stores = [
        (gate, "there is no gate in", "ticket-wallet gate sign-in makes one"),
        (office, "there is no box office in", "ticket-wallet box-office login makes one"),
    ];
    for (commands, none, begins) in stores {
        for command in commands {
            let line = fails(|| in_store(folder.path(), command), b"", 2, "not_found");
            assert!(line.contains(none) && line.contains(begins), "{line}");
        }
    }
    assert!(fs::read_dir(folder.path()).unwrap().next().is_none(), "none is made");
}

#[test]
fn a_path_that_can_be_no_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    for store in [file.clone(), file.join("wallet"), file.join("a/b/c")] {
        for command in READS {
            fails(|| in_store(&store, command), b"", 5, "storage");
        }
        let login = ["login", "--system", "bam", "--url", "http://127.0.0.1:1", "--user", "mira"];
        fails(|| in_store(&store, &login), b"pw\n", 5, "storage");
    }
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let no_utf8 = folder.path().join(<OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(b"\xff"));
    fails(|| in_store(&no_utf8, &["accounts"]), b"", 2, "invalid_input");
}

#[test]
fn a_damaged_vault_file() {
    let folder = wallet();
    let good = files(folder.path());
    let vault = String::from_utf8(good["vault.json"].clone()).unwrap();
    let damaged = [
        String::new(),
        "not json".to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        vault[..vault.len() / 2].to_owned(),
        vault.replace("\"version\": 1", "\"version\": 2"),
        vault.replace("\"wrapping_key\": \"", "\"wrapping_key\": \"%"),
        vault.replace("\"wrapping_key\": \"", "\"wrapping_key\": \"AAAA"),
    ];
    for text in damaged {
        assert_ne!(text, vault);
        let mut files_before = good.clone();
        files_before.insert("vault.json".to_owned(), text.clone().into_bytes());
        put(&files_before, folder.path());
        for command in READS {
            let line = fails(|| in_store(folder.path(), command), b"", 5, "key_unavailable");
            assert!(line.contains("vault file"), "{line}");
        }
        assert_same(&files_before, &files(folder.path()), &text);
    }
    put(&good, folder.path());
    let list = run(&mut in_store(folder.path(), &["tickets", "list", "--json"]), b"").json();
    assert_eq!(list.as_array().unwrap().len(), 24);
}

#[test]
fn a_folder_that_cannot_be_written() {
    let full = wallet();
    let empty = tempfile::tempdir().unwrap();
    for command in READS {
        fails(|| read_only(empty.path(), command), b"", 2, "not_found");
    }
    let login = ["login", "--system", "bam", "--url", "http://127.0.0.1:1", "--user", "mira"];
    let make = || read_only(empty.path(), &login);
    assert!([Some("storage"), Some("key_unavailable")].contains(&code_of(&make).as_deref()));
    run(&mut make(), b"pw\n").failed(5);
    let before = files(full.path());
    for command in [&["tickets", "list"][..], &["accounts"], &["sync"]] {
        let line = fails(|| read_only(full.path(), command), b"", 5, "storage");
        assert!(line.contains("cannot be written"), "{line}");
    }
    assert_same(&before, &files(full.path()), "read only");
    for folder in [empty, full] {
        // So that it can be removed.
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn code_of(make: &impl Fn() -> Command) -> Option<String> {
    let said = run(make().arg("--json"), b"pw\n");
    let said: serde_json::Value = serde_json::from_str(said.failed(5)).unwrap();
    said["error"]["code"].as_str().map(str::to_owned)
}

/// The command on this folder as a read-only mount; without root's rights on the folder with no right to write.
fn read_only(folder: &Path, arguments: &[&str]) -> Command {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o555)).unwrap();
        return in_store(folder, arguments);
    }
    // The mount is seen by this command alone and goes with it.
    let script = r#"mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@""#;
    let plain = in_store(folder, arguments);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
    command.arg(folder).arg(plain.get_program()).args(plain.get_args());
    command.env_remove("TICKET_WALLET_HOME");
    command
}
