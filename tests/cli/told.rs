//! The secrets of all sandboxes that a command has met so far: they are told through a file, and must be told nowhere
//! else.

use std::collections::BTreeSet;
use std::env;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::command::{Served, in_store, run, ticket_wallet};

/// Names the file to every sandbox that a command starts.
pub(crate) const VARIABLE: &str = "TICKET_WALLET_SANDBOX_SECRETS";

struct Told {
    file: PathBuf,
    /// How much of the file was read.
    read: u64,
    secrets: BTreeSet<String>,
}

static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(|| {
    let named = env::var_os(VARIABLE).map(PathBuf::from);
    let file = named.unwrap_or_else(|| {
        let own = Path::new(env!("CARGO_TARGET_TMPDIR")).join("told-by-sandboxes.txt");
        fs::write(&own, "").unwrap();
        own
    });
    // What others told before is not this program's.
    let read = fs::metadata(&file).map_or(0, |file| file.len());
    Mutex::new(Told { file, read, secrets: BTreeSet::new() })
});

pub(crate) fn file() -> PathBuf {
    TOLD.lock().unwrap().file.clone()
}

impl Told {
    /// Reads the whole lines that were added.
    fn catch_up(&mut self) {
        let Ok(mut file) = File::open(&self.file) else { return };
        let mut added = Vec::new();
        file.seek(SeekFrom::Start(self.read)).unwrap();
        file.read_to_end(&mut added).unwrap();
        let whole = added.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.read += whole as u64;
        let lines = String::from_utf8(added[..whole].to_vec()).unwrap();
        self.secrets.extend(lines.lines().map(str::to_owned));
    }
}

/// What is left of an output without what its command is for: `sandbox` tells passwords, keys and clients, `show` and `demo`
/// the texts of barcodes, each in the member `text` of a line of JSON, and `tokens` the codes of admission tokens, in members
/// and last in a line, but where it lists them.
fn besides(arguments: &[impl AsRef<str>], output: &str) -> String {
    let of = |name: &str| arguments.iter().any(|argument| argument.as_ref() == name);
    if of("sandbox") {
        return String::new();
    }
    let shows = of("demo") || of("show") && !of("tickets") && !of("ticket");
    let line = |line: &str| match serde_json::from_str(line) {
        Ok(Value::Object(mut members)) if shows => {
            members.remove("text");
            Value::Object(members).to_string()
        }
        _ => line.to_owned(),
    };
    if of("tokens") && ["issue", "show", "look-up"].into_iter().any(of) {
        return output.lines().map(without_code).collect::<Vec<_>>().join("\n");
    }
    output.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// A line without the code, or the key, of an admission token.
fn without_code(line: &str) -> String {
    let Ok(Value::Object(mut members)) = serde_json::from_str(line) else {
        return line.rsplit_once(' ').map_or(line, |(before, _)| before).to_owned();
    };
    members.remove("code");
    members.remove("key");
    for token in members.get_mut("tokens").and_then(Value::as_array_mut).into_iter().flatten() {
        token.as_object_mut().map(|token| token.remove("code"));
    }
    Value::Object(members).to_string()
}

/// Which of a command's outputs hold a secret; never which secret.
pub(crate) fn leaks(arguments: &[impl AsRef<str>], stdout: &str, stderr: &str) -> Vec<&'static str> {
    let mut told = TOLD.lock().unwrap();
    told.catch_up();
    // JSON writes some characters in another way.
    let forms = |secret: &String| {
        [secret.clone(), serde_json::to_string(secret).unwrap().trim_matches('"').to_owned()]
    };
    let holds = |text: &str| {
        let text = besides(arguments, text);
        told.secrets.iter().flat_map(forms).any(|form| text.contains(&form))
    };
    [("stdout", stdout), ("stderr", stderr)]
        .into_iter()
        .filter(|(_, text)| holds(text))
        .map(|(name, _)| name)
        .collect()
}

