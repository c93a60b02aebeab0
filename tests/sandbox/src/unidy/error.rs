//! Errors as Unidy writes them.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::choices::ErrorForm;
use crate::app::App;

/// An error: a name for programs, and which fields are at fault.
#[derive(Debug, Clone)]
pub(crate) struct UnidyError {
    status: StatusCode,
    identifier: String,
    fields: Vec<(String, String)>,
    in_body: bool,
    meta: Option<Box<Value>>,
}

impl UnidyError {
    /// An error with a name.
    pub(crate) fn new(status: StatusCode, identifier: &str) -> Self {
        let identifier = identifier.to_owned();
        Self { status, identifier, fields: Vec::new(), in_body: false, meta: None }
    }

    /// 401: no credentials, or ones that do not count (any more).
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized")
    }

    /// 403.
    pub(crate) fn forbidden(identifier: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, identifier)
    }

    /// 404.
    pub(crate) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found")
    }

    /// 422.
    pub(crate) fn refused(identifier: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, identifier)
    }

    /// 422: parameters of the query that hold what they must not, each with words about it.
    pub(crate) fn parameters(fields: Vec<(String, String)>) -> Self {
        Self { fields, ..Self::refused("schema_validation_error") }
    }

    /// 422: fields of the body that hold what they must not, each with words about it.
    pub(crate) fn fields(fields: Vec<(String, String)>) -> Self {
        Self { in_body: true, ..Self::parameters(fields) }
    }

    /// 422: one field of the body.
    pub(crate) fn field(name: &str, words: &str) -> Self {
        Self::fields(vec![(name.to_owned(), words.to_owned())])
    }

    /// 400: the body is no JSON object.
    pub(crate) fn unreadable() -> Self {
        Self { status: StatusCode::BAD_REQUEST, ..Self::field("base", "is not a JSON object") }
    }

    /// 500: the sandbox failed.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error")
    }

    /// Adds more about it.
    pub(crate) fn with_meta(self, meta: Value) -> Self {
        Self { meta: Some(Box::new(meta)), ..self }
    }

    fn body(&self, form: ErrorForm) -> Value {
        let identifier = match form {
            ErrorForm::ByKind => !self.in_body,
            ErrorForm::Identifier | ErrorForm::Both => true,
            ErrorForm::Details => false,
        };
        let mut body = Map::new();
        if identifier {
            body.insert("error_identifier".to_owned(), json!(self.identifier));
            if !self.fields.is_empty() {
                let told = self.fields.iter().map(|(name, words)| format!("{name} {words}"));
                body.insert("errors".to_owned(), told.collect());
            }
        }
        if !identifier || form == ErrorForm::Both {
            body.insert("error_details".to_owned(), self.details());
        }
        if let Some(meta) = &self.meta {
            body.insert("meta".to_owned(), Value::clone(meta));
        }
        Value::Object(body)
    }

    fn details(&self) -> Value {
        if self.fields.is_empty() {
            return json!({"base": [self.identifier]});
        }
        let mut details = Map::new();
        for (name, words) in &self.fields {
            let told = details.entry(name.clone()).or_insert_with(|| json!([]));
            if let Some(told) = told.as_array_mut() {
                told.push(json!(words));
            }
        }
        Value::Object(details)
    }
}

impl From<rusqlite::Error> for UnidyError {
    fn from(_: rusqlite::Error) -> Self {
        Self::internal()
    }
}

impl From<std::io::Error> for UnidyError {
    fn from(_: std::io::Error) -> Self {
        Self::internal()
    }
}

impl From<serde_json::Error> for UnidyError {
    fn from(_: serde_json::Error) -> Self {
        Self::internal()
    }
}

impl IntoResponse for UnidyError {
    fn into_response(self) -> Response {
        let body = self.body(ErrorForm::ByKind).to_string();
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        let mut reply = (self.status, [(header::CONTENT_TYPE, json)], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let challenge = HeaderValue::from_static("Bearer realm=\"Unidy\"");
            reply.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        reply.extensions_mut().insert(self);
        reply
    }
}

/// The layer that writes errors in the form that is switched on.
pub(crate) async fn in_form(State(app): State<Arc<App>>, reply: Response) -> Response {
    let Some(body) = reply.extensions().get::<UnidyError>().map(|it| it.body(app.unidy.choices().errors))
    else {
        return reply;
    };
    let (mut head, _) = reply.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(head, Body::from(body.to_string()))
}
