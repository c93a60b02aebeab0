//! Signing in with a wallet's key: the server gives a nonce, whose text the key signs (ECDSA over P-256 and SHA-256, DER
//! in hexadecimal).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::fields::{Body, Fields, unreadable};
use super::session::{Account, refused};
use crate::app::{App, random};

/// `POST /account/v1/auth/challenge`
pub(super) async fn challenge(
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    let (client_nonce, enrollment_id) = (fields.text("client_nonce")?, fields.text("enrollment_id")?);
    app.db.write(|db| {
        let condition = "enrollment_id = ?1 AND id IN (SELECT user_id FROM certificate)";
        let account = Account::find(db, condition, &[&enrollment_id])?.ok_or_else(|| bad("Not enrolled"))?;
        let nonce = hex::encode(random::<16>()?);
        db.execute(
            "INSERT INTO challenge (nonce, client_nonce, user_id) VALUES (?1, ?2, ?3)",
            (&nonce, client_nonce, account.id),
        )?;
        Ok(Json(json!({"data": {"nonce": nonce}})))
    })
}

/// `POST /account/v1/auth/wallet`: a nonce counts once.
pub(super) async fn sign_in(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    let device = headers.get("x-device-id").and_then(|value| value.to_str().ok());
    let device = device.ok_or_else(|| bad("x-device-id is missing"))?;
    let (client_nonce, nonce) = (fields.text("client_nonce")?, fields.text("nonce")?);
    let signature = hex::decode(fields.text("signed_nonce")?).map_err(|_| fields.invalid("signed_nonce"))?;
    app.db.write(|db| {
        let (user, key) = challenged(db, client_nonce, nonce)?;
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key);
        key.verify(nonce.as_bytes(), &signature)
            .map_err(|_| refused("INVALID_SIGNATURE", "Invalid signature"))?;
        let mut account = Account::find(db, "id = ?1", &[&user])?.ok_or_else(BamError::unauthorized)?;
        account.device_id = Some(device.to_owned());
        let organizer =
            fields.given("organizer_id").map(|wanted| account.organizer(db, wanted)).transpose()?;
        Ok(Json(account.open_session(&app, db, organizer.as_deref())?))
    })
}

/// Whose challenge this is, and the key that must have signed it.
fn challenged(db: &Connection, client_nonce: &str, nonce: &str) -> Result<(i64, Vec<u8>), BamError> {
    let sql = "DELETE FROM challenge WHERE nonce = ?1 AND client_nonce = ?2 RETURNING user_id,
        (SELECT public_key FROM certificate WHERE certificate.user_id = challenge.user_id)";
    let found = db.query_row(sql, (nonce, client_nonce), |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    found.ok_or_else(|| bad("Unknown nonce"))
}

fn bad(message: &str) -> BamError {
    BamError::new(StatusCode::BAD_REQUEST, "BAD_REQUEST", message)
}
