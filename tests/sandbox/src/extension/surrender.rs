//! Giving a ticket's binding up.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use rusqlite::Connection;
use serde_json::Value;
use ticket_wallet::Statement;
use ticket_wallet::barcode::Purpose;

use super::binding::Binding;
use super::fields::{binary, refused, time};
use super::ticket::Ticket;
use super::write::{Call, Reply, write};
use crate::app::App;
use crate::problem::Problem;

/// `POST /credentials/{ticket_id}/surrender`
pub(super) async fn surrender(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| surrender_one(call, db, &id, &call.json()?)).await
}

/// The statement is about the current credential, which only the server and the holding device know.
fn surrender_one(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Reply, Problem> {
    let (at, signature) = (time(item, "at")?, binary(item, "signature")?);
    let ticket = Ticket::eligible(call, db, id)?;
    let mut binding = Binding::held(call, db, &ticket)?;
    let statement = Statement {
        purpose: Purpose::Surrender,
        credential: binding.credential.clone(),
        at,
        idempotency_key: call.key.clone(),
        signature,
    };
    call.issuer.check_statement(statement, call.now).map_err(refused)?;
    binding.surrendered = true;
    binding.save(call, db, &ticket)?;
    Ok(Reply::Nothing)
}
