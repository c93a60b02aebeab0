//! The vectors of what scanners tell each other, each read and, where it is good, written again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};
use ticket_wallet::barcode::DeviceSignature;
use ticket_wallet::ledger::{
    Certificate, ChainHead, Delta, HeadFields, HeadRank, HeldChain, Item, LedgerError, Place, Request,
};

use crate::support::{root, run_script};
use crate::vectors::{bytes, cases, expect, hex_or_null, ledger_verdict, made_by, manifest_key};

const SCRIPT: &str = "exchange_vectors.py";

fn all() -> Value {
    serde_json::from_str(include_str!("../fixtures/exchange-v1.json")).unwrap()
}

/// The bytes of a case, also of one that is made by rule.
fn whole(case: &Value) -> Vec<u8> {
    let made = &case["made"];
    if made.is_null() {
        return bytes(&case["bytes"]);
    }
    let times = usize::try_from(made["times"].as_u64().unwrap()).unwrap();
    [bytes(&made["first"]), bytes(&made["repeated"]).repeat(times), bytes(&made["last"])].concat()
}

fn head_told(head: &HeadFields) -> Value {
    json!({
        "chain": hex::encode(head.chain.0), "scanner": hex::encode(head.scanner.0), "event": head.event.to_string(),
        "sequence": head.sequence, "hash": hex_or_null(head.hash), "time": head.time_ms,
    })
}

fn place_told(place: Option<Place>) -> Value {
    place.map_or(Value::Null, |place| {
        json!({
            "chain": hex::encode(place.chain.0), "sequence": place.sequence, "hash": hex::encode(place.hash),
        })
    })
}

fn request_told(request: &Request) -> Value {
    let chains = request.held.iter().map(|(chain, state)| {
        json!({
            "chain": hex::encode(chain.0), "n": state.upto, "digest": hex::encode(state.digest),
            "last": state.last, "all": hex::encode(state.all),
            "head_sequence": state.head.sequence, "head_time": state.head.time_ms,
            "head_digest": hex::encode(state.head.digest),
        })
    });
    json!({
        "event": request.event.to_string(), "place": place_told(request.after),
        "bound": request.below.map(|chain| hex::encode(chain.0)),
        "certificate": hex::encode(&request.certificate), "head": head_told(request.head.fields()),
        "chains": chains.collect::<Vec<_>>(),
    })
}

fn part_told(item: &Item) -> Value {
    let (kind, part) = match item {
        Item::Certificate(part) => (1, part),
        Item::Head(part) => (2, part),
        Item::Record(part) => (3, part),
    };
    json!({ "kind": kind, "sha256": hex::encode(digest(&SHA256, part)) })
}

/// Of a delta that is made by rule, the parts are only counted.
fn delta_told(delta: &Delta, case: &Value) -> Value {
    let parts = match case["made"] {
        Value::Null => delta.items.iter().map(part_told).collect(),
        _ => json!(delta.items.len()),
    };
    json!({ "event": delta.event.to_string(), "place": place_told(delta.more), "parts": parts })
}

/// Cut to any length, a good vector is good only where the case says so, and else malformed inside of what is left.
fn check_prefixes<T>(name: &str, case: &Value, read: impl Fn(&[u8]) -> Result<T, LedgerError>) {
    if !case["made"].is_null() {
        return;
    }
    let (whole, mut good) = (whole(case), Vec::new());
    for length in 0..whole.len() {
        match ledger_verdict(&read(&whole[..length])) {
            ("Ok", _) => good.push(length),
            (verdict, at) => {
                assert_eq!(verdict, "Malformed", "{name} cut to {length}");
                assert!(at.is_some_and(|at| at <= length), "{name} cut to {length}: {at:?}");
            }
        }
    }
    assert_eq!(json!(good), case["prefixes"], "{name}");
}

