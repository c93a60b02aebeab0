//! The wallet extension: device-bound credentials, transfers, a market and gates beside each tenant's own routes, and a
//! change feed at the root.
//!
//! `openapi/extension.json` describes it; a test holds every answer against that file.

mod bind;
mod binding;
mod feed;
mod fields;
mod gates;
mod idempotency;
mod market;
mod renew;
mod surrender;
mod ticket;
mod transfer;
mod transfers;
mod write;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::app::App;
use crate::problem::Problem;

pub(crate) use feed::cursor_expired;
pub use gates::{AdmissionCode, BadManifest, GateEventEdit, GateTicketEdit};
pub(crate) use gates::{
    Place as GatePlace, SCHEMA as GATES_SCHEMA, admission_codes, control_routes as gate_control_routes,
    edit_event as edit_gate_event, edit_ticket as edit_gate_ticket, report as gate_report,
    revoke as revoke_scanner,
};
pub use market::{ListingChange, MarketRules, NewListing};
pub(crate) use market::{
    SCHEMA as MARKET_SCHEMA, change_listing, control_routes as market_control_routes, list_for,
    pay_reservation, set_rules,
};
pub use transfer::TransferEnd;
pub(crate) use transfer::end as end_transfer;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{tenant}/.well-known/ticket-wallet", get(discovery))
        .route("/t/{tenant}/wallet/v1/credentials", post(bind::bind))
        .route("/t/{tenant}/wallet/v1/credentials/renew", post(renew::renew_many))
        .route("/t/{tenant}/wallet/v1/credentials/{ticket_id}/renew", post(renew::renew))
        .route("/t/{tenant}/wallet/v1/credentials/{ticket_id}/surrender", post(surrender::surrender))
        .route("/t/{tenant}/wallet/v1/transfers", get(transfers::list).post(transfers::create))
        .route("/t/{tenant}/wallet/v1/transfers/{transfer_id}", get(transfers::one))
        .route("/t/{tenant}/wallet/v1/transfers/{transfer_id}/cancel", post(transfers::cancel))
        .route("/t/{tenant}/wallet/v1/transfers/{transfer_id}/accept", post(transfers::accept))
        .route("/t/{tenant}/wallet/v1/transfers/{transfer_id}/decline", post(transfers::decline))
        .merge(market::routes())
        .merge(gates::routes())
}

/// The routes of the change feed.
pub(crate) fn feed_routes() -> Router<Arc<App>> {
    Router::new()
        .route("/.well-known/ticket-wallet", get(feed::discovery))
        .route("/wallet/v1/tickets", get(feed::tickets))
}

/// Whether a path is the extension's, so that its errors are problems.
pub(crate) fn serves(path: &str) -> bool {
    path.contains("/wallet/v1/") || path.ends_with("/.well-known/ticket-wallet")
}

/// `GET /.well-known/ticket-wallet` of a tenant: what is served, and where.
async fn discovery(State(app): State<Arc<App>>, Path(tenant): Path<String>) -> Result<Json<Value>, Problem> {
    let (tenant, issuer) = write::served(&app, &tenant)?;
    Ok(Json(json!({
        "version": 1,
        "base": format!("/t/{}/wallet/v1", tenant.name),
        "features": ["credentials", "transfer", "resale", "gate"],
        "issuer_keys": [fields::encode(&issuer.public_key())],
    })))
}
