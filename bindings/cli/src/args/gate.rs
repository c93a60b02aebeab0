//! The command line of a gate.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ticket_wallet::model::{GateService, GateSignIn, SystemConfig, TicketingAccess, TicketingConfig};

use super::system::PinOptions;
use super::ticketing::AppKeyOption;

const EXAMPLES: &str = "Examples:
  ticket-wallet gate sign-in --url https://gates.example.org --name 'North door'    (asks for the admission code)
  ticket-wallet gate scan                       at a terminal: live, with the scanner as keyboard
  ticket-wallet gate scan --json < scanned.txt  one verdict a line
  ticket-wallet gate scan --image ticket.png
  ticket-wallet gate override 00112233445566778899aabbccddeeff/7 --reason 'broken screen'
  ticket-wallet gate sync
  ticket-wallet gate listen 192.168.4.1:4711 --keep    at one door; at the others:
  ticket-wallet gate connect 192.168.4.1:4711
  ticket-wallet gate report";

const EXCHANGE_HELP: &str = "Two gates of an event tell each other what they do not know; then both refuse what the other let in. Whatever came
before an exchange broke off counts, and the next one goes on from there.

Only a scanner with a certificate of this event that is not revoked is given records. But the ledger goes unencrypted over
the network that the address names: whoever listens there reads hashes of tickets, doors' names and codes that were used
before; whoever overheard a scanner ask can ask once more in its name. Each record is signed: none can be made up or
altered on the way. Without a network of your own, name the end of an encrypted tunnel.";

const SCAN_HELP: &str = "Exit codes: 0 every code was admitted · 1 at least one was refused · others as everywhere.

A line is one code, as scanners send it: it ends with CR, LF or both, and empty lines are passed over. Each verdict is on
the disk before it is printed. The same code again within three seconds is a double read, marked and not counted.";

#[derive(Debug, Subcommand)]
#[command(after_help = EXAMPLES)]
pub(crate) enum GateCommands {
    #[command(flatten)]
    Work(GateCommand),
    #[command(flatten)]
    Care(GateCareCommand),
}

/// What staff do.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCommand {
    /// Sign in with an admission code, which fixes event and sections, and prepare.
    SignIn(Box<GateSignInOptions>),
    /// Bring the manifest up to date, while there is a network.
    Prepare,
    /// Say what this gate is, and how far it is prepared; works offline.
    Status,
    /// Let people in: codes from stdin, one a line, or from pictures; works offline. Exits 1 when one is refused.
    #[command(after_help = SCAN_HELP)]
    Scan(GateScanOptions),
    /// The same for those who leave, so that they can come in again where the event allows it; works offline.
    #[command(after_help = SCAN_HELP)]
    Exit(GateScanOptions),
    /// Take an admission of this gate back, once, within 120 seconds; works offline.
    Undo {
        /// The record, as a verdict or `gate records` tells it.
        record: String,
    },
    /// Let somebody in whom this gate refused; works offline.
    Override {
        /// The refusal's record, as a verdict or `gate records` tells it.
        record: String,
        /// Why, in at most 200 bytes; the server gets it too.
        #[arg(long, value_name = "TEXT")]
        reason: String,
    },
    /// Count who came in, left, and was refused, and who was heard when; works offline.
    Stats,
    /// List the newest records, the newest first; works offline.
    Records {
        /// So many at most.
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Hand over the records that the server does not have, fetch those of other scanners, and prepare.
    Sync,
    /// Wait for another gate's `gate connect`, and exchange ledgers with it; Ctrl-C ends it.
    #[command(after_help = EXCHANGE_HELP)]
    Listen(GateListenOptions),
    /// Exchange ledgers with a gate that listens: first it tells, then this one.
    #[command(after_help = EXCHANGE_HELP)]
    Connect(GateConnectOptions),
    /// Write all records that are here into a file, for `gate merge` of another gate; works offline.
    Export {
        /// The file.
        file: PathBuf,
    },
    /// Merge files of `gate export`, one after the other; works offline.
    Merge {
        /// The files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Say what all scanners together know: tickets that let in too often, what does not count, what is missing, who was
    /// heard when; works offline.
    Report,
}

/// The care of the gate's store.
#[derive(Debug, Subcommand)]
pub(crate) enum GateCareCommand {
    /// Say how the gate's store stands: key, files, schema, clock, records. Reads every page; works offline.
    Doctor,
    /// Make a gate usable again that does not open; its scanner and its records are saved. The old files are put aside.
    Recover,
    /// Give the gate's database a new key; a crash in the middle loses nothing.
    Rekey,
    /// Delete the gate with its keys, its records, and what recoveries put aside; it cannot be undone.
    Wipe {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Even while there are records that no server has.
        #[arg(long)]
        discard_unsent: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServiceName {
    /// The extension beside whatever system sells the tickets.
    Extension,
    /// TickeTing itself.
    Ticketing,
    /// B.A.M itself, by the token of the event's validator or the text of its QR code.
    Bam,
}

#[derive(Debug, Args)]
pub(crate) struct GateSignInOptions {
    /// Address of what is signed in to, for example https://api.example.org.
    #[arg(long)]
    url: String,
    /// The admission code. Better left out: it then comes from a prompt or stdin, and stands in no list of processes.
    #[arg(long, allow_hyphen_values = true)]
    pub(crate) code: Option<String>,
    /// The door, as staff call it; 1 to 64 bytes.
    #[arg(long)]
    name: String,
    /// What is signed in to.
    #[arg(long, value_enum, default_value = "extension")]
    service: ServiceName,
    /// Leave records of the post before that were not sent on this device.
    #[arg(long)]
    leave_unsent: bool,
    #[command(flatten)]
    pins: PinOptions,
    #[command(flatten)]
    app_key: AppKeyOption,
}

impl GateSignInOptions {
    /// What is signed in with; `code` is the admission code.
    pub(crate) fn with_code(self, code: String) -> GateSignIn {
        let service = match self.service {
            ServiceName::Extension => GateService::Extension,
            ServiceName::Ticketing => GateService::Ticketing,
            ServiceName::Bam => GateService::Bam,
        };
        let ticketing = (service == GateService::Ticketing).then(|| TicketingConfig {
            access: Some(TicketingAccess::IntegrationKey),
            app_key: self.app_key.get(),
            ..TicketingConfig::default()
        });
        let config = SystemConfig { ticketing, pins: self.pins.pin, ..SystemConfig::at(self.url) };
        GateSignIn { service, config, admission_code: code, name: self.name, leave_unsent: self.leave_unsent }
    }
}

#[derive(Debug, Args)]
pub(crate) struct GateListenOptions {
    /// Where to listen; port 0 takes a free one. Nobody outside this machine is heard but at an address that is named here.
    #[arg(value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) address: SocketAddr,
    /// Serve until Ctrl-C, several gates at once; without it, one.
    #[arg(long)]
    pub(crate) keep: bool,
    #[command(flatten)]
    pub(crate) wait: GateWait,
}

#[derive(Debug, Args)]
pub(crate) struct GateConnectOptions {
    /// Where the other gate listens.
    #[arg(value_name = "ADDR:PORT")]
    pub(crate) address: String,
    #[command(flatten)]
    pub(crate) wait: GateWait,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct GateWait {
    /// Give up when nothing comes, or goes, for so long.
    #[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
}

#[derive(Debug, Args)]
pub(crate) struct GateScanOptions {
    /// How many persons go through together on each ticket.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) persons: u16,
    /// PNG files, each with one QR code, in place of stdin. All are read before anybody is let in.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) image: Vec<PathBuf>,
}
