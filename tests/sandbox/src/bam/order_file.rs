//! `GET /t/{tenant}/event/v1/order/{id}/download_tickets`: an order's tickets as one file. PDF and PKPASS have one; SECURE
//! tickets are shown by wallets alone.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;

use super::BamError;
use super::code::EventKey;
use super::order_writes::not_paid;
use super::orders::Order;
use super::session::signed_in;
use super::{pass, pdf};
use crate::app::App;

/// A ticket as it is printed.
pub(super) struct Printed {
    pub(super) id: i64,
    pub(super) ledger_id: String,
    pub(super) organizer: String,
    pub(super) event: String,
    pub(super) starts_at: String,
    pub(super) config: String,
    pub(super) seat: Option<String>,
    /// The text of the code.
    pub(super) code: String,
}

/// The handler.
pub(super) async fn download(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, BamError> {
    let caller = signed_in(&app, &headers)?;
    app.db.read(|db| {
        let order = Order::find(db, &caller, &tenant, &id)?;
        if !order.is_paid() {
            return Err(not_paid());
        }
        let ids = order.ticket_ids(db)?;
        let tickets =
            ids.into_iter().map(|id| printed(&app, db, &tenant, id)).collect::<Result<Vec<_>, _>>()?;
        let (kind, name, file) = match order.format.as_str() {
            "PDF" => ("application/pdf", "tickets.pdf", pdf::document(&tickets)?),
            "PKPASS" => pass::file(&tickets)?,
            _ => {
                let words = "Only PDF and PKPASS tickets can be downloaded";
                return Err(BamError::new(StatusCode::CONFLICT, "NOT_DOWNLOADABLE", words));
            }
        };
        let disposition = format!("attachment; filename=\"{name}\"");
        let headers = [(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, disposition)];
        Ok((headers, file).into_response())
    })
}

fn printed(app: &App, db: &Connection, tenant: &str, id: i64) -> Result<Printed, BamError> {
    let sql = "SELECT ticket_config.event_id, blockchain_id, organizer.title, body ->> '$.event.name',
            body ->> '$.event.start_at', body ->> '$.name', seat_id
        FROM ticket
        JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
        JOIN organizer ON organizer.tenant = ticket.tenant
        WHERE ticket.tenant = ?1 AND ticket.id = ?2";
    let (event_id, mut ticket) = db.query_row(sql, (tenant, id), |row| {
        let ticket = Printed {
            id,
            ledger_id: row.get(1)?,
            organizer: row.get(2)?,
            event: row.get(3)?,
            starts_at: row.get(4)?,
            config: row.get(5)?,
            seat: row.get(6)?,
            code: String::new(),
        };
        Ok((row.get(0)?, ticket))
    })?;
    ticket.code = EventKey::of(app.config.seed, tenant, event_id)?.code(&ticket.ledger_id);
    app.give_out(&ticket.code);
    Ok(ticket)
}
