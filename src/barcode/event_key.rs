//! The P-256 key with which an event's codes are signed, in the forms in which servers give it.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use p256::elliptic_curve::sec1::ToSec1Point as _;

use super::device_key::P256_PUBLIC_LEN;

/// DER of a SubjectPublicKeyInfo of an EC key on P-256 up to its point (RFC 5480), by the point's length.
const SPKI_UNCOMPRESSED: &[u8] = b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
const SPKI_COMPRESSED: &[u8] = b"\x30\x39\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x22\x00";
const PEM_BEGIN: &str = "-----BEGIN PUBLIC KEY-----";
const PEM_END: &str = "-----END PUBLIC KEY-----";
/// Longer than any form of such a key, white space included.
const MAX_LEN: usize = 4096;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

/// The bytes are no public key of P-256 in a form that is read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the event key is not a P-256 public key as PEM, DER or a point")]
pub struct EventKeyError;

/// An event's public key: a point on P-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKey {
    x963: [u8; P256_PUBLIC_LEN],
}

impl EventKey {
    /// Takes a key as PEM (`PUBLIC KEY`), as DER of a SubjectPublicKeyInfo, or as a point of 65 or 33 bytes; DER and points
    /// also as text in Base64, of either alphabet, or hex.
    ///
    /// # Errors
    /// [`EventKeyError`] for anything else, and for a point that is not on the curve.
    pub fn parse(key: &[u8]) -> Result<Self, EventKeyError> {
        if key.len() > MAX_LEN {
            return Err(EventKeyError);
        }
        let found = Self::from_binary(key).or_else(|| Self::from_text(std::str::from_utf8(key).ok()?));
        found.ok_or(EventKeyError)
    }

    /// The key as uncompressed X9.63, 65 bytes.
    pub fn to_x963(&self) -> [u8; P256_PUBLIC_LEN] {
        self.x963
    }

    fn from_binary(bytes: &[u8]) -> Option<Self> {
        let in_spki = |prefix: &[u8], len| bytes.strip_prefix(prefix).filter(|point| point.len() == len);
        let point = in_spki(SPKI_UNCOMPRESSED, P256_PUBLIC_LEN).or_else(|| in_spki(SPKI_COMPRESSED, 33));
        let key = p256::PublicKey::from_sec1_bytes(point.unwrap_or(bytes)).ok()?;
        let x963 = key.to_sec1_point(false).as_bytes().try_into().ok()?;
        Some(Self { x963 })
    }

    fn from_text(text: &str) -> Option<Self> {
        // Some servers write the line breaks of a PEM as `\n`.
        let text = text.replace("\\n", "\n");
        let text = text.trim();
        let inner = text.strip_prefix(PEM_BEGIN).and_then(|rest| rest.strip_suffix(PEM_END));
        let digits: String = inner.unwrap_or(text).chars().filter(|c| !c.is_whitespace()).collect();
        hex::decode(&digits)
            .ok()
            .or_else(|| BASE64.decode(&digits).ok())
            .or_else(|| BASE64URL.decode(&digits).ok())
            .and_then(|bytes| Self::from_binary(&bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The generator of the curve (SEC 2, section 2.4.2), in hex.
    const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    fn spki() -> Vec<u8> {
        [SPKI_UNCOMPRESSED, &hex::decode(format!("04{X}{Y}")).unwrap()].concat()
    }

    #[test]
    fn one_key_in_all_its_forms() {
        let base64 = BASE64.encode(spki());
        let (first, second) = base64.split_at(64);
        let pem = format!("{PEM_BEGIN}\n{first}\n{second}\n{PEM_END}\n");
        let point = hex::decode(format!("04{X}{Y}")).unwrap();
        let compressed = hex::decode(format!("03{X}")).unwrap();
        let forms: Vec<Vec<u8>> = vec![
            pem.replace('\n', "\r\n").into(),
            pem.replace('\n', "\\n").into(),
            pem.into(),
            base64.into(),
            BASE64URL.encode(&point).into(),
            BASE64.encode(&compressed).trim_end_matches('=').into(),
            hex::encode(spki()).into(),
            hex::encode_upper(&point).into(),
            [SPKI_COMPRESSED, &compressed].concat(),
            spki(),
            compressed,
            point.clone(),
        ];
        for form in forms {
            let key = EventKey::parse(&form).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&form)));
            assert_eq!(key.to_x963().as_slice(), point);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        let mut beside = hex::decode(format!("04{X}{Y}")).unwrap();
        beside[64] ^= 1;
        let private = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----";
        let mut long = spki();
        long.push(0);
        for key in [b"".as_slice(), b"null", b"\0", &beside, private.as_bytes(), &long, &[b'0'; 5000]] {
            assert_eq!(EventKey::parse(key), Err(EventKeyError));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd_to_be_refused(bytes: Vec<u8>, flip: prop::sample::Index) {
            let _ = EventKey::parse(&bytes);
            let mut near = spki();
            let at = flip.index(near.len());
            near[at] ^= 0x10;
            let _ = EventKey::parse(&near);
        }
    }
}
