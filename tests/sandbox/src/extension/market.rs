//! The market of events: tickets that their holders offer to others, at prices that the rules of each event allow.
//! Payments are simulated, and say so: no money moves.

mod browse;
mod control;
mod listing;
mod listings;
mod purchase;
mod reservation;
mod rules;
mod settle;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};

pub use control::{ListingChange, NewListing};
pub(crate) use control::{
    change as change_listing, list_for, pay as pay_reservation, routes as control_routes,
};
pub(super) use listing::Listing;
pub(super) use reservation::{bind_anew, hand_out};
pub use rules::MarketRules;
pub(crate) use rules::set as set_rules;
pub(super) use settle::settle;

use crate::app::App;

/// The tables.
pub(crate) const SCHEMA: &str = include_str!("market/schema.sql");

/// The routes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{tenant}/wallet/v1/resale/rules", get(listings::rules))
        .route("/t/{tenant}/wallet/v1/resale/preview", post(listings::preview))
        .route("/t/{tenant}/wallet/v1/resale/listings", get(browse::list).post(listings::create))
        .route(
            "/t/{tenant}/wallet/v1/resale/listings/{listing_id}",
            get(listings::one).patch(listings::edit).delete(listings::withdraw),
        )
        .route("/t/{tenant}/wallet/v1/resale/listings/{listing_id}/purchase", post(purchase::purchase))
        .route("/t/{tenant}/wallet/v1/resale/reservations/{reservation_id}", get(purchase::reservation))
        .route("/t/{tenant}/wallet/v1/resale/pay/{code}", get(purchase::page).post(purchase::pay))
}
