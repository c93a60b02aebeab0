//! The gate command in detail: at a terminal, groups, pins, and the care of the gate's store.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bad_input::fails;
use crate::command::{at_terminal, illness_of, in_store, json_of, run, text_of};
use crate::door::{Door, not_signed_in};

const CLEAR: &str = "\u{1b}[H\u{1b}[2J\u{1b}[3J";

/// The verdict on the code that the phone shows then.
fn verdict(door: &Door, options: &[&str]) -> String {
    let code = door.shown() + "\n";
    // The next frame is another second's.
    std::thread::sleep(Duration::from_millis(1_100));
    let said = run(in_store(door.path(), &["gate"]).args(options).arg("--json"), code.as_bytes());
    let said: Value = serde_json::from_str(&said.stdout).unwrap();
    said["verdict"].as_str().unwrap().to_owned()
}

/// How many keys of scanners and tickets a vault holds.
fn vault_keys(folder: &Path) -> usize {
    let vault: Value = serde_json::from_slice(&fs::read(folder.join("vault.json")).unwrap()).unwrap();
    vault["device_keys"].as_object().unwrap().len()
}

#[test]
fn at_a_terminal_each_verdict_fills_the_screen_and_no_code_is_on_it() {
    let door = Door::open();
    let code = door.shown() + "\n";
    let typed = [("Ready.", code.as_str()), ("A D M I T T E D", ""), ("Ready.", "wristband\n")];
    let typed = [&typed[..], &[("R E F U S E D", ""), ("Ready.", "\u{4}")]].concat();
    let shown = at_terminal(&in_store(door.path(), &["gate", "scan"]), &typed);
    assert_eq!(shown.code, Some(1), "{}", shown.stdout);
    let screens: Vec<_> = shown.stdout.split(CLEAR).collect();
    let [before, first, admitted, refused] = screens[..] else { panic!("{screens:?}") };
    assert!(before.is_empty() && first.starts_with("Ready."), "{screens:?}");
    assert!(admitted.contains("\u{1b}[1;97;42m") && !admitted.contains('\u{7}'), "{admitted:?}");
    assert!(refused.contains("\u{1b}[1;97;41m") && refused.contains('\u{7}'), "{refused:?}");
    assert!(refused.contains("no ticket of this event has this code (UnknownTicket)"), "{refused}");
    assert!(!shown.stdout.contains("TW1:") && !shown.stdout.contains("wristband"), "{}", shown.stdout);
}

#[test]
fn a_live_scan_that_is_interrupted_leaves_the_terminal_as_it_was() {
    let door = Door::open();
    let code = door.shown() + "\n";
    // Ctrl-C, and Ctrl-\; `at_terminal` looks whether the terminal shows again what is typed.
    for (key, exit) in [("\u{3}", 130), ("\u{1c}", 131)] {
        let typed = [("Ready.", code.as_str()), ("Ready.", "half a co"), ("", key)];
        let shown = at_terminal(&in_store(door.path(), &["gate", "scan"]), &typed);
        assert_eq!(shown.code, Some(exit), "{}", shown.stdout);
        assert!(!shown.stdout.contains("half a co"), "{}", shown.stdout);
    }
    assert_eq!(json_of(door.path(), &["gate", "stats"])["entered"], 1, "what was said is kept");
    // A failure is another way out.
    let nobody = not_signed_in();
    let failed = at_terminal(&in_store(nobody.path(), &["gate", "scan"]), &[("Ready.", "a code\n")]);
    assert!(failed.code == Some(2) && failed.stdout.contains("error: "), "{}", failed.stdout);
}

