//! An event with a crowd: its manifest, what the phones show, and a gate in a process of its own that tells its peak of
//! memory.

use std::path::Path;
use std::process::Command;

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use ticket_wallet::barcode::{Credential, DeviceSignature, code_text, proof_message};
use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::Profile;
use ticket_wallet::{CredentialRequest, ManifestRequest, ManifestTicket};

use crate::phone::TestClock;
use crate::venue::{EVENT, PROVIDER, Venue, open, sign_in_at};

/// What the manifest of the promise holds.
pub(crate) const TICKETS: u32 = 100_000;
/// Tells a process what it is for: the lines of a [`Task`].
pub(crate) const TASK: &str = "GATE_OF_A_CROWD";
const SIGN_IN: &str = "sign in";
const PREPARE: &str = "prepare";

/// Every second ticket is signed, the others have a serial; each has a seat where that is asked for.
pub(crate) fn request(venue: &Venue, tickets: u32, seats: bool) -> ManifestRequest {
    let row = |number: u32| {
        let serial = format!("{number:06}-ABCDEFGHIJKL");
        let row = match number % 2 {
            0 => Venue::row(&number.to_string(), Profile::Signed, None),
            _ => Venue::row(&number.to_string(), Profile::Plain, Some(&serial)),
        };
        let seat = seats.then(|| format!("Row {}, seat {}", number / 50, number % 50));
        ManifestTicket { seat, ..row }
    };
    ManifestRequest { tickets: (0..tickets).map(row).collect(), ..venue.request() }
}

/// Phones that share a key.
pub(crate) struct Phones {
    random: SystemRandom,
    pair: EcdsaKeyPair,
}

impl Phones {
    pub(crate) fn new() -> Self {
        let (random, algorithm) = (SystemRandom::new(), &ECDSA_P256_SHA256_ASN1_SIGNING);
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { random, pair }
    }

    /// What the phone with this ticket shows now.
    pub(crate) fn show(&self, venue: &Venue, number: u32) -> Vec<u8> {
        let now = u32::try_from(venue.now_s()).unwrap();
        let request = CredentialRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            ticket_id: number.to_string(),
            section: 7,
            generation: 1,
            not_before: now - 3_600,
            lease_end: now + 86_400,
            window_s: 30,
            nonce_required: false,
            device_key: self.pair.public_key().as_ref().to_vec(),
        };
        let credential = Credential::from_bytes(&venue.issuer.credential(request).unwrap()).unwrap();
        let signature = self.pair.sign(&self.random, &proof_message(&credential, now, None)).unwrap();
        let signature = DeviceSignature::from_der(signature.as_ref()).unwrap();
        code_text(&credential, now, &signature).into_bytes()
    }
}

/// What a process does with a gate in a folder: sign in there or prepare again, then scan a code that lets in.
struct Task<'a> {
    what: &'a str,
    folder: &'a str,
    url: &'a str,
    code: &'a str,
}

/// Peaks of resident memory in KiB, each of a process of its own that `run` begins.
pub(crate) struct Peaks {
    /// Signing in with the whole manifest.
    pub(crate) sign_in: u64,
    /// Later, with a delta of 100 tickets.
    pub(crate) delta: u64,
    /// Later, with another whole manifest.
    pub(crate) again: u64,
}

/// Measures a gate of an event with so many tickets.
pub(crate) fn peaks(tickets: u32, seats: bool, run: impl Fn(&mut Command)) -> Peaks {
    let (venue, phones) = (Venue::new(&TestClock::new()), Phones::new());
    let (url, folder) = (venue.sign_in().config.url, tempfile::tempdir().unwrap());
    let peak = |what, number| {
        let code = String::from_utf8(phones.show(&venue, number)).unwrap();
        let folder = folder.path().to_str().unwrap();
        peak(&Task { what, folder, url: &url, code: &code }, &run)
    };
    let first = request(&venue, tickets, seats);
    let mut second = ManifestRequest { sequence: 2, ..first.clone() };
    second.tickets.iter_mut().step_by(2).take(100).for_each(|row| row.generation = 2);
    let third = ManifestRequest { sequence: 3, ..first.clone() };
    let [first, second, third] = [first, second, third].map(|one| venue.keys.manifest(one).unwrap());

    venue.offer_bytes(first.clone());
    let sign_in = peak(SIGN_IN, 50_000);
    venue.offer_bytes(venue.keys.delta(first, second).unwrap().unwrap());
    let delta = peak(PREPARE, 50_002);
    venue.offer_bytes(third);
    Peaks { sign_in, delta, again: peak(PREPARE, 50_004) }
}

fn peak(task: &Task<'_>, run: impl Fn(&mut Command)) -> u64 {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.env(TASK, [task.what, task.folder, task.url, task.code].join("\n"));
    run(&mut command);
    let output = command.output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    let line = told.lines().find_map(|line| line.split_once("measured ").map(|(_, kib)| kib));
    let kib = line.and_then(|kib| kib.parse().ok());
    kib.unwrap_or_else(|| panic!("{told}{}", String::from_utf8_lossy(&output.stderr)))
}

/// The part of the process that is measured. Does nothing in any other.
pub(crate) fn be_measured() {
    let Ok(told) = std::env::var(TASK) else { return };
    let parts: Vec<_> = told.split('\n').collect();
    let [what, folder, url, code] = parts[..] else { panic!("{told}") };
    let gate = open(Path::new(folder), &TestClock::new()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let status = match what {
        SIGN_IN => runtime.block_on(gate.sign_in(sign_in_at(url.to_owned()))),
        _ => runtime.block_on(gate.prepare()),
    };
    assert!(status.unwrap().manifest_sequence.is_some());
    assert_eq!(gate.scan(code.as_bytes().to_vec(), 1).unwrap().verdict, Verdict::Admit);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("measured {}", peak.trim().trim_end_matches(" kB"));
}
