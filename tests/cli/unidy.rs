//! A holder at Unidy: signing in by password, code and browser, files of tickets, and tickets that go to somebody else.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bad_input::fails;
use crate::command::{Finished, Served, at_terminal, in_store, json_of, run, tells_no_secret, text_of};
use crate::served::text;

/// Signed in as this user, and synced.
fn holder(served: &Served, user: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    served.login_to_unidy(folder.path(), user).json();
    json_of(folder.path(), &["sync"]);
    folder
}

/// A ticket that can be handed on and fetched.
fn active(folder: &Path) -> String {
    let list = json_of(folder, &["tickets", "list"]);
    let found = list.as_array().unwrap().iter().find(|ticket| ticket["title"] == "Heimspiel 1");
    text(&found.unwrap()["id"])
}

#[test]
fn a_person_signs_in_by_password() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (name, password) = served.user(0);
    let login = || {
        let mut command = served.unidy_login(folder);
        command.args(["--user", &name]);
        command
    };
    let line = fails(login, b"wrong\n", 4, "refused");
    assert!(line.contains("password") && !line.contains("wrong"), "{line}");
    let account = served.login_to_unidy(folder, 0).json();
    assert_eq!((&account["system"], &account["warnings"]), (&json!("unidy"), &json!([])));
    let said = run(&mut login(), format!("{password}\n").as_bytes()).text();
    assert!(said.contains("Next: ticket-wallet sync"), "{said}");
    let typed = [("Password: ", format!("{password}\n"))];
    let typed = typed.each_ref().map(|(after, text)| (*after, text.as_str()));
    let at = at_terminal(&login(), &typed);
    assert!(at.code == Some(0) && !at.stdout.contains(&password), "the terminal shows no password");
    let report = json_of(folder, &["sync"]);
    assert!(report["added"].as_u64().unwrap() > 24, "{report}");
    let list = text_of(folder, &["tickets", "list"]);
    assert!(!list.contains('\u{202e}') && list.contains("rückwärts"), "{list}");
    // The records' barcodes are for `show` alone.
    for ticket in json_of(folder, &["tickets", "list"]).as_array().unwrap() {
        let id = text(&ticket["id"]);
        let detail = json_of(folder, &["tickets", "show", &id]);
        text_of(folder, &["tickets", "show", &id]);
        if ticket["profile"] == "static" {
            assert!(detail["record"].to_string().contains("(hidden)"), "{detail}");
        }
    }
}

#[test]
fn a_person_signs_in_by_a_code_that_comes_by_e_mail() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (name, _) = served.user(0);
    let login = || {
        let mut command = served.unidy_login(folder);
        command.args(["--user", &name, "--code"]);
        command
    };
    fails(login, b"000000\n", 4, "refused");
    assert_eq!(json_of(folder, &["accounts"]), json!([]));
    // The code is sent while the command waits for it.
    let code = |served: &Served| served.last_mail();
    let done = answered(login().arg("--json"), |_| code(&served), &served);
    let account: Value = serde_json::from_str(&done.stdout).unwrap();
    assert_eq!((done.code, &account["system"]), (Some(0), &json!("unidy")));
    assert_eq!(json_of(folder, &["accounts"])[0]["user"], name);
}

