//! What several test programs share: the Python of the tests, a gate and an issuer with real keys.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;
use ticket_wallet::barcode::{Credential, DeviceSignature, Purpose, code_text, proof_message};
use ticket_wallet::host::{KeyVault as _, SoftwareVault};
use ticket_wallet::model::Provider;
use ticket_wallet::{CheckerConfig, CodeCheck, CodeChecker, CredentialRequest, Issuer, KnownIssuer};

/// The Python with the packages of `tests/requirements.txt`.
pub(crate) fn python() -> PathBuf {
    let named = std::env::var_os("TICKET_WALLET_PYTHON").map(PathBuf::from);
    let python = named.unwrap_or_else(|| root().join(".venv/bin/python"));
    assert!(python.is_file(), "run `cargo tool setup` first");
    python
}

/// The repository's root, above whichever package the test program belongs to.
pub(crate) fn root() -> &'static Path {
    let mut folders = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    folders.find(|folder| folder.join("Cargo.lock").is_file()).unwrap()
}

/// Runs a script of this folder and returns what it printed; panics with what it complained about.
pub(crate) fn run_script<A: AsRef<OsStr>>(name: &str, arguments: &[A], input: &str) -> String {
    let mut child = Command::new(python())
        .arg(root().join("tests/support").join(name))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = std::thread::scope(|scope| {
        // A script that stops early closes its input; what it says then is checked below.
        scope.spawn(move || stdin.write_all(input.as_bytes()).ok());
        child.wait_with_output().unwrap()
    });
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Reads one JSON value a line.
pub(crate) fn json_lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What the second implementation says to each request; see `judge.py` for their form.
pub(crate) fn judge(requests: &[Value]) -> Vec<Value> {
    const NO_ARGUMENTS: [&str; 0] = [];
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let opinions = json_lines(&run_script("judge.py", &NO_ARGUMENTS, &lines));
    assert_eq!(opinions.len(), requests.len());
    opinions
}

/// `tests/fixtures/barcode-v1.json`.
pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../fixtures/barcode-v1.json")).unwrap()
}

/// The bytes of a JSON string of hex digits.
pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// The event of the vectors as it stands in signed bytes.
pub(crate) fn vectors_event(vectors: &Value) -> Vec<u8> {
    let provider = Provider::parse(vectors["provider"].as_str().unwrap()).unwrap();
    provider.event(vectors["event"].as_str().unwrap()).unwrap().0.to_vec()
}

/// The gate for which the vectors were made.
pub(crate) fn vectors_gate(vectors: &Value) -> CodeChecker {
    let public_key = bytes(&vectors["issuer_public_key"]);
    CodeChecker::new(CheckerConfig {
        issuers: vec![KnownIssuer { public_key, valid_from: None, valid_until: None }],
        event: Some(vectors_event(vectors)),
        sections: vec![7],
        tolerance_s: 10,
    })
    .unwrap()
}

/// Verdict and fields in the form in which the vectors give them.
pub(crate) fn check_as_json(check: &CodeCheck) -> Value {
    let fields = check.fields.as_ref().map_or(json!({}), |f| {
        json!({
            "event": f.event, "ticket": f.ticket, "section": f.section, "generation": f.generation,
            "not_before": f.not_before, "lease_end": f.lease_end, "window": f.window, "presented_at": f.presented_at,
        })
    });
    json!({ "verdict": format!("{:?}", check.verdict), "fields": fields })
}

/// An issuer, and a phone with its own key for each ticket.
pub(crate) struct Signers {
    issuer: Issuer,
    vault: SoftwareVault,
    _folder: TempDir,
}

impl Signers {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let vault = SoftwareVault::new(folder.path().join("vault.json").to_str().unwrap().to_owned());
        Self { issuer: Issuer::new(vec![7; 32]).unwrap(), vault, _folder: folder }
    }

    /// The text of a signed barcode of this ticket, shown at this Unix second.
    pub(crate) fn code(&self, ticket: &str, presented_at: u32) -> String {
        let request = CredentialRequest {
            provider: "bam:api.example.org/org1".to_owned(),
            event_id: "4711".to_owned(),
            ticket_id: ticket.to_owned(),
            section: 7,
            generation: 1,
            not_before: presented_at - 3600,
            lease_end: presented_at + 86_400,
            window_s: 30,
            nonce_required: false,
            device_key: self.vault.create_key(ticket.to_owned()).unwrap(),
        };
        let credential = Credential::from_bytes(&self.issuer.credential(request).unwrap()).unwrap();
        let message = proof_message(&credential, presented_at, None);
        let signature = self.vault.sign(ticket.to_owned(), Purpose::Present, message).unwrap();
        code_text(&credential, presented_at, &DeviceSignature::from_der(&signature).unwrap())
    }
}
