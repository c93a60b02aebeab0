//! Ed25519 issuer keys (RFC 8032), strictly checked once when they are taken in.

use curve25519_dalek::edwards::CompressedEdwardsY;
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Length of a raw Ed25519 public key.
pub const ISSUER_KEY_LEN: usize = 32;

/// Why a public key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the issuer key is not a canonical Ed25519 public key of 32 bytes and full order")]
pub struct IssuerKeyError;

/// An issuer's public key and the time in which it counts as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuerKey {
    bytes: [u8; ISSUER_KEY_LEN],
    valid_from: i64,
    valid_until: i64,
}

impl IssuerKey {
    /// Takes a raw key that is known at all times.
    ///
    /// # Errors
    /// [`IssuerKeyError`] when it is not 32 bytes, not the canonical encoding of a curve point, or of small order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IssuerKeyError> {
        let bytes: [u8; ISSUER_KEY_LEN] = bytes.try_into().map_err(|_| IssuerKeyError)?;
        let point = CompressedEdwardsY(bytes).decompress().ok_or(IssuerKeyError)?;
        if point.compress().0 != bytes || point.is_small_order() {
            return Err(IssuerKeyError);
        }
        Ok(Self { bytes, valid_from: i64::MIN, valid_until: i64::MAX })
    }

    /// Limits the time in which the key is known: Unix seconds, both ends included.
    pub fn valid_between(self, from: i64, until: i64) -> Self {
        Self { valid_from: from, valid_until: until, ..self }
    }

    /// The raw key.
    pub fn to_bytes(self) -> [u8; ISSUER_KEY_LEN] {
        self.bytes
    }

    /// The first four bytes of SHA-256 of the raw key: how a credential names it.
    pub fn id(&self) -> [u8; 4] {
        let hash = digest(&SHA256, &self.bytes);
        let mut id = [0; 4];
        id.copy_from_slice(&hash.as_ref()[..4]);
        id
    }

    /// Whether the key counts as known at `now` (Unix seconds).
    pub fn is_known_at(&self, now: i64) -> bool {
        (self.valid_from..=self.valid_until).contains(&now)
    }

    /// Whether `signature` is this key's over `message`. S ≥ L and a non-canonical R are refused: R is compared byte
    /// for byte with its recomputed encoding.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, &self.bytes).verify(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_small_order_and_non_canonical_keys() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut order_four_negative = [0; 32];
        order_four_negative[31] = 0x80;
        let mut p_plus_one = [0xFF; 32]; // y = p + 1, a second encoding of y = 1
        p_plus_one[0] = 0xEE;
        p_plus_one[31] = 0x7F;
        let mut p_plus_three = p_plus_one; // y = 3 written as p + 3: a point of full order, not canonical
        p_plus_three[0] = 0xF0;
        for key in [[0; 32], identity, order_four_negative, p_plus_one, p_plus_three] {
            assert_eq!(IssuerKey::from_bytes(&key), Err(IssuerKeyError), "{key:?}");
        }
        assert_eq!(IssuerKey::from_bytes(&[1; 31]), Err(IssuerKeyError));
    }

    #[test]
    fn is_known_only_within_its_validity() {
        let raw = hex::decode("d9bf2148748a85c89da5aad8ee0b0fc2d105fd39d41a4c796536354f0ae2900c").unwrap();
        let key = IssuerKey::from_bytes(&raw).unwrap().valid_between(10, 20);
        assert_eq!([9, 10, 20, 21].map(|now| key.is_known_at(now)), [false, true, true, false]);
        assert_eq!(hex::encode(key.id()), "795ed5ff");
    }
}
