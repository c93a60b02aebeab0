//! What a ticket's holder answered: one answer for each ticket, whose id is that of the `ticket_holder` relation.
//! Writes take no idempotency key: each one that is repeated is done again.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::BamError;
use super::fields::unreadable;
use super::relations::{Relations, TICKET_HOLDER};
use super::session::signed_in;
use crate::app::App;
use crate::journal::Applied;
use crate::moment::later_than;

type Parameters = HashMap<String, String>;
type Body = Result<Json<Value>, JsonRejection>;

/// `GET /t/{tenant}/event/v1/ticket/{id}/ticket_holder`: a list of one, or of none without an answer.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    Path((tenant, ticket)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let user = signed_in(&app, &headers)?.id;
    let relations = relations(&query)?;
    let held = app.db.read(|db| Held::find(db, user, tenant, &ticket))?;
    let answers: Vec<_> = held.to_json().map(|answer| asked(&held, &relations, answer)).into_iter().collect();
    Ok(Json(json!({"data": answers})))
}

/// `GET /t/{tenant}/event/v1/ticket/{id}/ticket_holder/{holder}`
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path((tenant, ticket, holder)): Path<(String, String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Result<Json<Value>, BamError> {
    let user = signed_in(&app, &headers)?.id;
    let relations = relations(&query)?;
    let held = app.db.read(|db| Held::find(db, user, tenant, &ticket))?;
    Ok(Json(json!({"data": asked(&held, &relations, held.answered(&holder)?)})))
}

/// `POST /t/{tenant}/event/v1/ticket/{id}/ticket_holder`: the first answer.
pub(super) async fn create(
    State(app): State<Arc<App>>,
    Path((tenant, ticket)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, BamError> {
    let user = signed_in(&app, &headers)?.id;
    app.db.write(|db| {
        let held = Held::find(db, user, tenant, &ticket)?;
        let response = response(body)?;
        if held.response.is_some() {
            let words = "Ticket holder already exists";
            return Err(BamError::new(StatusCode::CONFLICT, "ALREADY_EXISTS", words));
        }
        held.answer(db, "ticket_holder.create", response, app.now_s())
    })
}

/// `PATCH /t/{tenant}/event/v1/ticket/{id}/ticket_holder/{holder}`: another answer in place of the one before.
pub(super) async fn update(
    State(app): State<Arc<App>>,
    Path((tenant, ticket, holder)): Path<(String, String, String)>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Value>, BamError> {
    let user = signed_in(&app, &headers)?.id;
    app.db.write(|db| {
        let held = Held::find(db, user, tenant, &ticket)?;
        held.answered(&holder)?;
        held.answer(db, "ticket_holder.update", response(body)?, app.now_s())
    })
}

/// A user's ticket and what its holder answered.
struct Held {
    user: i64,
    tenant: String,
    ticket: i64,
    response: Option<String>,
    updated_at: Option<String>,
    ticket_updated_at: String,
}

impl Held {
    fn find(db: &Connection, user: i64, tenant: String, ticket: &str) -> Result<Self, BamError> {
        let ticket: i64 = ticket.parse().map_err(|_| BamError::bad_parameter("id"))?;
        let found = db
            .query_row(
                "SELECT holder_response, holder_updated_at, updated_at FROM ticket
                    WHERE tenant = ?1 AND id = ?2 AND owner_id = ?3",
                (&tenant, ticket, user),
                |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
            )
            .optional()?;
        let (response, updated_at, ticket_updated_at) = found.ok_or_else(|| BamError::not_found("Ticket"))?;
        Ok(Self { user, tenant, ticket, response, updated_at, ticket_updated_at })
    }

    fn to_json(&self) -> Option<Value> {
        let response: Value = serde_json::from_str(self.response.as_deref()?).ok()?;
        Some(json!({"id": self.ticket, "response": response, "updated_at": self.updated_at}))
    }

    /// The answer of this id.
    fn answered(&self, holder: &str) -> Result<Value, BamError> {
        let answer = self.to_json().filter(|_| holder == self.ticket.to_string());
        answer.ok_or_else(|| BamError::not_found("Ticket holder"))
    }

    fn answer(
        mut self,
        db: &Connection,
        kind: &str,
        response: Value,
        now_s: i64,
    ) -> Result<Json<Value>, BamError> {
        self.ticket_updated_at = later_than(&self.ticket_updated_at, now_s);
        self.updated_at = Some(self.ticket_updated_at.clone());
        self.response = Some(response.to_string());
        db.execute(
            "UPDATE ticket SET holder_response = ?3, holder_updated_at = ?4, updated_at = ?4
                WHERE tenant = ?1 AND id = ?2",
            (&self.tenant, self.ticket, &self.response, &self.updated_at),
        )?;
        Applied {
            user_id: self.user,
            kind,
            tenant: &self.tenant,
            ticket_id: self.ticket,
            idempotency_key: None,
            detail: json!({"id": self.ticket, "response": response}),
        }
        .record(db)?;
        Ok(Json(json!({"data": self.to_json()})))
    }
}

fn relations(query: &Parameters) -> Result<Relations, BamError> {
    let with = query.get("with").map_or("", String::as_str);
    Relations::parse(with, TICKET_HOLDER).ok_or_else(|| BamError::bad_parameter("with"))
}

/// An answer with the relations that were asked for: every tenant asks the same.
fn asked(held: &Held, relations: &Relations, mut answer: Value) -> Value {
    let item = |id: i64, required: bool, key: &str, kind: &str, content: &str| {
        json!({"id": id, "question_id": id, "questionnaire_id": 1, "required": required, "ordinal_number": id,
            "question": {"id": id, "key": key, "type": kind, "content": content, "organizer_id": held.tenant}})
    };
    answer["questionnaire"] = json!({
        "id": 1,
        "name": "Gäste",
        "organizer_id": held.tenant,
        "questionnaire_item": [
            item(1, true, "shirt", "select", "Welche Größe hat Ihr Trikot?"),
            item(2, false, "guests", "text", "Wer kommt mit Ihnen?"),
        ],
    });
    relations.prune(&mut answer, TICKET_HOLDER);
    answer
}

/// The `response` of a body, which must be an object.
fn response(body: Body) -> Result<Value, BamError> {
    let Json(mut body) = body.map_err(unreadable)?;
    let response = body.get_mut("response").map(Value::take).filter(Value::is_object);
    response.ok_or_else(|| BamError::invalid("response"))
}
