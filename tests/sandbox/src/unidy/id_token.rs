//! ID tokens (OpenID Connect Core 1.0, section 2).

use rusqlite::Connection;
use serde_json::{Value, json};

use super::caller::{Person, Site};
use super::error::UnidyError;

/// What an ID token is to say beside who the user is.
#[derive(Debug, Default)]
pub(crate) struct Asked<'a> {
    /// For whom it is: an OAuth client, or the brand's SDK.
    pub(crate) audience: &'a str,
    pub(crate) sid: Option<&'a str>,
    pub(crate) nonce: Option<&'a str>,
    /// When the user signed in, in Unix seconds.
    pub(crate) auth_time: i64,
    /// The access token that comes with it.
    pub(crate) access_token: Option<&'a str>,
    /// The authorization code that comes with it.
    pub(crate) code: Option<&'a str>,
}

/// Signs an ID token and notes that it counts.
pub(crate) fn issue(
    db: &Connection,
    site: &Site,
    user: &Person,
    asked: &Asked<'_>,
) -> Result<String, UnidyError> {
    let now_s = site.app.now_s();
    let expires_at = now_s.saturating_add(site.choices.id_token_life_s.into());
    let mut claims = json!({
        "iss": site.brand.url,
        "sub": user.unidy_id,
        "aud": asked.audience,
        "exp": expires_at,
        "iat": now_s,
        "auth_time": asked.auth_time,
        "email": user.email,
        "email_verified": true,
        // Tokens of the same second differ.
        "jti": hex::encode(crate::app::random::<8>()?),
    });
    let half_hash = |text: &str| {
        let hash = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        json!(super::encode(&hash.as_ref()[..16]))
    };
    let mut claim = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            claims[name] = value;
        }
    };
    claim("sid", asked.sid.map(|sid| json!(sid)));
    claim("nonce", asked.nonce.map(|nonce| json!(nonce)));
    claim("at_hash", asked.access_token.map(half_hash));
    claim("c_hash", asked.code.map(half_hash));
    let token = site.brand.keys.sign(site.choices.id_token_algorithm, &claims)?;
    db.prepare_cached(
        "INSERT INTO unidy_id_token (token, brand, user_id, sid, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute((&token, &site.brand.name, user.id, asked.sid, expires_at))?;
    site.app.give_out(&token);
    Ok(token)
}
