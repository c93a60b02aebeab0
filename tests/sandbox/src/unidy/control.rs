//! The sandbox's own routes about Unidy, for tests that speak only HTTP.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, patch, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::access::{self, UnidyAccess, UnidyAccount};
use super::brand::UnidyMail;
use super::choices::UnidyChoices;
use super::error::UnidyError;
use super::oauth::client::{NewUnidyClient, UnidyClient};
use super::ticket;
use crate::app::App;

/// The routes.
pub(crate) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/sandbox/unidy", get(show))
        .route("/sandbox/unidy/choices", get(choices).put(set_choices))
        .route("/sandbox/unidy/mails", get(mails))
        .route("/sandbox/unidy/{brand}/accounts/{user}", put(set_account))
        .route("/sandbox/unidy/{brand}/clients", post(add_client))
        .route("/sandbox/unidy/{brand}/tickets/{id}", patch(edit_ticket).delete(remove_ticket))
}

async fn show(State(app): State<Arc<App>>) -> Result<Json<UnidyAccess>, UnidyError> {
    Ok(Json(access::access(&app)?))
}

async fn choices(State(app): State<Arc<App>>) -> Json<UnidyChoices> {
    Json(app.unidy.choices())
}

/// Members that are left out get their defaults.
async fn set_choices(State(app): State<Arc<App>>, Json(choices): Json<UnidyChoices>) -> StatusCode {
    app.unidy.set_choices(choices);
    StatusCode::NO_CONTENT
}

async fn mails(State(app): State<Arc<App>>) -> Json<Vec<UnidyMail>> {
    Json(app.unidy.mails())
}

#[derive(Deserialize)]
struct Account {
    state: UnidyAccount,
}

async fn set_account(
    State(app): State<Arc<App>>,
    Path((brand, user)): Path<(String, String)>,
    Json(account): Json<Account>,
) -> Result<StatusCode, UnidyError> {
    done(app.db.write(|db| access::set_account(db, &brand, &user, account.state))?)
}

async fn add_client(
    State(app): State<Arc<App>>,
    Path(brand): Path<String>,
    Json(new): Json<NewUnidyClient>,
) -> Result<Json<UnidyClient>, UnidyError> {
    Ok(Json(access::add_client(&app, &brand, new)?))
}

async fn edit_ticket(
    State(app): State<Arc<App>>,
    Path((brand, id)): Path<(String, String)>,
    Json(members): Json<Map<String, Value>>,
) -> Result<StatusCode, UnidyError> {
    done(access::edit_ticket(&app, &brand, &id, &members)?)
}

async fn remove_ticket(
    State(app): State<Arc<App>>,
    Path((brand, id)): Path<(String, String)>,
) -> Result<StatusCode, UnidyError> {
    done(app.db.write(|db| ticket::delete(db, &brand, &id))?)
}

/// 204, or 404 when there was nothing to do it to.
fn done(found: bool) -> Result<StatusCode, UnidyError> {
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(UnidyError::not_found()) }
}
