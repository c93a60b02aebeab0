//! Where the scanners' stores are while a simulation runs.

use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::options::Options;
use crate::tickets::said;

/// Linux's folder in memory.
const IN_MEMORY: &str = "/dev/shm";
/// What a store takes for a ticket, and for itself, in bytes.
const PER_TICKET: u64 = 1_400;
const PER_STORE: u64 = 8 << 20;

/// A folder that is deleted in the end: in memory where there is room, else where temporary files are.
pub(crate) fn folder(options: &Options) -> Result<TempDir, String> {
    let needed = u64::from(options.scanners) * (PER_STORE + PER_TICKET * u64::from(options.tickets));
    let in_memory = Path::new(IN_MEMORY);
    let place = if free(in_memory).is_some_and(|free| free / 2 > needed) {
        PathBuf::from(in_memory)
    } else {
        std::env::temp_dir()
    };
    TempDir::with_prefix_in("ticket-wallet-simulator-", place).map_err(said)
}

#[cfg(target_os = "linux")]
fn free(folder: &Path) -> Option<u64> {
    let room = rustix::fs::statvfs(folder).ok()?;
    Some(room.f_bavail.saturating_mul(room.f_frsize))
}

#[cfg(not(target_os = "linux"))]
fn free(_: &Path) -> Option<u64> {
    None
}
