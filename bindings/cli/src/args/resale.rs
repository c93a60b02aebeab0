//! Selling tickets on, and buying those of others.

use clap::{Args, Subcommand};
use ticket_wallet::model::Money;

use super::holder::AtTenant;

#[derive(Debug, Subcommand)]
pub(crate) enum ResaleCommand {
    /// Say whether a ticket may be sold, for how much, and what it costs.
    Rules {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// Say what a price would come to for buyer and seller; nothing is listed.
    Preview {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// For example '64.50 EUR'.
        #[arg(long, value_name = "AMOUNT")]
        price: Money,
    },
    /// Offer a ticket for sale; works offline, and is sent by the next sync.
    List(SaleOptions),
    /// Ask for another price; works offline, and is sent by the next sync.
    Edit {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// For example '64.50 EUR'.
        #[arg(long, value_name = "AMOUNT")]
        price: Money,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take a listing back; works offline, and is sent by the next sync.
    Withdraw {
        /// The ticket's id: 24 hex digits.
        id: String,
    },
    /// List the own listings and purchases, as far as is known; works offline.
    Mine {
        /// Only of this account.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// List what others offer for an event, the cheapest first.
    Market(MarketOptions),
    /// Buy a listed ticket; needs the network.
    Buy {
        #[command(flatten)]
        place: AtTenant,
        /// The listing, as `resale market` names it.
        listing: String,
        /// What to pay at most, fees included, for example '70.00 EUR'.
        #[arg(long, value_name = "AMOUNT")]
        max_total: Money,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// B.A.M's own market, by transactions of its ledger that the certificate of `enroll` signs; needs the network.
    Ledger {
        #[command(subcommand)]
        command: LedgerCommand,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum LedgerCommand {
    /// Offer a ticket to anybody, or to one; `ticket-wallet offers` lists what is on offer.
    Sell {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// For example '64.50 EUR'.
        #[arg(long, value_name = "AMOUNT")]
        price: Money,
        /// The Unix second at which the offer ends by itself.
        #[arg(long, value_name = "UNIX")]
        until: i64,
        /// Only to the one with this enrolment.
        #[arg(long, value_name = "ENROLMENT")]
        to: Option<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Take an offer of a ticket back.
    Withdraw {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// The offer, as `ticket-wallet offers` names it.
        #[arg(allow_hyphen_values = true)]
        offer: String,
    },
    /// Hand a ticket over, at once; its new holder need not agree.
    Send {
        /// The ticket's id: 24 hex digits.
        id: String,
        /// Who shall get it: the enrolment that `ticket-wallet enroll` names there.
        #[arg(long, value_name = "ENROLMENT")]
        to: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
pub(crate) struct SaleOptions {
    /// The ticket's id: 24 hex digits.
    pub(crate) id: String,
    /// For example '64.50 EUR'.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) price: Money,
    /// End it by itself at this Unix second; else when resale closes for the event.
    #[arg(long, value_name = "UNIX")]
    pub(crate) expires_at: Option<i64>,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MarketOptions {
    #[command(flatten)]
    pub(crate) place: AtTenant,
    /// The event, by the ticketing system's id.
    pub(crate) event: String,
    /// Only of this section, by its name.
    #[arg(long, value_name = "NAME")]
    pub(crate) section: Option<String>,
    /// Only for this price or less, without the buyer's fee.
    #[arg(long, value_name = "AMOUNT")]
    pub(crate) max_price: Option<Money>,
    /// At most this many.
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<u32>,
    /// Go on where the page before ended.
    #[arg(long, value_name = "CURSOR")]
    pub(crate) cursor: Option<String>,
}
