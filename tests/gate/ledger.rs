//! What is kept, taken back, overridden and handed over.

use std::fs;

use ticket_wallet::ledger::{Kind, Record, Verdict};
use ticket_wallet::manifest::Profile;
use ticket_wallet::{ManifestRequest, WalletError};

use crate::phone::TestClock;
use crate::raw_key::{keyed, raw_key};
use crate::venue::{Door, Shown, Venue, open};

fn field(refused: Result<impl std::fmt::Debug, WalletError>) -> String {
    match refused {
        Err(WalletError::InvalidInput { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

async fn with_plain_code(clock: &TestClock) -> (Venue, Door) {
    let venue = Venue::new(clock);
    let tickets = vec![Venue::row("plain", Profile::Plain, Some("4006381333931"))];
    venue.offer(&ManifestRequest { tickets, ..venue.request() });
    let door = venue.door().await;
    (venue, door)
}

#[tokio::test]
async fn an_admission_is_taken_back_once_and_soon() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let first = door.scan(&venue.show(&Shown::of("1")));
    let undone = door.gate.undo(first.record_id.clone()).unwrap();
    assert_eq!((undone.kind, undone.ticket), (Kind::Undo, first.ticket.clone()));
    assert_eq!(field(door.gate.undo(first.record_id.clone())), "record_id");
    assert_eq!(field(door.gate.undo(undone.id)), "record_id");
    assert_eq!(field(door.gate.undo("nonsense".to_owned())), "record_id");
    let other = format!("{}/1", "0".repeat(32));
    assert!(matches!(door.gate.undo(other), Err(WalletError::NotFound { .. })));
    let counted = door.gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.undone), (0, 1));
    // The frame was used all the same; a new one lets in.
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Replayed);
    clock.pass_s(5);
    let second = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(second.verdict, Verdict::Admit);
    clock.pass_s(121);
    assert_eq!(field(door.gate.undo(second.record_id)), "record_id");
}

#[tokio::test]
async fn an_override_lets_in_with_its_reason_and_clears_nothing() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let stale = door.scan(&venue.show(&Shown { presented: -100, ..Shown::of("1") }));
    assert_eq!(stale.verdict, Verdict::Stale);
    let reason = "the phone's screen is broken".to_owned();
    assert_eq!(field(door.gate.override_refusal(stale.record_id.clone(), String::new())), "reason");
    assert_eq!(field(door.gate.override_refusal(stale.record_id.clone(), "x".repeat(201))), "reason");
    let record = door.gate.override_refusal(stale.record_id, reason.clone()).unwrap();
    assert_eq!((record.kind, record.verdict), (Kind::Override, Verdict::Stale));
    assert_eq!(record.override_reason, Some(reason.clone()));
    assert_eq!(field(door.gate.override_refusal(record.id, reason.clone())), "record_id");
    let after = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(after.verdict, Verdict::AlreadyAdmitted);
    let unknown = door.scan("a wristband");
    assert_eq!(unknown.verdict, Verdict::UnknownTicket);
    door.gate.override_refusal(unknown.record_id, reason).unwrap();
    let counted = door.gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.overridden), (2, 2));
}

#[tokio::test]
async fn a_refusal_is_overridden_once_and_none_of_who_was_leaving() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let stale = venue.show(&Shown { presented: -100, ..Shown::of("1") });
    let refused = door.scan(&stale).record_id;
    let overriding = |id: &str| door.gate.override_refusal(id.to_owned(), "known here".to_owned());
    overriding(&refused).unwrap();
    assert_eq!(field(overriding(&refused)), "record_id");
    let leaving = door.gate.exit(stale.into_bytes(), 1).unwrap();
    assert_eq!(leaving.verdict, Verdict::Stale);
    assert_eq!(field(overriding(&leaving.record_id)), "record_id");
    let counted = door.gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.overridden, counted.left), (1, 1, 0));
}

/// The code that was refused proves to others that a ticket was there, whenever staff decide.
#[tokio::test]
async fn an_override_after_a_restart_has_its_proof_and_counts_everywhere() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let refused = door.scan(&venue.show(&Shown { presented: -100, ..Shown::of("1") })).record_id;
    let door = door.restart();
    door.gate.override_refusal(refused, "known here".to_owned()).unwrap();
    let counted = door.gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.overridden), (1, 1));
    let report = door.gate.report().unwrap();
    assert_eq!((report.entered, report.discounted.len()), (1, 0));
}

#[tokio::test]
async fn what_may_be_overridden_is_known_after_a_restart() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let stale = venue.show(&Shown { presented: -100, ..Shown::of("1") });
    let refused = door.scan(&stale).record_id;
    let leaving = door.gate.exit(stale.into_bytes(), 1).unwrap().record_id;
    door.gate.override_refusal(refused.clone(), "known here".to_owned()).unwrap();
    let door = door.restart();
    for id in [refused, leaving] {
        assert_eq!(field(door.gate.override_refusal(id, "known here".to_owned())), "record_id");
    }
    assert_eq!(door.gate.statistics().unwrap().entered, 1);
}

