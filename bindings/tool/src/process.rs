//! Runs other programs.

use std::io::{BufRead as _, BufReader, Read, Write as _};
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
    lines_of(child.stdout.take(), |bytes| take(&text(bytes)))?;
    Ok(child.wait().map_err(|e| not_started(command, &e))?.success())
}

/// The same; the lines of the standard error are handed over beside, and go on to this tool's own.
///
/// # Errors
/// As [`each_line`].
pub(crate) fn each_line_of_both(
    command: &mut Command,
    mut take: impl FnMut(&str),
    overhear: impl Fn(&str) + Sync,
) -> Result<bool, String> {
    let pipes = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = pipes.spawn().map_err(|e| not_started(command, &e))?;
    let errors = child.stderr.take();
    let pass_on = |bytes: &[u8]| {
        overhear(&text(bytes));
        // When nobody reads it any more, there is nobody to tell either.
        drop(std::io::stderr().write_all(bytes));
    };
    std::thread::scope(|scope| {
        let overheard = scope.spawn(|| lines_of(errors, pass_on));
        lines_of(child.stdout.take(), |bytes| take(&text(bytes)))?;
        overheard.join().map_err(|_| "the errors were not read to their end")?
    })?;
    Ok(child.wait().map_err(|e| not_started(command, &e))?.success())
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned()
}

/// Each line with its end.
fn lines_of(pipe: Option<impl Read>, mut take: impl FnMut(&[u8])) -> Result<(), String> {
    let mut output = BufReader::new(pipe.ok_or("the output was not connected")?);
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes).map_err(|e| format!("the output ended early: {e}"))? > 0 {
        take(&bytes);
        bytes.clear();
    }
    Ok(())
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
    fn both_outputs_are_heard() {
        let (mut lines, errors) = (Vec::new(), std::sync::Mutex::new(Vec::new()));
        let script = "echo one; echo two >&2; printf three; echo four >&2";
        let ok = each_line_of_both(
            Command::new("sh").args(["-c", script]),
            |line| lines.push(line.to_owned()),
            |line| errors.lock().unwrap().push(line.to_owned()),
        );
        assert_eq!((ok, &*lines), (Ok(true), &["one".to_owned(), "three".to_owned()][..]));
        assert_eq!(*errors.lock().unwrap(), ["two", "four"]);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = succeeds(&mut Command::new("no-such-program-here")).unwrap_err();
        assert!(error.starts_with("no-such-program-here could not be run"), "{error}");
        assert_eq!(answer(&mut Command::new("no-such-program-here")), None);
    }
}
