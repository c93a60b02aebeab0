//! Promise: another vendor's decoder reads what the wallet draws, from spoilt pictures too, character by character.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{Signers, json_lines, run_script};
use ticket_wallet::barcode::{signed_matrix, to_png, to_svg};

const NOW: u32 = 1_790_000_000;
/// As drawn, and eight ways of spoiling it.
const VARIANTS: usize = 9;

fn codes() -> Vec<String> {
    let signers = Signers::new();
    let tickets = ["90210", "90211", "ticket-ä", "0"];
    (0_u32..).zip(tickets).map(|(step, ticket)| signers.code(ticket, NOW + 15 * step)).collect()
}

/// Spoils a picture in every way and decodes each result.
fn decode_all(picture: &Path) -> Vec<Value> {
    let folder = picture.parent().unwrap();
    let paths: Vec<String> = serde_json::from_str(&run_script("degrade.py", &[picture, folder], "")).unwrap();
    assert_eq!(paths.len(), VARIANTS);
    let mut decoded = json_lines(&run_script("decode.py", &paths, ""));
    assert_eq!(decoded.len(), VARIANTS);
    for (found, path) in decoded.iter_mut().zip(paths) {
        found["file"] = path.into();
    }
    decoded
}

fn assert_readable(picture: &Path, text: &str) {
    for found in decode_all(picture) {
        assert_eq!(found["text"], text, "{found}");
        assert_eq!(found["content_bytes_hex"], hex::encode(text), "{found}");
        assert_eq!((&found["version"], &found["ec_level"]), (&10.into(), &"M".into()), "{found}");
        assert_eq!(found["format"], "QR Code", "{found}");
    }
}

#[test]
fn png_pictures_are_read_exactly_even_when_spoilt() {
    let folder = tempfile::tempdir().unwrap();
    for (index, text) in codes().iter().enumerate() {
        let picture = folder.path().join(format!("{index}.png"));
        std::fs::write(&picture, to_png(&signed_matrix(text).unwrap(), 8).unwrap()).unwrap();
        assert_readable(&picture, text);
    }
}

#[test]
fn svg_pictures_are_read_exactly_even_when_spoilt() {
    let folder = tempfile::tempdir().unwrap();
    let text = &codes()[0];
    let picture = folder.path().join("code.svg");
    std::fs::write(&picture, to_svg(&signed_matrix(text).unwrap())).unwrap();
    assert_readable(&picture, text);
}
