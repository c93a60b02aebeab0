//! Scanners: signing in, and finding out which one asks.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::{Value, json};
use ticket_wallet::ScannerRequest;
use ticket_wallet::barcode::{DeviceKey, IssuerKey};
use ticket_wallet::ledger::Certificate;

use super::super::fields::{binary, encode, refused, text};
use super::super::write::Reply;
use super::Place;
use super::codes::{self, AdmissionCode};
use super::manifest::Rules;
use crate::app::{App, ServedTenant, random};
use crate::problem::Problem;

/// Certificates count from a day before they are signed, for clocks that are behind.
const BEFORE_S: i64 = 86_400;

/// A scanner that has signed in.
#[derive(Debug)]
pub(super) struct Scanner {
    pub(super) number: i64,
    pub(super) tenant: String,
    pub(super) event: i64,
    pub(super) id: Vec<u8>,
    pub(super) name: String,
    pub(super) session: String,
    pub(super) certificate: Vec<u8>,
    pub(super) revoked: bool,
}

const SELECT: &str =
    "SELECT number, tenant, event_id, id, name, session, certificate, revoked FROM gate_scanner";

impl Scanner {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            number: row.get(0)?,
            tenant: row.get(1)?,
            event: row.get(2)?,
            id: row.get(3)?,
            name: row.get(4)?,
            session: row.get(5)?,
            certificate: row.get(6)?,
            revoked: row.get(7)?,
        })
    }

    /// Where it scans.
    pub(super) fn place(&self) -> Place {
        Place { tenant: self.tenant.clone(), event: self.event }
    }

    /// All scanners of an event, in the order in which they signed in.
    pub(super) fn all(db: &Connection, place: &Place) -> rusqlite::Result<Vec<Self>> {
        let sql = format!("{SELECT} WHERE tenant = ?1 AND event_id = ?2 ORDER BY number");
        db.prepare_cached(&sql)?.query_map((&place.tenant, place.event), Self::read)?.collect()
    }

    /// The scanner of this id.
    pub(super) fn find(db: &Connection, id: &[u8]) -> rusqlite::Result<Option<Self>> {
        db.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query_row([id], Self::read).optional()
    }

    /// The scanner that sent a request with these headers, for this tenant's host.
    pub(super) fn signed_in(
        app: &App,
        db: &Connection,
        tenant: &str,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        super::served(app, tenant)?;
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let session = value.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        let sql = format!("{SELECT} WHERE session = ?1 AND tenant = ?2 AND NOT revoked");
        let found = db.prepare_cached(&sql)?.query_row((session, tenant), Self::read).optional()?;
        found.ok_or_else(Problem::unauthorized)
    }
}

/// Signs a scanner in. One that has signed in with this code gets the same answer, or a certificate for another time where
/// the event has one now.
pub(super) fn sign_in(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    body: &Bytes,
) -> Result<Reply, Problem> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Problem::malformed("the body is not JSON"))?;
    let (wanted, name) = (text(&body, "admission_code")?, text(&body, "name")?);
    let key = binary(&body, "scanner_key")?;
    DeviceKey::from_x963(&key).map_err(|error| Problem::invalid_field("scanner_key", error))?;
    let codes = codes::all(app, db)?;
    let code = codes.into_iter().find(|code| code.code == wanted && code.tenant == tenant.name);
    let code = code.ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "unknown-code", "There is no such admission code")
    })?;
    let sql = format!("{SELECT} WHERE tenant = ?1 AND event_id = ?2 AND code = ?3 AND key = ?4");
    let again =
        db.query_row(&sql, (&code.tenant, code.event_id, &code.code, &key), Scanner::read).optional()?;
    let scanner = match again {
        Some(scanner) if scanner.revoked => {
            return Err(Problem::new(StatusCode::FORBIDDEN, "scanner-revoked", "The scanner was revoked"));
        }
        Some(scanner) => renewed(app, db, tenant, &code, scanner)?,
        None => add(app, db, tenant, &code, key, name)?,
    };
    answer(tenant, &code, &scanner).map(Reply::Json)
}

