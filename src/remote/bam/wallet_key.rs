//! The private key of a wallet, which the server made: it signs nonces to sign in with, and digests of the ledger.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use p256::SecretKey;
use p256::ecdsa::signature::Signer as _;
use p256::ecdsa::signature::hazmat::PrehashSigner as _;
use p256::ecdsa::{Signature, SigningKey};
use zeroize::Zeroizing;

use crate::error::Error;

/// The shortest hash that is signed.
const HASH_LEN: usize = 32;

/// A P-256 key that signs in software.
#[derive(Clone)]
pub struct WalletKey(SigningKey);

opaque_debug!(WalletKey);

impl WalletKey {
    /// Reads a key as the server writes it: PEM of PKCS #8 (RFC 5958) or of `ECPrivateKey` (RFC 5915).
    ///
    /// # Errors
    /// [`Error::Untrusted`] for anything else, and for a key of another curve.
    pub fn from_pem(pem: &str) -> Result<Self, Error> {
        let digits = pem.lines().map(str::trim).filter(|line| !line.starts_with('-'));
        let digits: Zeroizing<String> = Zeroizing::new(digits.collect());
        let unreadable = || Error::Untrusted { what: "the wallet's private key is no P-256 key in PEM" };
        let der = Zeroizing::new(BASE64.decode(digits.as_bytes()).map_err(|_| unreadable())?);
        let key = SecretKey::from_der(&der).map_err(|_| unreadable())?;
        Ok(Self(SigningKey::from(key)))
    }

    /// Signs a text's SHA-256, in DER with a low s.
    pub fn sign_text(&self, text: &str) -> Vec<u8> {
        der(self.0.sign(text.as_bytes()))
    }

    /// Signs what is a hash already, of 32 bytes at least, of which the first 32 count (FIPS 186-5, 6.4.1), in DER with a
    /// low s.
    ///
    /// # Errors
    /// [`Error::Untrusted`] for fewer bytes.
    pub fn sign_hash(&self, hash: &[u8]) -> Result<Vec<u8>, Error> {
        let no_hash = Error::Untrusted { what: "what the ledger gave to be signed is no hash" };
        let signed = self.0.sign_prehash(hash).ok().filter(|_| hash.len() >= HASH_LEN);
        signed.map(der).ok_or(no_hash)
    }
}

fn der(signature: Signature) -> Vec<u8> {
    signature.normalize_s().to_der().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier as _;
    use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
    use p256::elliptic_curve::pkcs8::EncodePrivateKey as _;
    use p256::elliptic_curve::sec1::ToSec1Point as _;

    fn pem(kind: &str, der: &[u8], line_end: &str) -> String {
        let body = BASE64.encode(der);
        let lines: Vec<_> =
            body.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        let lines = lines.join(line_end);
        format!("-----BEGIN {kind}-----{line_end}{lines}{line_end}-----END {kind}-----{line_end}")
    }

    /// `ECPrivateKey` with the curve's name and the public key.
    fn sec1(key: &SecretKey) -> Vec<u8> {
        let point = key.public_key().to_sec1_point(false);
        let curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
        let parts: [&[u8]; 6] = [
            &[0x02, 0x01, 0x01, 0x04, 0x20],
            &key.to_bytes(),
            &[0xa0, 0x0a],
            &curve,
            &[0xa1, 0x44, 0x03, 0x42, 0x00],
            point.as_bytes(),
        ];
        let content = parts.concat();
        [&[0x30, u8::try_from(content.len()).unwrap()][..], &content].concat()
    }

    #[test]
    fn both_forms_of_a_key_sign_what_its_public_key_checks() {
        let secret = SecretKey::from_slice(&[7; 32]).unwrap();
        let public = VerifyingKey::from(secret.public_key());
        let pkcs8 = secret.to_pkcs8_der().unwrap();
        for text in [
            pem("PRIVATE KEY", pkcs8.as_bytes(), "\n"),
            pem("PRIVATE KEY", pkcs8.as_bytes(), "\r\n"),
            pem("EC PRIVATE KEY", &sec1(&secret), "\n"),
        ] {
            let key = WalletKey::from_pem(&text).unwrap();
            for number in 0..20_u8 {
                let hash = [number; 32];
                let of_hash = Signature::from_der(&key.sign_hash(&hash).unwrap()).unwrap();
                public.verify_prehash(&hash, &of_hash).unwrap();
                let of_text = Signature::from_der(&key.sign_text(&number.to_string())).unwrap();
                public.verify(number.to_string().as_bytes(), &of_text).unwrap();
                assert!([of_hash, of_text].iter().all(|one| one.normalize_s() == *one));
            }
            assert!(key.sign_hash(&[1; HASH_LEN - 1]).is_err());
            assert_eq!(format!("{key:?}"), "WalletKey(..)");
        }
        for none in ["", "nothing", &pem("PRIVATE KEY", b"no key", "\n"), "-----BEGIN PRIVATE KEY-----"] {
            assert!(WalletKey::from_pem(none).is_err(), "{none}");
        }
    }
}
