//! Reserving, freeing, issuing and sending, with each choice that the documents leave open.

use ticket_wallet::WalletError;
use ticket_wallet::model::{
    BamConfig, BamIdsForm, Capability, GroupOrder, ListDirection, OfficeWriteState, ServerTicketQuery,
    TicketFormat, TicketStatus,
};
use ticket_wallet_sandbox::{
    BamChoices, ErrorKey, IdsForm, IdsKey, IssueEnd, OrganizerPrefix, ReserveReply, WriteReply,
};

use crate::desk::{Desk, ids, organizer};

#[tokio::test]
async fn reserved_tickets_are_issued_and_reach_their_owners_wallet() {
    let desk = Desk::new().await;
    let write = desk.reserve().await;
    assert_eq!(write.state, OfficeWriteState::Done);
    let ids = ids(&write);
    assert_eq!(desk.states(&ids).await, ["reserved", "reserved"]);
    let listed = desk.office.reserved(desk.account.clone(), None, desk.order.event_id).await.unwrap();
    assert!(ids.iter().all(|id| listed.iter().any(|ticket| ticket.remote_id == *id)));
    let issued = desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap();
    assert_eq!(issued.state, OfficeWriteState::Done);
    let found = desk.office.wait_until_issued(desk.account.clone(), None, ids.clone(), 600).await.unwrap();
    assert!(found.iter().all(|ticket| ticket.status == TicketStatus::Issued));
    desk.holder.wallet.sync(None).await.unwrap();
    let held: Vec<_> = desk.holder.tickets().into_iter().map(|ticket| ticket.id).collect();
    let remote = |id: &String| desk.holder.wallet.ticket(id.clone()).unwrap().remote_id;
    assert!(ids.iter().all(|id| held.iter().any(|ticket| remote(ticket) == *id)));
}

#[tokio::test]
async fn freed_tickets_can_be_reserved_again() {
    let desk = Desk::new().await;
    let ids = ids(&desk.reserve().await);
    let freed = desk.office.free(desk.account.clone(), None, ids.clone()).await.unwrap();
    assert_eq!(freed.state, OfficeWriteState::Done);
    let again = desk.office.free(desk.account.clone(), None, ids).await.unwrap_err();
    assert!(matches!(again, WalletError::Refused { .. }), "{again}");
    assert_eq!(desk.reserve().await.state, OfficeWriteState::Done);
    let states: Vec<_> =
        desk.office.writes(desk.account.clone(), 10).unwrap().iter().map(|write| write.state).collect();
    use OfficeWriteState as S;
    assert_eq!(states, [S::Done, S::Rejected, S::Done, S::Done], "the newest first");
}

#[tokio::test]
async fn an_issue_that_does_not_come_about_is_told_as_it_stands() {
    for (issue, between, ends) in [
        (IssueEnd::Never, "confirmed", "confirmed"),
        (IssueEnd::FallsBack(1), "confirmed", "reserved"),
        (IssueEnd::Never, "minting", "minting"),
        (IssueEnd::AfterSeconds(15), "minting", "issued"),
    ] {
        let choices = BamChoices { issue, status_between: between.to_owned(), ..BamChoices::default() };
        let desk = Desk::at(choices, BamConfig::default()).await;
        let ids = ids(&desk.reserve().await);
        desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap();
        let begun = desk.clock.wall_ms();
        let found = desk.office.wait_until_issued(desk.account.clone(), None, ids, 20).await.unwrap();
        let waited_s = (desk.clock.wall_ms() - begun) / 1000;
        assert_eq!(waited_s >= 20, ends != "issued", "{issue:?}, {between}: {waited_s} s");
        assert!(found.iter().all(|ticket| ticket.status.as_text() == ends), "{issue:?}");
    }
}

