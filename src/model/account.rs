//! Accounts: one person at one ticketing system.

use zeroize::Zeroizing;

use super::system::{SystemConfig, TicketSystem};

/// What a person enters to sign in.
#[derive(Clone, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SignIn {
    /// Which system.
    pub system: TicketSystem,
    /// Where it is.
    pub config: SystemConfig,
    /// User name or e-mail address.
    pub user_name: String,
    /// Password; not kept.
    pub password: String,
}

/// Whether an account can be used online.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum AccountState {
    /// Its session works as far as is known.
    SignedIn,
    /// Its session has ended; what was synced stays.
    NeedsSignIn,
}

/// A person at a ticketing system.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Account {
    /// Id in this wallet.
    pub id: String,
    /// Which system.
    pub system: TicketSystem,
    /// The API's address.
    pub url: String,
    /// What the person signed in with.
    pub user_name: String,
    /// Whether it can be used online.
    pub state: AccountState,
}

/// The tokens of a session.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Sent with every request.
    pub access: Zeroizing<String>,
    /// Renews the session; guests have none.
    pub refresh: Option<Zeroizing<String>>,
    /// The server's id of the session, where renewing it takes one.
    pub session_id: Option<Zeroizing<String>>,
}

/// An account as it is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Id in this wallet.
    pub id: String,
    /// Which system.
    pub system: TicketSystem,
    /// Where it is.
    pub config: SystemConfig,
    /// What the person signed in with.
    pub user_name: String,
    /// The session; `None` when the person must sign in.
    pub tokens: Option<Tokens>,
}

impl From<StoredAccount> for Account {
    fn from(account: StoredAccount) -> Self {
        let state = if account.tokens.is_some() { AccountState::SignedIn } else { AccountState::NeedsSignIn };
        Self {
            id: account.id,
            system: account.system,
            url: account.config.url,
            user_name: account.user_name,
            state,
        }
    }
}

opaque_debug!(SignIn, Account, Tokens, StoredAccount);
