//! Puts the Swift package together in a folder: what is written by hand, what is generated, and the README's example.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::files::{example, read, write};
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
    files.push((PathBuf::from(EXAMPLE), example(&ios.join("README.md"), "swift")?));
    write_all(package, &files)
}

/// Fills `folder`, which stands beside the package, with the program that measures `present`.
pub(crate) fn assemble_latency(project: &Project, folder: &Path) -> Result<(), String> {
    let root = project.root();
    let sources = PathBuf::from("Sources/Latency");
    let files = [
        ("bindings/swift/latency/Package.swift", PathBuf::from("Package.swift")),
        ("bindings/swift/latency/main.swift", sources.join("main.swift")),
        ("ios/Tests/TicketWalletTests/TestVault.swift", sources.join("TestVault.swift")),
    ];
    for (from, within) in files {
        write(&folder.join(within), &read(&root.join(from))?)?;
    }
    Ok(())
}

/// uniffi's own names modules that only Apple's compilers have.
const MODULE_MAP: &str = "module TicketWalletFFI {\n    header \"TicketWalletFFI.h\"\n    export *\n}\n";

fn write_all(package: &Path, files: &[(PathBuf, String)]) -> Result<(), String> {
    for (within, text) in files {
        write(&package.join(within), text)?;
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
