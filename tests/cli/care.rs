//! Changes made offline, an outbox to look into, a doctor for the wallet, and a recovery that deletes nothing.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Served, in_store, run};

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    run(in_store(folder, arguments).arg("--json"), b"").json()
}

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
    assert!(json_of(empty.path(), &["doctor"])["problem"].as_str().unwrap().contains("there is no wallet"));
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
    let ill = json_of(folder, &["doctor"]);
    assert_eq!(ill["recovery"], json!("Damaged"));
    assert!(fails(folder, &["tickets", "list"], 5).contains("Recover"));
    let text = run(&mut in_store(folder, &["doctor"]), b"").stdout;
    assert!(text.contains("ticket-wallet recover"), "{text}");

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
