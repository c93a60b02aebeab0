//! Bad input of each kind gets one clear line, its documented exit code, and nothing on standard output.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command::{Served, in_store, login, run, ticket_wallet, without_account};
use crate::tiny_server::{Answer, TinyServer};

/// Runs a command twice and checks how it fails: for people, and with `--json` as an object. Returns the reason.
pub(crate) fn fails(make: impl Fn() -> Command, input: &[u8], code: i32, name: &str) -> String {
    let for_people = run(&mut make(), input);
    let line = for_people.failed(code).strip_prefix("error: ").unwrap().to_owned();
    let for_scripts = run(make().arg("--json"), input);
    let said: Value = serde_json::from_str(for_scripts.failed(code)).unwrap();
    assert_eq!((&said["error"]["code"], &said["error"]["reason"]), (&name.into(), &line.as_str().into()));
    line
}

/// `login` without `--json`.
fn plain_login(folder: &Path, url: &str, user: &str) -> Command {
    in_store(folder, &["login", "--system", "bam", "--url", url, "--user", user])
}

fn login_fails(url: &str, password: &[u8], code: i32, name: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    fails(|| plain_login(folder.path(), url, "mira@example.org"), password, code, name)
}

#[test]
fn addresses_that_cannot_be_used() {
    for url in
        ["", "foo", "api.example.org", "ftp://example.org", "file:///etc/passwd", "https://", "http://"]
    {
        login_fails(url, b"pw\n", 2, "invalid_input");
    }
    for url in ["https://user@example.org", "https://user:secret@example.org"] {
        let line = login_fails(url, b"pw\n", 2, "invalid_input");
        assert!(!line.contains("secret"), "{line}");
    }
    for url in ["http://example.org", "http://127.0.0.1.example.org", "http://localhost.example.org"] {
        let line = login_fails(url, b"pw\n", 2, "invalid_input");
        assert!(line.contains("use https"), "{line}");
    }
    let folder = tempfile::tempdir().unwrap();
    for template in ["foo", "http://{tenant}.example.org", "ftp://{tenant}"] {
        let options = ["--tenant-url", template];
        let make = || {
            let mut command = plain_login(folder.path(), "https://example.org", "mira");
            command.args(options);
            command
        };
        fails(make, b"pw\n", 2, "invalid_input");
    }
}

#[test]
fn servers_that_are_not_there() {
    for url in ["https://nowhere.invalid", "https://127.0.0.1:1", "http://127.0.0.1:1", "http://[::1]:1"] {
        let line = login_fails(url, b"pw\n", 3, "unreachable");
        assert!(line.contains("cannot be reached"), "{line}");
    }
    // A server that speaks no TLS.
    let server = TinyServer::start(|_| Answer::ok("{}"));
    login_fails(&server.url().replace("http", "https"), b"pw\n", 3, "unreachable");
}

#[test]
fn passwords_that_are_wrong_or_none() {
    let served = Served::start();
    let line = login_fails(served.url(), b"wrong\n", 4, "refused");
    assert!(line.contains("password") && !line.contains("wrong"), "{line}");
    for none in [&b""[..], b"\n", b"\r\n"] {
        assert!(login_fails(served.url(), none, 2, "invalid_input").contains("password"));
    }
    login_fails(served.url(), b"\xff\xfe\n", 2, "invalid_input");
    let folder = tempfile::tempdir().unwrap();
    fails(|| plain_login(folder.path(), served.url(), ""), b"pw\n", 2, "invalid_input");
    let none = run(&mut in_store(folder.path(), &["accounts", "--json"]), b"");
    assert_eq!(none.json(), Value::Array(vec![]), "a refused sign-in leaves no account");
}

/// What no server should answer to anything, all with status 200.
fn rubbish() -> Vec<Answer> {
    let deep = "[".repeat(200_000);
    let texts = [
        "",
        "<html>Gateway</html>",
        "null",
        "[]",
        "7",
        "\"text\"",
        "{",
        "{\"data\":",
        "{\"data\":{\"token\":",
        "{\"data\":{\"token\":7}}",
        "{\"data\":{\"token\":null}}",
        "{\"data\":\"x\"}",
        "{}",
        &deep,
    ];
    let mut answers: Vec<_> = texts.iter().map(|text| Answer::ok(*text)).collect();
    answers.push(Answer::ok([0xff, 0xfe, b'{']));
    answers.push(Answer::ok("{}").with("Content-Encoding: gzip"));
    answers
}

