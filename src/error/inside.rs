//! Everything that can go wrong inside, and what it says about the request that it ended.

use super::RecoveryReason;
use crate::host::{HostClockError, HttpTransportError, KeyVaultError};
use crate::manifest::ManifestError;
use crate::model::{NoBarcodeReason, OAuthError};
use crate::resale::NotOfferedReason;

/// Everything that can go wrong inside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// An argument is unusable.
    #[error("{field}: {reason}")]
    Input {
        /// Which one.
        field: &'static str,
        /// Why.
        reason: String,
    },
    /// The key vault failed.
    #[error(transparent)]
    Vault(#[from] KeyVaultError),
    /// The clock failed.
    #[error(transparent)]
    Clock(#[from] HostClockError),
    /// The store cannot be opened.
    #[error("{why:?}")]
    Recovery {
        /// Why not.
        why: RecoveryReason,
    },
    /// The wallet is paused.
    #[error("the wallet is paused")]
    Paused,
    /// The wallet's files were deleted.
    #[error("the wallet was wiped; open a new one")]
    Wiped,
    /// Somebody else has the wallet open.
    #[error("the wallet is open in {by}")]
    OpenElsewhere {
        /// Which process.
        by: String,
    },
    /// The outbox takes nothing more.
    #[error("too many changes wait to be sent")]
    OutboxFull,
    /// The database was written by a newer version of this library.
    #[error("the database has schema {found}, this version knows {known}")]
    NewerSchema {
        /// In the file.
        found: i64,
        /// Here.
        known: i64,
    },
    /// SQLite said no.
    #[error("{context}: {reason}")]
    Database {
        /// What was being done.
        context: &'static str,
        /// SQLite's primary result in words, without values.
        reason: String,
    },
    /// The file system said no.
    #[error("{context}: {reason}")]
    File {
        /// What was being done.
        context: &'static str,
        /// The system's error in words.
        reason: String,
    },
    /// No reply, or half of one.
    #[error("{endpoint}: {why}")]
    Network {
        /// Method and path without ids.
        endpoint: String,
        /// What happened.
        why: HttpTransportError,
    },
    /// Nothing was sent: the server asked for a pause that is not over.
    #[error("{endpoint}: the server asked for a pause; try again later")]
    Pause {
        /// Method and path without ids.
        endpoint: String,
        /// What is left of it, in milliseconds.
        retry_after_ms: u64,
    },
    /// A reply with a status other than 2xx.
    #[error("{endpoint}: the server answered {status}")]
    Status {
        /// Method and path.
        endpoint: String,
        /// HTTP status.
        status: u16,
        /// The server's error code, cut to a plain identifier.
        server_code: Option<String>,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The server takes no requests of this version any more.
    #[error("{endpoint}: the server no longer speaks with this version")]
    UpgradeNeeded {
        /// Method and path without ids.
        endpoint: String,
    },
    /// The server failed, and asks to be told how.
    #[error("{endpoint}: the server failed")]
    ServerFault {
        /// Method and path without ids.
        endpoint: String,
        /// Endpoint, method, names of headers and shape of the payload, as JSON, without values.
        report: String,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// An error that the server's application tells inside its reply, whatever the HTTP status.
    #[error("{endpoint}: the server answered with error {code}")]
    Answer {
        /// Method and path.
        endpoint: String,
        /// HTTP status of the reply.
        status: u16,
        /// The application's code; 0 where it gave none.
        code: i64,
        /// `Retry-After`, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The account lacks a permission.
    #[error("{endpoint}: the account lacks the permission {permission}")]
    Permission {
        /// Method and path.
        endpoint: String,
        /// Its name in the system's documents.
        permission: &'static str,
        /// HTTP status of the reply.
        status: u16,
        /// The server's error code, if it gave one.
        server_code: Option<String>,
    },
    /// A reply that is not what its documents say.
    #[error("{endpoint}: the reply could not be read at {field}")]
    Reply {
        /// Method and path.
        endpoint: String,
        /// Where.
        field: String,
    },
    /// User name or password were refused.
    #[error("the user name or password was not accepted")]
    BadPassword,
    /// A sign-in in the browser did not come about.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
    /// The session is over and could not be renewed.
    #[error("the session has ended")]
    SignedOut,
    /// The wallet has no account.
    #[error("there is no account yet; sign in first")]
    NoAccount,
    /// There is nothing of this name.
    #[error("{what} not found")]
    NotFound {
        /// Of which kind.
        what: &'static str,
    },
    /// A manifest or delta is not taken.
    #[error("the manifest is not taken: {0}")]
    Manifest(#[from] ManifestError),
    /// Who asked for it cancelled it.
    #[error("cancelled")]
    Cancelled,
    /// The ticket has no barcode.
    #[error("{0:?}")]
    NoBarcode(NoBarcodeReason),
    /// The ticket's system has no way to do it.
    #[error("{0}")]
    NotOffered(NotOfferedReason),
    /// A vault or a server handed over something that fails its check.
    #[error("{what}")]
    Untrusted {
        /// What failed.
        what: &'static str,
    },
}

impl Error {
    /// Whether a server or the way to it is at fault, and another server may well answer.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(
            self,
            Self::Network { .. }
                | Self::Pause { .. }
                | Self::Status { .. }
                | Self::Answer { .. }
                | Self::Permission { .. }
                | Self::UpgradeNeeded { .. }
                | Self::ServerFault { .. }
                | Self::Reply { .. }
        )
    }

    /// Whether a write that ended like this may have been carried out all the same.
    ///
    /// It may when the request could have left and no readable answer came back, when the call was cancelled, and on
    /// any 5xx, 503 with `Retry-After` included: a gateway answers so as well when the server behind it went on. It
    /// may on a 3xx, for 303 points to the result of what was done. It was not when no connection was made, and 4xx
    /// refuses it (RFC 9110, section 15.5); a 409 of an idempotency key that is in use is about the request that came
    /// first. An application's own error refuses it too, unless it has no code or a server's fault for one, or comes with
    /// a gateway's status: none of these says what was done before.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Network { why, .. } => {
                !matches!(why, HttpTransportError::Unreachable | HttpTransportError::PinMismatch)
            }
            Self::Status { status, .. } => !(400..500).contains(status),
            Self::Answer { status, code, .. } => {
                (502..=504).contains(status) || *code <= 0 || (500..600).contains(code)
            }
            Self::Reply { .. } | Self::ServerFault { .. } | Self::Cancelled => true,
            _ => false,
        }
    }

    pub(crate) fn file(context: &'static str, error: &std::io::Error) -> Self {
        Self::File { context, reason: error.kind().to_string() }
    }
}
