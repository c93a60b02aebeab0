//! Where the wallet of this terminal is, and its software vault.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ticket_wallet::host::{HostClock, SoftwareVault};
use ticket_wallet::{Config, Wallet};

use crate::failure::Failure;

/// Opens the wallet in the folder that was named, or in the default one.
pub(crate) fn open(folder: Option<PathBuf>) -> Result<Wallet, Failure> {
    let in_home = || env::home_dir().map(|home| home.join(".local/share/ticket-wallet"));
    let folder = folder.or_else(in_home).ok_or_else(|| {
        Failure::Usage("no home folder: say --store DIR or set TICKET_WALLET_HOME".to_owned())
    })?;
    open_in(&folder, None)
}

/// Opens the wallet in `folder`, with `vault.json` in it as the key vault.
pub(crate) fn open_in(folder: &Path, clock: Option<Arc<dyn HostClock>>) -> Result<Wallet, Failure> {
    let text = |path: &Path| {
        path.to_str()
            .map(str::to_owned)
            .ok_or_else(|| Failure::Usage("the folder's name is not UTF-8".to_owned()))
    };
    let vault = SoftwareVault::new(text(&folder.join("vault.json"))?);
    Ok(Wallet::open(Config::in_folder(text(folder)?), Arc::new(vault), clock, None)?)
}
