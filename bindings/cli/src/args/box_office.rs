//! The command line of organisers.

use clap::{Args, Subcommand};
use ticket_wallet::model::ReservationItem;

use super::holder::AtTenant;
use super::system::SystemOptions;
use super::unidy::QueryOptions;

#[derive(Debug, Subcommand)]
pub(crate) enum BoxOfficeCommand {
    /// Sign in as an organiser (B.A.M), a server by its id and secret (Unidy), a host or by a key (TickeTing), or a network's
    /// manager (TEXPO); the secret comes from a prompt or stdin.
    Login {
        #[command(flatten)]
        system: Box<SystemOptions>,
        /// User name, or the OAuth app's id; with a key of TickeTing any name.
        #[arg(long, allow_hyphen_values = true)]
        user: String,
    },
    /// List the accounts of this box office.
    Accounts,
    /// Remove an account.
    Logout {
        /// The account's id.
        account: String,
    },
    /// Reserve tickets for a user (B.A.M).
    Reserve(ReserveOptions),
    /// Free reserved tickets, so that they can be sold (B.A.M).
    Free(TicketOptions),
    /// Issue reserved tickets and wait until they are the owner's (B.A.M); it cannot be undone.
    Issue {
        #[command(flatten)]
        tickets: TicketOptions,
        /// Wait at most so many seconds; 0 does not wait.
        #[arg(long, value_name = "S", default_value_t = 60)]
        wait: u32,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Send tickets to e-mail addresses (B.A.M); it cannot be undone.
    Send(SendOptions),
    /// List the reserved tickets of an event, where the server tells them (B.A.M).
    Reserved {
        #[command(flatten)]
        place: AtTenant,
        /// The event's id.
        #[arg(long, value_name = "N")]
        event: i64,
    },
    /// Say how tickets stand at the server (B.A.M).
    Status {
        #[command(flatten)]
        tickets: TicketOptions,
        /// Wait until they are issued, at most so many seconds.
        #[arg(long, value_name = "S", default_value_t = 0)]
        wait: u32,
    },
    /// List, make, change and delete tickets (Unidy's partner API).
    Ticket {
        #[command(subcommand)]
        command: TicketCommand,
    },
    /// List the ticket categories (Unidy's partner API).
    Categories {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Tell the addresses of the brand's own pages: tickets, the organiser's desk, the API's description (Unidy).
    Pages {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Writes that were sent, and what became of them.
    Writes {
        #[command(subcommand)]
        command: WritesCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct ReserveOptions {
    #[command(flatten)]
    pub(crate) place: AtTenant,
    /// The event's id.
    #[arg(long, value_name = "N")]
    pub(crate) event: i64,
    /// The enrolment of the user, a UUID.
    #[arg(long, value_name = "ENROLMENT")]
    pub(crate) owner: String,
    /// PDF or SECURE.
    #[arg(long, default_value = "SECURE")]
    pub(crate) format: String,
    /// What to reserve: CONFIG:QUANTITY, with ,timeslot=N and ,sector=N behind it where they apply; as often as needed.
    #[arg(long, value_name = "ITEM", required = true, value_parser = item)]
    pub(crate) item: Vec<ReservationItem>,
}

#[derive(Debug, Args)]
pub(crate) struct SendOptions {
    #[command(flatten)]
    pub(crate) place: AtTenant,
    /// The event's id.
    #[arg(long, value_name = "N")]
    pub(crate) event: i64,
    /// PDF or SECURE.
    #[arg(long, default_value = "PDF")]
    pub(crate) format: String,
    /// What each address gets: CONFIG:QUANTITY, with ,timeslot=N and ,sector=N behind it where they apply.
    #[arg(long, value_name = "ITEM", required = true, value_parser = item)]
    pub(crate) item: Vec<ReservationItem>,
    /// Words to go with it.
    #[arg(long)]
    pub(crate) note: Option<String>,
    /// An address, as often as needed.
    #[arg(long, value_name = "EMAIL", required = true)]
    pub(crate) to: Vec<String>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TicketOptions {
    #[command(flatten)]
    pub(crate) place: AtTenant,
    /// The system's ids of the tickets.
    #[arg(value_name = "TICKET", required = true)]
    pub(crate) tickets: Vec<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TicketCommand {
    /// List a page of the tickets, of all or of those that are asked for.
    List {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        #[command(flatten)]
        query: QueryOptions,
    },
    /// Show one ticket.
    Show {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// The system's id of the ticket.
        #[arg(allow_hyphen_values = true)]
        ticket: String,
    },
    /// Make a ticket.
    Create {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Its fields as a JSON object; - reads them from stdin.
        fields: String,
    },
    /// Change those fields of a ticket that are named.
    Update {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// The system's id of the ticket.
        #[arg(allow_hyphen_values = true)]
        ticket: String,
        /// The fields as a JSON object; - reads them from stdin.
        fields: String,
    },
    /// Delete a ticket; it cannot be undone.
    Delete {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// The system's id of the ticket.
        #[arg(allow_hyphen_values = true)]
        ticket: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WritesCommand {
    /// List them, the newest first.
    List {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// At most this many.
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: u32,
    },
    /// Ask the server what became of one whose answer was lost.
    LookUp {
        /// Its number.
        id: i64,
    },
    /// Forget one whose outcome is known, or was found out elsewhere.
    Forget {
        /// Its number.
        id: i64,
    },
}

fn item(text: &str) -> Result<ReservationItem, String> {
    let form = || "write CONFIG:QUANTITY[,timeslot=N][,sector=N]".to_owned();
    let mut parts = text.split(',');
    let (config, quantity) = parts.next().and_then(|first| first.split_once(':')).ok_or_else(form)?;
    let mut item = ReservationItem {
        ticket_config_id: config.parse().map_err(|_| form())?,
        quantity: quantity.parse().map_err(|_| form())?,
        timeslot_id: None,
        sector_id: None,
    };
    for part in parts {
        let (name, id) = part.split_once('=').ok_or_else(form)?;
        let id = Some(id.parse().map_err(|_| form())?);
        match name {
            "timeslot" => item.timeslot_id = id,
            "sector" => item.sector_id = id,
            _ => return Err(form()),
        }
    }
    Ok(item)
}
