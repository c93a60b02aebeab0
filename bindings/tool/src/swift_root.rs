//! The Swift toolchain: the machine's own, or a Debian 13 folder with Swift in it that is used through a chroot.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::output::line;
use crate::process::{answer, succeeds};
use crate::project::Project;

const DEFAULT_FOLDER: &str = "/opt/swift-trixie";
const OLDEST: (u32, u32) = (6, 0);
const MAKE: &str = "bindings/tool/swift/make-root";
const RUN: &str = "bindings/tool/swift/run-in-root";
const SIZE: &str = "about 560 MB to download, 1.5 GB on disk";

/// A Swift toolchain that can be used here.
pub(crate) enum Toolchain {
    /// `swift` on the `PATH`.
    Native,
    /// A folder to be used through a chroot.
    Folder(PathBuf),
}

/// The toolchain of this machine, made where this is root on Debian and there is none.
///
/// # Errors
/// What is missing, with the command that brings it.
pub(crate) fn ensure(project: &Project) -> Result<Toolchain, String> {
    if !cfg!(target_os = "linux") {
        return Err("the Swift tests run on Linux; on a Mac open ios/Package.swift".to_owned());
    }
    if answer(Command::new("swift").arg("--version")).is_some_and(|text| is_new_enough(&text)) {
        line("Set up: Swift is on the PATH.");
        return Ok(Toolchain::Native);
    }
    let folder = folder();
    let shown = folder.display();
    if !is_root() {
        let what = "Swift 6 is missing, or can only be used by root through a chroot";
        return Err(format!("{what} ({SIZE}): sudo {MAKE} {shown}, then run the Swift tests as root"));
    }
    if folder.join(".ready-1").is_file() {
        line(&format!("Set up: Swift is in {shown}."));
        return Ok(Toolchain::Folder(folder));
    }
    line(&format!(
        "Setting up Swift 6 in {shown}, to compile and test the Swift package: a Debian 13 folder with Debian's Swift, \
         for the tests only. Size: {SIZE}. SWIFT_ROOT names another folder."
    ));
    if !succeeds(Command::new(project.root().join(MAKE)).arg(&folder))? {
        return Err(format!("Swift could not be set up: {MAKE} {shown} failed"));
    }
    Ok(Toolchain::Folder(folder))
}

impl Toolchain {
    /// A command of the toolchain, in the repository's root, that sees these variables.
    pub(crate) fn command(
        &self,
        project: &Project,
        variables: &[(&str, &OsStr)],
        arguments: &[&str],
    ) -> Command {
        self.complete(Command::new("env"), project, variables, arguments)
    }

    /// The same, killed after a time with all that it started.
    pub(crate) fn command_within(
        &self,
        limit: Duration,
        project: &Project,
        variables: &[(&str, &OsStr)],
        arguments: &[&str],
    ) -> Command {
        let mut command = Command::new("timeout");
        if matches!(self, Self::Folder(_)) {
            // What runs in the folder ends with the one process that is killed, and so also hears the terminal's Ctrl-C.
            command.arg("--foreground");
        }
        command.args(["--signal=KILL", &limit.as_secs().to_string(), "env"]);
        self.complete(command, project, variables, arguments)
    }

    /// Completes a command that ends with `env`.
    fn complete(
        &self,
        mut command: Command,
        project: &Project,
        variables: &[(&str, &OsStr)],
        arguments: &[&str],
    ) -> Command {
        let root = project.root();
        if let Self::Folder(folder) = self {
            command.arg(root.join(RUN)).arg(folder).arg(root).arg("env");
        }
        command.arg("--chdir").arg(root);
        for (name, value) in variables {
            let mut assignment = std::ffi::OsString::from(name);
            assignment.push("=");
            assignment.push(value);
            command.arg(assignment);
        }
        command.args(arguments);
        command
    }
}

fn folder() -> PathBuf {
    std::env::var_os("SWIFT_ROOT").map_or_else(|| PathBuf::from(DEFAULT_FOLDER), PathBuf::from)
}

fn is_root() -> bool {
    answer(Command::new("id").arg("-u")).as_deref() == Some("0")
}

/// Reads `Swift version 6.0.3 (…)`.
fn is_new_enough(text: &str) -> bool {
    let version = text.split("Swift version ").nth(1).unwrap_or_default();
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_and_other_swifts_are_seen() {
        assert!(is_new_enough("Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-unknown-linux-gnu"));
        assert!(is_new_enough("Apple Swift version 6.2 (swiftlang-6.2)"));
        assert!(!is_new_enough("Swift version 5.10.1 (swift-5.10.1-RELEASE)"));
        assert!(!is_new_enough("python-swiftclient 4.2.0"));
    }
}
