//! Promise: an organiser reserves, frees, issues and sends tickets over B.A.M, whichever way a server does what the
//! documents leave open; what cannot be asked for is not sent, and what was refused or lost is told as such.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/bam_client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod bam_client;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use bam_client::Client;
use phone::{TestClock, sandbox};
use ticket_wallet::error::Error;
use ticket_wallet::model::{
    BamConfig, BamIdsForm, Flow, GroupOrder, IssueProgress, OfficeTicket, Reservation, ReservationItem,
    TicketStatus,
};
use ticket_wallet_sandbox::{
    BamChoices, ErrorKey, Fault, FaultRule, IdsForm, IdsKey, IssueEnd, OrganizerPrefix, ReserveReply,
    Sandbox, SandboxConfig, WriteReply,
};

const CLUB: &str = "nordhafen";
/// The club's first match: its event, the configuration for adults, the first block.
const EVENT: i64 = 1;
const ADULTS: i64 = 1;
const BLOCK: i64 = 1;
const TOKEN_LIFE_S: i64 = 3600;

/// A sandbox, the club's organizer, and the enrolment of a holder.
struct Office {
    clock: TestClock,
    sandbox: Sandbox,
    desk: Client,
    owner: String,
}

impl Office {
    async fn open() -> Self {
        Self::open_with(BamChoices::default(), BamConfig::default()).await
    }

    async fn open_with(choices: BamChoices, config: BamConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig { bam: choices, ..SandboxConfig::default() }).await;
        let desk = Client::organizer(&clock, &sandbox, CLUB, config).await;
        let holder = Client::holder(&clock, &sandbox, 0).await;
        let claims = ticket_wallet::remote::bam::claims(&holder.tokens.access);
        let owner = claims.into_iter().find(|(name, _)| name == "enrollment_id").unwrap().1;
        Self { clock, sandbox, desk, owner }
    }

    fn order(&self, quantity: u32) -> Reservation {
        Reservation {
            tenant: None,
            event_id: EVENT,
            owner_enrollment_id: self.owner.clone(),
            format: "SECURE".to_owned(),
            items: vec![adults(quantity)],
        }
    }

    async fn reserve(&self, quantity: u32) -> Vec<OfficeTicket> {
        self.desk.bam.reserve(&self.desk.session, &self.order(quantity)).await.unwrap()
    }

    async fn free(&self, ids: &[String]) -> Result<Vec<OfficeTicket>, Error> {
        self.desk.bam.free(&self.desk.session, None, ids).await
    }

    async fn issue(&self, ids: &[String]) -> Result<Vec<OfficeTicket>, Error> {
        self.desk.bam.issue(&self.desk.session, None, ids).await
    }

    async fn status(&self, id: &str) -> TicketStatus {
        self.desk.bam.office_ticket(&self.desk.session, (Some(CLUB), id)).await.unwrap().status
    }

    async fn reserved(&self) -> Vec<String> {
        let found = self.desk.bam.reserved_tickets(&self.desk.session, None, EVENT).await.unwrap();
        found.into_iter().map(|ticket| ticket.remote_id).collect()
    }

    /// How often a write of this kind was carried out.
    fn applied(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind == kind).count()
    }
}

fn adults(quantity: u32) -> ReservationItem {
    ReservationItem { ticket_config_id: ADULTS, quantity, timeslot_id: None, sector_id: Some(BLOCK) }
}

