//! Signing in as a guest, as a service, and with a third party's token.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::BamError;
use super::fields::{Body, Fields, unreadable};
use super::session::{Account, organizer_tenant, refused, signed_in};
use crate::app::App;
use crate::season::external_token;

const THIRD_PARTIES: [&str; 3] = ["google", "facebook", "apple"];

/// `POST /account/v1/guest/login`: a new guest each time, whose token cannot be refreshed.
pub(super) async fn guest(State(app): State<Arc<App>>, body: Body<Value>) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    Fields::of_body(&body, false)?;
    app.db.write(|db| {
        let token = Account::create(db, "guest", None)?.token(&app, None)?;
        Ok(Json(json!({"data": {"token": token}})))
    })
}

/// `POST /account/v1/auth/service`: a token alone, which acts for the organizer.
pub(super) async fn service(State(app): State<Arc<App>>, body: Body<Value>) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, app.bam_choices().string_ids)?;
    let (name, password) = (fields.text("name")?, fields.text("password")?);
    let organizer = Value::from(fields.id("org_id")?);
    app.db.read(|db| {
        let tenant = organizer_tenant(db, &organizer)?.ok_or_else(|| BamError::not_found("Organizer"))?;
        let condition = "name = ?1 || '@' || ?2 AND password = ?3 AND kind = 'service'";
        let account = Account::find(db, condition, &[&name, &tenant, &password])?
            .ok_or_else(|| refused("INVALID_CREDENTIALS", "Invalid name or password"))?;
        Ok(Json(json!({"data": {"token": account.token(&app, Some(&tenant))?}})))
    })
}

/// `POST /account/v1/auth/external`: the third parties all give the same token.
pub(super) async fn external(
    State(app): State<Arc<App>>,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    fields.choice("third_party", &THIRD_PARTIES)?;
    let token = fields.text("token")?;
    let user = app.holders.iter().find(|user| external_token(app.config.seed, &user.name) == token);
    let user = user.ok_or_else(|| refused("INVALID_CREDENTIALS", "Invalid token"))?;
    app.db.write(|db| {
        let account = Account::find(db, "name = ?1", &[&user.name])?.ok_or_else(BamError::unauthorized)?;
        Ok(Json(account.open_session(&app, db, None)?))
    })
}

/// `POST /account/v1/auth/impersonate`: for administrators only, and the sandbox has none.
pub(super) async fn impersonate(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    signed_in(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    Fields::of_body(&body, app.bam_choices().string_ids)?.id("user_id")?;
    Err(BamError::forbidden())
}
