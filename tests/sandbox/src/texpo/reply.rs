//! Replies in the envelope that is switched on.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::choices::{EmptyForm, ErrorStatus, SuccessError, TexpoChoices};

/// What a method gives: the JSON of `data`, or nothing.
pub(crate) type Outcome = Result<Option<String>, Failure>;

/// An error with its code.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    status: StatusCode,
    code: i64,
    message: &'static str,
}

impl Failure {
    pub(crate) fn new(status: StatusCode, code: i64, message: &'static str) -> Self {
        Self { status, code, message }
    }

    /// 401.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, 401, "unauthorized")
    }

    /// 400.
    pub(crate) fn unreadable(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 400, message)
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, "not found")
    }

    /// 404: no method of this name.
    pub(crate) fn no_method() -> Self {
        Self::new(StatusCode::NOT_FOUND, 404, "no such method")
    }

    fn body(&self, choices: &TexpoChoices) -> String {
        let status = choices.error_status == ErrorStatus::TrueIsFailure;
        json!({"error": {"status": status, "code": self.code, "message": self.message}}).to_string()
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(_: rusqlite::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 500, "internal error")
    }
}

impl From<serde_json::Error> for Failure {
    fn from(_: serde_json::Error) -> Self {
        Self::unreadable("not an object")
    }
}

impl From<std::io::Error> for Failure {
    fn from(_: std::io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 500, "internal error")
    }
}

/// The reply to a method.
pub(crate) fn reply(choices: &TexpoChoices, outcome: Outcome) -> Response {
    match outcome {
        Ok(Some(data)) => {
            typed(StatusCode::OK, format!("{{\"data\":{data}{}}}", error_of_success(choices, ",")))
        }
        Ok(None) => typed(StatusCode::OK, empty(choices)),
        Err(failure) => failed(choices, &failure),
    }
}

/// The reply of an error.
pub(crate) fn failed(choices: &TexpoChoices, failure: &Failure) -> Response {
    let status = if choices.error_has_http_status { failure.status } else { StatusCode::OK };
    typed(status, failure.body(choices))
}

/// The reply of a fault: with its HTTP status, whatever is switched on.
pub(crate) fn fault(status: StatusCode) -> Response {
    let failure = Failure::new(status, status.as_u16().into(), "a fault");
    typed(status, failure.body(&TexpoChoices::default()))
}

/// A reply outside of the envelope.
pub(crate) fn typed(status: StatusCode, body: String) -> Response {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    (status, [(header::CONTENT_TYPE, json)], body).into_response()
}

fn empty(choices: &TexpoChoices) -> String {
    match choices.empty {
        EmptyForm::Nothing => String::new(),
        EmptyForm::Object => format!("{{{}}}", error_of_success(choices, "")),
        EmptyForm::Data => format!("{{\"data\":{{}}{}}}", error_of_success(choices, ",")),
    }
}

fn error_of_success(choices: &TexpoChoices, before: &str) -> String {
    let error = match choices.success_error {
        SuccessError::Missing => return String::new(),
        SuccessError::Null => "null".to_owned(),
        SuccessError::False => "false".to_owned(),
        SuccessError::Empty => "{}".to_owned(),
        SuccessError::Zero => {
            let status = choices.error_status == ErrorStatus::TrueIsSuccess;
            json!({"status": status, "code": 0, "message": ""}).to_string()
        }
    };
    format!("{before}\"error\":{error}")
}
