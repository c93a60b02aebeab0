//! A holder's whole session as a script would run it, online and then offline.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Served, in_store, json_of, run, ticket_wallet};
use crate::pictures::{assert_readable, decode_all};
use crate::support::judge;

fn now() -> i64 {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since_epoch.as_secs()).unwrap()
}

/// The listed tickets that show a barcode.
fn shown(folder: &Path) -> Vec<String> {
    let list = json_of(folder, &["tickets", "list"]);
    let signed = list.as_array().unwrap().iter().filter(|ticket| ticket["profile"] == "signed");
    let ids = signed.map(|ticket| ticket["id"].as_str().unwrap().to_owned());
    ids.filter(|id| json_of(folder, &["tickets", "show", id])["no_barcode"].is_null()).collect()
}

/// What the second implementation says to a text, now.
fn opinion(text: &Value, issuer_key: &Value) -> Value {
    judge(&[json!({ "text": text, "issuer_keys": [issuer_key], "now": now() })]).swap_remove(0)
}

/// A frame as a script gets it, judged Valid as the barcode of this ticket.
fn judged_frame(folder: &Path, id: &str) -> Value {
    let frame = json_of(folder, &["show", id]);
    let opinion = opinion(&frame["text"], &frame["issuer_key"]);
    assert_eq!((&opinion["verdict"], &opinion["fields"]["ticket"]), (&json!("Valid"), &json!(id)));
    assert_eq!(opinion["fields"]["presented_at"], frame["presented_at"]);
    let second = |name: &str| frame[name].as_i64().unwrap();
    assert_eq!(second("valid_until"), second("presented_at") + 30);
    assert_eq!(second("next_redraw_at"), second("presented_at") + 15);
    frame
}

fn signed_in_and_synced(served: &Served) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let account = served.login(folder.path(), 0).json();
    assert_eq!((&account["system"], &account["url"]), (&json!("bam"), &served.ready["url"]));
    let report = json_of(folder.path(), &["sync"]);
    assert_eq!(
        (&report["received"], &report["added"], &report["changed"]),
        (&json!(24), &json!(24), &json!(0))
    );
    assert!(report["bound"].as_u64().unwrap() > 2, "{report}");
    folder
}

#[test]
fn sign_in_sync_list_and_show_then_all_but_sync_offline() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let folder = folder.path();
    let list = json_of(folder, &["tickets", "list"]);
    assert_eq!(list.as_array().unwrap().len(), 24);
    for ticket in list.as_array().unwrap() {
        let id = ticket["id"].as_str().unwrap();
        assert!(id.len() == 24 && hex::decode(id).is_ok(), "{ticket}");
        assert!(!ticket["title"].as_str().unwrap().is_empty(), "{ticket}");
        assert!(["SECURE", "PDF", "NFC"].contains(&ticket["format"].as_str().unwrap()), "{ticket}");
        assert!(["signed", "static", "none"].contains(&ticket["profile"].as_str().unwrap()), "{ticket}");
        let detail = json_of(folder, &["tickets", "show", id]);
        assert_eq!((&detail["id"], &detail["title"]), (&ticket["id"], &ticket["title"]));
        assert_eq!(detail["record"]["id"].to_string(), detail["remote_id"].as_str().unwrap());
    }
    let ids = shown(folder);
    assert!(ids.len() > 2, "{ids:?}");
    let keys = served.ready["issuer_keys"].as_array().unwrap();
    for id in &ids {
        assert!(keys.contains(&judged_frame(folder, id)["issuer_key"]));
    }
    let before = json_of(folder, &["sync"]);
    assert_eq!((&before["added"], &before["changed"], &before["bound"]), (&json!(0), &json!(0), &json!(0)));

    let url = served.url().to_owned();
    assert!(served.stop().success());
    assert_eq!(json_of(folder, &["tickets", "list"]), list);
    for id in &ids {
        let frame = judged_frame(folder, id);
        let (key, now) = (frame["issuer_key"].as_str().unwrap(), now().to_string());
        let mut gate = ticket_wallet(&["barcode", "verify", "--issuer-key", key, "--now", &now]);
        let check = run(&mut gate, frame["text"].as_str().unwrap().as_bytes()).json();
        assert_eq!((&check["verdict"], &check["fields"]["ticket"]), (&json!("Valid"), &json!(id)));
    }
    let sync = run(&mut in_store(folder, &["sync"]), b"");
    assert!(sync.failed(3).contains("cannot be reached"), "{}", sync.stderr);
    let accounts = json_of(folder, &["accounts"]);
    assert_eq!((&accounts[0]["url"], &accounts[0]["state"]), (&json!(url), &json!("SignedIn")));
}

#[test]
fn written_pictures_are_read_and_judged_valid_by_others() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let keys = &served.ready["issuer_keys"];
    let id = shown(folder.path()).swap_remove(0);
    let pictures = tempfile::tempdir().unwrap();
    for name in ["frame.png", "frame.svg"] {
        let path = pictures.path().join(name);
        let wrote = run(in_store(folder.path(), &["show", &id, "--out"]).arg(&path), b"");
        assert_eq!((wrote.code, wrote.stderr.as_str()), (Some(0), ""), "{}", wrote.stdout);
        let shown_at = now();
        let text = decode_all(&path)[0]["text"].clone();
        let requests = json!({ "text": text, "issuer_keys": keys, "now": shown_at });
        let opinion = judge(&[requests]).swap_remove(0);
        assert_eq!((&opinion["verdict"], &opinion["fields"]["ticket"]), (&json!("Valid"), &json!(id)));
        assert_readable(&path, text.as_str().unwrap());
    }
}

#[test]
fn the_environment_names_the_store_and_a_second_login_adds_an_account() {
    let served = Served::start();
    let folder = signed_in_and_synced(&served);
    let second = served.login(folder.path(), 1).json();
    let home = |arguments: &[&str]| {
        run(ticket_wallet(arguments).arg("--json").env("TICKET_WALLET_HOME", folder.path()), b"").json()
    };
    let accounts = home(&["accounts"]);
    let names: Vec<_> = accounts.as_array().unwrap().iter().map(|account| &account["user"]).collect();
    let users = served.ready["users"].as_array().unwrap();
    assert!(names.len() == 2 && users.iter().all(|user| names.contains(&&user["name"])), "{accounts}");

    let only_second = home(&["sync", "--account", second["account"].as_str().unwrap()]);
    assert_eq!((&only_second["received"], &only_second["added"]), (&json!(24), &json!(24)));
    assert_eq!(home(&["tickets", "list"]).as_array().unwrap().len(), 48);
    let of_second = home(&["tickets", "list", "--account", second["account"].as_str().unwrap()]);
    assert_eq!(of_second.as_array().unwrap().len(), 24);
    // Signing in again renews the account that is there.
    assert_eq!(served.login(folder.path(), 1).json()["account"], second["account"]);
    assert_eq!(home(&["accounts"]).as_array().unwrap().len(), 2);
    // What is said on the command line comes before the environment.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut other = in_store(elsewhere.path(), &["accounts", "--json"]);
    let none = run(other.env("TICKET_WALLET_HOME", folder.path()), b"");
    assert!(none.failed(2).contains("there is no wallet"), "{}", none.stderr);
}