/// Runs a command that asks for something that is only there once it has begun; `answer` is made of its first line, or of
/// nothing when it says none.
fn answered(command: &mut Command, answer: impl Fn(&str) -> String, served: &Served) -> Finished {
    let opens = command.get_args().any(|argument| argument == "--browser");
    let mails = served.tells("/sandbox/unidy/mails").as_array().unwrap().len();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    if opens {
        stdout.read_line(&mut first).unwrap();
    } else {
        while served.tells("/sandbox/unidy/mails").as_array().unwrap().len() == mails {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
    child.stdin.take().unwrap().write_all((answer(&first) + "\n").as_bytes()).unwrap();
    let (mut rest, mut stderr) = (String::new(), String::new());
    stdout.read_to_string(&mut rest).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let finished = Finished { code: child.wait().unwrap().code(), stdout: rest, stderr };
    tells_no_secret(command, &Finished { stdout: first + &finished.stdout, ..finished.clone() });
    finished
}

/// `login --browser` as this app of the first brand.
fn by_browser(served: &Served, folder: &Path, app: &str) -> Command {
    let (url, app) = (text(&served.brand(0)["url"]), served.app(app));
    let mut command = in_store(folder, &["login", "--system", "unidy", "--url", &url, "--api", "partner"]);
    command.args(["--browser", "--client-id", &text(&app["client_id"])]);
    command.args(["--redirect-uri", &text(&app["redirect_uri"])]);
    if let Some(secret) = app["client_secret"].as_str() {
        command.env("TICKET_WALLET_CLIENT_SECRET", secret);
    }
    command
}

fn consent(served: &Served, consent: Value) {
    served.control("PUT", "/sandbox/unidy/choices", &json!({ "consent": consent }));
}

fn approve(served: &Served) {
    consent(served, json!({ "approve": { "user": served.user(0).0 } }));
}

/// Where the page leads to that the first line, JSON or text, says to open.
fn opened(served: &Served, first: &str) -> String {
    let line: Value = serde_json::from_str(first).unwrap();
    served.browse(line["open"].as_str().unwrap())
}

#[test]
fn a_person_signs_in_through_the_browser() {
    let served = Served::start();
    approve(&served);
    for app in ["app", "shop"] {
        for implicit in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let mut login = by_browser(&served, folder.path(), app);
            if implicit {
                login.arg("--implicit");
            }
            let done = answered(login.arg("--json"), |first| opened(&served, first), &served);
            assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{app} {implicit}");
            let account: Value = serde_json::from_str(&done.stdout).unwrap();
            assert_eq!(account["warnings"].as_array().unwrap().is_empty(), !implicit, "{account}");
            assert!(json_of(folder.path(), &["sync"])["added"].as_u64().unwrap() > 0);
            assert_eq!(json_of(folder.path(), &["accounts"])[0]["user"], served.user(0).0);
        }
    }
}

#[test]
fn a_sign_in_through_the_browser_that_does_not_come_about_says_why() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let login = || {
        let mut command = by_browser(&served, folder, "app");
        command.arg("--json");
        command
    };
    let failed = |done: Finished, code: i32, name: &str| {
        assert_eq!((done.code, done.stdout.as_str()), (Some(code), ""), "{}", done.stderr);
        let error: Value = serde_json::from_str(&done.stderr).unwrap();
        assert_eq!(error["error"]["code"], name, "{error}");
    };
    consent(&served, json!("deny"));
    failed(answered(&mut login(), |first| opened(&served, first), &served), 1, "cancelled");
    approve(&served);
    for other in
        ["", "nonsense", "https://example.org/?code=1&state=2", "com.example.ticketwallet:/oauth?code=1"]
    {
        failed(answered(&mut login(), |_| other.to_owned(), &served), 2, "invalid_input");
    }
    // The answer to another sign-in than this one's is accepted once, whoever waits for it.
    let said = answered(&mut by_browser(&served, folder, "app"), |_| String::new(), &served);
    assert_eq!((said.code, said.stdout.lines().count()), (Some(2), 1), "{}", said.stdout);
    assert_eq!(json_of(folder, &["accounts"]), json!([]));
}