#[tokio::test]
async fn the_newest_256_refusals_can_be_overridden() {
    let clock = TestClock::new();
    let (_venue, door) = with_plain_code(&clock).await;
    let refused: Vec<_> =
        (0..258).map(|number| door.scan(&format!("wristband {number}")).record_id).collect();
    let overriding = |door: &Door, id: &String| door.gate.override_refusal(id.clone(), "known".to_owned());
    assert_eq!(field(overriding(&door, &refused[1])), "record_id");
    overriding(&door, &refused[2]).unwrap();
    let door = door.restart();
    assert_eq!(field(overriding(&door, &refused[2])), "record_id", "once");
    overriding(&door, &refused[257]).unwrap();
    let Door { folder, gate, .. } = door;
    drop(gate);
    let database = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    let kept: u32 = database.query_row("SELECT count(*) FROM gate_refusal", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 256);
}

/// A record names up to 65,535 persons, and a ledger may have any number of records.
#[tokio::test]
async fn sums_of_persons_that_are_too_large_are_the_largest() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    door.scan(&venue.show(&Shown::of("1")));
    let refused = door.scan("a wristband").record_id;
    door.gate.override_refusal(refused, "known here".to_owned()).unwrap();
    door.gate.exit(venue.show(&Shown::of("2")).into_bytes(), 1).unwrap();
    let Door { folder, gate, .. } = door;
    drop(gate);
    let database = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    assert_eq!(database.execute("UPDATE gate_record SET persons = 4294967296", []).unwrap(), 4);
    drop(database);
    let gate = open(folder.path(), &clock).unwrap();
    let counted = gate.statistics().unwrap();
    assert_eq!((counted.entered, counted.left, counted.overridden), (u32::MAX, u32::MAX, u32::MAX));
    let report = gate.report().unwrap();
    assert_eq!((report.entered, report.left), (u32::MAX, u32::MAX));
}

#[tokio::test]
async fn records_form_a_signed_chain_and_are_handed_over_once() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let admitted = door.scan(&venue.show(&Shown::of("1")));
    door.scan("4006381333931");
    door.scan("unknown");
    door.gate.undo(admitted.record_id).unwrap();
    assert_eq!(door.gate.status().unwrap().unsent, 4);
    // Whoever signs in elsewhere must say what becomes of them.
    assert_eq!(field(door.gate.sign_in(venue.sign_in()).await), "leave_unsent");
    let report = door.gate.sync().await.unwrap();
    assert_eq!((report.sent, report.conflicts, report.unsent), (4, 0, 0));
    assert_eq!(door.gate.sync().await.unwrap().sent, 0);
    let records: Vec<_> = venue.records().iter().map(|bytes| Record::from_bytes(bytes).unwrap()).collect();
    assert_eq!(records.len(), 4);
    let kinds: Vec<_> = records.iter().map(|record| record.fields().kind).collect();
    assert_eq!(kinds, [Kind::Admission, Kind::Admission, Kind::Refusal, Kind::Undo]);
    for (index, record) in records.iter().enumerate() {
        let fields = record.fields();
        assert_eq!(fields.sequence as usize, index + 1);
        let previous = index.checked_sub(1).map_or([0; 32], |before| records[before].hash());
        assert_eq!(fields.previous, previous);
        record.check(&venue.certificate()).unwrap();
    }
    assert!(records[0].fields().evidence.code.is_some(), "what was scanned is kept");
    assert!(door.gate.records(10).unwrap().iter().all(|record| record.is_sent));
}

#[tokio::test]
async fn a_closed_gate_goes_on_with_its_chain_and_a_new_sign_in_begins_another() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    let chain = |id: &str| id.split('/').next().unwrap().to_owned();
    let first = door.scan(&venue.show(&Shown::of("1")));
    let door = door.restart();
    clock.pass_s(5);
    let second = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(second.verdict, Verdict::AlreadyAdmitted);
    assert_eq!(second.record_id, format!("{}/2", chain(&first.record_id)));
    let anew = ticket_wallet::model::GateSignIn { leave_unsent: true, ..venue.sign_in() };
    door.gate.sign_in(anew).await.unwrap();
    clock.pass_s(5);
    let third = door.scan(&venue.show(&Shown::of("1")));
    assert_eq!(third.verdict, Verdict::AlreadyAdmitted, "the history stays");
    assert_ne!(chain(&third.record_id), chain(&first.record_id));
    assert!(third.record_id.ends_with("/1"));
    assert_eq!(field(door.gate.undo(first.record_id)), "record_id");
}

#[tokio::test]
async fn a_damaged_manifest_costs_no_record() {
    let clock = TestClock::new();
    let (venue, door) = with_plain_code(&clock).await;
    door.scan(&venue.show(&Shown::of("1")));
    let Door { folder, gate, .. } = door;
    drop(gate);
    crate::venue::spoil_manifest(folder.path());
    let gate = open(folder.path(), &clock).unwrap();
    assert_eq!(gate.records(10).unwrap().len(), 1);
    assert!(gate.status().unwrap().manifest_sequence.is_none());
    gate.prepare().await.unwrap();
    clock.pass_s(5);
    let again = gate.scan(venue.show(&Shown::of("1")).into_bytes(), 1).unwrap();
    assert_eq!(again.verdict, Verdict::AlreadyAdmitted);
    assert!(fs::metadata(folder.path().join("wallet.db")).unwrap().len() > 0);
}
