//! Access tokens: JWT (RFC 7519) signed with HMAC-SHA-256.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::random;

const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// What a token says. Times are Unix seconds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) exp: i64,
    pub(super) iat: i64,
    pub(super) username: String,
    pub(super) verified: bool,
    pub(super) id: i64,
    pub(super) enrollment_id: String,
    pub(super) enrolled: bool,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) permissions: Value,
}

impl Claims {
    /// The claims of a registered user from `iat` for `life_s` seconds.
    pub(super) fn registered(
        id: i64,
        username: String,
        enrollment_id: String,
        iat: i64,
        life_s: u32,
    ) -> Self {
        Self {
            exp: iat.saturating_add(life_s.into()),
            iat,
            username,
            verified: true,
            id,
            enrollment_id,
            enrolled: true,
            kind: "registered".to_owned(),
            permissions: json!({"org": {}}),
        }
    }
}

/// The key that signs tokens; its `Debug` does not print it.
#[derive(Debug, Clone)]
pub(crate) struct TokenKey(hmac::Key);

impl TokenKey {
    /// A new random key.
    pub(crate) fn generate() -> std::io::Result<Self> {
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &random::<32>()?)))
    }

    /// Signs a token.
    pub(super) fn sign(&self, claims: &Claims) -> std::io::Result<String> {
        let body = serde_json::to_vec(claims)?;
        let signed = format!("{}.{}", BASE64.encode(HEADER), BASE64.encode(body));
        let signature = hmac::sign(&self.0, signed.as_bytes());
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }

    /// The claims of a token of this key that has not expired at `now`.
    pub(super) fn verify(&self, token: &str, now: i64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, body) = signed.split_once('.')?;
        let signature = BASE64.decode(signature).ok()?;
        hmac::verify(&self.0, signed.as_bytes(), &signature).ok()?;
        if BASE64.decode(header).ok()? != HEADER.as_bytes() {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&BASE64.decode(body).ok()?).ok()?;
        (now < claims.exp).then_some(claims)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn claims() -> Claims {
        Claims::registered(1, "mira@example.org".to_owned(), "e".to_owned(), 1000, 60)
    }

    #[test]
    fn token_counts_until_it_expires() {
        let key = TokenKey::generate().unwrap();
        let token = key.sign(&claims()).unwrap();
        assert_eq!(key.verify(&token, 1059).unwrap().username, "mira@example.org");
        assert!(key.verify(&token, 1060).is_none());
    }

    #[test]
    fn token_of_another_key_or_another_text_does_not_count() {
        let key = TokenKey::generate().unwrap();
        let token = key.sign(&claims()).unwrap();
        assert!(TokenKey::generate().unwrap().verify(&token, 1000).is_none());
        let (head, tail) = token.split_at(40);
        let other = if tail.starts_with('A') { 'B' } else { 'A' };
        assert!(key.verify(&format!("{head}{other}{}", &tail[1..]), 1000).is_none());
        assert!(key.verify("", 1000).is_none());
    }
}
