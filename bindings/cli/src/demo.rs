//! `demo`: the main job from sign-in to gate, each step for real and said to be so.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use ticket_wallet::barcode::{CodeVerdict, PREFIX, base45};
use ticket_wallet::model::{SignIn, SystemConfig, TicketFilter, TicketSummary, TicketSystem};
use ticket_wallet::{CheckerConfig, CodeChecker, KnownIssuer, Presentation, Wallet};
use ticket_wallet_sandbox::{Sandbox, SandboxConfig};

use crate::args::sandbox::DemoOptions;
use crate::clock::ShiftedClock;
use crate::failure::Failure;
use crate::holder::{list_text, report_json, report_text};
use crate::home;
use crate::output::Output;
use crate::show::picture;

/// The freshness window of the demo's barcodes, and how long each frame stands.
const WINDOW_S: u8 = 5;
const REDRAWS: usize = 2;
const LISTED: usize = 6;
/// The first byte of the ticket id inside a barcode.
const TICKET_ID_AT: usize = 13;

struct Demo<'a> {
    output: &'a Output,
    clock: ShiftedClock,
    fast: bool,
}

pub(crate) async fn run(options: &DemoOptions, output: &Output) -> Result<(), Failure> {
    let demo = Demo { output, clock: ShiftedClock::default(), fast: options.fast };
    if options.fast {
        demo.say("clock", "--fast: an injected clock is moved instead of waiting", json!({}))?;
    }
    let folder = tempfile::tempdir().map_err(|e| Failure::system("no temporary folder", e))?;
    let sandbox = demo.start_sandbox().await?;
    let wallet = home::open_in(folder.path(), Some(Arc::new(demo.clock.clone())))?;
    demo.sign_in_and_sync(&wallet, &sandbox).await?;
    let ticket = demo.list(&wallet)?;
    sandbox.stop().await;
    demo.say("offline", "The sandbox is stopped. Everything from here on works with no network.", json!({}))?;
    let frames = demo.rotate(&wallet, &ticket).await?;
    demo.gate(&frames).await?;
    demo.say("done", "Done. The temporary wallet is removed.", json!({}))
}

