//! Admissions on their way: answers that are lost, servers that fail, and what was broken off.

use ticket_wallet::WalletError;
use ticket_wallet_sandbox::{Fault, SandboxConfig};

use crate::Door;
use crate::festival::Festival;

const POST: (&str, &str) = ("POST", "/admissions");
const GET: (&str, &str) = ("GET", "/admissions");

#[tokio::test]
async fn a_lost_answer_is_read_back_and_nothing_is_asked_for_twice() {
    for fault in [
        Fault::LostReply,
        Fault::TruncatedJson,
        Fault::Gateway { status: 502, code: None },
        Fault::Gateway { status: 504, code: None },
    ] {
        let festival = Festival::new().await;
        let all = festival.issued().await;
        let door = Door::open(&festival, "North door").await;
        all[..3].iter().for_each(|serial| drop(door.admit(serial)));
        festival.fault(POST.0, POST.1, 1, fault.clone());
        assert_eq!(door.sync().await, (3, 0, 0), "{fault:?}");
        assert_eq!((festival.count("POST /admissions"), festival.applied("ticketing.admit")), (1, 3));
        assert_eq!(door.sync().await, (0, 0, 0));
        assert_eq!(festival.count("POST /admissions"), 1);
    }
}

#[tokio::test]
async fn what_did_not_arrive_is_asked_for_again() {
    for fault in [Fault::Reset, Fault::ServerError] {
        let festival = Festival::new().await;
        let all = festival.issued().await;
        let door = Door::open(&festival, "North door").await;
        door.admit(&all[0]);
        festival.fault(POST.0, POST.1, 1, fault.clone());
        assert_eq!(door.sync().await, (1, 0, 0), "{fault:?}");
        assert_eq!(festival.admissions(&all[0]).await.len(), 1);
        // Twice in a row is a failure: it is no conflict, and nothing is lost.
        let record = door.admit(&all[1]);
        festival.fault(POST.0, POST.1, 2, fault.clone());
        let failed = door.gate.sync().await.err().unwrap();
        let expected = match fault {
            Fault::Reset => matches!(failed, WalletError::Unreachable { .. }),
            _ => matches!(failed, WalletError::ServerFault { .. }),
        };
        assert!(expected, "{failed:?}");
        assert_eq!((door.record(&record).is_sent, door.record(&record).conflict), (false, None));
        assert_eq!(door.sync().await, (1, 0, 0));
        assert_eq!(festival.admissions(&all[1]).await.len(), 1);
    }
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    door.admit(&all[0]);
    for refusal in [
        Fault::TooMany { retry_after: "3600".to_owned() },
        Fault::Unavailable { retry_after: "3600".to_owned() },
    ] {
        festival.fault(POST.0, POST.1, 1, refusal);
        let paused = door.gate.sync().await;
        assert!(matches!(paused, Err(WalletError::Unreachable { .. })), "{paused:?}");
        assert_eq!(door.unsent(), 1);
        festival.clock.pass_s(3_601);
    }
    assert_eq!(door.sync().await, (1, 0, 0));
}

#[tokio::test]
async fn a_lost_answer_that_cannot_be_read_back_leaves_everything_as_it_was() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    all[..3].iter().for_each(|serial| drop(door.admit(serial)));
    festival.fault(POST.0, POST.1, 1, Fault::LostReply);
    festival.fault(GET.0, GET.1, 3, Fault::Reset);
    let failed = door.gate.sync().await;
    assert!(matches!(failed, Err(WalletError::Unreachable { .. })), "{failed:?}");
    assert_eq!((door.unsent(), festival.applied("ticketing.admit")), (3, 3));
    let kept = door.gate.records(10).unwrap();
    assert!(kept.iter().all(|record| !record.is_sent && record.conflict.is_none()));
    // The server says now that all were used before: by whom, its list says.
    let door = door.restart();
    assert_eq!(door.sync().await, (3, 0, 0));
    assert!(door.gate.records(10).unwrap().iter().all(|one| one.is_sent && one.conflict.is_none()));
    assert_eq!(festival.applied("ticketing.admit"), 3);
}

#[tokio::test]
async fn batches_count_one_by_one_and_go_on_after_a_restart() {
    let config = SandboxConfig { tickets_per_user: 240, ..SandboxConfig::default() };
    let festival = Festival::with(config).await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    all[..60].iter().for_each(|serial| drop(door.admit(serial)));
    festival.fault_after(1, POST, 2, Fault::Reset);
    let failed = door.gate.sync().await;
    assert!(matches!(failed, Err(WalletError::Unreachable { .. })), "{failed:?}");
    assert_eq!((door.unsent(), festival.applied("ticketing.admit")), (10, 50));
    let door = door.restart();
    assert_eq!(door.sync().await, (10, 0, 0));
    assert_eq!(festival.applied("ticketing.admit"), 60);
}

#[tokio::test]
async fn a_server_that_redeems_one_at_a_time_is_asked_for_the_rest() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    all[..4].iter().for_each(|serial| drop(door.admit(serial)));
    festival.choose(|choices| choices.most_admitted = Some(1));
    festival.fault_after(1, POST, 1, Fault::LostReply);
    assert_eq!(door.sync().await, (4, 0, 0));
    assert_eq!(festival.applied("ticketing.admit"), 4);
}

#[tokio::test]
async fn a_list_that_lags_behind_is_waited_for() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    let record = door.admit(&all[0]);
    festival.choose(|choices| choices.admissions_lag_s = 60);
    festival.fault(POST.0, POST.1, 1, Fault::LostReply);
    // Redeemed, and listed for nobody: that is no refusal yet.
    assert_eq!(door.sync().await, (0, 0, 1));
    assert_eq!(door.record(&record).conflict, None);
    let door = door.restart();
    festival.clock.pass_s(59);
    assert_eq!(door.sync().await, (0, 0, 1));
    // Others are not kept waiting.
    door.admit(&all[1]);
    assert_eq!(door.sync().await, (1, 0, 1));
    festival.clock.pass_s(2);
    assert_eq!(door.sync().await, (1, 0, 0));
    assert_eq!((door.record(&record).conflict, festival.applied("ticketing.admit")), (None, 2));
}

#[tokio::test]
async fn a_list_of_many_pages_is_read_to_the_end() {
    let festival = Festival::new().await;
    let all = festival.issued().await;
    let door = Door::open(&festival, "North door").await;
    for serial in &all[1..6] {
        festival.redeem_elsewhere(serial).await;
    }
    let record = door.admit(&all[0]);
    let other = door.admit(&all[3]);
    festival.choose(|choices| (choices.admissions_are_filtered, choices.most_records) = (false, 2));
    festival.fault(POST.0, POST.1, 1, Fault::LostReply);
    assert_eq!(door.sync().await, (2, 1, 0));
    assert_eq!(door.record(&record).conflict, None);
    assert!(door.record(&other).conflict.unwrap().contains("South door"));
    // A list that is empty is no resource to some.
    festival.choose(|choices| (choices.empty_is_not_found, choices.admissions_are_filtered) = (true, true));
    door.admit(&all[6]);
    festival.fault(POST.0, POST.1, 1, Fault::Reset);
    assert_eq!(door.sync().await, (1, 0, 0));
}