/// The control: passwords, tokens and keys of the sandbox that a command talks to are known, and noticed in either output.
#[test]
fn a_planted_secret_is_noticed() {
    let (served, folder) = (Served::start(), tempfile::tempdir().unwrap());
    served.login(folder.path(), 0).json();
    run(&mut in_store(folder.path(), &["sync", "--json"]), b"").json();
    let password = served.ready["users"][0]["password"].as_str().unwrap();
    let token = {
        let told = TOLD.lock().unwrap();
        assert!(told.secrets.contains(password));
        told.secrets.iter().find(|secret| secret.starts_with("eyJ")).cloned().unwrap()
    };
    for secret in [password, &token] {
        let text = format!("{{\"x\":\"…{secret}…\"}}\n");
        assert_eq!(leaks(&["sync"], &text, ""), ["stdout"]);
        assert_eq!(leaks(&["show", "1"], "", &text), ["stderr"]);
        assert_eq!(leaks(&["tickets", "show", "1"], &text, &text), ["stdout", "stderr"]);
        assert!(leaks(&["sync"], "nothing", "").is_empty());
        assert!(leaks(&["sandbox"], &text, "").is_empty());
    }
    // A barcode's own place, and no other.
    let barcode = format!("{{\"text\":\"{token}\"}}\n");
    for commands in [&["show", "1"][..], &["demo"]] {
        assert!(leaks(commands, &barcode, "").is_empty());
        assert_eq!(leaks(commands, &barcode.replace("text", "note"), ""), ["stdout"]);
    }
    for commands in [&["tickets", "show", "1"][..], &["box-office", "ticket", "show", "1"], &["sync"]] {
        assert_eq!(leaks(commands, &barcode, ""), ["stdout"]);
    }
}

/// The codes of admission tokens have their own places, and no other.
#[test]
fn codes_of_admission_tokens_are_told_by_what_is_for_them() {
    let served = Served::start();
    let (mut login, _) = served.host_login(tempfile::tempdir().unwrap().path());
    run(login.arg("--json"), b"wrong\n");
    let access = served.tells("/sandbox/ticketing");
    let code = access["events"][0]["global_code"].as_str().unwrap();
    let (row, listed) = (format!("1  /events/1/sections/2  {code}\n"), format!("{code}  /events/1\n"));
    let json = format!("{{\"tokens\":[{{\"code\":\"{code}\"}}],\"code\":\"{code}\",\"key\":\"{code}\"}}\n");
    for command in ["issue", "show", "look-up"] {
        assert!(leaks(&["tokens", command], &row, "").is_empty());
        assert!(leaks(&["tokens", command], &json, "").is_empty());
        assert_eq!(leaks(&["tokens", command], &listed, ""), ["stdout"]);
        assert_eq!(leaks(&["tokens", command], &json.replace("code", "note"), ""), ["stdout"]);
    }
    for commands in [&["tokens", "list"][..], &["tokens", "update"], &["box-office", "writes", "list"]] {
        assert_eq!(leaks(commands, &json, ""), ["stdout"]);
        assert_eq!(leaks(commands, &row, ""), ["stdout"]);
    }
}

/// What a gate signs in with, and what it gets for it, are known, and have no place in what it says.
#[test]
fn a_gates_code_and_session_are_noticed() {
    let (served, folder) = (Served::start(), tempfile::tempdir().unwrap());
    let one = &served.ready["admission_codes"][0];
    let (code, tenant) = (one["code"].as_str().unwrap(), one["tenant"].as_str().unwrap());
    let url = format!("{}/t/{tenant}", served.url());
    let sign_in = ["gate", "sign-in", "--url", &url, "--name", "Door", "--json"];
    let before: Vec<String> = serde_json::from_value(served.tells("/sandbox/secrets")).unwrap();
    run(&mut in_store(folder.path(), &sign_in), format!("{code}\n").as_bytes()).json();
    let mut given: Vec<String> = serde_json::from_value(served.tells("/sandbox/secrets")).unwrap();
    given.retain(|secret| !before.contains(secret));
    assert_eq!(given.len(), 1, "the session alone is new");
    for secret in [code, &given[0]] {
        for command in ["sign-in", "status", "scan", "records", "sync"] {
            assert_eq!(leaks(&["gate", command], &format!("x {secret} x\n"), ""), ["stdout"]);
        }
    }
}

/// What `run` says of a command that tells a secret.
#[test]
#[should_panic(expected = "a secret of the sandbox is in [\"stderr\"]")]
fn a_command_that_tells_a_secret_fails_its_test() {
    let served = Served::start();
    let password = served.ready["users"][0]["password"].as_str().unwrap().to_owned();
    // The name of a command that is not there is repeated.
    run(&mut ticket_wallet(&[password]), b"");
}

#[tokio::test]
async fn sandboxes_of_this_process_tell_where_they_are_asked_to() {
    let sandbox = Sandbox::start(SandboxConfig::default()).await.unwrap();
    let secrets = sandbox.secrets();
    assert!(secrets.len() > 3);
    if env::var_os(VARIABLE).is_some() {
        let mut told = TOLD.lock().unwrap();
        told.catch_up();
        assert!(secrets.iter().all(|secret| secret.contains('\n') || told.secrets.contains(secret)));
    }
}
