//! The pages for people, as small as can be: a user's tickets, the staff's, and the description of the API.

use axum::response::{Html, IntoResponse, Response};

use super::caller::Site;
use super::error::UnidyError;
use super::oauth::page;

/// The page at a path below the brand.
pub(super) fn page(site: &Site, path: &str) -> Result<Response, UnidyError> {
    let (title, words) = match path {
        "tickets" if site.choices.pages => ("Tickets", "Your tickets"),
        "dashboard/tickets" if site.choices.pages => ("Tickets", "All tickets of the brand"),
        "api-docs" => ("API", "The description of the API"),
        _ => return Err(UnidyError::not_found()),
    };
    let body = format!("<h1>{title}</h1><p>{words} ({})</p>", page::escape(&site.brand.name));
    Ok(Html(page::page(title, &body)).into_response())
}
