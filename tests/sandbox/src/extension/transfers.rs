//! Sending a ticket to somebody else, and taking it back while that one has not answered.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::binding::Binding;
use super::fields::text;
use super::surrender::Signed;
use super::ticket::Ticket;
use super::transfer::{CANCELLED, PENDING, Place, Transfer};
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

/// `GET /transfers`: those the user sent, the newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let place = Place { tenant: &served(&app, &tenant)?.0.name, now: app.now_s() };
    let sender = user(&app, &headers)?;
    let transfers = app.db.read(|db| Transfer::all(db, &place, sender))?;
    Ok(Json(json!({"items": transfers.iter().map(Transfer::to_json).collect::<Vec<_>>()})))
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

/// A ticket that a device holds must be surrendered with it; one that none holds has nothing to surrender.
fn create_one(call: &Call<'_>, db: &Connection, item: &Value) -> Result<Value, Problem> {
    let recipient = text(item, "recipient")?.trim();
    if recipient.is_empty() {
        return Err(Problem::invalid_field("recipient", "somebody must be named here"));
    }
    let signed = item.get("surrender").filter(|signed| !signed.is_null()).map(Signed::read).transpose()?;
    let ticket = Ticket::eligible(call, db, ticket_id(item)?)?;
    Transfer::refuse_pending(call, db, &ticket)?;
    let surrendered = surrender(call, db, &ticket, signed)?;
    let transfer = Transfer::create(call, db, &ticket, recipient)?;
    let detail = json!({"transfer_id": transfer.id.to_string(), "recipient": recipient,
        "surrendered": surrendered});
    call.record(db, "transfer.create", ticket.id, detail)?;
    Ok(transfer.to_json())
}

/// Ends the ticket's binding, if there is one; tells its generation.
fn surrender(
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
    if transfer.state != PENDING {
        let ended = Problem::new(StatusCode::CONFLICT, "transfer-ended", "The transfer has ended");
        return Err(ended.with("state", transfer.state));
    }
    transfer.set_state(db, CANCELLED)?;
    call.record(db, "transfer.cancel", transfer.ticket_id, json!({"transfer_id": transfer.id.to_string()}))?;
    Ok(transfer.to_json())
}
