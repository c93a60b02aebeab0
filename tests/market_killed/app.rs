//! The app: a process that does one step of a sale, a transfer or a move with the wallet in its folder.

use std::env;
use std::path::Path;
use std::process::{Command, Stdio, abort};
use std::sync::Arc;

use ticket_wallet::host::SoftwareVault;
use ticket_wallet::model::Money;
use ticket_wallet::{Config, Wallet};

/// The test that is the app when these are set.
const TEST: &str = "an_app_does_its_step";
const FOLDER: &str = "MARKET_FOLDER";
const STEP: &str = "MARKET_STEP";
const TICKET: &str = "MARKET_TICKET";
const LISTING: &str = "MARKET_LISTING";
const POINT: &str = "MARKET_POINT";

pub(crate) const TENANT: &str = "nordhafen";
pub(crate) const PRICE: i64 = 1_000;
pub(crate) const RECIPIENT: &str = "jonas@example.org";

/// What an app does before it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    List,
    Edit,
    Withdraw,
    Buy,
    /// The person's, on a page of the market's: no wallet has a part in it.
    Pay,
    Transfer,
    Accept,
    Decline,
    Move,
    Sync,
}

const STEPS: [Step; 9] = [
    Step::List,
    Step::Edit,
    Step::Withdraw,
    Step::Buy,
    Step::Transfer,
    Step::Accept,
    Step::Decline,
    Step::Move,
    Step::Sync,
];

pub(crate) fn open(folder: &Path) -> Wallet {
    let vault = SoftwareVault::new(folder.join("vault.json").to_str().unwrap().to_owned());
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    Wallet::open(config, Arc::new(vault), None, None).unwrap()
}

/// Runs an app to its end; returns whether it ended before its work was done.
pub(crate) fn start(folder: &Path, step: Step, (ticket, listing): (&str, &str), point: Option<&str>) -> bool {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(STEP, format!("{step:?}")).env(TICKET, ticket).env(LISTING, listing);
    if let Some(point) = point {
        command.env(POINT, point);
    }
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success() || point.is_some(), "{step:?} failed");
    // An abort has no exit code; an assertion that fails in the app has one.
    assert!(status.success() || status.code().is_none(), "{step:?} failed at {point:?}");
    !status.success()
}

/// Whether this process is the app.
pub(crate) fn is_started() -> bool {
    env::var_os(FOLDER).is_some()
}

/// Ends the process without any tidying when it comes to the point.
fn arm() {
    if let Ok(point) = env::var(POINT) {
        fail::cfg_callback(point, || abort()).unwrap();
    }
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR").unwrap()
}

/// The step.
pub(crate) async fn run() {
    let [folder, step, ticket, listing] = [FOLDER, STEP, TICKET, LISTING].map(|name| env::var(name).unwrap());
    let step = *STEPS.iter().find(|one| format!("{one:?}") == step).unwrap();
    let wallet = open(Path::new(&folder));
    let account = wallet.accounts().unwrap()[0].id.clone();
    arm();
    match step {
        Step::List => drop(wallet.list_for_sale(ticket, eur(PRICE), None).unwrap()),
        Step::Edit => drop(wallet.edit_listing(ticket, eur(PRICE - 1)).unwrap()),
        Step::Withdraw => drop(wallet.withdraw_listing(ticket).unwrap()),
        Step::Buy => drop(wallet.buy(account, Some(TENANT.to_owned()), listing, eur(100_000)).await.unwrap()),
        Step::Transfer => drop(wallet.transfer(ticket, RECIPIENT.to_owned()).unwrap()),
        Step::Accept | Step::Decline => {
            let token = wallet.incoming_transfers(account.clone()).await.unwrap()[0].token.clone();
            let answered = match step {
                Step::Accept => wallet.accept_transfer(account, token).await,
                _ => wallet.decline_transfer(account, token).await,
            };
            answered.unwrap();
        }
        Step::Move => drop(wallet.move_here(ticket).unwrap()),
        Step::Sync | Step::Pay => {}
    }
    wallet.sync(None).await.unwrap();
}
