//! Promise: format 1 is what its description says. The vectors were made by an independent implementation.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod support;

use proptest::prelude::*;
use support::{bytes, check_as_json, vectors, vectors_gate as gate};
use ticket_wallet::barcode::{self, CodeVerdict};
use ticket_wallet::{CheckerConfig, CodeChecker, CredentialRequest, Issuer, KnownIssuer};

#[test]
fn every_case_is_judged_as_the_vectors_say() {
    let vectors = vectors();
    let gate = gate(&vectors);
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 40);
    for case in cases {
        let nonces = case["venue_nonces"].as_array().unwrap().iter().map(bytes).collect();
        let text = case["text"].as_str().unwrap().as_bytes().to_vec();
        let check = gate.check(text, case["now"].as_i64().unwrap(), nonces).unwrap();
        let check = check_as_json(&check);
        assert_eq!(
            (&check["verdict"], &check["fields"]),
            (&case["verdict"], &case["fields"]),
            "{}",
            case["name"]
        );
    }
}

#[test]
fn the_issuer_signs_the_vectors_credential() {
    let vectors = vectors();
    let issuer = Issuer::new(bytes(&vectors["issuer_seed"])).unwrap();
    assert_eq!(issuer.public_key(), bytes(&vectors["issuer_public_key"]));
    let expected = bytes(&vectors["credential"]);
    let device = barcode::Credential::from_bytes(&expected).unwrap().device_key().unwrap();
    let made = issuer
        .credential(CredentialRequest {
            provider: vectors["provider"].as_str().unwrap().to_owned(),
            event_id: vectors["event"].as_str().unwrap().to_owned(),
            ticket_id: vectors["ticket"].as_str().unwrap().to_owned(),
            section: 7,
            generation: 1,
            not_before: 1_789_913_600,
            lease_end: 1_790_086_400,
            window_s: 30,
            nonce_required: false,
            device_key: device.to_x963().to_vec(),
        })
        .unwrap();
    assert_eq!(hex::encode(made), hex::encode(expected));
}

#[test]
fn a_key_is_known_only_within_its_validity_and_ids_may_collide() {
    let vectors = vectors();
    let key = bytes(&vectors["issuer_public_key"]);
    let other = Issuer::new(vec![7; 32]).unwrap().public_key();
    let valid = &vectors["cases"][0];
    let verdict = |issuers: Vec<KnownIssuer>| {
        let gate =
            CodeChecker::new(CheckerConfig { issuers, event: None, sections: vec![], tolerance_s: 10 })
                .unwrap();
        gate.check(valid["text"].as_str().unwrap().into(), 1_790_000_003, vec![]).unwrap().verdict
    };
    let known = |public_key: &Vec<u8>, valid_from, valid_until| KnownIssuer {
        public_key: public_key.clone(),
        valid_from,
        valid_until,
    };
    assert_eq!(verdict(vec![known(&other, None, None), known(&key, None, None)]), CodeVerdict::Valid);
    assert_eq!(verdict(vec![known(&key, Some(1_790_000_003), Some(1_790_000_003))]), CodeVerdict::Valid);
    assert_eq!(verdict(vec![known(&key, Some(1_790_000_004), None)]), CodeVerdict::UnknownIssuer);
    assert_eq!(verdict(vec![known(&key, None, Some(1_790_000_002))]), CodeVerdict::UnknownIssuer);
}

#[test]
fn extreme_clocks_do_not_panic() {
    let vectors = vectors();
    let gate = gate(&vectors);
    for now in [i64::MIN, -1, 0, i64::MAX] {
        for case in vectors["cases"].as_array().unwrap() {
            let _ = gate.check(case["text"].as_str().unwrap().into(), now, vec![]).unwrap();
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic_or_pass(scanned in prop::collection::vec(any::<u8>(), 0..400)) {
        let check = gate(&vectors()).check(scanned, 1_790_000_003, vec![]).unwrap();
        prop_assert_eq!(check.verdict, CodeVerdict::Malformed);
    }

    /// Any changed byte of a valid code is refused, whatever it becomes.
    #[test]
    fn no_altered_code_passes(index in 0..202_usize, flip in 1..=255_u8) {
        let vectors = vectors();
        let text = vectors["cases"][0]["text"].as_str().unwrap();
        let mut code = barcode::base45::decode(&text.as_bytes()[4..]).unwrap();
        code[index] ^= flip;
        let altered = format!("TW1:{}", barcode::base45::encode(&code));
        let check = gate(&vectors).check(altered.into_bytes(), 1_790_000_003, vec![]).unwrap();
        prop_assert_ne!(check.verdict, CodeVerdict::Valid);
        prop_assert!(check.fields.is_none());
    }
}
