//! What a gate does not take for a manifest, and that the one in use stays.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::{ManifestRefusal, Profile, TicketState};
use ticket_wallet::model::GateReadiness;
use ticket_wallet::{
    Config, Issuer, ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation, ManifestTicket,
    WalletError, recover_wallet,
};

use crate::phone::{TestClock, vault_in};
use crate::raw_key::{keyed, raw_key};
use crate::venue::{Door, Shown, Venue, open, spoil_manifest};

async fn refusal(door: &Door) -> ManifestRefusal {
    match door.gate.prepare().await {
        Err(WalletError::ManifestRefused { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

/// Two keys whose hashes begin with the same four bytes. The seeds, big-endian numbers, were found by search.
fn keys_of_one_id() -> Vec<ManifestKey> {
    let public_key = |seed: u32| {
        let seed = [&[0; 28][..], &seed.to_be_bytes()].concat();
        Issuer::new(seed).unwrap().public_key()
    };
    let keys = [34_433, 170_398].map(public_key);
    assert_ne!(keys[0], keys[1]);
    keys.map(|public_key| ManifestKey { public_key, valid_from: 0, valid_until: None }).to_vec()
}

#[tokio::test]
async fn what_is_wrong_with_a_manifest_is_told_and_the_one_in_use_stays() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let blocked = ManifestTicket { state: TicketState::Blocked, ..Venue::row("1", Profile::Signed, None) };
    let good = ManifestRequest { sequence: 5, tickets: vec![blocked], ..venue.request() };
    venue.offer(&good);
    let door = venue.door().await;
    let scanner = hex::decode(door.gate.status().unwrap().scanner.unwrap()).unwrap();
    let signed = |request: &ManifestRequest| venue.keys.manifest(request.clone()).unwrap();
    let next = ManifestRequest { sequence: 6, ..venue.request() };
    let other = ManifestIssuer::new(vec![1; 32]).unwrap();
    let half = signed(&next)[..40].to_vec();
    let mut flipped = signed(&next);
    flipped[30] ^= 1;
    let revoked =
        ManifestRevocation { scanner_id: scanner, chain: vec![0; 16], last_good: 0, hash: vec![0; 32] };
    for (offered, why) in [
        (signed(&ManifestRequest { sequence: 4, ..good.clone() }), ManifestRefusal::Rollback),
        (signed(&ManifestRequest { closes_at: Some(9), ..good.clone() }), ManifestRefusal::Forked),
        (other.manifest(next.clone()).unwrap(), ManifestRefusal::BadSignature),
        (flipped, ManifestRefusal::BadSignature),
        (half, ManifestRefusal::Malformed),
        (
            signed(&ManifestRequest { event_id: "4712".to_owned(), ..next.clone() }),
            ManifestRefusal::WrongEvent,
        ),
        (signed(&ManifestRequest { issuers: keys_of_one_id(), ..next.clone() }), ManifestRefusal::DoubledKey),
        (
            signed(&ManifestRequest { revoked: vec![revoked], ..next.clone() }),
            ManifestRefusal::ScannerRevoked,
        ),
    ] {
        venue.offer_bytes(offered);
        let said = refusal(&door).await;
        // Half of one has no signature that could hold.
        assert!(
            said == why || (why, said) == (ManifestRefusal::Malformed, ManifestRefusal::BadSignature),
            "{said:?}"
        );
        assert_eq!(door.gate.status().unwrap().manifest_sequence, Some(5), "{why:?}");
        assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Blocked, "{why:?}");
        clock.pass_s(5);
    }
    venue.offer(&next);
    assert_eq!(door.gate.prepare().await.unwrap().manifest_sequence, Some(6));
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
}

#[tokio::test]
async fn deltas_lead_from_one_to_the_next_and_no_floor_falls() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let row = |generation| ManifestTicket { generation, ..Venue::row("1", Profile::Signed, None) };
    let first = ManifestRequest { tickets: vec![row(3)], ..venue.request() };
    let second = ManifestRequest { sequence: 2, tickets: vec![row(1)], ..first.clone() };
    venue.offer(&first);
    let door = venue.door().await;
    let [from, to] = [&first, &second].map(|request| venue.keys.manifest(request.clone()).unwrap());
    venue.offer_bytes(venue.keys.delta(from, to).unwrap().unwrap());
    assert_eq!(door.gate.prepare().await.unwrap().manifest_sequence, Some(2));
    let of = |generation| Shown { generation, ..Shown::of("1") };
    assert_eq!(door.scan(&venue.show(&of(2))).verdict, Verdict::Superseded, "3 was the floor once");
    let door = door.restart();
    assert_eq!(door.scan(&venue.show(&of(2))).verdict, Verdict::Superseded);
    assert_eq!(door.scan(&venue.show(&of(3))).verdict, Verdict::Admit);
    // The same delta again begins elsewhere, and there is no manifest in its place.
    assert!(matches!(refusal(&door).await, ManifestRefusal::WrongBase | ManifestRefusal::Rollback));
}

#[tokio::test]
async fn a_gate_without_an_event_or_manifest_says_what_to_do() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let door = Door::new(&clock);
    assert_eq!(door.gate.status().unwrap().readiness, GateReadiness::NotSignedIn);
    let refused = door.gate.scan(b"x".to_vec(), 1).unwrap_err();
    assert!(matches!(&refused, WalletError::InvalidInput { field, .. } if field == "gate"), "{refused:?}");
    assert!(door.gate.statistics().is_err());
    venue.offer_bytes(b"nothing".to_vec());
    assert!(door.gate.sign_in(venue.sign_in()).await.is_err());
    // Signed in it is, and can prepare later.
    let status = door.gate.status().unwrap();
    assert_eq!((status.readiness, status.name.as_deref()), (GateReadiness::NotPrepared, Some("North door")));
    assert!(door.gate.scan(b"x".to_vec(), 1).is_err());
    venue.offer(&venue.request());
    assert_eq!(door.gate.prepare().await.unwrap().readiness, GateReadiness::Ready);
}

