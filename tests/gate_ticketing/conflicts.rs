//! What the server holds against a record stands with that record, and with no other.

use ticket_wallet::ledger::{Kind, Verdict};
use ticket_wallet::model::TicketStatus;

use crate::Door;
use crate::festival::Festival;

#[tokio::test]
async fn of_two_doors_the_second_to_hand_over_has_the_conflict() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let north = Door::open(&festival, "North door").await;
    let east = Door::open(&festival, "East door").await;
    let both = [north.admit(&all[0]), east.admit(&all[0])];
    let alone = [north.admit(&all[1]), east.admit(&all[2])];
    festival.clock.pass_s(60);
    assert_eq!(east.sync().await, (2, 0, 0));
    assert_eq!(north.sync().await, (2, 1, 0));
    assert_eq!(east.record(&both[1]).conflict, None);
    let conflict = north.record(&both[0]).conflict.unwrap();
    assert_eq!(conflict, "redeemed elsewhere: East door, 2026-11-21 00:01:00 UTC");
    assert_eq!((north.record(&alone[0]).conflict, east.record(&alone[1]).conflict), (None, None));
    assert_eq!(festival.applied("ticketing.admit"), 3);
    assert_eq!(north.sync().await, (0, 0, 0), "it is told once");
}

#[tokio::test]
async fn a_ticket_that_does_not_count_is_said_so_when_it_is_sure() {
    let festival = Festival::new().await;
    let held = festival.serials(TicketStatus::Other { text: "Held".to_owned() }).await;
    let door = Door::open(&festival, "North door").await;
    let refused = door.scan(&held[0]);
    assert_eq!(refused.verdict, Verdict::Blocked);
    let record = door.gate.override_refusal(refused.record_id, "on the guest list".to_owned()).unwrap();
    assert_eq!(door.sync().await, (1, 0, 1), "a list may lag behind");
    festival.clock.pass_s(121);
    assert_eq!(door.sync().await, (1, 1, 0));
    assert_eq!(door.record(&record.id).conflict.as_deref(), Some("not to be redeemed"));
    assert_eq!(festival.applied("ticketing.admit"), 0);
}

#[tokio::test]
async fn what_was_taken_back_before_it_was_handed_over_is_not_sent() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    let first = door.admit(&all[0]);
    // The next batch has what takes it back.
    (0..60).for_each(|number| drop(door.scan(&format!("nobody {number}"))));
    let undone = door.gate.undo(first.clone()).unwrap();
    assert_eq!(door.sync().await, (62, 0, 0));
    assert_eq!((festival.applied("ticketing.admit"), festival.count("POST /admissions")), (0, 0));
    assert_eq!((door.record(&first).conflict, door.record(&undone.id).conflict), (None, None));
    // Another door may let the ticket in, and then this one does not.
    festival.redeem_elsewhere(&all[0]).await;
    festival.clock.pass_s(5);
    door.gate.prepare().await.unwrap();
    assert_eq!(door.verdict(&all[0]), Verdict::Blocked);
}

#[tokio::test]
async fn what_is_taken_back_too_late_is_told_with_what_took_it_back() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    let first = door.admit(&all[0]);
    assert_eq!(door.sync().await, (1, 0, 0));
    let undone = door.gate.undo(first.clone()).unwrap();
    assert_eq!(door.sync().await, (1, 1, 0));
    assert_eq!(door.record(&first).conflict, None);
    let conflict = door.record(&undone.id).conflict.unwrap();
    assert!(conflict.contains("takes none back"), "{conflict}");
    // The ticket has let nobody in: this door may, and the server's admission is that one's.
    festival.clock.pass_s(4_000);
    door.gate.prepare().await.unwrap();
    let second = door.admit(&all[0]);
    assert_eq!(door.sync().await, (1, 0, 0));
    assert_eq!((door.record(&second).conflict, festival.applied("ticketing.admit")), (None, 1));
}

#[tokio::test]
async fn an_admission_whose_answer_was_lost_and_that_was_taken_back_then_is_told_too() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    let first = door.admit(&all[0]);
    festival.fault("POST", "/admissions", 1, ticket_wallet_sandbox::Fault::LostReply);
    festival.fault("GET", "/admissions", 3, ticket_wallet_sandbox::Fault::Reset);
    door.gate.sync().await.unwrap_err();
    let undone = door.gate.undo(first).unwrap();
    assert_eq!(door.sync().await, (2, 1, 0));
    assert!(door.record(&undone.id).conflict.is_some());
    // Back in before the next sync, there is nothing to tell.
    let record = door.admit(&all[1]);
    assert_eq!(door.sync().await, (1, 0, 0));
    let undone = door.gate.undo(record).unwrap();
    festival.clock.pass_s(5);
    door.admit(&all[1]);
    assert_eq!(door.sync().await, (2, 0, 0));
    assert_eq!(door.record(&undone.id).conflict, None);
    assert_eq!(festival.applied("ticketing.admit"), 2);
}

#[tokio::test]
async fn a_second_entry_that_staff_let_in_is_counted_once_by_the_server() {
    for sync_between in [false, true] {
        let festival = Festival::new().await;
        let all = festival.issued().await;
        let door = Door::open(&festival, "North door").await;
        let first = door.admit(&all[0]);
        if sync_between {
            assert_eq!(door.sync().await, (1, 0, 0));
        }
        festival.clock.pass_s(5);
        let again = door.scan(&all[0]);
        assert_eq!(again.verdict, Verdict::AlreadyAdmitted);
        let second = door.gate.override_refusal(again.record_id, "was outside".to_owned()).unwrap();
        assert_eq!(second.kind, Kind::Override);
        let (_, conflicts, unsent) = door.sync().await;
        assert_eq!((conflicts, unsent), (1, 0));
        assert_eq!(door.record(&first).conflict, None);
        assert!(door.record(&second.id).conflict.unwrap().contains("once"));
        assert_eq!(festival.applied("ticketing.admit"), 1);
    }
}
