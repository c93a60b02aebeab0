//! The order book of a tenant, `/t/{tenant}/orderbook/v1/offer`: tickets that the caller offers to others.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use rusqlite::{OptionalExtension, Row};
use serde_json::{Value, json};

use super::BamError;
use super::session::signed_in;
use crate::app::App;
use crate::journal::Applied;

/// `GET …/mine`
pub(super) async fn mine(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    app.tenant(&tenant).ok_or_else(|| BamError::not_found("Tenant"))?;
    app.db.read(|db| {
        let mut statement = db.prepare_cached(
            "SELECT offer.id, kind, price, offer.tenant, valid_until, seq_num, ticket_config.event_id,
                    ticket_config_id, buyer_id
                FROM offer
                JOIN ticket ON ticket.tenant = offer.tenant AND ticket.id = ticket_id
                JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                WHERE offer.tenant = ?1 AND owner_id = ?2 AND valid_until > ?3 ORDER BY offer.id",
        )?;
        let now_ms = app.now_s() * 1000;
        let offers = statement.query_map((&tenant, owner.id, now_ms), offer)?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Json(json!({"data": offers})))
    })
}

/// `DELETE …/{id}`
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path((tenant, id)): Path<(String, i64)>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    app.db.write(|db| {
        let deleted: Option<i64> = db
            .query_row(
                "DELETE FROM offer WHERE tenant = ?1 AND id = ?2 AND valid_until > ?4
                    AND ticket_id IN (SELECT id FROM ticket WHERE tenant = ?1 AND owner_id = ?3)
                RETURNING ticket_id",
                (&tenant, id, owner.id, app.now_s() * 1000),
                |row| row.get(0),
            )
            .optional()?;
        let ticket_id = deleted.ok_or_else(|| BamError::not_found("Offer"))?;
        let (user_id, tenant) = (owner.id, tenant.as_str());
        let detail = json!({"offer_id": id});
        let kind = "offer.delete";
        Applied { user_id, kind, tenant, ticket_id, idempotency_key: None, detail }.record(db)?;
        Ok(Json(json!({"data": {}})))
    })
}

fn offer(row: &Row<'_>) -> rusqlite::Result<Value> {
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
        "type": row.get::<_, String>(1)?,
        "price": row.get::<_, f64>(2)?,
        "currency": "EUR",
        "organizer": row.get::<_, String>(3)?,
        "buyer_id": row.get::<_, Option<String>>(8)?,
        "valid_until": row.get::<_, i64>(4)?,
        "seq_num": row.get::<_, i64>(5)?,
        "event_id": row.get::<_, i64>(6)?,
        "ticket_config_id": row.get::<_, i64>(7)?,
    }))
}
