//! Errors: a wide internal one, a narrow public one, and the one place that maps the first to the second.
//!
//! No text here holds personal data, a token, a key or a barcode: what a server wrote in prose is never kept, only its
//! status and its error code.

mod inside;
mod mapping;

pub use inside::Error;

use crate::manifest::ManifestRefusal;
use crate::model::NoBarcodeReason;
use crate::resale::NotOfferedReason;

/// Why the store cannot be opened as it is. Nothing was changed or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum RecoveryReason {
    /// The store's sealed key is gone, or the vault lost the key that opens it.
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
    /// The ticket's system, or what stands beside it, has no way to do it, or the organiser's rules bar it. Nothing was done.
    #[error("{reason}")]
    NotOffered {
        /// What it cannot do.
        why: NotOfferedReason,
        /// In words.
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
            Self::NotOffered { .. } => "not_offered",
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
