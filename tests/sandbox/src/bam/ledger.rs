//! Transactions of the ledger in three steps. The first gives a digest; the second takes a signature over it and gives
//! another; the third takes a signature over that and carries the transaction out. The signatures are those of the
//! certificate in the proposal, and really checked. What a function asks for is checked when it is proposed and again when it
//! is carried out. Of the ledger's functions there are `TICKET.INVALIDATE`, by an event's validator, and, by a ticket's
//! owner, those of [`super::market`].

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use chrono::DateTime;
use p256::ecdsa::signature::Verifier as _;
use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};

use super::choices::LedgerDigest;
use super::fields::{Body, Fields, unreadable};
use super::session::signed_in;
use super::{BamError, market, validator};
use crate::app::{App, random};
use crate::edit::{self, TicketEdit};
use crate::journal;

/// How the journal names an invalidation.
const INVALIDATED: &str = "ledger.invalidate";

/// The routes.
pub(super) fn routes() -> Router<Arc<App>> {
    Router::new()
        .route("/t/{tenant}/blockchain/v1/transaction/proposal", post(propose))
        .route("/t/{tenant}/blockchain/v1/transaction/proposal/{digest}", post(endorse))
        .route("/t/{tenant}/blockchain/v1/transaction/{digest}", post(submit))
}

/// A transaction that waits for a signature.
struct Pending {
    public_key: Vec<u8>,
    function: Function,
    signer: String,
    argument: String,
    endorsed: bool,
}

/// What the ledger can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Invalidate,
    MarkForSale,
    Transfer,
}

impl Function {
    const ALL: [Self; 3] = [Self::Invalidate, Self::MarkForSale, Self::Transfer];

    fn name(self) -> &'static str {
        match self {
            Self::Invalidate => "TICKET.INVALIDATE",
            Self::MarkForSale => "TICKET.MARK_FOR_SALE",
            Self::Transfer => "TICKET.TRANSFER",
        }
    }

    fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|function| function.name() == name)
    }
}

/// `POST …/transaction/proposal`
async fn propose(
    State(app): State<Arc<App>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    may_ask(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    let fields = Fields::of_body(&body, false)?;
    let certificate = fields.text("certificate")?;
    let function = Function::find(fields.text("fcn")?)
        .ok_or_else(|| BamError::new(StatusCode::BAD_REQUEST, "UNKNOWN_FUNCTION", "Unknown function"))?;
    let argument = match fields.array("args")?.as_slice() {
        [Value::String(text)] => text.clone(),
        _ => return Err(BamError::invalid("args")),
    };
    app.db.write(|db| {
        let (public_key, signer) = signer(&app, db, certificate)?.ok_or_else(unknown_certificate)?;
        let pending = Pending { public_key, function, signer, argument, endorsed: false };
        carry_out(&app, db, &tenant, &pending, false)?;
        let digest = wait(db, &tenant, &pending)?;
        Ok(Json(json!({"data": {"digest": digest}})))
    })
}

/// `POST …/transaction/proposal/{digest}`
async fn endorse(
    State(app): State<Arc<App>>,
    Path((tenant, digest)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    may_ask(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let pending = signed(&app, db, (&tenant, &digest), false, &body)?;
        let digest = wait(db, &tenant, &Pending { endorsed: true, ..pending })?;
        Ok(Json(json!({"data": {"digest": digest}})))
    })
}

/// `POST …/transaction/{digest}`: the transaction counts once, for its digest is spent.
async fn submit(
    State(app): State<Arc<App>>,
    Path((tenant, digest)): Path<(String, String)>,
    headers: HeaderMap,
    body: Body<Value>,
) -> Result<Json<Value>, BamError> {
    may_ask(&app, &headers)?;
    let Json(body) = body.map_err(unreadable)?;
    app.db.write(|db| {
        let pending = signed(&app, db, (&tenant, &digest), true, &body)?;
        let info = carry_out(&app, db, &tenant, &pending, true)?;
        Ok(Json(json!({"data": {"info": info, "status": "SUCCESS"}})))
    })
}

/// Checks what a transaction asks for, and does it if it is for good.
fn carry_out(
    app: &App,
    db: &Connection,
    tenant: &str,
    pending: &Pending,
    for_good: bool,
) -> Result<Value, BamError> {
    let argument: Value = serde_json::from_str(&pending.argument).map_err(|_| BamError::invalid("args"))?;
    let party = market::Party { app, db, tenant, enrollment: &pending.signer };
    match pending.function {
        Function::Invalidate => {
            let event = validator::event_of(db, tenant, &pending.signer)?.ok_or_else(unknown_certificate)?;
            let ticket = usable(db, tenant, event, &argument)?;
            if for_good {
                invalidate(app, db, tenant, ticket, pending)?;
            }
            Ok(json!({"ticket_id": ticket}))
        }
        Function::MarkForSale => party.mark_for_sale(&argument, for_good),
        Function::Transfer => party.transfer(&argument, for_good),
    }
}

/// A ticket is used once.
fn invalidate(
    app: &App,
    db: &Connection,
    tenant: &str,
    ticket: i64,
    pending: &Pending,
) -> Result<(), BamError> {
    let change = TicketEdit { status: Some("invalidated".to_owned()), ..TicketEdit::default() };
    edit::edit_ticket(db, tenant, ticket, &change, app.now_s())?;
    let subject = format!("{tenant}/ticket/{ticket}");
    let detail = json!({"argument": pending.argument});
    journal::record(db, &pending.signer, INVALIDATED, &subject, None, &detail)?;
    Ok(())
}

/// The public key and the enrollment of a certificate that counts.
fn signer(app: &App, db: &Connection, pem: &str) -> rusqlite::Result<Option<(Vec<u8>, String)>> {
    let sql = "SELECT public_key, enrollment_id FROM certificate JOIN user ON user.id = user_id
        WHERE pem = ?1 AND expires_at > ?2 AND enrollment_id IS NOT NULL";
    db.query_row(sql, (pem, app.now_s()), |row| Ok((row.get(0)?, row.get(1)?))).optional()
}

fn unknown_certificate() -> BamError {
    BamError::new(StatusCode::FORBIDDEN, "UNKNOWN_CERTIFICATE", "Unknown certificate")
}

/// What was invalidated: the ticket, when it was used, and by which validator's enrollment.
pub(crate) fn invalidated(db: &Connection) -> rusqlite::Result<Vec<Value>> {
    let entries = journal::entries(db)?.into_iter().filter(|entry| entry.kind == INVALIDATED);
    let told = entries.map(|entry| {
        let argument = entry.detail["argument"].as_str().unwrap_or_default();
        let argument: Value = serde_json::from_str(argument).unwrap_or_default();
        json!({"ticket": entry.subject, "used_at": argument["validation_time"], "validator": entry.user})
    });
    Ok(told.collect())
}

/// The signature counts; a token that comes along must count too.
fn may_ask(app: &App, headers: &HeaderMap) -> Result<(), BamError> {
    if headers.contains_key(header::AUTHORIZATION) { signed_in(app, headers).map(drop) } else { Ok(()) }
}

fn used() -> BamError {
    BamError::new(StatusCode::CONFLICT, "TICKET_NOT_USABLE", "The ticket cannot be used")
}

/// The ticket that an argument names, which must be this event's and not used yet.
fn usable(db: &Connection, tenant: &str, event: i64, argument: &Value) -> Result<i64, BamError> {
    let number = |place: &str| {
        argument.pointer(place).and_then(Value::as_i64).ok_or_else(|| BamError::invalid("args"))
    };
    let (config, sequence) = (number("/ticket_config/id")?, number("/seq_num")?);
    let used_at = argument.pointer("/validation_time").and_then(Value::as_str);
    used_at
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .ok_or_else(|| BamError::invalid("args"))?;
    if number("/ticket_config/event/id")? != event {
        return Err(BamError::forbidden());
    }
    let sql = "SELECT ticket.id, ticket.status IN ('issued', 'activated') FROM ticket
        JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
        WHERE ticket.tenant = ?1 AND ticket_config_id = ?2 AND seq_num = ?3 AND event_id = ?4";
    let found = db.query_row(sql, (tenant, config, sequence, event), |row| Ok((row.get(0)?, row.get(1)?)));
    match found.optional()? {
        Some((id, true)) => Ok(id),
        Some((_, false)) => Err(used()),
        None => Err(BamError::not_found("Ticket")),
    }
}

/// Keeps a transaction until the signature over its digest comes.
fn wait(db: &Connection, tenant: &str, pending: &Pending) -> Result<String, BamError> {
    let text = [pending.argument.as_bytes(), &random::<16>()?].concat();
    let digest = hex::encode(digest(&SHA256, &text));
    db.execute(
        "INSERT INTO ledger_pending (digest, tenant, public_key, function, signer, argument, endorsed)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            &digest,
            tenant,
            &pending.public_key,
            pending.function.name(),
            &pending.signer,
            &pending.argument,
            pending.endorsed,
        ),
    )?;
    Ok(digest)
}

