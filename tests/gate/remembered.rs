//! A signature that held once is not checked again, and no verdict depends on that.

use std::collections::BTreeSet;

use proptest::prelude::*;
use ticket_wallet::barcode::{
    Checks, CodeVerdict, Credential, IssuerKey, Reading, VerifiedCredentials, base45, read, read_remembering,
};
use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::{EntryPolicy, Profile, TicketState};
use ticket_wallet::model::EventHash;
use ticket_wallet::{Issuer, ManifestKey, ManifestRequest, ManifestTicket};

use crate::mutants::{Mutant, NOW, mutants};
use crate::phone::TestClock;
use crate::support::{bytes, vectors, vectors_event};
use crate::venue::{Door, Shown, Venue};

/// The gate of the vectors, with and without a memory.
struct Both {
    keys: [IssuerKey; 1],
    event: EventHash,
    verified: VerifiedCredentials,
}

impl Both {
    fn new() -> Self {
        let vectors = vectors();
        Self {
            keys: [IssuerKey::from_bytes(&bytes(&vectors["issuer_public_key"])).unwrap()],
            event: EventHash(vectors_event(&vectors).try_into().unwrap()),
            verified: VerifiedCredentials::default(),
        }
    }

    /// What is said without a memory, and with one.
    fn read(&self, text: &[u8], now: i64, nonces: &[Vec<u8>]) -> [Reading; 2] {
        let nonces: Vec<_> = nonces.iter().map(|nonce| nonce.as_slice().try_into().unwrap()).collect();
        let checks = Checks {
            keys: &self.keys,
            now,
            tolerance_s: 10,
            nonces: &nonces,
            nonce_required: false,
            event: Some(self.event),
            sections: &[7],
        };
        [read(text, &checks), read_remembering(text, &checks, &self.verified)]
    }
}

fn text(code: &[u8]) -> String {
    format!("TW1:{}", base45::encode(code))
}

fn code(text: &str) -> Vec<u8> {
    base45::decode(&text.as_bytes()[4..]).unwrap()
}

#[test]
fn every_vector_and_every_altered_code_is_judged_as_without_a_memory() {
    let (both, vectors) = (Both::new(), vectors());
    let of_vector = |case: &serde_json::Value| Mutant {
        name: case["name"].to_string(),
        text: case["text"].as_str().unwrap().into(),
        now: case["now"].as_i64().unwrap(),
        nonces: case["venue_nonces"].as_array().unwrap().iter().map(bytes).collect(),
    };
    let mut codes: Vec<_> = vectors["cases"].as_array().unwrap().iter().map(of_vector).collect();
    codes.extend(mutants(&vectors));
    assert!(codes.len() > 400, "{}", codes.len());
    let mut verdicts = BTreeSet::new();
    // The other way round, what comes first is known already.
    for Mutant { name, text, now, nonces } in codes.iter().chain(codes.iter().rev()) {
        let [without, with] = both.read(text, *now, nonces);
        assert!(without == with, "{name}: {without:?}, {with:?}");
        verdicts.insert(format!("{:?}", with.verdict));
    }
    assert_eq!(verdicts.len(), 11, "every verdict comes up: {verdicts:?}");
}

#[test]
fn what_one_key_signed_no_other_did() {
    let (verified, vectors) = (VerifiedCredentials::default(), vectors());
    let credential = Credential::from_bytes(&bytes(&vectors["credential"])).unwrap();
    let signer = IssuerKey::from_bytes(&bytes(&vectors["issuer_public_key"])).unwrap();
    let stranger = IssuerKey::from_bytes(&Issuer::new(vec![8; 32]).unwrap().public_key()).unwrap();
    for _ in 0..2 {
        assert!(!verified.is_signed_by(&credential, &stranger));
        assert!(verified.is_signed_by(&credential, &signer));
    }
}

proptest! {
    /// A code that was read before, changed in any byte.
    #[test]
    fn no_alteration_of_a_known_code_passes(index in 0..202_usize, flip in 1..=255_u8) {
        let (both, vectors) = (Both::new(), vectors());
        let valid = vectors["cases"][0]["text"].as_str().unwrap();
        for reading in both.read(valid.as_bytes(), NOW, &[]) {
            prop_assert_eq!(reading.verdict, CodeVerdict::Valid);
        }
        let mut altered = code(valid);
        altered[index] ^= flip;
        for _ in 0..2 {
            let [without, with] = both.read(text(&altered).as_bytes(), NOW, &[]);
            prop_assert!(without == with);
            prop_assert!(with.verdict != CodeVerdict::Valid && with.code.is_none());
        }
    }
}

/// A door at which a ticket has gone in and out again: its credential is known there.
struct Known {
    venue: Venue,
    door: Door,
    /// The 134 bytes.
    credential: Vec<u8>,
    seconds: i64,
}

