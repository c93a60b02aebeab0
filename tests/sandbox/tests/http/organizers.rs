//! The organizer's writes: reserving, freeing, issuing, sending.

use serde_json::{Value, json};
use ticket_wallet_sandbox::{
    BamChoices, ErrorKey, Fault, IdsKey, IssueEnd, OrganizerPrefix, ReserveReply, WriteReply,
};

use crate::support::{CLUB, World};

pub(crate) const TICKET: &str = "/t/nordhafen/event/v1/ticket";
pub(crate) const RESERVE: &str = "/t/nordhafen/event/v1/ticket/reserve";
const FREE: &str = "/t/nordhafen/event/v1/ticket/free";
const ISSUE: &str = "/t/nordhafen/event/v1/ticket/issue";
const SEND: &str = "/t/nordhafen/event/v1/ticket/send-group";

/// A world with the club's organizer and a holder signed in.
pub(crate) struct Desk {
    pub(crate) world: World,
    pub(crate) token: String,
    pub(crate) holder: String,
    pub(crate) enrollment: String,
}

impl Desk {
    async fn open() -> Self {
        Self::open_with(BamChoices::default()).await
    }

    pub(crate) async fn open_with(choices: BamChoices) -> Self {
        let world = World::start_with(|config| config.bam = choices).await;
        let (token, holder) = (world.organizer(CLUB).await, world.token().await);
        let path = "/v1/ticket?with_enrollment_id=true&limit=1";
        let list = world.get(&holder, path).await.json();
        let enrollment = list["data"][0]["enrollment_id"].as_str().unwrap().to_owned();
        Self { world, token, holder, enrollment }
    }

    /// A reservation for the first match: adults in the first block.
    pub(crate) fn reservation(&self, quantity: u32) -> Value {
        let item = json!({"ticket_config_id": 1, "quantity": quantity, "timeslot_id": null, "sector_id": 1});
        json!({"event_id": 1, "owner_id": self.enrollment, "format": "SECURE", "ticket_reservation_items": [item]})
    }

    pub(crate) async fn reserve(&self, quantity: u32) -> Vec<Value> {
        let answer = self.world.post(&self.token, RESERVE, self.reservation(quantity)).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["data"].as_array().unwrap().clone()
    }

    async fn status(&self, id: &Value) -> String {
        let ticket = self.world.get(&self.token, &format!("{TICKET}/{id}")).await.json();
        ticket["data"]["status"].as_str().unwrap().to_owned()
    }

    /// How many tickets the config of the reservation has left, as its config and as its sector tell it.
    async fn left(&self) -> (i64, i64) {
        let path = format!("{TICKET}?with=[ticket_config,sector]");
        let tickets = self.world.get(&self.holder, &path).await.json();
        let ticket = tickets["data"]
            .as_array()
            .unwrap()
            .iter()
            .find(|ticket| ticket["ticket_config"]["id"] == 1 && ticket["sector"]["id"] == 1);
        let count = |relation: &str| ticket.unwrap()[relation]["available_tickets"].as_i64().unwrap();
        (count("ticket_config"), count("sector"))
    }

    fn kinds(&self) -> Vec<String> {
        self.world.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect()
    }
}

#[tokio::test]
async fn an_organizer_signs_in_with_its_id_or_name_and_others_are_told_off() {
    let world = World::start().await;
    let user = world.sandbox.organizers()[0].clone();
    assert_eq!((user.tenant.as_str(), user.organizer_id), (CLUB, 101));
    assert!(!format!("{user:?}").contains(&user.password));
    assert!(world.sandbox.secrets().contains(&user.password));
    let over_http = world.get("", "/sandbox/organizers").await.json();
    assert_eq!(over_http, json!(world.sandbox.organizers()));
    let mut body = json!({"username": user.name, "password": user.password});
    for (organizer, status) in [
        (json!(101), 200),
        (json!("101"), 200),
        (json!(CLUB), 200),
        (json!("weidental"), 403),
        (json!("nowhere"), 404),
    ] {
        body["organizer_id"] = organizer.clone();
        let answer = world.open("/account/v1/auth/login", body.clone()).await;
        assert_eq!(answer.status, status, "{organizer}");
        if status == 200 {
            let data = &answer.json()["data"];
            assert_eq!(data["organizer_id"], CLUB);
            let permissions = world.claims(data["token"].as_str().unwrap())["permissions"].clone();
            let ticket = permissions[CLUB]["ticket"].as_array().unwrap().clone();
            assert!(ticket.contains(&json!("reserve")), "{permissions}");
        }
    }
    let holder = &world.sandbox.users()[0];
    let body = json!({"username": holder.name, "password": holder.password, "organizer_id": CLUB});
    assert_eq!(world.open("/account/v1/auth/login", body).await.status, 403);
}

