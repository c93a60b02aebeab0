//! What a holder has at B.A.M beside tickets: questions, the ledger, orders and their files, offers, a certificate.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, in_store, json_of, run, text_of, without_account};
use crate::served::text;

const TENANT: [&str; 2] = ["--tenant", "nordhafen"];

fn signed_in(served: &Served) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    served.login(folder.path(), 0).json();
    folder
}

fn synced(served: &Served) -> TempDir {
    let folder = signed_in(served);
    json_of(folder.path(), &["sync"]);
    folder
}

/// The first ticket's whole record.
fn ticket(folder: &Path) -> Value {
    let id = text(&json_of(folder, &["tickets", "list"])[0]["id"]);
    json_of(folder, &["tickets", "show", &id])
}

#[test]
fn questions_come_with_the_answers() {
    let served = Served::start();
    let folder = synced(&served);
    let (folder, id) = (folder.path(), text(&ticket(folder.path())["id"]));
    assert_eq!(json_of(folder, &["tickets", "questions", &id]), Value::Null);
    assert_eq!(text_of(folder, &["tickets", "questions", &id]), "No questions.\n");
    assert!(text_of(folder, &["tickets", "answer", &id, r#"{"shirt":"M"}"#]).contains("ticket-wallet sync"));
    json_of(folder, &["sync"]);
    let questions = json_of(folder, &["tickets", "questions", &id]);
    assert_eq!(
        (&questions[0]["key"], &questions[0]["required"], &questions[0]["answer"]),
        (&json!("shirt"), &json!(true), &json!("M"))
    );
    assert_eq!(questions[1]["answer"], Value::Null);
    let shown = text_of(folder, &["tickets", "questions", &id]);
    assert!(shown.contains(&text(&questions[0]["question"])) && shown.contains("yes"), "{shown}");
    let unknown = "641f28287962ebcf0828e652";
    fails(|| in_store(folder, &["tickets", "questions", unknown]), b"", 2, "not_found");
}

#[test]
fn a_ticket_is_found_by_its_id_on_the_ledger() {
    let served = Served::start();
    let folder = synced(&served);
    let (folder, found) = (folder.path(), ticket(folder.path()));
    let config = &found["record"]["ticket_config"];
    let number = &found["record"]["seq_num"];
    let ledger = format!("E{}TC{}T{number}", config["event"]["id"], config["id"]);
    let ask = |more: &[&str]| {
        let mut command = in_store(folder, &["tickets", "ledger", &ledger]);
        command.args(more);
        command
    };
    let record = run(ask(&TENANT).arg("--json"), b"").json();
    assert_eq!(record["id"].to_string(), text(&found["remote_id"]));
    let shown = run(&mut ask(&TENANT), b"").text();
    assert!(shown.lines().count() > 10, "{shown}");
    let line = fails(|| ask(&[]), b"", 4, "refused");
    assert!(line.contains("404") && line.contains("say --tenant NAME"), "{line}");
    let line = fails(|| ask(&["--tenant", "nowhere"]), b"", 4, "refused");
    assert!(line.contains("404") && !line.contains("--tenant"), "{line}");
}

#[test]
fn orders_are_listed_fetched_and_sent() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let orders = json_of(folder, &["orders", "list", "--tenant", "nordhafen"]);
    let orders = orders.as_array().unwrap();
    let total = orders[0]["total"].as_str().unwrap();
    assert!(total.ends_with(" EUR") && orders[0]["status"] == "paid", "{orders:?}");
    let shown = text_of(folder, &["orders", "list", "--tenant", "nordhafen"]);
    assert!(shown.starts_with("ORDER") && shown.contains(total), "{shown}");
    let line = fails(|| in_store(folder, &["orders", "list"]), b"", 4, "refused");
    assert!(line.contains("say --tenant NAME"), "{line}");
    let id = text(&orders[0]["order"]);
    assert_eq!(json_of(folder, &["orders", "show", &id, "--tenant", "nordhafen"]), orders[0]);
    let shown = text_of(folder, &["orders", "show", &id, "--tenant", "nordhafen"]);
    assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), orders[0]["record"]);
    let line = fails(|| in_store(folder, &["orders", "show", "4711"]), b"", 4, "refused");
    assert!(line.contains("404") && line.contains("say --tenant NAME"), "{line}");

    let files = tempfile::tempdir().unwrap();
    let out = files.path().join("order.pdf");
    let of_format = |format: &str| {
        let order = orders.iter().find(|order| order["record"]["format"] == format).unwrap();
        text(&order["order"])
    };
    let download = |order: &str| {
        let mut command = in_store(folder, &["orders", "download", order]);
        command.args(TENANT).arg("--out").arg(&out);
        command
    };
    assert_eq!(json_of(folder, &["documents", "list"]), json!([]));
    let order = of_format("PDF");
    let file = run(download(&order).arg("--json"), b"").json();
    let bytes = fs::read(&out).unwrap();
    assert!(bytes.starts_with(b"%PDF") && file["size"] == bytes.len(), "{file}");
    assert!(run(&mut download(&order), b"").text().starts_with("Wrote "));
    // SECURE tickets are no file.
    let line = fails(|| download(&of_format("SECURE")), b"", 4, "refused");
    assert!(line.contains("409 ("), "{line}");

    // What was fetched is kept, and needs no network.
    json_of(folder, &["orders", "email", &order, "--tenant", "nordhafen"]);
    let line =
        fails(|| in_store(folder, &["orders", "email", "4711", "--tenant", "nordhafen"]), b"", 4, "refused");
    assert!(line.contains("404"), "{line}");
    assert!(served.stop().success());
    let kept = json_of(folder, &["documents", "list"]);
    assert_eq!((kept.as_array().unwrap().len(), &kept[0]["subject"]), (1, &json!(format!("order/{order}"))));
    assert!(text_of(folder, &["documents", "list"]).contains("application/pdf"));
    let (copy, number) = (files.path().join("copy.pdf"), kept[0]["file"].to_string());
    let save = |number: &str| {
        let mut command = in_store(folder, &["documents", "save", number, "--out"]);
        command.arg(&copy);
        command
    };
    assert_eq!(run(save(&number).arg("--json"), b"").json()["size"], bytes.len());
    assert_eq!(fs::read(&copy).unwrap(), bytes);
    fails(|| save("99"), b"", 2, "not_found");
    let nowhere = || in_store(folder, &["documents", "save", &number, "--out", "/nowhere/at/all.pdf"]);
    fails(nowhere, b"", 1, "system");
    fails(|| in_store(folder, &["orders", "list", "--tenant", "nordhafen"]), b"", 3, "unreachable");
}

