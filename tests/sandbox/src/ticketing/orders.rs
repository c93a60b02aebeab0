//! Orders, as they were before sections became tiers.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caller::{Caller, Who};
use super::error::TicketingError;
use super::page::{Parameters, object, page, quantities};
use super::world::{Order, World, date, status};
use crate::app::random;
use crate::journal;

/// `POST /orders`
pub(super) async fn place(caller: Caller, body: Bytes) -> Result<Response, TicketingError> {
    let now = caller.app.now_s();
    let number = hex::encode_upper(random::<6>()?);
    let order = {
        let mut world = caller.app.ticketing.world();
        let body = object(&body)?;
        let customer = match (body.get("customer").and_then(Value::as_str), &caller.who) {
            (Some(uri), _) => world.account(uri).ok_or_else(|| TicketingError::invalid(&["customer"]))?,
            (None, Who::Account { account, .. }) => *account,
            (None, _) => return Err(TicketingError::missing(&["customer"])),
        };
        caller.acts_for(customer)?;
        let mut items = Vec::new();
        for (uri, quantity) in quantities(&body, "items")? {
            let (event, section) = world.section(&uri).ok_or_else(|| TicketingError::invalid(&["items"]))?;
            if quantity > section.capacity {
                let words =
                    "An order for the requested tickets could not be placed at this time. Please try again.";
                return Err(TicketingError::error(StatusCode::BAD_REQUEST, words));
            }
            items.push((event.id, section.id, quantity));
        }
        let order = Order { number: number.clone(), customer, status: "Placed", placed: now, items };
        world.orders.push(order.clone());
        to_json(&order, &world, &caller)
    };
    note(&caller, "place", &number)?;
    Ok((StatusCode::CREATED, Json(order)).into_response())
}

/// `GET /orders`
pub(super) async fn list(
    caller: Caller,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let world = caller.app.ticketing.world();
    let customer = query.get("customer").map(|uri| world.account(uri));
    let listed = |order: &&Order| {
        caller.acts_for(order.customer).is_ok()
            && customer.is_none_or(|customer| customer == Some(order.customer))
            && query.get("status").is_none_or(|wanted| wanted.eq_ignore_ascii_case(order.status))
    };
    let all: Vec<_> = world.orders.iter().filter(listed).map(|one| to_json(one, &world, &caller)).collect();
    page(&all, &query, &caller.choices)
}

/// `GET /orders/{number}`
pub(super) async fn one(caller: Caller, Path(number): Path<String>) -> Result<Json<Value>, TicketingError> {
    let world = caller.app.ticketing.world();
    let order = &world.orders[position(&world, &number, &caller)?];
    Ok(Json(to_json(order, &world, &caller)))
}

/// `DELETE /orders/{number}`
pub(super) async fn cancel(caller: Caller, Path(number): Path<String>) -> Result<StatusCode, TicketingError> {
    {
        let mut world = caller.app.ticketing.world();
        let at = position(&world, &number, &caller)?;
        if world.orders[at].status != "Placed" {
            return Err(TicketingError::conflict("A cancelled order cannot be cancelled."));
        }
        world.orders[at].status = "Cancelled";
    }
    note(&caller, "cancel", &number)?;
    Ok(StatusCode::NO_CONTENT)
}

fn position(world: &World, number: &str, caller: &Caller) -> Result<usize, TicketingError> {
    let found = world.orders.iter().position(|one| one.number == number);
    let at = found.ok_or_else(TicketingError::no_resource)?;
    caller.acts_for(world.orders[at].customer)?;
    Ok(at)
}

fn to_json(order: &Order, world: &World, caller: &Caller) -> Value {
    let (mut items, mut subtotal, mut count) = (Vec::new(), 0_u64, 0_u64);
    for (index, (event, section, quantity)) in order.items.iter().enumerate() {
        let event = world.events.iter().find(|one| one.id == *event);
        let section = event.and_then(|event| event.sections.iter().find(|one| one.id == *section));
        let (Some(event), Some(section)) = (event, section) else { continue };
        subtotal += u64::from(section.price) * u64::from(*quantity);
        count += u64::from(*quantity);
        items.push(json!({
            "number": format!("{index:032x}"), "name": format!("{}: {}", event.title, section.name),
            "quantity": quantity, "price": cents(section.price.into()),
        }));
    }
    let fees = count * 99;
    json!({
        "self": format!("/orders/{}", order.number), "number": order.number,
        "status": status(order.status, &caller.choices), "placed": date(order.placed, &caller.choices),
        "subtotal": cents(subtotal), "fees": cents(fees), "total": cents(subtotal + fees), "items": items,
        "payments": format!("/orders/{}/payments", order.number),
        "refunds": format!("/orders/{}/refunds", order.number),
        "customer": world.accounts.get(order.customer).map(super::world::Account::uri),
    })
}

/// An amount in major units, as a number.
fn cents(amount: u64) -> Value {
    serde_json::from_str(&format!("{}.{:02}", amount / 100, amount % 100)).unwrap_or_default()
}

fn note(caller: &Caller, what: &str, number: &str) -> Result<(), TicketingError> {
    let (name, kind) = (caller.name(), format!("ticketing.order.{what}"));
    let noted = |db: &rusqlite::Transaction<'_>| journal::record(db, &name, &kind, number, None, &json!({}));
    caller.app.db.write(noted).map_err(TicketingError::from)
}
