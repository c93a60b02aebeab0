//! Renewing the lease of credentials.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use rusqlite::Connection;
use serde_json::Value;
use ticket_wallet::Statement;
use ticket_wallet::barcode::{Credential, Purpose};

use super::binding::Binding;
use super::fields::{binary, refused, time};
use super::ticket::Ticket;
use super::write::{Call, Reply, write};
use crate::app::App;
use crate::problem::Problem;

/// `POST /credentials/{ticket_id}/renew`
pub(super) async fn renew(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| renew_one(call, db, &id, &call.json()?).map(Reply::Json)).await
}

/// `POST /credentials/renew`, with an array.
pub(super) async fn renew_many(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    write(&app, &tenant, request, |call, db| match call.json()? {
        Value::Array(items) => call.each(&items, |id, item| renew_one(call, db, id, item)),
        _ => Err(Problem::malformed("the body is not an array")),
    })
    .await
}

/// The lease may be over: only the generation must be the current one.
fn renew_one(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Value, Problem> {
    let statement = Statement {
        purpose: Purpose::Renew,
        credential: binary(item, "credential")?,
        at: time(item, "at")?,
        idempotency_key: call.key.clone(),
        signature: binary(item, "signature")?,
    };
    let ticket = Ticket::eligible(call, db, id)?;
    let binding = Binding::held(call, db, &ticket)?;
    check_credential(call, &statement.credential, &ticket, &binding)?;
    call.issuer.check_statement(statement, call.now).map_err(refused)?;
    let binding = binding.signed(call, &ticket)?;
    binding.save(call, db, &ticket)?;
    call.record(db, "credential.renew", ticket.id, binding.detail())?;
    Ok(binding.to_json(&ticket))
}

fn check_credential(
    call: &Call<'_>,
    credential: &[u8],
    ticket: &Ticket,
    binding: &Binding,
) -> Result<(), Problem> {
    let invalid = |reason: String| Problem::invalid_field("credential", reason);
    let credential = Credential::from_bytes(credential).map_err(|error| invalid(error.to_string()))?;
    let fields = credential.fields();
    if call.tenant.provider.ticket(&ticket.id.to_string()) != Ok(fields.ticket) {
        return Err(invalid("this is the credential of another ticket".to_owned()));
    }
    if fields.generation != binding.generation {
        return Err(Problem::new(StatusCode::CONFLICT, "superseded", "A newer credential took its place"));
    }
    Ok(())
}
