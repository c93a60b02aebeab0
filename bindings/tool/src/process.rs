//! Runs other programs.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// Runs a program on the terminal; tells whether it succeeded.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, String> {
    let status = command.status().map_err(|e| not_started(command, &e))?;
    Ok(status.success())
}

/// Runs a program and hands over each line of its standard output as it comes; tells whether it succeeded.
///
/// # Errors
/// When the program cannot be started or its output cannot be read.
pub(crate) fn each_line(command: &mut Command, mut take: impl FnMut(&str)) -> Result<bool, String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|e| not_started(command, &e))?;
    let mut output = BufReader::new(child.stdout.take().ok_or("the output was not connected")?);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).map_err(|e| format!("the output ended early: {e}"))? > 0 {
        take(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']));
        bytes.clear();
    }
    Ok(child.wait().map_err(|e| not_started(command, &e))?.success())
}

/// The standard output of a program that runs silently; `None` when it cannot be started or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("{} could not be run: {error}", command.get_program().to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_failure_is_told() {
        let mut lines = Vec::new();
        let script = "printf 'one\\ntwo\\r\\nlast'; exit 3";
        let ok = each_line(Command::new("sh").args(["-c", script]), |line| lines.push(line.to_owned()));
        assert_eq!(ok, Ok(false));
        assert_eq!(lines, ["one", "two", "last"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = succeeds(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.starts_with("no-such-program-here could not be run"), "{error}");
        assert_eq!(answer(&mut Command::new("no-such-program-here")), None);
    }
}
