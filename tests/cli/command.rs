//! Runs the command. Whatever it says is scanned for the secrets of the sandboxes that it may have met.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet_sandbox::keep_closed;

use crate::support::{python, root};
use crate::told;

/// What a finished command left.
#[derive(Debug, Clone)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    /// Its output as JSON; it must have succeeded.
    pub(crate) fn json(&self) -> Value {
        self.json_and(0)
    }

    /// Its output as JSON, with this exit code.
    pub(crate) fn json_and(&self, code: i32) -> Value {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), ""), "{}", self.stdout);
        assert_eq!(self.stdout.matches('\n').count(), 1, "one line: {}", self.stdout);
        serde_json::from_str(&self.stdout).unwrap()
    }

    /// Its output for people; it must have succeeded.
    pub(crate) fn text(&self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (Some(0), ""), "{}", self.stdout);
        assert!(self.stdout.ends_with('\n'), "{}", self.stdout);
        self.stdout.clone()
    }

    /// Checks that it failed with this code and one clear line; returns the line.
    pub(crate) fn failed(&self, code: i32) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{}", self.stderr);
        assert!(self.stderr.ends_with('\n') && self.stderr.lines().count() == 1, "{}", self.stderr);
        for word in ["panicked", "RUST_BACKTRACE", "unwrap"] {
            assert!(!self.stderr.contains(word), "{}", self.stderr);
        }
        self.stderr.trim_end()
    }
}

/// The command with these arguments, untouched by the settings of whoever runs the tests.
pub(crate) fn ticket_wallet<A: AsRef<OsStr>>(arguments: &[A]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ticket-wallet"));
    command.args(arguments).env_remove("TICKET_WALLET_HOME").env(told::VARIABLE, told::file());
    for name in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        command.env_remove(name).env_remove(name.to_uppercase());
    }
    command
}

/// The command on the wallet in this folder.
pub(crate) fn in_store<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Command {
    let mut command = ticket_wallet(&["--store".as_ref(), folder.as_os_str()]);
    command.args(arguments);
    command
}

/// Runs it to its end with this on its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Finished {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A command that reads no further closes its input.
        scope.spawn(move || stdin.write_all(input).ok());
        child.wait_with_output().unwrap()
    });
    let finished = Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    };
    tells_no_secret(command, &finished);
    finished
}

/// Checks that a finished command told no secret of a sandbox.
pub(crate) fn tells_no_secret(command: &Command, finished: &Finished) {
    let arguments: Vec<_> = command.get_args().map(OsStr::to_string_lossy).collect();
    let leaks = told::leaks(&arguments, &finished.stdout, &finished.stderr);
    assert!(leaks.is_empty(), "a secret of the sandbox is in {leaks:?}");
}

/// Runs it to its end at a terminal of its own, typing the second text of each pair when the first has come up. What the
/// terminal shows stands in `stdout`.
pub(crate) fn at_terminal(command: &Command, typed: &[(&str, &str)]) -> Finished {
    let mut script = Command::new(python());
    script.arg(root().join("tests/support/terminal.py")).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let mut child =
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(json!(typed).to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let code = shown["code"].as_i64().map(|code| i32::try_from(code).unwrap());
    let finished =
        Finished { code, stdout: shown["screen"].as_str().unwrap().to_owned(), stderr: String::new() };
    tells_no_secret(command, &finished);
    finished
}

/// What a command on the wallet in this folder says with `--json`; it must succeed.
pub(crate) fn json_of<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> Value {
    run(in_store(folder, arguments).arg("--json"), b"").json()
}

/// What the doctor says with `--json` of a store that needs something.
pub(crate) fn illness_of<A: AsRef<OsStr>>(folder: &Path, doctor: &[A]) -> Value {
    run(in_store(folder, doctor).arg("--json"), b"").json_and(9)
}

/// What it says to people; it must succeed.
pub(crate) fn text_of<A: AsRef<OsStr>>(folder: &Path, arguments: &[A]) -> String {
    run(&mut in_store(folder, arguments), b"").text()
}

/// `ticket-wallet sandbox` while it serves.
#[derive(Debug)]
pub(crate) struct Served {
    child: Child,
    /// Its ready line.
    pub(crate) ready: Value,
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    pub(crate) fn start_with(options: &[&str]) -> Self {
        let mut child = ticket_wallet(&["sandbox"]).args(options).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self { child, ready: serde_json::from_str(&line).unwrap() }
    }

    pub(crate) fn url(&self) -> &str {
        self.ready["url"].as_str().unwrap()
    }

    /// Signs this user of the sandbox in.
    pub(crate) fn login(&self, folder: &Path, user: usize) -> Finished {
        let user = &self.ready["users"][user];
        let (name, password) = (user["name"].as_str().unwrap(), user["password"].as_str().unwrap());
        run(&mut login(folder, self.url(), name), format!("{password}\n").as_bytes())
    }

    /// Interrupts it as Ctrl-C does. Its port stays closed.
    pub(crate) fn stop(mut self) -> ExitStatus {
        // The shell's own `kill`: the program of that name is not on every machine.
        let script = format!("kill -INT {}", self.child.id());
        let told = Command::new("sh").args(["-c", &script]).status().unwrap();
        assert!(told.success());
        let status = self.child.wait().unwrap();
        keep_closed(self.url().strip_prefix("http://").unwrap().parse().unwrap());
        status
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// `login --json` at this address.
pub(crate) fn login(folder: &Path, url: &str, user: &str) -> Command {
    in_store(folder, &["login", "--json", "--system", "bam", "--url", url, "--user", user])
}

/// A wallet whose person could not sign in: it is there and has no account.
pub(crate) fn without_account() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    run(&mut login(folder.path(), "http://127.0.0.1:1", "mira"), b"pw\n").failed(3);
    folder
}
