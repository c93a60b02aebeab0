//! Small HTML pages.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

/// A text that stands in HTML as it is.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// A page.
pub(crate) fn page(title: &str, body: &str) -> String {
    let title = escape(title);
    format!(
        "<!doctype html>\n<html><head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>{body}</body></html>\n"
    )
}

/// A page that says one thing.
pub(super) fn message(status: StatusCode, words: &str) -> Response {
    let body = format!("<p>{}</p>", escape(words));
    (status, Html(page("Unidy", &body))).into_response()
}

/// A page to sign in at; it comes back to its own address.
pub(super) fn sign_in(status: StatusCode, hint: &str, words: &str) -> Response {
    let body = format!(
        "<h1>Sign in</h1><p>{}</p><form method=\"post\">\
        <input name=\"email\" type=\"email\" value=\"{}\"><input name=\"password\" type=\"password\">\
        <button name=\"decision\" value=\"allow\">Allow</button>\
        <button name=\"decision\" value=\"deny\">Deny</button></form>",
        escape(words),
        escape(hint)
    );
    (status, Html(page("Sign in", &body))).into_response()
}

/// A page that posts an answer to an app by itself (OAuth 2.0 Form Post Response Mode).
pub(super) fn form_post(address: &str, answer: &[(&str, String)]) -> String {
    let input = |(name, value): &(&str, String)| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
    };
    let inputs: String = answer.iter().map(input).collect();
    let form = format!("<form method=\"post\" action=\"{}\">{inputs}</form>", escape(address));
    page("Back to the app", &format!("{form}<script>document.forms[0].submit()</script>"))
}
