//! Tickets redeemed at an entrance of TickeTing, and an event's tickets.

use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, in_store, json_of, run, text_of};
use crate::served::text;

struct Gate {
    served: Served,
    folder: TempDir,
    event: String,
}

impl Gate {
    /// Signed in by the integration key.
    fn open() -> Self {
        let served = Served::start_with(&["--tickets", "60"]);
        let folder = tempfile::tempdir().unwrap();
        let key = text(&served.ready["ticketing"]["integration_key"]) + "\n";
        run(&mut served.key_login(folder.path()), key.as_bytes()).text();
        let event = text(&served.ready["ticketing"]["event"]);
        Self { served, folder, event }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn tickets(&self, more: &[&str]) -> Vec<Value> {
        let found = json_of(self.path(), &[&["admissions", "tickets", &self.event], more].concat());
        found["tickets"].as_array().unwrap().clone()
    }

    /// Serials of tickets that can be redeemed.
    fn good(&self) -> Vec<String> {
        let tickets = self.tickets(&[]);
        let good = tickets.iter().filter(|ticket| ticket["record"]["status"] == "Issued");
        good.map(|ticket| text(&ticket["record"]["serial"])).collect()
    }

    fn admit<'a>(&'a self, serials: &[&'a str]) -> Vec<&'a str> {
        let place = ["admissions", "admit", &self.event, "--redeemer", "Ada", "--device", "gate-1"];
        [&place[..], serials].concat()
    }
}

#[test]
fn tickets_are_redeemed_and_listed() {
    let gate = Gate::open();
    let good = gate.good();
    let admit = [&gate.admit(&[&good[0], &good[1]])[..], &["--yes"]].concat();
    let write = json_of(gate.path(), &admit);
    assert_eq!((&write["kind"], &write["state"]), (&json!("admit"), &json!("done")));
    assert_eq!(write["answer"]["admissions"].as_array().unwrap().len(), 2);
    // One that was redeemed and one that is good.
    let mixed = [&gate.admit(&[&good[1], &good[2]])[..], &["--yes"]].concat();
    let said = run(&mut in_store(gate.path(), &mixed), b"");
    assert_eq!((said.code, said.stderr.as_str()), (Some(1), ""), "not all were admitted");
    let row = |serial: &str| said.stdout.lines().find(|line| line.starts_with(serial)).unwrap().to_owned();
    assert!(row(&good[1]).ends_with("no") && !row(&good[2]).ends_with("no"), "{}", said.stdout);
    let none = [&gate.admit(&[&good[1]])[..], &["--yes"]].concat();
    fails(|| in_store(gate.path(), &none), b"", 4, "refused");
    // From a scanner, a serial in each line.
    let piped = [&gate.admit(&["-"])[..], &["--yes"]].concat();
    let lines = format!("{}\n\n {} \n", good[3], good[4]);
    let said = run(&mut in_store(gate.path(), &piped), lines.as_bytes()).text();
    assert!(said.starts_with("TICKET") && said.lines().count() == 3, "{said}");

    let listed = json_of(gate.path(), &["admissions", "list", &gate.event]);
    let admissions = listed["admissions"].as_array().unwrap();
    assert_eq!((admissions.len(), &listed["total"], &listed["more"]), (5, &json!(5), &json!(false)));
    assert_eq!((&admissions[0]["redeemer"], &admissions[0]["device"]), (&json!("Ada"), &json!("gate-1")));
    assert!(admissions[0]["admitted_at"].is_i64() && admissions[0]["section"].is_string());
    let one = json_of(gate.path(), &["admissions", "list", &gate.event, "--ticket", &good[2]]);
    assert_eq!(
        (one["admissions"].as_array().unwrap().len(), &one["admissions"][0]["ticket"]),
        (1, &json!(good[2]))
    );
    let shown = text_of(gate.path(), &["admissions", "list", &gate.event, "--records", "2", "--page", "2"]);
    assert!(shown.starts_with("TICKET") && shown.ends_with("2 of 5 admissions. More: --page 3\n"), "{shown}");
    let elsewhere = text_of(gate.path(), &["admissions", "list", &gate.event, "--device", "gate-2"]);
    assert_eq!(elsewhere, "Nobody was admitted.\n");
}

#[test]
fn nobody_is_admitted_without_a_yes() {
    let gate = Gate::open();
    let good = gate.good();
    let admit = gate.admit(&[&good[0]]);
    let line = fails(|| in_store(gate.path(), &admit), b"", 2, "invalid_input");
    assert!(line.contains("Redeem 1 ticket") && line.contains("--yes"), "{line}");
    let said = at_terminal(&in_store(gate.path(), &admit), &[("[y/N]", "n\n")]);
    assert_eq!(said.code, Some(2), "{}", said.stdout);
    assert_eq!(json_of(gate.path(), &["admissions", "list", &gate.event])["admissions"], json!([]));
    let said = at_terminal(&in_store(gate.path(), &admit), &[("[y/N]", "y\n")]);
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    assert_eq!(json_of(gate.path(), &["admissions", "list", &gate.event])["total"], 1);
}

#[test]
fn an_event_s_tickets_are_listed_whole_and_since_a_time() {
    let gate = Gate::open();
    let all = gate.tickets(&[]);
    assert!(all.len() > 25, "{}", all.len());
    assert!(gate.tickets(&["--page", "1"]).len() <= all.len());
    let shown = text_of(gate.path(), &["admissions", "tickets", &gate.event]);
    assert!(shown.starts_with("TICKET") && shown.ends_with(&format!("{} tickets.\n", all.len())), "{shown}");
    let before = gate.tickets(&["--modified-since", "1"]);
    assert_eq!(before.len(), all.len());
    assert!(gate.tickets(&["--modified-since", "2999-01-01T00:00:00Z"]).is_empty());
    let later =
        text_of(gate.path(), &["admissions", "tickets", &gate.event, "--modified-since", "32472144000"]);
    assert_eq!(later, "No tickets.\n");
    let wrong = || in_store(gate.path(), &["admissions", "tickets", &gate.event, "--modified-since", "May"]);
    assert!(fails(wrong, b"", 2, "invalid_input").contains("Unix seconds"));
    fails(|| in_store(gate.path(), &["admissions", "tickets", "1"]), b"", 4, "refused");
}

#[test]
fn a_lost_answer_is_read_back() {
    let gate = Gate::open();
    let good = gate.good();
    gate.served.lose_the_answer_to("/admissions");
    let admit = [&gate.admit(&[&good[0]])[..], &["--yes"]].concat();
    let write = json_of(gate.path(), &admit);
    assert_eq!((&write["state"], &write["answer"]["refused"]), (&json!("done"), &json!([])));
    assert_eq!(json_of(gate.path(), &["admissions", "list", &gate.event])["total"], 1);
}