#[test]
fn servers_that_answer_rubbish_to_a_sign_in() {
    for answer in rubbish() {
        let server = TinyServer::start(move |_| answer.clone());
        login_fails(&server.url(), b"pw\n", 3, "unreachable");
    }
    for status in [429, 500, 502, 503] {
        let server = TinyServer::start(move |_| Answer::status(status));
        let line = login_fails(&server.url(), b"pw\n", 3, "unreachable");
        assert!(line.contains(&status.to_string()), "{line}");
    }
}

#[test]
fn servers_that_answer_rubbish_to_a_sync() {
    let lists = [
        r#"{"data":{}}"#,
        r#"{"data":[7]}"#,
        r#"{"data":[{}]}"#,
        r#"{"data":[{"id":null}]}"#,
        r#"{"data":[],"paging":{"total":"many"}}"#,
        r#"{"data":[],"paging":7}"#,
        r#"{"data":[{"id":1,"ticket_config":{"event":{"organizer_id":1}}}]}"#,
    ];
    let answers = rubbish().into_iter().chain(lists.iter().map(|list| Answer::ok(*list)));
    for answer in answers {
        let shown = format!("{answer:?}").chars().take(200).collect::<String>();
        let server = TinyServer::start(move |asked| match asked.path.as_str() {
            path if path.ends_with("/login") => Answer::ok(r#"{"data":{"token":"t","refresh_token":"r"}}"#),
            _ => answer.clone(),
        });
        let folder = tempfile::tempdir().unwrap();
        run(&mut login(folder.path(), &server.url(), "mira"), b"pw\n").json();
        let line = fails(|| in_store(folder.path(), &["sync"]), b"", 3, "unreachable");
        assert!(line.contains("could not be read") || line.contains("connection broke"), "{shown}: {line}");
        let list = run(&mut in_store(folder.path(), &["tickets", "list", "--json"]), b"").json();
        assert_eq!(list, Value::Array(vec![]), "{shown}");
    }
}

#[test]
fn commands_and_tickets_that_there_are_not() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        &["snyc"][..],
        &["tickets", "drop"],
        &["sync", "extra"],
        &["--frobnicate"],
        &["login"],
        &["show"],
        &["login", "--system", "imap", "--url", "https://x", "--user", "y"],
        &["sandbox", "--port", "99999"],
        &["sandbox", "--window", "4"],
        &["show", "641f28287962ebcf0828e652", "--nonce", "01"],
    ] {
        fails(|| in_store(folder.path(), wrong), b"", 2, "invalid_input");
    }
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "wrong usage touches no store");
    let folder = without_account();
    for id in ["", "zz", "641f28287962ebcf0828e6", "641f28287962ebcf0828e65200", "../../../../etc/passwd"] {
        for command in [&["show", id][..], &["tickets", "show", id]] {
            fails(|| in_store(folder.path(), command), b"", 2, "invalid_input");
        }
    }
    let unknown = "641f28287962ebcf0828e652";
    for command in
        [&["show", unknown][..], &["tickets", "show", unknown], &["sync", "--account", "none"], &["sync"]]
    {
        fails(|| in_store(folder.path(), command), b"", 2, "not_found");
    }
    let help = run(&mut ticket_wallet(&["--help"]), b"");
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    assert!(help.stdout.contains("Exit codes: 0 done"));
}

#[test]
fn pictures_that_cannot_be_written() {
    let served = Served::start();
    let folder = tempfile::tempdir().unwrap();
    served.login(folder.path(), 0).json();
    run(&mut in_store(folder.path(), &["sync", "--json"]), b"").json();
    let list = run(&mut in_store(folder.path(), &["tickets", "list", "--json"]), b"").json();
    let ids = list.as_array().unwrap().iter().map(|ticket| ticket["id"].as_str().unwrap());
    let (shows, shows_not): (Vec<_>, Vec<_>) =
        ids.partition(|id| run(&mut in_store(folder.path(), &["show", id, "--json"]), b"").code == Some(0));
    let pictures = tempfile::tempdir().unwrap();
    for name in ["x.jpg", "x", ".png", "x.PNG.txt"] {
        let out = pictures.path().join(name);
        let make = || {
            in_store(folder.path(), &["show".as_ref(), shows[0].as_ref(), "--out".as_ref(), out.as_os_str()])
        };
        assert!(fails(make, b"", 2, "invalid_input").contains("--out"));
        assert!(!out.exists());
    }
    let nowhere = pictures.path().join("none").join("x.png");
    let make = || {
        in_store(folder.path(), &["show".as_ref(), shows[0].as_ref(), "--out".as_ref(), nowhere.as_os_str()])
    };
    fails(make, b"", 1, "system");
    for id in shows_not {
        let line = fails(|| in_store(folder.path(), &["show", id]), b"", 6, "no_barcode");
        assert!(line.starts_with("no barcode: "), "{line}");
    }
}
