//! The keys that sign ID tokens: JWT (RFC 7519) with RS256 or ES256 (RFC 7518), and the key set (RFC 7517) to check them.

use std::fmt;
use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

use super::choices::IdTokenAlgorithm;

/// An RSA key that signs nothing but this sandbox's ID tokens: making one takes seconds.
const RSA_PKCS8: &[u8] = include_bytes!("id_token_rsa.pk8");

/// The keys of one brand; `Debug` does not print them.
pub(crate) struct SigningKeys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ec_pkcs8: Vec<u8>,
    brand: String,
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKeys").field("brand", &self.brand).finish_non_exhaustive()
    }
}

impl SigningKeys {
    /// The keys of a brand: the P-256 one is new.
    pub(crate) fn generate(brand: &str) -> io::Result<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(failed)?;
        Ok(Self {
            rsa: RsaKeyPair::from_pkcs8(RSA_PKCS8).map_err(failed)?,
            ec: EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).map_err(failed)?,
            ec_pkcs8: pkcs8.as_ref().to_vec(),
            brand: brand.to_owned(),
        })
    }

    /// The private keys as a leak would show them: PKCS #8 in Base64url.
    pub(crate) fn secrets(&self) -> [String; 2] {
        [BASE64.encode(RSA_PKCS8), BASE64.encode(&self.ec_pkcs8)]
    }

    /// Signs claims.
    pub(crate) fn sign(&self, algorithm: IdTokenAlgorithm, claims: &Value) -> io::Result<String> {
        let header = json!({"typ": "JWT", "alg": name(algorithm), "kid": self.key_id(algorithm)});
        let signed = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(claims.to_string()));
        let signature = self.signature(algorithm, signed.as_bytes())?;
        Ok(format!("{signed}.{}", BASE64.encode(signature)))
    }

    /// The public keys as a JWK Set.
    pub(crate) fn key_set(&self) -> Value {
        let rsa = PublicKeyComponents::<Vec<u8>>::from(self.rsa.public());
        let point = self.ec.public_key().as_ref();
        let (x, y) = point.get(1..).unwrap_or_default().split_at(32.min(point.len().saturating_sub(1)));
        json!({"keys": [
            {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": self.key_id(IdTokenAlgorithm::Rs256),
                "n": BASE64.encode(rsa.n), "e": BASE64.encode(rsa.e)},
            {"kty": "EC", "use": "sig", "alg": "ES256", "kid": self.key_id(IdTokenAlgorithm::Es256),
                "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y)},
        ]})
    }

    fn key_id(&self, algorithm: IdTokenAlgorithm) -> String {
        format!("{}-{}", self.brand, name(algorithm).to_lowercase())
    }

    fn signature(&self, algorithm: IdTokenAlgorithm, message: &[u8]) -> io::Result<Vec<u8>> {
        let random = SystemRandom::new();
        match algorithm {
            IdTokenAlgorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
            IdTokenAlgorithm::Es256 => {
                let signature = self.ec.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

fn name(algorithm: IdTokenAlgorithm) -> &'static str {
    match algorithm {
        IdTokenAlgorithm::Rs256 => "RS256",
        IdTokenAlgorithm::Es256 => "ES256",
    }
}

/// ring says no more than that it failed.
fn failed<E>(_: E) -> io::Error {
    io::Error::other("a signing key does not work")
}
