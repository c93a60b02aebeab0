//! The command line of ticket holders.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ticket_wallet::model::{ListDirection, ServerTicketQuery, TicketFormat, TicketStatus};

use super::bytes;
use super::exchange::{OrderedCommand, SectionsCommand};
use super::unidy::QueryOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum TicketsCommand {
    /// List all tickets, soonest first.
    List(ListOptions),
    /// Show everything that is known of one ticket.
    Show {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// Show the questions to a ticket's holder, with the answers so far (B.A.M).
    Questions {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// List a ticket's files; fetch them first, or write them to a folder (Unidy).
    Documents {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// Fetch them from the server.
        #[arg(long)]
        fetch: bool,
        /// Write them to this folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// List a page of the tickets as the brand's server has them now: all, or those that are asked for (Unidy).
    Find {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        #[command(flatten)]
        query: QueryOptions,
    },
    /// List tickets as the server has them now, with the parameters of its lists (B.A.M); nothing of it is kept.
    Server(ServerListOptions),
    /// Show a ticket's record by its id on the ledger (B.A.M).
    Ledger {
        #[command(flatten)]
        place: AtTenant,
        /// The id on the ledger.
        #[arg(allow_hyphen_values = true)]
        id: String,
    },
    /// Save the answers about a ticket's holder.
    Answer {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// A JSON object, for example '{"size":"M"}'.
        answers: String,
    },
    /// Have a ticket's barcode made ready at the next sync, however far away its event is.
    Pin {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// Take that back.
        #[arg(long)]
        off: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TransferCommand {
    /// Hand a ticket over; it shows no barcode here from then on.
    Send {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// Who shall get it, for example an e-mail address.
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Take a transfer back that was not accepted.
    Cancel {
        /// The ticket's id.
        id: String,
    },
    /// List transfers.
    List {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// List tickets that others hand over (Unidy, the extension).
    Incoming {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Hand tickets over by section and number, and take what others hand over (TickeTing).
    Sections {
        #[command(subcommand)]
        command: SectionsCommand,
    },
    /// Accept a ticket that somebody hands over (Unidy, the extension); needs the network.
    Accept {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// The transfer's token; `incoming --json` tells it.
        #[arg(allow_hyphen_values = true)]
        token: String,
    },
    /// Decline a ticket that somebody hands over (Unidy, the extension).
    Decline {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// The transfer's token; `incoming --json` tells it.
        #[arg(allow_hyphen_values = true)]
        token: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrdersCommand {
    /// List an account's orders.
    List(AtTenant),
    /// Show one order.
    Show {
        #[command(flatten)]
        place: AtTenant,
        /// The order's id.
        #[arg(allow_hyphen_values = true)]
        order: String,
    },
    /// Fetch an order's tickets and write them to a file.
    Download {
        #[command(flatten)]
        place: AtTenant,
        /// The order's id.
        #[arg(allow_hyphen_values = true)]
        order: String,
        /// The file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Order tickets by section and number (TickeTing).
    Sections {
        #[command(subcommand)]
        command: OrderedCommand,
    },
    /// Have an order's tickets sent by e-mail once more.
    Email {
        #[command(flatten)]
        place: AtTenant,
        /// The order's id.
        #[arg(allow_hyphen_values = true)]
        order: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DocumentsCommand {
    /// List an account's files.
    List {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Write one to a file.
    Save {
        /// Its number.
        id: i64,
        /// The file.
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DirectionName {
    /// Smallest first.
    Asc,
    /// Largest first.
    Desc,
}

/// The documented parameters of B.A.M's lists of tickets.
#[derive(Debug, Args)]
pub(crate) struct ServerListOptions {
    #[command(flatten)]
    pub(crate) place: AtTenant,
    /// Only in this format: PDF or SECURE.
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Only those that stand so, for example reserved; a tenant's list knows it.
    #[arg(long, value_name = "STATUS")]
    status: Option<String>,
    /// Tell the owners' enrolments.
    #[arg(long)]
    with_enrollment_id: bool,
    /// Column to order by, for example updated_at.
    #[arg(long, value_name = "COLUMN")]
    sort_by: Option<String>,
    /// Order.
    #[arg(long, value_enum)]
    direction: Option<DirectionName>,
    /// Sub-objects to include, for example [ticket_holder,ticket_config.event].
    #[arg(long, value_name = "RELATIONS")]
    with: Option<String>,
    /// At most this many, where the server pages.
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Skip this many first, where the server pages.
    #[arg(long, value_name = "N", default_value_t = 0)]
    offset: u32,
}

impl ServerListOptions {
    /// The account that was named, and what to ask for.
    pub(crate) fn query(self) -> (Option<String>, ServerTicketQuery) {
        let AtTenant { account, tenant } = self.place;
        let query = ServerTicketQuery {
            tenant,
            format: self.format.as_deref().map(TicketFormat::from_text),
            status: self.status.as_deref().map(TicketStatus::from_text),
            with_enrollment_id: self.with_enrollment_id,
            sort_by: self.sort_by,
            direction: self.direction.map(|direction| match direction {
                DirectionName::Asc => ListDirection::Ascending,
                DirectionName::Desc => ListDirection::Descending,
            }),
            with: self.with,
            limit: self.limit,
            offset: self.offset,
        };
        (account, query)
    }
}

/// For which account, and at which tenant.
#[derive(Debug, Args)]
pub(crate) struct AtTenant {
    /// The account; needed where there are several.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The tenant; the account's own without it.
    #[arg(long, value_name = "NAME")]
    pub(crate) tenant: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum OutboxCommand {
    /// List them in their order.
    List {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Send one again.
    Retry {
        /// Its number.
        id: i64,
    },
    /// Replace what one carries that was rejected or not sent yet.
    Edit {
        /// Its number.
        id: i64,
        /// The answers as a JSON object, the recipient, or the price.
        content: String,
    },
    /// Take one out.
    Discard {
        /// Its number.
        id: i64,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ListOptions {
    /// Put the tickets of one event together.
    #[arg(long)]
    pub(crate) by_event: bool,
    /// Only this account.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// Only those that start at this Unix second or later, and those without a start.
    #[arg(long, value_name = "UNIX", allow_negative_numbers = true)]
    pub(crate) starting_from: Option<i64>,
    /// At most this many.
    #[arg(long, value_name = "N", default_value_t = u32::MAX, hide_default_value = true)]
    pub(crate) limit: u32,
    /// Skip this many first.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) offset: u32,
}

#[derive(Debug, Args)]
pub(crate) struct ShowOptions {
    /// The ticket's id: 24 hex digits.
    pub(crate) id: String,
    /// Write one frame to this file and exit; its ending says the form: .svg or .png.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The venue's nonce, 16 hex digits, where the gate asks for it.
    #[arg(long, value_name = "HEX", value_parser = bytes::<8>)]
    pub(crate) nonce: Option<[u8; 8]>,
}
