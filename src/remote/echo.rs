//! What a server gives as an error's code and is none: a password or a token shall not get into errors and logs.

use serde_json::Value;
use url::form_urlencoded;

use super::http::Request;

/// Shorter parts are in many texts by chance.
const SHORTEST: usize = 8;

/// Whether a code is made of words and small numbers, and of nothing that the request told.
pub(super) fn may_be_told(request: &Request<'_>, code: &str) -> bool {
    code.split(['-', '_', '.', ':', '/']).all(is_word_or_number) && !sends(request, code)
}

/// Tokens that are not told from codes by their characters are told by their length: `OAUTH2` is a word, and
/// `4f1d0e2c9b7a` is none.
fn is_word_or_number(part: &str) -> bool {
    let letters = part.bytes().filter(u8::is_ascii_alphabetic).count();
    let longest = match part.len() - letters {
        0 => 40,
        _ if letters == 0 => 10,
        _ => 7,
    };
    part.len() <= longest
}

/// Whether a text holds something of what a request sends, or is a part of it.
fn sends(request: &Request<'_>, text: &str) -> bool {
    let written = request.json.and_then(|json| serde_json::from_str(json).ok());
    let keys = request.bearer.as_deref().map(String::as_str).into_iter().chain(request.idempotency_key);
    let mut sent: Vec<&str> = keys.chain(request.headers.iter().map(|(_, value)| value.as_str())).collect();
    if let Some(body) = request.body.or(written.as_ref()) {
        texts(body, &mut sent);
    }
    let mut form = form_urlencoded::parse(request.form.unwrap_or_default().as_bytes());
    sent.into_iter().any(|sent| repeats(text, sent)) || form.any(|(_, value)| repeats(text, &value))
}

/// The strings in a JSON value.
fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|member| texts(member, found)),
        _ => {}
    }
}

/// Words such as `refresh_token` are in requests and in codes alike.
fn repeats(code: &str, sent: &str) -> bool {
    let is_word = sent.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let within = |part: &str, whole: &str| part.len() >= SHORTEST && whole.contains(part);
    code == sent || !is_word && (within(sent, code) || within(code, sent))
}

#[cfg(test)]
mod tests {
    use super::{is_word_or_number, repeats};

    #[test]
    fn secrets_are_seen_whole_and_in_part() {
        let token = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VyIjo3fQ.c2lnbmF0dXJl";
        for code in [token, &token[3..11], &format!("bad-{token}"), "hunter2"] {
            assert!(repeats(code, if code == "hunter2" { "hunter2" } else { token }), "{code}");
        }
    }

    #[test]
    fn words_are_told_from_tokens() {
        for code in ["TICKET_NOT_FOUND", "E1042", "OAUTH2", "1000042", "insufficient-scope", "https://x/no.2"]
        {
            assert!(code.split(['-', '_', '.', ':', '/']).all(is_word_or_number), "{code}");
        }
        for token in ["4f1d0e2c9b7a", "c2lnbmF0dXJl8", "12345678901", "a1b2c3d4", &"a".repeat(41)] {
            assert!(!is_word_or_number(token), "{token}");
        }
    }

    #[test]
    fn codes_that_are_words_of_the_request_stay() {
        for (code, sent) in [
            ("unsupported_grant_type", "authorization_code"),
            ("refresh_token_expired", "refresh_token"),
            ("TICKET_NOT_FOUND", "641f2828"),
            ("FORMAT_SECURE_UNKNOWN", "SECURE"),
            ("invalid", "invalid@example.org"),
            ("4711", "00047110"),
        ] {
            assert!(!repeats(code, sent), "{code}");
        }
    }
}
