//! Promise: B.A.M's own codes, their pictures and their keys are read as the vendor's SDK writes and checks them. The
//! vectors were made with that SDK, and pictures with another encoder than ours.
#![allow(clippy::unwrap_used, missing_docs)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use ticket_wallet::barcode::{BamCode, EventKey, bam_code_text, read_png, static_matrix, to_png};

fn vectors() -> Value {
    serde_json::from_str(include_str!("fixtures/bam-code.json")).unwrap()
}

fn key(vectors: &Value) -> EventKey {
    EventKey::parse(vectors["event_key_pem"].as_str().unwrap().as_bytes()).unwrap()
}

fn judge(text: &str, key: &EventKey) -> Value {
    let code = match BamCode::parse(text) {
        Ok(code) => code,
        Err(error) => return json!({ "verdict": format!("{error:?}") }),
    };
    let ticket = code.ticket();
    let verdict = code.verify(key).map_or_else(|error| format!("{error:?}"), |()| "Signed".to_owned());
    json!({
        "verdict": verdict,
        "ticket": {
            "event": ticket.event, "ticket_config": ticket.ticket_config, "seq_num": ticket.seq_num,
        },
    })
}

#[test]
fn every_code_is_judged_as_the_vectors_say() {
    let vectors = vectors();
    let key = key(&vectors);
    assert_eq!(hex::encode(key.to_x963()), vectors["point"].as_str().unwrap());
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 29);
    for case in cases {
        let mut said = judge(case["text"].as_str().unwrap(), &key);
        said["name"] = case["name"].clone();
        said["text"] = case["text"].clone();
        assert_eq!(said, *case);
    }
}

#[test]
fn a_code_is_written_as_the_sdk_writes_it() {
    let vectors = vectors();
    for case in vectors["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        if let Ok(code) = BamCode::parse(text) {
            assert_eq!(bam_code_text(code.payload(), code.signature()), text);
            let plain = case["name"] != "other members, white space and order";
            assert_eq!(code.ticket().payload() == code.payload(), plain, "{}", case["name"]);
        }
    }
}

#[test]
fn pictures_of_another_encoder_give_the_text() {
    let vectors = vectors();
    let pictures = vectors["pictures"].as_array().unwrap();
    assert_eq!(pictures.len(), 5);
    for picture in pictures {
        let file = BASE64.decode(picture["png"].as_str().unwrap()).unwrap();
        assert_eq!(read_png(&file).as_deref(), Ok(picture["text"].as_str().unwrap()), "{}", picture["name"]);
    }
}

#[test]
fn what_the_wallet_draws_is_what_it_read() {
    for case in vectors()["cases"].as_array().unwrap() {
        let text = case["text"].as_str().unwrap();
        if !text.is_empty() {
            let drawn = to_png(&static_matrix(text).unwrap(), 3).unwrap();
            assert_eq!(read_png(&drawn).as_deref(), Ok(text));
        }
    }
}
