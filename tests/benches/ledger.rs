//! Merging 100,000 records of 64 scanners beside the bare checks of their signatures on the same cores, what a minute of all
//! of them takes in bytes, and the memory of it.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::panic, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use ticket_wallet::Gate;
use ticket_wallet::barcode::{Credential, SIGNED_LEN};
use ticket_wallet::ledger::{Item, Record};

#[path = "../ledger_merge/peers.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod peers;
#[path = "../support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "../support/raw_key.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod raw_key;
#[path = "../support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "../support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;

use peers::{Peer, code_bytes, delta, item, ticket};
use phone::TestClock;
use venue::{Shown, Venue, open};

const CHILD: &str = "--merge-in-a-process-of-its-own";
const SCANNERS: usize = 64;
const RECORDS: usize = 100_000;
/// Admissions of one scanner in a minute.
const IN_A_MINUTE: usize = 12;
/// Tickets; more records than that are of tickets that came again.
const TICKETS: usize = 5_000;

struct Event {
    venue: Venue,
    peers: Vec<Peer>,
    /// Each scanner's records, in order.
    records: Vec<Vec<Record>>,
    folder: tempfile::TempDir,
}

fn event(records: usize) -> Event {
    let venue = Venue::new(&TestClock::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let folder = runtime.block_on(venue.door()).folder;
    let peers: Vec<_> =
        (1..=u8::try_from(SCANNERS).unwrap()).map(|number| Peer::new(&venue, number)).collect();
    let now = u32::try_from(venue.now_s()).unwrap();
    let shown: Vec<_> = (0..TICKETS.min(records))
        .map(|number| {
            let name: &'static str = format!("{number}").leak();
            (ticket(name), code_bytes(&venue.show(&Shown::of(name))))
        })
        .collect();
    let mut shows = shown.iter().cycle();
    let all = peers.iter().map(|peer| {
        let mut own: Vec<Record> = Vec::new();
        for (number, (of, code)) in (0..).zip(shows.by_ref().take(records / SCANNERS)) {
            let at = (own.last(), u64::from(now) * 1000 + number);
            own.push(peer.sign(peer.admission(at, (*of, 1), (*code, now))));
        }
        own
    });
    let records = all.collect();
    Event { venue, peers, records, folder }
}

impl Event {
    /// A prepared gate in a folder of its own.
    fn gate(&self) -> (tempfile::TempDir, Gate) {
        let folder = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        let gate = open(folder.path(), &self.venue.clock).unwrap();
        (folder, gate)
    }

    /// The first `count` records of each scanner, as deltas of 1,000.
    fn deltas(&self, count: usize) -> Vec<Vec<u8>> {
        let items: Vec<Item> = self.records.iter().flat_map(|own| own.iter().take(count)).map(item).collect();
        let introductions = || self.peers.iter().map(Peer::introduction);
        items.chunks(1000).map(|part| delta(introductions().chain(part.iter().cloned()))).collect()
    }
}

/// The signatures of records, of their credentials and of their frames, checked by ring alone on all cores.
fn bare(event: &Event) {
    let all: Vec<_> = event
        .peers
        .iter()
        .zip(&event.records)
        .flat_map(|(peer, own)| own.iter().map(move |one| (peer, one)))
        .collect();
    let issuer = event.venue.issuer.public_key();
    let cores = thread::available_parallelism().unwrap().get();
    thread::scope(|scope| {
        for part in all.chunks(all.len().div_ceil(cores)) {
            scope.spawn(|| part.iter().for_each(|(peer, record)| check(peer, record, &issuer)));
        }
    });
}

fn check(peer: &Peer, record: &Record, issuer: &[u8]) {
    let (body, signature) = record.as_bytes().split_at(record.as_bytes().len() - 64);
    let scanner = &peer.certificate[20..85];
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, scanner)
        .verify(&Record::message(body), signature)
        .unwrap();
    let code = record.fields().evidence.code.unwrap();
    let credential = Credential::from_bytes(&code[..134]).unwrap();
    let message = [b"ticket-wallet/1/credential\0", &code[..SIGNED_LEN]].concat();
    UnparsedPublicKey::new(&ED25519, issuer).verify(&message, &code[SIGNED_LEN..134]).unwrap();
    let presented_at = u32::from_be_bytes(code[134..138].try_into().unwrap());
    let frame = ticket_wallet::barcode::proof_message(&credential, presented_at, None);
    let device = credential.device_key().unwrap().to_x963();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, device).verify(&frame, &code[138..]).unwrap();
}

