//! The vectors, each read and, where it is good, written again.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use ticket_wallet::barcode::{DeviceSignature, IssuerKey};
use ticket_wallet::ledger::{Certificate, LedgerError, Record};
use ticket_wallet::manifest::{CodeHash, Manifest, ManifestError, TicketRow, delta};
use ticket_wallet::model::TicketHash;

use crate::support::run_script;

fn all() -> Value {
    serde_json::from_str(include_str!("../fixtures/gate-v1.json")).unwrap()
}

pub(crate) fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().unwrap()).unwrap()
}

pub(crate) fn manifest_key(vectors: &Value) -> IssuerKey {
    IssuerKey::from_bytes(&bytes(&vectors["manifest_key"])).unwrap()
}

/// The cases of one kind: name and case.
pub(crate) fn cases<'a>(vectors: &'a Value, kind: &str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    vectors[kind].as_array().unwrap().iter().map(|case| (case["name"].as_str().unwrap(), case))
}

/// `name` and, for what cannot be read, the offset.
fn verdict<T>(result: &Result<T, ManifestError>) -> (&'static str, Option<usize>) {
    match result {
        Ok(_) => ("Ok", None),
        Err(ManifestError::Malformed(at)) => ("Malformed", Some(at.offset)),
        Err(ManifestError::TooLong) => ("TooLong", None),
        Err(ManifestError::BadSignature) => ("BadSignature", None),
        Err(ManifestError::WrongEvent) => ("WrongEvent", None),
        Err(ManifestError::Rollback { .. }) => ("Rollback", None),
        Err(ManifestError::Forked { .. }) => ("Forked", None),
        Err(ManifestError::WrongBase) => ("WrongBase", None),
        Err(ManifestError::WrongResult) => ("WrongResult", None),
        Err(ManifestError::DoubledKey) => ("DoubledKey", None),
        Err(ManifestError::ScannerRevoked) => ("ScannerRevoked", None),
    }
}

pub(crate) fn ledger_verdict<T>(result: &Result<T, LedgerError>) -> (&'static str, Option<usize>) {
    match result {
        Ok(_) => ("Ok", None),
        Err(LedgerError::Malformed(at)) => ("Malformed", Some(at.offset)),
        Err(LedgerError::BadSignature) => ("BadSignature", None),
        Err(LedgerError::WrongEvent) => ("WrongEvent", None),
        Err(LedgerError::WrongScanner) => ("WrongScanner", None),
        Err(LedgerError::NotCertified) => ("NotCertified", None),
    }
}

/// Fails for another verdict than the case has, or another offset.
pub(crate) fn expect(
    wrong: &mut Vec<String>,
    (name, case): (&str, &Value),
    (found, offset): (&str, Option<usize>),
) {
    let offset_differs = case["offset"].as_u64().is_some_and(|at| offset != usize::try_from(at).ok());
    if case["verdict"] != found || offset_differs {
        wrong.push(format!("{name}: {found} at {offset:?}, not {} at {}", case["verdict"], case["offset"]));
    }
}

pub(crate) fn hex_or_null<const N: usize>(bytes: [u8; N]) -> Value {
    if bytes == [0; N] { Value::Null } else { hex::encode(bytes).into() }
}

fn row(row: &TicketRow) -> Value {
    json!({
        "id": row.id.to_string(), "floor": row.floor, "section": row.section, "state": row.state as u8,
        "profile": row.profile as u8, "entries": row.entries.unwrap_or(0), "code": hex_or_null(row.code.0),
    })
}

