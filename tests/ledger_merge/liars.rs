//! A scanner with a certificate of the event that lies: it takes nothing from others, and sets nobody apart.

use ticket_wallet::ledger::{ChainId, Evidence, Item, Kind, Place, RecordFields, RecordId, Verdict};
use ticket_wallet::manifest::Profile;
use ticket_wallet::model::Discounted;
use ticket_wallet::{Gate, ManifestRequest};

use crate::between_gates::bring;
use crate::peers::{Peer, code_bytes, delta, item, ticket};
use crate::phone::TestClock;
use crate::venue::{Shown, Venue};

fn now_ms(clock: &TestClock) -> u64 {
    u64::try_from(clock.wall_ms()).unwrap()
}

fn merge(gate: &Gate, peer: &Peer, items: impl IntoIterator<Item = Item>) -> (u32, Vec<String>) {
    let merged = gate.merge(delta([peer.introduction()].into_iter().chain(items))).unwrap();
    (merged.added, merged.refused.into_iter().map(|one| one.reason).collect())
}

#[tokio::test]
async fn nobody_writes_in_anothers_chain() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (door, liar) = (venue.door().await, Peer::new(&venue, 9));
    let admitted = door.scan(&venue.show(&Shown::of("1")));
    let RecordId { chain, .. } = admitted.record_id.parse().unwrap();
    let elsewhere =
        |sequence, fields: RecordFields| RecordFields { chain, sequence, previous: [7; 32], ..fields };
    let time_ms = now_ms(&clock);
    let named = RecordFields {
        ticket: Some(ticket("1")),
        generation: 1,
        verdict: Verdict::Admit,
        profile: Profile::Signed,
        ..liar.after(None, time_ms)
    };
    let undo = RecordFields {
        kind: Kind::Undo,
        evidence: Evidence { undone: Some(1), ..Evidence::default() },
        ..named
    };
    let admission = liar.admission((None, time_ms), (ticket("2"), 1), ([0; 202], 1));
    let lies = [(u32::MAX, liar.after(None, time_ms)), (2, undo), (3, admission)];
    let items = lies.map(|(sequence, fields)| item(&liar.sign(elsewhere(sequence, fields))));
    let (added, refused) = merge(&door.gate, &liar, items);
    assert_eq!((added, refused), (0, vec!["record: of another scanner".to_owned(); 3]));

    clock.pass_s(20);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::AlreadyAdmitted);
    assert_eq!(door.scan(&venue.show(&Shown::of("2"))).verdict, Verdict::Admit);
    let report = door.gate.report().unwrap();
    assert_eq!((report.entered, report.records, report.forks.len()), (2, 3, 0));
}

#[tokio::test]
async fn what_no_code_proves_does_not_count_against_a_signed_ticket() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (door, liar) = (venue.door().await, Peer::new(&venue, 9));
    let plain = |kind, verdict, evidence| RecordFields {
        ticket: Some(ticket("1")),
        kind,
        verdict,
        evidence,
        ..liar.after(None, now_ms(&clock))
    };
    let admission = liar.sign(plain(Kind::Admission, Verdict::Admit, Evidence::default()));
    let reason = Evidence { reason: Some("lost".to_owned()), ..Evidence::default() };
    let by_staff = RecordFields {
        sequence: 2,
        previous: admission.hash(),
        ..plain(Kind::Override, Verdict::WrongProfile, reason)
    };
    let items = [item(&admission), item(&liar.sign(by_staff))];
    assert_eq!(merge(&door.gate, &liar, items), (2, vec![]));
    let report = door.gate.report().unwrap();
    let why: Vec<_> = report.discounted.iter().map(|one| one.why).collect();
    assert_eq!(why, [Discounted::NotProved { fault: Verdict::WrongProfile }; 2]);
    assert_eq!((report.entered, report.unprovable), (0, 0));
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);

    // Where the manifest has the ticket with a static code, nothing could prove it, and it counts.
    let rows = vec![Venue::row("1", Profile::Plain, Some("code-1"))];
    venue.offer(&ManifestRequest { sequence: 2, tickets: rows, ..venue.request() });
    door.gate.prepare().await.unwrap();
    let report = door.gate.report().unwrap();
    assert_eq!((report.entered, report.unprovable, report.discounted.len()), (3, 2, 0));
}

#[tokio::test]
async fn heads_that_contradict_each_other_are_agreed_upon() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let liar = Peer::new(&venue, 9);
    let head = |sequence, hash, later: u64| {
        let place = Place { chain: ChainId([9; 16]), sequence, hash: [hash; 32] };
        Item::Head(liar.head(&place, now_ms(&clock) + later).as_bytes().to_vec())
    };
    // Longer but earlier; as long and late, of other records.
    for (one, other) in [(head(100, 1, 0), head(1, 1, 9)), (head(5, 1, 0), head(5, 2, 0))] {
        let (a, b) = (venue.door().await, venue.door().await);
        merge(&a.gate, &liar, [one]);
        merge(&b.gate, &liar, [other]);
        for _ in 0..2 {
            bring(&a.gate, &b.gate);
            bring(&b.gate, &a.gate);
        }
        let (ours, theirs) = (a.gate.report().unwrap().missing, b.gate.report().unwrap().missing);
        assert_eq!(ours, theirs);
        assert_eq!(ours.len(), 1);
    }
}

#[tokio::test]
async fn no_copy_that_is_taken_back_opens_a_door_again() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (door, liar) = (venue.door().await, Peer::new(&venue, 9));
    let shown = venue.show(&Shown::of("1"));
    assert_eq!(door.scan(&shown).verdict, Verdict::Admit);
    let at_s = u32::try_from(venue.now_s()).unwrap();
    let copied = (code_bytes(&shown), at_s);
    let copy = liar.sign(liar.admission((None, now_ms(&clock)), (ticket("1"), 1), copied));
    let taken_back = RecordFields {
        kind: Kind::Undo,
        evidence: Evidence { undone: Some(1), ..Evidence::default() },
        sequence: 2,
        previous: copy.hash(),
        ..copy.fields().clone()
    };
    let items = [item(&copy), item(&liar.sign(taken_back))];
    assert_eq!(merge(&door.gate, &liar, items), (2, Vec::new()));
    clock.pass_s(20);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::AlreadyAdmitted);
}

/// Whoever sends rubbish is told of the first hundred pieces of it; what holds is taken on all the same.
#[tokio::test]
async fn of_what_is_refused_the_first_hundred_are_told() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (door, liar) = (venue.door().await, Peer::new(&venue, 9));
    let good = item(&liar.sign(liar.after(None, now_ms(&clock))));
    for pieces in [99, 100, 250] {
        let rubbish = (0..pieces).map(|_| Item::Record(b"rubbish".to_vec()));
        let items = [liar.introduction()].into_iter().chain(rubbish).chain([good.clone()]);
        let merged = door.gate.merge(delta(items)).unwrap();
        assert_eq!(merged.refused.len(), pieces.min(100));
        let told = merged.refused.iter().zip(1_u32..).all(|(one, index)| one.index == index);
        assert!(told, "the first ones");
        assert_eq!(merged.added + merged.repeated, 1);
    }
}
