//! Events and tickets.

use axum::Json;
use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDateTime};
use serde_json::{Value, json};

use super::caller::{Caller, Who};
use super::error::TicketingError;
use super::page::{Parameters, page};
use super::world::{Ticket, event_uri, section_uri};

/// `GET /events/{event}`
pub(super) async fn event(caller: Caller, Path(event): Path<String>) -> Result<Json<Value>, TicketingError> {
    let world = caller.app.ticketing.world();
    let event = world.event(&event).ok_or_else(TicketingError::no_resource)?;
    if !caller.choices.events_are_public && matches!(caller.who, Who::Account { is_host: false, .. }) {
        return Err(TicketingError::restricted());
    }
    Ok(Json(event.to_json(&caller.choices)))
}

/// `GET /events/{event}/tickets`
pub(super) async fn of_event(
    caller: Caller,
    Path(event): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let since = match query.get("modified_since") {
        None => None,
        Some(_) if !caller.choices.lists_changes => {
            return Err(TicketingError::invalid(&["modified_since"]));
        }
        Some(text) => Some(moment(text).ok_or_else(|| TicketingError::invalid(&["modified_since"]))?),
    };
    let world = caller.app.ticketing.world();
    let event = world.event(&event).ok_or_else(TicketingError::no_resource)?;
    let sections = caller.redeems(event)?;
    let listed = |ticket: &&Ticket| {
        ticket.event == event.id
            && sections.contains(&ticket.section)
            && since.is_none_or(|since| ticket.modified > since)
    };
    let all: Vec<_> =
        world.tickets.iter().filter(listed).map(|ticket| ticket.to_json(&world, &caller.choices)).collect();
    page(&all, &query, &caller.choices)
}

/// `GET /accounts/{number}/tickets`
pub(super) async fn of_account(
    caller: Caller,
    Path(number): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let world = caller.app.ticketing.world();
    let account = world.account(&number).ok_or_else(TicketingError::no_resource)?;
    caller.acts_for(account)?;
    let is =
        |name: &str, value: &str| query.get(name).is_none_or(|wanted| wanted.eq_ignore_ascii_case(value));
    let listed = |ticket: &&Ticket| {
        ticket.owner == account
            && is("event", &event_uri(ticket.event))
            && is("section", &section_uri(ticket.event, ticket.section))
            && is("status", ticket.status)
            && query.get("serial").is_none_or(|part| ticket.serial.starts_with(part.as_str()))
    };
    let all: Vec<_> =
        world.tickets.iter().filter(listed).map(|ticket| ticket.to_json(&world, &caller.choices)).collect();
    if caller.choices.bare_tickets {
        return Ok(Json(json!(all)).into_response());
    }
    page(&all, &query, &caller.choices)
}

/// A date of a query, in either form.
fn moment(text: &str) -> Option<i64> {
    let plain = || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").ok().map(|time| time.and_utc());
    let time = DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc());
    time.or_else(plain).map(|time| time.timestamp())
}
