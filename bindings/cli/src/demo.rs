//! `demo`: the main job from sign-in to gate, each step for real and said to be so.

mod door;
mod market;
mod meeting;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use ticket_wallet::model::{SignIn, SystemConfig, TicketFilter, TicketSummary, TicketSystem};
use ticket_wallet::{Presentation, Wallet};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

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
    let holder = (&wallet, &ticket);
    let gate = demo.prepare(folder.path(), ("gate", "North door"), &sandbox, holder).await?;
    let east = folder.path().join("east");
    let other = demo.prepare(&east, ("other_gate", "East door"), &sandbox, holder).await?;
    sandbox.fault(no_network());
    demo.say(
        "offline",
        "From here on no request is answered: phone and gates work with no network.",
        json!({}),
    )?;
    let frames = demo.rotate(&wallet, &ticket).await?;
    demo.let_in(&gate, holder, &frames).await?;
    demo.meet((&gate, &other), holder).await?;
    sandbox.clear_faults();
    demo.hand_over(&gate).await?;
    demo.sell(&folder.path().join("buyer"), &sandbox, holder, &other).await?;
    sandbox.stop().await;
    demo.say("done", "Done. The temporary wallets and gates are removed.", json!({}))
}

/// Every connection is reset.
fn no_network() -> FaultRule {
    FaultRule { method: None, path_contains: String::new(), skip: 0, times: u32::MAX, fault: Fault::Reset }
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
            self.say("frame", &text, door::about(&frame.text, &frame.issuer_key, frame.presented_at))?;
            frames.push(frame);
        }
        Ok(frames)
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
