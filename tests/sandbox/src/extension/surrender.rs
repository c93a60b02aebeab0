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

fn surrender_one(call: &Call<'_>, db: &Connection, id: &str, item: &Value) -> Result<Reply, Problem> {
    let signed = Signed::read(item)?;
    let ticket = Ticket::eligible(call, db, id)?;
    let binding = signed.give_up(call, db, &ticket, Binding::held(call, db, &ticket)?)?;
    call.record(db, "credential.surrender", ticket.id, binding.detail())?;
    Ok(Reply::Nothing)
}

/// When a device stated that it gives its binding up, and its signature.
pub(super) struct Signed {
    at: u32,
    signature: Vec<u8>,
}

impl Signed {
    /// Reads `at` and `signature`.
    pub(super) fn read(item: &Value) -> Result<Self, Problem> {
        Ok(Self { at: time(item, "at")?, signature: binary(item, "signature")? })
    }

    /// Ends the binding. The statement is about the current credential, which only the server and the holding device
    /// know.
    pub(super) fn give_up(
        self,
        call: &Call<'_>,
        db: &Connection,
        ticket: &Ticket,
        mut binding: Binding,
    ) -> Result<Binding, Problem> {
        let statement = Statement {
            purpose: Purpose::Surrender,
            credential: binding.credential.clone(),
            at: self.at,
            idempotency_key: call.key.clone(),
            signature: self.signature,
        };
        call.issuer.check_statement(statement, call.now).map_err(refused)?;
        binding.refuse_last()?;
        binding.surrendered = true;
        binding.save(call, db, ticket)?;
        Ok(binding)
    }
}
