//! What goes wrong between gates now and then: sign-ins anew, files cut short, copies, invented chains.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ticket_wallet::ledger::{Evidence, Item, Kind, Place, RecordFields, Verdict};
use ticket_wallet::manifest::{EntryPolicy, Profile};
use ticket_wallet::model::GateSignIn;
use ticket_wallet::{Config, Gate, ManifestRequest, WalletError};

use crate::between_gates::bring;
use crate::hooked_vault::{Call, HookedVault};
use crate::much::{chain, invented, now_ms};
use crate::peers::{Peer, code_bytes, delta, item, ticket};
use crate::phone::{TestClock, vault_in};
use crate::venue::{Shown, Venue};

/// Of the same ticket: what passed without a code that proves it.
fn passed(kind: Kind, fields: RecordFields) -> RecordFields {
    RecordFields {
        kind,
        verdict: Verdict::Admit,
        ticket: Some(ticket("1")),
        generation: 1,
        profile: Profile::Signed,
        ..fields
    }
}

#[tokio::test]
async fn what_a_gate_wrote_as_another_scanner_goes_over_as_well() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    assert_eq!(a.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    let anew = GateSignIn { admission_code: "OTHERCODE".to_owned(), leave_unsent: true, ..venue.sign_in() };
    a.gate.sign_in(anew).await.unwrap();
    a.gate.prepare().await.unwrap();
    clock.pass_s(20);
    assert_eq!(bring(&a.gate, &b.gate), 1);
    assert_eq!(b.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::AlreadyAdmitted);
    // It has heard the one that asked, and not what it was before.
    assert_eq!(a.scan("none").certainty.peers, 1);
}

#[tokio::test]
async fn a_file_that_is_cut_is_not_taken_for_whole() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let peer = Peer::new(&venue, 9);
    let long = chain(&peer, 1, 2_000, now_ms(&clock));
    a.gate.merge(delta([peer.introduction()].into_iter().chain(long.iter().map(item)))).unwrap();
    let path = a.folder.path().join("ledger.bin").to_str().unwrap().to_owned();
    assert_eq!(a.gate.export_ledger(path.clone()).unwrap(), 2_000);
    assert!(
        matches!(a.gate.export_ledger(path.clone()), Err(WalletError::InvalidInput { .. })),
        "there already"
    );
    let bytes = std::fs::read(&path).unwrap();
    let first = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize + 4;
    assert!(first < bytes.len());
    for end in [first, first + 2, first + 100] {
        std::fs::write(&path, &bytes[..end]).unwrap();
        match b.gate.merge_file(path.clone()) {
            Err(WalletError::InvalidInput { field, .. }) => assert_eq!(field, "path"),
            other => panic!("{end}: {other:?}"),
        }
    }
    std::fs::write(&path, &bytes).unwrap();
    let merged = b.gate.merge_file(path).unwrap();
    assert!(merged.repeated > 0);
    assert_eq!(merged.added + merged.repeated, 2_000, "what came before counts");
}

#[tokio::test]
async fn a_refusal_is_overridden_once_however_fast_somebody_taps() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let folder = tempfile::tempdir().unwrap();
    let vault = Arc::new(HookedVault::new(vault_in(folder.path())));
    let config =
        Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap().to_owned()) };
    let gate = Gate::open(config, Arc::clone(&vault) as _, Some(Arc::new(clock.clone())), None);
    let gate = Arc::new(gate.unwrap());
    gate.sign_in(venue.sign_in()).await.unwrap();
    gate.prepare().await.unwrap();
    gate.scan(venue.show(&Shown::of("1")).into_bytes(), 1).unwrap();
    clock.pass_s(20);
    let refused = gate.scan(venue.show(&Shown::of("1")).into_bytes(), 1).unwrap();
    let (once, id, weak) = (AtomicBool::new(false), refused.record_id.clone(), Arc::downgrade(&gate));
    vault.before(move |call| {
        if matches!(call, Call::Sign(_)) && !once.swap(true, Ordering::SeqCst) {
            weak.upgrade().unwrap().override_refusal(id.clone(), "tapped".to_owned()).unwrap();
        }
        Ok(())
    });
    let second = gate.override_refusal(refused.record_id, "tapped".to_owned());
    assert!(matches!(second, Err(WalletError::InvalidInput { .. })), "{second:?}");
    let overrides = gate.records(10).unwrap().iter().filter(|one| one.kind == Kind::Override).count();
    assert_eq!((overrides, gate.statistics().unwrap().entered), (1, 2));
}

#[tokio::test]
async fn invented_chains_take_no_room() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let liar = Peer::new(&venue, 0);
    let head = |number: u32| {
        let place = Place::before(invented(&liar, number));
        Item::Head(liar.head(&place, now_ms(&clock) + u64::from(number)).as_bytes().to_vec())
    };
    let heads: Vec<_> = (0..300).map(head).collect();
    let items = |part: &[Item]| delta([liar.introduction()].into_iter().chain(part.iter().cloned()));
    a.gate.merge(items(&heads)).unwrap();
    // In another order, and in parts.
    for part in heads.rchunks(37) {
        b.gate.merge(items(part)).unwrap();
    }
    assert_eq!(a.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    assert_eq!(bring(&a.gate, &b.gate), 1);
    for gate in [&a.gate, &b.gate] {
        let report = gate.report().unwrap();
        let liars: Vec<_> = report.scanners.iter().filter(|one| one.scanner == "0000000000000000").collect();
        assert_eq!((liars.len(), liars[0].chains), (1, 16));
    }
}

