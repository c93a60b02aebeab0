//! The command line.

pub(crate) mod box_office;
pub(crate) mod exchange;
pub(crate) mod gate;
pub(crate) mod holder;
pub(crate) mod resale;
pub(crate) mod sandbox;
pub(crate) mod system;
pub(crate) mod texpo;
pub(crate) mod ticketing;
pub(crate) mod unidy;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use box_office::{BoxOfficeCommand, WritesCommand};
use gate::GateCommands;
use holder::{
    AtTenant, DocumentsCommand, OrdersCommand, OutboxCommand, ShowOptions, TicketsCommand, TransferCommand,
};
use resale::ResaleCommand;
use sandbox::{DemoOptions, SandboxOptions};
use system::SystemOptions;
use texpo::CatalogueCommand;
use ticketing::{AdmissionsCommand, TokensCommand};

const EXAMPLES: &str = "Examples:
  ticket-wallet demo
  ticket-wallet sandbox --port 8080
  ticket-wallet login --system bam --url http://127.0.0.1:8080 --user mira@example.org
  ticket-wallet sync
  ticket-wallet tickets list
  ticket-wallet show 641f28287962ebcf0828e652
  ticket-wallet transfer send 641f28287962ebcf0828e652 --to ada@example.org
  ticket-wallet resale list 641f28287962ebcf0828e652 --price '64.50 EUR'
  ticket-wallet resale market 9 --tenant org1
  ticket-wallet tickets documents 641f28287962ebcf0828e652 --fetch --out .
  ticket-wallet box-office reserve --event 9 --owner 1b6c… --item 31:2,sector=4
  ticket-wallet box-office issue 4711 4712
  ticket-wallet tokens issue 16993717817996 --section 16993964783416 --count 3
  ticket-wallet catalogue update expo-00001 --price 64.10
  ticket-wallet outbox list
  ticket-wallet doctor
  ticket-wallet gate sign-in --url http://127.0.0.1:8080/t/nordhafen --name 'North door'
  ticket-wallet gate scan
  ticket-wallet barcode verify --issuer-key d9bf…900c --now 1790000003 < scanned.txt

Exit codes: 0 done · 1 other failure, a verdict other than Valid, somebody not admitted, or a write whose outcome is
not known · 2 wrong usage or input · 3 server not reached · 4 sign-in needed, refused, or a permission missing ·
5 store or key vault unusable · 6 no barcode to show · 7 this version must be updated · 8 the server failed, and wants
the report that is shown · 9 the doctor found no wallet or gate, or one that is damaged or does not open";

