//! Certificate pins: keys of which a server's certificate must have one, beside the platform's own trust.
//!
//! A pin matches the server's own certificate, or a certificate authority's that the server sends and that its own
//! certificate leads to by signatures. A root that no server sends is not seen. Which certificates the platform went
//! through is not told on every platform, so the way to the pinned key is checked here once more.
//!
//! Pins that have expired no longer count, and when all have, none are asked for: an app that was not brought up to date
//! goes on with the platform's trust rather than with no connection at all.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme,
};
use rustls_platform_verifier::Verifier;

use crate::error::Error;
use crate::model::CertificatePin;

/// One key alone would leave nothing to change to.
const FEWEST: usize = 2;

/// The pins of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pins(Vec<CertificatePin>);

impl Pins {
    /// Takes an account's pins: none, or two at least.
    ///
    /// # Errors
    /// [`Error::Input`] naming `pins`.
    pub(super) fn new(pins: &[CertificatePin]) -> Result<Self, Error> {
        let mut keys: Vec<&str> = Vec::new();
        for CertificatePin { sha256, .. } in pins {
            if !BASE64.decode(sha256).is_ok_and(|hash| hash.len() == SHA256_OUTPUT_LEN) {
                return Err(refused(
                    "a pin is the SHA-256 of a SubjectPublicKeyInfo, in base64: 44 characters",
                ));
            }
            if !keys.contains(&sha256.as_str()) {
                keys.push(sha256);
            }
        }
        if !keys.is_empty() && keys.len() < FEWEST {
            return Err(refused("at least two different pins are needed, so that a key can be changed"));
        }
        Ok(Self(pins.to_vec()))
    }

    /// The keys that count at a time, Unix seconds; none when all have expired.
    pub(super) fn at(&self, unix_s: i64) -> Vec<String> {
        let counts = |pin: &&CertificatePin| pin.expires_at.is_none_or(|end| unix_s < end);
        let mut keys: Vec<String> = self.0.iter().filter(counts).map(|pin| pin.sha256.clone()).collect();
        keys.sort();
        keys.dedup();
        keys
    }
}

/// The error for pins that cannot be used.
pub(super) fn refused(reason: &str) -> Error {
    Error::Input { field: "pins", reason: reason.to_owned() }
}

/// TLS that asks the platform and then for one of these keys.
pub(super) fn client_config(keys: &[String]) -> Result<ClientConfig, rustls::Error> {
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(rustls::crypto::ring::default_provider()));
    let verifier = PinVerifier {
        platform: Arc::new(Verifier::new(Arc::clone(&provider))?),
        provider: Arc::clone(&provider),
        keys: keys.to_vec(),
    };
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificate is trusted, and has none of the keys.
#[derive(Debug)]
struct Mismatch;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the certificate has none of the pinned keys")
    }
}

impl StdError for Mismatch {}

/// Whether an error of a connection comes from a certificate without a pinned key.
pub(super) fn is_mismatch(error: &(dyn StdError + 'static)) -> bool {
    if let Some(rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(why)))) =
        error.downcast_ref()
    {
        return why.is::<Mismatch>();
    }
    // An `io::Error` does not name what it wraps as its source.
    let wrapped =
        error.downcast_ref().and_then(io::Error::get_ref).map(|inner| inner as &(dyn StdError + 'static));
    wrapped.or_else(|| error.source()).is_some_and(is_mismatch)
}

#[derive(Debug)]
struct PinVerifier {
    platform: Arc<dyn ServerCertVerifier>,
    provider: Arc<CryptoProvider>,
    keys: Vec<String>,
}

impl PinVerifier {
    /// Whether the server's certificate has a pinned key, or a certificate with one stands above it.
    fn is_pinned(&self, own: &CertificateDer<'_>, others: &[CertificateDer<'_>], now: UnixTime) -> bool {
        let Ok(own) = ParsedCertificate::try_from(own) else { return false };
        self.has_key(&own)
            || others.iter().any(|above| {
                let parsed = ParsedCertificate::try_from(above);
                parsed.is_ok_and(|parsed| self.has_key(&parsed)) && self.leads_to(&own, above, others, now)
            })
    }

    fn has_key(&self, certificate: &ParsedCertificate<'_>) -> bool {
        let key = certificate.subject_public_key_info();
        self.keys.contains(&BASE64.encode(digest(&SHA256, key.as_ref())))
    }

    /// Whether a certificate that anybody can put into a chain has signed the server's own, or what leads to it.
    fn leads_to(
        &self,
        own: &ParsedCertificate<'_>,
        above: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> bool {
        let mut anchor = RootCertStore::empty();
        let algorithms = self.provider.signature_verification_algorithms.all;
        anchor.add(above.clone().into_owned()).is_ok()
            && verify_server_cert_signed_by_trust_anchor(own, &anchor, others, now, algorithms).is_ok()
    }
}

impl ServerCertVerifier for PinVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let trusted =
            self.platform.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        if self.is_pinned(end_entity, intermediates, now) {
            Ok(trusted)
        } else {
            Err(CertificateError::Other(OtherError(Arc::new(Mismatch))).into())
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.platform.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.platform.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.platform.supported_verify_schemes()
    }
}
