//! Errors as TickeTing writes them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::choices::TicketingErrorKey;
use crate::app::App;

/// An error: words under one of two keys.
#[derive(Debug, Clone)]
pub(crate) struct TicketingError {
    status: StatusCode,
    /// The key that the document, or the vendor's SDK, has for it.
    key: &'static str,
    words: String,
}

impl TicketingError {
    fn message(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, key: "message", words: words.into() }
    }

    /// What an endpoint says of a request, under `error`.
    pub(crate) fn error(status: StatusCode, words: impl Into<String>) -> Self {
        Self { status, key: "error", words: words.into() }
    }

    /// 401: no key.
    pub(crate) fn unauthenticated() -> Self {
        Self::message(StatusCode::UNAUTHORIZED, "Your request could not be authenticated.")
    }

    /// 403: an invalid key, or one that may not.
    pub(crate) fn restricted() -> Self {
        Self::message(StatusCode::FORBIDDEN, "You are restricted from accessing this resource.")
    }

    /// 412: no version, or too low a one.
    pub(crate) fn upgrade() -> Self {
        let words = "Please upgrade your client to complete this request";
        Self::error(StatusCode::PRECONDITION_FAILED, words)
    }

    /// 404: no such endpoint; without a version or a key, what is said without one.
    pub(crate) fn no_endpoint(request: &Request) -> Self {
        if !request.headers().contains_key("x-client-version") {
            return Self::upgrade();
        }
        if !request.headers().contains_key("x-api-key") {
            return Self::unauthenticated();
        }
        let path = request.uri().path();
        let path = path.strip_prefix(super::BASE).unwrap_or(path);
        let words = format!("The requested endpoint {path} does not exist on this server.");
        Self::message(StatusCode::NOT_FOUND, words)
    }

    /// 404: nothing of this id.
    pub(crate) fn no_resource() -> Self {
        Self::error(StatusCode::NOT_FOUND, "There is presently no resource with the given URI.")
    }

    /// 500, in the document's own spelling.
    pub(crate) fn internal() -> Self {
        let words =
            "There was a server error while excuting this request. Please see system logs for details.";
        Self::message(StatusCode::INTERNAL_SERVER_ERROR, words)
    }

    /// 400: what must be there and is not.
    pub(crate) fn missing(names: &[&str]) -> Self {
        let names = names.join(", ");
        let words = format!("The following arguments are required, but have not been supplied: {names}.");
        Self::error(StatusCode::BAD_REQUEST, words)
    }

    /// 400: what holds what it must not.
    pub(crate) fn invalid(names: &[&str]) -> Self {
        let words = format!("The following arguments have invalid values: {}.", names.join(", "));
        Self::error(StatusCode::BAD_REQUEST, words)
    }

    /// 409.
    pub(crate) fn conflict(words: &str) -> Self {
        Self::error(StatusCode::CONFLICT, words)
    }

    /// An error of a status alone.
    pub(crate) fn of(status: StatusCode) -> Self {
        Self::message(status, status.canonical_reason().unwrap_or_default())
    }

    fn body(&self, key: TicketingErrorKey) -> Value {
        match key {
            TicketingErrorKey::ByDocument => json!({ self.key: self.words }),
            TicketingErrorKey::Message => json!({ "message": self.words }),
            TicketingErrorKey::Error => json!({ "error": self.words }),
        }
    }
}

impl From<rusqlite::Error> for TicketingError {
    fn from(_: rusqlite::Error) -> Self {
        Self::internal()
    }
}

impl From<std::io::Error> for TicketingError {
    fn from(_: std::io::Error) -> Self {
        Self::internal()
    }
}

impl IntoResponse for TicketingError {
    fn into_response(self) -> Response {
        let body = self.body(TicketingErrorKey::ByDocument).to_string();
        let json = HeaderValue::from_static("application/json");
        let mut reply = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        reply.extensions_mut().insert(self);
        reply
    }
}

/// The layer that writes errors under the key that is switched on.
pub(crate) async fn in_form(State(app): State<Arc<App>>, reply: Response) -> Response {
    let key = app.ticketing.choices().errors;
    let Some(body) = reply.extensions().get::<TicketingError>().map(|error| error.body(key)) else {
        return reply;
    };
    let (mut head, _) = reply.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body.to_string()))
}
