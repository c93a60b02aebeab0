//! Promise: another implementation, written in Python from the format's description alone, judges every code as the
//! gate does.
#![allow(clippy::unwrap_used)]

#[path = "support/mutants.rs"]
mod mutants;
mod support;

use std::collections::BTreeSet;

use mutants::mutants;
use serde_json::{Value, json};
use support::{check_as_json, judge, vectors, vectors_event, vectors_gate};

fn second_opinions(vectors: &Value, codes: impl Iterator<Item = (Vec<u8>, i64, Value)>) -> Vec<Value> {
    let request = |(text, now, nonces): (Vec<u8>, i64, Value)| {
        json!({
            "text_hex": hex::encode(text), "now": now, "nonces": nonces, "issuer_keys": [vectors["issuer_public_key"]],
            "event": hex::encode(vectors_event(vectors)), "sections": vectors["gate_sections"],
            "tolerance": vectors["tolerance"],
        })
    };
    judge(&codes.map(request).collect::<Vec<_>>())
}

#[test]
fn the_other_implementation_agrees_with_the_vectors() {
    let vectors = vectors();
    let cases = vectors["cases"].as_array().unwrap();
    let codes = cases.iter().map(|case| {
        let text = case["text"].as_str().unwrap().as_bytes().to_vec();
        (text, case["now"].as_i64().unwrap(), case["venue_nonces"].clone())
    });
    let opinions = second_opinions(&vectors, codes);
    assert_eq!((cases.len(), opinions.len()), (40, 40));
    for (case, opinion) in cases.iter().zip(opinions) {
        assert_eq!(opinion["verdict"], case["verdict"], "{}", case["name"]);
        assert_eq!(opinion["fields"], case["fields"], "{}", case["name"]);
    }
}

#[test]
fn both_judge_every_altered_code_alike() {
    let vectors = vectors();
    let gate = vectors_gate(&vectors);
    let mutants = mutants(&vectors);
    let codes = mutants.iter().map(|mutant| {
        let nonces = mutant.nonces.iter().map(hex::encode).collect::<Vec<_>>();
        (mutant.text.clone(), mutant.now, json!(nonces))
    });
    let opinions = second_opinions(&vectors, codes);
    assert!(mutants.len() >= 200, "{}", mutants.len());
    assert_eq!(mutants.len(), opinions.len());
    let mut verdicts = BTreeSet::new();
    let mut apart = Vec::new();
    for (mutant, opinion) in mutants.iter().zip(opinions) {
        let ours =
            check_as_json(&gate.check(mutant.text.clone(), mutant.now, mutant.nonces.clone()).unwrap());
        verdicts.insert(ours["verdict"].to_string());
        if ours != opinion {
            apart.push(format!("{}: the gate says {ours}, the other {opinion}", mutant.name));
        }
    }
    assert!(apart.is_empty(), "{}", apart.join("\n"));
    assert_eq!(verdicts.len(), 11, "every verdict comes up: {verdicts:?}");
}
