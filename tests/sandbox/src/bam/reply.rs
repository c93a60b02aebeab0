//! Replies in the shape that was chosen: ids as numbers or strings, the members of errors.

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, Response as HttpResponse, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::choices::{BamChoices, ErrorKey, WriteReply};
use crate::app::App;

/// Marks a reply as B.A.M's.
#[derive(Debug, Clone, Copy)]
pub(super) struct FromBam;

/// Marks a reply as B.A.M's.
pub(super) async fn mark(mut reply: Response) -> Response {
    reply.extensions_mut().insert(FromBam);
    reply
}

/// Gives a reply of B.A.M the shape that was chosen. What is not JSON stays as it is.
pub(crate) async fn reshape(app: &App, reply: Response) -> Response {
    let choices = app.bam_choices();
    let is_plain = !choices.string_ids && !choices.error_status && choices.error_key == ErrorKey::ErrorCode;
    let is_json = reply.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/json");
    if is_plain || !is_json || reply.extensions().get::<FromBam>().is_none() {
        return reply;
    }
    let (mut head, body) = reply.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(mut value) = serde_json::from_slice::<Value>(&bytes) else {
        return HttpResponse::from_parts(head, Body::from(bytes));
    };
    if head.status.is_success() {
        value = with_chosen_ids(&choices, value);
    } else {
        reshape_error(&choices, head.status, &mut value);
    }
    head.headers.remove(header::CONTENT_LENGTH);
    HttpResponse::from_parts(head, Body::from(value.to_string()))
}

fn reshape_error(choices: &BamChoices, status: StatusCode, error: &mut Value) {
    let Some(members) = error.as_object_mut() else { return };
    if choices.error_key == ErrorKey::Error
        && let Some(code) = members.shift_remove("errorCode")
    {
        members.insert("error".to_owned(), code);
    }
    if choices.error_status {
        members.insert("statusCode".to_owned(), json!(status.as_u16()));
    }
}

/// A body whose ids are numbers or strings, as was chosen.
pub(super) fn with_chosen_ids(choices: &BamChoices, mut body: Value) -> Value {
    if choices.string_ids {
        write_ids(&mut body);
    }
    body
}

fn write_ids(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_ids),
        Value::Object(members) => write_members(members),
        _ => {}
    }
}

fn write_members(members: &mut Map<String, Value>) {
    for (name, member) in members {
        if (name == "id" || name.ends_with("_id")) && member.is_i64() {
            *member = json!(member.to_string());
        } else {
            write_ids(member);
        }
    }
}

/// The answer to a write that changed these tickets.
pub(super) fn written(choices: &BamChoices, tickets: Vec<Value>) -> Response {
    match choices.write_reply {
        WriteReply::Data => Json(json!({"data": tickets})).into_response(),
        WriteReply::Empty => Json(json!({})).into_response(),
        WriteReply::NoContent => StatusCode::NO_CONTENT.into_response(),
    }
}

/// A JSON body with its type.
pub(super) fn typed_json(status: StatusCode, body: &Value) -> Response {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], body.to_string()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_strings_and_nothing_else_does() {
        let choices = BamChoices { string_ids: true, ..BamChoices::default() };
        let body = json!({"data": [{"id": 7, "seq_num": 8, "order": {"event_id": 9, "seat_id": null}}]});
        let strings =
            json!({"data": [{"id": "7", "seq_num": 8, "order": {"event_id": "9", "seat_id": null}}]});
        assert_eq!(with_chosen_ids(&choices, body.clone()), strings);
        assert_eq!(with_chosen_ids(&choices, strings.clone()), strings);
        assert_eq!(with_chosen_ids(&BamChoices::default(), body.clone()), body);
    }
}
