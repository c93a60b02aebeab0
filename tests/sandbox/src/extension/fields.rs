//! Reading the members of a request.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use chrono::DateTime;
use serde_json::Value;
use ticket_wallet::WalletError;

use crate::problem::Problem;

/// A member that is text.
pub(super) fn text<'a>(item: &'a Value, name: &str) -> Result<&'a str, Problem> {
    let member = item.get(name).and_then(Value::as_str);
    member.ok_or_else(|| Problem::invalid_field(name, "a string is needed here"))
}

/// A member that is base64url without padding.
pub(super) fn binary(item: &Value, name: &str) -> Result<Vec<u8>, Problem> {
    let decoded = BASE64.decode(text(item, name)?);
    decoded.map_err(|_| Problem::invalid_field(name, "base64url without padding is needed here"))
}

/// A member that is an RFC 3339 time in whole seconds, as Unix seconds.
pub(super) fn time(item: &Value, name: &str) -> Result<u32, Problem> {
    let text = text(item, name)?;
    let invalid = || Problem::invalid_field(name, "an RFC 3339 time in whole seconds is needed here");
    let time = DateTime::parse_from_rfc3339(text).map_err(|_| invalid())?;
    if text.contains('.') {
        return Err(invalid());
    }
    u32::try_from(time.timestamp()).map_err(|_| invalid())
}

/// Bytes as base64url without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// What the issuer found wrong with a request.
pub(super) fn refused(error: WalletError) -> Problem {
    match error {
        WalletError::InvalidInput { field, reason } => Problem::invalid_field(&field, reason),
        _ => Problem::internal(),
    }
}
