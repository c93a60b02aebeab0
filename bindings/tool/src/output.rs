//! The one place that prints.

use std::io::Write as _;

/// Prints a line. When nobody reads the output any more, there is nobody to tell either.
pub(crate) fn line(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
}
