//! Where the wallet of this terminal is, and its software vault.

use std::env;
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

/// Opens the wallet in the folder that was named, or in the default one.
pub(crate) fn open(named: Option<PathBuf>) -> Result<Wallet, Failure> {
    open_in(&folder(named)?, None)
}

/// Opens the wallet in `folder`.
pub(crate) fn open_in(folder: &Path, clock: Option<Arc<dyn HostClock>>) -> Result<Wallet, Failure> {
    let (config, vault) = parts(folder)?;
    Ok(Wallet::open(config, vault, clock, None)?)
}

/// Opens the wallet in `folder` where there is one, and makes none.
pub(crate) fn open_there(folder: &Path) -> Result<Wallet, Failure> {
    if folder.join("wallet.key").exists() || folder.join("wallet.db").exists() {
        return open_in(folder, None);
    }
    Err(WalletError::NotFound { reason: format!("there is no wallet in {}", folder.display()) }.into())
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
