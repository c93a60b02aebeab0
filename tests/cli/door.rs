//! A phone with a ticket that shows a signed barcode, and the doors of its event.

use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::command::{Finished, Served, in_store, json_of, run};
use crate::served::text;
use crate::support::json_lines;

pub(crate) struct Door {
    pub(crate) served: Served,
    pub(crate) phone: TempDir,
    pub(crate) gate: TempDir,
    pub(crate) ticket: String,
    pub(crate) event: String,
    /// What gates of the event sign in with.
    code: Value,
}

impl Door {
    /// Signed in at the ticket's event.
    pub(crate) fn open() -> Self {
        let served = Served::start();
        let (phone, gate) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        served.login(phone.path(), 0).json();
        json_of(phone.path(), &["sync"]);
        let listed = json_of(phone.path(), &["tickets", "list"]);
        let details = listed.as_array().unwrap().iter();
        let mut details = details.map(|one| json_of(phone.path(), &["tickets", "show", &text(&one["id"])]));
        let detail = details.find(|one| one["lease_end"].is_i64()).unwrap();
        let event = text(&detail["event_hash"]);
        let of_event = |one: &&Value| {
            one["event_id"].as_i64() == text(&detail["event"]["id"]).parse().ok()
                && one["sections"] == json!([])
        };
        let mut codes = served.ready["admission_codes"].as_array().unwrap().iter().filter(of_event);
        // Another tenant may have an event of this number.
        let at_event = |code: &&Value| {
            sign_in(gate.path(), &served, code, "North door").json()["event"] == event.as_str()
        };
        let code = codes.find(at_event).unwrap().clone();
        Self { ticket: text(&detail["id"]), served, phone, gate, event, code }
    }

    pub(crate) fn path(&self) -> &Path {
        self.gate.path()
    }

    /// Changes the event at its server, and fetches that.
    pub(crate) fn change(&self, change: &Value) {
        let codes = self.served.ready["admission_codes"].as_array().unwrap();
        for one in codes.iter().filter(|one| one["sections"] == json!([])) {
            let event = format!("/sandbox/gates/events/{}/{}", text(&one["tenant"]), one["event_id"]);
            self.served.control("PATCH", &event, change);
        }
        json_of(self.path(), &["gate", "prepare"]);
    }

    /// Another gate of the event.
    pub(crate) fn another(&self, name: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let status = sign_in(folder.path(), &self.served, &self.code, name).json();
        assert_eq!(status["event"], self.event.as_str());
        folder
    }

    /// Signs a gate in at the event, once more where it is.
    pub(crate) fn sign_in(&self, gate: &Path) -> Value {
        sign_in(gate, &self.served, &self.code, "North door").json()
    }

    /// Where gates of the event sign in, and with which code.
    pub(crate) fn way_in(&self) -> (String, String) {
        (format!("{}/t/{}", self.served.url(), text(&self.code["tenant"])), text(&self.code["code"]))
    }

    /// A gate of another event.
    pub(crate) fn elsewhere(&self) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        let codes = self.served.ready["admission_codes"].as_array().unwrap().iter();
        let other = |code: &&Value| {
            let status = sign_in(folder.path(), &self.served, code, "Elsewhere").json();
            status["event"] != self.event.as_str()
        };
        assert!(codes.filter(|code| code["tenant"] == self.code["tenant"]).any(|code| other(&code)));
        folder
    }

    /// The text of the barcode on the phone.
    pub(crate) fn shown(&self) -> String {
        text(&json_of(self.phone.path(), &["show", &self.ticket])["text"])
    }

    /// A line with the text of a later frame, which a gate tells apart by the second.
    pub(crate) fn next_shown(&self) -> String {
        thread::sleep(Duration::from_millis(1_100));
        self.shown() + "\n"
    }

    /// The verdicts of a scan that has one for each code.
    pub(crate) fn verdicts(&self, input: &str) -> (Option<i32>, Vec<Value>) {
        verdicts(self.path(), input)
    }
}

/// The verdicts of a gate's scan that has one for each code.
pub(crate) fn verdicts(gate: &Path, input: &str) -> (Option<i32>, Vec<Value>) {
    let found = run(in_store(gate, &["gate", "scan"]).arg("--json"), input.as_bytes());
    assert_eq!(found.stderr, "");
    (found.code, json_lines(&found.stdout))
}

fn sign_in(gate: &Path, served: &Served, code: &Value, name: &str) -> Finished {
    let url = format!("{}/t/{}", served.url(), text(&code["tenant"]));
    let mut command = in_store(gate, &["gate", "sign-in", "--url", &url, "--name", name]);
    run(command.arg("--json"), (text(&code["code"]) + "\n").as_bytes())
}

/// A gate whose sign-in did not arrive.
pub(crate) fn not_signed_in() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sign_in = ["gate", "sign-in", "--url", "http://127.0.0.1:1", "--name", "North door"];
    assert_eq!(run(&mut in_store(folder.path(), &sign_in), b"K7Q2M4XA\n").code, Some(3));
    folder
}