#[tokio::test]
async fn a_refresh_renews_the_organizers_token_when_it_names_the_organizer() {
    let world = World::start().await;
    let user = world.sandbox.organizers()[0].clone();
    let mut refresh = world.organizer_session(CLUB).await.1;
    for (keeps, named, organizes) in
        [(false, true, true), (false, false, false), (false, true, true), (true, false, true)]
    {
        world.sandbox.set_bam_choices(BamChoices { refresh_keeps_organizer: keeps, ..BamChoices::default() });
        let mut body = json!({"refresh_token": refresh});
        if named {
            body["organizer_id"] = json!(user.organizer_id);
        }
        let data = world.open("/account/v1/auth/refresh", body).await.json()["data"].clone();
        let permissions = world.claims(data["token"].as_str().unwrap())["permissions"].clone();
        assert_eq!(permissions.get(CLUB).is_some(), organizes, "{keeps} {named}");
        refresh = data["refresh_token"].as_str().unwrap().to_owned();
    }
    let refused = json!({"refresh_token": refresh, "organizer_id": "weidental"});
    assert_eq!(world.open("/account/v1/auth/refresh", refused).await.status, 403);
    let still = json!({"refresh_token": refresh});
    assert_eq!(world.open("/account/v1/auth/refresh", still).await.status, 200, "a refusal spends no token");
}

#[tokio::test]
async fn reserved_tickets_are_the_owners_and_leave_the_stock() {
    let desk = Desk::open().await;
    let before = desk.left().await;
    let tickets = desk.reserve(2).await;
    assert_eq!(tickets.len(), 2);
    for ticket in &tickets {
        assert_eq!((&ticket["status"], &ticket["format"]), (&json!("reserved"), &json!("SECURE")));
        let ids = (&ticket["ticket_config_id"], &ticket["sector_id"], &ticket["timeslot_id"]);
        assert_eq!(ids, (&json!(1), &json!(1), &Value::Null));
    }
    assert_eq!(desk.left().await, (before.0 - 2, before.1 - 2));
    let mine = desk.world.get(&desk.holder, "/v1/ticket?limit=100").await.json();
    let reserved: Vec<_> =
        mine["data"].as_array().unwrap().iter().filter(|t| t["status"] == "reserved").collect();
    assert_eq!(reserved.len(), 2);
    assert_eq!(desk.kinds(), ["ticket.reserve", "ticket.reserve"]);
    let entry = &desk.world.sandbox.journal().unwrap()[0];
    assert_eq!((entry.user.as_str(), &entry.detail["event_id"]), ("kasse.nordhafen@example.org", &json!(1)));
    assert_eq!(entry.subject, format!("nordhafen/{}", tickets[0]["id"]));
}

#[tokio::test]
async fn the_organizer_reads_its_reservations_back_where_they_are_listed() {
    let desk = Desk::open().await;
    let tickets = desk.reserve(2).await;
    let path = format!("{TICKET}?status=reserved&with_enrollment_id=true");
    let listed = desk.world.get(&desk.token, &path).await.json()["data"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2);
    assert_eq!((&listed[0]["id"], &listed[0]["enrollment_id"]), (&tickets[0]["id"], &json!(desk.enrollment)));
    desk.world.sandbox.set_bam_choices(BamChoices { reserved_listed: false, ..BamChoices::default() });
    assert_eq!(desk.world.get(&desk.token, &path).await.json(), json!({"data": []}));
    assert_eq!(desk.status(&tickets[0]["id"]).await, "reserved");
    let others = desk.world.organizer("weidental").await;
    assert_eq!(desk.world.get(&others, &path).await.json(), json!({"data": []}));
    assert_eq!(desk.world.get(&others, &format!("{TICKET}/{}", tickets[0]["id"])).await.status, 404);
}