fn timed(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

/// One merge of all records, once, in the same run as the bare checks.
fn large() {
    let event = event(RECORDS);
    let deltas = event.deltas(usize::MAX);
    let files: Vec<PathBuf> =
        (0..deltas.len()).map(|n| event.folder.path().join(format!("delta-{n}"))).collect();
    files.iter().zip(&deltas).for_each(|(file, bytes)| std::fs::write(file, bytes).unwrap());
    let (_folder, gate) = event.gate();
    let merged = timed(|| deltas.into_iter().for_each(|delta| drop(gate.merge(delta).unwrap())));
    let checked = timed(|| bare(&event));
    println!(
        "merge of {RECORDS} records: {} ms; bare signature checks: {} ms; ratio {:.2}",
        merged.as_millis(),
        checked.as_millis(),
        merged.as_secs_f64() / checked.as_secs_f64()
    );
    println!("peak memory of a process that merges them: {} KiB", child(&event));
    let (_other, behind) = event.gate();
    let before = event.records[0].len() - IN_A_MINUTE;
    event.deltas(before).into_iter().for_each(|delta| drop(behind.merge(delta).unwrap()));
    let (mut bytes, mut next) = (0, Some(behind.ledger_request().unwrap()));
    let request = next.as_ref().unwrap().len();
    while let Some(request) = next {
        let delta = gate.ledger_delta(request, 1 << 20).unwrap().bytes;
        bytes += delta.len();
        next = behind.merge(delta).unwrap().next_request;
    }
    println!(
        "a minute of {SCANNERS} scanners, {IN_A_MINUTE} admissions each: request {request} bytes, delta {bytes} bytes"
    );
}

/// Merges the files in a process of its own; returns its peak of resident memory in KiB.
fn child(event: &Event) -> u64 {
    let (folder, gate) = event.gate();
    drop(gate);
    let folders = [event.folder.path(), folder.path()].map(|path| path.to_str().unwrap().to_owned());
    let output = Command::new(std::env::current_exe().unwrap()).arg(CHILD).args(folders).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
}

fn be_the_child(arguments: &[String]) {
    let [files, folder] = arguments else { return };
    let gate = open(Path::new(folder), &TestClock::new()).unwrap();
    for file in std::fs::read_dir(files).unwrap().map(|file| file.unwrap().path()) {
        if file.file_name().unwrap().to_str().unwrap().starts_with("delta-") {
            gate.merge(std::fs::read(file).unwrap()).unwrap();
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{}", peak.trim().trim_end_matches(" kB"));
}

fn small(criterion: &mut Criterion) {
    let event = event(960);
    let deltas = event.deltas(usize::MAX);
    let mut group = criterion.benchmark_group("960 records of 64 scanners");
    group.sample_size(10);
    group.bench_function("merge", |b| {
        b.iter_batched(
            || event.gate(),
            |(folder, gate)| {
                deltas.iter().for_each(|delta| drop(gate.merge(delta.clone()).unwrap()));
                (folder, gate)
            },
            BatchSize::PerIteration,
        );
    });
    group.bench_function("bare signature checks", |b| b.iter(|| bare(&event)));
    group.finish();
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|one| one == CHILD) {
        return be_the_child(&arguments[at + 1..]);
    }
    let mut criterion = Criterion::default().configure_from_args();
    small(&mut criterion);
    criterion.final_summary();
    large();
}
