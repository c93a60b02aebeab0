//! Accounts: one person at one ticketing system.

use zeroize::Zeroizing;

/// A ticketing system that this library speaks with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TicketSystem {
    /// B.A.M Ticketing.
    Bam,
}

impl TicketSystem {
    /// The lower-case name, first part of a provider's name.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Bam => "bam",
        }
    }

    /// Reads a name.
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Bam].into_iter().find(|system| system.as_text() == text)
    }
}

/// Where a ticketing system is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, uniffi::Record)]
pub struct SystemConfig {
    /// The API's address, for example `https://api.bam.fan`.
    pub url: String,
    /// Addresses of tenants, with `{tenant}` in it, for example `https://{tenant}.api.bam.fan`. Without it the tenant
    /// is put before the host, or, where the host is an IP address or `localhost`, into the path as `/t/{tenant}`.
    #[uniffi(default = None)]
    pub tenant_url: Option<String>,
    /// The tenant of tickets that do not tell theirs.
    #[uniffi(default = None)]
    pub default_tenant: Option<String>,
    /// Which relations a ticket list asks for, as a RelationExpression; by default all that the wallet shows.
    #[uniffi(default = None)]
    pub relations: Option<String>,
    /// Where the extension is looked for, with `{tenant}` where tenants serve it apart; the tenant's address without it.
    #[uniffi(default = None)]
    pub extension_url: Option<String>,
}

impl SystemConfig {
    /// The defaults for an address.
    pub fn at(url: impl Into<String>) -> Self {
        Self { url: url.into(), tenant_url: None, default_tenant: None, relations: None, extension_url: None }
    }
}

/// What a person enters to sign in.
#[derive(Clone, uniffi::Record)]
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
