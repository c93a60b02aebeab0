//! The app: a process that makes changes and syncs, and tells of each change once the wallet has taken it.

use std::path::Path;
use std::sync::Arc;

use ticket_wallet::host::SoftwareVault;
use ticket_wallet::model::{OutboxItem, TicketFilter};
use ticket_wallet::{Config, Wallet, WalletError};

use crate::child::{Session, arm, tell};

/// The test that is the app where a session is given.
pub(crate) const TEST: &str = "an_app_that_is_not_killed_gets_to_its_end";
/// Before each change that it tells of.
pub(crate) const MARK: &str = "acknowledged ";
const STEPS: u64 = 8;

pub(crate) fn open(folder: &Path) -> Wallet {
    let vault = SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned());
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    Wallet::open(config, Arc::new(vault), None, None).unwrap()
}

/// Tells of a change: after the wallet has taken it, or, for the control, before it was asked.
fn change(early: bool, ticket: &str, text: &str, make: impl FnOnce() -> Result<OutboxItem, WalletError>) {
    if early {
        tell(&format!("{MARK}0 SaveTicketHolder {ticket} {text}"));
        fail::fail_point!("control-acknowledged");
    }
    if let Ok(item) = make()
        && !early
    {
        tell(&format!("{MARK}{} {:?} {ticket} {text}", item.id, item.kind));
    }
}

/// A session of the app.
pub(crate) async fn run(Session { folder, seed, early }: Session) {
    let wallet = open(&folder);
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
