//! Signing in to TickeTing and TEXPO: their options, what is refused, and how a version or a server that fails ends.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::bad_input::fails;
use crate::command::{Served, in_store, json_of, run};
use crate::served::text;
use crate::tiny_server::{Answer, TinyServer};

fn login(folder: &Path, system: &str, url: &str, more: &[&str]) -> Command {
    let mut command = in_store(folder, &["login", "--system", system, "--url", url]);
    command.args(more);
    command
}

#[test]
fn holders_sign_in_and_sync() {
    let served = Served::start_with(&["--tickets", "5"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (name, password) = served.user(0);
    let password = password + "\n";
    let (ticketing, texpo) = (&served.ready["ticketing"], &served.ready["texpo"]);
    let bought = json!({ "user": name, "product_id": "expo-00001" });
    assert_eq!(served.ask("POST", "/sandbox/texpo/tickets", &bought).status, 200);
    let (url, network) = (text(&ticketing["url"]), text(&texpo["network"]));
    let options = ["--json", "--user", &name, "--codes", "serial", "--dates", "plain", "--time-zone", "UTC"];
    let account = run(&mut login(folder, "ticketing", &url, &options), password.as_bytes()).json();
    assert_eq!(account["system"], "ticketing");
    let url = text(&texpo["url"]);
    for sign_in in ["adminserver", "user-api"] {
        let options = ["--json", "--user", &name, "--network", &network, "--sign-in", sign_in];
        let account = run(&mut login(folder, "texpo", &url, &options), password.as_bytes()).json();
        assert_eq!(account["system"], "texpo", "{sign_in}");
    }
    json_of(folder, &["sync"]);
    let tickets = json_of(folder, &["tickets", "list"]);
    assert!(tickets.as_array().unwrap().len() >= 6, "{tickets}");
    // A key of the app may come from the environment.
    let served = Served::start_with(&["--choice", "ticketing.sign_in_needs_key=true"]);
    let folder = tempfile::tempdir().unwrap();
    let of = &served.ready["ticketing"];
    let url = text(&of["url"]);
    let (name, password) = served.user(0);
    let options = ["--user", name.as_str()];
    let keyless = || login(folder.path(), "ticketing", &url, &options);
    fails(keyless, format!("{password}\n").as_bytes(), 4, "refused");
    let mut with_key = keyless();
    with_key.env("TICKET_WALLET_APP_KEY", text(&of["integration_key"]));
    assert!(run(&mut with_key, format!("{password}\n").as_bytes()).text().starts_with("Signed in."));
}

#[test]
fn servers_that_do_it_in_another_way_are_spoken_with() {
    let choices = [
        "texpo.rpc_prefix=rpc",
        "texpo.auth_prefix=sign",
        "texpo.network_header=X-Net",
        "texpo.timestamps=unix_milliseconds",
        "texpo.error_status=true_is_success",
        "texpo.permission_code=77",
    ];
    let options: Vec<_> = choices.iter().flat_map(|choice| ["--choice", choice]).collect();
    let served = Served::start_with(&options);
    for (role, code) in [("managers", 0), ("users", 4)] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let (mut login, password) = served.network_login(folder, role);
        login.args(["--rpc-prefix", "rpc", "--auth-prefix", "sign", "--network-header", "X-Net"]);
        login.args([
            "--timestamps",
            "unix-milliseconds",
            "--status-true-is-success",
            "--permission-code",
            "77",
        ]);
        run(&mut login, password.as_bytes()).text();
        if code == 0 {
            assert_eq!(json_of(folder, &["catalogue", "list"]).as_array().unwrap().len(), 12);
            json_of(
                folder,
                &[
                    "catalogue",
                    "update",
                    "expo-00001",
                    "--starts-at",
                    "1796115600",
                    "--ends-at",
                    "1796144400",
                ],
            );
            let record = json_of(folder, &["catalogue", "show", "expo-00001"])["record"].clone();
            assert_eq!(record["eventStartDate"], 1_796_115_600_000_i64);
        } else {
            fails(|| in_store(folder, &["catalogue", "list"]), b"", code, "permission_denied");
        }
    }
}

#[test]
fn what_is_meant_for_another_system_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = "http://127.0.0.1:9";
    for (system, options, whose) in [
        ("bam", &["--network", "n"][..], "texpo"),
        ("bam", &["--access", "session"], "ticketing"),
        ("bam", &["--time-zone", "UTC"], "unidy or ticketing"),
        ("unidy", &["--client-version", "3.0.0"], "ticketing"),
        ("unidy", &["--timestamps", "iso"], "texpo"),
        ("ticketing", &["--network", "n"], "texpo"),
        ("ticketing", &["--organizer-id", "3"], "bam"),
        ("ticketing", &["--api", "sdk"], "unidy"),
        ("ticketing", &["--no-purchased-tickets"], "texpo"),
        ("texpo", &["--account-number", "CU-1"], "ticketing"),
        ("texpo", &["--empty-is-not-found"], "ticketing"),
        ("texpo", &["--time-zone", "UTC"], "unidy or ticketing"),
        ("texpo", &["--scope", "x"], "unidy"),
    ] {
        let options = [&["--user", "x"], options].concat();
        let line = fails(|| login(folder, system, url, &options), b"pw\n", 2, "invalid_input");
        assert!(line.contains(&format!("{}: only --system {whose} has this", options[2])), "{line}");
    }
    for (system, options, said) in [
        ("ticketing", &["--access", "card"][..], "integration-key"),
        ("ticketing", &["--time-zone", "Mars"], "time_zone"),
        ("texpo", &["--sign-in", "door"], "user-api"),
        ("texpo", &["--timestamps", "lunar"], "unix-seconds"),
        ("texpo", &["--network-header", "a b"], "network_header"),
        ("texpo", &["--code"], "only --system unidy"),
    ] {
        let options = [&["--user", "x"], options].concat();
        let line = fails(|| login(folder, system, url, &options), b"pw\n", 2, "invalid_input");
        assert!(line.contains(said), "{line}");
    }
}