#[tokio::test]
async fn a_double_entry_that_later_records_take_back_is_not_told_after_all() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let (a, b) = (venue.door().await, venue.door().await);
    let (one, two) = (Peer::new(&venue, 1), Peer::new(&venue, 2));
    let (at, at_s) = (now_ms(&clock), u32::try_from(venue.now_s()).unwrap());
    let code = code_bytes(&venue.show(&Shown { presented: -5, ..Shown::of("1") }));
    let first = one.sign(one.admission((None, at), (ticket("1"), 1), (code, at_s - 5)));
    let code = code_bytes(&venue.show(&Shown::of("1")));
    let mut rest = vec![two.sign(two.admission((None, at), (ticket("1"), 1), (code, at_s)))];
    for _ in 0..1_800 {
        rest.push(two.sign(two.after(rest.last(), at + 1)));
    }
    let undo = passed(Kind::Undo, two.after(rest.last(), at + 1_000));
    rest.push(
        two.sign(RecordFields { evidence: Evidence { undone: Some(1), ..Evidence::default() }, ..undo }),
    );
    let items =
        [one.introduction(), two.introduction(), item(&first)].into_iter().chain(rest.iter().map(item));
    assert_eq!(a.gate.merge(delta(items)).unwrap().refused, []);
    let path = a.folder.path().join("ledger.bin").to_str().unwrap().to_owned();
    a.gate.export_ledger(path.clone()).unwrap();
    assert_eq!(b.gate.merge_file(path).unwrap().double_entries, []);
    assert_eq!(b.gate.report().unwrap().double_entries, []);
}

/// Whether a ticket that has come in and left comes in again, where a liar has copied its entry and dated it after the exit.
async fn comes_back(with_liar: bool) -> Verdict {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    venue.offer(&ManifestRequest { policy: EntryPolicy::ReEntry, ..venue.request() });
    let door = venue.door().await;
    // By its chain id the liar is the first.
    let (liar, honest) = (Peer::new(&venue, 1), Peer::new(&venue, 9));
    let (at, at_s) = (now_ms(&clock), u32::try_from(venue.now_s()).unwrap());
    let code = code_bytes(&venue.show(&Shown::of("1")));
    let entry = honest.sign(honest.admission((None, at), (ticket("1"), 1), (code, at_s)));
    let exit = honest.sign(RecordFields {
        presented_at: Some(at_s + 20),
        ..passed(Kind::Exit, honest.after(Some(&entry), at + 20_000))
    });
    let copy = liar.sign(liar.admission((None, at + 35_000), (ticket("1"), 1), (code, at_s)));
    let mut items = vec![honest.introduction(), item(&entry), item(&exit)];
    if with_liar {
        items.extend([liar.introduction(), item(&copy)]);
    }
    clock.pass_s(120);
    let merged = door.gate.merge(delta(items)).unwrap();
    assert_eq!((merged.refused.len(), merged.discounted), (0, 0));
    door.scan(&venue.show(&Shown::of("1"))).verdict
}

#[tokio::test]
async fn a_copy_that_is_dated_after_the_exit_locks_nobody_out() {
    assert_eq!((comes_back(false).await, comes_back(true).await), (Verdict::Admit, Verdict::Admit));
}

/// More exits than anybody makes weigh no more than those that anybody makes.
#[tokio::test]
async fn of_one_scanner_so_many_records_about_a_ticket_are_looked_at() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    venue.offer(&ManifestRequest { policy: EntryPolicy::ReEntry, ..venue.request() });
    let door = venue.door().await;
    let peer = Peer::new(&venue, 9);
    let mut fields = Vec::new();
    let at = now_ms(&clock);
    let mut last = peer.sign(passed(Kind::Exit, peer.after(None, at)));
    fields.push(item(&last));
    for _ in 1..256 {
        last = peer.sign(passed(Kind::Exit, peer.after(Some(&last), at)));
        fields.push(item(&last));
    }
    door.gate.merge(delta([peer.introduction()].into_iter().chain(fields))).unwrap();
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    // The 257th record would be the exit after which the ticket comes in again.
    clock.pass_s(20);
    let exit = peer.sign(passed(Kind::Exit, peer.after(Some(&last), now_ms(&clock))));
    door.gate.merge(delta([item(&exit)])).unwrap();
    clock.pass_s(20);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::AlreadyAdmitted);
    let other = Peer::new(&venue, 8);
    let exit = other.sign(passed(Kind::Exit, other.after(None, now_ms(&clock))));
    door.gate.merge(delta([other.introduction(), item(&exit)])).unwrap();
    clock.pass_s(20);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
}
