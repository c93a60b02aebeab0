//! Idempotency keys (draft-ietf-httpapi-idempotency-key-header-07): one write under one key is done once.

use std::collections::HashSet;
use std::sync::Mutex;

use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OptionalExtension};

use crate::app::{Claim, lock};
use crate::problem::Problem;

const HEADER: &str = "idempotency-key";

/// Reads the header: a Structured Field string (RFC 9651, section 3.3.3), without parameters.
pub(super) fn key(headers: &HeaderMap) -> Result<String, Problem> {
    let invalid = || {
        Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-required", "An Idempotency-Key is needed")
            .detail("Idempotency-Key must be a quoted string, for example a UUID in double quotes")
    };
    let mut values = headers.get_all(HEADER).iter();
    let value = values.next().and_then(|value| value.to_str().ok()).ok_or_else(invalid)?;
    let inner = value.trim().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let key = inner.and_then(unescape).filter(|key| !key.is_empty()).ok_or_else(invalid)?;
    if values.next().is_some() { Err(invalid()) } else { Ok(key) }
}

fn unescape(inner: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.push(chars.next().filter(|c| matches!(c, '"' | '\\'))?),
            '"' => return None,
            ' '..='~' => out.push(c),
            _ => return None,
        }
    }
    Some(out)
}

/// Holds a key while its first request is in progress.
#[derive(Debug)]
pub(super) struct Guard<'a> {
    claims: &'a Mutex<HashSet<Claim>>,
    claim: Claim,
}

impl<'a> Guard<'a> {
    /// Takes the key.
    pub(super) fn take(claims: &'a Mutex<HashSet<Claim>>, claim: Claim) -> Result<Self, Problem> {
        if lock(claims).insert(claim.clone()) {
            return Ok(Self { claims, claim });
        }
        Err(Problem::new(StatusCode::CONFLICT, "in-progress", "A request with this key is in progress"))
    }
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        lock(self.claims).remove(&self.claim);
    }
}

/// What a key stands for: two requests are the same when these bytes are.
pub(super) fn fingerprint(method: &Method, uri: &Uri, body: &[u8]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    let query = uri.query().unwrap_or_default();
    for part in [method.as_str().as_bytes(), uri.path().as_bytes(), query.as_bytes()] {
        context.update(part);
        context.update(b"\0");
    }
    context.update(body);
    context.finish().as_ref().to_vec()
}

/// A reply that can be given again byte for byte.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) status: StatusCode,
    /// Empty for a reply without a body.
    pub(super) content_type: String,
    pub(super) body: Vec<u8>,
}

impl Stored {
    /// Finds the reply that was given under a key.
    pub(super) fn find(
        db: &Connection,
        (user, key): &Claim,
        fingerprint: &[u8],
    ) -> Result<Option<Self>, Problem> {
        let found = db
            .query_row(
                "SELECT fingerprint, status, content_type, body FROM reply
                    WHERE user_id = ?1 AND idempotency_key = ?2",
                (user, key),
                |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, u16>(1)?, row.get(2)?, row.get(3)?)),
            )
            .optional()?;
        let Some((first, status, content_type, body)) = found else { return Ok(None) };
        if first != fingerprint {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return Err(Problem::new(status, "key-reused", "The key was used for another request"));
        }
        let status = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
        Ok(Some(Self { status, content_type, body }))
    }

    /// Keeps the reply.
    pub(super) fn save(
        &self,
        db: &Connection,
        (user, key): &Claim,
        fingerprint: &[u8],
    ) -> Result<(), Problem> {
        db.execute(
            "INSERT INTO reply (user_id, idempotency_key, fingerprint, status, content_type, body)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            (user, key, fingerprint, self.status.as_u16(), &self.content_type, &self.body),
        )?;
        Ok(())
    }
}

impl IntoResponse for Stored {
    fn into_response(self) -> Response {
        if self.content_type.is_empty() {
            return self.status.into_response();
        }
        (self.status, [(header::CONTENT_TYPE, self.content_type)], self.body).into_response()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use axum::http::HeaderValue;

    use super::*;

    fn read(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        key(&headers).ok()
    }

    #[test]
    fn keys_are_structured_field_strings() {
        assert_eq!(read(r#""8e03978e-40d5""#).as_deref(), Some("8e03978e-40d5"));
        assert_eq!(read(r#""a\"b\\c""#).as_deref(), Some(r#"a"b\c"#));
        for bad in ["8e03978e", "", "\"", "\"\"", r#""a"b""#, r#""a\b""#, r#""a";p=1"#, "\"ä\"", "'a'"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_key_is_held_once_and_given_back() {
        let claims = Mutex::default();
        let first = Guard::take(&claims, (1, "k".to_owned())).unwrap();
        assert!(Guard::take(&claims, (1, "k".to_owned())).is_err());
        assert!(Guard::take(&claims, (2, "k".to_owned())).is_ok());
        drop(first);
        assert!(Guard::take(&claims, (1, "k".to_owned())).is_ok());
    }
}
