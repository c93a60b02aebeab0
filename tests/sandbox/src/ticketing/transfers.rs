//! Transfers by section and quantity, and look-ups of their recipients.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::caller::Caller;
use super::error::TicketingError;
use super::page::{Parameters, object, page, quantities, texts};
use super::world::{Account, Transfer, World, date, event_uri, section_uri, status};
use crate::journal;

/// `POST /transfers`
pub(super) async fn start(caller: Caller, body: Bytes) -> Result<Response, TicketingError> {
    let now = caller.app.now_s();
    let (id, transfer) = {
        let mut world = caller.app.ticketing.world();
        let body = object(&body)?;
        let [sender, recipient] = texts(&body, ["sender", "recipient"])?;
        let account = |name, uri| world.account(uri).ok_or_else(|| TicketingError::invalid(&[name]));
        let (sender, recipient) = (account("sender", sender)?, account("recipient", recipient)?);
        caller.acts_for(sender)?;
        if sender == recipient {
            return Err(TicketingError::conflict("The sender cannot transfer tickets to themselves."));
        }
        let serials = taken(&world, sender, &quantities(&body, "tickets")?)?;
        let id = world.new_id();
        set(&mut world, &serials, "Pending", None, now);
        world.transfers.push(Transfer { id, sender, recipient, status: "Pending", initiated: now, serials });
        (id, world.transfers.last().and_then(|one| to_json(one, &world, &caller)))
    };
    note(&caller, "start", id)?;
    Ok((StatusCode::CREATED, Json(transfer)).into_response())
}

/// The serials that a sender gives away.
fn taken(world: &World, sender: usize, counts: &[(String, u32)]) -> Result<Vec<String>, TicketingError> {
    let mut serials = Vec::new();
    for (uri, count) in counts {
        let (_, section) = world.section(uri).ok_or_else(|| TicketingError::invalid(&["tickets"]))?;
        let own = world.tickets.iter().filter(|ticket| {
            ticket.owner == sender && ticket.section == section.id && ticket.status == "Issued"
        });
        let own: Vec<_> = own.take(*count as usize).map(|ticket| ticket.serial.clone()).collect();
        if own.len() < *count as usize {
            let words =
                "The sender does not hold sufficient tickets in their wallet to complete this transfer";
            return Err(TicketingError::error(StatusCode::BAD_REQUEST, words));
        }
        serials.extend(own);
    }
    Ok(serials)
}

fn set(world: &mut World, serials: &[String], status: &'static str, owner: Option<usize>, now: i64) {
    for ticket in world.tickets.iter_mut().filter(|ticket| serials.contains(&ticket.serial)) {
        (ticket.status, ticket.modified) = (status, now);
        ticket.owner = owner.unwrap_or(ticket.owner);
    }
}

/// `GET /transfers/{id}`
pub(super) async fn one(caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, TicketingError> {
    let world = caller.app.ticketing.world();
    let transfer = &world.transfers[position(&world, &id)?];
    caller.acts_for(transfer.sender).or_else(|_| caller.acts_for(transfer.recipient))?;
    to_json(transfer, &world, &caller).map(Json).ok_or_else(TicketingError::internal)
}

/// `POST /transfers/{id}/claims`
pub(super) async fn claim(caller: Caller, Path(id): Path<String>) -> Result<Json<Value>, TicketingError> {
    end(&caller, &id, "Claimed")?;
    Ok(Json(json!({ "success": true })))
}

/// `DELETE /transfers/{id}`
pub(super) async fn cancel(caller: Caller, Path(id): Path<String>) -> Result<StatusCode, TicketingError> {
    end(&caller, &id, "Cancelled")?;
    Ok(StatusCode::NO_CONTENT)
}

fn end(caller: &Caller, id: &str, how: &'static str) -> Result<(), TicketingError> {
    let now = caller.app.now_s();
    let claimed = how == "Claimed";
    let id = {
        let mut world = caller.app.ticketing.world();
        let at = position(&world, id)?;
        let Transfer { id, sender, recipient, status, serials, .. } = world.transfers[at].clone();
        if caller.acts_for(if claimed { recipient } else { sender }).is_err() {
            let words = "Only a transfer's recipient can claim a transfer, and its sender can cancel it.";
            return Err(TicketingError::error(StatusCode::FORBIDDEN, words));
        }
        if status != "Pending" {
            return Err(TicketingError::conflict("This transfer is no longer pending."));
        }
        world.transfers[at].status = how;
        set(&mut world, &serials, "Issued", claimed.then_some(recipient), now);
        id
    };
    note(caller, &how.to_lowercase(), id)
}

/// `GET /accounts/{number}/transfers`
pub(super) async fn list(
    caller: Caller,
    Path(number): Path<String>,
    Query(query): Query<Parameters>,
) -> Result<Response, TicketingError> {
    let world = caller.app.ticketing.world();
    let account = world.account(&number).ok_or_else(TicketingError::no_resource)?;
    caller.acts_for(account)?;
    let role = query.get("role").map(String::as_str);
    let listed = |one: &&Transfer| {
        let is_role = match role {
            Some("sender") => one.sender == account,
            Some("recipient") => one.recipient == account,
            _ => one.sender == account || one.recipient == account,
        };
        is_role && query.get("status").is_none_or(|wanted| wanted.eq_ignore_ascii_case(one.status))
    };
    let all: Vec<_> =
        world.transfers.iter().filter(listed).filter_map(|one| to_json(one, &world, &caller)).collect();
    page(&all, &query, &caller.choices)
}

/// `POST /lookups`
pub(super) async fn look_up(caller: Caller, body: Bytes) -> Result<Response, TicketingError> {
    let body = object(&body)?;
    let [identification] = texts(&body, ["identification"])?;
    let world = caller.app.ticketing.world();
    let is_it = |one: &&Account| one.name == identification || one.number == identification;
    let found = world.accounts.iter().find(is_it).ok_or_else(TicketingError::no_resource)?;
    Ok((StatusCode::CREATED, Json(found.to_json())).into_response())
}

fn position(world: &World, id: &str) -> Result<usize, TicketingError> {
    let found = world.transfers.iter().position(|one| one.id.to_string() == id);
    found.ok_or_else(TicketingError::no_resource)
}

fn to_json(transfer: &Transfer, world: &World, caller: &Caller) -> Option<Value> {
    let mut counts: BTreeMap<(u64, u64), u32> = BTreeMap::new();
    for ticket in world.tickets.iter().filter(|ticket| transfer.serials.contains(&ticket.serial)) {
        *counts.entry((ticket.event, ticket.section)).or_default() += 1;
    }
    let item = |((event, section), quantity)| json!({ "event": event_uri(event), "section": section_uri(event, section), "quantity": quantity });
    Some(json!({
        "self": format!("/transfers/{}", transfer.id),
        "status": status(transfer.status, &caller.choices),
        "initiated": date(transfer.initiated, &caller.choices),
        "tickets": counts.into_iter().map(item).collect::<Vec<_>>(),
        "claims": format!("/transfers/{}/claims", transfer.id),
        "sender": world.accounts.get(transfer.sender)?.uri(),
        "recipient": world.accounts.get(transfer.recipient)?.uri(),
    }))
}

fn note(caller: &Caller, what: &str, id: u64) -> Result<(), TicketingError> {
    let (name, kind) = (caller.name(), format!("ticketing.transfer.{what}"));
    let noted =
        |db: &rusqlite::Transaction<'_>| journal::record(db, &name, &kind, &id.to_string(), None, &json!({}));
    caller.app.db.write(noted).map_err(TicketingError::from)
}
