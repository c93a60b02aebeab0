//! The box office of a partner at Unidy: its tickets made, changed and deleted; categories; a brand's own pages.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;

fn signed_in(served: &Served) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let (mut login, secret) = served.partner_login(folder.path());
    run(login.arg("--json"), secret.as_bytes()).json();
    folder
}

fn first_ticket(folder: &Path) -> Value {
    json_of(folder, &["box-office", "ticket", "list"])["tickets"][0].clone()
}

/// The fields of a ticket like one that is there.
fn fields(folder: &Path) -> String {
    let like = first_ticket(folder)["record"].clone();
    let fields = json!({
        "title": "Sommerfest", "reference": "S-1", "state": "active", "starts_at": "2026-12-01T18:00:00.000+01:00",
        "user_id": like["user_id"], "ticket_category_id": like["ticket_category_id"],
        "metadata": { "barcode": "4711-0815-4711", "row": 7 },
    });
    fields.to_string()
}

#[test]
fn a_partner_s_server_signs_in_with_its_secret() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let line = fails(|| served.partner_login(folder).0, b"wrong\n", 4, "refused");
    assert!(line.contains("401"), "{line}");
    // Without --api partner it would be the end users' API.
    let url = text(&served.brand(0)["url"]);
    let holder =
        || in_store(folder, &["box-office", "login", "--system", "unidy", "--url", &url, "--user", "x"]);
    assert!(fails(holder, b"pw\n", 2, "invalid_input").contains("--api partner"));
    let (mut login, secret) = served.partner_login(folder);
    assert!(run(&mut login, secret.as_bytes()).text().starts_with("Signed in."));
    let accounts = json_of(folder, &["box-office", "accounts"]);
    assert_eq!((&accounts[0]["system"], &accounts[0]["url"]), (&json!("unidy"), &json!(url)));
}

#[test]
fn tickets_are_listed_page_by_page_and_shown() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let mut ids = Vec::new();
    for page in 1.. {
        let found = json_of(folder, &["box-office", "ticket", "list", "--page", &page.to_string()]);
        ids.extend(found["tickets"].as_array().unwrap().iter().map(|ticket| text(&ticket["id"])));
        if found["more"] == false {
            break;
        }
    }
    let listed = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert!(listed > 25 && ids.len() == listed, "{listed}");
    let page = text_of(folder, &["box-office", "ticket", "list"]);
    assert!(page.starts_with("TICKET") && page.ends_with("More: --page 2\n"), "{page}");
    assert!(page.contains("Heimspiel"), "{page}");
    assert_eq!(text_of(folder, &["box-office", "ticket", "list", "--page", "99"]), "No tickets.\n");

    let id = text(&first_ticket(folder)["id"]);
    let shown = json_of(folder, &["box-office", "ticket", "show", &id]);
    assert_eq!((&shown["id"], &shown["record"]["id"]), (&json!(id), &json!(id)));
    assert!(text_of(folder, &["box-office", "ticket", "show", &id]).contains(&id));
    let gone = fails(|| in_store(folder, &["box-office", "ticket", "show", "nobody"]), b"", 4, "refused");
    assert!(gone.contains("404 (not_found)"), "{gone}");
    fails(|| in_store(folder, &["box-office", "ticket", "list", "--page", "0"]), b"", 2, "invalid_input");
}

