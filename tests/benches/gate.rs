//! A gate with 100,000 tickets: a code that is read for the first time and again, a scan with its record on the disk, a
//! manifest that is taken into use, each beside the bare work it cannot do without; and the memory that it takes.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use rusqlite::Connection;
use ticket_wallet::admission::Knowledge;
use ticket_wallet::barcode::IssuerKey;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::Manifest;

#[path = "../support/crowd.rs"]
mod crowd;
#[path = "../support/phone.rs"]
#[allow(dead_code, reason = "each benchmark uses its own part")]
mod phone;
#[path = "../support/raw_key.rs"]
#[allow(dead_code, reason = "each benchmark uses its own part")]
mod raw_key;
#[path = "../support/tiny_server.rs"]
#[allow(dead_code, reason = "each benchmark uses its own part")]
mod tiny_server;
#[path = "../support/venue.rs"]
#[allow(dead_code, reason = "each benchmark uses its own part")]
mod venue;

use crowd::{Peaks, Phones, TASK, TICKETS, be_measured, peaks, request};
use phone::TestClock;
use venue::{Door, Venue};

/// More than a gate remembers: each comes round again when it is forgotten.
const QUEUE: u32 = 10_000;
/// An admission: record, hash, ids and numbers.
const ROW_LEN: usize = 460;
/// As long as what the two signatures of a code cover.
const MESSAGE: [u8; 97] = [7; 97];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

fn manifest_key(venue: &Venue) -> IssuerKey {
    IssuerKey::from_bytes(&venue.keys.public_key()).unwrap()
}

/// Codes of a queue of strangers, and of people who were here before; beside the bare signature checks.
fn verify(criterion: &mut Criterion) {
    let (venue, phones) = (Venue::new(&TestClock::new()), Phones::new());
    let manifest = venue.keys.manifest(request(&venue, TICKETS, false)).unwrap();
    let manifest = Manifest::read(&manifest, &manifest_key(&venue)).unwrap();
    let (knowledge, now) = (Knowledge::new(manifest, vec![7], 10), venue.now_s());
    let queue: Vec<_> = (0..QUEUE).map(|number| phones.show(&venue, 2 * number)).collect();
    let read = |code: &Vec<u8>| {
        let read = knowledge.read(black_box(code), now);
        assert!(read.verdict == Verdict::Admit && read.row.is_some());
    };

    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let device = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8.as_ref(), &random).unwrap();
    let issuer = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let (proof, credential) = (device.sign(&random, &MESSAGE).unwrap(), issuer.sign(&MESSAGE));
    let device = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, device.public_key().as_ref());
    let issuer = UnparsedPublicKey::new(&ED25519, issuer.public_key().as_ref());

    let mut group = criterion.benchmark_group("read a code at the gate");
    let mut strangers = queue.iter().cycle();
    group.bench_function("first time", |b| b.iter(|| read(strangers.next().unwrap())));
    let mut known = queue.iter().take(1_000).cycle();
    (0..1_000).for_each(|_| read(known.next().unwrap()));
    group.bench_function("again", |b| b.iter(|| read(known.next().unwrap())));
    group.bench_function("ring Ed25519 + P-256 verify", |b| {
        b.iter(|| {
            issuer.verify(black_box(&MESSAGE), credential.as_ref()).unwrap();
            device.verify(black_box(&MESSAGE), proof.as_ref()).unwrap();
        });
    });
    group.bench_function("ring P-256 verify", |b| {
        b.iter(|| device.verify(black_box(&MESSAGE), proof.as_ref()).unwrap());
    });
    group.finish();
}

/// Another database of SQLCipher, as durable as the gate's.
fn bare(folder: &Path) -> Connection {
    let db = raw_key::keyed(&folder.join("bare.db"), &"5a".repeat(48));
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;
         CREATE TABLE bare (id INTEGER PRIMARY KEY, row BLOB NOT NULL) STRICT;",
    )
    .unwrap();
    db
}

/// A ticket after another is let in; beside one commit of a row of that size.
fn scan(criterion: &mut Criterion) {
    let (venue, phones) = (Venue::new(&TestClock::new()), Phones::new());
    venue.offer(&request(&venue, TICKETS, true));
    let door = runtime().block_on(venue.door());
    let mut numbers = 0..;
    let mut next = || phones.show(&venue, numbers.next().unwrap() * 2);
    let mut group = criterion.benchmark_group("scan");
    group.bench_function("gate", |b| {
        b.iter_batched(
            &mut next,
            |code| assert_eq!(door.gate.scan(code, 1).unwrap().verdict, Verdict::Admit),
            BatchSize::SmallInput,
        );
    });
    let db = bare(door.folder.path());
    let mut insert = db.prepare("INSERT INTO bare (row) VALUES (?1)").unwrap();
    group.bench_function("bare SQLCipher commit", |b| b.iter(|| insert.execute([[7_u8; ROW_LEN]]).unwrap()));
    group.finish();
}

/// A manifest of 100,000 tickets, from the request to a gate that is ready; beside its bare signature and hash.
fn load(criterion: &mut Criterion) {
    let (venue, runtime) = (Venue::new(&TestClock::new()), runtime());
    let signed = venue.keys.manifest(request(&venue, TICKETS, false)).unwrap();
    venue.offer_bytes(signed.clone());
    let Door { folder: _folder, gate, .. } = runtime.block_on(venue.door());
    let key = manifest_key(&venue);
    let raw = venue.keys.public_key();
    let bare = UnparsedPublicKey::new(&ED25519, raw);
    let message = [b"ticket-wallet/1/manifest\0", &signed[..signed.len() - 64]].concat();
    let signature = &signed[signed.len() - 64..];

    let mut group = criterion.benchmark_group("manifest of 100,000 tickets");
    group.sample_size(20);
    group.bench_function("prepare", |b| {
        b.iter(|| assert_eq!(runtime.block_on(gate.prepare()).unwrap().tickets, TICKETS));
    });
    group.bench_function("read", |b| b.iter(|| Manifest::read(black_box(&signed), &key).unwrap()));
    group.bench_function("ring Ed25519 verify + SHA-256", |b| {
        b.iter(|| {
            bare.verify(black_box(&message), signature).unwrap();
            digest(&SHA256, black_box(&message))
        });
    });
    group.finish();
}

/// The memory of a gate in a process of its own.
fn memory(tickets: u32, seats: bool) {
    let Peaks { sign_in, delta, again } = peaks(tickets, seats, |_| {});
    let seats = if seats { "with seats" } else { "without seats" };
    println!(
        "gate with {tickets} tickets {seats}: peak memory {sign_in} KiB at the sign-in, {delta} KiB with a delta, \
         {again} KiB with another manifest"
    );
}

criterion_group!(benches, verify, scan, load);

fn main() {
    if std::env::var_os(TASK).is_some() {
        return be_measured();
    }
    if std::env::args().any(|argument| argument == "--bench") {
        memory(0, false);
        memory(TICKETS, false);
        memory(TICKETS, true);
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
}
