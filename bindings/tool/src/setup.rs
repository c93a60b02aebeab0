//! Makes `.venv` with the Python packages of the tests.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::debian;
use crate::output::line;
use crate::process::{answer, succeeds};
use crate::project::Project;
use crate::requirements::pins;

/// Tried in this order.
const INTERPRETERS: [&str; 5] = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
/// The oldest Python for which every pinned package is published.
const OLDEST: (u32, u32) = (3, 11);
/// Prints the version, and `venv` when this Python can make environments with pip in them.
const PROBE: &str = "import sys; v = sys.version_info; print(v[0], v[1], end=' ')\n\
                     import venv, ensurepip; print('venv')";
const SIZE: &str = "about 17 MB to download, 80 MB on disk, all of it inside .venv";

/// Makes the environment unless it is there and fits the requirements.
///
/// # Errors
/// What is missing on this machine, with the command that brings it; or that pip failed.
pub(crate) fn ensure(project: &Project) -> Result<(), String> {
    ensure_compiler()?;
    let wanted = fs::read_to_string(project.root().join("tests/requirements.txt"))
        .map_err(|e| format!("tests/requirements.txt cannot be read: {e}"))?;
    if project.python().is_file() && fs::read_to_string(stamp(project)).is_ok_and(|made| made == wanted) {
        line("Set up: .venv fits tests/requirements.txt.");
        return Ok(());
    }
    let python = find_python()?;
    announce(&python, &wanted);
    make(project, &python)?;
    fs::write(stamp(project), &wanted).map_err(|e| format!(".venv cannot be written: {e}"))?;
    line("Set up: .venv is ready.");
    Ok(())
}

/// A copy of the requirements that the environment was made from.
fn stamp(project: &Project) -> PathBuf {
    project.venv().join("made-from-requirements.txt")
}

/// SQLCipher and ring are compiled from C.
fn ensure_compiler() -> Result<(), String> {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    if answer(Command::new(&compiler).arg("--version")).is_some() {
        return Ok(());
    }
    debian::provide(&["gcc", "libc6-dev"], &format!("there is no C compiler ({compiler})"))
}

fn find_python() -> Result<String, String> {
    if let Some(python) = usable_python()? {
        return Ok(python);
    }
    let (major, minor) = OLDEST;
    let missing = format!("there is no Python {major}.{minor} or newer");
    debian::provide(&["python3", "python3-venv"], &missing)?;
    usable_python()?.ok_or_else(|| format!("{missing}, and the system's packages bring none"))
}

/// The first interpreter that is new enough, made able to make environments when it is not.
fn usable_python() -> Result<Option<String>, String> {
    let probe = |name: &&str| {
        let script = format!("try:\n exec({PROBE:?})\nexcept ImportError: pass");
        let answer = answer(Command::new(name).args(["-c", &script]))?;
        python_state(&answer).map(|has_venv| ((*name).to_owned(), has_venv))
    };
    let Some((python, has_venv)) = INTERPRETERS.iter().find_map(probe) else { return Ok(None) };
    if !has_venv {
        let package = format!("{python}-venv");
        debian::provide(&[&package], &format!("{python} cannot make virtual environments"))?;
    }
    Ok(Some(python))
}

/// Reads what [`PROBE`] printed: whether a Python that is new enough can make environments.
fn python_state(answer: &str) -> Option<bool> {
    let mut words = answer.split_whitespace();
    let version = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (version >= OLDEST).then(|| words.next() == Some("venv"))
}

fn announce(python: &str, requirements: &str) {
    line(&format!("Setting up .venv with {python}. These packages go into it, for the tests only:"));
    for pin in pins(requirements) {
        line(&format!("  {:<18} {:<8} {}", pin.name, pin.version, pin.why));
    }
    line(&format!("Size: {SIZE}."));
}

fn make(project: &Project, python: &str) -> Result<(), String> {
    let venv = Command::new(python).args(["-m", "venv", "--clear"]).arg(project.venv()).status();
    if !venv.is_ok_and(|status| status.success()) {
        return Err(format!("{python} -m venv failed"));
    }
    // Everything is pinned, so pip need not choose anything; `pip check` proves that nothing is left out.
    let install = ["install", "--quiet", "--no-deps", "--only-binary=:all:", "-r", "tests/requirements.txt"];
    for arguments in [&install[..], &["check"]] {
        let pip = ["-m", "pip", "--disable-pip-version-check"];
        let mut command = Command::new(project.python());
        if !succeeds(command.args(pip).args(arguments).current_dir(project.root()))? {
            return Err(format!("pip {} failed", arguments.join(" ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_pythons_and_missing_parts_are_seen() {
        assert_eq!(python_state("3 11 venv"), Some(true));
        assert_eq!(python_state("3 13"), Some(false));
        assert_eq!(python_state("4 0 venv"), Some(true));
        assert_eq!(python_state("3 9 venv"), None);
        assert_eq!(python_state("2 7"), None);
        assert_eq!(python_state(""), None);
    }
}
