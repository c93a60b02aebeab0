//! What a gate says of its certificate, and what becomes of records that it does not cover.

use ticket_wallet::Gate;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{GateCertification, GateSignIn, MergeReport};

use crate::phone::TestClock;
use crate::raw_key::{keyed, raw_key};
use crate::venue::{Door, Shown, Venue, open};

fn certification(gate: &Gate) -> GateCertification {
    gate.status().unwrap().certification
}

/// Signs in once more; what was written stays.
async fn sign_in_again(venue: &Venue, door: &Door) {
    door.gate.sign_in(GateSignIn { leave_unsent: true, ..venue.sign_in() }).await.unwrap();
}

fn bring(from: &Gate, to: &Gate) -> MergeReport {
    to.merge(from.ledger_delta(to.ledger_request().unwrap(), 1 << 20).unwrap().bytes).unwrap()
}

#[tokio::test]
async fn an_expired_certificate_is_said_and_a_new_sign_in_helps() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let other = venue.door_named("South door").await;
    assert_eq!(certification(&other.gate), GateCertification::Valid { until: None });
    venue.certify(-60, Some(100));
    let end = venue.now_s() + 100;
    let door = venue.door().await;
    assert_eq!(certification(&door.gate), GateCertification::Valid { until: Some(end) });
    clock.pass_s(100);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    assert_eq!(certification(&door.gate), GateCertification::Valid { until: Some(end) }, "the last second");
    clock.pass_s(1);
    assert_eq!(certification(&door.gate), GateCertification::Expired { at: end });
    let door = door.restart();
    assert_eq!(certification(&door.gate), GateCertification::Expired { at: end });
    // Nobody is kept waiting at the door for it; others do not take what it records.
    assert_eq!(door.scan(&venue.show(&Shown::of("2"))).verdict, Verdict::Admit);
    let refused = other.gate.ledger_delta(door.gate.ledger_request().unwrap(), 1 << 20);
    assert!(refused.is_err(), "a head of now is not certified");
    venue.certify(-60, None);
    sign_in_again(&venue, &door).await;
    assert_eq!(certification(&door.gate), GateCertification::Valid { until: None });
    assert_eq!(door.scan(&venue.show(&Shown::of("3"))).verdict, Verdict::Admit);
    let merged = bring(&door.gate, &other.gate);
    // The new certificate covers all of them.
    assert_eq!((merged.added, merged.refused.len()), (3, 0));
}

#[tokio::test]
async fn a_certificate_that_does_not_count_yet_is_said_and_its_records_are_refused() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let other = venue.door_named("South door").await;
    venue.certify(3_600, None);
    let from = venue.now_s() + 3_600;
    let door = venue.door().await;
    assert_eq!(certification(&door.gate), GateCertification::NotYetValid { from });
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    let merged = bring(&door.gate, &other.gate);
    assert_eq!(merged.added, 0);
    assert!(merged.refused.iter().any(|one| one.reason.starts_with("record: ")), "{:?}", merged.refused);
    clock.pass_s(3_600);
    assert_eq!(certification(&door.gate), GateCertification::Valid { until: None });
    assert_eq!(door.scan(&venue.show(&Shown::of("2"))).verdict, Verdict::Admit);
    assert_eq!(bring(&door.gate, &other.gate).added, 1, "what is recorded from then on");
}

#[tokio::test]
async fn a_gate_without_a_post_has_none() {
    let door = Door::new(&TestClock::new());
    assert_eq!(certification(&door.gate), GateCertification::NotNeeded);
}

#[tokio::test]
async fn a_damaged_certificate_is_said_too() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let Door { folder, gate, .. } = venue.door().await;
    drop(gate);
    let database = keyed(&folder.path().join("wallet.db"), &raw_key(folder.path()));
    let sql = "UPDATE scanner SET certificate = substr(certificate, 1, 100)";
    assert_eq!(database.execute(sql, []).unwrap(), 1);
    drop(database);
    let door = Door { gate: open(folder.path(), &clock).unwrap(), folder, clock };
    assert_eq!(certification(&door.gate), GateCertification::Unreadable);
    assert_eq!(door.scan(&venue.show(&Shown::of("1"))).verdict, Verdict::Admit);
    sign_in_again(&venue, &door).await;
    assert_eq!(certification(&door.gate), GateCertification::Valid { until: None });
}
