//! Folders of wallets, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Every file of a folder by its name; folders in it do not count.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) fn files(folder: &Path) -> Files {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect()
}

/// Makes a folder hold these files and no others.
pub(crate) fn put(files: &Files, folder: &Path) {
    fs::remove_dir_all(folder).unwrap();
    fs::create_dir(folder).unwrap();
    for (name, bytes) in files {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

/// Panics with the names of the files that differ, not with their bytes. Who had the wallet open last is no content.
pub(crate) fn assert_same(before: &Files, after: &Files, what: &str) {
    let names = before.keys().chain(after.keys()).filter(|name| *name != "wallet.lock");
    let differ: Vec<_> = names.filter(|name| before.get(*name) != after.get(*name)).collect();
    assert!(differ.is_empty(), "{what}: {differ:?} changed");
}
