//! Errors: a wide internal one, a narrow public one, and the one place that maps the first to the second.
//!
//! No text here holds personal data, a token, a key or a barcode: what a server wrote in prose is never kept, only its
//! status and its error code.

use crate::host::{HostClockError, HttpTransportError, KeyVaultError};
use crate::manifest::{ManifestError, ManifestRefusal};
use crate::model::{NoBarcodeReason, OAuthError};

/// Why the store cannot be opened as it is. Nothing was changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecoveryReason {
    /// The key vault lost the key that opens the store's key.
    KeyMissing,
    /// The sealed key does not open here: another vault, another installation, or a damaged file.
    KeyInvalid,
    /// The key opens, but it is not this database's.
    WrongKey,
    /// The key is right and the database is damaged.
    Damaged,
    /// The wallet's files are there without their database.
    DatabaseMissing,
    /// The files came from a backup: what ties them to this installation was rightly not in it.
    RestoredBackup,
}

/// What a caller can act on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum WalletError {
    /// A value that was handed in is unusable; nothing was done.
    #[error("{field}: {reason}")]
    InvalidInput {
        /// Which value.
        field: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The key vault cannot be used right now. Try again later, for example after the device is unlocked.
    #[error("{reason}")]
    KeyUnavailable {
        /// What the vault said.
        reason: String,
    },
    /// The store cannot be opened; nothing was changed.
    #[error("the wallet needs recovery: {reason}")]
    NeedsRecovery {
        /// Which kind of damage.
        why: RecoveryReason,
        /// What happened and what helps.
        reason: String,
    },
    /// The account must sign in again.
    #[error("{reason}")]
    NeedsSignIn {
        /// What happened.
        reason: String,
    },
    /// No usable answer came; the same call may work later.
    #[error("{reason}")]
    Unreachable {
        /// What happened.
        reason: String,
        /// How long the server asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The server answered, and the answer is no.
    #[error("{reason}")]
    Refused {
        /// What it said, in our words.
        reason: String,
        /// HTTP status.
        status: u16,
        /// The server's error code, where it gave one.
        server_code: Option<String>,
    },
    /// The server takes no requests of this version any more: the app must be updated, and trying again does not help.
    #[error("{reason}")]
    UpgradeNeeded {
        /// What happened and what helps.
        reason: String,
    },
    /// The server failed at this request, and asks to be told of it.
    #[error("{reason}")]
    ServerFault {
        /// What happened and what helps.
        reason: String,
        /// What its operator needs to know, as JSON: endpoint, method, the names of the headers, and the shape of the
        /// payload; no value of any of them.
        report: String,
        /// How long the server asked to wait, in milliseconds.
        retry_after_ms: Option<u64>,
    },
    /// The account lacks a permission at its system; signing in again does not help.
    #[error("{reason}")]
    PermissionDenied {
        /// What was refused.
        reason: String,
        /// The permission's name, where the system's documents name it: `network.manage`.
        permission: Option<String>,
    },
    /// The ticket has no barcode to show.
    #[error("no barcode: {reason}")]
    NoBarcode {
        /// Which case.
        why: NoBarcodeReason,
        /// What it means and what helps.
        reason: String,
    },
    /// A gate's manifest or delta is not taken; the one in use stays.
    #[error("{reason}")]
    ManifestRefused {
        /// What is wrong with it.
        why: ManifestRefusal,
        /// In words.
        reason: String,
    },
    /// No such ticket or account in this wallet.
    #[error("{reason}")]
    NotFound {
        /// What was looked for.
        reason: String,
    },
    /// Whoever started it cancelled it; what was done until then stays.
    #[error("{reason}")]
    Cancelled {
        /// What was cancelled.
        reason: String,
    },
    /// The wallet is paused; nothing is read or written until it is resumed.
    #[error("{reason}")]
    Paused {
        /// What to do.
        reason: String,
    },
    /// Another process, or another part of this one, has the wallet open.
    #[error("{reason}")]
    InUse {
        /// Who, and what to do.
        reason: String,
    },
    /// Too many changes wait to be sent; this one was not accepted.
    #[error("{reason}")]
    OutboxFull {
        /// What to do.
        reason: String,
    },
    /// The files of the store cannot be read or written: disk full, read-only, no permission, a newer version.
    #[error("{reason}")]
    Storage {
        /// What happened.
        reason: String,
    },
    /// A fault of this library.
    #[error("internal error: {reason}")]
    Internal {
        /// What happened.
        reason: String,
    },
}

impl WalletError {
    /// A stable name for logs and support, for example `needs_recovery`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidInput { .. } => "invalid_input",
            Self::KeyUnavailable { .. } => "key_unavailable",
            Self::NeedsRecovery { .. } => "needs_recovery",
            Self::NeedsSignIn { .. } => "needs_sign_in",
            Self::Unreachable { .. } => "unreachable",
            Self::Refused { .. } => "refused",
            Self::UpgradeNeeded { .. } => "upgrade_needed",
            Self::ServerFault { .. } => "server_fault",
            Self::PermissionDenied { .. } => "permission_denied",
            Self::NoBarcode { .. } => "no_barcode",
            Self::ManifestRefused { .. } => "manifest_refused",
            Self::NotFound { .. } => "not_found",
            Self::Cancelled { .. } => "cancelled",
            Self::Paused { .. } => "paused",
            Self::InUse { .. } => "in_use",
            Self::OutboxFull { .. } => "outbox_full",
            Self::Storage { .. } => "storage",
            Self::Internal { .. } => "internal",
        }
    }

    pub(crate) fn input(field: &str, reason: impl ToString) -> Self {
        Self::InvalidInput { field: field.to_owned(), reason: reason.to_string() }
    }
}