fn told(manifest: &Manifest, expected: &Value) -> Value {
    let head = manifest.head();
    let issuers = manifest.issuers().map(|one| {
        json!({ "key": hex::encode(one.key), "known_from": one.from, "known_until": one.until.unwrap_or(0) })
    });
    let revoked = manifest.revoked_scanners().map(|one| {
        json!({
            "scanner": hex::encode(one.scanner), "chain": hex::encode(one.chain), "sequence": one.last_good,
            "hash": hex::encode(one.hash),
        })
    });
    let ids = |name: &str| {
        let rows = expected[name].as_array().unwrap().iter();
        rows.map(|row| {
            let id = row["id"].as_str().or(row["ticket"].as_str()).unwrap();
            TicketHash(hex::decode(id).unwrap().try_into().unwrap())
        })
    };
    let seats = ids("seats").map(|id| json!({ "ticket": id.to_string(), "seat": manifest.seat(&id) }));
    let codes = expected["lookup"].as_object().unwrap().keys();
    let lookup: BTreeMap<_, _> = codes
        .map(|code| (code, manifest.ticket_with_code(code.as_bytes()).map(|row| row.id.to_string())))
        .collect();
    json!({
        "event": head.event.to_string(), "sequence": head.sequence, "as_of": head.as_of,
        "closes_at": head.closes_at.unwrap_or(0), "policy": head.policy as u8, "entries": head.entries,
        "nonce_required": head.nonce_required, "unlisted": head.unlisted as u8, "issuers": issuers.collect::<Vec<_>>(),
        "sections": manifest.sections().map(|(code, name)| json!({ "code": code, "name": name })).collect::<Vec<_>>(),
        "days": manifest.days().map(|(begin, end)| json!({ "begin": begin, "end": end })).collect::<Vec<_>>(),
        "epochs": expected["epochs"].clone(),
        "tickets": ids("tickets").map(|id| row(&manifest.ticket(&id).unwrap())).collect::<Vec<_>>(),
        "seats": seats.collect::<Vec<_>>(), "event_key": manifest.event_key().map(hex::encode),
        "revoked": revoked.collect::<Vec<_>>(), "hash": hex::encode(manifest.hash()), "lookup": lookup,
    })
}

/// Each epoch's nonce counts in it, with its neighbours', and none counts before the first.
fn check_epochs(name: &str, manifest: &Manifest, expected: &Value) {
    let epochs = expected["epochs"].as_array().unwrap();
    for (number, epoch) in epochs.iter().enumerate() {
        let near = &epochs[number.saturating_sub(1)..epochs.len().min(number + 2)];
        let near: Vec<_> = near.iter().map(|epoch| bytes(&epoch["nonce"])).collect();
        for at in ["begin", "end"] {
            let found = manifest.nonces_at(epoch[at].as_i64().unwrap()).unwrap();
            assert_eq!(found.iter().map(|nonce| nonce.to_vec()).collect::<Vec<_>>(), near, "{name}");
        }
    }
    let first = epochs.first().map_or(0, |epoch| epoch["begin"].as_i64().unwrap());
    assert_eq!(manifest.nonces_at(first - 1), None, "{name}");
}

fn named(vectors: &Value, name: &Value) -> Manifest {
    let (_, case) = cases(vectors, "manifests").find(|(one, _)| name == one).unwrap();
    Manifest::read(&bytes(&case["bytes"]), &manifest_key(vectors)).unwrap()
}

