//! Recovery: a new wallet in place of one that does not open, with what can be saved of it. The old files are put
//! aside, never deleted.
//!
//! The new files are made whole in a folder of their own and then take the place of the old ones, one by one. A crash
//! before the marker `complete` leaves the old wallet as it is; after it, the next opening or recovery goes on.

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::envelope::{Keys, StoreKey};
use super::files::{Files, PARTS, exists, make_folder, move_file, names, read, remove, sync_folder, write};
use super::lock::FolderLock;
use super::open::Connections;
use super::{database, salvage, state};
use crate::error::{Error, RecoveryReason};
use crate::host::KeyVault;

const MAKING: &str = "recovering";
const MARKER: &str = "complete";
const KEPT: &str = "kept-";

/// What a recovery saved. The rest comes back with the next sync.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct RecoveryReport {
    /// Why the wallet did not open; `None` when it does, and nothing was done.
    pub why: Option<RecoveryReason>,
    /// The folder in the wallet's folder that holds the old files.
    pub kept_in: Option<String>,
    /// Accounts saved; they may have to sign in again.
    pub accounts: u32,
    /// Barcodes saved.
    pub credentials: u32,
    /// Changes saved that had not reached their servers; they wait in the outbox for the person.
    pub outbox: u32,
    /// Records of a gate's ledger saved; the gate begins a new chain.
    pub records: u32,
    /// Pages that the old database had; 0 where its key is lost.
    pub pages: u32,
    /// How many of them could not be read.
    pub damaged_pages: u32,
}

/// Makes a wallet that does not open usable again.
///
/// # Errors
/// [`Error::Vault`] when the vault cannot be used now: nothing was changed. [`Error::OpenElsewhere`],
/// [`Error::NewerSchema`], [`Error::File`], [`Error::Database`].
pub fn recover(folder: &Path, vault: &dyn KeyVault) -> Result<RecoveryReport, Error> {
    let files = Files::in_folder(folder)?;
    let lock = FolderLock::take(folder)?;
    let Some(why) = trouble(&files, vault, &lock)? else { return Ok(RecoveryReport::nothing()) };
    let keys = match files.keys(vault) {
        Ok(keys) => Some(keys),
        Err(Error::Recovery { .. }) => None,
        Err(other) => return Err(other),
    };
    let made = make(&files, vault, keys.as_ref(), why);
    // Where the new wallet could not be made whole, what there is of it goes.
    finish(&files).and(made)
}

/// Why the wallet is no good as it is; `None` when it is sound. Leaves it as it was.
fn trouble(files: &Files, vault: &dyn KeyVault, lock: &FolderLock) -> Result<Option<RecoveryReason>, Error> {
    let context = database("the database cannot be checked");
    let open = match Connections::open(files, vault, lock.clone()) {
        Ok(open) => open,
        Err(Error::Recovery { why }) => return Ok(Some(why)),
        Err(other) => return Err(other),
    };
    let sound = state::is_sound(&open.reader.lock().unwrap_or_else(PoisonError::into_inner));
    match sound.map_err(context) {
        Ok(true) => return Ok(None),
        Ok(false) | Err(Error::Recovery { .. }) => {}
        Err(other) => return Err(other),
    }
    open.leave().map_err(context)?;
    Ok(Some(RecoveryReason::Damaged))
}

/// Ends a recovery that was broken off: what it had made takes its place, unless that is not whole.
pub(super) fn finish(files: &Files) -> Result<(), Error> {
    let making = files.folder.join(MAKING);
    let Some(kept) = read(&making.join(MARKER))? else { return remove(&making) };
    let kept = files.folder.join(String::from_utf8_lossy(&kept).as_ref());
    make_folder(&kept)?;
    sync_folder(&files.folder)?;
    for part in PARTS {
        let (new, place, old) = (making.join(part), files.folder.join(part), kept.join(part));
        // Where the new file has taken its place already, what stands there is not to be put aside.
        if (exists(&new) || is_log(part)) && !exists(&old) {
            move_file(&place, &old)?;
            sync_folder(&kept)?;
        }
        move_file(&new, &place)?;
    }
    sync_folder(&files.folder)?;
    // The marker goes first: without it, what is left is no recovery.
    remove(&making.join(MARKER))?;
    remove(&making)
}

/// The new database was closed and has no log beside it.
fn is_log(part: &str) -> bool {
    part.starts_with("wallet.db-")
}

/// The folders that recovery put old files into, in the order of their numbers, whichever of them are left.
pub(super) fn kept_folders(files: &Files) -> Result<Vec<PathBuf>, Error> {
    let number = |name: &String| name.strip_prefix(KEPT)?.parse::<u64>().ok();
    let mut kept: Vec<_> = names(&files.folder)?.iter().filter_map(number).collect();
    kept.sort_unstable();
    let kept = kept.iter().map(|number| format!("{KEPT}{number}")).chain([MAKING.to_owned()]);
    Ok(kept.map(|name| files.folder.join(name)).filter(|folder| exists(folder)).collect())
}

/// Makes the new wallet beside the old one, up to the marker.
fn make(
    files: &Files,
    vault: &dyn KeyVault,
    keys: Option<&Keys>,
    why: RecoveryReason,
) -> Result<RecoveryReport, Error> {
    let folder = files.folder.join(MAKING);
    let new = Files::in_folder(&folder)?;
    let connections = Connections::open(&new, vault, FolderLock::take(&folder)?)?;
    let mut report = RecoveryReport { why: Some(why), ..RecoveryReport::nothing() };
    if let Some(keys) = keys {
        let best = best_remains(files, keys)?;
        (report.pages, report.damaged_pages) = (best.pages, best.pages - best.readable);
        if let Some(old) = best.connection {
            let mut writer = connections.writer.lock().unwrap_or_else(PoisonError::into_inner);
            let saved =
                salvage::copy(&old, &mut writer).map_err(database("what was saved cannot be kept"))?;
            (report.accounts, report.credentials, report.outbox, report.records) =
                (saved.accounts, saved.credentials, saved.outbox, saved.records);
        }
    }
    drop(connections.close());
    let kept = (1..).map(|n| format!("{KEPT}{n}")).find(|name| !exists(&files.folder.join(name)));
    let kept = kept.unwrap_or_default();
    write(&folder.join(MARKER), kept.as_bytes())?;
    report.kept_in = Some(kept);
    Ok(report)
}

/// What the key that opens more pages shows: in the middle of a rekey it may be either.
fn best_remains(files: &Files, keys: &Keys) -> Result<salvage::Remains, Error> {
    let of = |key: &StoreKey| salvage::remains(files, key);
    let current = of(&keys.current)?;
    match &keys.next {
        Some(next) if current.readable < current.pages => {
            let next = of(next)?;
            Ok(if next.readable > current.readable { next } else { current })
        }
        _ => Ok(current),
    }
}

impl RecoveryReport {
    fn nothing() -> Self {
        Self {
            why: None,
            kept_in: None,
            accounts: 0,
            credentials: 0,
            outbox: 0,
            records: 0,
            pages: 0,
            damaged_pages: 0,
        }
    }
}
