//! The door of the demo: a gate that prepares, lets in and refuses with no network, and hands over what happened.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use ticket_wallet::barcode::{PREFIX, base45};
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{GateService, GateSignIn, SystemConfig, TicketSummary};
use ticket_wallet::{Gate, Presentation, Wallet, WalletError};
use ticket_wallet_sandbox::Sandbox;

use super::{Demo, WINDOW_S};
use crate::failure::Failure;
use crate::gate::{open_in, report_json, report_text, status_json};

/// A gate knows the time from its server's whole seconds, so that it may be behind by one, and by what the answer took.
const CLOCK_ERROR_S: i64 = 2;
/// The first byte of the ticket id inside a barcode.
const TICKET_ID_AT: usize = 13;

impl Demo<'_> {
    /// A gate of the ticket's event, signed in with an admission code under the door's name.
    pub(super) async fn prepare(
        &self,
        folder: &Path,
        (step, name): (&str, &str),
        sandbox: &Sandbox,
        (wallet, ticket): (&Wallet, &TicketSummary),
    ) -> Result<Gate, Failure> {
        let gate = open_in(folder, Some(Arc::new(self.clock.clone())))?;
        let event = wallet.ticket(ticket.id.clone())?.event;
        let codes =
            sandbox.admission_codes().map_err(|e| Failure::system("the sandbox cannot be read", e))?;
        let is_of_event = |id: i64| event.as_ref().is_some_and(|event| event.remote_id == id.to_string());
        for code in codes.iter().filter(|code| code.sections.is_empty() && is_of_event(code.event_id)) {
            let status = gate
                .sign_in(GateSignIn {
                    service: GateService::Extension,
                    config: SystemConfig::at(format!("{}/t/{}", sandbox.url(), code.tenant)),
                    admission_code: code.code.clone(),
                    name: name.to_owned(),
                    leave_unsent: false,
                })
                .await?;
            // Another tenant may have an event of this number.
            if status.event == ticket.event_hash {
                let text = format!(
                    "{name}: a gate signed in with an admission code. Real: the signed manifest of “{}” with {} tickets, and the \
                     scanner's own key.",
                    code.event, status.tickets
                );
                self.say(step, &text, status_json(&status))?;
                return Ok(gate);
            }
        }
        Err(Failure::Usage("the sandbox has no gate at the ticket's event".to_owned()))
    }

    /// Lets the ticket in once, and refuses all that follows.
    pub(super) async fn let_in(
        &self,
        gate: &Gate,
        (wallet, ticket): (&Wallet, &TicketSummary),
        frames: &[Presentation],
    ) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(()) };
        let scan = |step, what, text: &str, expected| {
            let key = last.issuer_key.as_slice();
            self.scan(gate, (step, what), (text, key), expected)
        };
        scan("admitted", "The frame on the screen", &last.text, Verdict::Admit)?;
        self.wait_s(i64::from(WINDOW_S)).await;
        let again = wallet.present(ticket.id.clone(), None)?;
        scan("again", "A second scan of the same ticket", &again.text, Verdict::AlreadyAdmitted)?;
        let stale_at = first.valid_until + i64::from(ticket_wallet::DEFAULT_TOLERANCE_S) + CLOCK_ERROR_S;
        let stale_in = stale_at + 1 - self.now_s();
        self.wait_s(stale_in.max(1)).await;
        scan("stale", "A screenshot of the first frame", &first.text, Verdict::Stale)?;
        let forged = forge(&last.text)?;
        let what = "A copy with another ticket's number in it";
        scan("forged", what, &forged, Verdict::BadIssuerSignature)
    }

    /// Has the gate judge a code, which must come out as expected.
    pub(super) fn scan(
        &self,
        gate: &Gate,
        (step, what): (&str, &str),
        (text, issuer_key): (&str, &[u8]),
        expected: Verdict,
    ) -> Result<(), Failure> {
        let now = self.now_s();
        let verdict = gate.scan(text.as_bytes().to_vec(), 1)?.verdict;
        let decision = if verdict == Verdict::Admit { "admitted" } else { "refused" };
        let mut value = about(text, issuer_key, now);
        value["verdict"] = json!(format!("{verdict:?}"));
        self.say(step, &format!("Gate, offline: {what} is {decision} ({verdict:?})."), value)?;
        if verdict == expected {
            return Ok(());
        }
        Err(internal(format!("the gate says {verdict:?} where {expected:?} was due")))
    }

    /// Gives the server the records of all verdicts.
    pub(super) async fn hand_over(&self, gate: &Gate) -> Result<(), Failure> {
        let report = gate.sync().await?;
        let text = format!(
            "The network is back. {} Each is signed, and chained to the one before.",
            report_text(report)
        );
        self.say("handed_over", &text, json!({ "report": report_json(report) }))?;
        if report.unsent == 0 { Ok(()) } else { Err(internal("records were left behind".to_owned())) }
    }
}

pub(super) fn internal(reason: String) -> Failure {
    Failure::Wallet(WalletError::Internal { reason })
}

/// A barcode's text with what it takes to judge it.
pub(super) fn about(text: &str, issuer_key: &[u8], now: i64) -> Value {
    json!({ "text": text, "issuer_key": hex::encode(issuer_key), "now": now })
}

/// What somebody would try who wants another seat: the same code with one bit of the ticket's id turned over.
fn forge(text: &str) -> Result<String, Failure> {
    let broken = || Failure::Usage("the barcode cannot be taken apart".to_owned());
    let digits = text.strip_prefix(PREFIX).ok_or_else(broken)?;
    let mut code = base45::decode(digits.as_bytes()).map_err(|_| broken())?;
    *code.get_mut(TICKET_ID_AT).ok_or_else(broken)? ^= 1;
    Ok(format!("{PREFIX}{}", base45::encode(&code)))
}
