//! Ledgers that are long, full of gaps, or grow while a decision is taken.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use ticket_wallet::host::KeyVault;
use ticket_wallet::ledger::{ChainId, Item, Place, Record, RecordFields, Verdict};
use ticket_wallet::{Config, Gate, ScannerRequest};

use crate::between_gates::bring;
use crate::hooked_vault::{Call, HookedVault};
use crate::peers::{Peer, code_bytes, delta, item, ticket};
use crate::phone::TestClock;
use crate::phone::vault_in;
use crate::venue::{EVENT, PROVIDER, Shown, Venue};

/// Records of a peer's chain from a sequence on, each behind the one before.
pub(crate) fn chain(peer: &Peer, from: u32, count: u32, time_ms: u64) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for sequence in from..from + count {
        let previous = records.last().map_or([7; 32], Record::hash);
        let previous = if sequence == 1 { [0; 32] } else { previous };
        records.push(peer.sign(RecordFields { sequence, previous, ..peer.after(None, time_ms) }));
    }
    records
}

/// One of many chains that a peer may begin.
pub(crate) fn invented(peer: &Peer, number: u32) -> ChainId {
    let mut chain = peer.chain.0;
    chain[12..].copy_from_slice(&number.to_be_bytes());
    ChainId(chain)
}

pub(crate) fn now_ms(clock: &TestClock) -> u64 {
    u64::try_from(clock.wall_ms()).unwrap()
}

/// Merges in deltas that are short enough.
fn merge_all(gate: &Gate, items: Vec<Item>) {
    for part in items.chunks(2_000) {
        assert_eq!(gate.merge(delta(part.to_vec())).unwrap().refused, []);
    }
}

#[tokio::test]
async fn what_lies_behind_a_gap_or_beside_a_fork_goes_over_once() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let peer = Peer::new(&venue, 9);
    let mut records = chain(&peer, 1, 3, now_ms(&clock));
    // Three places nobody has, and a second record at two of the others.
    records.extend(chain(&peer, 7, 40, now_ms(&clock)));
    records.push(chain(&peer, 2, 1, now_ms(&clock) + 1).remove(0));
    records.push(chain(&peer, 20, 1, now_ms(&clock) + 1).remove(0));
    let items = [peer.introduction()].into_iter().chain(records.iter().map(item));
    merge_all(&a.gate, items.collect());
    assert_eq!(bring(&a.gate, &b.gate), 45);
    // Both hold the same now: nothing but heads is said.
    clock.pass_s(60);
    for (from, to) in [(&a, &b), (&b, &a)] {
        let said = from.gate.ledger_delta(to.gate.ledger_request().unwrap(), 1 << 20).unwrap();
        assert!(said.bytes.len() < 400, "{}", said.bytes.len());
        to.gate.merge(said.bytes).unwrap();
    }
    // A part of the gap is filled; what lies behind it comes once more, as it may have been what was missing.
    let filling = chain(&peer, 4, 1, now_ms(&clock));
    merge_all(&a.gate, vec![item(&filling[0])]);
    assert_eq!(bring(&a.gate, &b.gate), 1);
    let report = b.gate.report().unwrap();
    assert_eq!((report.records, report.forks.len()), (46, 2));
    assert_eq!((report.missing[0].from, report.missing.last().unwrap().to), (1, 19));
}

#[tokio::test]
async fn more_chains_than_a_request_names_go_over_in_parts() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let liar = Peer::new(&venue, 9);
    let first_of = |number: u32| {
        let chain = invented(&liar, number);
        item(&liar.sign(RecordFields { chain, ..liar.after(None, now_ms(&clock)) }))
    };
    let items: Vec<_> = [liar.introduction()].into_iter().chain((0..8_100).map(first_of)).collect();
    merge_all(&a.gate, items);
    // Of the highest and the lowest chain ids, so that it shows where it ends early.
    let (last, first) = (Peer::new(&venue, 0xFF), Peer::new(&venue, 0));
    for peer in [&last, &first] {
        let record = peer.sign(peer.after(None, now_ms(&clock)));
        merge_all(&a.gate, vec![peer.introduction(), item(&record)]);
    }
    assert!(a.gate.ledger_request().unwrap().len() < 1 << 20);
    assert_eq!(bring_in_large(&a.gate, &b.gate), 8_102);
    assert_eq!(b.gate.report().unwrap().scanners.iter().map(|one| one.chains).sum::<u32>(), 8_103);
    assert_eq!(bring_in_large(&a.gate, &b.gate), 0);
    // And the other way, to one who has all of it already.
    merge_all(&b.gate, vec![item(&chain(&last, 2, 1, now_ms(&clock))[0])]);
    assert_eq!(bring_in_large(&b.gate, &a.gate), 1);
}

fn bring_in_large(from: &Gate, to: &Gate) -> u32 {
    let (mut added, mut request) = (0, Some(to.ledger_request().unwrap()));
    while let Some(asked) = request {
        assert!(asked.len() < 1 << 20);
        let merged = to.merge(from.ledger_delta(asked, 1 << 20).unwrap().bytes).unwrap();
        assert_eq!(merged.refused, []);
        (added, request) = (added + merged.added, merged.next_request);
    }
    added
}

