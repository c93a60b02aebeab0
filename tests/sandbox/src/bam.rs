//! B.A.M Ticketing for ticket holders and organizers. Accounts and the list over all tenants stand at the root, what
//! belongs to a tenant under `/t/{tenant}`. Headers `x-device-id` and `x-app-version` are taken and have no effect.

mod auth;
mod certificate;
mod choices;
mod code;
mod codes;
mod desk;
mod etag;
mod events;
mod fields;
mod issuing;
mod ledger;
mod list;
mod market;
mod offers;
mod order_file;
mod order_writes;
mod orders;
mod organizer;
mod other_sign_ins;
mod pass;
mod pdf;
mod relations;
mod reply;
mod reserve;
mod send_group;
mod session;
mod stock;
mod ticket;
mod ticket_holder;
mod token;
mod validator;
mod wallet;
mod wallet_sign_in;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use serde_json::json;

pub use choices::{
    BamChoices, ErrorKey, IdsForm, IdsKey, IssueEnd, LedgerDigest, OrganizerPrefix, ReserveReply, WriteReply,
};
pub(crate) use codes::event_key;
pub(crate) use ledger::invalidated;
pub(crate) use market::control_routes as market_control_routes;
pub(crate) use order_writes::end_payment;
pub(crate) use reply::reshape;
pub(crate) use session::{Holder, holder};
pub(crate) use ticket::Shape;
pub(crate) use token::TokenKey;
pub use validator::ValidatorToken;
pub(crate) use validator::{validator_token, validator_tokens};

use crate::app::App;
use reply::{FromBam, typed_json};

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .merge(accounts())
        .merge(tickets())
        .merge(orders())
        .merge(ledger::routes())
        .merge(organizers_writes("/t/{tenant}/event/v1"))
        .merge(organizers_writes("/t/{tenant}/v1"))
        .merge(organizers_writes("/t/{tenant}"))
        .layer(middleware::map_response(reply::mark))
}

fn accounts() -> Router<Arc<App>> {
    Router::new()
        .route("/account/v1/auth/login", post(auth::login))
        .route("/account/v1/auth/refresh", post(auth::refresh))
        .route("/account/v1/guest/login", post(other_sign_ins::guest))
        .route("/account/v1/auth/service", post(other_sign_ins::service))
        .route("/account/v1/auth/external", post(other_sign_ins::external))
        .route("/account/v1/auth/impersonate", post(other_sign_ins::impersonate))
        .route("/account/v1/auth/challenge", post(wallet_sign_in::challenge))
        .route("/account/v1/auth/wallet", post(wallet_sign_in::sign_in))
        .route("/account/v1/certificate/enroll", post(certificate::enroll))
        .route("/account/v1/certificate/renew", post(certificate::renew))
        .route("/account/v1/user/{id}", get(certificate::user))
        .route("/account/v1/market-control", get(market::rulesets))
        .route("/account/v1/market-control/{id}", get(market::ruleset))
        .route("/account/v1/organizer/{id}", get(organizer::organizer))
        .route("/account/v1/organizer/validator/{token}", get(validator::by_token))
        .route("/account/v1/organizer/{organizer}/validator/export", get(validator::export))
        .route("/account/v1/user/enrollment/{id}", get(organizer::enrollment))
}

fn tickets() -> Router<Arc<App>> {
    Router::new()
        .route("/v1/ticket", get(list::of_all_tenants))
        .route("/v1/event", get(events::all))
        .route("/v1/event/external", get(events::external))
        .route("/v1/my_events", get(events::mine))
        .route("/v1/category", get(events::categories))
        .route("/t/{tenant}/event/v1/ticket", get(list::of_tenant))
        .route("/t/{tenant}/event/v1/ticket/{id}", get(ticket::by_id))
        .route("/t/{tenant}/event/v1/ticket/bc/{blockchain_id}", get(ticket::by_blockchain_id))
        .route("/t/{tenant}/event/v1/ticket/transfer", post(market::transfer_payload))
        .route("/t/{tenant}/event/v1/ticket/{id}/qrcode", post(codes::qr_code))
        .route("/t/{tenant}/event/v1/organizer/{organizer}/event/{id}/qr_codes", get(codes::qr_codes))
        .route("/t/{tenant}/event/v1/organizer/{organizer}/event/{id}/public_key", get(codes::public_key))
        .route(
            "/t/{tenant}/event/v1/ticket/{id}/ticket_holder",
            get(ticket_holder::list).post(ticket_holder::create),
        )
        .route(
            "/t/{tenant}/event/v1/ticket/{id}/ticket_holder/{holder}",
            get(ticket_holder::one).patch(ticket_holder::update),
        )
}

fn orders() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{tenant}/event/v1/order", get(orders::list).post(order_writes::create))
        .route("/t/{tenant}/event/v1/order/{id}", get(orders::one))
        .route("/t/{tenant}/event/v1/order/{id}/order_contact", post(order_writes::contact))
        .route("/t/{tenant}/event/v1/order/{id}/download_tickets", get(order_file::download))
        .route("/t/{tenant}/event/v1/order/{id}/refund", post(order_writes::refund))
        .route("/t/{tenant}/event/v1/order/{id}/email_tickets", post(order_writes::email))
        .route("/t/{tenant}/orderbook/v1/offer/mine", get(offers::mine))
        .route("/t/{tenant}/orderbook/v1/offer/{id}", delete(offers::delete))
        .route("/t/{tenant}/payment/v1/payment/stripe", post(order_writes::pay))
}

/// They answer at one of three places, whichever was chosen.
fn organizers_writes(place: &str) -> Router<Arc<App>> {
    let at = |name: &str| format!("{place}/ticket/{name}");
    Router::new()
        .route(&at("reserve"), post(reserve::reserve))
        .route(&at("free"), post(reserve::free))
        .route(&at("issue"), post(reserve::issue))
        .route(&at("send-group"), post(send_group::send_group))
}

/// The middleware that ends the issues of tickets which are due before a request is handled.
pub(crate) async fn settle(
    State(app): State<Arc<App>>,
    request: Request,
    next: Next,
) -> Result<Response, BamError> {
    app.db.read(|db| issuing::settle(db, app.now_s()))?;
    Ok(next.run(request).await)
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

    /// 403: not for this user.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "FORBIDDEN", "Forbidden")
    }

    /// 404.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NOT_FOUND", format!("{what} not found"))
    }

    /// 422 with the member of the body at fault.
    fn invalid(name: &str) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "VALIDATION_FAILED", format!("Invalid value for {name}"))
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
        let body = json!({"message": self.message, "errorCode": self.code});
        let mut reply = typed_json(self.status, &body);
        reply.extensions_mut().insert(FromBam);
        reply
    }
}