/// Reads each case of a kind and holds what it tells, and what it writes, against the case; returns how many are good.
fn check_all<T>(
    kind: &str,
    read: impl Fn(&[u8], &Value) -> Result<T, LedgerError>,
    told: impl Fn(&T, &Value) -> Value,
    written: impl Fn(&T) -> Vec<u8>,
) -> usize {
    let (vectors, mut wrong, mut good) = (all(), Vec::new(), 0);
    for (name, case) in cases(&vectors, kind) {
        let whole = whole(case);
        let one = read(&whole, case);
        expect(&mut wrong, (name, case), ledger_verdict(&one));
        let Ok(one) = one else { continue };
        good += 1;
        let told = told(&one, case);
        if told != case["expect"] {
            wrong.push(format!("{name}:\n{told}\n{}", case["expect"]));
        }
        assert!(written(&one) == whole, "{name} is written otherwise");
        check_prefixes(name, case, |cut| read(cut, case));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    good
}

#[test]
fn heads() {
    let vectors = all();
    let key = manifest_key(&vectors);
    let read = |whole: &[u8], case: &Value| {
        let signed = bytes(&vectors["certificates"][case["certificate"].as_str().unwrap()]);
        let head = ChainHead::from_bytes(whole)?;
        head.check(&Certificate::read(&signed, &key).unwrap())?;
        Ok(head)
    };
    let written = |head: &ChainHead| {
        let signature = DeviceSignature::from_bytes(&head.as_bytes()[80..]).unwrap();
        ChainHead::from_parts(head.fields(), signature).unwrap().as_bytes().to_vec()
    };
    assert!(check_all("heads", read, |head, _| head_told(head.fields()), written) >= 10);
}

#[test]
fn requests() {
    let read = |whole: &[u8], _: &Value| Ok(Request::from_bytes(whole)?);
    assert!(check_all("requests", read, |request, _| request_told(request), Request::to_bytes) >= 15);
}

#[test]
fn ledger_deltas() {
    let read = |whole: &[u8], _: &Value| Ok(Delta::from_bytes(whole)?);
    assert!(check_all("deltas", read, delta_told, Delta::to_bytes) >= 15);
}

/// The places of a case, as the store gives them.
fn places(case: &Value) -> Vec<(u32, [u8; 32])> {
    let places = case["places"].as_array().unwrap().iter();
    places
        .map(|place| {
            (u32::try_from(place[0].as_u64().unwrap()).unwrap(), bytes(&place[1]).try_into().unwrap())
        })
        .collect()
}

#[test]
fn states() {
    let vectors = all();
    let states: BTreeMap<_, _> = cases(&vectors, "states")
        .map(|(name, case)| {
            let head = HeadRank { sequence: 7, ..HeadRank::default() };
            let state = HeldChain::of(&places(case)).state(head);
            assert_eq!(json!(state.upto), case["n"], "{name}");
            assert_eq!(hex::encode(state.digest), case["digest"], "{name}");
            assert_eq!(
                (json!(state.last), json!(hex::encode(state.all))),
                (case["last"].clone(), case["all"].clone()),
                "{name}"
            );
            assert_eq!(state.head, head);
            (name, state)
        })
        .collect();
    for (name, case) in cases(&vectors, "states") {
        let answers = case["answers"].as_object().unwrap();
        assert_eq!(answers.len(), states.len(), "{name}");
        for (asking, answer) in answers {
            // All come where those after none come.
            let after = answer.as_str().map_or(answer.clone(), |all| {
                assert_eq!(all, "all");
                json!(0)
            });
            assert_eq!(
                json!(states[asking.as_str()].lacks_after(&places(case))),
                after,
                "{name} to {asking}"
            );
        }
    }
    assert!(states.len() >= 15);
}

#[test]
fn the_vectors_are_those_of_the_other_implementation() {
    assert_eq!(made_by(SCRIPT), all());
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// What a fuzzer starts from is what the other implementation writes.
#[test]
fn the_seeds_are_those_of_the_other_implementation() {
    let folder = tempfile::tempdir().unwrap();
    run_script(SCRIPT, &["--seeds".as_ref(), folder.path().as_os_str()], "");
    let made = files(folder.path());
    assert!(made.len() >= 10);
    assert_eq!(made, files(&root().join("tests/fuzz/seeds/ledger")));
}
