//! The codes of tickets: a ledger id, signed with its event's key, as text and as picture.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use png::{BitDepth, ColorType, Encoder};
use qrcode::{Color, QrCode};
use serde_json::json;

use crate::seeded;

const BASE45: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
/// A P-256 public key as SubjectPublicKeyInfo (RFC 5480), up to the point itself.
const SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
const MODULE_PIXELS: usize = 6;
const QUIET_MODULES: usize = 4;

/// The key that signs an event's tickets. The same seed makes the same key.
#[derive(Debug)]
pub(super) struct EventKey(SigningKey);

impl EventKey {
    /// The key of an event.
    pub(super) fn of(seed: u64, tenant: &str, event: i64) -> std::io::Result<Self> {
        let scalar = seeded::bytes(seed, &format!("event key {tenant} {event}"));
        SigningKey::from_slice(&scalar).map(Self).map_err(std::io::Error::other)
    }

    /// The public key as PEM.
    pub(super) fn public_pem(&self) -> String {
        let point = self.0.verifying_key().to_sec1_point(false);
        let body = BASE64.encode([&SPKI[..], point.as_bytes()].concat());
        let (first, second) = body.split_at(64);
        format!("-----BEGIN PUBLIC KEY-----\n{first}\n{second}\n-----END PUBLIC KEY-----\n")
    }

    /// The text of a ticket's code.
    pub(super) fn code(&self, ledger_id: &str) -> String {
        let payload = json!({"id": ledger_id}).to_string();
        let signature: Signature = self.0.sign(payload.as_bytes());
        format!("{}:::{}", base45(payload.as_bytes()), base45(signature.to_der().as_bytes()))
    }
}

/// Base45 (RFC 9285).
fn base45(bytes: &[u8]) -> String {
    let mut text = String::new();
    for pair in bytes.chunks(2) {
        let mut number = pair.iter().fold(0, |number, byte| number * 256 + usize::from(*byte));
        for _ in 0..=pair.len() {
            text.push(char::from(BASE45[number % 45]));
            number /= 45;
        }
    }
    text
}

/// A QR code's picture as PNG in base64.
pub(super) fn picture(text: &str) -> std::io::Result<String> {
    let code = QrCode::new(text).map_err(std::io::Error::other)?;
    let (modules, colors) = (code.width(), code.to_colors());
    let side = (modules + 2 * QUIET_MODULES) * MODULE_PIXELS;
    let is_dark = |x: usize, y: usize| {
        let module =
            |pixel: usize| (pixel / MODULE_PIXELS).checked_sub(QUIET_MODULES).filter(|at| *at < modules);
        module(x).zip(module(y)).is_some_and(|(x, y)| colors.get(y * modules + x) == Some(&Color::Dark))
    };
    let pixels: Vec<u8> =
        (0..side * side).map(|at| if is_dark(at % side, at / side) { 0 } else { 255 }).collect();
    Ok(BASE64.encode(grey_png(&pixels, side)?))
}

/// A white picture of a pass.
pub(super) fn blank_picture() -> std::io::Result<Vec<u8>> {
    grey_png(&[255; 29 * 29], 29)
}

fn grey_png(pixels: &[u8], side: usize) -> std::io::Result<Vec<u8>> {
    let mut file = Vec::new();
    let side = u32::try_from(side).map_err(std::io::Error::other)?;
    let mut encoder = Encoder::new(&mut file, side, side);
    encoder.set_color(ColorType::Grayscale);
    encoder.set_depth(BitDepth::Eight);
    encoder.write_header()?.write_image_data(pixels)?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn base45_is_as_its_rfc_says() {
        for (plain, text) in [("AB", "BB8"), ("Hello!!", "%69 VD92EX0"), ("base-45", "UJCLQE7W581"), ("", "")]
        {
            assert_eq!(base45(plain.as_bytes()), text);
        }
    }

    #[test]
    fn events_have_their_own_keys() {
        let pem = |event| EventKey::of(1, "nordhafen", event).unwrap().public_pem();
        assert_eq!(pem(1), pem(1));
        assert_ne!(pem(1), pem(2));
        assert_eq!(pem(1).lines().count(), 4);
    }
}
