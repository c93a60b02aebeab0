//! `barcode verify`: the gate's check of one scanned text.

use std::io::Read as _;
use std::process::ExitCode;

use serde_json::{Value, json};
use ticket_wallet::barcode::CodeVerdict;
use ticket_wallet::{CheckerConfig, CodeCheck, CodeChecker, KnownIssuer};

use crate::args::VerifyOptions;
use crate::failure::Failure;
use crate::output::Output;

/// No barcode is longer. What follows is not read, and what was read is judged as no barcode.
const MAX_SCANNED: u64 = 64 << 10;

pub(crate) fn verify(options: VerifyOptions, output: &Output) -> Result<ExitCode, Failure> {
    let known = |key: [u8; 32]| KnownIssuer { public_key: key.to_vec(), valid_from: None, valid_until: None };
    let gate = CodeChecker::new(CheckerConfig {
        issuers: options.issuer_key.into_iter().map(known).collect(),
        event: options.event.map(|event| event.to_vec()),
        sections: options.section,
        tolerance_s: options.tolerance,
    })?;
    let mut scanned = Vec::new();
    let stdin = std::io::stdin().lock();
    stdin
        .take(MAX_SCANNED + 1)
        .read_to_end(&mut scanned)
        .map_err(|e| Failure::system("stdin cannot be read", e))?;
    if scanned.len() as u64 > MAX_SCANNED {
        scanned.clear();
    }
    let nonces = options.nonce.iter().map(|nonce| nonce.to_vec()).collect();
    let check = gate.check(scanned, options.now, nonces)?;
    output.value(&as_json(&check))?;
    Ok(if check.verdict == CodeVerdict::Valid { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// `{"verdict": …, "fields": {…}}`; the fields are empty until both signatures hold.
fn as_json(check: &CodeCheck) -> Value {
    let fields = check.fields.as_ref().map_or_else(
        || json!({}),
        |fields| {
            json!({
                "event": fields.event,
                "ticket": fields.ticket,
                "section": fields.section,
                "generation": fields.generation,
                "not_before": fields.not_before,
                "lease_end": fields.lease_end,
                "window": fields.window,
                "presented_at": fields.presented_at,
            })
        },
    );
    json!({ "verdict": format!("{:?}", check.verdict), "fields": fields })
}
