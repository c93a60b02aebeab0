//! What an access token says of its session, to show: a JWT (RFC 7519) is read and not verified, for the server alone
//! has the key.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

/// The claims that are shown; any other may be something that no screen should show.
const SHOWN: [&str; 11] = [
    "exp",
    "iat",
    "username",
    "verified",
    "id",
    "device_id",
    "enrollment_id",
    "enrolled",
    "type",
    "impersonated_by",
    "permissions",
];
/// The longest token that is read.
const MAX_TOKEN: usize = 64 << 10;
/// The longest text of a claim that is shown, in characters.
const MAX_VALUE: usize = 1_000;
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The documented claims of an access token with their values: texts as they are, anything else as JSON, cut after a
/// thousand characters. Nothing of what is no JWT.
pub fn claims(token: &str) -> Vec<(String, String)> {
    let Some(body) = body(token) else { return Vec::new() };
    let shown = SHOWN.into_iter().filter_map(|name| Some((name.to_owned(), shown(body.get(name)?))));
    shown.collect()
}

/// How many organizers an access token permits something for, by its documented claim `permissions`, an object by
/// organizer's name. What stands within is not documented: only an empty one permits nothing. `None` where the token tells
/// nothing of it.
pub fn permitted_organizers(token: &str) -> Option<usize> {
    let body = body(token)?;
    let is_empty = |permitted: &Value| match permitted {
        Value::Null | Value::Bool(false) => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    let permissions = body.get("permissions")?.as_object()?;
    Some(permissions.values().filter(|permitted| !is_empty(permitted)).count())
}

fn body(token: &str) -> Option<Map<String, Value>> {
    if token.len() > MAX_TOKEN {
        return None;
    }
    let mut parts = token.split('.');
    let (_header, body, _signature, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next())
    else {
        return None;
    };
    serde_json::from_slice(&BASE64URL.decode(body).ok()?).ok()
}

fn shown(value: &Value) -> String {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    text.chars().filter(|c| !c.is_control()).take(MAX_VALUE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::json;

    fn token(body: &Value) -> String {
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "HS256" })), part(body))
    }

    #[test]
    fn permissions_are_counted_by_organizer_where_they_are_told() {
        for (body, expected) in [
            (
                json!({ "permissions": { "org1": ["ticket.reserve"], "org2": { "ticket": ["issue"] } } }),
                Some(2),
            ),
            (json!({ "permissions": { "org1": [], "org2": {}, "org3": null, "org4": false } }), Some(0)),
            (json!({ "permissions": {} }), Some(0)),
            (json!({ "permissions": null }), None),
            (json!({ "permissions": "all" }), None),
            (json!({ "exp": 1 }), None),
        ] {
            assert_eq!(permitted_organizers(&token(&body)), expected, "{body}");
        }
        assert_eq!(permitted_organizers("opaque"), None);
    }

    #[test]
    fn documented_claims_are_shown_and_no_other() {
        let body = json!({
            "secret": "s", "permissions": { "org1": ["ticket.reserve"] }, "exp": 1_795_222_800, "iat": null,
            "username": "mira@example.org", "verified": true, "id": 7, "type": "registered", "jti": "x",
        });
        let shown = claims(&token(&body));
        let shown: Vec<_> = shown.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            shown,
            [
                ("exp", "1795222800"),
                ("iat", "null"),
                ("username", "mira@example.org"),
                ("verified", "true"),
                ("id", "7"),
                ("type", "registered"),
                ("permissions", r#"{"org1":["ticket.reserve"]}"#),
            ]
        );
    }

    #[test]
    fn values_are_bounded_and_without_control_characters() {
        let body = json!({ "username": format!("a\u{1b}[31m\n{}", "x".repeat(5_000)), "type": "guest" });
        let shown = claims(&token(&body));
        assert_eq!(shown[0].1.len(), MAX_VALUE);
        assert!(shown[0].1.starts_with("a[31mxxx"));
        assert_eq!(claims(&token(&json!({ "username": "x".repeat(MAX_TOKEN) }))), []);
        // Padded Base64 of some servers.
        let padded = format!("{}.{}.x", "e30", STANDARD.encode(r#"{"id":12}"#));
        assert_eq!(claims(&padded), [("id".to_owned(), "12".to_owned())]);
    }

    #[test]
    fn what_is_no_jwt_says_nothing() {
        for text in ["", "a", "a.b", "a.b.c", "a.b.c.d", "..", "e30.W10.x", "opaque-token-0123456789"] {
            assert_eq!(claims(text), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_token_is_too_odd(text in "[a-zA-Z0-9._=-]{0,60}", id: u64) {
            let _ = claims(&text);
            let token = token(&json!({ "id": id, "note": text }));
            prop_assert_eq!(claims(&token), [("id".to_owned(), id.to_string())]);
        }
    }
}