#[test]
fn tickets_are_made_changed_and_deleted() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let fields = fields(folder);
    let made = json_of(folder, &["box-office", "ticket", "create", &fields]);
    assert_eq!((&made["kind"], &made["state"]), (&json!("create_ticket"), &json!("done")));
    let piped =
        run(&mut in_store(folder, &["box-office", "ticket", "create", "-"]), fields.as_bytes()).text();
    assert!(piped.contains("Tickets: "), "{piped}");
    let id = text(&made["answer"]["tickets"][0]["id"]);
    let show = || json_of(folder, &["box-office", "ticket", "show", &id])["record"].clone();
    assert_eq!(show()["title"], "Sommerfest");
    // A barcode is for `show` alone.
    assert_eq!(show()["metadata"], json!({ "barcode": "(hidden)", "row": 7 }));
    for listed in [&["box-office", "ticket", "list"][..], &["box-office", "writes", "list"]] {
        let page = json_of(folder, listed).to_string();
        assert!(page.contains("(hidden)") && !page.contains("4711-0815-4711"), "{page}");
    }
    let changed = text_of(folder, &["box-office", "ticket", "update", &id, r#"{"state":"passive"}"#]);
    assert!(changed.contains(&id), "{changed}");
    assert_eq!(show()["state"], "passive");

    let delete = ["box-office", "ticket", "delete", &id];
    let line = fails(|| in_store(folder, &delete), b"", 2, "invalid_input");
    assert!(line.contains("cannot be undone; say --yes"), "{line}");
    let said = at_terminal(&in_store(folder, &delete), &[("[y/N]", "n\n")]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert_eq!(show()["state"], "passive", "it is still there");
    let deleted = run(in_store(folder, &delete).args(["--yes", "--json"]), b"").json();
    assert_eq!(deleted["state"], "done");
    fails(|| in_store(folder, &["box-office", "ticket", "show", &id]), b"", 4, "refused");
}

#[test]
fn what_no_ticket_can_be_made_of_is_refused() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    for bad in ["", "[]", "7", "{"] {
        for arguments in
            [&["box-office", "ticket", "create", bad][..], &["box-office", "ticket", "update", "x", bad]]
        {
            let line = fails(|| in_store(folder, arguments), b"", 2, "invalid_input");
            assert!(line.contains("JSON object"), "{line}");
        }
    }
    let line =
        fails(|| in_store(folder, &["box-office", "ticket", "create", r#"{"title":7}"#]), b"", 4, "refused");
    assert!(line.contains("422 (invalid_title)"), "{line}");
    for arguments in [
        &["box-office", "ticket", "update", "nobody", r#"{"title":"x"}"#][..],
        &["box-office", "ticket", "delete", "nobody", "--yes"],
    ] {
        fails(|| in_store(folder, arguments), b"", 4, "refused");
    }
    for arguments in [&["box-office", "reserved", "--event", "1"][..], &["box-office", "status", "1"]] {
        let line = fails(|| in_store(folder, arguments), b"", 2, "invalid_input");
        assert!(line.contains("only B.A.M has this"), "{line}");
    }
}

#[test]
fn categories_and_a_brand_s_own_pages_are_told() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let categories = json_of(folder, &["box-office", "categories"]);
    let category = &categories[0];
    assert!(category["id"].is_string() && category["title"].is_string(), "{categories}");
    let shown = text_of(folder, &["box-office", "categories"]);
    assert!(shown.contains(&text(&category["title"])), "{shown}");
    let url = text(&served.brand(0)["url"]);
    let pages = ["tickets", "dashboard/tickets", "api-docs"].map(|page| format!("{url}/{page}"));
    assert_eq!(json_of(folder, &["box-office", "pages"]), json!(pages));
    assert_eq!(text_of(folder, &["box-office", "pages"]), pages.join("\n") + "\n");
}

#[test]
fn other_names_and_forms_of_the_partner_api_are_spoken() {
    let choices =
        ["unidy.partner_prefix=partners/v2", "unidy.tickets_path=passes", "unidy.categories_path=kinds"];
    let mut options: Vec<_> = choices.iter().flat_map(|choice| ["--choice", choice]).collect();
    options.extend(["--choice", "unidy.token_body=form", "--choice", "unidy.partner_list=bare"]);
    let served = Served::start_with(&options);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (mut login, secret) = served.partner_login(folder);
    login.args(["--partner-prefix", "partners/v2", "--tickets-resource", "passes", "--token-form"]);
    login.args(["--categories-resource", "kinds"]);
    run(&mut login, secret.as_bytes()).text();
    assert!(first_ticket(folder)["id"].is_string());
    assert!(json_of(folder, &["box-office", "categories"])[0]["id"].is_string());
}

#[test]
fn numbers_are_printed_digit_for_digit() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let metadata = r#""metadata":{"a":1.10,"b":[12345678901234567890.123,1e2],"c":"1.10"}"#;
    let fields = fields(folder).replace(r#""metadata":{"barcode":"4711-0815-4711","row":7}"#, metadata);
    assert!(fields.contains(metadata), "{fields}");
    let made = run(in_store(folder, &["box-office", "ticket", "create", &fields]).arg("--json"), b"");
    assert!(made.stdout.contains(metadata), "{}", made.stdout);
    let id = text(&made.json()["answer"]["tickets"][0]["id"]);
    for arguments in [&["box-office", "ticket", "show", &id][..], &["box-office", "writes", "list"]] {
        let shown = run(in_store(folder, arguments).arg("--json"), b"");
        assert!(shown.stdout.contains(metadata), "{}", shown.stdout);
    }
    let shown = text_of(folder, &["box-office", "ticket", "show", &id]);
    assert!(shown.contains("\"a\": 1.10") && shown.contains("12345678901234567890.123"), "{shown}");
}

#[test]
fn tickets_are_listed_as_they_are_asked_for() {
    let served = Served::start();
    let folder = signed_in(&served);
    let folder = folder.path();
    let list = |more: &[&str]| {
        let found = json_of(folder, &[&["box-office", "ticket", "list", "--limit", "250"], more].concat());
        found["tickets"].as_array().unwrap().clone()
    };
    let all = list(&[]);
    let starts =
        |found: &[Value]| found.iter().map(|one| text(&one["record"]["starts_at"])).collect::<Vec<_>>();
    let rising = starts(&list(&["--order-by", "starts-at", "--ascending"]));
    let mut falling = starts(&list(&["--order-by", "starts-at", "--descending"]));
    falling.reverse();
    assert!(
        rising.len() == all.len() && rising.first() == falling.first() && rising.last() == falling.last()
    );
    let record = &all[0]["record"];
    for (option, member) in
        [("--category", "ticket_category_id"), ("--user", "user_id"), ("--state", "state")]
    {
        let found = list(&[option, record[member].as_str().unwrap()]);
        let fits = found.iter().all(|one| one["record"][member] == record[member]);
        assert!(fits && !found.is_empty() && found.len() < all.len(), "{option}");
    }
    assert!(
        list(&["--payment-state", "nothing like it"]).is_empty() && list(&["--service", "4711"]).is_empty()
    );
    let exact = all.iter().find(|one| one["record"]["price"] == json!(64)).unwrap();
    assert_eq!(exact["price"]["exact"], json!({ "minor": 6_400, "currency": "EUR" }));
    let both = ["box-office", "ticket", "list", "--ascending", "--descending"];
    fails(|| in_store(folder, &both), b"", 2, "invalid_input");
}