#[tokio::test]
async fn every_member_of_a_reservation_is_checked() {
    let desk = Desk::open().await;
    let item = |member: &str, value: Value| {
        let mut body = desk.reservation(1);
        body["ticket_reservation_items"][0][member] = value;
        body
    };
    let head = |member: &str, value: Value| {
        let mut body = desk.reservation(1);
        body[member] = value;
        body
    };
    for (body, status, words) in [
        (head("event_id", json!(99)), 404, "Event"),
        (head("event_id", json!("1")), 422, "event_id"),
        (head("event_id", Value::Null), 422, "event_id"),
        (head("owner_id", json!("1")), 404, "Enrollment"),
        (head("owner_id", json!(1)), 422, "owner_id"),
        (head("format", json!("PKPASS")), 422, "format"),
        (head("ticket_reservation_items", json!([])), 422, "ticket_reservation_items"),
        (head("ticket_reservation_items", json!([1])), 422, "ticket_reservation_items[0]"),
        (item("ticket_config_id", json!(999)), 404, "Ticket config"),
        (item("ticket_config_id", json!(4)), 422, "ticket_reservation_items[0].ticket_config_id"),
        (item("quantity", json!(0)), 422, "ticket_reservation_items[0].quantity"),
        (item("quantity", json!(1.5)), 422, "ticket_reservation_items[0].quantity"),
        (item("quantity", json!(100_000)), 409, "Not enough"),
        (item("sector_id", Value::Null), 422, "ticket_reservation_items[0].sector_id"),
        (item("sector_id", json!(4)), 422, "ticket_reservation_items[0].sector_id"),
        (item("timeslot_id", json!(1)), 422, "ticket_reservation_items[0].timeslot_id"),
        (json!([]), 422, "body"),
    ] {
        let answer = desk.world.post(&desk.token, RESERVE, body.clone()).await;
        assert_eq!(answer.status, status, "{body} {}", answer.text);
        assert!(answer.json()["message"].as_str().unwrap().contains(words), "{}", answer.text);
        assert!(answer.json()["errorCode"].is_string());
    }
    assert!(desk.kinds().is_empty());
    let festival = json!({"event_id": 4, "owner_id": desk.enrollment, "format": "PDF", "ticket_reservation_items": [
        {"ticket_config_id": 10, "quantity": 1, "timeslot_id": 1}]});
    assert_eq!(desk.world.post(&desk.token, RESERVE, festival.clone()).await.status, 200);
    let mut missing = festival;
    missing["ticket_reservation_items"][0]["timeslot_id"] = Value::Null;
    assert_eq!(desk.world.post(&desk.token, RESERVE, missing).await.status, 422);
}

#[tokio::test]
async fn a_reservation_is_whole_or_not_at_all_and_never_beyond_the_stock() {
    let desk = Desk::open().await;
    let (_, left) = desk.left().await;
    let mut body = desk.reservation(1);
    let first = body["ticket_reservation_items"][0].clone();
    let mut second = first.clone();
    second["quantity"] = json!(left);
    body["ticket_reservation_items"] = json!([first, second]);
    let refused = desk.world.post(&desk.token, RESERVE, body).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["errorCode"]), (409, &json!("SOLD_OUT")));
    assert!(desk.kinds().is_empty());
    assert_eq!(desk.left().await.1, left);
    assert_eq!(desk.reserve(u32::try_from(left).unwrap()).await.len(), usize::try_from(left).unwrap());
    assert_eq!(desk.world.post(&desk.token, RESERVE, desk.reservation(1)).await.status, 409);
}

