//! What a gate says of how far it and its clock are to be trusted.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use ticket_wallet::model::{GateService, GateSignIn, SystemConfig};
use ticket_wallet::{Config, Gate};

use crate::command::{in_store, json_of, run, text_of};
use crate::door::{Door, verdicts};
use crate::phone::{TestClock, vault_in};

fn now_s() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}

#[test]
fn an_expired_certificate_is_told_with_what_helps() {
    let door = Door::open();
    let path = door.path();
    let certification = |command| json_of(path, &["gate", command])["certification"].clone();
    assert_eq!(certification("status"), json!({ "state": "Valid", "until": null }));
    assert!(
        text_of(path, &["gate", "status"])
            .lines()
            .any(|line| line.split_whitespace().eq(["Certificate", "valid"]))
    );
    for (until, word) in [(now_s() + 86_400, "valid until"), (now_s() - 60, "expired")] {
        door.change(&json!({ "certified_until": until }));
        door.sign_in(path);
        let state = if word == "expired" {
            json!({ "state": "Expired", "at": until })
        } else {
            json!({ "state": "Valid", "until": until })
        };
        for command in ["status", "doctor"] {
            assert_eq!(certification(command), state, "{command}");
            let told = text_of(path, &["gate", command]);
            let line = told.lines().find(|line| line.to_lowercase().contains("certificate")).unwrap();
            assert!(line.contains(word), "{line}");
            assert_eq!(
                line.contains("sign in again: ticket-wallet gate sign-in"),
                word == "expired",
                "{line}"
            );
        }
    }
    door.change(&json!({ "certified_until": 0 }));
    assert_eq!(door.sign_in(path)["certification"], json!({ "state": "Valid", "until": null }));
    // A wallet has none.
    door.served.login(path, 0).json();
    assert_eq!(json_of(path, &["doctor"])["certification"], json!(null));
    assert!(!text_of(path, &["doctor"]).contains("ertificate"));
}

#[test]
fn a_clock_that_no_server_has_confirmed_is_told_with_each_verdict() {
    const WARNING: &str = "clock not confirmed since this device was switched on";
    let door = Door::open();
    let scan = |gate| run(&mut in_store(gate, &["gate", "scan"]), b"wristband\n").stdout;
    assert!(!scan(door.path()).contains(WARNING), "the sandbox told the time");
    assert!(text_of(door.path(), &["gate", "status"]).contains("confirmed by a server"));

    // Signed in before the device was last switched on.
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("gate");
    std::fs::create_dir(&store).unwrap();
    let clock = TestClock::new();
    clock.set_wall_ms(now_s() * 1000);
    let config = Config { send_by_itself: false, ..Config::in_folder(store.to_str().unwrap()) };
    let gate = Gate::open(config, vault_in(&store), Some(Arc::new(clock)), None).unwrap();
    let (url, code) = door.way_in();
    let sign_in = GateSignIn {
        service: GateService::Extension,
        config: SystemConfig::at(url),
        admission_code: code,
        name: "South door".to_owned(),
        leave_unsent: false,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert!(runtime.block_on(gate.sign_in(sign_in)).unwrap().clock.confirmed);
    drop(gate);
    let said = scan(folder.path());
    assert!(said.starts_with("REFUSED (UnknownTicket)") && said.contains(WARNING), "{said}");
    let (_, said) = verdicts(folder.path(), "lanyard\n");
    assert_eq!(said[0]["certainty"]["clock_confirmed"], false);
    assert!(text_of(folder.path(), &["gate", "status"]).contains("this device's own, not confirmed"));
    json_of(folder.path(), &["gate", "sync"]);
    assert!(!scan(folder.path()).contains(WARNING), "confirmed by the next answer of a server");
}
