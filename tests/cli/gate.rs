//! Staff at the gate, in a terminal: prepared online, deciding offline, and what happened handed over.

use serde_json::{Value, json};

use crate::bad_input::fails;
use crate::command::{Served, in_store, json_of, run, text_of};
use crate::door::Door;
use crate::served::text;
use crate::support::json_lines;

#[test]
fn a_gate_lets_in_once_and_hands_over_what_happened() {
    let door = Door::open();
    let path = door.path();
    let status = text_of(path, &["gate", "status"]);
    assert!(status.contains("North door") && status.contains(&door.event), "{status}");
    let prepared = json_of(path, &["gate", "prepare"]);
    assert!(prepared["tickets"].as_u64().is_some_and(|tickets| tickets > 0), "{prepared}");

    // Lines as scanners send them: CR, LF or both; empty ones; a double read; the last one without an end.
    let code = door.shown();
    let (exit, verdicts) = door.verdicts(&format!("\r\n{code}\r\n{code}\r\nwristband"));
    assert_eq!(exit, Some(1), "one was refused");
    let said: Vec<_> =
        verdicts.iter().map(|one| (text(&one["verdict"]), one["is_repeated"].clone())).collect();
    let of = |verdict: &str, again: bool| (verdict.to_owned(), json!(again));
    assert_eq!(said, [of("Admit", false), of("Admit", true), of("UnknownTicket", false)]);
    assert_eq!(
        (&verdicts[0]["ticket"], &verdicts[0]["certainty"]["is_proved"]),
        (&json!(door.ticket), &json!(true))
    );
    let (exit, again) = door.verdicts(&format!("{code}\n"));
    assert_eq!((exit, &again[0]["verdict"]), (Some(1), &json!("Replayed")));
    assert_eq!(door.verdicts(""), (Some(0), vec![]));

    let stats = json_of(path, &["gate", "stats"]);
    assert_eq!((&stats["entered"], &stats["unsent"]), (&json!(1), &json!(3)));
    assert_eq!(stats["refusals"], json!({ "UnknownTicket": 1, "Replayed": 1 }));
    assert!(text_of(path, &["gate", "stats"]).contains("Refused: Replayed"));

    let undone = json_of(path, &["gate", "undo", &text(&verdicts[0]["record"])]);
    assert_eq!((&undone["kind"], &undone["ticket"]), (&json!("Undo"), &json!(door.ticket)));
    let admission = text(&verdicts[0]["record"]);
    let twice = || in_store(path, &["gate", "undo", &admission]);
    fails(twice, b"", 2, "invalid_input");
    let refusal = text(&verdicts[2]["record"]);
    let reason = ["gate", "override", &refusal, "--reason", "wristband was shown"];
    let overridden = json_of(path, &reason);
    assert_eq!((&overridden["kind"], &overridden["persons"]), (&json!("Override"), &json!(1)));
    assert_eq!(overridden["override_reason"], "wristband was shown");

    assert_eq!(
        json_of(path, &["gate", "sync"]),
        json!({ "sent": 5, "conflicts": 0, "unsent": 0, "received": 0 })
    );
    assert!(text_of(path, &["gate", "sync"]).starts_with("Records handed over: 0; waiting: 0."));
    let records = json_of(path, &["gate", "records"]);
    let kinds: Vec<_> = records.as_array().unwrap().iter().map(|one| text(&one["kind"])).collect();
    assert_eq!(kinds, ["Override", "Undo", "Refusal", "Refusal", "Admission"]);
    assert!(records.as_array().unwrap().iter().all(|one| one["is_sent"] == true));
    assert_eq!(json_of(path, &["gate", "records", "--limit", "2"]).as_array().unwrap().len(), 2);
    let table = text_of(path, &["gate", "records"]);
    assert!(table.starts_with("RECORD") && table.contains("wristband was shown"), "{table}");
    assert!(
        [table, records.to_string(), status].iter().all(|said| !said.contains("TW1:")),
        "no code is told"
    );
}