#[tokio::test]
async fn freed_tickets_can_be_had_again() {
    let desk = Desk::open().await;
    let before = desk.left().await;
    let tickets = desk.reserve(2).await;
    let ids = json!([tickets[0]["id"], tickets[1]["id"]]);
    let freed = desk.world.post(&desk.token, FREE, json!({"ids": ids})).await;
    assert_eq!(freed.status, 200);
    assert_eq!(freed.json()["data"][1]["status"], "available");
    assert_eq!(desk.left().await, before);
    assert_eq!(desk.status(&tickets[0]["id"]).await, "available");
    let mine = desk.world.get(&desk.holder, &format!("{TICKET}/{}", tickets[0]["id"])).await;
    assert_eq!(mine.status, 404);
    let again = desk.world.post(&desk.token, FREE, json!({"ids": ids})).await;
    assert_eq!((again.status.as_u16(), &again.json()["errorCode"]), (409, &json!("TICKET_NOT_RESERVED")));
    let taken = desk.reserve(3).await;
    assert_eq!((&taken[0]["id"], &taken[1]["id"]), (&tickets[0]["id"], &tickets[1]["id"]));
    assert_eq!(desk.kinds().iter().filter(|kind| *kind == "ticket.free").count(), 2);
}

#[tokio::test]
async fn ids_that_cannot_be_freed_or_issued_are_refused_and_nothing_is_done() {
    let desk = Desk::open().await;
    let id = desk.reserve(1).await[0]["id"].clone();
    for (body, status) in [
        (json!({"ids": [id, 9999]}), 404),
        (json!({"ids": [id, 1]}), 409),
        (json!({"ids": [id, id]}), 422),
        (json!({"ids": []}), 422),
        (json!({"ids": id}), 422),
        (json!({"ids": [id.to_string()]}), 422),
        (json!({"ticket_ids": [id]}), 422),
    ] {
        for path in [FREE, ISSUE] {
            let answer = desk.world.post(&desk.token, path, body.clone()).await;
            assert_eq!(answer.status, status, "{path} {body}");
        }
    }
    assert_eq!(desk.status(&id).await, "reserved");
    assert_eq!(desk.kinds(), ["ticket.reserve"]);
}

#[tokio::test]
async fn an_issue_ends_after_so_many_polls_and_can_be_asked_for_once() {
    let desk = Desk::open().await;
    let id = desk.reserve(1).await[0]["id"].clone();
    let issued = desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await;
    assert_eq!((issued.status.as_u16(), &issued.json()["data"][0]["status"]), (200, &json!("confirmed")));
    assert_eq!(desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.status, 409);
    assert_eq!(desk.world.post(&desk.token, FREE, json!({"ids": [id]})).await.status, 409);
    assert_eq!(desk.status(&id).await, "confirmed");
    let listed = desk.world.get(&desk.token, &format!("{TICKET}?status=confirmed")).await.json();
    assert_eq!(listed["data"][0]["id"], id);
    assert_eq!(desk.status(&id).await, "issued");
    let mine = desk.world.get(&desk.holder, &format!("{TICKET}/{id}")).await.json();
    assert_eq!(mine["data"]["status"], "issued");
    assert_eq!(desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.status, 409);
    let listed = desk.world.get(&desk.token, TICKET).await.json();
    assert_eq!(listed, json!({"data": []}), "an issued ticket is its owner's alone");
    assert_eq!(desk.kinds(), ["ticket.reserve", "ticket.issue"]);
}