#[tokio::test]
async fn every_choice_that_the_documents_leave_open_works() {
    let (default, config) = (BamChoices::default, BamConfig::default);
    let prefix = |text: &str| BamConfig { organizer_prefix: Some(text.to_owned()), ..config() };
    let member = |text: &str| BamConfig { ids_field: Some(text.to_owned()), ..config() };
    use BamIdsForm as F;
    let form = |ids_form: F| BamConfig { ids_form: Some(ids_form), ..config() };
    let both = [
        (BamChoices { paged: false, tenant_paged: true, ..default() }, config()),
        (
            BamChoices { string_ids: true, error_key: ErrorKey::Error, error_status: true, ..default() },
            config(),
        ),
        (BamChoices { organizer_prefix: OrganizerPrefix::V1, ..default() }, prefix("v1")),
        (BamChoices { organizer_prefix: OrganizerPrefix::None, ..default() }, prefix("")),
        (BamChoices { ids_key: IdsKey::TicketIds, ..default() }, member("ticket_ids")),
        (BamChoices { ids_key: IdsKey::Tickets, ..default() }, member("tickets")),
        (
            BamChoices {
                reserve_reply: ReserveReply::DataTickets,
                write_reply: WriteReply::Empty,
                ..default()
            },
            config(),
        ),
        (
            BamChoices {
                reserve_reply: ReserveReply::Tickets,
                write_reply: WriteReply::NoContent,
                ..default()
            },
            config(),
        ),
        (
            BamChoices { ids_form: IdsForm::List, reserve_reply: ReserveReply::List, ..default() },
            form(F::List),
        ),
        (BamChoices { ids_form: IdsForm::Objects, ..default() }, form(F::Objects)),
        (BamChoices { issue: IssueEnd::AfterSeconds(30), reserved_listed: false, ..default() }, config()),
        (
            BamChoices { status_between: "on_ledger".to_owned(), refresh_keeps_organizer: true, ..default() },
            config(),
        ),
    ];
    for (choices, config) in both {
        let what = format!("{choices:?}");
        let desk = Desk::at(choices, config).await;
        let first = ids(&desk.reserve().await);
        let freed = desk.office.free(desk.account.clone(), None, first).await.unwrap();
        assert_eq!(freed.state, OfficeWriteState::Done, "{what}");
        let second = ids(&desk.reserve().await);
        // A session that ends in between is renewed as the organizer's.
        desk.sandbox.revoke_tokens().unwrap();
        desk.office.issue(desk.account.clone(), None, second.clone()).await.unwrap();
        let found = desk.office.wait_until_issued(desk.account.clone(), None, second, 600).await.unwrap();
        assert!(found.iter().all(|ticket| ticket.status == TicketStatus::Issued), "{what}");
        assert_eq!(desk.applied("free"), 2, "{what}");
    }
}

#[tokio::test]
async fn a_group_is_sent_once() {
    let desk = Desk::new().await;
    let order = GroupOrder {
        tenant: None,
        event_id: desk.order.event_id,
        format: "PDF".to_owned(),
        items: desk.order.items.clone(),
        note: Some("Viel Spaß!".to_owned()),
        owner_emails: vec!["mira@example.org".to_owned(), "jonas@example.org".to_owned()],
    };
    let write = desk.office.send_group(desk.account.clone(), order).await.unwrap();
    assert_eq!((write.state, ids(&write).len()), (OfficeWriteState::Done, 4));
}

#[tokio::test]
async fn unusable_orders_are_refused_before_anything_is_sent_and_leave_no_trace() {
    let desk = Desk::new().await;
    let before = desk.sandbox.journal().unwrap().len();
    let mut nothing = desk.order.clone();
    nothing.items.clear();
    let mut zero = desk.order.clone();
    zero.items[0].quantity = 0;
    let mut nobody = desk.order.clone();
    nobody.owner_enrollment_id = String::new();
    for (order, named) in [(nothing, "items"), (zero, "quantity"), (nobody, "owner_enrollment_id")] {
        let refused = desk.office.reserve(desk.account.clone(), order).await.unwrap_err();
        assert!(
            matches!(refused, WalletError::InvalidInput { ref field, .. } if field == named),
            "{refused}"
        );
    }
    assert!(desk.office.free(desk.account.clone(), None, vec![]).await.is_err());
    assert!(desk.office.issue(desk.account.clone(), None, vec!["../1".to_owned()]).await.is_err());
    assert_eq!(desk.sandbox.journal().unwrap().len(), before);
    assert!(desk.office.writes(desk.account.clone(), 10).unwrap().is_empty());
}

