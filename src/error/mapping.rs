//! What a caller is told of what went wrong inside.

use super::{Error, RecoveryReason, WalletError};
use crate::host::KeyVaultError;
use crate::model::{NoBarcodeReason, OAuthError};

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
            Error::NotOffered(why) => Self::NotOffered { why, reason },
            Error::Untrusted { .. } => Self::Internal { reason },
        }
    }
}

impl RecoveryReason {
    fn advice(self) -> &'static str {
        match self {
            Self::KeyMissing => {
                "this wallet's key is gone: its file wallet.key, or the key in the vault that opens it. Bring it back, or \
                 recover: the old files are put aside and the tickets come back with a sync. Nothing was changed"
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
