//! Admission tokens for an event's staff at TickeTing: issued, listed, shown, changed, deleted, and what a code lets in to.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;
use crate::tiny_server::{Answer, TinyServer};

struct Host {
    served: Served,
    folder: TempDir,
    event: String,
    sections: Vec<String>,
}

impl Host {
    fn open() -> Self {
        let served = Served::start();
        let folder = tempfile::tempdir().unwrap();
        let (mut login, password) = served.host_login(folder.path());
        assert!(run(login.arg("--json"), password.as_bytes()).json()["account"].is_string());
        let of = &served.ready["ticketing"];
        let sections = of["sections"].as_array().unwrap().iter().map(text).collect();
        let event = text(&of["event"]);
        Self { served, folder, event, sections }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn issue(&self, count: &str) -> Value {
        json_of(
            self.path(),
            &["tokens", "issue", &self.event, "--section", &self.sections[0], "--count", count],
        )
    }

    fn list(&self, more: &[&str]) -> Value {
        json_of(self.path(), &[&["tokens", "list", &self.event], more].concat())
    }
}

#[test]
fn tokens_are_issued_and_their_codes_told_once() {
    let host = Host::open();
    let issued = host.issue("3");
    let tokens = issued["tokens"].as_array().unwrap();
    assert_eq!((tokens.len(), issued["writes"].as_array().unwrap().len()), (3, 3));
    let mut codes: Vec<_> = tokens.iter().map(|token| text(&token["code"])).collect();
    assert_eq!(tokens[0]["sections"], json!([host.sections[0]]));
    codes.dedup();
    assert_eq!(codes.len(), 3, "each has its own");
    let shown = text_of(host.path(), &["tokens", "issue", &host.event, "--section", &host.sections[1]]);
    assert!(shown.starts_with("TOKEN") && shown.lines().count() == 2, "{shown}");
    assert!(shown.contains(&host.sections[1]), "{shown}");

    // What was written tells no code later.
    let writes = json_of(host.path(), &["box-office", "writes", "list"]).to_string();
    assert!(writes.contains("(hidden)") && codes.iter().all(|code| !writes.contains(code)), "{writes}");
    let id = text(&tokens[0]["id"]);
    let one = json_of(host.path(), &["tokens", "show", &host.event, &id]);
    assert_eq!((&one["code"], &one["record"]["code"]), (&tokens[0]["code"], &json!("(hidden)")));
    assert!(text_of(host.path(), &["tokens", "show", &host.event, &id]).contains(&codes[0]));
}

#[test]
fn tokens_are_changed_and_deleted() {
    let host = Host::open();
    let id = text(&host.issue("1")["tokens"][0]["id"]);
    let show = || json_of(host.path(), &["tokens", "show", &host.event, &id]);
    let [first, second] = [&host.sections[0], &host.sections[1]];
    let update = ["tokens", "update", &host.event, &id, "--section", first, "--section", second];
    let write = json_of(host.path(), &update);
    assert_eq!((&write["kind"], &write["state"]), (&json!("update_token"), &json!("done")));
    assert_eq!(show()["sections"], json!([first, second]));
    let shown = text_of(host.path(), &["tokens", "update", &host.event, &id, "--section", second]);
    assert!(shown.ends_with(&format!(". Tokens: {id}\n")), "{shown}");

    let delete = ["tokens", "delete", host.event.as_str(), &id];
    let line = fails(|| in_store(host.path(), &delete), b"", 2, "invalid_input");
    assert!(line.contains(&format!("Delete token {id}")) && line.contains("--yes"), "{line}");
    let said = at_terminal(&in_store(host.path(), &delete), &[("[y/N]", "n\n")]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert_eq!(show()["id"], json!(id), "it is still there");
    assert!(text_of(host.path(), &[&delete[..], &["--yes"]].concat()).starts_with("Done, as "));
    fails(|| in_store(host.path(), &["tokens", "show", &host.event, &id]), b"", 4, "refused");

    // The event's own is neither changed nor deleted.
    let own = host.list(&["--global", "true"]);
    let own = text(&own["tokens"][0]["id"]);
    let kept = || in_store(host.path(), &["tokens", "delete", &host.event, &own, "--yes"]);
    fails(kept, b"", 4, "refused");
}

#[test]
fn long_lists_come_page_by_page_and_are_counted() {
    let host = Host::open();
    host.issue("60");
    let all = host.list(&[]);
    assert_eq!(
        (all["tokens"].as_array().unwrap().len(), &all["total"], &all["more"]),
        (61, &json!(61), &json!(false))
    );
    assert!(all["tokens"].as_array().unwrap().iter().all(|token| token.get("code").is_none()));
    let page = host.list(&["--page", "2", "--records", "10"]);
    assert_eq!((page["tokens"].as_array().unwrap().len(), &page["more"]), (10, &json!(true)));
    assert_eq!(page["tokens"][0], all["tokens"][10]);
    assert_eq!(host.list(&["--global", "false"])["tokens"].as_array().unwrap().len(), 60);
    assert_eq!(host.list(&["--global", "true"])["tokens"][0]["global"], true);
    let shown = text_of(host.path(), &["tokens", "list", &host.event, "--page", "2", "--records", "10"]);
    assert!(shown.starts_with("TOKEN") && shown.ends_with("10 of 61 tokens. More: --page 3\n"), "{shown}");
    let beyond = text_of(host.path(), &["tokens", "list", &host.event, "--page", "99"]);
    assert_eq!(beyond, "No tokens.\n");
    let shown = at_terminal(&in_store(host.path(), &["tokens", "list", &host.event]), &[]);
    assert_eq!(shown.code, Some(0));
    assert!(
        shown.stdout.contains("Page 1: ") && shown.stdout.contains("61 of 61 tokens."),
        "{}",
        shown.stdout
    );
    // 200 pages.
    host.issue("139");
    let pages = ["tokens", "list", &host.event, "--records", "1"];
    let shown = at_terminal(&in_store(host.path(), &pages), &[]);
    assert!(shown.stdout.contains("200 of 200 tokens."), "{}", shown.stdout);
    assert_eq!(host.list(&["--records", "1"]), host.list(&[]));
    let zero = || in_store(host.path(), &["tokens", "list", &host.event, "--page", "0"]);
    fails(zero, b"", 2, "invalid_input");
}

/// A server whose list has no end gets no further than 2,000 pages.
#[test]
fn a_list_without_end_is_cut_and_says_so() {
    let page = json!({
        "total": 1_000_000_000, "records": 1,
        "entries": [{ "self": "/events/7/tokens/8", "code": "c", "global": false, "sections": [] }],
    });
    let server = TinyServer::start(move |_| Answer::ok(page.to_string()));
    let folder = tempfile::tempdir().unwrap();
    let url = server.url();
    let system = ["box-office", "login", "--system", "ticketing", "--url", &url, "--user", "staff"];
    let mut login = in_store(folder.path(), &system);
    run(login.args(["--access", "integration-key"]), b"a-key-of-nobody\n").text();
    let shown = text_of(folder.path(), &["tokens", "list", "7"]);
    assert!(shown.ends_with("2000 of 1000000000 tokens. More: --page 2001\n"), "{}", shown.lines().count());
    assert_eq!(server.asked().len(), 2_000);
}

#[test]
fn a_code_is_looked_up_and_its_key_told_only_when_asked() {
    let host = Host::open();
    let code = text(&host.issue("1")["tokens"][0]["code"]) + "\n";
    let found = run(in_store(host.path(), &["tokens", "look-up"]).arg("--json"), code.as_bytes()).json();
    assert_eq!(found, json!({ "event": host.event, "sections": [host.sections[0]] }));
    let shown = run(&mut in_store(host.path(), &["tokens", "look-up"]), code.as_bytes()).text();
    assert!(shown.contains(&host.event) && !shown.contains("Key"), "{shown}");
    let found =
        run(in_store(host.path(), &["tokens", "look-up", "--key"]).arg("--json"), code.as_bytes()).json();
    let key = text(&found["key"]);
    let shown = run(&mut in_store(host.path(), &["tokens", "look-up", "--key"]), code.as_bytes()).text();
    assert!(shown.ends_with(&format!("Key: {key}\n")), "{shown}");
    fails(|| in_store(host.path(), &["tokens", "look-up"]), b"nobody\n", 4, "refused");

    // With the key one is let in to the event's admissions, and to no tokens.
    let gate = tempfile::tempdir().unwrap();
    let gate = gate.path();
    assert!(
        run(&mut host.served.key_login(gate), format!("{key}\n").as_bytes()).text().starts_with("Signed in.")
    );
    assert_eq!(json_of(gate, &["admissions", "list", &host.event])["admissions"], json!([]));
    fails(|| in_store(gate, &["tokens", "list", &host.event]), b"", 4, "refused");
}

#[test]
fn what_cannot_be_issued_is_refused() {
    let host = Host::open();
    let issue = |event: &str, section: &str, count: &str| {
        let arguments = ["tokens", "issue", event, "--section", section, "--count", count];
        let arguments = arguments.map(str::to_owned);
        let folder = host.path().to_owned();
        move || in_store(&folder, &arguments)
    };
    let (event, section) = (host.event.as_str(), host.sections[0].as_str());
    for count in ["0", "1001"] {
        assert!(fails(issue(event, section, count), b"", 2, "invalid_input").contains("count"));
    }
    fails(issue(event, section, "many"), b"", 2, "invalid_input");
    fails(issue("1", section, "1"), b"", 4, "refused");
    fails(issue(event, "7", "1"), b"", 4, "refused");
    fails(|| in_store(host.path(), &["tokens", "issue", event]), b"", 2, "invalid_input");
    fails(|| in_store(host.path(), &["tokens", "show", event, "1"]), b"", 4, "refused");
    assert_eq!(host.list(&[])["total"], 1);
}

#[test]
fn a_lost_answer_is_no_second_token() {
    let host = Host::open();
    host.served.lose_the_answer_to("/tokens");
    let arguments =
        ["tokens", "issue", &host.event, "--section", &host.sections[0], "--count", "2", "--json"];
    let lost = run(&mut in_store(host.path(), &arguments), b"");
    assert_eq!(lost.code, Some(1), "{}", lost.stderr);
    let issued: Value = serde_json::from_str(&lost.stdout).unwrap();
    assert_eq!(issued["tokens"], json!([]));
    // Nothing ties a token to its write: what may be it is shown, and nothing more is issued.
    let writes = issued["writes"].as_array().unwrap();
    assert_eq!((writes.len(), &writes[0]["state"]), (1, &json!("unknown")));
    assert_eq!(writes[0]["answer"]["candidates"].as_array().unwrap().len(), 1);
    assert_eq!(host.list(&["--global", "false"])["total"], 1);
}
