//! The market's other side, for tests and demonstrations: an organizer's rules, other sellers and buyers, payments.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{post, put};
use axum::{Json, Router};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::ticket::Ticket;
use super::super::write::Call;
use super::listing::{HIDDEN, Listing, SOLD};
use super::purchase::paid;
use super::reservation::Reservation;
use super::rules::{MarketRules, Terms, set};
use super::settle;
use crate::app::App;
use crate::edit;
use crate::problem::Problem;

/// A ticket that somebody offers, by script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewListing {
    /// The seller's name.
    pub user: String,
    /// One of their tickets.
    pub ticket_id: i64,
    /// In cents.
    pub price: i64,
}

/// What becomes of a listing, by script.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ListingChange {
    /// It is in this state, any text.
    State(String),
    /// Somebody buys and pays it: the ticket goes to this user, or out of the sandbox if that is none of them.
    SoldTo(String),
}

#[derive(Deserialize)]
struct Payment {
    reservation: String,
}

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/market/{tenant}/events/{id}", put(rules))
        .route("/sandbox/market/{tenant}/listings", post(listing))
        .route("/sandbox/market/{tenant}/listings/{id}", post(changed))
        .route("/sandbox/market/{tenant}/payments", post(payment))
}

/// Members that are left out get their defaults.
async fn rules(
    State(app): State<Arc<App>>,
    Path((tenant, event)): Path<(String, i64)>,
    Json(rules): Json<MarketRules>,
) -> Result<StatusCode, Problem> {
    let found = app.db.write(|db| set(db, &tenant, event, &rules))?;
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(nothing()) }
}

async fn listing(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Json(new): Json<NewListing>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({"id": list_for(&app, &tenant, &new)?.to_string()})))
}

async fn changed(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    Json(to): Json<ListingChange>,
) -> Result<StatusCode, Problem> {
    change(&app, &tenant, id, &to)?;
    Ok(StatusCode::NO_CONTENT)
}

async fn payment(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Json(payment): Json<Payment>,
) -> Result<StatusCode, Problem> {
    pay(&app, &tenant, &payment.reservation)?;
    Ok(StatusCode::NO_CONTENT)
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not-found", "Nothing here")
}

/// Lists a ticket for its holder and tells the listing's id.
pub(crate) fn list_for(app: &App, tenant: &str, new: &NewListing) -> Result<i64, Problem> {
    app.db.write(|db| {
        settle(app, db, tenant)?;
        let seller = user_id(db, &new.user)?.ok_or_else(nothing)?;
        let call = Call::by_itself(app, tenant, seller)?;
        let ticket = Ticket::eligible(&call, db, &new.ticket_id.to_string())?;
        Listing::refuse_open(&call, db, &ticket)?;
        let terms = Terms::of(db, tenant, &ticket)?;
        let listing = Listing::create(db, tenant, seller, &ticket, &terms, (new.price, None, call.now))?;
        if listing.hidden {
            listing.take_barcode(&call, db)?;
        }
        Ok(listing.id)
    })
}

/// Changes a listing without its seller.
pub(crate) fn change(app: &App, tenant: &str, id: i64, to: &ListingChange) -> Result<(), Problem> {
    app.db.write(|db| {
        settle(app, db, tenant)?;
        let mut listing = Listing::find(db, tenant, &id.to_string())?;
        let call = Call::by_itself(app, tenant, listing.seller)?;
        match to {
            ListingChange::State(state) => {
                listing.set_state(db, state)?;
                // A barcode that was given out meanwhile ends again.
                if listing.hidden && HIDDEN.contains(&format!("'{state}'")) {
                    listing.take_barcode(&call, db)?;
                }
                Ok(())
            }
            ListingChange::SoldTo(buyer) => {
                listing.set_state(db, SOLD)?;
                listing.take_barcode(&call, db)?;
                Ok(edit::hand_over(db, tenant, listing.ticket_id, buyer, call.now)?)
            }
        }
    })
}

/// Simulates the payment for a reservation.
pub(crate) fn pay(app: &App, tenant: &str, reservation: &str) -> Result<(), Problem> {
    app.db.write(|db| {
        paid(app, db, tenant, |db| {
            let sql = "SELECT buyer_id FROM reservation WHERE id = ?1";
            let buyer = db.query_row(sql, [reservation], |row| row.get(0)).optional()?.ok_or_else(nothing)?;
            Reservation::find(db, buyer, reservation)
        })
    })
}

fn user_id(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    db.query_row("SELECT id FROM user WHERE name = ?1", [name], |row| row.get(0)).optional()
}
