//! Packages of the system, on Debian and its relatives.

use std::process::Command;

use crate::output;
use crate::process::{answer, succeeds};

/// Installs packages when this is root on a Debian system; otherwise says the command that does.
///
/// # Errors
/// `missing`, with the command to run, when the packages could not be installed from here.
pub(crate) fn provide(packages: &[&str], missing: &str) -> Result<(), String> {
    let advice = format!("{missing}. On Debian and Ubuntu: {}", command_line(packages));
    let is_root = answer(Command::new("id").arg("-u")).as_deref() == Some("0");
    if !is_root || answer(Command::new("apt-get").arg("--version")).is_none() {
        return Err(advice);
    }
    output::line(&format!("{missing}: installing the Debian packages {}", packages.join(" ")));
    let installed = install(packages)? || (succeeds(apt_get().arg("update"))? && install(packages)?);
    if installed { Ok(()) } else { Err(advice) }
}

fn install(packages: &[&str]) -> Result<bool, String> {
    succeeds(apt_get().args(["install", "--yes", "--no-install-recommends"]).args(packages))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn command_line(packages: &[&str]) -> String {
    format!("sudo apt-get install --yes {}", packages.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_advice_can_be_pasted() {
        let expected = "sudo apt-get install --yes python3 python3-venv";
        assert_eq!(command_line(&["python3", "python3-venv"]), expected);
    }
}
