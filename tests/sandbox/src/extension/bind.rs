//! Binding tickets to a device.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rusqlite::Connection;
use serde_json::Value;
use ticket_wallet::barcode::DeviceKey;

use super::binding::Binding;
use super::fields::binary;
use super::market::{Listing, settle};
use super::ticket::Ticket;
use super::transfer::Transfer;
use super::write::{Call, Reply, ticket_id, write};
use crate::app::App;
use crate::problem::Problem;

/// `POST /credentials`, with one object or an array.
pub(super) async fn bind(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| {
        settle(call.app, db, &call.tenant.name)?;
        match call.json()? {
            Value::Array(items) => call.each(&items, |id, item| bind_one(call, db, id, item)),
            item if item.is_object() => bind_one(call, db, ticket_id(&item)?, &item).map(Reply::Json),
            _ => Err(Problem::malformed("the body is neither an object nor an array")),
        }
    })
    .await
}

fn bind_one(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Value, Problem> {
    let device_key = binary(item, "device_key")?;
    DeviceKey::from_x963(&device_key).map_err(|error| Problem::invalid_field("device_key", error))?;
    let ticket = Ticket::eligible(call, db, id)?;
    Transfer::refuse_pending(call, db, &ticket)?;
    Listing::refuse_hidden(call, db, &ticket)?;
    let found = Binding::find(call, db, &ticket)?;
    let mut binding = found.unwrap_or_else(|| Binding::none(call.app.config.moves));
    let mut kind = "credential.bind";
    if !binding.surrendered {
        if binding.device_key == device_key {
            return Ok(binding.to_json(&ticket));
        }
        binding.moves_left = spend_move(call, &binding)?;
        kind = "credential.move";
    }
    let binding = binding.next(call, db, &ticket, device_key)?;
    binding.save(call, db, &ticket)?;
    call.record(db, kind, ticket.id, binding.detail())?;
    Ok(binding.to_json(&ticket))
}

/// How many moves are left after one that was asked for.
fn spend_move(call: &Call<'_>, binding: &Binding) -> Result<u16, Problem> {
    let left = binding.moves_left.checked_sub(1).filter(|_| call.moving);
    left.ok_or_else(|| {
        Problem::new(StatusCode::CONFLICT, "bound-elsewhere", "Another device holds the ticket")
            .with("moves_left", binding.moves_left)
    })
}
