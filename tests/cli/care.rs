//! Changes made offline, an outbox to look into, a doctor for the wallet, and a recovery that deletes nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Served, at_terminal, illness_of, in_store, json_of, run, text_of};

fn fails(folder: &Path, arguments: &[&str], code: i32) -> String {
    run(&mut in_store(folder, arguments), b"").failed(code).to_owned()
}

fn signed_in_and_synced(served: &Served) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    served.login(folder.path(), 0).json();
    json_of(folder.path(), &["sync"]);
    folder
}

/// A ticket that shows a barcode.
fn bound(folder: &Path) -> String {
    let list = json_of(folder, &["tickets", "list"]);
    let ids = list.as_array().unwrap().iter().map(|ticket| ticket["id"].as_str().unwrap().to_owned());
    let shows = |id: &String| json_of(folder, &["tickets", "show", id])["no_barcode"].is_null();
    ids.into_iter().find(shows).unwrap()
}

#[test]
fn changes_wait_in_the_outbox_until_a_sync_sends_them() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let (folder, id) = (folder.path(), bound(folder.path()));
    assert_eq!(json_of(folder, &["outbox", "list"]), json!([]));
    assert!(fails(folder, &["tickets", "answer", &id, "[1]"], 2).contains("JSON object"));
    let item = json_of(folder, &["tickets", "answer", &id, r#"{"size":"M"}"#]);
    assert_eq!((&item["kind"], &item["state"]), (&json!("SaveTicketHolder"), &json!("Waiting")));
    let number = item["id"].to_string();
    let edited = json_of(folder, &["outbox", "edit", &number, r#"{"size":"L"}"#]);
    assert_eq!((&edited["id"], &edited["content"]), (&item["id"], &json!(r#"{"size":"L"}"#)));
    assert!(fails(folder, &["outbox", "retry", &number], 2).contains("by itself"));
    let account = json_of(folder, &["accounts"])[0]["account"].as_str().unwrap().to_owned();
    assert!(fails(folder, &["logout", &account], 2).contains("outbox"));

    let report = json_of(folder, &["sync"]);
    assert_eq!((&report["sent"], &report["waiting"], &report["rejected"]), (&json!(1), &json!(0), &json!(0)));
    let body = json_of(folder, &["tickets", "show", &id])["record"].clone();
    assert_eq!(body["ticket_holder"]["response"], json!({ "size": "L" }));
    assert_eq!(json_of(folder, &["outbox", "list"]), json!([]));
    assert!(fails(folder, &["outbox", "discard", &number], 2).contains("not found"));
}

#[test]
fn a_transfer_hides_the_barcode_and_its_end_brings_it_back() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let (folder, id) = (folder.path(), bound(folder.path()));
    json_of(folder, &["transfer", "send", &id, "--to", "ada@example.org"]);
    assert!(json_of(folder, &["show", &id])["text"].is_string(), "nothing was sent yet");
    json_of(folder, &["sync"]);
    assert!(fails(folder, &["show", &id], 6).contains("given up"));
    let transfers = json_of(folder, &["transfer", "list"]);
    assert_eq!(
        (&transfers[0]["state"], &transfers[0]["recipient"]),
        (&json!("pending"), &json!("ada@example.org"))
    );
    assert!(
        fails(folder, &["transfer", "send", &id, "--to", "b@example.org"], 2).contains("cancel it first")
    );
    json_of(folder, &["transfer", "cancel", &id]);
    json_of(folder, &["sync"]);
    assert_eq!(json_of(folder, &["transfer", "list"])[0]["state"], json!("cancelled"));
    assert!(json_of(folder, &["show", &id])["text"].is_string(), "bound again");
}

#[test]
fn the_doctor_tells_what_a_session_may_do_and_no_token() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let claims = json_of(folder.path(), &["doctor"])["accounts"][0]["claims"].clone();
    let user = claims["username"].as_str().unwrap();
    assert!(user.contains('@'), "{claims}");
    assert!(claims["exp"].as_str().unwrap().parse::<i64>().unwrap() > 1_700_000_000);
    let text = run(&mut in_store(folder.path(), &["doctor"]), b"").stdout;
    assert!(text.contains(&format!("username  {user}")), "{text}");
}

#[test]
fn the_doctor_knows_what_is_wrong_and_recovery_helps() {
    let served = Served::start();
    let empty = tempfile::tempdir().unwrap();
    assert!(
        illness_of(empty.path(), &["doctor"])["problem"].as_str().unwrap().contains("there is no wallet")
    );
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0, "and none is made");
    assert!(fails(empty.path(), &["recover"], 2).contains("there is no wallet"));

    let folder = signed_in_and_synced(&served);
    let (folder, id) = (folder.path(), bound(folder.path()));
    json_of(folder, &["tickets", "answer", &id, r#"{"size":"M"}"#]);
    let healthy = json_of(folder, &["doctor"]);
    assert_eq!((&healthy["problem"], &healthy["files"]["sound"]), (&Value::Null, &json!(true)));
    assert_eq!(
        (&healthy["accounts"][0]["tickets"], &healthy["accounts"][0]["waiting"]),
        (&json!(24), &json!(1))
    );
    assert_eq!(json_of(folder, &["recover"])["why"], Value::Null, "nothing is changed that is sound");

    let database = folder.join("wallet.db");
    let mut bytes = fs::read(&database).unwrap();
    bytes[2000] ^= 1;
    fs::write(&database, &bytes).unwrap();
    let ill = illness_of(folder, &["doctor"]);
    assert_eq!(ill["recovery"], json!("Damaged"));
    assert!(fails(folder, &["tickets", "list"], 5).contains("Recover"));
    let text = run(&mut in_store(folder, &["doctor"]), b"").stdout;
    assert!(text.contains("ticket-wallet recover"), "{text}");

    let sealed = fs::read(folder.join("wallet.key")).unwrap();
    fs::remove_file(folder.join("wallet.key")).unwrap();
    let lost = illness_of(folder, &["doctor"]);
    assert_eq!(lost["recovery"], json!("KeyMissing"));
    assert!(lost["advice"].as_str().unwrap().contains("wallet.key"), "{lost}");
    fs::write(folder.join("wallet.key"), sealed).unwrap();

    let report = json_of(folder, &["recover"]);
    assert_eq!((&report["accounts"], &report["outbox"]), (&json!(1), &json!(1)));
    assert_eq!(fs::read(folder.join("kept-1/wallet.db")).unwrap(), bytes);
    let held = json_of(folder, &["outbox", "list"]);
    assert_eq!(held[0]["state"], json!("Held"));
    let number = held[0]["id"].to_string();
    assert_eq!(json_of(folder, &["sync"])["added"], json!(24));
    json_of(folder, &["outbox", "retry", &number]);
    assert_eq!(json_of(folder, &["sync"])["sent"], json!(1));
    assert!(json_of(folder, &["show", &id])["text"].is_string(), "the saved barcode is shown");
}

#[test]
fn a_barcode_is_given_up_and_comes_back() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let (folder, id) = (folder.path(), bound(folder.path()));
    assert_eq!(json_of(folder, &["surrender", &id])["kind"], json!("Surrender"));
    json_of(folder, &["sync"]);
    assert!(fails(folder, &["show", &id], 6).contains("given up"));
    assert!(fails(folder, &["surrender", &id], 2).contains("holds no barcode"));
    json_of(folder, &["tickets", "pin", &id]);
    json_of(folder, &["sync"]);
    assert!(json_of(folder, &["show", &id])["text"].is_string());
    let off = text_of(folder, &["tickets", "pin", &id, "--off"]);
    assert!(off.contains("No longer pinned"), "{off}");
    assert!(text_of(folder, &["surrender", &id]).contains("ticket-wallet sync"));
    assert!(fails(folder, &["surrender", "641f28287962ebcf0828e652"], 2).contains("not found"));
}

#[test]
fn another_device_takes_a_barcode_over_as_often_as_the_server_allows() {
    let served = Served::start_with(&["--moves", "1"]);
    let first = signed_in_and_synced(&served);
    let id = bound(first.path());
    let second = signed_in_and_synced(&served);
    assert!(fails(first.path(), &["move", &id], 2).contains("already"));
    assert!(text_of(second.path(), &["move", &id]).contains("ticket-wallet sync"));
    assert_eq!(json_of(second.path(), &["sync"])["bound"], json!(1));
    assert!(json_of(second.path(), &["show", &id])["text"].is_string());
    let third = signed_in_and_synced(&served);
    let moved = json_of(third.path(), &["move", &id]);
    assert_eq!((&moved["kind"], &moved["state"]), (&json!("Bind"), &json!("Waiting")));
    let report = json_of(third.path(), &["sync"]);
    assert_eq!((&report["bound"], &report["rejected"]), (&json!(0), &json!(1)));
    let waiting = json_of(third.path(), &["outbox", "list"]);
    assert_eq!(waiting[0]["state"], json!("Rejected"), "{waiting}");
    let shown = text_of(third.path(), &["outbox", "list"]);
    assert!(shown.contains("Bind") && shown.contains(waiting[0]["server_code"].as_str().unwrap()), "{shown}");
    let number = waiting[0]["id"].to_string();
    assert!(text_of(third.path(), &["outbox", "discard", &number]).contains("Discarded"));
}

#[test]
fn the_database_gets_a_new_key_and_keeps_what_it_holds() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let folder = folder.path();
    let list = json_of(folder, &["tickets", "list"]);
    let sealed = fs::read(folder.join("wallet.key")).unwrap();
    assert_eq!(json_of(folder, &["rekey"]), json!({ "rekeyed": true }));
    assert!(text_of(folder, &["rekey"]).contains("new key"));
    assert_ne!(fs::read(folder.join("wallet.key")).unwrap(), sealed);
    assert_eq!(json_of(folder, &["tickets", "list"]), list);
}

#[test]
fn a_wallet_is_deleted_only_when_somebody_says_so() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let folder = folder.path();
    let line = fails(folder, &["wipe"], 2);
    assert!(line.contains("cannot be undone; say --yes"), "{line}");
    let said = at_terminal(&in_store(folder, &["wipe"]), &[("[y/N]", "n\n")]);
    assert!(said.code == Some(2) && said.stdout.contains("nothing was done"), "{}", said.stdout);
    assert_eq!(json_of(folder, &["tickets", "list"]).as_array().unwrap().len(), 24);
    assert_eq!(json_of(folder, &["wipe", "--yes"]), json!({ "wiped": true }));
    for file in ["wallet.db", "wallet.key", "install.id"] {
        assert!(!folder.join(file).exists(), "{file}");
    }
    assert!(fails(folder, &["wipe", "--yes"], 2).contains("there is no wallet"));
    let nowhere = folder.join("nowhere");
    assert!(fails(&nowhere, &["wipe", "--yes"], 2).contains("there is no wallet"));
    assert!(!nowhere.exists(), "and none is made");
}

#[test]
fn an_account_is_removed_with_all_that_is_its_own() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let (folder, id) = (folder.path(), bound(folder.path()));
    let account = json_of(folder, &["accounts"])[0]["account"].as_str().unwrap().to_owned();
    assert_eq!(json_of(folder, &["outbox", "list", "--account", &account]), json!([]));
    json_of(folder, &["tickets", "answer", &id, r#"{"size":"M"}"#]);
    assert!(fails(folder, &["logout", &account], 2).contains("discard_changes"));
    let gone = text_of(folder, &["logout", &account, "--discard-changes"]);
    assert!(gone.starts_with("Signed out."), "{gone}");
    assert_eq!(json_of(folder, &["tickets", "list"]), json!([]));
    assert!(fails(folder, &["logout", &account], 2).contains("not found"));
}
