//! P-256 device keys and their signatures: the forms that travel, and ECDSA over SHA-256 (FIPS 186-5).

use p256::ecdsa::Signature;
use p256::elliptic_curve::sec1::ToSec1Point;
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

/// Length of an uncompressed X9.63 public key: `04 ‖ x ‖ y`.
pub const P256_PUBLIC_LEN: usize = 65;
/// Length of a signature in the form that travels: `r ‖ s`, 32 bytes each, big-endian.
pub const SIGNATURE_LEN: usize = 64;

/// What was wrong with a device key or a signature that was handed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeviceKeyError {
    /// Not a 65-byte uncompressed X9.63 point on P-256.
    #[error("the device key is not an uncompressed P-256 point of 65 bytes")]
    NotAPoint,
    /// Not a DER `ECDSA-Sig-Value` (RFC 3279) with r and s in 1..n−1.
    #[error("the signature is not a DER-encoded P-256 signature")]
    NotASignature,
    /// Not 64 bytes of `r ‖ s` in range with a low s.
    #[error("the signature is not r‖s with r and s in range and s low")]
    NotLowS,
}

/// A device's public key: a point on P-256, kept as X9.63.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceKey {
    x963: [u8; P256_PUBLIC_LEN],
}

impl DeviceKey {
    /// Takes an uncompressed X9.63 key, as Secure Enclave and Android Keystore export it.
    ///
    /// # Errors
    /// [`DeviceKeyError::NotAPoint`] when the length, the leading byte or the curve equation does not hold.
    pub fn from_x963(bytes: &[u8]) -> Result<Self, DeviceKeyError> {
        let x963: [u8; P256_PUBLIC_LEN] = bytes.try_into().map_err(|_| DeviceKeyError::NotAPoint)?;
        p256::PublicKey::from_sec1_bytes(&x963).map_err(|_| DeviceKeyError::NotAPoint)?;
        Ok(Self { x963 })
    }

    /// Finds the point with this x coordinate whose y is odd or even as said; `None` when there is none.
    pub fn from_x(x: &[u8; 32], y_is_odd: bool) -> Option<Self> {
        let mut compressed = [0_u8; 33];
        compressed[0] = if y_is_odd { 3 } else { 2 };
        compressed[1..].copy_from_slice(x);
        let key = p256::PublicKey::from_sec1_bytes(&compressed).ok()?;
        let x963 = key.to_sec1_point(false).as_bytes().try_into().ok()?;
        Some(Self { x963 })
    }

    /// The key as uncompressed X9.63, 65 bytes.
    pub fn to_x963(&self) -> [u8; P256_PUBLIC_LEN] {
        self.x963
    }

    /// The x coordinate, big-endian.
    pub fn x(&self) -> [u8; 32] {
        let mut x = [0; 32];
        x.copy_from_slice(&self.x963[1..33]);
        x
    }

    /// Whether the y coordinate is odd.
    pub fn y_is_odd(&self) -> bool {
        self.x963[P256_PUBLIC_LEN - 1] & 1 == 1
    }

    /// Whether `signature` is this key's over SHA-256 of `message`.
    pub fn verifies(&self, message: &[u8], signature: &DeviceSignature) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.x963).verify(message, &signature.0).is_ok()
    }
}

/// A P-256 signature in its one accepted form: `r ‖ s`, both in 1..n−1, s in the lower half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceSignature([u8; SIGNATURE_LEN]);

impl DeviceSignature {
    /// Takes a vault's DER signature and lowers its s: vendors' signers return high ones too.
    ///
    /// # Errors
    /// [`DeviceKeyError::NotASignature`] when it is not DER or out of range.
    pub fn from_der(der: &[u8]) -> Result<Self, DeviceKeyError> {
        let signature = Signature::from_der(der).map_err(|_| DeviceKeyError::NotASignature)?;
        Ok(Self(signature.normalize_s().to_bytes().into()))
    }

    /// Takes a signature as it travels.
    ///
    /// # Errors
    /// [`DeviceKeyError::NotLowS`] when r or s is out of range or s is high.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DeviceKeyError> {
        let signature = Signature::from_slice(bytes).map_err(|_| DeviceKeyError::NotLowS)?;
        let raw: [u8; SIGNATURE_LEN] = signature.to_bytes().into();
        if signature.normalize_s() == signature { Ok(Self(raw)) } else { Err(DeviceKeyError::NotLowS) }
    }

    /// The signature as DER, s low: the form in which ledgers take it.
    ///
    /// # Errors
    /// None: a signature that was taken in can be written.
    pub fn to_der(self) -> Result<Vec<u8>, DeviceKeyError> {
        let signature = Signature::from_slice(&self.0).map_err(|_| DeviceKeyError::NotLowS)?;
        Ok(signature.to_der().as_bytes().to_vec())
    }

    /// The signature as it travels: `r ‖ s`.
    pub fn to_bytes(self) -> [u8; SIGNATURE_LEN] {
        self.0
    }
}
