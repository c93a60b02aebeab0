//! What all writes of the extension share: who asks where, the idempotency key, one transaction, one stored reply.

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rusqlite::Connection;
use serde_json::Value;
use ticket_wallet::Issuer;

use super::idempotency::{Guard, Stored, fingerprint, key};
use crate::app::{App, Claim, ServedTenant};
use crate::bam;
use crate::journal::Applied;
use crate::problem::{PROBLEM_JSON, Problem};

/// The most items that one request may hold.
const MAX_ITEMS: usize = 100;
const MAX_BODY: usize = 1 << 20;

/// A write to do.
pub(super) struct Call<'a> {
    pub(super) app: &'a App,
    pub(super) tenant: &'a ServedTenant,
    pub(super) issuer: &'a Issuer,
    /// The user's id.
    pub(super) user: i64,
    /// The idempotency key, without quotes; empty for what no request of the user's does.
    pub(super) key: String,
    /// Whether the query says `move=true`.
    pub(super) moving: bool,
    /// The sandbox's time, Unix seconds.
    pub(super) now: i64,
    pub(super) body: Bytes,
}

/// What a write answers when it succeeds.
pub(super) enum Reply {
    /// 200 with JSON.
    Json(Value),
    /// 202 with JSON: something is waited for.
    Accepted(Value),
    /// 204.
    Nothing,
}

impl From<Reply> for Stored {
    fn from(reply: Reply) -> Self {
        let json = |status, body: Value| Self {
            status,
            content_type: "application/json".to_owned(),
            body: body.to_string().into_bytes(),
        };
        match reply {
            Reply::Json(body) => json(StatusCode::OK, body),
            Reply::Accepted(body) => json(StatusCode::ACCEPTED, body),
            Reply::Nothing => {
                Self { status: StatusCode::NO_CONTENT, content_type: String::new(), body: Vec::new() }
            }
        }
    }
}

impl From<Problem> for Stored {
    fn from(problem: Problem) -> Self {
        let body = problem.to_json().to_string().into_bytes();
        Self { status: problem.status(), content_type: PROBLEM_JSON.to_owned(), body }
    }
}

/// Does a write, or gives the first reply again.
pub(super) async fn write(
    app: &App,
    tenant: &str,
    request: Request,
    work: impl FnOnce(&Call<'_>, &Connection) -> Result<Reply, Problem>,
) -> Response {
    match try_write(app, tenant, request, work).await {
        Ok(stored) => stored.into_response(),
        Err(problem) => problem.into_response(),
    }
}

async fn try_write(
    app: &App,
    tenant: &str,
    request: Request,
    work: impl FnOnce(&Call<'_>, &Connection) -> Result<Reply, Problem>,
) -> Result<Stored, Problem> {
    let (tenant, issuer) = served(app, tenant)?;
    let user = user(app, request.headers())?;
    let key = key(request.headers())?;
    let moving = request.uri().query().is_some_and(|query| query.split('&').any(|pair| pair == "move=true"));
    once(app, (user, key.clone()), request, |db, body| {
        let call = Call { app, tenant, issuer, user, key, moving, now: app.now_s(), body };
        work(&call, db)
    })
    .await
}

/// Does what one claimant asks for under one key once, in one transaction; whoever repeats it gets the first reply.
pub(super) async fn once(
    app: &App,
    claim: Claim,
    request: Request,
    work: impl FnOnce(&Connection, Bytes) -> Result<Reply, Problem>,
) -> Result<Stored, Problem> {
    let _guard = Guard::take(&app.claims, claim.clone())?;
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, MAX_BODY).await.map_err(|_| too_large("a body has 1 MiB at most"))?;
    let fingerprint = fingerprint(&parts.method, &parts.uri, &body);
    app.db.write(|db| {
        if let Some(stored) = Stored::find(db, &claim, &fingerprint)? {
            return Ok(stored);
        }
        let stored = match whole(db, || work(db, body)) {
            Ok(reply) => Stored::from(reply),
            // Nothing of a write that failed by our own fault is kept, so that a repetition can succeed.
            Err(problem) if problem.status().is_server_error() => return Err(problem),
            Err(problem) => Stored::from(problem),
        };
        stored.save(db, &claim, &fingerprint)?;
        Ok(stored)
    })
}

/// Does `work` as a whole: what is refused leaves nothing of what was done before the refusal.
fn whole(db: &Connection, work: impl FnOnce() -> Result<Reply, Problem>) -> Result<Reply, Problem> {
    db.execute_batch("SAVEPOINT work")?;
    let result = work();
    db.execute_batch(if result.is_ok() { "RELEASE work" } else { "ROLLBACK TO work; RELEASE work" })?;
    result
}

/// The tenant of this name with its issuer, where it serves the extension.
pub(super) fn served<'a>(app: &'a App, tenant: &str) -> Result<(&'a ServedTenant, &'a Issuer), Problem> {
    let tenant = app.tenant(tenant).ok_or_else(Problem::not_served)?;
    Ok((tenant, tenant.issuer.as_ref().ok_or_else(Problem::not_served)?))
}

/// The id of the user who asks.
pub(super) fn user(app: &App, headers: &HeaderMap) -> Result<i64, Problem> {
    bam::holder(app, headers).map(|holder| holder.id).ok_or_else(Problem::unauthorized)
}

impl<'a> Call<'a> {
    /// What happens to a user's tickets without a write of theirs.
    pub(super) fn by_itself(app: &'a App, tenant: &str, user: i64) -> Result<Self, Problem> {
        let (tenant, issuer) = served(app, tenant)?;
        let (key, body) = (String::new(), Bytes::new());
        Ok(Self { app, tenant, issuer, user, key, moving: false, now: app.now_s(), body })
    }

    /// Writes into the journal what is being done to a ticket.
    pub(super) fn record(
        &self,
        db: &Connection,
        kind: &str,
        ticket_id: i64,
        detail: Value,
    ) -> Result<(), Problem> {
        let applied = Applied {
            user_id: self.user,
            kind,
            tenant: &self.tenant.name,
            ticket_id,
            idempotency_key: Some(self.key.as_str()).filter(|key| !key.is_empty()),
            detail,
        };
        Ok(applied.record(db)?)
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Value, Problem> {
        serde_json::from_slice(&self.body).map_err(|_| Problem::malformed("the body is not JSON"))
    }

    /// Does `work` for each item of an array, which has its own result each; the reply has the same order.
    pub(super) fn each(
        &self,
        items: &[Value],
        mut work: impl FnMut(&str, &Value) -> Result<Value, Problem>,
    ) -> Result<Reply, Problem> {
        if items.len() > MAX_ITEMS {
            return Err(too_large("an array has 100 items at most"));
        }
        let ids = items.iter().map(ticket_id).collect::<Result<Vec<_>, _>>()?;
        let results = ids.iter().zip(items).map(|(id, item)| match work(id, item) {
            Err(problem) if problem.status().is_server_error() => Err(problem),
            Err(problem) => Ok(serde_json::json!({"ticket_id": id, "problem": problem.to_json()})),
            done => done,
        });
        Ok(Reply::Json(Value::Array(results.collect::<Result<_, _>>()?)))
    }
}

/// The ticket that an item is about.
pub(super) fn ticket_id(item: &Value) -> Result<&str, Problem> {
    super::fields::text(item, "ticket_id")
}

/// 413: more than one request may hold.
pub(super) fn too_large(detail: &str) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The request is too large").detail(detail)
}
