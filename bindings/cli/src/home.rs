//! Where the wallet of this terminal is, and its software vault.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ticket_wallet::host::{HostClock, SoftwareVault};
use ticket_wallet::{Config, Wallet, WalletError};

use crate::failure::Failure;

/// The folder that was named, or the default one.
pub(crate) fn folder(named: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let in_home = || env::home_dir().map(|home| home.join(".local/share/ticket-wallet"));
    named
        .or_else(in_home)
        .ok_or_else(|| Failure::Usage("no home folder: say --store DIR or set TICKET_WALLET_HOME".to_owned()))
}

/// Opens the wallet in the folder that was named, or in the default one, and makes it where there is none.
pub(crate) fn begin(named: Option<PathBuf>) -> Result<Wallet, Failure> {
    open_in(&folder(named)?, None)
}

/// Opens the wallet in the folder that was named, or in the default one; makes none.
pub(crate) fn open(named: Option<PathBuf>) -> Result<Wallet, Failure> {
    Place::of(Store::Wallet, named)?.open()
}

/// Opens the wallet in `folder`, and makes it where there is none.
pub(crate) fn open_in(folder: &Path, clock: Option<Arc<dyn HostClock>>) -> Result<Wallet, Failure> {
    let (config, vault) = parts(folder)?;
    Ok(Wallet::open(config, vault, clock, None)?)
}

/// What a store is for. A gate and a box office have folders of their own in the wallet's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Store {
    Wallet,
    Gate,
    BoxOffice,
}

impl Store {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Wallet => "wallet",
            Self::Gate => "gate",
            Self::BoxOffice => "box office",
        }
    }

    /// How its commands begin.
    pub(crate) fn command(self) -> &'static str {
        match self {
            Self::Wallet => "ticket-wallet",
            Self::Gate => "ticket-wallet gate",
            Self::BoxOffice => "ticket-wallet box-office",
        }
    }

    /// The command of these that makes one.
    fn begins_with(self) -> &'static str {
        if self == Self::Gate { "sign-in" } else { "login" }
    }

    /// Where it is, beside the wallet in this folder.
    pub(crate) fn folder(self, wallet: &Path) -> PathBuf {
        match self {
            Self::Wallet => wallet.to_owned(),
            Self::Gate => wallet.join("gate"),
            Self::BoxOffice => wallet.join("box-office"),
        }
    }
}

/// A store and where it is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) store: Store,
    pub(crate) folder: PathBuf,
}

impl Place {
    /// That store of the wallet in the folder that was named, or in the default one.
    pub(crate) fn of(store: Store, named: Option<PathBuf>) -> Result<Self, Failure> {
        Ok(Self::beside(store, &folder(named)?))
    }

    /// That store of the wallet in this folder.
    pub(crate) fn beside(store: Store, wallet: &Path) -> Self {
        Self { store, folder: store.folder(wallet) }
    }

    /// Whether there is a store, or what a broken recovery has of it.
    pub(crate) fn is_there(&self) -> Result<bool, Failure> {
        let is_part =
            |name: &str| name.starts_with("wallet.") && name != "wallet.lock" || name == "recovering";
        match fs::read_dir(&self.folder) {
            Ok(entries) => Ok(entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_part))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => {
                let reason = format!("the folder {} cannot be read: {error}", self.folder.display());
                Err(WalletError::Storage { reason }.into())
            }
        }
    }

    /// Opens what is there, and makes nothing.
    pub(crate) fn open(&self) -> Result<Wallet, Failure> {
        let (config, vault) = self.parts()?;
        Ok(Wallet::open(config, vault, None, None)?)
    }

    /// How what is there is opened.
    pub(crate) fn parts(&self) -> Result<(Config, Arc<SoftwareVault>), Failure> {
        let parts = parts(&self.folder)?;
        if self.is_there()? {
            return Ok(parts);
        }
        let Self { store, folder } = self;
        let (name, command, begin) = (store.name(), store.command(), store.begins_with());
        let reason = format!("there is no {name} in {}; {command} {begin} makes one", folder.display());
        Err(WalletError::NotFound { reason }.into())
    }
}

/// How the wallet in `folder` is opened, and its key vault: `vault.json` in it. A command does what it says and no more:
/// changes are sent by `sync`.
pub(crate) fn parts(folder: &Path) -> Result<(Config, Arc<SoftwareVault>), Failure> {
    let text = |path: &Path| {
        path.to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::Usage("the folder's name is not UTF-8".to_owned()))
    };
    let vault = SoftwareVault::new(text(&folder.join("vault.json"))?);
    Ok((Config { send_by_itself: false, ..Config::in_folder(text(folder)?) }, Arc::new(vault)))
}
