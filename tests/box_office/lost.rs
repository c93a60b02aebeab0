//! Lost answers: done, rejected or unknown, and never a silent double.

use std::time::Duration;

use ticket_wallet::WalletError;
use ticket_wallet::model::{BamConfig, GroupOrder, OfficeWriteState};
use ticket_wallet_sandbox::{BamChoices, Fault};

use crate::desk::{Desk, ids};

#[tokio::test]
async fn a_lost_reservation_is_found_where_the_server_lists_it() {
    let desk = Desk::new().await;
    desk.reserve().await;
    desk.lose_the_answer_to("/ticket/reserve");
    let write = desk.reserve().await;
    assert_eq!(write.state, OfficeWriteState::Done);
    assert_eq!(ids(&write).len(), 2);
    assert_eq!(desk.applied("reserve"), 4, "two reservations of two tickets, and no third");
}

#[tokio::test]
async fn a_lost_reservation_that_nothing_tells_of_is_unknown_until_somebody_forgets_it() {
    let choices = BamChoices { reserved_listed: false, ..BamChoices::default() };
    let desk = Desk::at(choices, BamConfig::default()).await;
    desk.lose_the_answer_to("/ticket/reserve");
    let write = desk.reserve().await;
    assert_eq!(write.state, OfficeWriteState::Unknown);
    let desk = desk.restart();
    let kept = desk.office.writes(desk.account.clone(), 10).unwrap();
    assert_eq!((kept.len(), kept[0].state), (1, OfficeWriteState::Unknown));
    desk.office.forget_write(write.id).unwrap();
    assert!(matches!(desk.office.look_up_write(write.id).await, Err(WalletError::NotFound { .. })));
    assert_eq!(desk.applied("reserve"), 2);
}

#[tokio::test]
async fn lost_answers_to_free_and_issue_are_read_back() {
    for path in ["free", "issue"] {
        let desk = Desk::new().await;
        let ids = ids(&desk.reserve().await);
        desk.lose_the_answer_to(&format!("/ticket/{path}"));
        let write = match path {
            "free" => desk.office.free(desk.account.clone(), None, ids).await.unwrap(),
            _ => desk.office.issue(desk.account.clone(), None, ids).await.unwrap(),
        };
        assert_eq!(write.state, OfficeWriteState::Done, "{path}");
        assert_eq!(desk.applied(path), 2, "{path}: once for each ticket");
        let found = desk.office.look_up_write(write.id).await.unwrap();
        assert_eq!(found.state, OfficeWriteState::Done, "{path}");
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_rejected_once_it_cannot_arrive_any_more() {
    let desk = Desk::new().await;
    let ids = ids(&desk.reserve().await);
    desk.fault("/ticket/issue", Fault::Reset);
    let write = desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown, "it may still be on its way");
    desk.clock.pass_s(121);
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Rejected);
    assert_eq!((desk.applied("issue"), desk.states(&ids).await), (0, vec!["reserved".to_owned(); 2]));
}

#[tokio::test]
async fn a_group_whose_answer_is_lost_stays_unknown() {
    let desk = Desk::new().await;
    desk.lose_the_answer_to("/ticket/send-group");
    let order = GroupOrder {
        tenant: None,
        event_id: desk.order.event_id,
        format: "PDF".to_owned(),
        items: desk.order.items.clone(),
        note: None,
        owner_emails: vec!["jonas@example.org".to_owned()],
    };
    let write = desk.office.send_group(desk.account.clone(), order).await.unwrap();
    desk.clock.pass_s(3_600);
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    assert_eq!(desk.applied("send"), 2, "once for each ticket");
}

#[tokio::test]
async fn what_was_under_way_when_the_process_ended_is_kept_as_sent() {
    let desk = Desk::new().await;
    desk.fault("/ticket/reserve", Fault::LatencyMs(3_600_000));
    let sending = desk.office.reserve(desk.account.clone(), desk.order.clone());
    assert!(tokio::time::timeout(Duration::from_secs(5), sending).await.is_err());
    let desk = desk.restart();
    let kept = desk.office.writes(desk.account.clone(), 10).unwrap();
    assert_eq!((kept.len(), kept[0].state), (1, OfficeWriteState::Sent));
    desk.clock.pass_s(121);
    let found = desk.office.look_up_write(kept[0].id).await.unwrap();
    assert_eq!((found.state, desk.applied("reserve")), (OfficeWriteState::Rejected, 0));
}

#[tokio::test]
async fn a_server_that_is_gone_got_nothing() {
    let desk = Desk::new().await;
    let Desk { sandbox, office, account, order, .. } = desk;
    sandbox.stop().await;
    let failed = office.reserve(account.clone(), order).await.unwrap_err();
    assert!(matches!(failed, WalletError::Unreachable { .. }), "{failed}");
    let kept = office.writes(account, 10).unwrap();
    assert!(kept.iter().all(|write| write.state == OfficeWriteState::Rejected));
}
