//! The command line of TickeTing: how it is reached, admission tokens, admissions.

use clap::{Args, Subcommand, ValueEnum};
use ticket_wallet::model::{TicketingAccess, TicketingCode, TicketingConfig, TicketingDates};

use super::moment;
use super::system::Given;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AccessName {
    /// A session, begun with user name and password.
    Session,
    /// An integration key, or the key of an admission token, in place of the password.
    IntegrationKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DatesName {
    /// With their offset.
    Iso,
    /// Without one, in the time zone.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CodesName {
    /// None.
    None,
    /// The ticket's serial.
    Serial,
    /// The fingerprint of the API's version 2.
    Fingerprint,
}

/// A key that is printed nowhere.
#[derive(Clone)]
struct AppKey(String);

impl std::fmt::Debug for AppKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("AppKey(..)")
    }
}

impl From<String> for AppKey {
    fn from(key: String) -> Self {
        Self(key)
    }
}

/// The app's own key.
#[derive(Debug, Args)]
pub(crate) struct AppKeyOption {
    /// TickeTing: the app's own key, sent when a session is begun and when an admission code is looked up. In the command line
    /// it can be seen by others on this machine (`ps`): put it into the environment.
    #[arg(
        long,
        value_name = "KEY",
        allow_hyphen_values = true,
        env = "TICKET_WALLET_APP_KEY",
        hide_env_values = true
    )]
    app_key: Option<AppKey>,
}

impl AppKeyOption {
    pub(super) fn get(&self) -> Option<String> {
        self.app_key.as_ref().map(|key| key.0.clone())
    }
}

/// How TickeTing is reached.
#[derive(Debug, Args)]
pub(crate) struct TicketingOptions {
    /// TickeTing: what the account is let in by; session without it.
    #[arg(long, value_enum)]
    access: Option<AccessName>,
    /// TickeTing: which version of the API is spoken; 3.0.0 without it.
    #[arg(long, value_name = "VERSION")]
    client_version: Option<String>,
    #[command(flatten)]
    app_key: AppKeyOption,
    /// TickeTing: number of the account whose tickets are listed; the session's own without it.
    #[arg(long, value_name = "NUMBER")]
    account_number: Option<String>,
    /// TickeTing: give a request up after so many milliseconds; 10000 without it.
    #[arg(long, value_name = "MS")]
    timeout_ms: Option<u32>,
    /// TickeTing: how dates are written in queries; iso without it.
    #[arg(long, value_enum)]
    dates: Option<DatesName>,
    /// TickeTing: which code tickets show; none without it.
    #[arg(long, value_enum)]
    codes: Option<CodesName>,
    /// TickeTing: 404 for the first page of a list says that the list is empty.
    #[arg(long)]
    empty_is_not_found: bool,
}

impl TicketingOptions {
    pub(crate) fn is_key(&self) -> bool {
        self.access == Some(AccessName::IntegrationKey)
    }

    pub(crate) fn config(&self, time_zone: Option<String>) -> TicketingConfig {
        TicketingConfig {
            access: self.access.map(|access| match access {
                AccessName::Session => TicketingAccess::Session,
                AccessName::IntegrationKey => TicketingAccess::IntegrationKey,
            }),
            client_version: self.client_version.clone(),
            app_key: self.app_key.get(),
            account: self.account_number.clone(),
            timeout_ms: self.timeout_ms,
            time_zone,
            dates: self.dates.map(|dates| match dates {
                DatesName::Iso => TicketingDates::Iso,
                DatesName::Plain => TicketingDates::Plain,
            }),
            codes: self.codes.map(|codes| match codes {
                CodesName::None => TicketingCode::None,
                CodesName::Serial => TicketingCode::Serial,
                CodesName::Fingerprint => TicketingCode::Fingerprint,
            }),
            empty_is_not_found: self.empty_is_not_found,
        }
    }

    /// Each option, and whether it was given; the key may come from the environment.
    pub(crate) fn given(&self) -> [Given; 7] {
        [
            ("--access", self.access.is_some()),
            ("--client-version", self.client_version.is_some()),
            ("--account-number", self.account_number.is_some()),
            ("--timeout-ms", self.timeout_ms.is_some()),
            ("--dates", self.dates.is_some()),
            ("--codes", self.codes.is_some()),
            ("--empty-is-not-found", self.empty_is_not_found),
        ]
    }
}