#[tokio::test]
async fn an_issue_can_take_seconds_or_no_time_or_for_ever_or_fail() {
    let desk = Desk::open().await;
    let set = |issue: IssueEnd, between: &str| {
        let status_between = between.to_owned();
        desk.world.sandbox.set_bam_choices(BamChoices { issue, status_between, ..BamChoices::default() });
    };
    let issue = async || {
        let id = desk.reserve(1).await[0]["id"].clone();
        assert_eq!(desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.status, 200);
        id
    };
    set(IssueEnd::AfterSeconds(60), "reserved");
    let id = issue().await;
    desk.world.pass(59);
    assert_eq!(desk.status(&id).await, "reserved");
    assert_eq!(desk.world.post(&desk.token, FREE, json!({"ids": [id]})).await.status, 409);
    desk.world.pass(1);
    assert_eq!(desk.status(&id).await, "issued");
    set(IssueEnd::AfterPolls(0), "confirmed");
    let id = issue().await;
    assert_eq!(desk.status(&id).await, "issued");
    set(IssueEnd::Never, "on_ledger");
    let id = issue().await;
    for _ in 0..5 {
        desk.world.pass(86_000);
        let token = desk.world.organizer(CLUB).await;
        let ticket = desk.world.get(&token, &format!("{TICKET}/{id}")).await.json();
        assert_eq!(ticket["data"]["status"], "on_ledger");
    }
    let desk = Desk::open_with(BamChoices { issue: IssueEnd::FallsBack(1), ..BamChoices::default() }).await;
    let id = desk.reserve(1).await[0]["id"].clone();
    assert_eq!(desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.status, 200);
    assert_eq!(desk.status(&id).await, "confirmed");
    assert_eq!(desk.status(&id).await, "reserved");
    assert_eq!(desk.world.post(&desk.token, FREE, json!({"ids": [id]})).await.status, 200);
}

#[tokio::test]
async fn tickets_are_sent_to_several_owners_at_once() {
    let desk = Desk::open().await;
    let owners = ["mira@example.org", "jonas@example.org"];
    let item =
        json!({"quantity": 2, "ticket_config_id": 1, "sector_id": 1, "selected_seats": ["1-1", "1-2"]});
    let mut body =
        json!({"event_id": 1, "format": "SECURE", "send_ticket_items": [item], "owner_emails": owners});
    let sent = desk.world.post(&desk.token, SEND, body.clone()).await;
    assert_eq!(sent.status, 200, "{}", sent.text);
    let tickets = sent.json()["data"]["tickets"].as_array().unwrap().clone();
    assert_eq!(tickets.len(), 4);
    assert_eq!((&tickets[0]["seat_id"], &tickets[1]["seat_id"]), (&json!("1-1"), &json!("1-2")));
    for member in ["id", "seq_num", "ticket_config_id", "timeslot_id", "sector_id", "send_ticket_request_id"]
    {
        assert!(tickets[0].get(member).is_some(), "{member}");
    }
    assert_eq!(desk.status(&tickets[0]["id"]).await, "confirmed");
    assert_eq!(desk.kinds(), ["ticket.send"; 4]);
    body["owner_emails"] = json!(["nobody@example.org"]);
    assert_eq!(desk.world.post(&desk.token, SEND, body.clone()).await.status, 404);
    body["owner_emails"] = json!([]);
    assert_eq!(desk.world.post(&desk.token, SEND, body).await.status, 422);
}

#[tokio::test]
async fn holders_strangers_and_other_organizers_have_no_business_here() {
    let desk = Desk::open().await;
    let others = desk.world.organizer("weidental").await;
    let ids = json!({"ids": [1]});
    for (path, body) in [(RESERVE, desk.reservation(1)), (FREE, ids.clone()), (ISSUE, ids), (SEND, json!({}))]
    {
        for (token, status) in [(&desk.holder, 403), (&others, 403), (&"x".to_owned(), 401)] {
            let answer = desk.world.post(token, path, body.clone()).await;
            assert_eq!(answer.status, status, "{path}");
            assert!(answer.json()["errorCode"].is_string());
        }
    }
    let nowhere = RESERVE.replace(CLUB, "nowhere");
    assert_eq!(desk.world.post(&desk.token, &nowhere, desk.reservation(1)).await.status, 404);
    assert!(desk.kinds().is_empty());
}

