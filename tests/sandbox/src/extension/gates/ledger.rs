//! Records up and down. What arrives is checked one by one; the same record again changes nothing.

use std::collections::{BTreeSet, HashMap};

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rusqlite::Connection;
use serde_json::{Value, json};
use ticket_wallet::ledger::{Certificate, LedgerError, Record, ScannerId};

use super::super::feed::read_cursor;
use super::super::fields::encode;
use super::super::write::{Reply, too_large};
use super::Place;
use super::records::{Records, certificates};
use super::scanner::Scanner;
use crate::app::App;
use crate::journal;
use crate::problem::Problem;

/// The most records of a request, and of a page.
const MAX_RECORDS: usize = 500;

/// Takes records in: an array of base64url. The journal tells how many came with it, and how many of them were new.
pub(super) fn take(
    app: &App,
    db: &Connection,
    scanner: &Scanner,
    key: &str,
    body: &Bytes,
) -> Result<Reply, Problem> {
    let malformed = || Problem::malformed("the body is not an array of records");
    let items: Vec<String> = serde_json::from_slice(body).map_err(|_| malformed())?;
    if items.len() > MAX_RECORDS {
        return Err(too_large("an array has 500 records at most"));
    }
    let place = scanner.place();
    let certificates = certificates(app, db, &place)?;
    let (mut refused, mut new) = (Vec::new(), 0);
    for (index, item) in items.iter().enumerate() {
        match checked(item, &certificates) {
            Ok(record) => new += keep(db, &place, &record)?,
            Err(reason) => refused.push(json!({"index": index, "reason": reason})),
        }
    }
    if !items.is_empty() {
        let (subject, detail) = (
            format!("{}/{}", place.tenant, place.event),
            json!({"records": items.len(), "new": new, "refused": refused.len()}),
        );
        journal::record(db, &scanner.name, "gate.records", &subject, Some(key), &detail)?;
    }
    let records = Records::of(db, &place)?;
    let held: serde_json::Map<_, _> =
        records.vector().iter().map(|(chain, sequence)| (hex::encode(chain.0), json!(sequence))).collect();
    let forks =
        records.forks.iter().map(|(chain, at)| json!({"chain": hex::encode(chain.0), "sequence": at}));
    Ok(Reply::Json(json!({"held": held, "refused": refused, "forks": forks.collect::<Vec<_>>()})))
}

/// A record that one of the event's scanners wrote, or why it is none.
fn checked(item: &str, certificates: &HashMap<ScannerId, Certificate>) -> Result<Record, &'static str> {
    let bytes = BASE64.decode(item).map_err(|_| "malformed")?;
    let record = Record::from_bytes(&bytes).map_err(|_| "malformed")?;
    let certificate = certificates.get(&record.fields().scanner).ok_or("unknown-scanner")?;
    match record.check(certificate) {
        Ok(()) => Ok(record),
        Err(LedgerError::Malformed(_)) => Err("malformed"),
        Err(LedgerError::BadSignature) => Err("bad-signature"),
        Err(LedgerError::WrongEvent) => Err("wrong-event"),
        Err(LedgerError::WrongScanner) => Err("wrong-scanner"),
        Err(LedgerError::NotCertified) => Err("not-certified"),
    }
}

/// Keeps a record; how many that are new: 1 or 0.
fn keep(db: &Connection, place: &Place, record: &Record) -> Result<usize, Problem> {
    let fields = record.fields();
    let kept = db
        .prepare_cached(
            "INSERT OR IGNORE INTO gate_record (tenant, event_id, chain, sequence, hash, scanner, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute((
            &place.tenant,
            place.event,
            &fields.chain.0[..],
            fields.sequence,
            &record.hash()[..],
            &fields.scanner.0[..],
            record.as_bytes(),
        ))?;
    Ok(kept)
}

/// Records that were taken after the cursor, with the certificates of who wrote them.
pub(super) fn page(
    app: &App,
    db: &Connection,
    scanner: &Scanner,
    cursor: Option<&str>,
) -> Result<Value, Problem> {
    let epoch = app.feed_epoch();
    let after = cursor.map_or(Ok(0), |cursor| read_cursor(cursor, epoch))?;
    let place = scanner.place();
    let limit = u32::try_from(MAX_RECORDS + 1).unwrap_or(u32::MAX);
    let mut rows: Vec<(i64, [u8; 8], Vec<u8>)> = db
        .prepare_cached(
            "SELECT rowid, scanner, bytes FROM gate_record WHERE tenant = ?1 AND event_id = ?2 AND rowid > ?3
             ORDER BY rowid LIMIT ?4",
        )?
        .query_map((&place.tenant, place.event, after, limit), |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?
        .collect::<Result<_, _>>()?;
    let more = rows.len() > MAX_RECORDS;
    rows.truncate(MAX_RECORDS);
    let writers: BTreeSet<_> = rows.iter().map(|(_, scanner, _)| *scanner).collect();
    let scanners = Scanner::all(db, &place)?;
    let wrote = |one: &&Scanner| writers.iter().any(|writer| writer[..] == one.id[..]);
    let certificates = scanners.iter().filter(wrote).map(|one| encode(&one.certificate));
    Ok(json!({
        "records": rows.iter().map(|(_, _, bytes)| encode(bytes)).collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
        "cursor": format!("{epoch}-{}", rows.last().map_or(after, |(row, ..)| *row)),
        "more": more,
    }))
}