#[test]
fn what_is_meant_for_another_way_in_is_refused() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let url = text(&served.brand(0)["url"]);
    let unidy = |more: &'static [&'static str]| {
        let url = url.clone();
        move || {
            let mut command = in_store(folder, &["login", "--system", "unidy", "--url", &url]);
            command.args(more);
            command
        }
    };
    let bam = |more: &'static [&'static str]| {
        let url = served.url().to_owned();
        move || {
            let mut command = in_store(folder, &["login", "--system", "bam", "--url", &url]);
            command.args(more);
            command
        }
    };
    let refused = |line: String, said: &str| assert!(line.contains(said), "{line}");
    refused(fails(unidy(&["--user", "x"]), b"pw\n", 2, "invalid_input"), "sdk_key");
    refused(fails(unidy(&["--user", "x", "--sdk-key", "nobody"]), b"pw\n", 4, "refused"), "401");
    refused(
        fails(unidy(&["--user", "x", "--organizer-id", "3"]), b"pw\n", 2, "invalid_input"),
        "--system bam",
    );
    refused(fails(unidy(&["--user", "x", "--relations", "[a]"]), b"pw\n", 2, "invalid_input"), "--relations");
    refused(fails(unidy(&["--user", "x", "--api", "partner"]), b"pw\n", 2, "invalid_input"), "--browser");
    refused(fails(unidy(&["--browser"]), b"", 2, "invalid_input"), "--api partner");
    refused(fails(unidy(&["--browser", "--api", "partner"]), b"", 2, "invalid_input"), "redirect_uri");
    refused(fails(unidy(&["--browser", "--code"]), b"", 2, "invalid_input"), "--code");
    refused(fails(unidy(&["--user", "x", "--implicit"]), b"", 2, "invalid_input"), "--browser");
    refused(fails(unidy(&["--user", "x", "--time-zone", "Mars"]), b"pw\n", 2, "invalid_input"), "time_zone");
    refused(fails(bam(&["--user", "x", "--code"]), b"pw\n", 2, "invalid_input"), "only --system unidy");
    refused(fails(bam(&["--browser"]), b"pw\n", 2, "invalid_input"), "only --system unidy");
    refused(fails(bam(&["--user", "x", "--client-id", "y"]), b"pw\n", 2, "invalid_input"), "--client-id");
    let pin = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=@soon";
    let pinned = || {
        let mut command = bam(&["--user", "x", "--pin"])();
        command.arg(pin);
        command
    };
    refused(fails(pinned, b"pw\n", 2, "invalid_input"), "Unix seconds");
    // A key in the environment is for whatever system it is.
    let (name, password) = served.user(0);
    let mut both = bam(&["--json", "--user"])();
    both.arg(name).env("TICKET_WALLET_SDK_KEY", "nobody").env("TICKET_WALLET_CLIENT_SECRET", "nobody");
    run(&mut both, format!("{password}\n").as_bytes()).json();
    let help =
        run(crate::command::ticket_wallet(&["login", "--help"]).env("TICKET_WALLET_SDK_KEY", "k7"), b"")
            .text();
    assert!(help.contains("TICKET_WALLET_SDK_KEY") && !help.contains("k7"), "{help}");
}

#[test]
fn a_ticket_s_files_are_fetched_kept_and_written() {
    let served = Served::start();
    let folder = holder(&served, 0);
    let (folder, files) = (folder.path(), tempfile::tempdir().unwrap());
    let id = active(folder);
    assert_eq!(json_of(folder, &["tickets", "documents", &id]), json!([]));
    assert!(text_of(folder, &["tickets", "documents", &id]).contains("--fetch"));
    let fetched = json_of(folder, &["tickets", "documents", &id, "--fetch"]);
    let kinds: Vec<_> = fetched.as_array().unwrap().iter().map(|file| text(&file["media_type"])).collect();
    assert_eq!(kinds, ["application/pdf", "application/vnd.apple.pkpass"]);
    assert!(served.stop().success());
    let mut write = in_store(folder, &["tickets", "documents", &id, "--out"]);
    let said = run(write.arg(files.path()), b"").text();
    for (ending, begins) in [("pdf", &b"%PDF"[..]), ("pkpass", b"PK")] {
        let path = files.path().join(format!("ticket-{id}.{ending}"));
        assert!(fs::read(&path).unwrap().starts_with(begins));
        assert!(said.contains(&format!("Wrote {}", path.display())), "{said}");
    }
    let nowhere = || in_store(folder, &["tickets", "documents", &id, "--out", "/nowhere/at/all"]);
    fails(nowhere, b"", 1, "system");
    fails(|| in_store(folder, &["tickets", "documents", &id, "--fetch"]), b"", 3, "unreachable");
    for command in [&["orders", "list"][..], &["offers"], &["enroll"], &["tickets", "questions", &id]] {
        let line = fails(|| in_store(folder, command), b"", 2, "invalid_input");
        assert!(line.contains("only B.A.M has this"), "{line}");
    }
}

