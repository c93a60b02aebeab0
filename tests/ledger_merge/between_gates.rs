//! Two doors and more, with nothing between them but bytes.

use ticket_wallet::Gate;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::manifest::Profile;
use ticket_wallet::{ManifestRequest, WalletError};

use crate::phone::TestClock;
use crate::venue::{Shown, Venue};

/// Brings everything from one gate to another, in pieces of 4 KiB; returns how many records were new.
pub(crate) fn bring(from: &Gate, to: &Gate) -> u32 {
    let (mut added, mut request) = (0, to.ledger_request().unwrap());
    loop {
        let delta = from.ledger_delta(request, 4096).unwrap();
        let merged = to.merge(delta.bytes).unwrap();
        assert_eq!(merged.refused, []);
        assert_eq!(merged.next_request.is_some(), delta.more);
        added += merged.added;
        match merged.next_request {
            Some(next) => request = next,
            None => return added,
        }
    }
}

#[tokio::test]
async fn the_second_entry_of_a_ticket_is_named_after_a_merge_and_refused_from_then_on() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (north, east) = (venue.door_named("North door").await, venue.door_named("East door").await);
    let first = north.scan(&venue.show(&Shown::of("1")));
    clock.pass_s(20);
    let second = east.scan(&venue.show(&Shown::of("1")));
    assert_eq!((first.verdict, second.verdict), (Verdict::Admit, Verdict::Admit));
    assert_eq!((second.certainty.peers, second.certainty.oldest_peer_age_s), (0, None));
    let other = north.scan(&venue.show(&Shown::of("2")));
    assert_eq!(other.verdict, Verdict::Admit);

    clock.pass_s(10);
    let merged =
        east.gate.merge(north.gate.ledger_delta(east.gate.ledger_request().unwrap(), 65_536).unwrap().bytes);
    let merged = merged.unwrap();
    assert_eq!((merged.added, merged.admissions, merged.discounted), (2, 2, 0));
    assert_eq!((&merged.refused[..], merged.next_request), (&[][..], None));
    let [double] = &merged.double_entries[..] else { panic!("{:?}", merged.double_entries) };
    assert_eq!(Some(&double.ticket), second.ticket.as_ref());
    let entries: Vec<_> = double.entries.iter().map(|one| (one.door.as_deref(), one.is_extra)).collect();
    assert_eq!(entries, [(Some("North door"), false), (Some("East door"), true)]);
    assert_eq!(double.entries[1].record_id, second.record_id);

    clock.pass_s(5);
    let refused = east.scan(&venue.show(&Shown::of("2")));
    assert_eq!(refused.verdict, Verdict::AlreadyAdmitted);
    let earlier = refused.earlier.unwrap();
    assert!(!earlier.is_here);
    assert_eq!(earlier.record_id, other.record_id);
    assert_eq!((refused.certainty.peers, refused.certainty.newest_peer_age_s), (1, Some(5)));

    // The other way, and then both say the same.
    assert_eq!(bring(&east.gate, &north.gate), 2);
    assert_eq!(bring(&north.gate, &east.gate), 0);
    let (ours, theirs) = (north.gate.report().unwrap(), east.gate.report().unwrap());
    assert_eq!(ours.double_entries, theirs.double_entries);
    assert_eq!((ours.entered, ours.records), (theirs.entered, theirs.records));
    assert_eq!((ours.entered, ours.records), (3, 4));
    assert!(ours.missing.is_empty() && ours.forks.is_empty() && ours.discounted.is_empty());
    let heard: Vec<_> = ours.scanners.iter().map(|one| (one.door.clone().unwrap(), one.is_here)).collect();
    assert!(
        heard.contains(&("North door".to_owned(), true)) && heard.contains(&("East door".to_owned(), false))
    );
}

#[tokio::test]
async fn long_ledgers_come_in_pieces_and_over_a_third_gate() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let tickets: Vec<_> = (0..60).map(|n| format!("code-{n:04}")).collect();
    let rows = tickets.iter().map(|code| Venue::row(code, Profile::Plain, Some(code))).collect();
    venue.offer(&ManifestRequest { tickets: rows, ..venue.request() });
    let (a, b, c) = (venue.door().await, venue.door().await, venue.door().await);
    for code in &tickets {
        assert_eq!(a.scan(code).verdict, Verdict::Admit);
    }
    assert_eq!(bring(&a.gate, &b.gate), 60);
    assert_eq!(bring(&b.gate, &c.gate), 60);
    clock.pass_s(60);
    for code in &tickets {
        assert_eq!(c.scan(code).verdict, Verdict::AlreadyAdmitted);
    }
    let report = c.gate.report().unwrap();
    assert_eq!((report.entered, report.unprovable), (60, 60));
    assert_eq!(report.scanners.len(), 3);
    // Only what is new travels: one record, and the heads.
    let delta = c.gate.ledger_delta(b.gate.ledger_request().unwrap(), 1 << 20).unwrap();
    b.gate.merge(delta.bytes).unwrap();
    a.scan("code-none");
    let delta = a.gate.ledger_delta(b.gate.ledger_request().unwrap(), 1 << 20).unwrap();
    assert!(delta.bytes.len() < 800, "{}", delta.bytes.len());
}

#[tokio::test]
async fn a_file_carries_a_ledger() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (north, east) = (venue.door().await, venue.door().await);
    north.scan(&venue.show(&Shown::of("1")));
    let path = north.folder.path().join("ledger.bin").to_str().unwrap().to_owned();
    assert_eq!(north.gate.export_ledger(path.clone()).unwrap(), 1);
    let merged = east.gate.merge_file(path.clone()).unwrap();
    assert_eq!((merged.added, merged.repeated), (1, 0));
    let again = east.gate.merge_file(path.clone()).unwrap();
    assert_eq!((again.added, again.repeated), (0, 1));
    clock.pass_s(20);
    assert_eq!(east.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::AlreadyAdmitted);
    for bytes in [&b"\0\0"[..], b"", b"\xFF\xFF\xFF\xFFnone", b"\0\0\0\x09TWL1"] {
        std::fs::write(&path, bytes).unwrap();
        match east.gate.merge_file(path.clone()) {
            Err(WalletError::InvalidInput { field, .. }) => assert_eq!(field, "path"),
            other => panic!("{bytes:?}: {other:?}"),
        }
    }
    std::fs::remove_file(&path).unwrap();
    assert!(east.gate.merge_file(path).is_err());
}
