//! Entity tags: a client that has a list already is told so (RFC 9110, sections 8.8.3 and 13.1.2).

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::reply::with_chosen_ids;
use crate::app::App;

/// A reply with a strong tag over its whole body; 304 without the body for who has it.
pub(super) fn tagged(app: &App, request: &HeaderMap, body: Value) -> Response {
    let body = with_chosen_ids(&app.bam_choices(), body).to_string();
    let tag = format!("\"{}\"", hex::encode(digest(&SHA256, body.as_bytes())));
    let mut reply = if is_known(request, &tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        ([content_type], body).into_response()
    };
    if let Ok(value) = HeaderValue::from_str(&tag) {
        reply.headers_mut().insert(header::ETAG, value);
    }
    reply
}

/// Tags in `If-None-Match` are compared weakly.
fn is_known(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}