#[test]
fn a_group_goes_through_together_as_far_as_its_ticket_goes() {
    let door = Door::open();
    door.change(&json!({ "policy": "entries", "entries": 5 }));
    let three = ["scan", "--persons", "3"];
    assert_eq!([verdict(&door, &three), verdict(&door, &three)], ["Admit", "AlreadyAdmitted"]);
    let code = door.shown() + "\n";
    let said = run(in_store(door.path(), &["gate", "scan", "--persons", "2"]).arg("--json"), code.as_bytes());
    let said = said.json();
    assert_eq!(
        (&said["verdict"], &said["entered"], &said["allowed"]),
        (&json!("Admit"), &json!(3), &json!({ "kind": "Persons", "count": 5 }))
    );
    std::thread::sleep(Duration::from_millis(1_100));
    assert_eq!(verdict(&door, &["exit", "--persons", "4"]), "Admit");
    let stats = json_of(door.path(), &["gate", "stats"]);
    assert_eq!((&stats["entered"], &stats["left"]), (&json!(5), &json!(4)));
    let records = json_of(door.path(), &["gate", "records"]);
    let persons: Vec<_> = records.as_array().unwrap().iter().map(|one| one["persons"].clone()).collect();
    assert_eq!(persons, [4, 2, 3, 3].map(Value::from));
    fails(|| in_store(door.path(), &["gate", "scan", "--persons", "65536"]), b"", 2, "invalid_input");
}

#[test]
fn a_gates_pins_are_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let with = |pins: &[&str]| {
        let mut command = in_store(folder.path(), &["gate", "sign-in", "--name", "Door"]);
        command.args(["--url", "http://127.0.0.1:1"]);
        command.args(pins.iter().flat_map(|pin| ["--pin", pin]));
        command
    };
    let (one, other) = (format!("{}=", "A".repeat(43)), format!("{}=@1900000000", "B".repeat(42) + "A"));
    fails(|| with(&[]), b"K7Q2M4XA\n", 3, "unreachable");
    for (pins, word) in [
        (&[one.as_str()][..], "pins"),
        (&["nonsense", &one], "pins"),
        (&[&one, &format!("{one}@soon")], "Unix seconds"),
        (&[&one, &other], "only https"),
    ] {
        let line = fails(|| with(pins), b"K7Q2M4XA\n", 2, "invalid_input");
        assert!(line.contains(word), "{line}");
    }
}