/// Another key's manifest is no start for this one's: neither its sequence nor what it lets in. Its floors stay.
#[tokio::test]
async fn a_sign_in_under_another_key_begins_without_the_manifest_of_the_one_before() {
    let clock = TestClock::new();
    let (first, second) = (Venue::new(&clock), Venue::with_key(&clock, [8; 32]));
    let mut old = Venue::row("1", Profile::Signed, None);
    old.generation = 2;
    first.offer(&ManifestRequest { sequence: 9, tickets: vec![old], ..first.request() });
    let door = first.door().await;
    assert_eq!(door.gate.status().unwrap().manifest_sequence, Some(9));
    second.offer(&ManifestRequest { sequence: 3, ..second.request() });
    door.gate.sign_in(second.sign_in()).await.unwrap();
    assert_eq!(door.gate.status().unwrap().manifest_sequence, Some(3));
    assert_eq!(door.scan(&second.show(&Shown::of("1"))).verdict, Verdict::Superseded);
    assert_eq!(door.scan(&second.show(&Shown::of("2"))).verdict, Verdict::Admit);
}

#[tokio::test]
async fn a_gate_that_lost_its_manifest_takes_none_that_is_older() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let of = |sequence| ManifestRequest { sequence, ..venue.request() };
    venue.offer(&of(5));
    let Door { folder, gate, .. } = venue.door().await;
    drop(gate);
    spoil_manifest(folder.path());
    let door = Door { gate: open(folder.path(), &clock).unwrap(), folder, clock: clock.clone() };
    assert_eq!(door.gate.status().unwrap().readiness, GateReadiness::NotPrepared);
    venue.offer(&of(4));
    assert_eq!(refusal(&door).await, ManifestRefusal::Rollback);
    let anew = door.gate.sign_in(venue.sign_in()).await;
    assert!(
        matches!(anew, Err(WalletError::ManifestRefused { why: ManifestRefusal::Rollback, .. })),
        "{anew:?}"
    );
    venue.offer(&of(5));
    assert_eq!(door.gate.prepare().await.unwrap().manifest_sequence, Some(5), "the same one again");
}

/// Whatever page is damaged: what is on the others counts after the recovery too.
#[tokio::test]
async fn a_recovered_gate_takes_no_older_manifest_and_no_floor_falls() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let row = |generation| ManifestTicket { generation, ..Venue::row("1", Profile::Signed, None) };
    let older = ManifestRequest { sequence: 4, tickets: vec![row(3)], ..venue.request() };
    let newest = ManifestRequest { sequence: 5, tickets: vec![row(1)], ..venue.request() };
    venue.offer(&older);
    let door = venue.door().await;
    venue.offer(&newest);
    door.gate.prepare().await.unwrap();
    let Door { folder, gate, .. } = door;
    drop(gate);
    let pages = pages(folder.path());
    let has = |table: &str| pages.iter().filter(|name| *name == table).count();
    assert_eq!((has("gate_sequence"), has("gate_floor")), (1, 1), "{pages:?}");
    for (number, lost) in pages.iter().enumerate() {
        let copy = tempfile::tempdir().unwrap();
        for file in fs::read_dir(folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
        }
        let database = copy.path().join("wallet.db");
        let mut bytes = fs::read(&database).unwrap();
        bytes[number * PAGE + 100] ^= 1;
        fs::write(&database, bytes).unwrap();
        let config = Config::in_folder(copy.path().to_str().unwrap());
        let report = recover_wallet(config, vault_in(copy.path())).unwrap();
        assert!(report.why.is_some(), "{lost}");
        let door = Door { gate: open(copy.path(), &clock).unwrap(), folder: copy, clock: clock.clone() };
        venue.offer(&older);
        let offered = match door.gate.status().unwrap().readiness {
            GateReadiness::NotSignedIn => door.gate.sign_in(venue.sign_in()).await,
            _ => door.gate.prepare().await,
        };
        let is_rollback =
            matches!(offered, Err(WalletError::ManifestRefused { why: ManifestRefusal::Rollback, .. }));
        assert_eq!(is_rollback, lost != "gate_sequence", "{lost}: {offered:?}");
        venue.offer(&newest);
        assert_eq!(door.gate.prepare().await.unwrap().manifest_sequence, Some(5), "{lost}");
        let said = door.scan(&venue.show(&Shown { generation: 2, ..Shown::of("1") })).verdict;
        assert_eq!(said == Verdict::Superseded, lost != "gate_floor", "{lost}: {said:?}");
    }
}

const PAGE: usize = 4096;

/// What table or index each page of a closed gate's database is of.
fn pages(folder: &Path) -> Vec<String> {
    let database = keyed(&folder.join("wallet.db"), &raw_key(folder));
    let mut statement = database.prepare("SELECT pageno, name FROM dbstat").unwrap();
    let named = statement.query_map([], |row| row.try_into()).unwrap();
    let named: BTreeMap<u32, String> = named.collect::<Result<_, _>>().unwrap();
    let pages: u32 = database.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    (1..=pages).map(|page| named.get(&page).cloned().unwrap_or_else(|| "free".to_owned())).collect()
}
