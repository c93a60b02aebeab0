//! Records up and down. What arrives is checked one by one; the same record again changes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rusqlite::Connection;
use serde_json::{Value, json};
use ticket_wallet::ledger::{Certificate, ChainId, LedgerError, Record, ScannerId};

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

/// What somebody holds of each chain.
type Vector = BTreeMap<ChainId, u32>;

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

/// Reads `chain:sequence,chain:sequence`.
pub(super) fn read_vector(text: Option<&str>) -> Result<Vector, Problem> {
    let place = |part: &str| {
        let (chain, sequence) = part.split_once(':')?;
        let chain: [u8; 16] = hex::decode(chain).ok()?.try_into().ok()?;
        Some((ChainId(chain), sequence.parse().ok()?))
    };
    let parts = text.into_iter().flat_map(|text| text.split(',')).filter(|part| !part.is_empty());
    let vector = parts.map(place).collect::<Option<_>>();
    vector.ok_or_else(|| Problem::malformed("since is not a vector of chains and sequences"))
}

/// Records that a vector does not have, with the certificates of who wrote them. Where two records are at one place, both
/// are part of the first page.
pub(super) fn page(db: &Connection, scanner: &Scanner, since: &Vector) -> Result<Value, Problem> {
    let records = Records::of(db, &scanner.place())?;
    let is_forked =
        |record: &Record| records.forks.contains(&(record.fields().chain, record.fields().sequence));
    let is_new = |record: &Record| {
        let fields = record.fields();
        since.get(&fields.chain).is_none_or(|held| fields.sequence > *held)
    };
    let all = records.all.iter().map(|kept| &kept.record);
    let (new, old): (Vec<_>, Vec<_>) = all.partition(|record| is_new(record));
    let forked = old.into_iter().filter(|record| is_forked(record));
    let more = new.len() > MAX_RECORDS;
    let sent: Vec<_> = new.into_iter().take(MAX_RECORDS).chain(forked).collect();
    let writers: BTreeSet<_> = sent.iter().map(|record| record.fields().scanner).collect();
    let scanners = Scanner::all(db, &scanner.place())?;
    let wrote = |one: &&Scanner| writers.iter().any(|writer| writer.0[..] == one.id[..]);
    let certificates = scanners.iter().filter(wrote).map(|one| encode(&one.certificate));
    Ok(json!({
        "records": sent.iter().map(|record| encode(record.as_bytes())).collect::<Vec<_>>(),
        "certificates": certificates.collect::<Vec<_>>(),
        "more": more,
    }))
}