/// Which pages of a list.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct PageOptions {
    /// Only this page, from 1; all of them without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: Option<u32>,
    /// How many there are on a page; the server's own number without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) records: Option<u32>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Issue tokens for an event's sections, and tell their codes.
    Issue {
        #[command(flatten)]
        of: EventOptions,
        /// A section: its address or id; as often as needed.
        #[arg(long, value_name = "SECTION", required = true)]
        section: Vec<String>,
        /// How many, each a token of its own.
        #[arg(long, value_name = "N", default_value_t = 1)]
        count: u32,
    },
    /// List an event's tokens, without their codes.
    List {
        #[command(flatten)]
        of: EventOptions,
        #[command(flatten)]
        pages: PageOptions,
        /// true: only the event's own token; false: all others.
        #[arg(long, value_name = "BOOL")]
        global: Option<bool>,
    },
    /// Show one token with its code.
    Show {
        #[command(flatten)]
        of: EventOptions,
        /// The token's id.
        token: String,
    },
    /// Make a token good for just these sections.
    Update {
        #[command(flatten)]
        of: EventOptions,
        /// The token's id.
        token: String,
        /// A section: its address or id; as often as needed.
        #[arg(long, value_name = "SECTION", required = true)]
        section: Vec<String>,
    },
    /// Delete a token; it cannot be undone.
    Delete {
        #[command(flatten)]
        of: EventOptions,
        /// The token's id.
        token: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Say what a token's code lets its bearer in to; the code comes from a prompt or stdin.
    LookUp {
        /// The account; needed where there are several.
        #[arg(long, value_name = "ID")]
        account: Option<String>,
        /// Tell the key too: `box-office login --access integration-key` takes it.
        #[arg(long)]
        key: bool,
    },
}

/// An event, and who looks at it.
#[derive(Debug, Args)]
pub(crate) struct EventOptions {
    /// The account; needed where there are several.
    #[arg(long, value_name = "ID")]
    pub(crate) account: Option<String>,
    /// The event's id.
    pub(crate) event: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AdmissionsCommand {
    /// Redeem tickets at an entrance; it cannot be undone.
    Admit(AdmitOptions),
    /// List who was admitted.
    List(Box<AdmissionOptions>),
    /// List an event's tickets.
    Tickets {
        #[command(flatten)]
        of: EventOptions,
        /// Only those whose status has changed after this: Unix seconds, or 2026-11-21T00:00:00Z.
        #[arg(long, value_name = "TIME", value_parser = moment, allow_negative_numbers = true)]
        modified_since: Option<i64>,
        /// Only this page, from 1; all of them without it.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        page: Option<u32>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct AdmitOptions {
    #[command(flatten)]
    pub(crate) of: EventOptions,
    /// The tickets' serials; - reads them from stdin, one in each line.
    #[arg(value_name = "SERIAL", required = true)]
    pub(crate) serials: Vec<String>,
    /// Who redeems them, a name of your choice.
    #[arg(long, value_name = "NAME")]
    pub(crate) redeemer: String,
    /// On which device, a name of your choice; each needs its own.
    #[arg(long, value_name = "NAME")]
    pub(crate) device: String,
    /// Do not ask.
    #[arg(long)]
    pub(crate) yes: bool,
}

#[derive(Debug, Args)]
pub(crate) struct AdmissionOptions {
    #[command(flatten)]
    pub(crate) of: EventOptions,
    #[command(flatten)]
    pub(crate) pages: PageOptions,
    /// Only by this redeemer.
    #[arg(long, value_name = "NAME")]
    pub(crate) redeemer: Option<String>,
    /// Only on this device.
    #[arg(long, value_name = "NAME")]
    pub(crate) device: Option<String>,
    /// Only of the ticket with this serial.
    #[arg(long, value_name = "SERIAL")]
    pub(crate) ticket: Option<String>,
    /// Only of this patron: the address of an account.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) patron: Option<String>,
    /// Only of the section with this id.
    #[arg(long, value_name = "ID")]
    pub(crate) section: Option<String>,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::TicketingOptions;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        ticketing: TicketingOptions,
    }

    #[test]
    fn the_apps_key_is_printed_nowhere() {
        let line = Line::try_parse_from(["x", "--app-key", "app-secret-1"]).unwrap();
        assert_eq!(line.ticketing.config(None).app_key.as_deref(), Some("app-secret-1"));
        let printed = format!("{line:?} {line:#?}");
        assert!(printed.contains("AppKey(..)") && !printed.contains("app-secret-1"), "{printed}");
    }
}
