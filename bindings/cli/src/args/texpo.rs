//! The command line of TEXPO: how it is reached, and its catalogue.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use ticket_wallet::model::{Money, ProductGrant, ProductType, TexpoConfig, TexpoSignIn, TexpoTimestamps};

use super::moment;
use super::system::Given;

/// TEXPO's prices are in this currency.
const CURRENCY: &str = "USD";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SignInName {
    /// At the adminserver: network managers, and others whom it knows.
    Adminserver,
    /// At the user API: ticket holders alone.
    UserApi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimestampsName {
    /// Seconds since 1970.
    UnixSeconds,
    /// Milliseconds since 1970.
    UnixMilliseconds,
    /// A text in UTC.
    Iso,
}

/// How TEXPO is reached.
#[derive(Debug, Args)]
pub(crate) struct TexpoOptions {
    /// TEXPO: the network to act in.
    #[arg(long, value_name = "ID")]
    network: Option<String>,
    /// TEXPO: the header that names the network; X-Network-Id without it.
    #[arg(long, value_name = "NAME")]
    network_header: Option<String>,
    /// TEXPO: where the account is signed in; adminserver without it.
    #[arg(long, value_enum)]
    sign_in: Option<SignInName>,
    /// TEXPO: how times are written; unix-seconds without it.
    #[arg(long, value_enum)]
    timestamps: Option<TimestampsName>,
    /// TEXPO: path of the adminserver's methods; jsonRpc without it.
    #[arg(long, value_name = "PATH")]
    rpc_prefix: Option<String>,
    /// TEXPO: path of the adminserver's sign-in; auth without it.
    #[arg(long, value_name = "PATH")]
    auth_prefix: Option<String>,
    /// TEXPO: address of the holders' API; the adminserver's own without it.
    #[arg(long, value_name = "URL")]
    holder_url: Option<String>,
    /// TEXPO: path of the holders' API; api/v0 without it.
    #[arg(long, value_name = "PATH")]
    holder_prefix: Option<String>,
    /// TEXPO: path of the user API's sign-in; api/v1/auth without it.
    #[arg(long, value_name = "PATH")]
    user_auth_prefix: Option<String>,
    /// TEXPO: do not ask for bought tickets, which the documents have over a websocket only.
    #[arg(long)]
    no_purchased_tickets: bool,
    /// TEXPO: a reply's error.status is true for a success.
    #[arg(long)]
    status_true_is_success: bool,
    /// TEXPO: an error code that says that a permission is missing, beside 403; as often as needed.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    permission_code: Vec<i64>,
    /// TEXPO: a list without its tickets says that the catalogue is empty.
    #[arg(long)]
    no_list_is_empty: bool,
}

impl TexpoOptions {
    pub(crate) fn config(&self) -> TexpoConfig {
        TexpoConfig {
            network_id: self.network.clone(),
            network_header: self.network_header.clone(),
            sign_in: match self.sign_in {
                Some(SignInName::UserApi) => TexpoSignIn::UserApi,
                Some(SignInName::Adminserver) | None => TexpoSignIn::Adminserver,
            },
            timestamps: match self.timestamps {
                Some(TimestampsName::UnixMilliseconds) => TexpoTimestamps::UnixMilliseconds,
                Some(TimestampsName::Iso) => TexpoTimestamps::Iso,
                Some(TimestampsName::UnixSeconds) | None => TexpoTimestamps::UnixSeconds,
            },
            rpc_prefix: self.rpc_prefix.clone(),
            auth_prefix: self.auth_prefix.clone(),
            holder_url: self.holder_url.clone(),
            holder_prefix: self.holder_prefix.clone(),
            user_auth_prefix: self.user_auth_prefix.clone(),
            purchased_tickets: !self.no_purchased_tickets,
            status_true_is_success: self.status_true_is_success,
            permission_codes: self.permission_code.clone(),
            no_list_is_empty: self.no_list_is_empty,
        }
    }

    /// Each option, and whether it was given.
    pub(crate) fn given(&self) -> [Given; 13] {
        [
            ("--network", self.network.is_some()),
            ("--network-header", self.network_header.is_some()),
            ("--sign-in", self.sign_in.is_some()),
            ("--timestamps", self.timestamps.is_some()),
            ("--rpc-prefix", self.rpc_prefix.is_some()),
            ("--auth-prefix", self.auth_prefix.is_some()),
            ("--holder-url", self.holder_url.is_some()),
            ("--holder-prefix", self.holder_prefix.is_some()),
            ("--user-auth-prefix", self.user_auth_prefix.is_some()),
            ("--no-purchased-tickets", self.no_purchased_tickets),
            ("--status-true-is-success", self.status_true_is_success),
            ("--permission-code", !self.permission_code.is_empty()),
            ("--no-list-is-empty", self.no_list_is_empty),
        ]
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CatalogueCommand {
    /// List the catalogue, in the server's order.
    List {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
    },
    /// Show one entry.
    Show {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Its productId.
        #[arg(allow_hyphen_values = true)]
        product: String,
        /// Write the system's record to this file, as it is; `update --file` takes it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make an entry.
    Create {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Its productId, of your choice; that of the file without it.
        product: Option<String>,
        #[command(flatten)]
        fields: Box<ProductOptions>,
    },
    /// Change those fields of an entry that are named.
    Update {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Its productId.
        product: String,
        #[command(flatten)]
        fields: Box<ProductOptions>,
    },
    /// Take an entry out of the catalogue; it cannot be undone.
    Delete {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Its productId.
        #[arg(allow_hyphen_values = true)]
        product: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

/// What an entry shall have.
#[derive(Debug, Args)]
pub(crate) struct ProductOptions {
    /// Members by their names in TEXPO's documents, as a JSON object; - reads them from stdin.
    #[arg(long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The event's name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) event_name: Option<String>,
    /// The event's start: Unix seconds, or 2026-11-21T09:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_negative_numbers = true)]
    pub(crate) starts_at: Option<i64>,
    /// The event's end.
    #[arg(long, value_name = "TIME", value_parser = moment, allow_negative_numbers = true)]
    pub(crate) ends_at: Option<i64>,
    /// For which days it is: single, or days:1of3.
    #[arg(long, value_name = "TYPE", value_parser = ticket_type)]
    pub(crate) ticket_type: Option<ProductType>,
    /// The ticket's name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// What the ticket is.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Price in US dollars, for example 64.10.
    #[arg(long, value_name = "AMOUNT", value_parser = price)]
    pub(crate) price: Option<Money>,
    /// The picture's resource id.
    #[arg(long, value_name = "ID")]
    pub(crate) thumbnail: Option<String>,
    /// A text on a discount; it changes no price.
    #[arg(long, value_name = "TEXT")]
    pub(crate) discount: Option<String>,
    /// A role that buyers get, with where it counts; as often as needed.
    #[arg(long, value_name = "ROLE:TARGET", value_parser = grant)]
    pub(crate) grant: Vec<ProductGrant>,
}

fn ticket_type(text: &str) -> Result<ProductType, String> {
    match ProductType::from_text(text) {
        ProductType::Other { .. } => Err("write single, or days:1of3".to_owned()),
        other => Ok(other),
    }
}

fn price(text: &str) -> Result<Money, String> {
    Money::parse(text, CURRENCY).map_err(|error| error.to_string())
}

fn grant(text: &str) -> Result<ProductGrant, String> {
    match text {
        "" => Err("write ROLE:TARGET".to_owned()),
        _ => Ok(ProductGrant::from_texts("userRole", text)),
    }
}
