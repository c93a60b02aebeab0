//! The envelope of replies: `{"data": …, "error": {"status", "code", "message"}}`, in each of the forms that the documents
//! leave open. What `message` says is prose, and goes nowhere.

use serde_json::value::RawValue;

use super::{PERMISSION, Texpo};
use crate::error::Error;
use crate::remote::Reply;
use crate::remote::bounds::MAX_ERROR_BYTES;
use crate::remote::unidy::raw::Members;

/// TEXPO's own code for requests that come too often.
const TOO_FREQUENT: i64 = 705;

/// What a successful reply holds.
pub(super) struct Content(Option<Box<RawValue>>);

impl Content {
    /// A member of `data`, or one beside it, as it was written; `null` counts as absent.
    pub(super) fn member(&self, name: &str) -> Option<String> {
        let body = Members::read(self.0.as_ref()?.get())?;
        let inside = body.object("data").and_then(|data| data.raw(name).map(str::to_owned));
        inside.or_else(|| body.raw(name).map(str::to_owned))
    }
}

impl Texpo {
    /// Opens a reply.
    ///
    /// # Errors
    /// [`Error::Answer`] for an error inside it, whatever its status; [`Error::Status`] for any status but 2xx without
    /// one, and 429 for requests that come too often; [`Error::Reply`] for what is no envelope.
    pub(super) fn open(&self, reply: &Reply) -> Result<Content, Error> {
        if !reply.is_success() {
            return Err(self.told_code(reply).map_or_else(|| reply.error(), |code| answer(reply, code)));
        }
        if reply.bytes().trim_ascii().is_empty() {
            return Ok(Content(None));
        }
        let body: Box<RawValue> = reply.json()?;
        let members = Members::read(body.get()).ok_or_else(|| reply.unreadable("body"))?;
        match failure(&members, self.config.status_true_is_success) {
            Some(code) => Err(answer(reply, code)),
            None => Ok(Content(Some(body))),
        }
    }

    /// The code of an error inside a reply of whatever status; 0 for one without a code. Longer replies hold results.
    pub(super) fn told_code(&self, reply: &Reply) -> Option<i64> {
        let short = Some(reply.bytes()).filter(|bytes| bytes.len() <= MAX_ERROR_BYTES)?;
        failure(&Members::read(std::str::from_utf8(short).ok()?)?, self.config.status_true_is_success)
    }

    /// An error of the adminserver's methods: what refuses a permission is told as that.
    pub(super) fn of_manager(&self, error: Error) -> Error {
        let codes = &self.config.permission_codes;
        match error {
            Error::Answer { endpoint, status, code, .. }
                if !is_gateways(status) && (status == 403 || code == 403 || codes.contains(&code)) =>
            {
                let server_code = (code != 0).then(|| code.to_string());
                Error::Permission { endpoint, permission: PERMISSION, status, server_code }
            }
            Error::Status { endpoint, status: 403, server_code, .. } => {
                Error::Permission { endpoint, permission: PERMISSION, status: 403, server_code }
            }
            other => other,
        }
    }
}

/// Whether a status is one by which a gateway answers in the server's place, which may have gone on.
pub(super) fn is_gateways(status: u16) -> bool {
    (502..=504).contains(&status)
}

fn answer(reply: &Reply, code: i64) -> Error {
    let (endpoint, retry_after_ms) = (reply.endpoint().to_owned(), reply.retry_after_ms());
    if code == TOO_FREQUENT && !is_gateways(reply.status) {
        let server_code = Some(code.to_string());
        return Error::Status { endpoint, status: 429, server_code, retry_after_ms };
    }
    Error::Answer { endpoint, status: reply.status, code, retry_after_ms }
}

/// The code of the error that a body tells, 0 where it has none; `None` when it tells no error.
fn failure(body: &Members<'_>, true_is_success: bool) -> Option<i64> {
    let error = body.raw("error")?;
    let Some(members) = Members::read(error) else {
        return is_something(error).then(|| error.parse().unwrap_or(0));
    };
    match members.number("code") {
        Some(code) if code != 0 => return Some(code),
        None if members.raw("code").is_some_and(is_something) => return Some(0),
        _ => {}
    }
    let failed = match members.raw("status") {
        Some(status) => is_something(status) != true_is_success,
        None => members.raw("message").is_some_and(is_something),
    };
    failed.then_some(0)
}

/// Whether a value is not one of those that stand for nothing.
fn is_something(json: &str) -> bool {
    !matches!(json, "null" | "false" | "0" | "0.0" | "\"\"" | "[]" | "{}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str, true_is_success: bool) -> Option<i64> {
        failure(&Members::read(body).unwrap(), true_is_success)
    }

    #[test]
    fn no_error_has_many_forms() {
        for body in [
            "{}",
            r#"{"data": {}}"#,
            r#"{"error": null}"#,
            r#"{"error": false}"#,
            r#"{"error": 0}"#,
            r#"{"error": ""}"#,
            r#"{"error": {}}"#,
            r#"{"error": []}"#,
            r#"{"error": {"code": 0}}"#,
            r#"{"error": {"code": "0", "message": ""}}"#,
            r#"{"error": {"code": null, "message": null}}"#,
        ] {
            assert_eq!((read(body, false), read(body, true)), (None, None), "{body}");
        }
        assert_eq!(read(r#"{"error": {"status": false, "code": 0, "message": ""}}"#, false), None);
        assert_eq!(read(r#"{"error": {"status": true, "code": 0, "message": "ok"}}"#, true), None);
    }

    #[test]
    fn an_error_tells_its_code() {
        for (body, code) in [
            (r#"{"error": {"status": true, "code": 1021, "message": "x"}}"#, 1021),
            (r#"{"error": {"status": false, "code": 1021}}"#, 1021),
            (r#"{"error": {"code": "403"}}"#, 403),
            (r#"{"error": {"code": -7}}"#, -7),
            (r#"{"error": {"code": "E7"}}"#, 0),
            (r#"{"error": {"message": "x"}}"#, 0),
            (r#"{"error": true}"#, 0),
            (r#"{"error": "gone wrong"}"#, 0),
            (r#"{"error": 705}"#, 705),
        ] {
            assert_eq!((read(body, false), read(body, true)), (Some(code), Some(code)), "{body}");
        }
        assert_eq!(read(r#"{"error": {"status": true, "code": 0}}"#, false), Some(0));
        assert_eq!(read(r#"{"error": {"status": false, "code": 0}}"#, true), Some(0));
    }

    proptest! {
        #[test]
        fn a_code_is_told_whatever_else_there_is(code: i64, status: bool, message in any::<String>(), reading: bool) {
            let error = serde_json::json!({ "data": {}, "error": { "status": status, "code": code, "message": message } });
            let told = read(&error.to_string(), reading);
            let expected = if code != 0 { Some(code) } else { (status != reading).then_some(0) };
            prop_assert_eq!(told, expected);
        }
    }
}