impl Demo<'_> {
    async fn start_sandbox(&self) -> Result<Sandbox, Failure> {
        let clock = self.clock.clone();
        let config = SandboxConfig {
            window_s: WINDOW_S,
            clock: Arc::new(move || clock.wall_ms()),
            ..SandboxConfig::default()
        };
        let sandbox =
            Sandbox::start(config).await.map_err(|e| Failure::system("the sandbox cannot start", e))?;
        let text = format!(
            "A sandbox ticketing server runs in this process at {}. Real: HTTP on loopback, its signatures. Invented: its \
             data.",
            sandbox.url()
        );
        self.say("sandbox", &text, json!({ "url": sandbox.url(), "issuer_keys": sandbox.issuer_keys() }))?;
        Ok(sandbox)
    }

    async fn sign_in_and_sync(&self, wallet: &Wallet, sandbox: &Sandbox) -> Result<(), Failure> {
        let user =
            sandbox.users().first().ok_or_else(|| Failure::Usage("the sandbox has no user".to_owned()))?;
        let account = wallet
            .sign_in(SignIn {
                system: TicketSystem::Bam,
                config: SystemConfig::at(sandbox.url()),
                user_name: user.name.clone(),
                password: user.password.clone(),
            })
            .await?;
        let text = format!("Signed in as {}. Real: the session, kept in the encrypted store.", user.name);
        self.say("sign_in", &text, json!({ "account": account.id }))?;
        let report = wallet.sync(None).await?;
        let text = format!(
            "{} Real: the SQLCipher database, the device keys, the credentials. The key vault is a file: no hardware.",
            report_text(report)
        );
        self.say("sync", &text, json!({ "report": report_json(report) }))
    }

    /// Lists the tickets and picks the first that shows a barcode.
    fn list(&self, wallet: &Wallet) -> Result<TicketSummary, Failure> {
        let tickets = wallet.tickets(TicketFilter::default())?;
        let first = tickets.get(..LISTED).unwrap_or(&tickets);
        let text =
            format!("{} tickets in the store, the first of them:\n{}", tickets.len(), list_text(first));
        self.say("list", &text, json!({ "tickets": tickets.len() }))?;
        for ticket in tickets {
            if wallet.ticket(ticket.id.clone())?.lease_end.is_some() {
                return Ok(ticket);
            }
        }
        Err(Failure::Usage("the sandbox bound no ticket".to_owned()))
    }

    /// Shows the barcode and redraws it.
    async fn rotate(&self, wallet: &Wallet, ticket: &TicketSummary) -> Result<Vec<Presentation>, Failure> {
        let text = format!(
            "The barcode of “{}”, signed anew by this device every {WINDOW_S} seconds:",
            ticket.title
        );
        self.say("show", &text, json!({ "ticket": ticket.id }))?;
        let mut frames: Vec<Presentation> = Vec::new();
        for redraw in 0..=REDRAWS {
            if redraw > 0 {
                self.wait_s(i64::from(WINDOW_S)).await;
            }
            let frame = wallet.present(ticket.id.clone(), None)?;
            if self.output.is_terminal() && redraw > 0 {
                // Over the frame before: its lines and the two below them.
                let lines = picture(&frame).lines().count() + 2;
                self.output.text(&format!("\x1b[{lines}A"))?;
            }
            let text = format!(
                "{}Frame {} of {}, shown at {}.",
                picture(&frame),
                redraw + 1,
                REDRAWS + 1,
                frame.presented_at
            );
            self.say("frame", &text, about(&frame.text, &frame.issuer_key, frame.presented_at))?;
            frames.push(frame);
        }
        Ok(frames)
    }

    /// A gate that knows the issuer's public key and nothing else.
    async fn gate(&self, frames: &[Presentation]) -> Result<(), Failure> {
        let (Some(first), Some(last)) = (frames.first(), frames.last()) else { return Ok(()) };
        let gate = CodeChecker::new(CheckerConfig {
            issuers: vec![KnownIssuer {
                public_key: last.issuer_key.clone(),
                valid_from: None,
                valid_until: None,
            }],
            event: None,
            sections: vec![],
            tolerance_s: ticket_wallet::DEFAULT_TOLERANCE_S,
        })?;
        self.scan(&gate, "admitted", "The frame on the screen", &last.text, last, CodeVerdict::Valid)?;
        let stale_in = first.valid_until + i64::from(ticket_wallet::DEFAULT_TOLERANCE_S) + 1 - self.now_s();
        self.wait_s(stale_in.max(1)).await;
        self.scan(&gate, "stale", "A screenshot of the first frame", &first.text, first, CodeVerdict::Stale)?;
        let forged = forge(&last.text)?;
        let expected = CodeVerdict::BadIssuerSignature;
        self.scan(&gate, "forged", "A copy with another ticket's number in it", &forged, last, expected)
    }

    fn scan(
        &self,
        gate: &CodeChecker,
        step: &str,
        what: &str,
        text: &str,
        shown: &Presentation,
        expected: CodeVerdict,
    ) -> Result<(), Failure> {
        let now = self.now_s();
        let verdict = gate.check(text.into(), now, vec![])?.verdict;
        let decision = if verdict == CodeVerdict::Valid { "admitted" } else { "refused" };
        let mut value = about(text, &shown.issuer_key, now);
        value["verdict"] = json!(format!("{verdict:?}"));
        self.say(step, &format!("Gate, offline: {what} is {decision} ({verdict:?})."), value)?;
        if verdict == expected {
            return Ok(());
        }
        let reason = format!("the gate says {verdict:?} where {expected:?} was due");
        Err(Failure::Wallet(ticket_wallet::WalletError::Internal { reason }))
    }

    fn now_s(&self) -> i64 {
        self.clock.wall_ms().div_euclid(1000)
    }

    async fn wait_s(&self, seconds: i64) {
        if self.fast {
            self.clock.advance_s(seconds);
        } else {
            tokio::time::sleep(Duration::from_secs(seconds.unsigned_abs())).await;
        }
    }

    /// Prints a step: text for people, `{step, …}` for scripts.
    fn say(&self, step: &str, text: &str, details: Value) -> Result<(), Failure> {
        let mut value = json!({ "step": step });
        if let (Some(value), Value::Object(details)) = (value.as_object_mut(), details) {
            value.extend(details);
        }
        self.output.either(&value, || format!("{text}\n"))
    }
}

fn about(text: &str, issuer_key: &[u8], now: i64) -> Value {
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