#[tokio::test]
async fn a_second_certificate_goes_over_a_third_gate() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let peer = Peer::new(&venue, 9);
    let begin = u32::try_from(venue.now_s()).unwrap();
    let until = |name: &str, not_before, not_after| {
        let request = ScannerRequest {
            provider: PROVIDER.to_owned(),
            event_id: EVENT.to_owned(),
            scanner_id: peer.scanner.0.to_vec(),
            scanner_key: peer.public_key(),
            not_before,
            not_after,
            name: name.to_owned(),
            sections: Vec::new(),
        };
        Item::Certificate(venue.keys.certificate(request).unwrap())
    };
    let at = |s: u32| u64::from(begin + s) * 1000;
    let first = chain(&peer, 1, 2, at(0));
    let items = [until("Old name", 0, Some(begin + 60))].into_iter().chain(first.iter().map(item));
    merge_all(&a.gate, items.collect());
    assert_eq!(bring(&a.gate, &b.gate), 2);
    // It signs in once more, under another name, and goes on with its chain.
    let next = peer.sign(peer.after(first.last(), at(100)));
    merge_all(&a.gate, vec![until("New name", begin + 50, None), item(&next)]);
    assert_eq!(bring(&a.gate, &b.gate), 1);
    for gate in [&a.gate, &b.gate] {
        let scanners = gate.report().unwrap().scanners;
        let doors: Vec<_> =
            scanners.iter().filter(|one| !one.is_here).filter_map(|one| one.door.as_deref()).collect();
        assert!(doors.contains(&"New name") && !doors.contains(&"Old name"), "{doors:?}");
    }
}

/// Merges this while the vault signs.
fn meanwhile(vault: &HookedVault, gate: &Arc<Gate>, next: impl Fn() -> Vec<u8> + Send + Sync + 'static) {
    let gate: Weak<Gate> = Arc::downgrade(gate);
    vault.before(move |call| {
        if matches!(call, Call::Sign(_)) {
            gate.upgrade().unwrap().merge(next()).unwrap();
        }
        Ok(())
    });
}

#[tokio::test]
async fn records_about_others_hold_no_decision_up_and_those_about_the_ticket_do() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    let config =
        Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap().to_owned()) };
    let handed = Arc::clone(&vault) as Arc<dyn KeyVault>;
    let gate = Arc::new(Gate::open(config, handed, Some(Arc::new(clock.clone())), None).unwrap());
    gate.sign_in(venue.sign_in()).await.unwrap();
    gate.prepare().await.unwrap();
    let peer = Peer::new(&venue, 9);
    gate.merge(delta([peer.introduction()])).unwrap();

    // With each signature a record comes of a ticket that is not shown here.
    let (count, signed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let others = chain(&peer, 1, 200, now_ms(&clock));
    let at = Arc::clone(&count);
    meanwhile(&vault, &gate, move || delta([item(&others[at.fetch_add(1, Ordering::SeqCst) as usize])]));
    let shown = venue.show(&Shown::of("1"));
    assert_eq!(gate.scan(shown.into_bytes(), 1).unwrap().verdict, Verdict::Admit);
    assert_eq!(count.load(Ordering::SeqCst), 1, "signed once");

    // With the first signature another door's admission of the very ticket comes: it is not let in twice.
    clock.pass_s(20);
    let shown = venue.show(&Shown::of("2"));
    let at_s = u32::try_from(venue.now_s()).unwrap();
    let copied = (code_bytes(&shown), at_s);
    let admission = peer.admission((None, now_ms(&clock)), (ticket("2"), 1), copied);
    let admission = peer.sign(RecordFields { sequence: 300, previous: [7; 32], ..admission });
    let at = Arc::clone(&signed);
    meanwhile(&vault, &gate, move || {
        at.fetch_add(1, Ordering::SeqCst);
        delta([item(&admission)])
    });
    clock.pass_s(15);
    let again = venue.show(&Shown::of("2"));
    assert_eq!(gate.scan(again.into_bytes(), 1).unwrap().verdict, Verdict::AlreadyAdmitted);
    assert_eq!(signed.load(Ordering::SeqCst), 2, "decided anew");
}

#[tokio::test]
async fn whose_clock_is_far_ahead_says_nothing_of_when_it_was_heard() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let door = venue.door().await;
    let peer = Peer::new(&venue, 9);
    let ahead = |ms: u64| {
        let place = Place { chain: peer.chain, sequence: 0, hash: [0; 32] };
        Item::Head(peer.head(&place, now_ms(&clock) + ms).as_bytes().to_vec())
    };
    door.gate.merge(delta([peer.introduction(), ahead(120_000)])).unwrap();
    let certainty = door.scan("none").certainty;
    assert_eq!((certainty.peers, certainty.newest_peer_age_s), (1, Some(0)));
    door.gate.merge(delta([ahead(3_600_000)])).unwrap();
    let certainty = door.scan("none either").certainty;
    assert_eq!((certainty.peers, certainty.newest_peer_age_s, certainty.oldest_peer_age_s), (1, None, None));
}
