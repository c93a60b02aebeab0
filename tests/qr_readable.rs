//! Promise: another vendor's decoder reads what the wallet draws, from spoilt pictures too, character by character.
#![allow(clippy::unwrap_used)]

#[path = "support/pictures.rs"]
mod pictures;
mod support;

use pictures::assert_readable;
use support::Signers;
use ticket_wallet::barcode::{signed_matrix, to_png, to_svg};

const NOW: u32 = 1_790_000_000;

fn codes() -> Vec<String> {
    let signers = Signers::new();
    let tickets = ["90210", "90211", "ticket-ä", "0"];
    (0_u32..).zip(tickets).map(|(step, ticket)| signers.code(ticket, NOW + 15 * step)).collect()
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