#[test]
fn wrong_passwords_and_keys_are_refused() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    fails(|| served.host_login(folder).0, b"wrong\n", 4, "refused");
    fails(|| served.network_login(folder, "managers").0, b"wrong\n", 4, "refused");
    let line = fails(|| served.key_login(folder), b"a b\n", 2, "invalid_input");
    assert!(line.contains("password"), "{line}");
    assert_eq!(json_of(folder, &["box-office", "accounts"]), json!([]));
    // A holder is no host.
    let url = text(&served.ready["ticketing"]["url"]);
    let (name, password) = served.user(0);
    let system = ["box-office", "login", "--system", "ticketing", "--url", &url, "--user", &name];
    run(&mut in_store(folder, &system), format!("{password}\n").as_bytes()).text();
    let event = text(&served.ready["ticketing"]["event"]);
    let line = fails(|| in_store(folder, &["tokens", "list", &event]), b"", 4, "refused");
    assert!(line.contains("403"), "{line}");
}

#[test]
fn a_version_that_is_no_longer_spoken_with_is_told_to_update() {
    let served = Served::start_with(&["--choice", "ticketing.least_version=4.0.0"]);
    let folder = tempfile::tempdir().unwrap();
    let (_, password) = served.host_login(folder.path());
    let old = || served.host_login(folder.path()).0;
    let line = fails(old, password.as_bytes(), 7, "upgrade_needed");
    assert!(line.contains("update"), "{line}");
    let mut new = served.host_login(folder.path()).0;
    run(new.args(["--client-version", "4.0.0"]), password.as_bytes()).text();
}

#[test]
fn a_server_s_fault_comes_with_the_report_for_its_operator() {
    let words = r#"{"message":"There was a server error while excuting this request. Please see system logs for details."}"#;
    let server = TinyServer::start(move |_| Answer::ok(words).of_status(500));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = server.url();
    let system = ["box-office", "login", "--system", "ticketing", "--url", &url, "--user", "staff"];
    let mut login = in_store(folder, &system);
    run(login.args(["--access", "integration-key"]), b"a-key-of-nobody\n").text();
    let line = fails(|| in_store(folder, &["tokens", "list", "7"]), b"", 8, "server_fault");
    assert!(
        line.contains("GET") && line.contains("X-API-Key") && !line.contains("a-key-of-nobody"),
        "{line}"
    );
    let said = run(in_store(folder, &["tokens", "list", "7"]).arg("--json"), b"");
    let said: Value = serde_json::from_str(said.failed(8)).unwrap();
    assert_eq!(said["error"]["report"]["method"], "GET");

    // A write whose outcome nothing tells.
    let lost = run(&mut in_store(folder, &["tokens", "delete", "7", "8", "--yes"]), b"");
    assert_eq!((lost.code, lost.stderr.as_str()), (Some(1), ""), "{}", lost.stdout);
    assert!(
        lost.stdout.contains("Do not repeat it") && lost.stdout.contains("for whoever runs it"),
        "{}",
        lost.stdout
    );
}
