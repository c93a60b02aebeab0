//! Refusals and failures. What the server says in prose decides nothing but which of two kinds a 404 is, and is not kept.

use serde_json::{Value, json};

use super::super::unidy::raw::Members;
use crate::error::Error;
use crate::remote::bounds::MAX_ERROR_BYTES;
use crate::remote::{Http, Reply, Request};

/// 401: no key was sent, or user name and password were refused.
pub const UNAUTHENTICATED: &str = "unauthenticated";
/// 403: a key that is not valid, or that may not do this.
pub const RESTRICTED: &str = "restricted";
/// 404: the server has no such operation.
pub const UNKNOWN_ENDPOINT: &str = "unknown_endpoint";
/// 404: the server has the operation, and nothing of this id.
pub const UNKNOWN_RESOURCE: &str = "unknown_resource";

/// More of a payload than this is not described.
const MAX_SHAPE: usize = 64;

/// A reply as the error it is.
pub(super) fn refusal(reply: &Reply, request: &Request<'_>, http: &Http) -> Error {
    refused(reply, describe(request, http.header_names(request)))
}

/// The same, from what was described before the request was sent.
pub(super) fn refused(reply: &Reply, described: Value) -> Error {
    let Error::Status { endpoint, status, server_code, retry_after_ms } = reply.error() else {
        return reply.error();
    };
    match status {
        412 => return Error::UpgradeNeeded { endpoint },
        500 => return Error::ServerFault { endpoint, report: described.to_string(), retry_after_ms },
        _ => {}
    }
    let kind = match status {
        401 => Some(UNAUTHENTICATED),
        403 => Some(RESTRICTED),
        404 => kind_of_404(reply.bytes()),
        _ => None,
    };
    let server_code = kind.map(str::to_owned).or(server_code);
    Error::Status { endpoint, status, server_code, retry_after_ms }
}

/// Which 404 it is: by its words where they are the documented ones, else by the key under which they stand.
fn kind_of_404(body: &[u8]) -> Option<&'static str> {
    let body = std::str::from_utf8(body).ok().filter(|body| body.len() <= MAX_ERROR_BYTES)?;
    let members = Members::read(body)?;
    let (message, error) = (members.text("message"), members.text("error"));
    let words = message.as_deref().or(error.as_deref())?;
    if words.contains("endpoint") && words.contains("does not exist") {
        Some(UNKNOWN_ENDPOINT)
    } else if error.is_some() || words.contains("resource") {
        Some(UNKNOWN_RESOURCE)
    } else {
        Some(UNKNOWN_ENDPOINT)
    }
}

/// What the operator of a server needs to find a failure: endpoint, method, the names of the headers and of the query's
/// parameters, and the shape of the payload.
pub(super) fn describe(request: &Request<'_>, headers: Vec<String>) -> Value {
    let query: Vec<_> = request.url.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let path = request.endpoint.split_once(' ').map_or(request.endpoint, |(_, path)| path);
    json!({
        "method": request.method, "endpoint": path, "headers": headers, "query": query,
        "payload": request.body.map(shape),
    })
}

/// A JSON value with the names of types for its values. A member's name that is no plain word is a value too.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("boolean"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => items.iter().take(MAX_SHAPE).map(shape).collect(),
        Value::Object(members) => {
            let named = |(name, value): (&String, &Value)| {
                let plain = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
                (if plain { name.clone() } else { "*".to_owned() }, shape(value))
            };
            Value::Object(members.iter().take(MAX_SHAPE).map(named).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use url::Url;

    use super::*;

    #[test]
    fn the_two_404s_are_told_apart() {
        let endpoint = "The requested endpoint /invalid/endpoint does not exist on this server.";
        let resource = "There is presently no resource with the given URI.";
        for (body, kind) in [
            (json!({ "message": endpoint }), Some(UNKNOWN_ENDPOINT)),
            (json!({ "error": resource }), Some(UNKNOWN_RESOURCE)),
            (json!({ "error": endpoint }), Some(UNKNOWN_ENDPOINT)),
            (json!({ "message": resource }), Some(UNKNOWN_RESOURCE)),
            (json!({ "message": "Nichts da." }), Some(UNKNOWN_ENDPOINT)),
            (json!({ "error": "Nichts da." }), Some(UNKNOWN_RESOURCE)),
            (json!({ "error": 7 }), None),
            (json!({}), None),
            (json!([]), None),
        ] {
            assert_eq!(kind_of_404(body.to_string().as_bytes()), kind, "{body}");
        }
        assert_eq!(kind_of_404(b"<html>"), None);
        assert_eq!(kind_of_404(&[0xff; 4]), None);
    }

    #[test]
    fn a_report_has_the_names_and_no_value() {
        let url = Url::parse("https://api.example.org/v3/events/4711/tokens?page=7&records=8").unwrap();
        let body = json!({
            "sections": ["/events/4711/sections/1", 7, null, true], "tickets": { "/events/4711/sections/1": 2 },
        });
        let request = Request::post(url, "POST events/:event/tokens", &body);
        let report = describe(&request, vec!["X-API-Key".to_owned()]);
        let expected = json!({
            "method": "POST", "endpoint": "events/:event/tokens", "headers": ["X-API-Key"],
            "query": ["page", "records"],
            "payload": { "sections": ["string", "number", "null", "boolean"], "tickets": { "*": "number" } },
        });
        assert_eq!(report, expected);
    }

    proptest! {
        #[test]
        fn no_text_of_a_payload_is_told(secret in "[A-Z0-9]{8,32}", number in 10_000_i64..) {
            let body = json!({ "a": [&secret, { &secret: number }], "b": { "c": &secret } });
            let told = shape(&body).to_string();
            prop_assert!(!told.contains(&secret) && !told.contains(&number.to_string()));
        }
    }
}
