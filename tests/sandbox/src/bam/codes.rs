//! Where codes of tickets are read: the holder one by one, the organizer all of an event with the key that checks them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::code::{EventKey, picture};
use super::desk::EventReader;
use super::fields::{Body, Fields, unreadable};
use super::session::signed_in;
use crate::app::App;
use crate::extension::GatePlace;

/// `POST /t/{tenant}/event/v1/ticket/{id}/qrcode`: for SECURE tickets that are issued or activated.
pub(super) async fn qr_code(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?.id;
    let id: i64 = id.parse().map_err(|_| BamError::bad_parameter("id"))?;
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    fields.choice("action", &["trx"])?;
    fields.choice("fcn", &["ticket.invalidate"])?;
    let found = app.db.read(|db| {
        let sql = "SELECT ticket_config.event_id, blockchain_id,
                format = 'SECURE' AND status IN ('issued', 'activated')
            FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            WHERE ticket.tenant = ?1 AND ticket.id = ?2 AND owner_id = ?3";
        db.query_row(sql, (&tenant, id, owner), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
    })?;
    let (event, ledger_id, has_code): (i64, String, bool) =
        found.ok_or_else(|| BamError::not_found("Ticket"))?;
    if !has_code {
        let words = "Only SECURE tickets that can be used have a code";
        return Err(BamError::new(StatusCode::CONFLICT, "NO_QR_CODE", words));
    }
    let text = EventKey::of(app.config.seed, &tenant, event)?.code(&ledger_id);
    app.give_out(&text);
    Ok(Json(json!({"data": {"code": picture(&text)?}})))
}

/// `GET /t/{tenant}/event/v1/organizer/{organizer}/event/{id}/public_key`
pub(super) async fn public_key(
    EventReader(desk): EventReader,
    State(app): State<Arc<App>>,
) -> Result<Json<Value>, BamError> {
    let event = app.db.read(|db| desk.event(db))?;
    let key = EventKey::of(app.config.seed, &desk.tenant, event)?;
    Ok(Json(json!({"data": {"public_key": key.public_pem()}})))
}

/// The key that checks the codes of an event, PEM.
pub(crate) fn event_key(app: &App, place: &GatePlace) -> std::io::Result<String> {
    Ok(EventKey::of(app.config.seed, &place.tenant, place.event)?.public_pem())
}

/// `GET /t/{tenant}/event/v1/organizer/{organizer}/event/{id}/qr_codes`: the event's ticket configs, each with its
/// tickets that can still be used.
pub(super) async fn qr_codes(
    EventReader(desk): EventReader,
    State(app): State<Arc<App>>,
) -> Result<Json<Value>, BamError> {
    app.db.read(|db| {
        let event = desk.event(db)?;
        let key = EventKey::of(app.config.seed, &desk.tenant, event)?;
        let mut tickets = usable(&app, db, &desk.tenant, event, &key)?;
        let sql = "SELECT id, body FROM ticket_config WHERE tenant = ?1 AND event_id = ?2 ORDER BY id";
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map((&desk.tenant, event), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let configs = rows.collect::<rusqlite::Result<Vec<(i64, String)>>>()?;
        let with_tickets = |(id, body): (i64, String)| {
            let mut config: Value = serde_json::from_str(&body).unwrap_or_default();
            if let Some(members) = config.as_object_mut() {
                ["event", "ticket_type", "ticket_discount", "promo_section", "depends_on"]
                    .iter()
                    .for_each(|relation| drop(members.shift_remove(*relation)));
            }
            config["ticket"] = json!(tickets.remove(&id).unwrap_or_default());
            config
        };
        Ok(Json(json!({"data": configs.into_iter().map(with_tickets).collect::<Vec<_>>()})))
    })
}

/// An event's tickets that can still be used with their codes, by ticket config.
fn usable(
    app: &App,
    db: &Connection,
    tenant: &str,
    event: i64,
    key: &EventKey,
) -> rusqlite::Result<BTreeMap<i64, Vec<Value>>> {
    let mut statement = db.prepare_cached(
        "SELECT ticket_config_id, ticket.id, seq_num, status, format, updated_at, blockchain_id FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            WHERE ticket.tenant = ?1 AND event_id = ?2 AND status IN ('issued', 'activated')
            ORDER BY ticket.id",
    )?;
    let rows = statement.query_map((tenant, event), |row| {
        let code = key.code(&row.get::<_, String>(6)?);
        app.give_out(&code);
        let id: i64 = row.get(1)?;
        let ticket = json!({
            "id": id,
            "seq_num": row.get::<_, i64>(2)?,
            "status": row.get::<_, String>(3)?,
            "format": row.get::<_, String>(4)?,
            "updated_at": row.get::<_, String>(5)?,
            "ticket_qr_code": {"content": code, "ticket_id": id},
        });
        Ok((row.get::<_, i64>(0)?, ticket))
    })?;
    let mut tickets = BTreeMap::<i64, Vec<Value>>::new();
    for row in rows {
        let (config, ticket) = row?;
        tickets.entry(config).or_default().push(ticket);
    }
    Ok(tickets)
}