/// The stable name of an error, for hosts: see [`WalletError::code`].
#[uniffi::export]
pub fn wallet_error_code(error: WalletError) -> String {
    error.code().to_owned()
}

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
    /// first. An application's own error refuses it too, unless it has no code or a server's fault for one: none of
    /// these says what was done before.
    pub fn is_uncertain(&self) -> bool {
        match self {
            Self::Network { why, .. } => {
                !matches!(why, HttpTransportError::Unreachable | HttpTransportError::PinMismatch)
            }
            Self::Status { status, .. } => !(400..500).contains(status),
            Self::Answer { code, .. } => *code <= 0 || (500..600).contains(code),
            Self::Reply { .. } | Self::ServerFault { .. } | Self::Cancelled => true,
            _ => false,
        }
    }

    pub(crate) fn file(context: &'static str, error: &std::io::Error) -> Self {
        Self::File { context, reason: error.kind().to_string() }
    }
}

impl From<Error> for WalletError {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match error {
            Error::Input { field, reason } => Self::input(field, reason),
            Error::Vault(KeyVaultError::Locked | KeyVaultError::Cancelled | KeyVaultError::Failed { .. }) => {
                Self::KeyUnavailable { reason }
            }
            Error::Vault(KeyVaultError::Missing | KeyVaultError::Invalidated) => {
                let why = NoBarcodeReason::NeedsRebind;
                Self::NoBarcode { why, reason: why.advice().to_owned() }
            }
            Error::Clock(_) => Self::Internal { reason },
            Error::Recovery { why } => Self::NeedsRecovery { why, reason: why.advice().to_owned() },
            Error::NewerSchema { .. } => Self::Storage { reason: format!("{reason}; update the app") },
            Error::Paused => Self::Paused { reason: format!("{reason}; resume it first") },
            Error::OpenElsewhere { .. } => Self::InUse { reason: format!("{reason}; close it there first") },
            Error::OutboxFull => {
                Self::OutboxFull { reason: format!("{reason}; go online and sync, or discard some") }
            }
            Error::Database { .. } | Error::File { .. } | Error::Wiped => Self::Storage { reason },
            Error::Network { .. } => Self::Unreachable { reason, retry_after_ms: None },
            Error::Pause { retry_after_ms, .. } => {
                Self::Unreachable { reason, retry_after_ms: Some(retry_after_ms) }
            }
            Error::Status { status: 429 | 500.., retry_after_ms, .. } => {
                Self::Unreachable { reason, retry_after_ms }
            }
            Error::Status { status, server_code, .. } => Self::Refused { reason, status, server_code },
            Error::UpgradeNeeded { .. } => {
                Self::UpgradeNeeded { reason: format!("{reason}; update the app") }
            }
            Error::ServerFault { report, retry_after_ms, .. } => {
                let reason = format!("{reason}; give the report to whoever runs it");
                Self::ServerFault { reason, report, retry_after_ms }
            }
            Error::Answer { code: 429 | 500..=599, retry_after_ms, .. } => {
                Self::Unreachable { reason, retry_after_ms }
            }
            Error::Answer { status, code, .. } => {
                Self::Refused { reason, status, server_code: (code != 0).then(|| code.to_string()) }
            }
            Error::Permission { permission, .. } => {
                Self::PermissionDenied { reason, permission: Some(permission.to_owned()) }
            }
            Error::Reply { .. } => Self::Unreachable { reason, retry_after_ms: None },
            Error::BadPassword => Self::Refused { reason, status: 401, server_code: None },
            Error::OAuth(why) if why.is_cancelled() => Self::Cancelled { reason },
            Error::OAuth(OAuthError::Denied { code }) if !OAuthError::denied(&code).is_passing() => {
                Self::Refused { reason, status: 400, server_code: Some(code) }
            }
            Error::OAuth(
                OAuthError::Redirect | OAuthError::State | OAuthError::Issuer | OAuthError::Parameter { .. },
            ) => Self::input("redirect", reason),
            Error::OAuth(_) => Self::Unreachable { reason, retry_after_ms: None },
            Error::SignedOut => Self::NeedsSignIn { reason: format!("{reason}; sign in again") },
            Error::Manifest(why) => Self::ManifestRefused { why: why.into(), reason },
            Error::NotFound { .. } | Error::NoAccount => Self::NotFound { reason },
            Error::Cancelled => Self::Cancelled { reason },
            Error::NoBarcode(why) => Self::NoBarcode { why, reason: why.advice().to_owned() },
            Error::Untrusted { .. } => Self::Internal { reason },
        }
    }
}

impl RecoveryReason {
    fn advice(self) -> &'static str {
        match self {
            Self::KeyMissing => {
                "the key vault no longer has this wallet's key. Bring the vault back, or recover: the old files are \
                 put aside and the tickets come back with a sync. Nothing was changed"
            }
            Self::KeyInvalid => {
                "the wallet's sealed key cannot be opened on this device: it belongs to another vault, or the device \
                 made it invalid. Bring the matching vault back, or recover: the old files are put aside and the \
                 tickets come back with a sync. Nothing was changed"
            }
            Self::WrongKey => {
                "the key is not the one this database was made with. Bring the matching files back, or recover: the \
                 old files are put aside and what can be read is saved. Nothing was changed"
            }
            Self::Damaged => {
                "the database is damaged. Recover: the old files are put aside, what can be read is saved and the \
                 rest comes back with a sync. Nothing was changed"
            }
            Self::DatabaseMissing => {
                "the database file is gone while its key is there. Bring wallet.db back, or recover: the tickets come \
                 back with a sync. Nothing was changed"
            }
            Self::RestoredBackup => {
                "these files were restored from a backup, whose key stays on the device that made them. Recover: they \
                 are put aside and the tickets come back with a sync. Nothing was changed"
            }
        }
    }
}
