//! Where the files of one wallet are, and how single ones are read and replaced.
//!
//! | file | content |
//! | --- | --- |
//! | `install.id` | 16 random bytes; hosts keep it out of backups |
//! | `wallet.key` | the sealed key: see `envelope.rs` |
//! | `wallet.kcv` | check value: see `envelope.rs` |
//! | `wallet.db` | the encrypted database, with `-wal` and `-shm` beside it while it is open |
//! | `wallet.map` | which page of the database each table begins with, as JSON: what recovery needs when the first pages are lost |
//! | `wallet.lock` | held by the process that has the wallet open; its text says which |
//! | `kept-1`, `kept-2`, … | files that recovery put aside |

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What makes up a wallet; recovery moves all of it together. The log comes first: it must never lie beside a database
/// that it does not belong to.
pub(super) const PARTS: [&str; 7] =
    ["wallet.db-wal", "wallet.db-shm", "wallet.db", "wallet.key", "wallet.kcv", "wallet.map", "install.id"];

/// The files of one wallet.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) folder: PathBuf,
    pub(super) database: PathBuf,
    pub(super) envelope: PathBuf,
    pub(super) check_value: PathBuf,
    pub(super) install_id: PathBuf,
    pub(super) map: PathBuf,
}

impl Files {
    /// The files in `folder`, which is made where it is missing.
    pub(super) fn in_folder(folder: &Path) -> Result<Self, Error> {
        make_folder(folder)?;
        Ok(Self::at(folder))
    }

    /// The files in a folder, which may not be there.
    pub(super) fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            database: folder.join("wallet.db"),
            envelope: folder.join("wallet.key"),
            check_value: folder.join("wallet.kcv"),
            install_id: folder.join("install.id"),
            map: folder.join("wallet.map"),
        }
    }

    /// The size of the database file; `None` when there is none.
    pub(super) fn database_len(&self) -> Result<Option<u64>, Error> {
        match fs::metadata(&self.database) {
            Ok(found) => Ok(Some(found.len())),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(unreadable(&e)),
        }
    }

    /// The write-ahead log.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("wallet.db-wal")
    }
}

/// Makes a folder that nobody else can look into.
pub(super) fn make_folder(folder: &Path) -> Result<(), Error> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder).map_err(|e| Error::file("the wallet's folder cannot be made", &e))
}

pub(super) fn exists(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok()
}

/// A file's content; `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(unreadable(&e)),
    }
}

/// Writes a whole file, synced, under its final name only when it is complete.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let beside = unfinished(path);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    });
    written.map_err(unwritable)?;
    // The new name must last before anything that depends on it is written.
    path.parent().map_or(Ok(()), sync_folder)
}

/// Where a file is written before it takes its place.
pub(super) fn unfinished(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    beside.into()
}

/// The names in a folder; none where there is no such folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, Error> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|e| unreadable(&e))?,
    };
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| entry.map(name).map_err(|e| unreadable(&e))).collect()
}

/// Moves a file, where it is there, to a name where nothing is.
pub(super) fn move_file(from: &Path, to: &Path) -> Result<(), Error> {
    match fs::rename(from, to) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(unwritable(e)),
        _ => Ok(()),
    }
}

/// Removes a file or a folder with all that is in it, where it is there.
pub(super) fn remove(path: &Path) -> Result<(), Error> {
    let removed = match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(e) => Err(e),
    };
    match removed {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(unwritable(e)),
        _ => Ok(()),
    }
}

/// Makes the names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> Result<(), Error> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(unwritable)
}

fn unreadable(error: &std::io::Error) -> Error {
    Error::file("a file of the wallet cannot be read", error)
}

fn unwritable(error: std::io::Error) -> Error {
    Error::file("a file of the wallet cannot be written", &error)
}
