//! The partner API: what a brand's own systems do, and what an app does with a user's access token to that user's
//! tickets. Its paths are switches, so requests find their way here at run time.

mod category;
mod input;
mod ticket;

use std::sync::Arc;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::caller::Site;
use super::choices::ListForm;
use super::error::UnidyError;
use super::list::{Page, Parameters};
use super::oauth::Bearer;
use super::pages;
use crate::app::App;

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Tickets,
    Ticket(&'a str),
    Categories,
    Category(&'a str),
}

/// Everything below a brand that no other route takes: the partner API, and the pages for people.
pub(super) async fn dispatch(State(app): State<Arc<App>>, request: Request) -> Result<Response, UnidyError> {
    let (mut parts, body) = request.into_parts();
    let site = Site::from_request_parts(&mut parts, &app).await?;
    let path = path(&parts, &site);
    match place(&site, &path) {
        Some(place) => api(&app, place, parts, body).await,
        None if parts.method == Method::GET => pages::page(&site, &path),
        None => Err(UnidyError::not_found()),
    }
}

/// The path below the brand, without a slash at its start.
fn path(parts: &Parts, site: &Site) -> String {
    let whole = parts.uri.path();
    let below = whole.strip_prefix(&format!("/unidy/{}", site.brand.name)).unwrap_or(whole);
    below.trim_matches('/').to_owned()
}

/// What a path names under the switches.
fn place<'a>(site: &Site, path: &'a str) -> Option<Place<'a>> {
    let choices = &site.choices;
    let below = |base: &str| match base.trim_matches('/') {
        "" => Some(path),
        base => path.strip_prefix(base)?.strip_prefix('/'),
    };
    let rest = below(&choices.partner_prefix)?;
    let named = |name: &str| match rest.strip_prefix(name.trim_matches('/'))? {
        "" => Some(None),
        rest => rest.strip_prefix('/').filter(|id| !id.contains('/')).map(Some),
    };
    if let Some(id) = named(&choices.categories_path) {
        return Some(id.map_or(Place::Categories, Place::Category));
    }
    named(&choices.tickets_path).map(|id| id.map_or(Place::Tickets, Place::Ticket))
}

async fn api(app: &Arc<App>, place: Place<'_>, mut parts: Parts, body: Body) -> Result<Response, UnidyError> {
    let bearer = Bearer::from_request_parts(&mut parts, app).await?;
    let Query(query) = Query::<Parameters>::try_from_uri(&parts.uri).unwrap_or_default();
    let method = parts.method.clone();
    let body = Bytes::from_request(Request::from_parts(parts, body), app).await;
    let body = body.map_err(|_| UnidyError::unreadable())?;
    match (place, method) {
        (Place::Tickets, Method::GET) => ticket::list(&bearer, &query),
        (Place::Tickets, Method::POST) => ticket::create(&bearer, &body),
        (Place::Ticket(id), Method::GET) => ticket::get(&bearer, id),
        (Place::Ticket(id), verb) if bearer.site.choices.update.takes(&verb) => {
            ticket::update(&bearer, id, &body)
        }
        (Place::Ticket(id), Method::DELETE) => ticket::delete(&bearer, id),
        (Place::Categories, Method::GET) => category::list(&bearer, &query),
        (Place::Category(id), Method::GET) => category::get(&bearer, id),
        _ => Err(UnidyError::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")),
    }
}

/// A list in the form that is switched on; `path` is the switch that holds its name.
fn wrapped(site: &Site, path: &str, page: Page) -> Response {
    match site.choices.partner_list {
        ListForm::Results => Json(page).into_response(),
        ListForm::Bare => Json(page.results).into_response(),
        ListForm::Named => {
            let name = path.trim_matches('/').rsplit('/').next().unwrap_or_default();
            Json(Named { name, page }).into_response()
        }
    }
}

/// A list under a name of its own.
struct Named<'a> {
    name: &'a str,
    page: Page,
}

impl Serialize for Named<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map([(self.name, &self.page.results)])
    }
}

/// A header's value from a text; one that no header can hold is empty.
fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}

/// The names of members, for the journal.
fn names(members: &Map<String, Value>) -> Value {
    json!(members.keys().collect::<Vec<_>>())
}