fn add(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    code: &AdmissionCode,
    key: Vec<u8>,
    name: &str,
) -> Result<Scanner, Problem> {
    let taken: u16 = db.query_row(
        "SELECT count(*) FROM gate_scanner WHERE tenant = ?1 AND code = ?2",
        (&code.tenant, &code.code),
        |row| row.get(0),
    )?;
    if taken >= app.config.scanners_per_code {
        let title = "As many scanners have signed in with the code as may";
        return Err(Problem::new(StatusCode::CONFLICT, "code-used-up", title));
    }
    let (id, session) = (random::<8>().map_err(|_| Problem::internal())?, random::<24>());
    let session = encode(&session.map_err(|_| Problem::internal())?);
    app.give_out(&session);
    let until = Rules::of(db, &code.place())?.certified_until;
    let certificate = certificate(app, tenant, code, (&id, &key, name), until)?;
    db.execute(
        "INSERT INTO gate_scanner (tenant, event_id, code, id, key, name, session, certificate)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        (&code.tenant, code.event_id, &code.code, &id[..], &key, name, session, certificate),
    )?;
    Scanner::find(db, &id)?.ok_or_else(Problem::internal)
}

/// The same scanner, with a certificate up to the time that the event says now.
fn renewed(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    code: &AdmissionCode,
    scanner: Scanner,
) -> Result<Scanner, Problem> {
    let issuer = tenant.manifest.as_ref().ok_or_else(Problem::not_served)?;
    let pinned = IssuerKey::from_bytes(&issuer.public_key()).map_err(|_| Problem::internal())?;
    let said = Certificate::read(&scanner.certificate, &pinned).map_err(|_| Problem::internal())?;
    let until = Rules::of(db, &code.place())?.certified_until;
    if said.not_after.map(i64::from) == until {
        return Ok(scanner);
    }
    let of = (&scanner.id[..], &said.key.to_x963()[..], scanner.name.as_str());
    let certificate = certificate(app, tenant, code, of, until)?;
    db.execute("UPDATE gate_scanner SET certificate = ?2 WHERE id = ?1", (&scanner.id, &certificate))?;
    Ok(Scanner { certificate, ..scanner })
}

/// Certifies the scanner of this id, key and name.
fn certificate(
    app: &App,
    tenant: &ServedTenant,
    code: &AdmissionCode,
    (id, key, name): (&[u8], &[u8], &str),
    until: Option<i64>,
) -> Result<Vec<u8>, Problem> {
    let seconds = |at: i64| u32::try_from(at).map_err(|_| Problem::internal());
    let request = ScannerRequest {
        provider: tenant.provider.to_string(),
        event_id: code.event_id.to_string(),
        scanner_id: id.to_vec(),
        scanner_key: key.to_vec(),
        not_before: seconds(app.now_s() - BEFORE_S)?,
        not_after: until.map(seconds).transpose()?,
        name: name.to_owned(),
        sections: code.sections.iter().map(|(code, _)| *code).collect(),
    };
    let issuer = tenant.manifest.as_ref().ok_or_else(Problem::not_served)?;
    issuer.certificate(request).map_err(refused)
}

fn answer(tenant: &ServedTenant, code: &AdmissionCode, scanner: &Scanner) -> Result<Value, Problem> {
    let issuer = tenant.manifest.as_ref().ok_or_else(Problem::not_served)?;
    let sections = code.sections.iter().map(|(code, name)| json!({"code": code, "name": name}));
    Ok(json!({
        "scanner_id": encode(&scanner.id),
        "certificate": encode(&scanner.certificate),
        "manifest_key": encode(&issuer.public_key()),
        "session": scanner.session,
        "event": {
            "provider": tenant.provider.to_string(),
            "id": code.event_id.to_string(),
            "name": code.event,
        },
        "sections": sections.collect::<Vec<_>>(),
    }))
}
