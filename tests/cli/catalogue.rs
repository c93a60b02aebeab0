//! The catalogue of a network's manager at TEXPO: listed, shown, made, changed, deleted; files in and out.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;

fn signed_in(served: &Served, role: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut login, password) = served.network_login(folder.path(), role);
    assert!(run(login.arg("--json"), password.as_bytes()).json()["account"].is_string());
    folder
}

fn record(folder: &Path, product: &str) -> Value {
    json_of(folder, &["catalogue", "show", product])["record"].clone()
}

fn fields() -> Vec<&'static str> {
    let entry =
        ["--event-name", "Hafenmesse", "--starts-at", "2026-12-01T09:00:00Z", "--ends-at", "1796144400"];
    let ticket = ["--ticket-type", "days:1of3", "--name", "Tag 1", "--description", "Alle Hallen"];
    let rest = ["--price", "64.10", "--thumbnail", "thumb-1", "--discount", "", "--grant", "visitor:hall-7"];
    [&entry[..], &ticket, &rest].concat()
}

#[test]
fn the_catalogue_is_listed_and_shown() {
    let served = Served::start();
    let folder = signed_in(&served, "managers");
    let folder = folder.path();
    let all = json_of(folder, &["catalogue", "list"]);
    assert_eq!(all.as_array().unwrap().len(), 12);
    let first = &all[0];
    assert_eq!((&first["product_id"], &first["ticket_type"]), (&json!("expo-00001"), &json!("single")));
    assert_eq!(first["price"], json!({ "minor": 990, "currency": "USD" }));
    assert_eq!(first["grants"], json!([{ "kind": "userRole", "target": "visitor:hall-1" }]));
    assert_eq!(json_of(folder, &["catalogue", "show", "expo-00001"]), *first);
    let shown = text_of(folder, &["catalogue", "list"]);
    assert!(shown.starts_with("PRODUCT") && shown.ends_with("12 entries.\n"), "{shown}");
    assert!(
        shown.contains("expo-00012") && shown.contains("9.90 USD") && shown.contains("days:1of3"),
        "{shown}"
    );
    assert!(text_of(folder, &["catalogue", "show", "expo-00002"]).contains("\"productId\": \"expo-00002\""));
    let gone = || in_store(folder, &["catalogue", "show", "nowhere"]);
    fails(gone, b"", 2, "not_found");

    served.control("PUT", "/sandbox/texpo/catalogue/5000", &Value::Null);
    let shown = at_terminal(&in_store(folder, &["catalogue", "list"]), &[]);
    assert_eq!(shown.code, Some(0));
    assert!(shown.stdout.contains("Fetching the catalogue") && shown.stdout.contains("5000 entries."));
    served.control("PUT", "/sandbox/texpo/catalogue/0", &Value::Null);
    assert_eq!(text_of(folder, &["catalogue", "list"]), "No entries.\n");
    assert_eq!(json_of(folder, &["catalogue", "list"]), json!([]));
}

