//! `barcode verify` gives the verdicts of the vectors, says them the same way always, and takes any input.

use serde_json::{Value, json};

use crate::command::{Finished, run, ticket_wallet};
use crate::support::{vectors, vectors_event};

const VERIFY: [&str; 2] = ["barcode", "verify"];

fn verify(options: &[&str], input: &[u8]) -> Finished {
    run(&mut ticket_wallet(&[&VERIFY[..], options].concat()), input)
}

/// The verdict, after checking that it is said in one line and by the exit code alike.
fn verdict(options: &[&str], input: &[u8]) -> Value {
    let found = verify(options, input);
    assert_eq!((found.stderr.as_str(), found.stdout.lines().count()), ("", 1), "{found:?}");
    assert!(found.stdout.ends_with('\n'));
    let said: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found.code, Some(i32::from(said["verdict"] != "Valid")), "{found:?}");
    said
}

fn case<'a>(vectors: &'a Value, name: &str) -> &'a Value {
    vectors["cases"].as_array().unwrap().iter().find(|case| case["name"] == name).unwrap()
}

fn text(case: &Value) -> &[u8] {
    case["text"].as_str().unwrap().as_bytes()
}

#[test]
fn every_vector_gets_its_verdict_and_fields() {
    let vectors = vectors();
    let (key, event) = (vectors["issuer_public_key"].as_str().unwrap(), hex::encode(vectors_event(&vectors)));
    let cases = vectors["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 40);
    for case in cases {
        let now = case["now"].to_string();
        let mut options = vec!["--issuer-key", key, "--now", &now, "--event", &event];
        options.extend(["--section", "7", "--tolerance", "10"]);
        for nonce in case["venue_nonces"].as_array().unwrap() {
            options.extend(["--nonce", nonce.as_str().unwrap()]);
        }
        let wanted = json!({ "verdict": case["verdict"], "fields": case["fields"] });
        assert_eq!(verdict(&options, text(case)), wanted, "{}", case["name"]);
    }
}

#[test]
fn what_is_not_asked_for_is_not_checked() {
    let vectors = vectors();
    let key = vectors["issuer_public_key"].as_str().unwrap();
    let options = ["--issuer-key", key, "--now", "1790000003"];
    for name in ["wrong section", "other event"] {
        assert_eq!(verdict(&options, text(case(&vectors, name)))["verdict"], "Valid", "{name}");
    }
    // Ten seconds of tolerance unless said otherwise; --json changes nothing.
    for (name, verdict_by_default) in
        [("just inside window plus tolerance", "Valid"), ("stale by one second", "Stale")]
    {
        let case = case(&vectors, name);
        let now = case["now"].to_string();
        let mut options = vec!["--issuer-key", key, "--now", &now];
        assert_eq!(verdict(&options, text(case))["verdict"], verdict_by_default, "{name}");
        options.extend(["--json", "--tolerance", "11"]);
        assert_eq!(verdict(&options, text(case))["verdict"], "Valid", "{name}");
        options[5..].copy_from_slice(&["--tolerance", "0"]);
        assert_eq!(verdict(&options, text(case))["verdict"], "Stale", "{name}");
    }
}

#[test]
fn options_are_repeated_or_take_several_values() {
    let vectors = vectors();
    let key = vectors["issuer_public_key"].as_str().unwrap();
    let case = case(&vectors, "venue nonce required and current");
    let nonces: Vec<_> =
        case["venue_nonces"].as_array().unwrap().iter().map(|nonce| nonce.as_str().unwrap()).collect();
    let other_key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let now = ["--now", "1790000003"];
    for (name, listed) in [("--issuer-key", vec![other_key, key]), ("--nonce", nonces.clone())] {
        let (rest, all) = if name == "--nonce" {
            (vec!["--issuer-key", key], nonces.clone())
        } else {
            (["--nonce"].into_iter().chain(nonces.clone()).collect(), listed.clone())
        };
        let repeated: Vec<_> = all.iter().flat_map(|value| [name, *value]).collect();
        let together: Vec<_> = [name].into_iter().chain(listed).collect();
        for form in [repeated, together] {
            let options = [&now[..], &rest, &form].concat();
            assert_eq!(verdict(&options, text(case))["verdict"], "Valid", "{options:?}");
        }
    }
    for (sections, expected) in [
        (&["--section", "1", "--section", "7"][..], "Valid"),
        (&["--section", "1", "7"], "Valid"),
        (&["--section", "1", "--section", "2"], "WrongSection"),
        (&["--section", "1", "2"], "WrongSection"),
    ] {
        let options = [&["--issuer-key", key, "--now", "1790000003"], sections].concat();
        assert_eq!(verdict(&options, text(&vectors["cases"][0]))["verdict"], expected, "{sections:?}");
    }
}

#[test]
fn no_input_is_too_strange_or_too_long() {
    let vectors = vectors();
    let key = vectors["issuer_public_key"].as_str().unwrap();
    let options = ["--issuer-key", key, "--now", "1790000003"];
    let valid = text(&vectors["cases"][0]);
    let malformed = json!({ "verdict": "Malformed", "fields": {} });
    let spaces = |count: usize| [valid, &vec![b' '; count]].concat();
    let strange = [
        Vec::new(),
        b"\n".to_vec(),
        vec![0xff, 0xfe],
        [valid, &[0xff]].concat(),
        [b"\0", valid].concat(),
        vec![b'A'; 3 << 20],
        vec![0; 3 << 20],
        [valid, &vec![b' '; 1 << 20], b"X"].concat(),
        [valid, &vec![b'\n'; 1 << 16], valid].concat(),
        spaces(1 << 20),
    ];
    for input in strange {
        let start = String::from_utf8_lossy(&input[..input.len().min(20)]).into_owned();
        assert_eq!(verdict(&options, &input), malformed, "{} bytes from {start:?}", input.len());
    }
    assert_eq!(verdict(&options, &spaces(100))["verdict"], "Valid");
    for now in ["-9223372036854775808", "-1", "0", "9223372036854775807"] {
        let said = verdict(&["--issuer-key", key, "--now", now], valid);
        assert!(["Stale", "FromTheFuture"].contains(&said["verdict"].as_str().unwrap()), "{said}");
    }
}

#[test]
fn wrong_options_are_usage_errors() {
    let vectors = vectors();
    let key = vectors["issuer_public_key"].as_str().unwrap();
    let known = ["--issuer-key", key, "--now", "1790000003"];
    let with = |more: &[&'static str]| [&known[..], more].concat();
    let wrong = [
        vec![],
        vec!["--issuer-key", key],
        vec!["--now", "1"],
        vec!["--issuer-key", "--now", "1"],
        vec!["--issuer-key", "00", "--now", "1"],
        vec!["--issuer-key", "zz", "--now", "1"],
        vec!["--issuer-key", &key[1..], "--now", "1"],
        // The neutral element, under which anything could be signed.
        vec![
            "--issuer-key",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "--now",
            "1",
        ],
        vec!["--issuer-key", key, "--now", "soon"],
        vec!["--issuer-key", key, "--now", "9223372036854775808"],
        with(&["--nonce", "01"]),
        with(&["--nonce"]),
        with(&["--event", "0102"]),
        with(&["--event", "0102030405060708", "--event", "0102030405060708"]),
        with(&["--section", "65536"]),
        with(&["--section", "-1"]),
        with(&["--tolerance", "-1"]),
        with(&["--tolerance", "4294967296"]),
        with(&["--frobnicate"]),
        with(&["extra"]),
    ];
    for options in wrong {
        let found = verify(&options, text(&vectors["cases"][0]));
        assert!(found.failed(2).starts_with("error: "), "{options:?}");
    }
}
