//! Tickets as files: a link that needs no credentials and expires, and the file behind it.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rusqlite::OptionalExtension;
use serde_json::{Value, json};

use super::body;
use super::caller::Holder;
use super::error::UnidyError;
use super::record::Record;
use super::{files, ticket};
use crate::app::{App, random};

/// Where files stand: not below a brand, as they would be on a host of their own.
pub(crate) const FILES: &str = "/unidy-files/";

/// `POST /api/sdk/v1/tickets/{id}/export_link`
pub(super) async fn link(
    holder: Holder,
    Path((_, id)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, UnidyError> {
    let site = &holder.site;
    let body = body::object(&body)?;
    let record = ticket::own(&site.app, &holder, &id)?.record()?;
    let format = body::text(&body, "format")?;
    let file = match format {
        "pdf" => files::pdf(&lines(&record)),
        "pkpass" if is_exportable(&record) => files::pass(&pass(&record, &site.brand.name))?,
        "pkpass" => return Err(UnidyError::forbidden("wallet_export_not_available")),
        _ => return Err(UnidyError::field("format", "is not included in the list")),
    };
    let token = super::encode(&random::<24>()?);
    let life_s = site.choices.export_life_s;
    site.app.db.write(|db| {
        db.execute(
            "INSERT INTO unidy_export (token, format, file, expires_at) VALUES (?1, ?2, ?3, ?4)",
            (&token, format, file, site.app.now_s().saturating_add(life_s.into())),
        )
    })?;
    site.app.give_out(&token);
    let url = format!("{}{FILES}{token}.{format}", site.app.unidy.root);
    Ok(Json(json!({"url": url, "expires_in": life_s})))
}

/// `GET /unidy-files/{name}`. As with other links that carry their own permission, credentials beside it are an error.
pub(super) async fn file(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) || headers.contains_key("x-id-token") {
        return (StatusCode::BAD_REQUEST, "This link takes no credentials\n").into_response();
    }
    let (token, extension) = name.split_once('.').unwrap_or((&name, ""));
    let found: rusqlite::Result<Option<(Vec<u8>, i64)>> = app.db.read(|db| {
        db.query_row(
            "SELECT file, expires_at FROM unidy_export WHERE token = ?1 AND format = ?2",
            (token, extension),
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()
    });
    match found {
        Ok(Some((file, expires_at))) if app.now_s() < expires_at => {
            let kind = match extension {
                "pdf" => "application/pdf",
                _ => "application/vnd.apple.pkpass",
            };
            ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], file).into_response()
        }
        Ok(Some(_)) => (StatusCode::FORBIDDEN, "The link has expired\n").into_response(),
        Ok(None) => (StatusCode::NOT_FOUND, "No such file\n").into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether a ticket can become a pass: it says so, or has a code for one.
fn is_exportable(record: &Record) -> bool {
    match record.value("exportable_to_wallet") {
        Value::Bool(exportable) => exportable,
        _ => record.value("wallet_export")["qr_code"].is_string(),
    }
}

/// What a printed ticket says.
fn lines(record: &Record) -> Vec<String> {
    let named = ["title", "reference", "venue", "seating", "starts_at"];
    named.iter().filter_map(|name| record.text(name)).collect()
}

/// What a pass says, in Apple's terms.
fn pass(record: &Record, brand: &str) -> Value {
    let text = |name: &str| record.text(name).unwrap_or_default();
    let code = record.value("wallet_export")["qr_code"].as_str().map(str::to_owned);
    json!({
        "formatVersion": 1,
        "passTypeIdentifier": format!("pass.org.example.{brand}"),
        "serialNumber": text("id"),
        "organizationName": brand,
        "description": text("title"),
        "relevantDate": text("starts_at"),
        "barcodes": [{
            "format": "PKBarcodeFormatQR",
            "message": code.unwrap_or_else(|| text("reference")),
            "messageEncoding": "utf-8",
        }],
        "eventTicket": {"primaryFields": [{"key": "event", "label": "Event", "value": text("title")}]},
    })
}
