//! Admissions.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::TicketingError;
use super::page::{Parameters, list as texts_of, object, page, texts};
use super::world::Admission;
use crate::journal;

/// `POST /events/{event}/admissions`: a ticket that was used before is admitted no second time.
pub(super) async fn admit(
    caller: Caller,
    Path(event): Path<String>,
    body: Bytes,
) -> Result<Response, TicketingError> {
    let name = caller.name();
    let most = caller.choices.most_admitted;
    let now = caller.app.now_s() + caller.choices.admissions_ahead_s;
    let mut made: Vec<(String, Value)> = Vec::new();
    {
        let mut world = caller.app.ticketing.world();
        let event = world.event(&event).ok_or_else(TicketingError::no_resource)?.clone();
        let sections = caller.redeems(&event)?;
        let body = object(&body)?;
        let [redeemer, device] = texts(&body, ["redeemer", "device"])?;
        for serial in texts_of(&body, "serials")? {
            let grants = world.tickets.iter().position(|ticket| {
                ticket.serial == serial
                    && ticket.event == event.id
                    && sections.contains(&ticket.section)
                    && ticket.status == "Issued"
                    && ticket.redeemed.is_none()
            });
            let Some(at) = grants.filter(|_| most.is_none_or(|most| made.len() < most)) else { continue };
            let id = world.new_id();
            let ticket = &mut world.tickets[at];
            (ticket.status, ticket.redeemed, ticket.modified) = ("Redeemed", Some(now), now);
            let (patron, section) = (ticket.owner, ticket.section);
            let admission = Admission {
                id,
                event: event.id,
                redeemer: redeemer.to_owned(),
                device: device.to_owned(),
                serial: serial.clone(),
                patron,
                section,
                admitted: now,
            };
            let json = admission.to_json(&world, &caller.choices);
            world.admissions.push(admission);
            made.push((serial, json));
        }
    }
    if made.is_empty() {
        let words = "None of the provided ticket serials grants admission to this event";
        return Err(TicketingError::error(StatusCode::BAD_REQUEST, words));
    }
    caller.app.db.write(|db| {
        made.iter().try_for_each(|(serial, _)| {
            journal::record(db, &name, "ticketing.admit", &format!("{event}/{serial}"), None, &json!({}))
        })
    })?;
    let admissions: Vec<_> = made.into_iter().map(|(_, json)| json).collect();
    Ok((StatusCode::CREATED, Json(admissions)).into_response())
}

/// `GET /events/{event}/admissions`
pub(super) async fn list(
    caller: Caller,
    Path(event): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let world = caller.app.ticketing.world();
    let event = world.event(&event).ok_or_else(TicketingError::no_resource)?;
    let sections = caller.redeems(event)?;
    let filters = caller.choices.admissions_are_filtered;
    let is = |name: &str, value: &str| !filters || query.get(name).is_none_or(|wanted| wanted == value);
    let seen_until = caller.app.now_s() - caller.choices.admissions_lag_s;
    let listed = |one: &&Admission| {
        let patron = world.accounts.get(one.patron).map(super::world::Account::uri).unwrap_or_default();
        one.event == event.id
            && sections.contains(&one.section)
            && (caller.choices.admissions_lag_s == 0 || one.admitted <= seen_until)
            && is("redeemer", &one.redeemer)
            && is("device", &one.device)
            && is("ticket", &one.serial)
            && is("patron", &patron)
            && is("section", &one.section.to_string())
    };
    let all: Vec<_> =
        world.admissions.iter().filter(listed).map(|one| one.to_json(&world, &caller.choices)).collect();
    page(&all, &query, &caller.choices)
}
