//! Whatever bytes come as a manifest, a delta of one, a certificate or a scanned code: they are read or refused, and what
//! was read is written as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use ticket_wallet::barcode::{BamCode, Checks, IssuerKey, ScannedCode, read};
use ticket_wallet::manifest::Manifest;

fuzz_target!(|bytes: &[u8]| {
    let checks = Checks {
        keys: &[],
        now: 1_790_000_000,
        tolerance_s: 10,
        nonces: &[],
        nonce_required: false,
        event: None,
        sections: &[],
    };
    let reading = read(bytes, &checks);
    assert!(reading.code.is_none(), "nobody signed it");
    if let Some(code) = ScannedCode::parse(bytes) {
        assert_eq!(code.to_bytes().len(), ticket_wallet::barcode::CODE_LEN);
    }
    if let Ok(code) =
        std::str::from_utf8(bytes).map_err(drop).and_then(|text| BamCode::parse(text).map_err(drop))
    {
        assert!(code.ticket().to_string().starts_with('E'));
    }
    let (key, signed) = signed(bytes);
    if let Ok(manifest) = Manifest::read(&signed, &key) {
        assert_eq!(manifest.body(), bytes);
        let ids: Vec<_> = manifest.tickets().map(|row| row.id).collect();
        assert_eq!(ids.len(), manifest.ticket_count());
        for id in ids {
            let _ = (manifest.ticket(&id), manifest.seat(&id));
        }
        let _ = (manifest.sections().count(), manifest.issuers().count(), manifest.days().count());
        let _ =
            (manifest.nonces_at(1_790_000_000), manifest.event_key(), manifest.revoked_scanners().count());
    }
});

/// The bytes as a manifest that somebody signed whose key is pinned.
fn signed(body: &[u8]) -> (IssuerKey, Vec<u8>) {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed");
    let key = IssuerKey::from_bytes(pair.public_key().as_ref()).expect("it is a key");
    let signature = pair.sign(&[b"ticket-wallet/1/manifest\0", body].concat());
    (key, [body, signature.as_ref()].concat())
}
