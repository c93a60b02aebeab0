//! Access tokens: JWT (RFC 7519) signed with HMAC-SHA-256.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::hmac;
use serde::{Deserialize, Serialize};

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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) enrollment_id: Option<String>,
    pub(super) enrolled: bool,
    #[serde(rename = "type")]
    pub(super) kind: String,
    /// By organizer's name: classes of permissions, each with what is permitted.
    pub(super) permissions: BTreeMap<String, BTreeMap<String, Vec<String>>>,
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
        Claims {
            exp: 1060,
            iat: 1000,
            username: "mira@example.org".to_owned(),
            verified: true,
            id: 1,
            device_id: None,
            enrollment_id: None,
            enrolled: false,
            kind: "registered".to_owned(),
            permissions: BTreeMap::new(),
        }
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
