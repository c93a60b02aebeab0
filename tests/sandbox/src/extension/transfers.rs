//! Sending a ticket to somebody else, and taking it back while that one has not answered.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};
use ticket_wallet::barcode::DeviceKey;

use super::binding::Binding;
use super::fields::{binary, text};
use super::market::{Listing, bind_anew, hand_out, settle};
use super::surrender::Signed;
use super::ticket::Ticket;
use super::transfer::{ACCEPTED, CANCELLED, DECLINED, Place, Transfer};
use super::write::{Call, Reply, served, ticket_id, user, write};
use crate::app::App;
use crate::problem::Problem;

/// `POST /transfers`
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| create_one(call, db, &call.json()?).map(Reply::Json)).await
}

/// `GET /transfers`: those the user sent, or with `incoming` those to the user, the newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let place = Place { tenant: &served(&app, &tenant)?.0.name, now: app.now_s() };
    let asker = user(&app, &headers)?;
    let items = app.db.read(|db| match query.contains_key("incoming") {
        true => {
            let found = Transfer::incoming(db, &place, asker)?;
            found.iter().map(|transfer| transfer.to_recipients_json(db, &place)).collect()
        }
        false => Ok(Transfer::all(db, &place, asker)?.iter().map(Transfer::to_json).collect::<Vec<_>>()),
    });
    Ok(Json(json!({"items": items?})))
}

/// `GET /transfers/{transfer_id}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let place = Place { tenant: &served(&app, &tenant)?.0.name, now: app.now_s() };
    let sender = user(&app, &headers)?;
    app.db.read(|db| Transfer::find(db, &place, sender, &id)).map(|transfer| Json(transfer.to_json()))
}

/// `POST /transfers/{transfer_id}/cancel`; the body has no meaning.
pub(super) async fn cancel(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| cancel_one(call, db, &id).map(Reply::Json)).await
}

/// `POST /transfers/{transfer_id}/accept`
pub(super) async fn accept(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| accept_one(call, db, &id, &call.json()?).map(Reply::Json)).await
}

/// `POST /transfers/{transfer_id}/decline`; the body has no meaning.
pub(super) async fn decline(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| {
        let place = Place { tenant: &call.tenant.name, now: call.now };
        let mut transfer = Transfer::to_recipient(db, &place, call.user, &id)?;
        transfer.refuse_ended()?;
        transfer.set_state(db, DECLINED)?;
        call.record(db, "transfer.decline", transfer.ticket_id, json!({"transfer_id": id}))?;
        transfer.to_recipients_json(db, &place).map(Reply::Json)
    })
    .await
}

/// The ticket is the recipient's, bound to the device that accepts, one generation on. The same device that accepts again
/// is told the same.
fn accept_one(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Value, Problem> {
    let device_key = binary(item, "device_key")?;
    DeviceKey::from_x963(&device_key).map_err(|error| Problem::invalid_field("device_key", error))?;
    let place = Place { tenant: &call.tenant.name, now: call.now };
    let mut transfer = Transfer::to_recipient(db, &place, call.user, id)?;
    if !(transfer.state == ACCEPTED && holds(call, db, transfer.ticket_id, &device_key)?) {
        transfer.refuse_ended()?;
        transfer.accept(db, call.user, &place)?;
        let ticket = Ticket::eligible(call, db, &transfer.ticket_id.to_string())?;
        let generation = bind_anew(call, db, &ticket, device_key)?;
        let detail = json!({"transfer_id": id, "generation": generation});
        call.record(db, "transfer.accept", ticket.id, detail)?;
    }
    let mut json = json!({"transfer": transfer.to_recipients_json(db, &place)?});
    hand_out(call, db, call.user, transfer.ticket_id, &mut json)?;
    Ok(json)
}

/// Whether a device of the caller's holds a ticket.
fn holds(call: &Call<'_>, db: &Connection, ticket: i64, device_key: &[u8]) -> Result<bool, Problem> {
    let Ok(ticket) = Ticket::eligible(call, db, &ticket.to_string()) else { return Ok(false) };
    let binding = Binding::find(call, db, &ticket)?;
    Ok(binding.is_some_and(|binding| !binding.surrendered && binding.device_key == device_key))
}

/// A ticket that a device holds must be surrendered with it; one that none holds has nothing to surrender.
fn create_one(call: &Call<'_>, db: &Connection, item: &Value) -> Result<Value, Problem> {
    let recipient = text(item, "recipient")?.trim();
    if recipient.is_empty() {
        return Err(Problem::invalid_field("recipient", "somebody must be named here"));
    }
    let signed = signed(item)?;
    settle(call.app, db, &call.tenant.name)?;
    let ticket = Ticket::eligible(call, db, ticket_id(item)?)?;
    Transfer::refuse_pending(call, db, &ticket)?;
    Listing::refuse_open(call, db, &ticket)?;
    let surrendered = surrender(call, db, &ticket, signed)?;
    let transfer = Transfer::create(call, db, &ticket, recipient)?;
    let detail = json!({"transfer_id": transfer.id.to_string(), "recipient": recipient,
        "surrendered": surrendered});
    call.record(db, "transfer.create", ticket.id, detail)?;
    Ok(transfer.to_json())
}

/// The statement of a device that gives its ticket up, where there is one.
pub(super) fn signed(item: &Value) -> Result<Option<Signed>, Problem> {
    item.get("surrender").filter(|signed| !signed.is_null()).map(Signed::read).transpose()
}

/// Ends the ticket's binding, if there is one; tells its generation.
pub(super) fn surrender(
    call: &Call<'_>,
    db: &Connection,
    ticket: &Ticket,
    signed: Option<Signed>,
) -> Result<Option<u16>, Problem> {
    let held = Binding::find(call, db, ticket)?.filter(|binding| !binding.surrendered);
    match (held, signed) {
        (None, None) => Ok(None),
        (None, Some(_)) => Binding::held(call, db, ticket).map(|binding| Some(binding.generation)),
        (Some(_), None) => Err(Problem::invalid_field("surrender", "a device holds the ticket")),
        (Some(binding), Some(signed)) => Ok(Some(signed.give_up(call, db, ticket, binding)?.generation)),
    }
}

fn cancel_one(call: &Call<'_>, db: &Connection, id: &str) -> Result<Value, Problem> {
    let place = Place { tenant: &call.tenant.name, now: call.now };
    let mut transfer = Transfer::find(db, &place, call.user, id)?;
    transfer.refuse_ended()?;
    transfer.set_state(db, CANCELLED)?;
    call.record(db, "transfer.cancel", transfer.ticket_id, json!({"transfer_id": transfer.id.to_string()}))?;
    Ok(transfer.to_json())
}