#[tokio::test]
async fn a_lost_reply_has_done_its_write() {
    let desk = Desk::open().await;
    desk.world.fault("ticket/reserve", Fault::LostReply);
    assert!(desk.world.post_lost(&desk.token, RESERVE, desk.reservation(1)).await);
    let listed = desk.world.get(&desk.token, &format!("{TICKET}?status=reserved")).await.json();
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
    desk.reserve(1).await;
    assert_eq!(desk.kinds(), ["ticket.reserve", "ticket.reserve"], "a repetition is done again");
}

#[tokio::test]
async fn what_the_documents_leave_open_can_be_chosen() {
    for (choices, at, key, reserved, written) in [
        (
            BamChoices {
                organizer_prefix: OrganizerPrefix::V1,
                ids_key: IdsKey::TicketIds,
                reserve_reply: ReserveReply::DataTickets,
                write_reply: WriteReply::Empty,
                ..BamChoices::default()
            },
            "/t/nordhafen/v1/ticket",
            "ticket_ids",
            "/data/tickets",
            (200, "{}"),
        ),
        (
            BamChoices {
                organizer_prefix: OrganizerPrefix::None,
                ids_key: IdsKey::Tickets,
                reserve_reply: ReserveReply::Tickets,
                write_reply: WriteReply::NoContent,
                ..BamChoices::default()
            },
            "/t/nordhafen/ticket",
            "tickets",
            "/tickets",
            (204, ""),
        ),
    ] {
        let desk = Desk::open_with(choices).await;
        let elsewhere = desk.world.post(&desk.token, RESERVE, desk.reservation(1)).await;
        assert_eq!(elsewhere.status, 404);
        let reply = desk.world.post(&desk.token, &format!("{at}/reserve"), desk.reservation(2)).await.json();
        let tickets = reply.pointer(reserved).unwrap().as_array().unwrap();
        for (call, ticket) in [("free", &tickets[0]), ("issue", &tickets[1])] {
            let answer =
                desk.world.post(&desk.token, &format!("{at}/{call}"), json!({key: [ticket["id"]]})).await;
            assert_eq!((answer.status.as_u16(), answer.text.as_str()), written);
        }
    }
}

#[tokio::test]
async fn ids_can_be_strings_and_errors_can_have_other_members() {
    let choices = BamChoices {
        string_ids: true,
        error_key: ErrorKey::Error,
        error_status: true,
        issue: IssueEnd::AfterPolls(0),
        ..BamChoices::default()
    };
    let desk = Desk::open_with(choices).await;
    let mut body = desk.reservation(1);
    body["event_id"] = json!("1");
    let reply = desk.world.post(&desk.token, RESERVE, body).await;
    let id = reply.json()["data"][0]["id"].clone();
    assert!(id.is_string() && reply.json()["data"][0]["seq_num"].is_i64(), "{}", reply.text);
    assert_eq!(reply.header("content-length"), reply.text.len().to_string());
    let list = desk.world.get(&desk.holder, "/v1/ticket?with=ticket_config.event&limit=1").await.json();
    assert!(list["data"][0]["ticket_config"]["event"]["organizer_id"].is_string());
    let issued = desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.json();
    assert_eq!(issued["data"][0]["status"], "issued");
    let refused = desk.world.post(&desk.token, ISSUE, json!({"ids": [id]})).await.json();
    assert_eq!((&refused["error"], &refused["statusCode"]), (&json!("TICKET_NOT_RESERVED"), &json!(409)));
    assert!(refused.get("errorCode").is_none());
    let unknown = desk.world.get(&desk.token, "/nothing/here").await.json();
    assert_eq!((&unknown["error"], &unknown["statusCode"]), (&json!("NOT_FOUND"), &json!(404)));
}

#[tokio::test]
async fn anybody_may_look_up_who_an_enrollment_is() {
    let desk = Desk::open().await;
    let path = format!("/account/v1/user/enrollment/{}", desk.enrollment);
    let user = desk.world.get("", &path).await.json()["data"].clone();
    assert_eq!(
        (&user["username"], &user["enrollment_id"]),
        (&json!("mira@example.org"), &json!(desk.enrollment))
    );
    assert_eq!(desk.world.get("", "/account/v1/user/enrollment/x").await.status, 404);
}