#[test]
fn entries_are_made_changed_and_deleted() {
    let served = Served::start();
    let folder = signed_in(&served, "managers");
    let folder = folder.path();
    let create = || {
        let mut command = in_store(folder, &["catalogue", "create", "new-1"]);
        command.args(fields());
        command
    };
    let made = run(create().arg("--json"), b"").json();
    assert_eq!((&made["kind"], &made["state"]), (&json!("create_product"), &json!("done")));
    let entry = json_of(folder, &["catalogue", "show", "new-1"]);
    assert_eq!((&entry["starts_at"], &entry["ends_at"]), (&json!(1_796_115_600), &json!(1_796_144_400)));
    assert_eq!(entry["price"], json!({ "minor": 6410, "currency": "USD" }));
    assert_eq!((&entry["ticket_type"], &entry["ticket_name"]), (&json!("days:1of3"), &json!("Tag 1")));
    assert_eq!(entry["grants"], json!([{ "kind": "userRole", "target": "visitor:hall-7" }]));
    assert!(run(&mut create(), b"").text().starts_with("Done, as "), "it is there as it is asked for");
    let other = || in_store(folder, &["catalogue", "create", "expo-00001", "--price", "1"]);
    fails(other, b"", 2, "invalid_input");

    let changed = text_of(folder, &["catalogue", "update", "new-1", "--price", "7"]);
    assert!(changed.starts_with("Done, as "), "{changed}");
    assert_eq!(record(folder, "new-1")["price"], json!(7.0));
    assert_eq!(record(folder, "new-1")["ticketName"], "Tag 1", "the rest stays");

    let delete = ["catalogue", "delete", "new-1"];
    let line = fails(|| in_store(folder, &delete), b"", 2, "invalid_input");
    assert!(line.contains("Delete new-1 from the catalogue") && line.contains("--yes"), "{line}");
    let said = at_terminal(&in_store(folder, &delete), &[("[y/N]", "n\n")]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert_eq!(json_of(folder, &["catalogue", "list"]).as_array().unwrap().len(), 13);
    let deleted = run(in_store(folder, &delete).args(["--yes", "--json"]), b"").json();
    assert_eq!((&deleted["kind"], &deleted["state"]), (&json!("delete_product"), &json!("done")));
    assert_eq!(json_of(folder, &["catalogue", "list"]).as_array().unwrap().len(), 12);
    let again = || in_store(folder, &["catalogue", "delete", "new-1", "--yes"]);
    fails(again, b"", 4, "refused");
    let unknown = ["catalogue", "update", "new-1", "--price", "7"];
    fails(|| in_store(folder, &unknown), b"", 2, "not_found");
}

#[test]
fn an_entry_goes_to_a_file_and_comes_from_one() {
    let served = Served::start();
    let folder = signed_in(&served, "managers");
    let folder = folder.path();
    let path = folder.join("ticket.json");
    let file = path.to_str().unwrap();
    let wrote = json_of(folder, &["catalogue", "show", "expo-00003", "--out", file]);
    assert_eq!(wrote, json!({ "product_id": "expo-00003", "file": file }));
    let written = fs::read_to_string(&path).unwrap();
    assert!(written.contains("\"price\":12.40"), "as the server wrote it: {written}");
    assert!(text_of(folder, &["catalogue", "show", "expo-00003", "--out", file]).contains("Wrote "));

    // The same under another id, which the file names.
    let other = written.replace("expo-00003", "new-3").replace("12.40", "1.25");
    fs::write(&path, &other).unwrap();
    assert_eq!(json_of(folder, &["catalogue", "create", "--file", file])["state"], "done");
    assert_eq!(json_of(folder, &["catalogue", "show", "new-3"])["price"]["minor"], 125);
    let changed = json!({ "ticketName": "Neu", "seat": { "row": 7 } }).to_string();
    let update = ["catalogue", "update", "new-3", "--file", "-", "--price", "2.50"];
    assert!(run(&mut in_store(folder, &update), changed.as_bytes()).text().starts_with("Done, as "));
    let held = record(folder, "new-3");
    assert_eq!(
        (&held["ticketName"], &held["seat"], &held["price"]),
        (&json!("Neu"), &json!({ "row": 7 }), &json!(2.5))
    );

    let twice = || in_store(folder, &["catalogue", "update", "new-3", "--file", file, "--price", "2.50"]);
    let line = fails(twice, b"", 2, "invalid_input");
    assert!(line.contains("--price") && line.contains("leave one of them out"), "{line}");
    let wrong = || in_store(folder, &["catalogue", "update", "expo-00001", "--file", file]);
    fails(wrong, b"", 2, "invalid_input");
    let nowhere = || in_store(folder, &["catalogue", "create", "x", "--file", "/nowhere/at/all"]);
    fails(nowhere, b"", 1, "system");
    let nowhere = || in_store(folder, &["catalogue", "show", "new-3", "--out", "/nowhere/at/all"]);
    fails(nowhere, b"", 1, "system");
    for bad in ["", "[]", "7", "{"] {
        let piped = || in_store(folder, &["catalogue", "update", "new-3", "--file", "-"]);
        let line = fails(piped, bad.as_bytes(), 2, "invalid_input");
        assert!(line.contains("JSON object"), "{line}");
    }
}

#[test]
fn what_no_entry_can_be_made_of_is_refused() {
    let served = Served::start();
    let folder = signed_in(&served, "managers");
    let folder = folder.path();
    for (option, value, said) in [
        ("--price", "64.105", "smallest unit"),
        ("--price", "free", "decimal number"),
        ("--ticket-type", "days:4of3", "days:1of3"),
        ("--starts-at", "tomorrow", "Unix seconds"),
        ("--grant", "", "ROLE:TARGET"),
    ] {
        let line =
            fails(|| in_store(folder, &["catalogue", "create", "x", option, value]), b"", 2, "invalid_input");
        assert!(line.contains(said), "{line}");
    }
    let nameless = || in_store(folder, &["catalogue", "create", "--price", "1"]);
    assert!(fails(nameless, b"", 2, "invalid_input").contains("productId"));
    assert_eq!(json_of(folder, &["catalogue", "list"]).as_array().unwrap().len(), 12);
}

#[test]
fn a_lost_answer_is_looked_up() {
    let served = Served::start();
    let folder = signed_in(&served, "managers");
    let folder = folder.path();
    served.lose_the_answer_to("createPurchasableTicket");
    let mut create = in_store(folder, &["catalogue", "create", "new-1"]);
    let write = run(create.args(fields()).arg("--json"), b"").json();
    assert_eq!(write["state"], "done", "the list tells it");
    let listed = json_of(folder, &["catalogue", "list"]);
    let same = listed.as_array().unwrap().iter().filter(|one| one["product_id"] == "new-1").count();
    assert_eq!(same, 1);
    assert_eq!(json_of(folder, &["box-office", "writes", "list"])[0]["kind"], "create_product");
}

#[test]
fn who_lacks_the_permission_is_told_its_name() {
    let served = Served::start();
    let folder = signed_in(&served, "users");
    let folder = folder.path();
    for arguments in [&["catalogue", "list"][..], &["catalogue", "delete", "expo-00001", "--yes"]] {
        let line = fails(|| in_store(folder, arguments), b"", 4, "permission_denied");
        assert!(line.contains("network.manage"), "{line}");
    }
    let said = run(in_store(folder, &["catalogue", "list"]).arg("--json"), b"");
    let said: Value = serde_json::from_str(said.failed(4)).unwrap();
    assert_eq!(said["error"]["permission"], "network.manage");
    let line = fails(|| in_store(folder, &["tokens", "list", "1"]), b"", 2, "invalid_input");
    assert!(line.contains("`ticket-wallet box-office login --system ticketing`"), "{line}");
    let account = text(&json_of(folder, &["box-office", "accounts"])[0]["account"]);
    let line =
        fails(|| in_store(folder, &["tokens", "list", "1", "--account", &account]), b"", 2, "invalid_input");
    assert!(line.contains("only TickeTing has this"), "{line}");
}
