//! The keys that a server signs ID tokens with: a JSON Web Key Set (RFC 7517), RSA and P-256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

use crate::model::OAuthError;

/// More keys than any server has at a time.
const MAX_KEYS: usize = 64;

/// How an ID token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// ECDSA with P-256 and SHA-256.
    Es256,
}

impl Algorithm {
    /// Reads an `alg`.
    pub fn from_text(text: &str) -> Option<Self> {
        match text {
            "RS256" => Some(Self::Rs256),
            "ES256" => Some(Self::Es256),
            _ => None,
        }
    }
}

/// A set of keys. Keys of other kinds, and those that cannot be read, are not in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwks(Vec<Jwk>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Jwk {
    id: Option<String>,
    key: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PublicKey {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// `04 ‖ x ‖ y`.
    P256([u8; 65]),
}

impl Jwks {
    /// Reads a set.
    ///
    /// # Errors
    /// [`OAuthError::Description`] when it is none.
    pub fn read(set: &Value) -> Result<Self, OAuthError> {
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or(OAuthError::Description { field: "keys" })?;
        Ok(Self(keys.iter().filter_map(key).take(MAX_KEYS).collect()))
    }

    /// Whether there is a key that could have made a signature of this kind under this key id.
    pub fn has(&self, algorithm: Algorithm, id: Option<&str>) -> bool {
        self.candidates(algorithm, id).next().is_some()
    }

    /// Whether one of the keys that could have made it made this signature.
    pub fn verifies(&self, algorithm: Algorithm, id: Option<&str>, message: &[u8], signature: &[u8]) -> bool {
        self.candidates(algorithm, id).any(|key| key.verifies(message, signature))
    }

    /// With a key id the keys of that id, and those that have none; without one every key.
    fn candidates<'a>(
        &'a self,
        algorithm: Algorithm,
        id: Option<&'a str>,
    ) -> impl Iterator<Item = &'a PublicKey> {
        let named = move |key: &&Jwk| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        self.0.iter().filter(named).map(|key| &key.key).filter(move |key| key.algorithm() == algorithm)
    }
}

impl PublicKey {
    fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::P256(_) => Algorithm::Es256,
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Rsa { modulus, exponent } => RsaPublicKeyComponents { n: modulus, e: exponent }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
            Self::P256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature)
            }
        };
        verified.is_ok()
    }
}

fn key(key: &Value) -> Option<Jwk> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64URL.decode(text(name)?.trim_end_matches('=')).ok();
    if text("use").is_some_and(|usage| usage != "sig") {
        return None;
    }
    let public = match text("kty")? {
        "RSA" => {
            let unsigned = |name: &str| Some(without_zeros(bytes(name)?));
            PublicKey::Rsa { modulus: unsigned("n")?, exponent: unsigned("e")? }
        }
        "EC" if text("crv")? == "P-256" => PublicKey::P256(point(&bytes("x")?, &bytes("y")?)?),
        _ => return None,
    };
    let said = text("alg").map(Algorithm::from_text);
    let fits = said.is_none_or(|said| said == Some(public.algorithm()));
    fits.then(|| Jwk { id: text("kid").map(str::to_owned), key: public })
}

fn point(x: &[u8], y: &[u8]) -> Option<[u8; 65]> {
    let (x, y): ([u8; 32], [u8; 32]) = (x.try_into().ok()?, y.try_into().ok()?);
    let mut point = [4; 65];
    point[1..33].copy_from_slice(&x);
    point[33..].copy_from_slice(&y);
    Some(point)
}

/// A number as ring takes it; some servers write a sign byte before it.
fn without_zeros(mut number: Vec<u8>) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.drain(..zeros);
    number
}