#[test]
fn tickets_are_listed_as_the_server_has_them() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let all = json_of(folder, &["tickets", "server"]);
    let (tickets, total) = (all["tickets"].as_array().unwrap(), &all["total"]);
    assert!(!tickets.is_empty() && *total == tickets.len(), "{all}");
    let mut list = in_store(folder, &["tickets", "server", "--format", "PDF", "--with-enrollment-id"]);
    list.args(["--sort-by", "updated_at", "--direction", "desc", "--with", "[ticket_config.event]"]);
    list.args(["--limit", "2", "--offset", "1"]);
    let page = run(list.arg("--json"), b"").json();
    let found = page["tickets"].as_array().unwrap();
    assert!(found.len() == 2 && page["total"].as_u64().unwrap() >= 3, "{page}");
    assert!(found.iter().all(|ticket| ticket["format"] == "PDF" && ticket["enrollment_id"].is_string()));
    assert!(found.iter().all(|ticket| ticket["ticket_config"]["event"]["id"].is_i64()));
    assert!(found[0]["updated_at"].as_str() >= found[1]["updated_at"].as_str());
    let issued = json_of(folder, &["tickets", "server", "--tenant", "nordhafen", "--status", "issued"]);
    assert!(issued["tickets"].as_array().unwrap().iter().all(|ticket| ticket["status"] == "issued"));
    let shown = text_of(folder, &["tickets", "server", "--limit", "1"]);
    assert!(shown.starts_with("TICKET") && shown.contains(&format!("1 of {total}")), "{shown}");
    let none = text_of(folder, &["tickets", "server", "--tenant", "nordhafen", "--status", "reserved"]);
    assert_eq!(none, "No tickets.\n");
    let wrong = || in_store(folder, &["tickets", "server", "--with", "[a"]);
    assert!(fails(wrong, b"", 2, "invalid_input").contains("with: "));
    assert_eq!(json_of(folder, &["tickets", "list"]), json!([]), "nothing of it is kept");
}

