//! Organizers: the way from an event to its tenant.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::BamError;
use super::auth::signed_in;
use crate::app::App;

/// `GET /account/v1/organizer/{id}`: `organization_name` is the tenant.
pub(super) async fn organizer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    signed_in(&app, &headers)?;
    let id: i64 = id.parse().map_err(|_| BamError::bad_parameter("id"))?;
    let body = app.db.read(|db| {
        db.query_row("SELECT id, tenant, title FROM organizer WHERE id = ?1", [id], |row| {
            Ok(json!({
                "id": row.get::<_, i64>(0)?,
                "organization_name": row.get::<_, String>(1)?,
                "name": row.get::<_, String>(2)?,
            }))
        })
        .optional()
    })?;
    body.map(|data| Json(json!({"data": data}))).ok_or_else(|| BamError::not_found("Organizer"))
}
