//! Why a command failed, and the exit code that says so.

use std::fmt;
use std::io;

use serde_json::{Value, json};
use ticket_wallet::WalletError;

/// What goes wrong between two gates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PeerTrouble {
    /// It is not there, has gone, or says nothing.
    Silent,
    /// What it says is none of a gate of this event.
    NoGate,
    /// It does not answer this gate.
    Refuses,
}

/// A failure that ends the command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The core's.
    Wallet(WalletError),
    /// What was typed or piped in cannot be used.
    Usage(String),
    /// Another gate, over what connects the two.
    Peer(PeerTrouble, String),
    /// A file, the terminal or a port.
    System {
        /// What was being done.
        doing: String,
        /// What the system said.
        error: io::Error,
    },
    /// Whoever read stdout has gone: no more to say, and nobody to say it to.
    ReaderGone,
}

impl Failure {
    pub(crate) fn system(doing: impl Into<String>, error: io::Error) -> Self {
        Self::System { doing: doing.into(), error }
    }

    /// The stable name of the failure.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Wallet(error) => error.code(),
            Self::Usage(_) | Self::Peer(PeerTrouble::NoGate, _) => "invalid_input",
            Self::Peer(PeerTrouble::Silent, _) => "unreachable",
            Self::Peer(PeerTrouble::Refuses, _) => "refused",
            Self::System { .. } | Self::ReaderGone => "system",
        }
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Wallet(WalletError::InvalidInput { .. } | WalletError::NotFound { .. })
            | Self::Usage(_)
            | Self::Peer(PeerTrouble::NoGate, _) => 2,
            Self::Wallet(WalletError::Unreachable { .. }) | Self::Peer(PeerTrouble::Silent, _) => 3,
            Self::Wallet(
                WalletError::NeedsSignIn { .. }
                | WalletError::Refused { .. }
                | WalletError::PermissionDenied { .. }
                | WalletError::NotOffered { .. }
                | WalletError::ManifestRefused { .. },
            )
            | Self::Peer(PeerTrouble::Refuses, _) => 4,
            Self::Wallet(
                WalletError::KeyUnavailable { .. }
                | WalletError::NeedsRecovery { .. }
                | WalletError::Paused { .. }
                | WalletError::InUse { .. }
                | WalletError::OutboxFull { .. }
                | WalletError::Storage { .. },
            ) => 5,
            Self::Wallet(WalletError::NoBarcode { .. }) => 6,
            Self::Wallet(WalletError::ServerFault { .. }) => 8,
            Self::Wallet(WalletError::UpgradeNeeded { .. }) => 7,
            Self::Wallet(WalletError::Internal { .. } | WalletError::Cancelled { .. })
            | Self::System { .. }
            | Self::ReaderGone => 1,
        }
    }
}

impl Failure {
    /// For scripts: what a server refused comes with its status and its code, a missing permission with its name, and a
    /// server's fault with the report for its operator.
    pub(crate) fn json(&self) -> Value {
        let mut error = json!({ "code": self.code(), "reason": self.to_string() });
        match self {
            Self::Wallet(WalletError::Refused { status, server_code, .. }) => {
                error["status"] = json!(status);
                error["server_code"] = json!(server_code);
            }
            Self::Wallet(WalletError::PermissionDenied { permission, .. }) => {
                error["permission"] = json!(permission);
            }
            Self::Wallet(WalletError::ServerFault { report, .. }) => {
                error["report"] = serde_json::from_str(report).unwrap_or_default();
            }
            _ => {}
        }
        json!({ "error": error })
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wallet(WalletError::Refused { reason, server_code: Some(code), .. }) => {
                write!(f, "{reason} ({code})")
            }
            Self::Wallet(WalletError::ServerFault { reason, report, .. }) => write!(f, "{reason}: {report}"),
            Self::Wallet(error) => error.fmt(f),
            Self::Usage(reason) | Self::Peer(_, reason) => f.write_str(reason),
            Self::System { doing, error } => write!(f, "{doing}: {error}"),
            Self::ReaderGone => f.write_str("nobody reads the output"),
        }
    }
}

impl From<WalletError> for Failure {
    fn from(error: WalletError) -> Self {
        Self::Wallet(error)
    }
}

/// What clap says over several lines, in one; how the command is used stands in its help.
impl From<clap::Error> for Failure {
    fn from(error: clap::Error) -> Self {
        let text = error.render().to_string();
        let lines = text.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
        let said: Vec<_> = lines.filter(|line| !line.is_empty() && !line.contains("'--help'")).collect();
        let said = said.join(" ").replace(" tip: ", "; tip: ");
        Self::Usage(format!("{}; --help says more", said.trim_start_matches("error: ")))
    }
}

/// For writing to stdout.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ReaderGone,
            _ => Self::system("the output cannot be written", error),
        }
    }
}
