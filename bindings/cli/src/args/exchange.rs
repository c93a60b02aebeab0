//! The command line of what is handed over and ordered by section and number (TickeTing).

use clap::{Args, Subcommand};
use ticket_wallet::model::SectionCount;

/// Of which account.
#[derive(Debug, Args)]
pub(crate) struct Of {
    /// The account; needed where there are several.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SectionsCommand {
    /// Hand tickets over; it is sent at once.
    Send {
        #[command(flatten)]
        of: Of,
        /// How many of which section, for example /events/1/sections/2:3; as often as needed.
        #[arg(long, value_name = "SECTION:N", required = true, value_parser = count)]
        item: Vec<SectionCount>,
        /// Who shall get them: a user name, an e-mail address, or the address of an account.
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Take what somebody hands over. There is no way to decline it.
    Claim {
        #[command(flatten)]
        of: Of,
        /// The transfer's address; `list --incoming` tells it.
        transfer: String,
    },
    /// Take a transfer back that was not claimed.
    TakeBack {
        #[command(flatten)]
        of: Of,
        /// The transfer's address; `list` tells it.
        transfer: String,
    },
    /// List a page of the transfers that the account sent.
    List {
        #[command(flatten)]
        of: Of,
        /// Those to the account instead.
        #[arg(long)]
        incoming: bool,
        /// Which page, from 1.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        page: u32,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrderedCommand {
    /// Order tickets; paying for them is no part of it.
    Place {
        #[command(flatten)]
        of: Of,
        /// How many of which section, for example /events/1/sections/2:3; as often as needed.
        #[arg(long, value_name = "SECTION:N", required = true, value_parser = count)]
        item: Vec<SectionCount>,
    },
    /// Cancel an order.
    Cancel {
        #[command(flatten)]
        of: Of,
        /// The order's number.
        #[arg(allow_hyphen_values = true)]
        order: String,
    },
    /// List a page of the account's orders.
    List {
        #[command(flatten)]
        of: Of,
        /// Which page, from 1.
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
        page: u32,
    },
}

fn count(text: &str) -> Result<SectionCount, String> {
    let form = || "write SECTION:N".to_owned();
    let (section, quantity) = text.rsplit_once(':').ok_or_else(form)?;
    let quantity = quantity.parse().ok().filter(|quantity| *quantity > 0).ok_or_else(form)?;
    if section.is_empty() {
        return Err(form());
    }
    Ok(SectionCount { section: section.to_owned(), quantity })
}
