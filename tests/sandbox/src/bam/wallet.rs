//! Wallets as the server makes them: a P-256 key and a certificate that names an enrollment.

use chrono::{DateTime, Datelike};
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, date_time_ymd};

use super::BamError;
use crate::app::{App, random};

/// A new wallet.
pub(super) struct Wallet {
    /// The certificate as PEM.
    pub(super) certificate: String,
    /// The public key, an uncompressed point.
    pub(super) public_key: Vec<u8>,
    /// The private key as PEM (PKCS #8).
    pub(super) private_key: String,
}

impl Wallet {
    /// Makes a wallet whose self-signed certificate counts for whole days, times being Unix seconds.
    pub(super) fn create(app: &App, enrollment: &str, from_s: i64, to_s: i64) -> Result<Self, BamError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).map_err(std::io::Error::other)?;
        let certificate = certificate(enrollment, &key, from_s, to_s).map_err(std::io::Error::other)?;
        let private_key = key.serialize_pem();
        give_out_pem(app, &private_key);
        Ok(Self { certificate, public_key: key.public_key_raw().to_vec(), private_key })
    }
}

fn certificate(enrollment: &str, key: &KeyPair, from_s: i64, to_s: i64) -> Result<String, rcgen::Error> {
    let day = |unix_s: i64| {
        let date = DateTime::from_timestamp(unix_s, 0).unwrap_or_default();
        let small = |number: u32| u8::try_from(number).unwrap_or(1);
        date_time_ymd(date.year(), small(date.month()), small(date.day()))
    };
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, enrollment);
    params.distinguished_name.push(DnType::OrganizationalUnitName, "client");
    (params.not_before, params.not_after) = (day(from_s), day(to_s));
    Ok(params.self_signed(key)?.pem())
}

/// The text, and each of its lines: line ends may be written in another way elsewhere.
fn give_out_pem(app: &App, pem: &str) {
    app.give_out(pem);
    pem.lines().filter(|line| line.len() > 16 && !line.starts_with('-')).for_each(|line| app.give_out(line));
}

/// A random version 4 UUID.
pub(super) fn new_enrollment() -> Result<String, BamError> {
    let hex = hex::encode(random::<16>()?);
    let (version, variant) = (format!("4{}", &hex[13..16]), format!("8{}", &hex[17..20]));
    Ok([&hex[..8], &hex[8..12], &version, &variant, &hex[20..]].join("-"))
}
