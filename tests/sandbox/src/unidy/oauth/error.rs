//! Errors as RFC 6749 has them (section 5.2).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::unidy::error::UnidyError;

/// A refusal of the token endpoint, or of the authorization endpoint in a redirect.
#[derive(Debug, Clone)]
pub(super) struct OAuthError {
    status: StatusCode,
    pub(super) error: &'static str,
    pub(super) description: String,
}

impl OAuthError {
    /// 400 with a code of the specification and words for developers.
    pub(super) fn new(error: &'static str, description: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.to_owned() }
    }

    /// 401: the client did not prove who it is.
    pub(super) fn invalid_client() -> Self {
        let error = Self::new("invalid_client", "Client authentication failed");
        Self { status: StatusCode::UNAUTHORIZED, ..error }
    }

    /// The code, token or proof does not count.
    pub(super) fn invalid_grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    /// A parameter is missing or holds what it must not.
    pub(super) fn invalid_request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    fn internal() -> Self {
        let error = Self::new("server_error", "The sandbox failed");
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..error }
    }
}

impl From<rusqlite::Error> for OAuthError {
    fn from(_: rusqlite::Error) -> Self {
        Self::internal()
    }
}

impl From<std::io::Error> for OAuthError {
    fn from(_: std::io::Error) -> Self {
        Self::internal()
    }
}

impl From<UnidyError> for OAuthError {
    fn from(_: UnidyError) -> Self {
        Self::internal()
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.error, "error_description": self.description}).to_string();
        let mut reply = (self.status, body).into_response();
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"Unidy\""));
        }
        reply
    }
}
