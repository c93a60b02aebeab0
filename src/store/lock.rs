//! One process at a time: SQLite would let two in, but the device's keys and the outbox have one owner.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use crate::error::Error;

/// A wallet of this process that was just let go may still be ending what it did.
const OWN_STEPS: u32 = 100;
const OWN_STEP: Duration = Duration::from_millis(10);

/// Holds a wallet's folder for this process until it and its clones are dropped. The operating system lets go of it
/// when the process ends, however it ends.
#[derive(Debug, Clone)]
pub(super) struct FolderLock {
    _file: Arc<File>,
}

impl FolderLock {
    /// Takes the lock. Waits for nobody but this process itself, and for that no longer than a second.
    ///
    /// # Errors
    /// [`Error::OpenElsewhere`] with who has it, [`Error::File`].
    pub(super) fn take(folder: &Path) -> Result<Self, Error> {
        let context = |e: std::io::Error| Error::file("a file of the wallet cannot be written", &e);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(folder.join("wallet.lock")).map_err(context)?;
        let own = format!("process {} ({})", std::process::id(), program());
        let mut steps = 0;
        while let Err(refused) = file.try_lock() {
            let TryLockError::WouldBlock = refused else { return Err(context(refused.into())) };
            let by = holder(&mut file);
            if by != own || steps == OWN_STEPS {
                return Err(Error::OpenElsewhere { by });
            }
            steps += 1;
            sleep(OWN_STEP);
        }
        // Only a courtesy to whoever comes second: the lock stands without it.
        let _ = file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(own.as_bytes()));
        Ok(Self { _file: Arc::new(file) })
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(200).read_to_string(&mut text));
    if read.is_ok() && !text.is_empty() { text } else { "another process".to_owned() }
}

fn program() -> String {
    let path = std::env::current_exe().ok();
    let name = path.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    name.unwrap_or_else(|| "unknown program".to_owned())
}
