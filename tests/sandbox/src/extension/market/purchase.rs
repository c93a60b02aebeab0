//! Buying: reserving a listing, paying for it on a page that simulates the payment, and fetching what was bought.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use rusqlite::Connection;
use serde_json::Value;
use ticket_wallet::barcode::DeviceKey;

use super::super::fields::binary;
use super::super::ticket::Ticket;
use super::super::write::{Call, Reply, served, user, write};
use super::listing::{ACTIVE, Listing};
use super::reservation::{PAID, Reservation};
use super::rules::{Terms, money, read_money};
use super::settle;
use crate::app::App;
use crate::problem::Problem;

/// `POST /resale/listings/{listing_id}/purchase`: 200 when it is paid for at once, 202 when a payment is waited for.
pub(super) async fn purchase(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| buy(call, db, &id, &call.json()?)).await
}

/// The same device that asks again for what it has reserved or bought is told of that.
fn buy(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Reply, Problem> {
    let tenant = &call.tenant.name;
    settle(call.app, db, tenant)?;
    let device_key = binary(item, "device_key")?;
    DeviceKey::from_x963(&device_key).map_err(|error| Problem::invalid_field("device_key", error))?;
    let most = read_money(item, "max_total")?;
    let mut listing = Listing::find(db, tenant, id)?;
    let known = Reservation::of_device(db, listing.id, call.user, &device_key)?;
    if let Some(known) = known {
        return answer(call, db, &known);
    }
    if listing.seller == call.user {
        return Err(Problem::new(StatusCode::CONFLICT, "own-listing", "The listing is the user's own"));
    }
    if listing.state != ACTIVE {
        return Err(listing.ended());
    }
    let ticket = Ticket::owned(db, tenant, listing.seller, &listing.ticket_id.to_string())?;
    let terms = Terms::of(db, tenant, &ticket)?;
    let total = terms.breakdown(listing.price).buyer_total();
    if total > most {
        let changed =
            Problem::new(StatusCode::PRECONDITION_FAILED, "price-changed", "It costs more than that");
        return Err(changed.with("total", money(total)));
    }
    let mut reservation = Reservation::create(call, db, &mut listing, &device_key, &terms)?;
    if terms.rules.payment_page {
        let detail = serde_json::json!({"listing_id": id, "total": total});
        call.record(db, "resale.reserve", listing.ticket_id, detail)?;
    } else {
        reservation.pay(call, db)?;
    }
    answer(call, db, &reservation)
}

fn answer(call: &Call<'_>, db: &Connection, reservation: &Reservation) -> Result<Reply, Problem> {
    let json = reservation.to_json(call, db, &call.app.url)?;
    Ok(if reservation.state == PAID { Reply::Json(json) } else { Reply::Accepted(json) })
}

/// `GET /resale/reservations/{reservation_id}`
pub(super) async fn reservation(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let buyer = user(&app, &headers)?;
    let call = Call::by_itself(&app, &tenant, buyer)?;
    app.db.write(|db| {
        settle(&app, db, &call.tenant.name)?;
        Reservation::find(db, buyer, &id)?.to_json(&call, db, &app.url).map(Json)
    })
}

/// `GET /resale/pay/{code}`: the page to which the payment's address leads.
pub(super) async fn page(
    State(app): State<Arc<App>>,
    Path((tenant, code)): Path<(String, String)>,
) -> Result<Html<String>, Problem> {
    let tenant = &served(&app, &tenant)?.0.name;
    let reservation = app.db.write(|db| {
        settle(&app, db, tenant)?;
        Reservation::by_code(db, &code)
    })?;
    let amount = format!("{}.{:02} EUR", reservation.total / 100, reservation.total % 100);
    let button = match reservation.state.as_str() {
        "pending" => "<form method=\"post\"><button>Pay</button></form>",
        _ => "",
    };
    Ok(Html(format!(
        "<!doctype html><title>Simulated payment</title><h1>Simulated payment</h1><p>No money moves here. {amount}: {}.</p>\
         {button}\n",
        reservation.state
    )))
}

/// `POST /resale/pay/{code}`: simulates the payment.
pub(super) async fn pay(
    State(app): State<Arc<App>>,
    Path((tenant, code)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.db.write(|db| paid(&app, db, &tenant, |db| Reservation::by_code(db, &code)))?;
    Ok(Html("<!doctype html><title>Simulated payment</title><p>Paid, as a simulation: no money moved.</p>\n")
        .into_response())
}

/// Pays for a reservation that waits for it; again for one that is paid for changes nothing.
pub(super) fn paid(
    app: &App,
    db: &Connection,
    tenant: &str,
    find: impl FnOnce(&Connection) -> Result<Reservation, Problem>,
) -> Result<(), Problem> {
    settle(app, db, &served(app, tenant)?.0.name)?;
    let mut reservation = find(db)?;
    match reservation.state.as_str() {
        PAID => Ok(()),
        "pending" => reservation.pay(&Call::by_itself(app, tenant, reservation.buyer)?, db),
        other => Err(Problem::new(StatusCode::CONFLICT, "reservation-ended", "The reservation is over")
            .with("state", other)),
    }
}