/// The transaction of a digest, when its signature holds; then the digest counts no more.
fn signed(
    app: &App,
    db: &Connection,
    (tenant, digest): (&str, &str),
    endorsed: bool,
    body: &Value,
) -> Result<Pending, BamError> {
    let sql = "SELECT public_key, function, signer, argument, endorsed FROM ledger_pending
        WHERE tenant = ?1 AND digest = ?2 AND endorsed = ?3";
    let found = db.query_row(sql, (tenant, digest, endorsed), |row| {
        Ok(Pending {
            public_key: row.get(0)?,
            function: Function::find(row.get_ref(1)?.as_str()?).ok_or(rusqlite::Error::InvalidQuery)?,
            signer: row.get(2)?,
            argument: row.get(3)?,
            endorsed: row.get(4)?,
        })
    });
    let pending = found.optional()?.ok_or_else(|| BamError::not_found("Digest"))?;
    let fields = Fields::of_body(body, false)?;
    let signature = BASE64.decode(fields.text("signature")?).map_err(|_| fields.invalid("signature"))?;
    if !holds(app.bam_choices().ledger_digest, &pending.public_key, digest, &signature) {
        return Err(BamError::new(StatusCode::BAD_REQUEST, "INVALID_SIGNATURE", "Invalid signature"));
    }
    db.execute("DELETE FROM ledger_pending WHERE digest = ?1", [digest])?;
    Ok(pending)
}

/// Whether a DER signature with a low s is this key's over a digest.
fn holds(form: LedgerDigest, key: &[u8], digest: &str, signature: &[u8]) -> bool {
    let (Ok(key), Ok(signature)) = (VerifyingKey::from_sec1_bytes(key), Signature::from_der(signature))
    else {
        return false;
    };
    let Ok(bytes) = hex::decode(digest) else { return false };
    let is_over = match form {
        LedgerDigest::Message => key.verify(&bytes, &signature),
        LedgerDigest::Hash => key.verify_prehash(&bytes, &signature),
    };
    signature.normalize_s() == signature && is_over.is_ok()
}
