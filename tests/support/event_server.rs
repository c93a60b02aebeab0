//! An event's server with the extension's gates, for a server of a few lines: it certifies whoever signs in, and gives out
//! what it is told to.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use serde_json::json;
use ticket_wallet::{ManifestIssuer, ScannerRequest};

use crate::tiny_server::{Answer, Asked};

pub(crate) const PROVIDER: &str = "bam:api.example.org/org1";
pub(crate) const EVENT: &str = "4711";

/// What the server gives out, and what it was handed.
#[derive(Default)]
pub(crate) struct Desk {
    /// The signed manifest.
    pub(crate) offered: Vec<u8>,
    pub(crate) records: Vec<Vec<u8>>,
    /// Of the scanners, in the order in which they registered.
    pub(crate) certificates: Vec<Vec<u8>>,
    /// The first and the last second of certificates; `None` is for ever.
    pub(crate) certified: (u32, Option<u32>),
}

/// `POST /gates`, `GET /gates/manifest`, `POST /gates/ledger`, each as the extension's description has it.
pub(crate) fn answer(asked: &Asked, keys: &ManifestIssuer, desk: &mut Desk) -> Answer {
    let path = asked.path.split('?').next().unwrap_or_default();
    match (asked.method.as_str(), path) {
        ("GET", "/.well-known/ticket-wallet") => {
            json_of(&json!({ "version": 1, "base": "/wallet/v1", "features": ["gate"] }))
        }
        ("POST", "/wallet/v1/gates") => {
            let key = BASE64URL.decode(asked.json()["scanner_key"].as_str().unwrap()).unwrap();
            // The id is the key's own: the same key is the same scanner.
            let scanner_id = key[1..9].to_vec();
            let certificate = keys.certificate(ScannerRequest {
                provider: PROVIDER.to_owned(),
                event_id: EVENT.to_owned(),
                scanner_id: scanner_id.clone(),
                scanner_key: key,
                not_before: desk.certified.0,
                not_after: desk.certified.1,
                name: asked.json()["name"].as_str().unwrap().to_owned(),
                sections: vec![7],
            });
            let certificate = certificate.unwrap();
            desk.certificates.push(certificate.clone());
            json_of(&json!({
                "scanner_id": BASE64URL.encode(scanner_id), "certificate": BASE64URL.encode(&certificate),
                "manifest_key": BASE64URL.encode(keys.public_key()), "session": "session-of-the-door",
                "event": { "provider": PROVIDER, "id": EVENT, "name": "Final" },
                "sections": [{ "code": 7, "name": "North" }],
            }))
        }
        ("GET", "/wallet/v1/gates/manifest") => Answer::ok(desk.offered.clone()),
        ("POST", "/wallet/v1/gates/ledger") => {
            let records = asked.json();
            let records = records.as_array().unwrap().iter().map(|one| one.as_str().unwrap());
            desk.records.extend(records.map(|one| BASE64URL.decode(one).unwrap()));
            json_of(&json!({ "held": {} }))
        }
        ("GET", "/wallet/v1/gates/ledger") => {
            let encoded = |all: &[Vec<u8>]| all.iter().map(|one| BASE64URL.encode(one)).collect::<Vec<_>>();
            json_of(
                &json!({ "records": encoded(&desk.records), "certificates": encoded(&desk.certificates), "cursor": "1" }),
            )
        }
        _ => Answer::status(404),
    }
}

fn json_of(value: &serde_json::Value) -> Answer {
    Answer::ok(value.to_string()).with("content-type: application/json")
}
