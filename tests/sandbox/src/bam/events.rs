//! Events of all tenants, at the root: everybody's list, the caller's own, and the categories.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use chrono::DateTime;
use rusqlite::Connection;
use serde_json::{Value, json};

use super::BamError;
use super::list::{Page, choice, flag};
use super::relations::{CATEGORY, EVENT, Known, Relations};
use super::session::{organizer_tenant, signed_in};
use crate::app::App;

type Parameters = HashMap<String, String>;

const SORTABLE: [&str; 4] = ["id", "name", "start_at", "end_at"];

/// An event with its ticket configs.
struct Event {
    tenant: String,
    body: Value,
}

impl Event {
    fn moment(&self, name: &str) -> i64 {
        let text = self.body[name].as_str().unwrap_or_default();
        DateTime::parse_from_rfc3339(text).map_or(0, |time| time.timestamp())
    }
}

/// `GET /v1/event`: needs no token.
pub(super) async fn all(
    State(app): State<Arc<App>>,
    Query(query): Query<Parameters>,
) -> Result<Json<Value>, BamError> {
    let (page, relations) = (Page::from_query(&query, app.config.page_limit)?, with(&query, EVENT)?);
    let mut events = app.db.read(|db| events(db, None))?;
    let organizer = match query.get("organizer_id") {
        None => None,
        Some(name) => Some(app.db.read(|db| organizer_tenant(db, &json!(name)))?.unwrap_or_default()),
    };
    let words = [query.get("q"), query.get("name")].map(|text| text.map(|text| text.to_lowercase()));
    let (from, to) = span(&query)?;
    let now_s = if flag(&query, "future_events")? { app.now_s() } else { i64::MIN };
    events.retain(|event| {
        let name = event.body["name"].as_str().unwrap_or_default().to_lowercase();
        let start = event.moment("start_at");
        organizer.as_ref().is_none_or(|tenant| *tenant == event.tenant)
            && words.iter().flatten().all(|words| name.contains(words.as_str()))
            && start >= from.max(now_s)
            && start <= to
    });
    let by = choice(&query, "sort_by", &SORTABLE)?.unwrap_or("start_at");
    events.sort_by_key(|event| (event.body[by].as_i64(), event.body[by].as_str().map(str::to_owned)));
    if choice(&query, "direction", &["asc", "desc"])? == Some("desc") {
        events.reverse();
    }
    let total = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let data: Vec<_> = page.of(events).map(|event| shown(&relations, event)).collect();
    Ok(Json(json!({"data": data, "paging": page.told(total)})))
}

fn shown(relations: &Relations, mut event: Event) -> Value {
    event.body["ticket_format"] = json!([{"id": 1, "name": "PDF"}, {"id": 2, "name": "SECURE"}]);
    event.body["occurrence"] = json!([]);
    relations.prune(&mut event.body, EVENT);
    event.body
}

/// `GET /v1/my_events`: those that the caller has SECURE tickets for.
pub(super) async fn mine(
    State(app): State<Arc<App>>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let owner = signed_in(&app, &headers)?;
    let date = choice(&query, "date", &["future", "past", "all"])?;
    let midnight = app.now_s() - app.now_s().rem_euclid(86_400);
    let mut events = app.db.read(|db| events(db, Some(owner.id)))?;
    events.retain(|event| match date {
        Some("future") => event.moment("end_at") >= midnight,
        Some("past") => event.moment("end_at") < midnight,
        _ => true,
    });
    let data: Vec<_> = events.into_iter().map(|event| event.body).collect();
    Ok(Json(json!({"data": data})))
}

/// `GET /v1/event/external`: the sandbox knows no other providers' events.
pub(super) async fn external() -> Json<Value> {
    Json(json!({"data": []}))
}

/// `GET /v1/category`
pub(super) async fn categories(Query(query): Query<Parameters>) -> Result<Json<Value>, BamError> {
    let relations = with(&query, CATEGORY)?;
    let mut data = json!([
        {"id": 1, "name": "Sport", "subcategory": [{"id": 1, "name": "Fußball"}, {"id": 2, "name": "Handball"}]},
        {"id": 2, "name": "Bühne", "subcategory": [{"id": 3, "name": "Theater"}]},
    ]);
    relations.prune(&mut data, CATEGORY);
    Ok(Json(json!({"data": data, "links": {}})))
}

fn with(query: &Parameters, known: &[Known]) -> Result<Relations, BamError> {
    let text = query.get("with").map_or("", String::as_str);
    Relations::parse(text, known).ok_or_else(|| BamError::bad_parameter("with"))
}

/// `start_at=FROM;TO`, as Unix seconds.
fn span(query: &Parameters) -> Result<(i64, i64), BamError> {
    let Some(text) = query.get("start_at") else { return Ok((i64::MIN, i64::MAX)) };
    let moment = |text: &str| DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp());
    let span = text.split_once(';').and_then(|(from, to)| moment(from).zip(moment(to)));
    span.ok_or_else(|| BamError::bad_parameter("start_at"))
}

/// Events with their ticket configs: all, or those that somebody has SECURE tickets for; then the configs tell how many.
fn events(db: &Connection, owner: Option<i64>) -> rusqlite::Result<Vec<Event>> {
    let mut statement = db.prepare_cached(
        "SELECT ticket_config.tenant, event_id, body, organizer.title,
                (SELECT count(*) FROM ticket WHERE ticket.tenant = ticket_config.tenant
                    AND ticket_config_id = ticket_config.id AND owner_id = ?1 AND format = 'SECURE') AS holds
            FROM ticket_config JOIN organizer ON organizer.tenant = ticket_config.tenant
            WHERE ?1 IS NULL OR holds > 0 ORDER BY organizer.id, event_id, ticket_config.id",
    )?;
    let mut rows = statement.query([owner])?;
    let mut events: Vec<(i64, Event)> = Vec::new();
    while let Some(row) = rows.next()? {
        let (tenant, id): (String, i64) = (row.get(0)?, row.get(1)?);
        let mut config: Value = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
        let mut body = config["event"].take();
        if let Some(members) = config.as_object_mut() {
            members.shift_remove("event");
        }
        if owner.is_some() {
            config["user_holds"] = json!(row.get::<_, i64>(4)?);
        }
        if !events.last().is_some_and(|(last, event)| *last == id && event.tenant == tenant) {
            body["organizer"] = json!({"name": row.get::<_, String>(3)?, "organization_name": &tenant});
            body["ticket_config"] = json!([]);
            events.push((id, Event { tenant, body }));
        }
        let configs = events.last_mut().and_then(|(_, event)| event.body["ticket_config"].as_array_mut());
        configs.into_iter().for_each(|configs| configs.push(config.take()));
    }
    Ok(events.into_iter().map(|(_, event)| event).collect())
}