#[test]
fn own_offers_are_listed() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let offers = json_of(folder, &["offers", "--tenant", "nordhafen"]);
    let price = text(&offers[0]["price"]);
    assert!(price.ends_with(" EUR") && offers[0]["kind"] == "MARKET", "{offers}");
    let shown = text_of(folder, &["offers", "--tenant", "nordhafen"]);
    assert!(shown.contains(&price) && shown.contains("MARKET"), "{shown}");
    fails(|| in_store(folder, &["offers", "--tenant", "nowhere"]), b"", 4, "refused");
}

#[test]
fn a_certificate_is_got_once_and_kept() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    assert_eq!(json_of(folder, &["certificate"]), Value::Null);
    assert!(text_of(folder, &["certificate"]).contains("`ticket-wallet enroll`"));
    let first = json_of(folder, &["enroll"]);
    assert!(text(&first["certificate_pem"]).starts_with("-----BEGIN CERTIFICATE-----"));
    assert_eq!(json_of(folder, &["certificate", "--due"]), json!({ "due": false }));
    assert_eq!(text_of(folder, &["certificate", "--due"]), "It need not be renewed.\n");
    let second = text_of(folder, &["enroll"]);
    assert!(
        second.starts_with(&text(&first["enrollment_id"])) && !second.contains("PRIVATE KEY"),
        "{second}"
    );
    assert!(!second.contains(&text(&first["certificate_pem"])), "a new one");
    assert!(served.stop().success());
    assert_eq!(text_of(folder, &["certificate"]), second);
}

#[test]
fn an_account_s_capabilities_are_told_and_others_are_not_found() {
    let served = Served::start();
    let folder = without_account();
    let folder = folder.path();
    for command in
        [&["orders", "list"][..], &["certificate"], &["documents", "list"], &["transfer", "incoming"]]
    {
        let line = fails(|| in_store(folder, command), b"", 2, "invalid_input");
        assert!(line.contains("sign in with `ticket-wallet login`"), "{line}");
    }
    let account = text(&served.login(folder, 0).json()["account"]);
    let able = json_of(folder, &["accounts", "--capabilities", &account]);
    assert!(able.as_array().unwrap().contains(&json!("Orders")), "{able}");
    assert!(text_of(folder, &["accounts", "--capabilities", &account]).contains("HolderAnswers\n"));
    for command in [
        &["orders", "list"][..],
        &["certificate"],
        &["documents", "list"],
        &["transfer", "list"],
        &["outbox", "list"],
        &["tickets", "list"],
        &["sync"],
    ] {
        let unknown = || {
            let mut command = in_store(folder, command);
            command.args(["--account", "nobody"]);
            command
        };
        assert!(fails(unknown, b"", 2, "not_found").contains("`ticket-wallet accounts`"));
    }
    assert_eq!(text_of(folder, &["transfer", "incoming"]), "Nobody hands a ticket over.\n");
    served.login(folder, 1).json();
    let line = fails(|| in_store(folder, &["enroll"]), b"", 2, "invalid_input");
    assert!(line.contains("say --account ID"), "{line}");
}

#[test]
fn tickets_of_one_event_stand_together_and_old_ones_can_be_left_out() {
    let served = Served::start();
    let folder = synced(&served);
    let folder = folder.path();
    let groups = json_of(folder, &["tickets", "list", "--by-event"]);
    let groups = groups.as_array().unwrap();
    let tickets = groups.iter().map(|group| group["tickets"].as_array().unwrap().len());
    assert!(tickets.sum::<usize>() == 24 && groups.len() < 24 && groups.len() > 3);
    let shown = text_of(folder, &["tickets", "list", "--by-event"]);
    assert!(groups.iter().all(|group| shown.contains(&text(&group["title"]))), "{shown}");
    let start = groups.last().unwrap()["starts_at"].to_string();
    let late = json_of(folder, &["tickets", "list", "--starting-from", &start]);
    let late = late.as_array().unwrap();
    assert!(!late.is_empty() && late.len() < 24, "{late:?}");
    let none = without_account();
    assert!(text_of(none.path(), &["tickets", "list", "--by-event"]).contains("No tickets yet"));
}
