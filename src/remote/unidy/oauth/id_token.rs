//! ID tokens: what OpenID Connect Core 1.0 asks of who takes one (sections 3.1.3.7 and 3.2.2.11).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use super::jwks::{Algorithm, Jwks};
use crate::model::IdTokenFault;

/// How far the server's clock and this one may be apart, in seconds.
const LEEWAY_S: i64 = 60;
const MAX_BYTES: usize = 64 << 10;

/// What a token must be.
#[derive(Clone, Copy)]
pub struct Expected<'a> {
    /// The server that was asked.
    pub issuer: &'a str,
    /// The app that asked.
    pub client_id: &'a str,
    /// What it must bring back; `None` where nothing was sent.
    pub nonce: Option<&'a str>,
    /// The access token that came with it.
    pub access_token: Option<&'a str>,
    /// Whether it came through the browser: then nothing but its signature vouches for it.
    pub through_browser: bool,
    /// Unix seconds.
    pub now: i64,
}

/// What a token says that passed.
#[derive(Clone, PartialEq, Eq)]
pub struct IdClaims {
    /// The server's id of the person.
    pub subject: String,
    /// Their e-mail address, where it was asked for.
    pub email: Option<String>,
    /// The server's id of the session.
    pub session_id: Option<String>,
    /// When it ends, Unix seconds.
    pub expires_at: i64,
}

opaque_debug!(Expected<'_>, IdClaims);

/// A token that was taken apart, and of which nothing is checked yet.
pub struct IdToken<'a> {
    /// How it is signed.
    pub algorithm: Algorithm,
    /// Which key it says it is signed with.
    pub key_id: Option<String>,
    signed: &'a str,
    signature: Vec<u8>,
    claims: Value,
}

opaque_debug!(IdToken<'_>);

impl<'a> IdToken<'a> {
    /// Takes a token apart.
    ///
    /// # Errors
    /// [`IdTokenFault::Form`], [`IdTokenFault::Algorithm`].
    pub fn read(token: &'a str) -> Result<Self, IdTokenFault> {
        if token.len() > MAX_BYTES {
            return Err(IdTokenFault::Form);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(IdTokenFault::Form)?;
        let (header, claims) = signed.split_once('.').ok_or(IdTokenFault::Form)?;
        let (header, claims) = (object(header)?, object(claims)?);
        let signature = BASE64URL.decode(signature).map_err(|_| IdTokenFault::Form)?;
        // What must be understood and is not is refused (RFC 7515, section 4.1.11).
        if header.get("crit").is_some() {
            return Err(IdTokenFault::Algorithm);
        }
        let algorithm = header.get("alg").and_then(Value::as_str).and_then(Algorithm::from_text);
        let key_id = header.get("kid").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { algorithm: algorithm.ok_or(IdTokenFault::Algorithm)?, key_id, signed, signature, claims })
    }

    /// Checks it. Without keys the signature of a token that came straight from the server is not: the connection vouches
    /// for it.
    ///
    /// # Errors
    /// [`IdTokenFault`], the first that is found.
    pub fn check(&self, keys: Option<&Jwks>, expected: Expected<'_>) -> Result<IdClaims, IdTokenFault> {
        self.check_signature(keys, expected.through_browser)?;
        if self.text("iss") != Some(expected.issuer) {
            return Err(IdTokenFault::Issuer);
        }
        if !self.is_for(expected.client_id) {
            return Err(IdTokenFault::Audience);
        }
        let expires_at = self.time("exp").ok_or(IdTokenFault::Expired)?;
        if expires_at.saturating_add(LEEWAY_S) <= expected.now {
            return Err(IdTokenFault::Expired);
        }
        if self.text("nonce") != expected.nonce && expected.nonce.is_some() {
            return Err(IdTokenFault::Nonce);
        }
        if !self.goes_with(expected) {
            return Err(IdTokenFault::AccessToken);
        }
        let subject = self.text("sub").filter(|subject| !subject.is_empty()).ok_or(IdTokenFault::Subject)?;
        Ok(IdClaims {
            subject: subject.to_owned(),
            email: self.text("email").map(str::to_owned),
            session_id: self.text("sid").map(str::to_owned),
            expires_at,
        })
    }

    fn check_signature(&self, keys: Option<&Jwks>, through_browser: bool) -> Result<(), IdTokenFault> {
        let Some(keys) = keys else {
            return if through_browser { Err(IdTokenFault::Key) } else { Ok(()) };
        };
        let id = self.key_id.as_deref();
        if !keys.has(self.algorithm, id) {
            return Err(IdTokenFault::Key);
        }
        let verified = keys.verifies(self.algorithm, id, self.signed.as_bytes(), &self.signature);
        if verified { Ok(()) } else { Err(IdTokenFault::Signature) }
    }

    /// The audience is the app, or a list with it in it; then, and wherever it stands, the authorised party is the app.
    fn is_for(&self, client_id: &str) -> bool {
        let (among, alone) = match self.claims.get("aud") {
            Some(Value::String(one)) => (one == client_id, true),
            Some(Value::Array(list)) => (list.iter().any(|one| one == client_id), list.len() == 1),
            _ => (false, true),
        };
        let party = self.claims.get("azp");
        among && party.map_or(alone, |party| party == client_id)
    }

    /// `at_hash`: half the hash of the access token. A token through the browser must have it.
    fn goes_with(&self, expected: Expected<'_>) -> bool {
        let Some(access) = expected.access_token else { return true };
        let half = &digest(&SHA256, access.as_bytes()).as_ref()[..16].to_vec();
        match self.text("at_hash") {
            Some(hash) => hash.trim_end_matches('=') == BASE64URL.encode(half),
            None => !expected.through_browser,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A number of seconds; a fraction is cut off.
    fn time(&self, name: &str) -> Option<i64> {
        let value = self.claims.get(name)?;
        let text = value.as_number()?.to_string();
        text.split('.').next()?.parse().ok()
    }
}

fn object(part: &str) -> Result<Value, IdTokenFault> {
    let bytes = BASE64URL.decode(part).map_err(|_| IdTokenFault::Form)?;
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| IdTokenFault::Form)?;
    if value.is_object() { Ok(value) } else { Err(IdTokenFault::Form) }
}

#[cfg(test)]
mod tests;
