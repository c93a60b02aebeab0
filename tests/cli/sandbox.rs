//! The sandbox as a command: what it prints, and what it can be told to do.

use std::process::Command;

use serde_json::{Value, json};

use crate::bad_input::fails;
use crate::command::{Served, at_terminal, json_of, run, ticket_wallet};
use crate::served::text;

/// Where the sandbox tells what each system does.
const CHOICES: [(&str, &str); 4] = [
    ("bam", "/sandbox/bam"),
    ("unidy", "/sandbox/unidy/choices"),
    ("ticketing", "/sandbox/ticketing/choices"),
    ("texpo", "/sandbox/texpo/choices"),
];

fn sandbox(options: &[&str]) -> Command {
    let mut command = ticket_wallet(&["sandbox"]);
    command.args(options);
    command
}

fn choices() -> Vec<Value> {
    run(&mut sandbox(&["--choices", "--json"]), b"").json().as_array().unwrap().clone()
}

#[test]
fn the_sandbox_announces_its_change_feed_only_when_asked() {
    for (options, status) in [(&[][..], 404), (&["--feed"], 200)] {
        let served = Served::start_with(options);
        let reply = served.ask("GET", "/.well-known/ticket-wallet", &Value::Null);
        assert_eq!(reply.status, status, "{reply:?}");
        assert_eq!(reply.body.contains(r#""features":["tickets"]"#), status == 200);
    }
}

#[test]
fn the_ready_line_has_all_that_one_needs_to_sign_in() {
    for options in [&[][..], &["--json"]] {
        let served = Served::start_with(options);
        let ready = &served.ready;
        let names: Vec<_> = ready.as_object().unwrap().keys().collect();
        let expected = [
            "url",
            "users",
            "organizers",
            "unidy",
            "ticketing",
            "texpo",
            "issuer_keys",
            "admission_codes",
            "validators",
            "manifest_keys",
        ];
        assert_eq!(names, expected);
        says_how_to_reach_ticketing_and_texpo(&served);
        assert_eq!(ready["organizers"], served.tells("/sandbox/organizers"));
        assert_eq!(ready["unidy"], served.tells("/sandbox/unidy"));
        assert!(ready["organizers"].as_array().unwrap().len() > 1);
        assert!(ready["organizers"][0]["password"].is_string() && ready["users"][0]["password"].is_string());
        assert!(ready["issuer_keys"][0].as_str().is_some_and(|key| key.len() == 64));
        for brand in ready["unidy"]["brands"].as_array().unwrap() {
            assert!(brand["url"].as_str().unwrap().starts_with(served.url()) && brand["sdk_key"].is_string());
            let apps = brand["clients"].as_array().unwrap();
            assert!(apps.iter().any(|app| app["client_secret"].is_string()), "{apps:?}");
            assert!(apps.iter().all(|app| app["client_id"].is_string() && app["redirect_uri"].is_string()));
        }
        assert!(served.stop().success());
    }
}

fn says_how_to_reach_ticketing_and_texpo(served: &Served) {
    let (ticketing, texpo) = (&served.ready["ticketing"], &served.ready["texpo"]);
    let told = served.tells("/sandbox/ticketing");
    assert!(text(&ticketing["url"]).starts_with(served.url()));
    assert!(ticketing["integration_key"].is_string());
    assert_eq!(ticketing["integration_key"], told["integration_key"]);
    assert_eq!(text(&ticketing["event"]), told["events"][0]["id"].to_string());
    assert!(ticketing["sections"][0].is_string() && ticketing["sections"] == told["events"][0]["sections"]);
    let told = served.tells("/sandbox/texpo");
    assert_eq!((&texpo["url"], &texpo["network"]), (&told["url"], &told["network_id"]));
    let manager = json!({ "name": told["manager"], "password": told["password"] });
    assert_eq!(texpo["managers"], json!([manager]));
    for people in [&ticketing["users"], &texpo["users"]] {
        let user = &served.ready["users"][0];
        assert_eq!(people[0], json!({ "name": user["name"], "password": user["password"] }));
    }
    assert!(ticketing["hosts"][0]["password"].is_string());
}

#[test]
fn a_person_at_a_terminal_sees_the_same_as_tables_with_commands_to_copy() {
    // The same seed makes the same passwords and keys.
    let ready = Served::start_with(&["--seed", "7"]).ready.clone();
    let shown = at_terminal(&sandbox(&["--seed", "7"]), &[("Public keys", "\u{3}")]);
    assert_eq!(shown.code, Some(0), "{}", shown.stdout);
    let seen = |value: &Value| assert!(shown.stdout.contains(&text(value)), "{value}:\n{}", shown.stdout);
    for one in ready["users"].as_array().unwrap().iter().chain(ready["organizers"].as_array().unwrap()) {
        seen(&one["name"]);
        seen(&one["password"]);
    }
    for brand in ready["unidy"]["brands"].as_array().unwrap() {
        seen(&brand["name"]);
        seen(&brand["sdk_key"]);
        for app in brand["clients"].as_array().unwrap() {
            seen(&app["client_id"]);
            seen(&app["redirect_uri"]);
            assert!(app["client_secret"].as_str().is_none_or(|secret| shown.stdout.contains(secret)));
        }
    }
    seen(&ready["ticketing"]["integration_key"]);
    seen(&ready["ticketing"]["event"]);
    ready["ticketing"]["sections"].as_array().unwrap().iter().for_each(seen);
    seen(&ready["texpo"]["network"]);
    ready["issuer_keys"].as_array().unwrap().iter().for_each(seen);
    ready["admission_codes"].as_array().unwrap().iter().for_each(|one| seen(&one["code"]));
    ready["validators"].as_array().unwrap().iter().for_each(|one| seen(&one["token"]));
    for command in [
        "login --system bam",
        "box-office login --system bam",
        "login --system unidy",
        "--browser",
        "box-office login --system ticketing",
        "--access integration-key",
        "box-office login --system texpo",
        "gate sign-in --url",
        "gate sign-in --service bam --url",
    ] {
        assert!(shown.stdout.contains(command), "{command}:\n{}", shown.stdout);
    }
    let json = at_terminal(&sandbox(&["--json"]), &[("\n", "\u{3}")]);
    let line = json.stdout.lines().next().unwrap();
    assert!(serde_json::from_str::<Value>(line).unwrap()["unidy"].is_object(), "{line}");
}

#[test]
fn every_choice_is_listed_with_its_default_and_its_values() {
    let served = Served::start();
    let found = choices();
    for (system, path) in CHOICES {
        let defaults = served.tells(path);
        let of_system: Vec<_> =
            found.iter().filter(|one| text(&one["name"]).starts_with(&format!("{system}."))).collect();
        assert_eq!(of_system.len(), defaults.as_object().unwrap().len(), "{system}");
        for one in of_system {
            let name = text(&one["name"]);
            assert_eq!(one["default"], defaults[name.split_once('.').unwrap().1], "{name}");
            assert!(!text(&one["values"]).is_empty(), "{name}");
        }
    }
    let values = |name: &str| found.iter().find(|one| one["name"] == name).unwrap()["values"].clone();
    assert_eq!(values("bam.error_key"), "errorCode or error");
    assert_eq!(values("unidy.price"), "number, string, null");
    assert_eq!(values("bam.paged"), "a boolean");
    assert_eq!(values("bam.status_between"), "any text");
    assert_eq!(values("ticketing.dates"), "by_resource, iso, plain");
    assert_eq!(values("texpo.error_status"), "true_is_failure or true_is_success");
    let page = run(&mut sandbox(&["--choices"]), b"").text();
    assert!(found.iter().all(|one| page.contains(&text(&one["name"]))), "{page}");
    assert!(page.contains("errorCode or error"), "{page}");
}

#[test]
fn every_listed_value_can_be_chosen_and_is_done() {
    let found = choices();
    // Each choice with its own default, as one writes it.
    let spelled = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let defaults: Vec<_> =
        found.iter().map(|one| format!("{}={}", text(&one["name"]), spelled(&one["default"]))).collect();
    let options: Vec<_> = defaults.iter().flat_map(|one| ["--choice", one]).collect();
    let (plain, named) = (Served::start(), Served::start_with(&options));
    for (_, path) in CHOICES {
        assert_eq!(plain.tells(path), named.tells(path));
    }
    let changed = [
        ("bam.error_key", "error", json!("error")),
        ("bam.organizer_prefix", "", json!("")),
        ("bam.issue", r#"{"after_polls":7}"#, json!({ "after_polls": 7 })),
        ("bam.issue", "never", json!("never")),
        ("bam.status_between", "7", json!("7")),
        ("bam.paged", "false", json!(false)),
        ("unidy.price", "null", json!("null")),
        ("unidy.time_zone", "America/New_York", json!("America/New_York")),
        ("unidy.default_limit", "5", json!(5)),
        ("ticketing.errors", "message", json!("message")),
        ("ticketing.session_life_s", "60", json!(60)),
        ("ticketing.least_version", "4.0.0", json!("4.0.0")),
        ("texpo.timestamps", "iso", json!("iso")),
        ("texpo.permission_code", "-7", json!(-7)),
        (
            "unidy.consent",
            r#"{"approve":{"user":"mira@example.org"}}"#,
            json!({ "approve": { "user": "mira@example.org" } }),
        ),
    ];
    for (name, value, done) in changed {
        let served = Served::start_with(&["--choice", &format!("{name}={value}")]);
        let (system, member) = name.split_once('.').unwrap();
        let path = CHOICES.iter().find(|(name, _)| *name == system).unwrap().1;
        assert_eq!(served.tells(path)[member], done, "{name}");
    }
}

#[test]
fn what_cannot_be_chosen_is_refused_with_what_can() {
    for (choice, said) in [
        ("bam.error_key=code", "`errorCode` or `error`"),
        ("bam.error_key", "NAME=VALUE"),
        ("bam.eror_key=error", "--choices lists them"),
        ("bam=1", "--choices lists them"),
        ("imap.folder=1", "--choices lists them"),
        ("bam.paged=maybe", "a boolean"),
        ("unidy.default_limit=70000", "u16"),
        ("unidy.price=", "`number`"),
        ("ticketing.unused=never", "`not_available`"),
        ("texpo.update=sometimes", "`replaces` or `changes`"),
    ] {
        let line = fails(|| sandbox(&["--choice", choice]), b"", 2, "invalid_input");
        assert!(line.contains(said) && line.contains(choice), "{line}");
    }
    for options in [
        &["--choices", "--choice", "bam.paged=true"][..],
        &["--page-limit", "0"],
        &["--moves", "many"],
        &["--lease", "-1"],
    ] {
        fails(|| sandbox(options), b"", 2, "invalid_input");
    }
    let served = Served::start();
    let port = served.url().rsplit(':').next().unwrap();
    let line = fails(|| sandbox(&["--port", port]), b"", 1, "system");
    assert!(line.contains(port), "{line}");
}

#[test]
fn its_bounds_can_be_set() {
    let served =
        Served::start_with(&["--tickets", "7", "--page-limit", "3", "--lease", "7200", "--moves", "0"]);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    served.login(folder, 0).json();
    assert_eq!(json_of(folder, &["sync"])["received"], 7);
    let requests = served.tells("/sandbox/requests");
    let pages = requests.as_array().unwrap().iter().filter(|request| *request == "GET /v1/ticket").count();
    assert!(pages >= 3, "{requests}");
    let bound = json_of(folder, &["tickets", "list"]).as_array().unwrap().iter().find_map(|ticket| {
        json_of(folder, &["tickets", "show", ticket["id"].as_str().unwrap()])["lease_end"].as_i64()
    });
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let ahead = bound.unwrap() - i64::try_from(since_epoch.as_secs()).unwrap();
    assert!((1..=7200).contains(&ahead), "{ahead}");
}
