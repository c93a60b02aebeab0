//! What is checked of a configuration before it goes into a request.

use crate::error::Error;

/// The error for a value that cannot be used.
pub(super) fn input(field: &'static str, reason: &str) -> Error {
    Error::Input { field, reason: reason.to_owned() }
}

/// Whether a text can stand in a header: visible ASCII, without spaces.
pub(super) fn is_header_value(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
