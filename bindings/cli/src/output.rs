//! Everything the command prints goes through here: text for people, JSON for scripts.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::Value;

use crate::failure::Failure;
use crate::record;

/// Where results go, and in which form.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    json: bool,
}

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a person looks at stdout.
    pub(crate) fn is_terminal(self) -> bool {
        !self.json && io::stdout().is_terminal()
    }

    /// Prints a line, or anything that ends with one.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        if !text.ends_with('\n') {
            stdout.write_all(b"\n")?;
        }
        Ok(stdout.flush()?)
    }

    /// Prints one JSON value on one line.
    pub(crate) fn value(self, value: &Value) -> Result<(), Failure> {
        self.text(&record::written(&value.to_string()))
    }

    /// Prints `value` for scripts, or what `text` makes for people.
    pub(crate) fn either(self, value: &Value, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.value(value) } else { self.text(&text()) }
    }

    /// Asks something on the terminal, beside the results.
    pub(crate) fn prompt(self, question: &str) -> Result<(), Failure> {
        let mut stderr = io::stderr().lock();
        stderr.write_all(question.as_bytes())?;
        Ok(stderr.flush()?)
    }

    /// Says why the command failed and returns its exit code.
    pub(crate) fn failure(self, failure: &Failure) -> ExitCode {
        let line = if self.json { failure.json().to_string() } else { format!("error: {failure}") };
        if !matches!(failure, Failure::ReaderGone) {
            // With stderr closed too there is nothing left to say it on.
            let _ = writeln!(io::stderr(), "{line}");
        }
        ExitCode::from(failure.exit_code())
    }
}

/// A text of a server's, on one line and without what would steer a terminal or turn the direction of what follows.
pub(crate) fn one_line(text: &str) -> String {
    let steers = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if steers(c) { ' ' } else { c }).collect()
}

/// A table with a row of names above the others.
pub(crate) fn titled<'a>(
    header: impl IntoIterator<Item = &'a str>,
    rows: impl IntoIterator<Item = Vec<String>>,
) -> String {
    let header = header.into_iter().map(str::to_owned).collect();
    table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
}

/// Columns padded to their widest cell, separated by two spaces.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let clean = |row: &Vec<String>| row.iter().map(|cell| one_line(cell)).collect::<Vec<_>>();
    let rows: Vec<_> = rows.iter().map(clean).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}
