//! Errors of the extension: problem details as RFC 9457 has them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

/// Media type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";
const TYPE_PREFIX: &str = "urn:ticket-wallet:problem:";

/// A problem: a stable type, a status, and members that a program may read.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    members: Map<String, Value>,
}

impl Problem {
    /// A problem of `kind`, the last part of its type URI.
    pub(crate) fn new(status: StatusCode, kind: &str, title: &str) -> Self {
        let members = [
            ("type".to_owned(), json!(format!("{TYPE_PREFIX}{kind}"))),
            ("title".to_owned(), json!(title)),
            ("status".to_owned(), json!(status.as_u16())),
        ];
        Self { status, members: members.into_iter().collect() }
    }

    /// Adds a member.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// Adds words for people.
    pub(crate) fn detail(self, text: impl ToString) -> Self {
        self.with("detail", text.to_string())
    }

    /// 400: the request is not what the operation reads.
    pub(crate) fn malformed(detail: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "malformed", "The request cannot be read").detail(detail)
    }

    /// 401: no access token, or one that does not count (any more).
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "A valid access token is needed")
    }

    /// 404: the tenant does not serve the extension.
    pub(crate) fn not_served() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-served", "The extension is not served here")
    }

    /// 404: no such ticket, or somebody else's.
    pub(crate) fn ticket_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ticket-not-found", "The user has no such ticket")
    }

    /// 422: a field holds what it must not.
    pub(crate) fn invalid_field(field: &str, detail: impl ToString) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-field", "A field is not acceptable")
            .detail(detail)
            .with("field", field)
    }

    /// 500: a fault of the sandbox.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The sandbox failed")
    }

    /// The HTTP status.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// The body.
    pub(crate) fn to_json(&self) -> Value {
        Value::Object(self.members.clone())
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(_: rusqlite::Error) -> Self {
        Self::internal()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        (self.status, [content_type], self.to_json().to_string()).into_response()
    }
}
