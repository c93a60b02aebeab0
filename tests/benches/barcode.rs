//! Signing, checking and drawing a barcode, each beside the bare primitive it cannot do without.
#![allow(clippy::unwrap_used, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use qrcode::{EcLevel, QrCode, Version};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use ticket_wallet::barcode::signed_matrix;
use ticket_wallet::{CheckerConfig, CodeChecker, KnownIssuer};

#[path = "../support/stocked.rs"]
mod stocked;

/// As long as what the two signatures of a code cover.
const MESSAGE: [u8; 97] = [7; 97];

fn device_pair(random: &SystemRandom) -> EcdsaKeyPair {
    let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), random).unwrap()
}

/// A frame: store, vault file, signature, its check, QR matrix; beside one bare P-256 signature.
fn present(criterion: &mut Criterion) {
    let stocked = stocked::wallet(24);
    let random = SystemRandom::new();
    let pair = device_pair(&random);
    let mut group = criterion.benchmark_group("present");
    group.bench_function("wallet", |b| {
        b.iter(|| stocked.wallet.present(stocked.ticket.clone(), None).unwrap())
    });
    group.bench_function("ring P-256 sign", |b| b.iter(|| pair.sign(&random, black_box(&MESSAGE)).unwrap()));
    group.finish();
}

/// The gate's check; beside the two bare signature checks.
fn verify(criterion: &mut Criterion) {
    let stocked = stocked::wallet(24);
    let shown = stocked.wallet.present(stocked.ticket.clone(), None).unwrap();
    let issuers = vec![KnownIssuer { public_key: shown.issuer_key, valid_from: None, valid_until: None }];
    let gate =
        CodeChecker::new(CheckerConfig { issuers, event: None, sections: vec![], tolerance_s: 10 }).unwrap();
    let text = shown.text.into_bytes();

    let random = SystemRandom::new();
    let (device, issuer) = (device_pair(&random), Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap());
    let (proof, credential) = (device.sign(&random, &MESSAGE).unwrap(), issuer.sign(&MESSAGE));
    let device = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, device.public_key().as_ref());
    let issuer = UnparsedPublicKey::new(&ED25519, issuer.public_key().as_ref());

    let mut group = criterion.benchmark_group("verify");
    group.bench_function("gate", |b| {
        b.iter(|| gate.check(black_box(text.clone()), shown.presented_at, vec![]).unwrap())
    });
    group.bench_function("ring Ed25519 + P-256 verify", |b| {
        b.iter(|| {
            issuer.verify(black_box(&MESSAGE), credential.as_ref()).unwrap();
            device.verify(black_box(&MESSAGE), proof.as_ref()).unwrap();
        });
    });
    group.finish();
}

/// The picture with one fixed mask; beside the encoder that scores eight.
fn picture(criterion: &mut Criterion) {
    let text = format!("TW1:{}", "A1:".repeat(101));
    let mut group = criterion.benchmark_group("picture");
    group.bench_function("one mask", |b| b.iter(|| signed_matrix(black_box(&text)).unwrap()));
    group.bench_function("qrcode crate", |b| {
        b.iter(|| QrCode::with_version(black_box(text.as_bytes()), Version::Normal(10), EcLevel::M).unwrap());
    });
    group.finish();
}

criterion_group!(benches, present, verify, picture);
criterion_main!(benches);