#[test]
fn manifests() {
    let (vectors, mut wrong) = (all(), Vec::new());
    let key = manifest_key(&vectors);
    let mut good = 0;
    for (name, case) in cases(&vectors, "manifests") {
        let read = Manifest::read(&bytes(&case["bytes"]), &key).and_then(|manifest| match &case["held"] {
            Value::Null if manifest.head().event.to_string() != vectors["event_id"] => {
                Err(ManifestError::WrongEvent)
            }
            Value::Null => Ok(manifest),
            held => manifest.after(&named(&vectors, held)),
        });
        expect(&mut wrong, (name, case), verdict(&read));
        if let (Ok(manifest), false) = (&read, case["expect"].is_null()) {
            good += 1;
            let told = told(manifest, &case["expect"]);
            if told != case["expect"] {
                wrong.push(format!("{name}:\n{told}\n{}", case["expect"]));
            }
            assert_eq!(manifest.ticket_count(), case["expect"]["tickets"].as_array().unwrap().len());
            check_epochs(name, manifest, &case["expect"]);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good >= 15);
}

#[test]
fn deltas() {
    let (vectors, mut wrong) = (all(), Vec::new());
    let key = manifest_key(&vectors);
    let mut good = 0;
    for (name, case) in cases(&vectors, "deltas") {
        let base = named(&vectors, &case["base"]);
        let signed = bytes(&case["bytes"]);
        let read = base.apply(&signed, &key);
        expect(&mut wrong, (name, case), verdict(&read));
        if let Ok(result) = read {
            good += 1;
            let promised = named(&vectors, &case["result"]);
            assert!(result == promised, "{name}");
            assert_eq!(delta(&base, &promised).unwrap(), signed[..signed.len() - 64], "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(good >= 5);
}

#[test]
fn certificates() {
    let (vectors, mut wrong) = (all(), Vec::new());
    let key = manifest_key(&vectors);
    for (name, case) in cases(&vectors, "certificates") {
        let signed = bytes(&case["bytes"]);
        let read = Certificate::read(&signed, &key).and_then(|certificate| {
            let ours = certificate.event.to_string() == vectors["event_id"];
            if ours { Ok(certificate) } else { Err(LedgerError::WrongEvent) }
        });
        expect(&mut wrong, (name, case), ledger_verdict(&read));
        let Ok(one) = read else { continue };
        let told = json!({
            "event": one.event.to_string(), "scanner": hex::encode(one.scanner.0),
            "key": hex::encode(one.key.to_x963()), "not_before": one.not_before,
            "not_after": one.not_after.unwrap_or(0), "name": one.name, "sections": one.sections,
        });
        assert_eq!(told, case["expect"], "{name}");
        assert_eq!(one.to_bytes().unwrap(), signed[..signed.len() - 64], "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn records() {
    let (vectors, mut wrong) = (all(), Vec::new());
    let key = manifest_key(&vectors);
    let certificate = |name: &Value| {
        let (_, case) = cases(&vectors, "certificates").find(|(one, _)| name == one).unwrap();
        Certificate::read(&bytes(&case["bytes"]), &key).unwrap()
    };
    for (name, case) in cases(&vectors, "records") {
        let signed = bytes(&case["bytes"]);
        let read = Record::from_bytes(&signed).and_then(|record| {
            record.check(&certificate(&case["certificate"]))?;
            Ok(record)
        });
        expect(&mut wrong, (name, case), ledger_verdict(&read));
        let Ok(record) = read else { continue };
        let told = record_told(&record);
        if told != case["expect"] {
            wrong.push(format!("{name}:\n{told}\n{}", case["expect"]));
        }
        let signature = DeviceSignature::from_bytes(&signed[signed.len() - 64..]).unwrap();
        let again = Record::from_parts(record.fields().clone(), signature).unwrap();
        assert_eq!(again.as_bytes(), signed, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn record_told(record: &Record) -> Value {
    let (one, evidence) = (record.fields(), &record.fields().evidence);
    json!({
        "chain": hex::encode(one.chain.0), "scanner": hex::encode(one.scanner.0), "sequence": one.sequence,
        "previous": hex_or_null(one.previous), "event": one.event.to_string(),
        "ticket": one.ticket.map(|ticket| ticket.to_string()), "generation": one.generation,
        "persons": one.persons, "time": one.time_ms, "presented_at": one.presented_at.unwrap_or(0), "kind": one.kind as u8,
        "verdict": format!("{:?}", one.verdict), "profile": one.profile as u8,
        "clock_confirmed": one.clock_confirmed, "code": evidence.code.map(hex::encode),
        "nonce": evidence.nonce.map(hex::encode), "undoes": evidence.undone, "reason": evidence.reason,
        "hash": hex::encode(record.hash()),
    })
}

/// What a script of the other implementation prints.
pub(crate) fn made_by(script: &str) -> Value {
    serde_json::from_str(&run_script::<&str>(script, &[], "")).unwrap()
}

/// The other implementation makes them anew, and reads each of them.
#[test]
fn the_vectors_are_those_of_the_other_implementation() {
    assert_eq!(made_by("gate_vectors.py"), all());
}

#[test]
fn a_code_of_another_event_has_another_hash() {
    let [one, other] = [*b"event-01", *b"event-02"].map(ticket_wallet::model::EventHash);
    assert_ne!(CodeHash::of(one, b"A1B2"), CodeHash::of(other, b"A1B2"));
}