fn ids(tickets: &[OfficeTicket]) -> Vec<String> {
    tickets.iter().map(|ticket| ticket.remote_id.clone()).collect()
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome {
        Err(Error::Status { status, server_code, .. }) => (status, server_code.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

/// Every way in which a server may do what the documents leave open, one at a time and all at once.
fn ways() -> Vec<(BamChoices, BamConfig)> {
    let plain = BamChoices::default();
    let config = |prefix: Option<&str>, field: Option<&str>| BamConfig {
        organizer_prefix: prefix.map(str::to_owned),
        ids_field: field.map(str::to_owned),
        ..BamConfig::default()
    };
    let mut ways = vec![(plain.clone(), config(None, None))];
    for (organizer_prefix, prefix) in [(OrganizerPrefix::V1, "v1"), (OrganizerPrefix::None, "")] {
        ways.push((BamChoices { organizer_prefix, ..plain.clone() }, config(Some(prefix), None)));
    }
    for (ids_key, field) in [(IdsKey::TicketIds, "ticket_ids"), (IdsKey::Tickets, "tickets")] {
        ways.push((BamChoices { ids_key, ..plain.clone() }, config(None, Some(field))));
    }
    for (form, ids_form) in [
        (IdsForm::List, BamIdsForm::List),
        (IdsForm::Objects, BamIdsForm::Objects),
        (IdsForm::Single, BamIdsForm::Single),
    ] {
        let config = BamConfig { ids_form: Some(ids_form), ..config(None, None) };
        ways.push((BamChoices { ids_form: form, ..plain.clone() }, config));
    }
    for reserve_reply in [ReserveReply::DataTickets, ReserveReply::Tickets, ReserveReply::List] {
        ways.push((BamChoices { reserve_reply, ..plain.clone() }, config(None, None)));
    }
    for write_reply in [WriteReply::Empty, WriteReply::NoContent] {
        ways.push((BamChoices { write_reply, ..plain.clone() }, config(None, None)));
    }
    for choices in [
        BamChoices { string_ids: true, ..plain.clone() },
        BamChoices { tenant_paged: true, ..plain.clone() },
        BamChoices { paged: false, ..plain.clone() },
        BamChoices { status_between: "minting".to_owned(), ..plain.clone() },
        BamChoices { status_between: "reserved".to_owned(), ..plain },
    ] {
        ways.push((choices, config(None, None)));
    }
    let all = BamChoices {
        paged: false,
        tenant_paged: true,
        string_ids: true,
        organizer_prefix: OrganizerPrefix::None,
        ids_key: IdsKey::Tickets,
        reserve_reply: ReserveReply::DataTickets,
        write_reply: WriteReply::NoContent,
        ..BamChoices::default()
    };
    ways.push((all, config(Some("/"), Some("tickets"))));
    ways
}

#[tokio::test]
async fn every_open_choice_leads_from_reserved_to_issued_and_back_to_available() {
    for (choices, config) in ways() {
        let office = Office::open_with(choices.clone(), config).await;
        let tickets = office.reserve(3).await;
        assert_eq!(tickets.len(), 3, "{choices:?}");
        for ticket in &tickets {
            let told = (&ticket.status, ticket.ticket_config_id);
            assert_eq!(told, (&TicketStatus::Reserved, Some(ADULTS)), "{choices:?}");
        }
        let ids = ids(&tickets);
        let mut reserved = office.reserved().await;
        reserved.sort_unstable();
        assert_eq!(reserved, ids, "{choices:?}");

        let freed = office.free(&ids[..1]).await.unwrap();
        let told = freed.first().map_or(TicketStatus::Available, |ticket| ticket.status.clone());
        assert_eq!(told, TicketStatus::Available, "{choices:?}");
        assert_eq!(office.status(&ids[0]).await, TicketStatus::Available, "{choices:?}");

        let at_once = if choices.ids_form == IdsForm::Single { 1 } else { 2 };
        for some in ids[1..].chunks(at_once) {
            let called = office.issue(some).await.unwrap();
            assert_eq!(called.is_empty(), choices.write_reply != WriteReply::Data, "{choices:?}");
        }
        for id in &ids[1..] {
            let mut seen = TicketStatus::Reserved;
            for _ in 0..5 {
                let status = office.status(id).await;
                let flow = seen.may_become(&status);
                let named = choices.status_between != "minting";
                assert!(flow != Flow::Contradicts && (flow != Flow::Unknown) >= named, "{seen:?} {status:?}");
                seen = status;
            }
            assert_eq!(seen.issue_progress(), IssueProgress::Done, "{choices:?}: {seen:?}");
        }
        assert_eq!(office.reserved().await, Vec::<String>::new(), "{choices:?}");
        let applied = ["ticket.reserve", "ticket.free", "ticket.issue"].map(|kind| office.applied(kind));
        assert_eq!(applied, [3, 1, 2], "{choices:?}");
    }
}

#[tokio::test]
async fn all_documented_members_are_sent_and_no_other() {
    let office = Office::open().await;
    let ids = ids(&office.reserve(2).await);
    office.free(&ids[..1]).await.unwrap();
    office.issue(&ids[1..]).await.unwrap();
    let group = GroupOrder {
        tenant: Some(CLUB.to_owned()),
        event_id: EVENT,
        format: "PDF".to_owned(),
        items: vec![adults(1)],
        note: Some("Bis Samstag".to_owned()),
        owner_emails: office.sandbox.users().iter().map(|user| user.name.clone()).collect(),
    };
    let sent = office.desk.bam.send_group(&office.desk.session, &group).await.unwrap();
    assert_eq!((sent.len(), sent[0].ticket_config_id), (2, Some(ADULTS)));
    assert!(sent.iter().all(|ticket| ticket.body_json.contains("send_ticket_request_id")));
    let recorded = office.sandbox.recorded();
    let body = |path: &str| {
        let request = recorded.iter().find(|request| request.path.ends_with(path)).unwrap();
        assert_eq!((request.method.as_str(), request.status), ("POST", 200), "{path}");
        request.body.join(" ")
    };
    assert_eq!(
        body("/t/nordhafen/event/v1/ticket/reserve"),
        "/event_id /owner_id /format /ticket_reservation_items /ticket_reservation_items/0/ticket_config_id \
         /ticket_reservation_items/0/quantity /ticket_reservation_items/0/sector_id"
    );
    assert_eq!(body("/ticket/free"), "/ids");
    assert_eq!(body("/ticket/issue"), "/ids");
    assert_eq!(
        body("/ticket/send-group"),
        "/event_id /format /send_ticket_items /send_ticket_items/0/ticket_config_id /send_ticket_items/0/quantity \
         /send_ticket_items/0/sector_id /owner_emails /note"
    );
    // Time slots: the members' feast of the same tenant has two.
    let feast = Reservation {
        event_id: 4,
        items: vec![ReservationItem {
            ticket_config_id: 10,
            quantity: 1,
            timeslot_id: Some(1),
            sector_id: None,
        }],
        ..office.order(1)
    };
    let slots = office.desk.bam.reserve(&office.desk.session, &feast).await.unwrap();
    assert!(slots[0].body_json.contains(r#""timeslot_id":1"#), "{}", slots[0].body_json);
}

#[tokio::test]
async fn an_issue_ends_as_the_ledger_wills() {
    for (issue, between, expected) in [
        (IssueEnd::AfterPolls(0), "confirmed", [IssueProgress::Done; 3]),
        (
            IssueEnd::AfterPolls(2),
            "confirmed",
            [IssueProgress::Pending, IssueProgress::Pending, IssueProgress::Done],
        ),
        (IssueEnd::Never, "confirmed", [IssueProgress::Pending; 3]),
        (IssueEnd::Never, "on the ledger", [IssueProgress::Unknown; 3]),
        (IssueEnd::FallsBack(1), "confirmed", [IssueProgress::Pending; 3]),
    ] {
        let choices = BamChoices { issue, status_between: between.to_owned(), ..BamChoices::default() };
        let office = Office::open_with(choices, BamConfig::default()).await;
        let ids = ids(&office.reserve(1).await);
        office.issue(&ids).await.unwrap();
        let mut seen = Vec::new();
        for _ in 0..3 {
            seen.push(office.status(&ids[0]).await);
        }
        let progress: Vec<_> = seen.iter().map(TicketStatus::issue_progress).collect();
        assert_eq!(progress, expected, "{issue:?}");
        if matches!(issue, IssueEnd::FallsBack(_)) {
            assert_eq!(seen[2], TicketStatus::Reserved);
            // The documents do not say that this happens, and nothing refuses it.
            assert_eq!(seen[0].may_become(&seen[2]), Flow::Unknown);
            assert_eq!(office.free(&ids).await.unwrap()[0].status, TicketStatus::Available);
        }
    }
    let choices = BamChoices { issue: IssueEnd::AfterSeconds(30), ..BamChoices::default() };
    let office = Office::open_with(choices, BamConfig::default()).await;
    let ids = ids(&office.reserve(1).await);
    office.issue(&ids).await.unwrap();
    assert_eq!(office.status(&ids[0]).await, TicketStatus::Confirmed);
    office.clock.pass_s(30);
    assert_eq!(office.status(&ids[0]).await, TicketStatus::Issued);
}

#[tokio::test]
async fn what_cannot_be_asked_for_names_its_member_and_is_not_sent() {
    let office = Office::open().await;
    let before = office.sandbox.requests().len();
    let (bam, session) = (&office.desk.bam, &office.desk.session);
    let field = |refused: Result<Vec<OfficeTicket>, Error>| match refused {
        Err(Error::Input { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    let order = || office.order(1);
    let group = GroupOrder {
        tenant: None,
        event_id: EVENT,
        format: "PDF".to_owned(),
        items: vec![adults(1)],
        note: None,
        owner_emails: vec![],
    };
    for (order, expected) in [
        (Reservation { items: vec![], ..order() }, "items"),
        (Reservation { items: vec![adults(0)], ..order() }, "quantity"),
        (Reservation { event_id: 0, ..order() }, "event_id"),
        (Reservation { owner_enrollment_id: String::new(), ..order() }, "owner_enrollment_id"),
        (Reservation { format: String::new(), ..order() }, "format"),
        (Reservation { tenant: Some("a.b".to_owned()), ..order() }, "tenant"),
    ] {
        assert_eq!(field(bam.reserve(session, &order).await), expected);
    }
    assert_eq!(field(bam.send_group(session, &group).await), "owner_emails");
    assert_eq!(field(bam.free(session, None, &[]).await), "ids");
    assert_eq!(field(bam.issue(session, None, &["1".to_owned(), "1".to_owned()]).await), "ids");
    assert_eq!(field(bam.free(session, None, &["../reserve".to_owned()]).await), "ids");
    // The tenant of the organizer is looked up before the tenant's name is checked; no write leaves.
    let sent = &office.sandbox.requests()[before..];
    assert!(sent.iter().all(|request| request.starts_with("GET ")), "{sent:?}");
}

#[tokio::test]
async fn each_refusal_comes_with_its_status_and_code_under_either_key() {
    for error_key in [ErrorKey::ErrorCode, ErrorKey::Error] {
        let choices = BamChoices { error_key, error_status: true, ..BamChoices::default() };
        let office = Office::open_with(choices, BamConfig::default()).await;
        let (bam, session) = (&office.desk.bam, &office.desk.session);
        let order = |change: &dyn Fn(&mut Reservation)| {
            let mut order = office.order(1);
            change(&mut order);
            order
        };
        for (order, expected) in [
            (order(&|order| order.owner_enrollment_id = "nobody".to_owned()), (404, "NOT_FOUND")),
            (order(&|order| order.event_id = 999), (404, "NOT_FOUND")),
            (order(&|order| order.format = "PKPASS".to_owned()), (422, "VALIDATION_FAILED")),
            (order(&|order| order.items[0].sector_id = None), (422, "VALIDATION_FAILED")),
            (order(&|order| order.items[0].quantity = 1_000_000), (409, "SOLD_OUT")),
        ] {
            let refused = bam.reserve(session, &order).await;
            assert!(!refused.as_ref().unwrap_err().is_uncertain());
            assert_eq!(refusal(refused), (expected.0, expected.1.to_owned()));
        }
        let ids = ids(&office.reserve(1).await);
        office.issue(&ids).await.unwrap();
        let not_reserved = (409, "TICKET_NOT_RESERVED".to_owned());
        assert_eq!(refusal(office.issue(&ids).await), not_reserved);
        assert_eq!(refusal(office.free(&ids).await), not_reserved);
        assert_eq!(refusal(office.free(&["987654321".to_owned()]).await), (404, "NOT_FOUND".to_owned()));
        // A holder is no organizer, and an organizer is not another tenant's.
        let holder = Client::holder(&office.clock, &office.sandbox, 0).await;
        let elsewhere = Reservation { tenant: Some("weidental".to_owned()), ..office.order(1) };
        let own = Reservation { tenant: Some(CLUB.to_owned()), ..office.order(1) };
        let forbidden = (403, "FORBIDDEN".to_owned());
        assert_eq!(refusal(bam.reserve(session, &elsewhere).await), forbidden);
        assert_eq!(refusal(holder.bam.reserve(&holder.session, &own).await), forbidden);
    }
}

#[tokio::test]
async fn a_wrong_prefix_or_member_is_refused_and_changes_nothing() {
    let config = |prefix: &str, field: &str| BamConfig {
        organizer_prefix: Some(prefix.to_owned()),
        ids_field: Some(field.to_owned()),
        ..BamConfig::default()
    };
    let office = Office::open_with(BamChoices::default(), config("v2", "ids")).await;
    let refused = office.desk.bam.reserve(&office.desk.session, &office.order(1)).await;
    assert_eq!(refusal(refused).0, 404);
    let office = Office::open_with(BamChoices::default(), config("event/v1", "numbers")).await;
    let ids = ids(&office.reserve(1).await);
    assert_eq!(refusal(office.free(&ids).await), (422, "VALIDATION_FAILED".to_owned()));
    assert_eq!(refusal(office.issue(&ids).await), (422, "VALIDATION_FAILED".to_owned()));
    assert_eq!(office.status(&ids[0]).await, TicketStatus::Reserved);
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_sent_once_and_read_back_where_the_list_shows_it() {
    for listed in [true, false] {
        for (fault, applied) in [(Fault::LostReply, 2), (Fault::TruncatedJson, 2), (Fault::Reset, 0)] {
            let choices = BamChoices { reserved_listed: listed, ..BamChoices::default() };
            let office = Office::open_with(choices, BamConfig::default()).await;
            office.sandbox.fault(FaultRule {
                method: None,
                path_contains: "/ticket/reserve".to_owned(),
                skip: 0,
                times: 1,
                fault: fault.clone(),
            });
            let before = office.sandbox.requests().len();
            let lost = office.desk.bam.reserve(&office.desk.session, &office.order(2)).await;
            assert!(lost.as_ref().unwrap_err().is_uncertain(), "{fault:?}: {lost:?}");
            let sent = office.sandbox.requests();
            let writes = sent[before..].iter().filter(|request| request.ends_with("/reserve")).count();
            assert_eq!((writes, office.applied("ticket.reserve")), (1, applied), "{fault:?}");
            let found = office.reserved().await.len();
            assert_eq!(found, if listed { applied } else { 0 }, "{fault:?}, listed: {listed}");
        }
    }
}

#[tokio::test]
async fn the_read_back_follows_pages_and_leaves_other_events_and_statuses_out() {
    let clock = TestClock::new();
    let choices = BamChoices { tenant_paged: true, ..BamChoices::default() };
    let config = SandboxConfig { bam: choices, page_limit: 4, ..SandboxConfig::default() };
    let sandbox = sandbox(&clock, config).await;
    let desk = Client::organizer(&clock, &sandbox, CLUB, BamConfig::default()).await;
    let holder = Client::holder(&clock, &sandbox, 0).await;
    let claims = ticket_wallet::remote::bam::claims(&holder.tokens.access);
    let owner = claims.into_iter().find(|(name, _)| name == "enrollment_id").unwrap().1;
    let office = Office { clock, sandbox, desk, owner: owner.clone() };
    let first = ids(&office.reserve(6).await);
    let other = Reservation {
        event_id: 2,
        items: vec![ReservationItem { ticket_config_id: 4, sector_id: Some(4), ..adults(3) }],
        ..office.order(1)
    };
    office.desk.bam.reserve(&office.desk.session, &other).await.unwrap();
    let last = ids(&office.reserve(1).await);
    let before = office.sandbox.requests().len();
    let found = office.desk.bam.reserved_tickets(&office.desk.session, Some(CLUB), EVENT).await.unwrap();
    assert_eq!(ids(&found), [first, last].concat());
    assert!(found.iter().all(|ticket| ticket.enrollment_id.as_deref() == Some(owner.as_str())));
    assert_eq!(office.sandbox.requests().len() - before, 3, "ten tickets by four");
}

#[tokio::test]
async fn an_organizer_s_session_is_renewed_for_the_organizer() {
    for refresh_keeps_organizer in [false, true] {
        let choices = BamChoices { refresh_keeps_organizer, ..BamChoices::default() };
        let office = Office::open_with(choices, BamConfig::default()).await;
        office.reserve(1).await;
        office.clock.pass_s(TOKEN_LIFE_S + 1);
        let ids = ids(&office.reserve(1).await);
        office.sandbox.revoke_tokens().unwrap();
        office.issue(&ids).await.unwrap();
        let recorded = office.sandbox.recorded();
        let renewals: Vec<_> =
            recorded.iter().filter(|request| request.path.ends_with("/auth/refresh")).collect();
        assert_eq!(renewals.len(), 2);
        assert!(renewals.iter().all(|request| request.body == ["/refresh_token", "/organizer_id"]));
        let login = recorded.iter().find(|request| request.path.ends_with("/auth/login")).unwrap();
        assert_eq!(login.body, ["/username", "/password", "/organizer_id"]);
        assert_eq!(office.applied("ticket.reserve"), 2);
    }
}

#[tokio::test]
async fn who_does_not_act_for_the_organizer_is_told_so() {
    let office = Office::open().await;
    let user = office.sandbox.organizers().iter().find(|user| user.tenant == CLUB).unwrap().clone();
    let with = |organizer_id: Option<i64>| {
        let bam = BamConfig { organizer_id, ..BamConfig::default() };
        let config = ticket_wallet::model::SystemConfig {
            bam: Some(bam),
            ..ticket_wallet::model::SystemConfig::at(office.sandbox.url())
        };
        bam_client::client(&office.clock, &config)
    };
    for organizer in [102, 999] {
        let refused = with(Some(organizer)).login(&user.name, &user.password).await;
        assert!(matches!(refused, Err(Error::Input { field: "organizer_id", .. })), "{organizer}");
    }
    let wrong = with(Some(101)).login(&user.name, "not the password").await;
    assert_eq!(wrong.err(), Some(Error::BadPassword));
    assert!(with(None).login(&user.name, &user.password).await.is_ok());
}
