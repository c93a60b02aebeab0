//! `POST ticket/send-group`: tickets that go to owners by e-mail address, without a reservation before. The owners are
//! the sandbox's users.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::BamError;
use super::desk::{AtItsPlace, Desk, known_event};
use super::fields::{Body, Fields, unreadable};
use super::issuing;
use super::reserve::FORMATS;
use super::session::Account;
use super::stock::{Taker, Wanted, with_ids};
use crate::app::App;

/// The handler.
pub(super) async fn send_group(
    _: AtItsPlace,
    desk: Desk,
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, app.bam_choices().string_ids)?;
    let tickets = app.db.write(|db| send(&app, db, &desk, &fields))?;
    Ok(Json(json!({"data": {"tickets": tickets}})))
}

/// Every owner gets every item.
fn send(app: &App, db: &Connection, desk: &Desk, fields: &Fields<'_>) -> Result<Vec<Value>, BamError> {
    let (event_id, format) = (fields.id("event_id")?, fields.choice("format", &FORMATS)?);
    let items = fields.objects("send_ticket_items")?;
    let wanted = items.iter().map(Wanted::read).collect::<Result<Vec<_>, _>>()?;
    let emails = fields.texts("owner_emails")?;
    if emails.is_empty() {
        return Err(fields.invalid("owner_emails"));
    }
    known_event(db, &desk.tenant, event_id)?;
    let mut tickets = Vec::new();
    for email in emails {
        let owner = Account::find(db, "name = ?1", &[&email])?;
        let owner_id = owner.ok_or_else(|| BamError::not_found("User"))?.id;
        let now_s = app.now_s();
        let taker = Taker {
            tenant: &desk.tenant,
            event_id,
            owner_id,
            format,
            by_organizer: true,
            order_item_id: None,
            now_s,
        };
        for (wanted, item) in wanted.iter().zip(&items) {
            wanted.check(db, &taker, item)?;
            for id in wanted.take(db, &taker)? {
                issuing::begin(db, &app.bam_choices(), &desk.tenant, id, now_s)?;
                desk.record(db, "ticket.send", id, json!({"event_id": event_id, "owner": email}))?;
                tickets.push(sent(db, &desk.tenant, id)?);
            }
        }
    }
    Ok(tickets)
}

fn sent(db: &Connection, tenant: &str, id: i64) -> rusqlite::Result<Value> {
    let sql = "SELECT seq_num, seat_id FROM ticket WHERE tenant = ?1 AND id = ?2";
    let ticket = db.query_row(sql, (tenant, id), |row| {
        Ok(json!({
            "id": id,
            "seq_num": row.get::<_, i64>(0)?,
            "seat_id": row.get::<_, Option<String>>(1)?,
            "send_ticket_request_id": id,
        }))
    })?;
    with_ids(db, tenant, ticket)
}
