//! Organizers, the way from an event to its tenant, and who an enrollment is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::BamError;
use super::session::{Account, organizer_tenant, signed_in};
use crate::app::App;

/// `GET /account/v1/organizer/{id}`, which takes the organizer's name, too: `organization_name` is the tenant.
pub(super) async fn organizer(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    signed_in(&app, &headers)?;
    let body = app.db.read(|db| {
        let tenant = organizer_tenant(db, &Value::from(id.as_str()))?;
        if tenant.is_none() && id.parse::<i64>().is_err() {
            return Err(BamError::bad_parameter("id"));
        }
        let found =
            db.query_row("SELECT id, tenant, title FROM organizer WHERE tenant = ?1", [tenant], |row| {
                Ok(json!({
                    "id": row.get::<_, i64>(0)?,
                    "organization_name": row.get::<_, String>(1)?,
                    "name": row.get::<_, String>(2)?,
                }))
            });
        found.optional()?.ok_or_else(|| BamError::not_found("Organizer"))
    })?;
    Ok(Json(json!({"data": body})))
}

/// `GET /account/v1/user/enrollment/{id}`: anybody may ask.
pub(super) async fn enrollment(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, BamError> {
    let account = app.db.read(|db| Account::find(db, "enrollment_id = ?1", &[&id]))?;
    let account = account.ok_or_else(|| BamError::not_found("Enrollment"))?;
    Ok(Json(json!({"data": {
        "id": account.id,
        "username": account.name,
        "picture_url": null,
        "enrollment_id": account.enrollment_id,
    }})))
}