#[test]
fn the_gates_store_is_cared_for_as_the_wallets_is() {
    let door = Door::open();
    let (path, folder) = (door.path(), door.path().join("gate"));
    let code = door.shown() + "\n";
    run(&mut in_store(path, &["gate", "scan"]), code.as_bytes()).text();
    run(&mut in_store(path, &["gate", "scan"]), b"wristband\n");
    let healthy = json_of(path, &["gate", "doctor"]);
    assert_eq!((&healthy["problem"], &healthy["files"]["sound"]), (&Value::Null, &json!(true)));
    assert_eq!((&healthy["records"], &healthy["unsent_records"]), (&json!(2), &json!(2)));
    let told = text_of(path, &["gate", "doctor"]);
    assert!(
        told.starts_with("Gate      opens") && told.contains("2 of them handed over to no server"),
        "{told}"
    );
    assert_eq!(json_of(path, &["gate", "recover"])["why"], Value::Null, "nothing is changed that is sound");

    let sealed = fs::read(folder.join("wallet.key")).unwrap();
    assert_eq!(json_of(path, &["gate", "rekey"]), json!({ "rekeyed": true }));
    assert_ne!(fs::read(folder.join("wallet.key")).unwrap(), sealed);
    let records = json_of(path, &["gate", "records"]);
    assert_eq!(records.as_array().unwrap().len(), 2);

    // The database's first page is damaged: the scanner and its records are saved, and a new chain begins.
    let before = json_of(path, &["gate", "status"]);
    let mut bytes = fs::read(folder.join("wallet.db")).unwrap();
    bytes[2_000] ^= 1;
    fs::write(folder.join("wallet.db"), &bytes).unwrap();
    assert_eq!(illness_of(path, &["gate", "doctor"])["recovery"], json!("Damaged"));
    let told = run(&mut in_store(path, &["gate", "doctor"]), b"").stdout;
    assert!(told.contains("`ticket-wallet gate recover`"), "{told}");
    fails(|| in_store(path, &["gate", "stats"]), b"", 5, "needs_recovery");
    let report = run(in_store(path, &["gate", "recover"]).arg("--json"), b"").json();
    assert_eq!((&report["records"], &report["kept_in"]), (&json!(2), &json!("kept-1")));
    assert_eq!(fs::read(folder.join("kept-1/wallet.db")).unwrap(), bytes);
    assert_eq!(json_of(path, &["gate", "records"]), records);
    let after = json_of(path, &["gate", "status"]);
    for same in ["name", "event", "scanner", "unsent"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(after["readiness"], "NotPrepared");
    assert_eq!(
        json_of(path, &["gate", "sync"]),
        json!({ "sent": 2, "conflicts": 0, "unsent": 0, "received": 0 })
    );
    assert_eq!(verdict(&door, &["scan"]), "AlreadyAdmitted");
    let newest =
        json_of(path, &["gate", "records", "--limit", "1"])[0]["record"].as_str().unwrap().to_owned();
    let chain = |record: &str| record.split('/').next().unwrap().to_owned();
    assert!(newest.ends_with("/1"), "{newest}");
    assert_ne!(chain(&newest), chain(records[0]["record"].as_str().unwrap()));
    assert_eq!(json_of(path, &["gate", "sync"])["sent"], 1, "the same key signs for the same scanner");
}

#[test]
fn a_gate_is_deleted_only_when_somebody_says_so_and_records_that_no_server_has_by_their_own_word() {
    let door = Door::open();
    let (path, folder) = (door.path(), door.path().join("gate"));
    run(&mut in_store(path, &["gate", "scan"]), b"wristband\nlanyard\n");
    assert!(vault_keys(&folder) > 0);
    let unsent = |options: &[&str]| {
        let line = fails(|| in_store(path, &[&["gate", "wipe"], options].concat()), b"", 2, "invalid_input");
        assert!(line.contains("2 records") && line.contains("--discard-unsent"), "{line}");
    };
    unsent(&[]);
    unsent(&["--yes"]);
    let wipe = || in_store(path, &["gate", "wipe", "--discard-unsent"]);
    assert!(fails(wipe, b"", 2, "invalid_input").contains("cannot be undone; say --yes"));
    let said = at_terminal(&wipe(), &[("[y/N]", "n\n")]);
    assert!(said.code == Some(2) && said.stdout.contains("nothing was done"), "{}", said.stdout);
    assert_eq!(json_of(path, &["gate", "sync"])["sent"], 2);
    assert!(text_of(path, &["gate", "wipe", "--yes"]).contains("The gate is deleted."));
    assert!(!folder.join("wallet.db").exists() && !folder.join("wallet.key").exists());
    assert_eq!(vault_keys(&folder), 0, "the scanner's key is gone too");
    for command in ["wipe", "rekey", "recover"] {
        let line = fails(|| in_store(path, &["gate", command]), b"", 2, "not_found");
        assert!(line.contains("there is no"), "{line}");
    }
    assert!(illness_of(path, &["gate", "doctor"])["problem"].as_str().unwrap().contains("there is no"));
    // With records left it takes the word alone.
    let other = Door::open();
    run(&mut in_store(other.path(), &["gate", "scan"]), b"wristband\n");
    let wiped = json_of(other.path(), &["gate", "wipe", "--yes", "--discard-unsent"]);
    assert_eq!(wiped, json!({ "wiped": true }));
    assert!(!other.path().join("gate/wallet.db").exists());
}

#[test]
fn the_wallets_care_tells_of_the_gate_beside_it_and_leaves_it() {
    let door = Door::open();
    door.served.login(door.path(), 0).json();
    assert!(text_of(door.path(), &["doctor"]).contains("ticket-wallet gate doctor"));
    json_of(door.path(), &["wipe", "--yes"]);
    assert_eq!(json_of(door.path(), &["gate", "status"])["name"], "North door");
}

#[test]
fn whoever_leaves_through_the_gate_comes_in_again_where_the_event_allows_it() {
    let door = Door::open();
    let path = door.path();
    door.change(&json!({ "policy": "re_entry" }));
    let said = ["scan", "exit", "scan"].map(|way| {
        let code = door.shown() + "\n";
        std::thread::sleep(std::time::Duration::from_millis(1_100));
        run(in_store(path, &["gate", way]).arg("--json"), code.as_bytes()).json()["verdict"].clone()
    });
    assert_eq!(said, ["Admit", "Admit", "Admit"]);
    let stats = json_of(path, &["gate", "stats"]);
    assert_eq!((&stats["entered"], &stats["left"]), (&json!(2), &json!(1)));
}