impl Known {
    async fn at(request: impl FnOnce(&Venue) -> ManifestRequest) -> Self {
        let clock = TestClock::new();
        let venue = Venue::new(&clock);
        venue.offer(&request(&venue));
        let door = venue.door().await;
        let credential = code(&venue.show(&Shown::of("1")))[..134].to_vec();
        let mut known = Self { venue, door, credential, seconds: 0 };
        assert_eq!(known.scan(), Verdict::Admit);
        let frame = known.frame();
        assert_eq!(known.door.gate.exit(frame.into_bytes(), 1).unwrap().verdict, Verdict::Admit);
        known
    }

    /// A new frame of the same credential, a minute later.
    fn frame(&mut self) -> String {
        self.seconds += 60;
        self.door.clock.pass_s(60);
        let (not_before, lease_end) = (-3_600 - self.seconds, 86_400 - self.seconds);
        let frame = self.venue.show(&Shown { not_before, lease_end, ..Shown::of("1") });
        assert_eq!(code(&frame)[..134], self.credential);
        frame
    }

    fn scan(&mut self) -> Verdict {
        let frame = self.frame();
        self.door.scan(&frame).verdict
    }

    /// Whoever has been out may come in again.
    fn request(venue: &Venue) -> ManifestRequest {
        ManifestRequest { policy: EntryPolicy::ReEntry, ..venue.request() }
    }

    fn key(venue: &Venue, valid_from: u32, valid_until: Option<u32>) -> ManifestKey {
        ManifestKey { public_key: venue.issuer.public_key(), valid_from, valid_until }
    }
}

#[tokio::test]
async fn a_known_credential_ends_with_its_issuers_key_in_the_next_manifest() {
    let stranger = Issuer::new(vec![8; 32]).unwrap().public_key();
    type Keys = fn(&Venue, u32, Vec<u8>) -> Vec<ManifestKey>;
    let cases: [(Keys, Verdict); 5] = [
        (|venue, _, _| vec![Known::key(venue, 0, None)], Verdict::Admit),
        (|venue, now, _| vec![Known::key(venue, 0, Some(now))], Verdict::UnknownIssuer),
        (|venue, now, _| vec![Known::key(venue, now + 3_600, None)], Verdict::UnknownIssuer),
        (
            |_, _, public_key| vec![ManifestKey { public_key, valid_from: 0, valid_until: None }],
            Verdict::UnknownIssuer,
        ),
        (|_, _, _| Vec::new(), Verdict::UnknownIssuer),
    ];
    for (number, (keys, verdict)) in cases.into_iter().enumerate() {
        let mut known = Known::at(Known::request).await;
        let now = u32::try_from(known.venue.now_s()).unwrap();
        let issuers = keys(&known.venue, now, stranger.clone());
        known.venue.offer(&ManifestRequest { sequence: 2, issuers, ..Known::request(&known.venue) });
        assert_eq!(known.door.gate.prepare().await.unwrap().manifest_sequence, Some(2));
        assert_eq!(known.scan(), verdict, "case {number}");
    }
}

#[tokio::test]
async fn a_known_credential_ends_with_its_issuers_time_and_its_own() {
    let ending = |venue: &Venue| {
        let until = u32::try_from(venue.now_s() + 300).unwrap();
        ManifestRequest { issuers: vec![Known::key(venue, 0, Some(until))], ..Known::request(venue) }
    };
    let mut known = Known::at(ending).await;
    // Known at 60 and 120 seconds; the key counts until 300, that second included.
    known.door.clock.pass_s(120);
    known.seconds += 120;
    assert_eq!(known.scan(), Verdict::Admit);
    assert_eq!(known.scan(), Verdict::UnknownIssuer);

    let mut known = Known::at(Known::request).await;
    known.door.clock.pass_s(86_400);
    known.seconds += 86_400;
    assert_eq!(known.scan(), Verdict::LeaseExpired);
}

#[tokio::test]
async fn of_a_known_credential_all_else_is_checked_each_time() {
    let mut known = Known::at(Known::request).await;
    let frame = known.frame();
    let mut of_another_time = code(&frame);
    of_another_time[137] ^= 1;
    let mut of_another_issuer = code(&frame);
    of_another_issuer[133] ^= 1;
    for _ in 0..2 {
        assert_eq!(known.door.scan(&text(&of_another_time)).verdict, Verdict::BadDeviceSignature);
        assert_eq!(known.door.scan(&text(&of_another_issuer)).verdict, Verdict::BadIssuerSignature);
    }
    assert_eq!(known.door.scan(&frame).verdict, Verdict::Admit);

    let blocked = ManifestTicket { state: TicketState::Blocked, ..Venue::row("1", Profile::Signed, None) };
    let next = ManifestRequest { sequence: 2, tickets: vec![blocked], ..Known::request(&known.venue) };
    known.venue.offer(&next);
    known.door.gate.prepare().await.unwrap();
    assert_eq!(known.scan(), Verdict::Blocked);
    known.venue.offer(&ManifestRequest { sequence: 3, nonce_required: true, tickets: Vec::new(), ..next });
    known.door.gate.prepare().await.unwrap();
    assert_eq!(known.scan(), Verdict::NonceUnavailable);
}