#[test]
fn a_gate_decides_and_says_so_in_one_line_with_no_network() {
    let door = Door::open();
    let code = door.shown();
    let Door { served, phone: _phone, gate, ticket, .. } = door;
    assert!(served.stop().success());
    let path = gate.path();
    let scan = |input: &str| run(&mut in_store(path, &["gate", "scan", "--persons", "1"]), input.as_bytes());
    let admitted = scan(&format!("{code}\r"));
    assert_eq!((admitted.code, admitted.stdout.lines().count()), (Some(0), 1), "{admitted:?}");
    assert!(admitted.stdout.starts_with(&format!("ADMITTED · ticket {ticket}")), "{}", admitted.stdout);
    let refused = scan(&format!("{code}\n{}\n", "A".repeat(70 << 10)));
    assert_eq!((refused.code, refused.stdout.lines().count()), (Some(1), 2), "{refused:?}");
    assert!(refused.stdout.starts_with("REFUSED (Replayed): "), "{}", refused.stdout);
    assert!(!refused.stdout.contains(&code) && !admitted.stdout.contains("TW1:"));
    // The frame that let in lets nobody out.
    let left = run(in_store(path, &["gate", "exit"]).arg("--json"), format!("{code}\n").as_bytes());
    assert_eq!((left.code, &json_lines(&left.stdout)[0]["verdict"]), (Some(1), &json!("Replayed")));
    let unreachable = || in_store(path, &["gate", "sync"]);
    fails(unreachable, b"", 3, "unreachable");
    assert_eq!(json_of(path, &["gate", "status"])["unsent"], 4);
}

#[test]
fn pictures_are_scanned_too() {
    let door = Door::open();
    let png = door.phone.path().join("ticket.png");
    let png = png.to_str().unwrap();
    json_of(door.phone.path(), &["show", &door.ticket, "--out", png]);
    let spoiled = door.phone.path().join("spoiled.png");
    std::fs::write(&spoiled, "no picture").unwrap();
    let with = |files: &[&str]| {
        let mut command = in_store(door.path(), &["gate", "scan", "--image"]);
        command.args(files);
        command
    };
    // Nobody was let in by the good picture before the bad one was read.
    let line = fails(|| with(&[png, spoiled.to_str().unwrap()]), b"", 2, "invalid_input");
    assert!(line.contains("spoiled.png"), "{line}");
    fails(|| with(&["/nowhere.png"]), b"", 1, "system");
    assert_eq!(run(with(&[png]).arg("--json"), b"").json()["verdict"], "Admit");
    let again = run(&mut with(&[png]), b"");
    assert!(again.code == Some(1) && again.stdout.starts_with("REFUSED (Replayed)"), "{again:?}");
}

#[test]
fn a_gate_of_ticketing_signs_in_by_the_apps_key() {
    let served = Served::start_with(&["--tickets", "60"]);
    let gate = tempfile::tempdir().unwrap();
    let of = &served.ready["ticketing"];
    let (url, key) = (text(&of["url"]), text(&of["integration_key"]));
    let code = text(&served.tells("/sandbox/ticketing")["events"][0]["global_code"]);
    let sign_in = || {
        let service = ["gate", "sign-in", "--service", "ticketing", "--url", &url, "--name", "Door 1"];
        in_store(gate.path(), &service)
    };
    assert!(fails(sign_in, code.as_bytes(), 2, "invalid_input").contains("app"));
    let mut with_key = sign_in();
    let status = run(with_key.env("TICKET_WALLET_APP_KEY", &key).arg("--json"), code.as_bytes()).json();
    assert!(status["tickets"].as_u64().is_some_and(|tickets| tickets > 0), "{status}");
    let refused = run(in_store(gate.path(), &["gate", "scan"]).arg("--json"), b"unknown\n");
    assert_eq!(
        (refused.code, &json_lines(&refused.stdout)[0]["verdict"]),
        (Some(1), &json!("UnknownTicket"))
    );
    // Its scanners have nothing to know each other by; the report is of this one alone.
    let line = fails(|| in_store(gate.path(), &["gate", "listen"]), b"", 2, "invalid_input");
    assert!(line.contains("no certificates"), "{line}");
    let report = json_of(gate.path(), &["gate", "report"]);
    assert_eq!((&report["records"], &report["scanners"][0]["is_here"]), (&json!(1), &json!(true)));
    // A new sign-in says what becomes of records that were not sent; the code may stand in the command as well.
    let anew = || {
        let mut command = sign_in();
        command.env("TICKET_WALLET_APP_KEY", &key).args(["--code", &code]);
        command
    };
    assert!(fails(anew, b"", 2, "invalid_input").contains("1 records are not sent yet"));
    run(anew().args(["--leave-unsent", "--json"]), b"").json();
}

