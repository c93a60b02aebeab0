//! The app: a process that makes changes and syncs, and tells of each change once the wallet has taken it.

use std::env;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio, abort};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ticket_wallet::host::SoftwareVault;
use ticket_wallet::model::{OutboxItem, TicketFilter};
use ticket_wallet::{Config, Wallet, WalletError};

use crate::story::End;

/// The test that is the app when these are set.
const TEST: &str = "an_app_that_is_not_killed_gets_to_its_end";
const FOLDER: &str = "KILLED_FOLDER";
const SEED: &str = "KILLED_SEED";
const POINT: &str = "KILLED_POINT";
const EARLY: &str = "KILLED_EARLY";
/// Before each change that it tells of.
pub(crate) const MARK: &str = "acknowledged ";
const STEPS: u64 = 8;

pub(crate) fn open(folder: &Path) -> Wallet {
    let vault = SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned());
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    Wallet::open(config, Arc::new(vault), None, None).unwrap()
}

/// Starts the app.
pub(crate) fn start(folder: &Path, end: &End, seed: u64, early: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(SEED, seed.to_string());
    if let End::At { point, passes } = end {
        command.env(POINT, format!("{point} {passes}"));
    }
    if early {
        command.env(EARLY, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether this process is the app.
pub(crate) fn is_started() -> bool {
    env::var_os(FOLDER).is_some()
}

/// Ends the process without any tidying when it passes the point for the last time.
fn arm() {
    let Ok(point) = env::var(POINT) else { return };
    let (name, passes) = point.split_once(' ').unwrap();
    let left = AtomicU64::new(passes.parse().unwrap());
    let pass = move || {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            abort();
        }
    };
    fail::cfg_callback(name, pass).unwrap();
}

fn tell(item: &str) {
    // One write of a whole line: a kill leaves no half of it.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{MARK}{item}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// Tells of a change: after the wallet has taken it, or, for the control, before it was asked.
fn change(early: bool, ticket: &str, text: &str, make: impl FnOnce() -> Result<OutboxItem, WalletError>) {
    if early {
        tell(&format!("0 SaveTicketHolder {ticket} {text}"));
        fail::fail_point!("control-acknowledged");
    }
    if let Ok(item) = make()
        && !early
    {
        tell(&format!("{} {:?} {ticket} {text}", item.id, item.kind));
    }
}

/// A session of the app.
pub(crate) async fn run() {
    let folder = env::var(FOLDER).unwrap();
    let (seed, early) = (env::var(SEED).unwrap().parse::<u64>().unwrap(), env::var_os(EARLY).is_some());
    let wallet = open(Path::new(&folder));
    arm();
    let tickets = wallet.tickets(TicketFilter::default()).unwrap();
    for step in 0..STEPS {
        let turn = seed.rotate_left(u32::try_from(step * 7).unwrap());
        let ticket = tickets[turn as usize % tickets.len()].id.clone();
        let text = format!("{seed:x}-{step}");
        match turn >> 32 & 7 {
            0..4 => change(early, &ticket, &text, || {
                wallet.save_ticket_holder(ticket.clone(), serde_json::json!({ "dish": text }).to_string())
            }),
            4 => change(early, &ticket, &text, || wallet.transfer(ticket.clone(), text.clone())),
            _ => {}
        }
        if step % 3 == 2 {
            let _ = wallet.sync(None).await;
        }
    }
}
