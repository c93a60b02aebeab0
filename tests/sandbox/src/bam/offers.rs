//! `GET /t/{tenant}/orderbook/v1/offer/mine`: tickets that the caller offers to others.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use rusqlite::Row;
use serde_json::{Value, json};

use super::BamError;
use super::session::signed_in;
use crate::app::App;

/// The handler.
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
                    ticket_config_id
                FROM offer
                JOIN ticket ON ticket.tenant = offer.tenant AND ticket.id = ticket_id
                JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
                WHERE offer.tenant = ?1 AND owner_id = ?2 ORDER BY offer.id",
        )?;
        let offers = statement.query_map((&tenant, owner.id), offer)?.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(Json(json!({"data": offers})))
    })
}

fn offer(row: &Row<'_>) -> rusqlite::Result<Value> {
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
        "type": row.get::<_, String>(1)?,
        "price": row.get::<_, f64>(2)?,
        "currency": "EUR",
        "organizer": row.get::<_, String>(3)?,
        "buyer_id": null,
        "valid_until": row.get::<_, i64>(4)?,
        "seq_num": row.get::<_, i64>(5)?,
        "event_id": row.get::<_, i64>(6)?,
        "ticket_config_id": row.get::<_, i64>(7)?,
    }))
}
