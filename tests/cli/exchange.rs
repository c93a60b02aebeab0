//! What is handed over and ordered by section and number at TickeTing, and what became of it.

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, in_store, json_of, run, text_of};
use crate::served::text;

/// A wallet of this user in a folder of its own.
fn wallet(served: &Served, user: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (of, user) = (&served.ready["ticketing"], &served.ready["users"][user]);
    let (url, name, password) = (text(&of["url"]), text(&user["name"]), text(&user["password"]));
    let mut login = in_store(
        folder.path(),
        &["login", "--json", "--system", "ticketing", "--url", &url, "--user", &name],
    );
    assert!(run(&mut login, password.as_bytes()).json()["account"].is_string());
    folder
}

fn last_write(folder: &Path) -> String {
    json_of(folder, &["writes", "list", "--limit", "1"])[0]["id"].to_string()
}

#[test]
fn tickets_are_handed_over_claimed_and_taken_back() {
    let served = Served::start();
    let (sender, recipient) = (wallet(&served, 0), wallet(&served, 1));
    let (sender, recipient) = (sender.path(), recipient.path());
    let to = text(&served.ready["users"][1]["name"]);
    let item = format!("{}:2", text(&served.ready["ticketing"]["sections"][0]));
    let sent = json_of(sender, &["transfer", "sections", "send", "--item", &item, "--to", &to]);
    assert_eq!((&sent["state"], &sent["kind"]), (&json!("done"), &json!("start_transfer")));
    let uri = text(&sent["answer"]["transfers"][0]["uri"]);
    let incoming = json_of(recipient, &["transfer", "sections", "list", "--incoming"]);
    assert_eq!(incoming["transfers"][0]["transfer"], json!(uri));
    assert!(text_of(recipient, &["transfer", "sections", "list", "--incoming"]).contains("2 × /events/"));
    assert!(text_of(recipient, &["transfer", "sections", "claim", &uri]).starts_with("Done"));
    fails(|| in_store(sender, &["transfer", "sections", "take-back", &uri]), b"", 4, "refused");
    assert_eq!(text_of(recipient, &["transfer", "sections", "list"]), "No transfers.\n");
    let bad = || in_store(sender, &["transfer", "sections", "send", "--item", "x:0", "--to", &to]);
    fails(bad, b"", 2, "invalid_input");
    let listed = json_of(sender, &["writes", "list"]);
    // The newest first; what is refused is asked for twice, as text and as JSON.
    let states: Vec<_> = listed.as_array().unwrap().iter().map(|write| text(&write["state"])).collect();
    assert_eq!(states, ["rejected", "rejected", "done"]);
    let last = last_write(sender);
    assert!(text_of(sender, &["writes", "look-up", &last]).contains("was not carried out"));
    assert_eq!(text_of(sender, &["writes", "forget", &last]), format!("Forgot {last}.\n"));
}

#[test]
fn orders_are_placed_listed_and_cancelled() {
    let served = Served::start();
    let folder = wallet(&served, 0);
    let folder = folder.path();
    let item = format!("{}:2", text(&served.ready["ticketing"]["sections"][0]));
    let placed = json_of(folder, &["orders", "sections", "place", "--item", &item]);
    assert_eq!(placed["state"], json!("done"));
    let number = text(&placed["answer"]["orders"][0]["number"]);
    assert_eq!(json_of(folder, &["orders", "sections", "list"])["orders"][0]["order"], json!(number));
    assert!(text_of(folder, &["orders", "sections", "list"]).contains("Placed"));
    assert!(text_of(folder, &["orders", "sections", "cancel", &number]).starts_with("Done"));
    fails(|| in_store(folder, &["orders", "sections", "cancel", &number]), b"", 4, "refused");
}
