//! Lost answers: done, rejected or unknown, and never a silent double.

use std::time::Duration;

use ticket_wallet::WalletError;
use ticket_wallet::model::{BamConfig, GroupOrder, OfficeWriteState};
use ticket_wallet_sandbox::{BamChoices, Fault, IssueEnd};

use crate::desk::{Desk, ids, open, organizer};

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
async fn tickets_that_stay_reserved_tell_nothing_of_an_issue_or_a_release() {
    for path in ["issue", "free"] {
        let desk = Desk::new().await;
        let ids = ids(&desk.reserve().await);
        desk.fault(&format!("/ticket/{path}"), Fault::Reset);
        let write = match path {
            "free" => desk.office.free(desk.account.clone(), None, ids.clone()).await.unwrap(),
            _ => desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap(),
        };
        assert_eq!(write.state, OfficeWriteState::Unknown, "{path}");
        desk.clock.pass_s(3_600);
        let write = desk.office.look_up_write(write.id).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Unknown, "{path}: the ledger may be at it, and lists lag");
        assert_eq!((desk.applied(path), desk.states(&ids).await), (0, vec!["reserved".to_owned(); 2]));
    }
    // An issue that is under way all the while shows as reserved, and is found when it is through.
    let choices = BamChoices {
        issue: IssueEnd::AfterSeconds(600),
        status_between: "reserved".to_owned(),
        ..BamChoices::default()
    };
    let desk = Desk::at(choices, BamConfig::default()).await;
    let ids = ids(&desk.reserve().await);
    desk.lose_the_answer_to("/ticket/issue");
    let write = desk.office.issue(desk.account.clone(), None, ids).await.unwrap();
    desk.clock.pass_s(300);
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown);
    desk.clock.pass_s(301);
    assert_eq!(desk.office.look_up_write(write.id).await.unwrap().state, OfficeWriteState::Done);
}

#[tokio::test]
async fn a_reservation_is_rejected_only_where_the_list_shows_others_of_ours_and_it_cannot_arrive_any_more() {
    // An empty list is no evidence, however long ago it was.
    let desk = Desk::new().await;
    desk.fault("/ticket/reserve", Fault::Reset);
    let first = desk.reserve().await;
    desk.clock.pass_s(3_600);
    let looked = desk.office.look_up_write(first.id).await.unwrap();
    assert_eq!((looked.state, desk.applied("reserve")), (OfficeWriteState::Unknown, 0));
    // One that shows what this box office reserved for this owner is.
    assert_eq!(desk.reserve().await.state, OfficeWriteState::Done);
    desk.fault("/ticket/reserve", Fault::Reset);
    let second = desk.reserve().await;
    assert_eq!(second.state, OfficeWriteState::Unknown, "it may still be on its way");
    desk.clock.pass_s(121);
    for id in [first.id, second.id] {
        let looked = desk.office.look_up_write(id).await.unwrap();
        assert_eq!((looked.state, looked.answer_json), (OfficeWriteState::Rejected, None));
    }
    assert_eq!(desk.applied("reserve"), 2, "the two tickets of the one that was answered");
}

#[tokio::test]
async fn a_list_that_is_behind_or_tells_no_owners_claims_nothing() {
    let desk = Desk::new().await;
    let choices =
        |unlisted_last, owners_listed| BamChoices { unlisted_last, owners_listed, ..BamChoices::default() };
    desk.sandbox.set_bam_choices(choices(2, true));
    desk.lose_the_answer_to("/ticket/reserve");
    let write = desk.reserve().await;
    desk.clock.pass_s(3_600);
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!((write.state, desk.applied("reserve")), (OfficeWriteState::Unknown, 2), "behind");
    desk.sandbox.set_bam_choices(choices(1, true));
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown, "one of two");
    desk.sandbox.set_bam_choices(choices(0, false));
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!(write.state, OfficeWriteState::Unknown, "they may be anybody's");
    desk.sandbox.set_bam_choices(choices(0, true));
    let write = desk.office.look_up_write(write.id).await.unwrap();
    assert_eq!((write.state, ids(&write).len()), (OfficeWriteState::Done, 2));
}

#[tokio::test]
async fn what_colleagues_reserved_meanwhile_is_not_taken_for_ours() {
    let desk = Desk::new().await;
    let colleague = tempfile::tempdir().unwrap();
    let other = open(colleague.path(), &desk.clock);
    let account = other.sign_in(organizer(&desk.sandbox, BamConfig::default())).await.unwrap().id;
    desk.reserve().await;
    desk.fault("/ticket/reserve", Fault::Reset);
    let lost = desk.reserve().await;
    let mut elsewhere = desk.order.clone();
    let sectors = [1, 2, 3, 4].map(Some);
    elsewhere.format = "PDF".to_owned();
    other.reserve(account.clone(), elsewhere.clone()).await.unwrap();
    elsewhere.format = desk.order.format.clone();
    let mut taken = 0;
    for sector in sectors.into_iter().filter(|sector| *sector != desk.order.items[0].sector_id) {
        elsewhere.items[0].sector_id = sector;
        taken += usize::from(other.reserve(account.clone(), elsewhere.clone()).await.is_ok());
    }
    assert!(taken > 0, "the event has another sector");
    let looked = desk.office.look_up_write(lost.id).await.unwrap();
    assert_eq!(looked.state, OfficeWriteState::Unknown, "neither another format nor another sector is ours");
    desk.clock.pass_s(121);
    let looked = desk.office.look_up_write(lost.id).await.unwrap();
    assert_eq!(looked.state, OfficeWriteState::Rejected);

    // Ours is found among theirs.
    desk.lose_the_answer_to("/ticket/reserve");
    let lost = desk.office.reserve(desk.account.clone(), desk.order.clone());
    let found = lost.await.unwrap();
    assert_eq!((found.state, ids(&found).len()), (OfficeWriteState::Done, 2));
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
    assert_eq!((found.state, desk.applied("reserve")), (OfficeWriteState::Unknown, 0));
    // What is reserved from now on shows that the list would have shown it.
    desk.reserve().await;
    let found = desk.office.look_up_write(kept[0].id).await.unwrap();
    assert_eq!((found.state, desk.applied("reserve")), (OfficeWriteState::Rejected, 2));
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
