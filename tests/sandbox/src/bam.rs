//! B.A.M Ticketing for ticket holders. Accounts and the list over all tenants stand at the root, each tenant's own
//! tickets under `/t/{tenant}`. Headers `x-device-id` and `x-app-version` are taken and have no effect.

mod auth;
mod choices;
mod etag;
mod list;
mod organizer;
mod relations;
mod ticket;
mod ticket_holder;
mod token;

use std::sync::Arc;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::json;

pub(crate) use auth::{Holder, holder};
pub use choices::{BamChoices, ErrorKey, IdsKey, IssueEnd, OrganizerPrefix, ReserveReply, WriteReply};
pub(crate) use ticket::Shape;
pub(crate) use token::TokenKey;

use crate::app::App;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/account/v1/auth/login", post(auth::login))
        .route("/account/v1/auth/refresh", post(auth::refresh))
        .route("/account/v1/organizer/{id}", get(organizer::organizer))
        .route("/v1/ticket", get(list::of_all_tenants))
        .route("/t/{tenant}/event/v1/ticket", get(list::of_tenant))
        .route("/t/{tenant}/event/v1/ticket/{id}", get(ticket::by_id))
        .route("/t/{tenant}/event/v1/ticket/bc/{blockchain_id}", get(ticket::by_blockchain_id))
        .route(
            "/t/{tenant}/event/v1/ticket/{id}/ticket_holder",
            get(ticket_holder::list).post(ticket_holder::create),
        )
        .route(
            "/t/{tenant}/event/v1/ticket/{id}/ticket_holder/{holder}",
            get(ticket_holder::one).patch(ticket_holder::update),
        )
}

/// An error as B.A.M writes it: words and a code.
#[derive(Debug, Clone)]
pub(crate) struct BamError {
    status: StatusCode,
    code: String,
    message: String,
}

impl BamError {
    /// An error with a code for programs and words for people.
    pub(crate) fn new(status: StatusCode, code: &str, message: impl ToString) -> Self {
        let code = code.to_uppercase().replace('-', "_");
        Self { status, code, message: message.to_string() }
    }

    /// 401: no access token, or one that does not count (any more).
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "Unauthorized")
    }

    /// 404.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("{what} not found"))
    }

    /// 400 with the parameter at fault.
    fn bad_parameter(name: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "VALIDATION_FAILED", format!("Invalid value for {name}"))
    }
}

impl From<rusqlite::Error> for BamError {
    fn from(_: rusqlite::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
    }
}

impl From<std::io::Error> for BamError {
    fn from(_: std::io::Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "Internal server error")
    }
}

impl IntoResponse for BamError {
    fn into_response(self) -> Response {
        let body = json!({"message": self.message, "errorCode": self.code}).to_string();
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        (self.status, [content_type], body).into_response()
    }
}