/// An offline-first ticket wallet: encrypted store, sync, rotating barcode, gate check.
#[derive(Debug, Parser)]
#[command(name = "ticket-wallet", version, after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Folder of the wallet; ~/.local/share/ticket-wallet without it.
    #[arg(long, global = true, value_name = "DIR", env = "TICKET_WALLET_HOME")]
    pub(crate) store: Option<PathBuf>,
    /// Print JSON for scripts: results on stdout, errors on stderr.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the main job from sign-in to gate, on a sandbox in this process and a fresh encrypted store.
    Demo(DemoOptions),
    /// Serve the sandbox until interrupted: B.A.M, Unidy, TickeTing, TEXPO, and the wallet extension.
    Sandbox(SandboxOptions),
    /// Sign in to a ticketing system; the password comes from a prompt or from stdin. Makes the wallet where there is none.
    Login(LoginOptions),
    /// Fetch tickets, bind those whose event is near to this device, renew leases.
    Sync(SyncOptions),
    /// List the accounts of this wallet.
    Accounts {
        /// Say what can be done with this one.
        #[arg(long, value_name = "ID")]
        capabilities: Option<String>,
    },
    /// List tickets, or show one; works offline.
    Tickets {
        /// What to do with them.
        #[command(subcommand)]
        command: TicketsCommand,
    },
    /// Show a ticket's rotating barcode, redrawn until interrupted; works offline.
    Show(ShowOptions),
    /// Hand tickets to somebody else.
    Transfer {
        /// What to do.
        #[command(subcommand)]
        command: TransferCommand,
    },
    /// Sell tickets on at a legal price, and buy those of others.
    Resale {
        /// What to do.
        #[command(subcommand)]
        command: ResaleCommand,
    },
    /// Orders and their files (B.A.M).
    Orders {
        /// What to do with them.
        #[command(subcommand)]
        command: OrdersCommand,
    },
    /// Writes that waited in no outbox, and what became of them (TickeTing).
    Writes {
        /// What to do with them.
        #[command(subcommand)]
        command: WritesCommand,
    },
    /// Files that are kept of tickets and orders; works offline.
    Documents {
        /// What to do with them.
        #[command(subcommand)]
        command: DocumentsCommand,
    },
    /// List an account's own offers on the secondary market (B.A.M).
    Offers(AtTenant),
    /// Get the person's certificate, a new one where one is held (B.A.M).
    Enroll {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Show the person's certificate, where one is held (B.A.M); works offline.
    Certificate {
        /// Ask the server whether it should be renewed, in place of showing it.
        #[arg(long)]
        due: bool,
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// What organisers do: reserve, free, issue and send tickets; tickets of partners.
    BoxOffice {
        /// What to do.
        #[command(subcommand)]
        command: BoxOfficeCommand,
    },
    /// A network's catalogue of tickets to buy (TEXPO), in an account of the box office.
    Catalogue {
        /// What to do with it.
        #[command(subcommand)]
        command: CatalogueCommand,
    },
    /// Admission tokens for an event's staff (TickeTing), in an account of the box office.
    Tokens {
        /// What to do with them.
        #[command(subcommand)]
        command: TokensCommand,
    },
    /// Redeem tickets at an entrance, and see who was admitted (TickeTing), in an account of the box office.
    Admissions {
        /// What to do.
        #[command(subcommand)]
        command: AdmissionsCommand,
    },
    /// What staff at the gate do: prepare, let people in with no network, hand over what happened.
    Gate {
        /// What to do.
        #[command(subcommand)]
        command: GateCommands,
    },
    /// Take a ticket's barcode over from the device that holds it; the server allows a few such moves.
    Move {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// Give a ticket's barcode up on this device; `tickets pin` and a sync bring it back.
    Surrender {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// Changes that wait to be sent, were rejected, or whose outcome is unknown.
    Outbox {
        /// What to do with them.
        #[command(subcommand)]
        command: OutboxCommand,
    },
    /// Remove an account with its tickets, barcodes and keys.
    Logout {
        /// The account's id; `accounts` lists them.
        account: String,
        /// Even while changes of it wait to be sent.
        #[arg(long)]
        discard_changes: bool,
    },
    /// Say how the wallet stands: key, files, schema, clock, accounts, outbox. Reads every page. Of a gate: `gate doctor`.
    Doctor,
    /// Make a wallet usable again that does not open. The old files are put aside, never deleted.
    Recover,
    /// Give the wallet's database a new key; a crash in the middle loses nothing.
    Rekey,
    /// Delete the wallet with its keys, its files, and what recoveries put aside; it cannot be undone. A gate beside it stays:
    /// `gate wipe`.
    Wipe {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Look into barcodes.
    Barcode {
        /// What to do with one.
        #[command(subcommand)]
        command: BarcodeCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct LoginOptions {
    #[command(flatten)]
    pub(crate) system: Box<SystemOptions>,
    /// User name or e-mail address.
    #[arg(long, required_unless_present = "browser")]
    pub(crate) user: Option<String>,
    /// Unidy: sign in with a code that comes by e-mail, in place of a password.
    #[arg(long, conflicts_with = "browser")]
    pub(crate) code: bool,
    /// Unidy's partner API: sign in through the browser. Prints the address to open, and reads the one that comes back.
    #[arg(long)]
    pub(crate) browser: bool,
    /// With --browser: use the implicit flow. Not advised: the browser sees the token, and it cannot be renewed.
    #[arg(long, requires = "browser")]
    pub(crate) implicit: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SyncOptions {
    /// Only this account; `accounts` lists them.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum BarcodeCommand {
    /// Judge a scanned text from stdin; prints one JSON object, exits 0 for Valid and 1 for any other verdict.
    Verify(VerifyOptions),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyOptions {
    /// A known issuer's raw Ed25519 public key, 64 hex digits.
    #[arg(long, value_name = "HEX", required = true, num_args = 1.., value_parser = bytes::<32>)]
    pub(crate) issuer_key: Vec<[u8; 32]>,
    /// The time at the gate, Unix seconds.
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) now: i64,
    /// A venue nonce that counts now, 16 hex digits.
    #[arg(long, value_name = "HEX", num_args = 1.., value_parser = bytes::<8>)]
    pub(crate) nonce: Vec<[u8; 8]>,
    /// The event at this gate, 16 hex digits; not checked without it.
    #[arg(long, value_name = "HEX", value_parser = bytes::<8>)]
    pub(crate) event: Option<[u8; 8]>,
    /// A section let in here; not checked without one.
    #[arg(long, value_name = "N", num_args = 1..)]
    pub(crate) section: Vec<u16>,
    /// How many seconds the phone's and the gate's clock may differ.
    #[arg(long, value_name = "S", default_value_t = ticket_wallet::DEFAULT_TOLERANCE_S)]
    pub(crate) tolerance: u32,
}

/// So many bytes in hex digits.
fn bytes<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|_| format!("{} hex digits expected", 2 * N))?;
    Ok(bytes)
}

/// A time: Unix seconds, or RFC 3339.
fn moment(text: &str) -> Result<i64, String> {
    let written = || chrono::DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
    let wrong = || "write Unix seconds, or a time like 2026-11-21T09:00:00Z".to_owned();
    text.parse().ok().or_else(written).ok_or_else(wrong)
}