#[test]
fn a_gate_of_bam_signs_in_by_a_validators_token_and_tells_the_ledger() {
    let served = Served::start_with(&["--tickets", "60"]);
    let (phone, gate) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    served.login(phone.path(), 0).json();
    json_of(phone.path(), &["sync"]);
    let listed = json_of(phone.path(), &["tickets", "list"]);
    let is_static = |one: &&Value| one["profile"] == "static";
    let details = listed.as_array().unwrap().iter().filter(is_static);
    let mut details = details.map(|one| json_of(phone.path(), &["tickets", "show", &text(&one["id"])]));
    let detail = details.find(|one| one["no_barcode"].is_null()).unwrap();
    let code = text(&json_of(phone.path(), &["show", &text(&detail["id"])])["text"]);
    let sign_in = |token: &str| {
        let options = ["gate", "sign-in", "--service", "bam", "--name", "Door 1", "--json", "--url"];
        let mut command = in_store(gate.path(), &options);
        run(command.arg(served.url()), token.as_bytes())
    };
    let event: i64 = text(&detail["event"]["id"]).parse().unwrap();
    let validators = served.ready["validators"].as_array().unwrap();
    // Another tenant may have an event of this number.
    let mut of_event = validators.iter().filter(|one| one["event_id"] == event);
    assert!(of_event.any(|one| sign_in(&text(&one["token"])).json()["event"] == detail["event_hash"]));
    let scan = |input: &str| {
        let said = run(in_store(gate.path(), &["gate", "scan"]).arg("--json"), input.as_bytes());
        json_lines(&said.stdout)[0].clone()
    };
    let admitted = scan(&code);
    assert_eq!((&admitted["verdict"], &admitted["profile"]), (&json!("Admit"), &json!("BamSigned")));
    assert_eq!(scan(&code)["verdict"], "AlreadyAdmitted");
    served.lose_the_answer_to("/v1/transaction/proposal");
    let lost = run(in_store(gate.path(), &["gate", "sync"]).arg("--json"), b"");
    assert!(lost.failed(3).contains("unreachable"), "{lost:?}");
    let synced = json_of(gate.path(), &["gate", "sync"]);
    assert_eq!(synced, json!({ "sent": 2, "conflicts": 0, "unsent": 0, "received": 0 }));
    let shown = served.ask("GET", "/sandbox/gates", &Value::Null).body;
    assert!(shown.contains("INVALIDATED "), "{shown}");
    fails(
        || {
            let mut command = in_store(gate.path(), &["gate", "sign-in", "--service", "bam", "--name", "D"]);
            command.args(["--url", served.url()]);
            command
        },
        b"c0ffeef2",
        2,
        "not_found",
    );
}

#[test]
fn what_a_gate_cannot_do_is_said() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let tenant = text(&served.ready["admission_codes"][0]["tenant"]);
    let url = format!("{}/t/{tenant}", served.url());
    let at = |url: &str| in_store(path, &["gate", "sign-in", "--name", "Door", "--url", url]);
    fails(|| at(&url), b"NOSUCHCO\n", 2, "not_found");
    fails(|| at(&url), b"\n", 2, "invalid_input");
    fails(|| at("http://127.0.0.1:1"), b"K7Q2M4XA\n", 3, "unreachable");
    assert!(path.join("gate").is_dir() && !path.join("wallet.db").exists(), "a folder of its own");
    assert!(text_of(path, &["gate", "status"]).contains("not signed in"));
    for command in ["prepare", "sync", "stats", "records"] {
        fails(|| in_store(path, &["gate", command]), b"", 2, "invalid_input");
    }
    let line = fails(|| in_store(path, &["gate", "scan"]), b"code\n", 2, "invalid_input");
    assert!(line.contains("sign in"), "{line}");
    for wrong in [&["scan", "--persons", "0"][..], &["scan", "--image"], &["override", "1/2"], &["undo", "x"]]
    {
        fails(|| in_store(path, &[&["gate"], wrong].concat()), b"", 2, "invalid_input");
    }
}
