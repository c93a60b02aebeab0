//! Bodies, parameters and pages.

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::choices::TicketingChoices;
use super::error::TicketingError;

/// The parameters of a query.
pub(crate) type Parameters = HashMap<String, String>;

const DEFAULT_RECORDS: usize = 25;

/// One page of what there is.
pub(crate) fn page(
    all: &[Value],
    query: &Parameters,
    choices: &TicketingChoices,
) -> Result<Response, TicketingError> {
    let number = |name: &'static str, default: usize| match query.get(name) {
        None => Ok(default),
        Some(text) => text.parse().ok().filter(|number| *number > 0).ok_or(name),
    };
    let (page, records) = (number("page", 1), number("records", DEFAULT_RECORDS));
    let wrong: Vec<&str> =
        [page.as_ref().err(), records.as_ref().err()].into_iter().flatten().copied().collect();
    let (Ok(page), Ok(records)) = (page, records) else { return Err(TicketingError::invalid(&wrong)) };
    let records = records.min(choices.most_records.max(1));
    let from = (page - 1).saturating_mul(records).min(all.len());
    let entries = &all[from..from.saturating_add(records).min(all.len())];
    let is_not_found = if page == 1 { choices.empty_is_not_found } else { choices.beyond_is_not_found };
    if entries.is_empty() && is_not_found {
        return Err(TicketingError::no_resource());
    }
    let page = json!({ "total": all.len(), "page": page, "records": records, "entries": entries });
    Ok(Json(page).into_response())
}

/// A JSON object.
pub(crate) fn object(body: &Bytes) -> Result<Map<String, Value>, TicketingError> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(TicketingError::invalid(&["body"])),
    }
}

/// Members that must be texts with something in them; all that lack are told at once.
pub(crate) fn texts<'a, const N: usize>(
    body: &'a Map<String, Value>,
    names: [&'static str; N],
) -> Result<[&'a str; N], TicketingError> {
    let text = |name: &str| body.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let missing: Vec<_> = names.into_iter().filter(|name| text(name).is_none()).collect();
    if missing.is_empty() {
        Ok(names.map(|name| text(name).unwrap_or_default()))
    } else {
        Err(TicketingError::missing(&missing))
    }
}

/// A member that must be a list of texts, one at least.
pub(crate) fn list(body: &Map<String, Value>, name: &'static str) -> Result<Vec<String>, TicketingError> {
    let items = body.get(name).and_then(Value::as_array).filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| TicketingError::missing(&[name]))?;
    let texts: Option<Vec<_>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
    texts.ok_or_else(|| TicketingError::invalid(&[name]))
}

/// A member that must be quantities by the addresses of sections, one at least.
pub(crate) fn quantities(
    body: &Map<String, Value>,
    name: &'static str,
) -> Result<Vec<(String, u32)>, TicketingError> {
    let members = body.get(name).and_then(Value::as_object).filter(|members| !members.is_empty());
    let members = members.ok_or_else(|| TicketingError::missing(&[name]))?;
    let count = |(uri, count): (&String, &Value)| {
        let count = count.as_u64().and_then(|count| u32::try_from(count).ok()).filter(|count| *count > 0)?;
        Some((uri.clone(), count))
    };
    let counts: Option<Vec<_>> = members.iter().map(count).collect();
    counts.ok_or_else(|| TicketingError::invalid(&[name]))
}
