//! Unidy's maintenance job, and the wallet's own reading of its rules: the wallet knows at once, the server some minutes later.

use serde_json::{Map, json};
use ticket_wallet::model::TicketStatus;

use crate::phone::Phone;
use crate::run::{BRAND, Run, record, ticket_with};

const QUARTER_S: i64 = 15 * 60;

/// How a ticket stands: as the server said last, and by the wallet's own reading now.
fn standing(phone: &Phone, id: &str) -> (TicketStatus, TicketStatus) {
    let ticket = phone.wallet.ticket(id.to_owned()).unwrap().summary;
    (ticket.status, ticket.effective_status)
}

fn same(status: TicketStatus) -> (TicketStatus, TicketStatus) {
    (status.clone(), status)
}

fn unix_s(rfc3339: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(rfc3339).unwrap().timestamp()
}

impl Run {
    fn now_s(&self) -> i64 {
        self.clock.wall_ms() / 1000
    }

    fn wait_until(&self, unix_s: i64) {
        assert!(unix_s >= self.now_s());
        self.clock.pass_s(unix_s - self.now_s());
    }

    /// Lets a user's ticket end at another time.
    fn end_at(&self, phone: &Phone, id: &str, unix_s: i64) {
        let remote_id = phone.wallet.ticket(id.to_owned()).unwrap().remote_id;
        let ends_at = chrono::DateTime::from_timestamp(unix_s, 0).unwrap().to_rfc3339();
        let members = Map::from_iter([("ends_at".to_owned(), json!(ends_at))]);
        assert!(self.sandbox.edit_unidy_ticket(BRAND, &remote_id, &members).unwrap());
    }
}

pub(crate) async fn ends_tickets_every_quarter_of_an_hour(run: &Run) {
    let (phone, _) = run.unidy_holder(1).await;
    let [active, passive] =
        ["OVER-1", "OVER-2"].map(|reference| ticket_with(&phone, "reference", reference).id);
    let quarter = run.now_s() - run.now_s().rem_euclid(QUARTER_S) + QUARTER_S;
    let end = quarter + 60;
    for id in [&active, &passive] {
        run.end_at(&phone, id, end);
    }
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(standing(&phone, &active), same(TicketStatus::Active));
    run.wait_until(end - 1);
    assert_eq!(standing(&phone, &active), same(TicketStatus::Active));
    run.wait_until(end);
    // The wallet knows at once; the server's job comes with the next quarter of an hour.
    assert_eq!(standing(&phone, &active), (TicketStatus::Active, TicketStatus::Inactive));
    run.wait_until(quarter + QUARTER_S - 1);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(record(&phone, &active)["state"], "active");
    run.wait_until(quarter + QUARTER_S);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(record(&phone, &active)["state"], "inactive");
    assert_eq!(standing(&phone, &active), same(TicketStatus::Inactive));
    assert_eq!(standing(&phone, &passive), same(TicketStatus::Passive), "the job is about active tickets");
}

pub(crate) async fn ends_tickets_without_an_end_at_midnight(run: &Run) {
    let (phone, _) = run.unidy_holder(1).await;
    let [active, passive] =
        ["OPEN-END-1", "OPEN-END-2"].map(|reference| ticket_with(&phone, "reference", reference).id);
    let of_document = record(&phone, &active);
    assert_eq!(
        (of_document["starts_at"].as_str(), of_document["ends_at"].is_null()),
        (Some("2026-11-21T23:30:00.000+01:00"), true)
    );
    ends_at_midnight(run, &phone, &active, unix_s("2026-11-22T00:00:00+01:00")).await;
    assert_eq!(standing(&phone, &passive), same(TicketStatus::Passive));
}

pub(crate) async fn knows_midnight_when_clocks_change(run: &Run) {
    // The days on which summer time begins and ends have 23 and 25 hours.
    for (reference, start, midnight) in [
        ("DST-2", "2027-03-28T20:00:00.000+02:00", "2027-03-29T00:00:00+02:00"),
        ("DST-4", "2027-10-31T02:30:00.000+01:00", "2027-11-01T00:00:00+01:00"),
    ] {
        run.wait_until(unix_s(midnight) - 3600);
        let (phone, _) = run.unidy_holder(1).await;
        let ticket = ticket_with(&phone, "reference", reference);
        assert_eq!(record(&phone, &ticket.id)["starts_at"], start);
        ends_at_midnight(run, &phone, &ticket.id, unix_s(midnight)).await;
    }
}

/// A ticket is over at this second and not before: for the wallet by itself, and then for the server.
async fn ends_at_midnight(run: &Run, phone: &Phone, id: &str, midnight: i64) {
    assert_eq!(phone.wallet.ticket(id.to_owned()).unwrap().summary.expires_at, Some(midnight));
    run.wait_until(midnight - 1);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(standing(phone, id), same(TicketStatus::Active));
    run.wait_until(midnight);
    assert_eq!(standing(phone, id), (TicketStatus::Active, TicketStatus::Inactive));
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(standing(phone, id), same(TicketStatus::Inactive));
}