#[tokio::test]
async fn what_the_server_refuses_is_told_with_its_code() {
    let desk = Desk::new().await;
    let mut sold_out = desk.order.clone();
    sold_out.items[0].quantity = 1_000_000;
    let mut unknown = desk.order.clone();
    unknown.event_id = 999_999;
    for order in [sold_out, unknown] {
        let refused = desk.office.reserve(desk.account.clone(), order).await.unwrap_err();
        assert!(matches!(refused, WalletError::Refused { server_code: Some(_), .. }), "{refused:?}");
    }
    // A holder is no organizer.
    let mut holder = organizer(&desk.sandbox, BamConfig::default());
    let user = &desk.sandbox.users()[0];
    (holder.user_name, holder.password) = (user.name.clone(), user.password.clone());
    holder.config.bam.as_mut().unwrap().organizer_id = None;
    let account = desk.office.sign_in(holder).await.unwrap().id;
    let mut order = desk.order.clone();
    order.tenant = Some(crate::desk::TENANT.to_owned());
    let refused = desk.office.reserve(account, order).await.unwrap_err();
    assert!(matches!(refused, WalletError::Refused { status: 403, .. }), "{refused:?}");
}

#[tokio::test]
async fn a_server_that_takes_one_ticket_at_a_time_gets_one() {
    let choices = BamChoices { ids_form: IdsForm::Single, ..BamChoices::default() };
    let config = BamConfig { ids_form: Some(BamIdsForm::Single), ..BamConfig::default() };
    let desk = Desk::at(choices, config).await;
    let ids = ids(&desk.reserve().await);
    let both = desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap_err();
    assert!(matches!(both, WalletError::InvalidInput { ref field, .. } if field == "ids"), "{both}");
    for id in &ids {
        desk.office.issue(desk.account.clone(), None, vec![id.clone()]).await.unwrap();
    }
    assert_eq!(desk.applied("issue"), 2);
}

#[tokio::test]
async fn an_organiser_lists_its_tickets_with_every_parameter() {
    let desk = Desk::new().await;
    let ids = ids(&desk.reserve().await);
    let query = ServerTicketQuery {
        status: Some(TicketStatus::Reserved),
        format: Some(TicketFormat::Secure),
        with_enrollment_id: true,
        sort_by: Some("id".to_owned()),
        direction: Some(ListDirection::Descending),
        with: Some("[sector,ticket_config.event]".to_owned()),
        ..ServerTicketQuery::default()
    };
    let page = desk.office.server_tickets(desk.account.clone(), query.clone()).await.unwrap();
    let records: Vec<serde_json::Value> =
        page.records.iter().map(|record| serde_json::from_str(record).unwrap()).collect();
    let mut listed: Vec<_> = records.iter().map(|record| record["id"].to_string()).collect();
    assert_eq!(records[0]["enrollment_id"], desk.order.owner_enrollment_id.as_str());
    assert!(records[0]["sector"]["id"].is_i64() && records[0]["ticket_config"]["event"]["id"].is_i64());
    listed.reverse();
    assert_eq!(listed, ids);
    let wrong = ServerTicketQuery { with: Some("[sector".to_owned()), ..query };
    let refused = desk.office.server_tickets(desk.account.clone(), wrong).await.unwrap_err();
    assert!(matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "with"), "{refused}");
}

#[tokio::test]
async fn each_organizer_of_a_clerk_is_an_account_and_only_those_issue() {
    let desk = Desk::new().await;
    let organiser = organizer(&desk.sandbox, BamConfig::default());
    let mut own = organiser.clone();
    own.config.bam = None;
    let own = desk.office.sign_in(own).await.unwrap();
    assert_ne!(own.id, desk.account, "the clerk's own account is another");
    assert_eq!(
        desk.office.sign_in(organiser).await.unwrap().id,
        desk.account,
        "and each is signed in to again"
    );
    assert_eq!(desk.office.accounts().unwrap().len(), 2);
    let issues = |account: &str| {
        desk.office.capabilities(account.to_owned()).unwrap().contains(&Capability::IssueTickets)
    };
    assert!(issues(&desk.account) && !issues(&own.id));
    // The session of one is not the other's.
    let mut order = desk.order.clone();
    order.tenant = Some(crate::desk::TENANT.to_owned());
    assert!(desk.office.reserve(own.id.clone(), order.clone()).await.is_err());
    assert_eq!(desk.office.reserve(desk.account.clone(), order).await.unwrap().state, OfficeWriteState::Done);
}
