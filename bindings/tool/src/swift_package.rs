//! Puts the Swift package together in a folder: what is written by hand, what is generated, and the README's example.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::project::Project;

/// Where the example goes.
const EXAMPLE: &str = "Tests/TicketWalletTests/ReadmeExample.swift";

/// Fills `package` from `ios/` and the generated sources. Files that are equal already are left alone, so that only
/// what changed is compiled; files that no longer belong there are removed.
pub(crate) fn assemble(project: &Project, generated: &Path, package: &Path) -> Result<(), String> {
    let ios = project.root().join("ios");
    let mut files = vec![(PathBuf::from("Package.swift"), read(&ios.join("Package.swift"))?)];
    for folder in ["Sources", "Tests"] {
        for path in swift_files(&ios.join(folder))? {
            let within = path.strip_prefix(&ios).map_err(|e| e.to_string())?.to_owned();
            files.push((within, read(&path)?));
        }
    }
    let from_generated = |name: &str| read(&generated.join(name));
    let core = "TicketWalletCore.swift";
    files.push((PathBuf::from("Sources/TicketWalletCore").join(core), from_generated(core)?));
    let ffi = PathBuf::from("Sources/TicketWalletFFI");
    let header = "TicketWalletFFI.h";
    files.push((ffi.join("include").join(header), from_generated(header)?));
    files.push((ffi.join("include/module.modulemap"), MODULE_MAP.to_owned()));
    files.push((ffi.join("library.c"), "// The code is in the compiled library.\n".to_owned()));
    files.push((PathBuf::from(EXAMPLE), example(&read(&ios.join("README.md"))?)?));
    write_all(package, &files)
}

/// uniffi's own names modules that only Apple's compilers have.
const MODULE_MAP: &str = "module TicketWalletFFI {\n    header \"TicketWalletFFI.h\"\n    export *\n}\n";

/// The first Swift block of a text.
fn example(text: &str) -> Result<String, String> {
    let block = text.split_once("```swift\n").and_then(|(_, rest)| rest.split_once("```"));
    block.map(|(code, _)| code.to_owned()).ok_or_else(|| "ios/README.md has no Swift example".to_owned())
}

fn write_all(package: &Path, files: &[(PathBuf, String)]) -> Result<(), String> {
    for (within, text) in files {
        let path = package.join(within);
        if fs::read(&path).is_ok_and(|old| old == text.as_bytes()) {
            continue;
        }
        let folder = path.parent().unwrap_or(package);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, text))
            .map_err(|e| format!("{} cannot be written: {e}", path.display()))?;
    }
    let wanted: BTreeSet<_> = files.iter().map(|(within, _)| package.join(within)).collect();
    for folder in ["Sources", "Tests"] {
        for path in swift_files(&package.join(folder))? {
            if !wanted.contains(&path) {
                fs::remove_file(&path).map_err(|e| format!("{} cannot be removed: {e}", path.display()))?;
            }
        }
    }
    Ok(())
}

/// The Swift files under a folder, in order.
fn swift_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |e| format!("{} cannot be read: {e}", folder.display());
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            found.extend(swift_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "swift") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_swift_block_is_the_example() {
        let text = "a\n```sh\nls\n```\n```swift\nlet a = 1\n```\n```swift\nlet b = 2\n```\n";
        assert_eq!(example(text).as_deref(), Ok("let a = 1\n"));
        assert!(example("```kotlin\nval a = 1\n```").is_err());
    }
}
