//! The organizer's writes: reserving tickets for a user, freeing and issuing them. None takes an idempotency key: a
//! reservation that is repeated is done again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::choices::{BamChoices, IdsForm, IdsKey, ReserveReply};
use super::desk::{AtItsPlace, Desk, known_event};
use super::fields::{Body, Fields, unreadable};
use super::issuing;
use super::reply::written;
use super::session::Account;
use super::stock::{Taker, Wanted, give_back, with_ids};
use super::ticket::Shape;
use crate::app::App;

/// The formats of tickets that are issued by hand.
pub(super) const FORMATS: [&str; 2] = ["PDF", "SECURE"];

/// `POST ticket/reserve`
pub(super) async fn reserve(
    _: AtItsPlace,
    desk: Desk,
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Response, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let choices = app.bam_choices();
    let fields = Fields::of_body(&body, choices.string_ids)?;
    let tickets = app.db.write(|db| reserve_all(&app, db, &desk, &fields))?;
    let reply = match choices.reserve_reply {
        ReserveReply::Data => json!({"data": tickets}),
        ReserveReply::DataTickets => json!({"data": {"tickets": tickets}}),
        ReserveReply::Tickets => json!({"tickets": tickets}),
        ReserveReply::List => tickets.into(),
    };
    Ok(Json(reply).into_response())
}

fn reserve_all(app: &App, db: &Connection, desk: &Desk, fields: &Fields<'_>) -> Result<Vec<Value>, BamError> {
    let (event_id, enrollment_id) = (fields.id("event_id")?, fields.text("owner_id")?);
    let format = fields.choice("format", &FORMATS)?;
    let items = fields.objects("ticket_reservation_items")?;
    let wanted = items.iter().map(Wanted::read).collect::<Result<Vec<_>, _>>()?;
    known_event(db, &desk.tenant, event_id)?;
    let owner = Account::find(db, "enrollment_id = ?1", &[&enrollment_id])?;
    let owner_id = owner.ok_or_else(|| BamError::not_found("Enrollment"))?.id;
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
    }
    let mut tickets = Vec::new();
    for wanted in &wanted {
        for id in wanted.take(db, &taker)? {
            let detail = json!({"event_id": event_id, "owner_id": enrollment_id, "format": format,
                "ticket_config_id": wanted.ticket_config_id});
            desk.record(db, "ticket.reserve", id, detail)?;
            tickets.push(shown(db, &desk.tenant, id)?);
        }
    }
    Ok(tickets)
}

/// `POST ticket/free`: all of the tickets or none.
pub(super) async fn free(
    _: AtItsPlace,
    desk: Desk,
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Response, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let choices = app.bam_choices();
    let ids = ids(&choices, &body)?;
    let tickets = app.db.write(|db| {
        ids.iter().try_for_each(|id| must_be_reserved(db, &desk.tenant, *id))?;
        for id in &ids {
            give_back(db, &desk.tenant, *id, app.now_s())?;
            desk.record(db, "ticket.free", *id, json!({}))?;
        }
        all_shown(db, &desk.tenant, &ids)
    })?;
    Ok(written(&choices, tickets))
}

/// `POST ticket/issue`: all of the tickets or none.
pub(super) async fn issue(
    _: AtItsPlace,
    desk: Desk,
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Response, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let choices = app.bam_choices();
    let ids = ids(&choices, &body)?;
    let tickets = app.db.write(|db| {
        ids.iter().try_for_each(|id| must_be_reserved(db, &desk.tenant, *id))?;
        for id in &ids {
            issuing::begin(db, &choices, &desk.tenant, *id, app.now_s())?;
            desk.record(db, "ticket.issue", *id, json!({}))?;
        }
        all_shown(db, &desk.tenant, &ids)
    })?;
    Ok(written(&choices, tickets))
}

fn ids(choices: &BamChoices, body: &Value) -> Result<Vec<i64>, BamError> {
    let key = match choices.ids_key {
        IdsKey::Ids => "ids",
        IdsKey::TicketIds => "ticket_ids",
        IdsKey::Tickets => "tickets",
    };
    match choices.ids_form {
        IdsForm::Member => Fields::of_body(body, choices.string_ids)?.ids(key),
        IdsForm::List => {
            let all = json!({ key: body.is_array().then_some(body) });
            Fields::of_body(&all, choices.string_ids)?.ids(key)
        }
        IdsForm::Objects => {
            let objects = Fields::of_body(body, choices.string_ids)?.objects(key)?;
            objects.iter().map(|object| object.id("id")).collect()
        }
        IdsForm::Single => Ok(vec![Fields::of_body(body, choices.string_ids)?.id(key)?]),
    }
}

/// 404 for an unknown ticket, 409 for one that is not reserved, or is being issued.
fn must_be_reserved(db: &Connection, tenant: &str, id: i64) -> Result<(), BamError> {
    let sql = "SELECT status = 'reserved' AND by_organizer FROM ticket WHERE tenant = ?1 AND id = ?2";
    let reserved: Option<bool> = db.query_row(sql, (tenant, id), |row| row.get(0)).optional()?;
    if reserved.ok_or_else(|| BamError::not_found("Ticket"))? && !issuing::is_pending(db, tenant, id)? {
        return Ok(());
    }
    let words = format!("Ticket {id} is not reserved");
    Err(BamError::new(StatusCode::CONFLICT, "TICKET_NOT_RESERVED", words))
}

fn all_shown(db: &Connection, tenant: &str, ids: &[i64]) -> Result<Vec<Value>, BamError> {
    Ok(ids.iter().map(|id| shown(db, tenant, *id)).collect::<rusqlite::Result<_>>()?)
}

/// A ticket as the organizer's writes tell it.
fn shown(db: &Connection, tenant: &str, id: i64) -> rusqlite::Result<Value> {
    let ticket = Shape::plain().find_any(db, tenant, id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    with_ids(db, tenant, ticket)
}
