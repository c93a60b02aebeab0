//! Bodies of requests.

use axum::body::Bytes;
use serde_json::{Map, Value};

use super::error::UnidyError;

/// A JSON object; an empty body is an empty one.
pub(crate) fn object(body: &Bytes) -> Result<Map<String, Value>, UnidyError> {
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(UnidyError::unreadable()),
    }
}

/// A member that must be a string with something in it.
pub(crate) fn text<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, UnidyError> {
    match body.get(name) {
        None | Some(Value::Null) => Err(UnidyError::field(name, "can't be blank")),
        Some(Value::String(text)) if text.trim().is_empty() => Err(UnidyError::field(name, "can't be blank")),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(UnidyError::field(name, "must be a string")),
    }
}

/// Whether a text looks like an e-mail address.
pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.trim().split_once('@');
    parts.is_some_and(|(name, host)| {
        !name.is_empty()
            && host.contains('.')
            && !text.trim().contains([' ', ',', ';'])
            && !host.contains('@')
    })
}