#[test]
fn a_ticket_goes_to_somebody_else_who_takes_it_or_does_not() {
    let served = Served::start();
    let (from, to) = (holder(&served, 0), holder(&served, 1));
    let (from, to) = (from.path(), to.path());
    let id = active(from);
    assert_eq!(text_of(to, &["transfer", "incoming"]), "Nobody hands a ticket over.\n");
    let (recipient, offered) = (served.user(1).0, || {
        json_of(from, &["transfer", "send", &id, "--to", &served.user(1).0]);
        json_of(from, &["sync"]);
        let incoming = json_of(to, &["transfer", "incoming"]);
        assert_eq!(incoming.as_array().unwrap().len(), 1, "{incoming}");
        incoming[0].clone()
    });
    let offer = offered();
    assert_eq!((&offer["sender"], &offer["title"]), (&json!(served.user(0).0), &json!("Heimspiel 1")));
    let shown = text_of(to, &["transfer", "incoming"]);
    let token = text(&offer["token"]);
    assert!(shown.contains(&token) && shown.contains("Heimspiel 1"), "{shown}");
    let sent = json_of(from, &["transfer", "list"]);
    assert_eq!((&sent[0]["recipient"], &sent[0]["state"]), (&json!(recipient), &json!("pending")));
    let account = text(&json_of(from, &["accounts"])[0]["account"]);
    assert_eq!(json_of(from, &["transfer", "list", "--account", &account]), sent);

    // Nobody else may answer it, and an answer counts once.
    let line = fails(|| in_store(from, &["transfer", "accept", &token]), b"", 4, "refused");
    assert!(line.contains("(recipient_mismatch)"), "{line}");
    assert_eq!(json_of(to, &["transfer", "decline", &token]), json!({ "declined": true }));
    let line = fails(|| in_store(to, &["transfer", "decline", &token]), b"", 4, "refused");
    assert!(line.ends_with(')'), "{line}");
    // A token may begin like an option.
    for token in ["nobody", "-R7", "--nobody"] {
        fails(|| in_store(to, &["transfer", "accept", token]), b"", 4, "refused");
    }

    json_of(from, &["sync"]);
    let token = text(&offered()["token"]);
    let before = json_of(to, &["tickets", "list"]).as_array().unwrap().len();
    assert!(text_of(to, &["transfer", "accept", &token]).contains("Next: ticket-wallet sync"));
    json_of(to, &["sync"]);
    json_of(from, &["sync"]);
    assert_eq!(json_of(to, &["tickets", "list"]).as_array().unwrap().len(), before + 1);
    let left = json_of(from, &["tickets", "list"]);
    assert!(left.as_array().unwrap().iter().all(|ticket| ticket["title"] != "Heimspiel 1"), "{left}");
}

#[test]
fn a_holder_s_tickets_are_asked_for_at_the_brand() {
    let served = Served::start();
    let folder = holder(&served, 0);
    let folder = folder.path();
    let all = json_of(folder, &["tickets", "find", "--limit", "250"]);
    let passive = json_of(folder, &["tickets", "find", "--limit", "250", "--state", "passive"]);
    let count = |found: &Value| found["tickets"].as_array().unwrap().len();
    assert!(count(&passive) < count(&all) && all["more"] == false, "{passive}");
    assert!(passive["tickets"].as_array().unwrap().iter().all(|one| one["status"] == "passive"));
    let page = text_of(folder, &["tickets", "find", "--limit", "3", "--page", "2"]);
    assert!(page.starts_with("TICKET") && page.ends_with("More: --page 3\n"), "{page}");
    fails(|| in_store(folder, &["tickets", "find", "--limit", "251"]), b"", 2, "invalid_input");
}

#[test]
fn how_a_brand_is_spoken_with_is_told_at_sign_in() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (name, password) = served.user(0);
    let mut login = served.unidy_login(folder);
    login.args(["--user", &name, "--transfers", "true", "--update-verb", "put"]);
    run(&mut login, format!("{password}\n").as_bytes()).text();
    let account = text(&json_of(folder, &["accounts"])[0]["account"]);
    let can = json_of(folder, &["accounts", "--capabilities", &account]);
    assert!(can.as_array().unwrap().contains(&json!("IncomingTransfers")), "{can}");
}
