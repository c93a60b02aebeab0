//! B.A.M's organiser: reserving, freeing and issuing tickets.

use serde_json::Value;
use ticket_wallet::model::{
    BamConfig, OfficeTicket, OfficeWriteState, Reservation, ReservationItem, SignIn, SystemConfig,
    TicketFormat, TicketStatus, TicketSystem,
};
use ticket_wallet::{BoxOffice, Config};

use crate::bam_holder::{buys_a_pass, enrollment};
use crate::phone::{Phone, vault_in};
use crate::run::{Run, record};

const TENANT: &str = "nordhafen";

/// A box office that is signed in, and a holder to serve.
struct Office {
    office: BoxOffice,
    account: String,
    holder: Phone,
    /// The holder's enrolment.
    owner: String,
    _folder: tempfile::TempDir,
}

impl Office {
    async fn open(run: &Run, user: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::in_folder(folder.path().to_str().unwrap());
        let office = BoxOffice::open(
            config,
            vault_in(folder.path()),
            Some(std::sync::Arc::new(run.clock.clone())),
            None,
        )
        .unwrap();
        let clerk = run.sandbox.organizers().iter().find(|clerk| clerk.tenant == TENANT).unwrap();
        let bam = BamConfig { organizer_id: Some(clerk.organizer_id), ..BamConfig::default() };
        let config = SystemConfig { bam: Some(bam), ..SystemConfig::at(run.sandbox.url()) };
        let (user_name, password) = (clerk.name.clone(), clerk.password.clone());
        let sign_in = SignIn { system: TicketSystem::Bam, config, user_name, password };
        office.set_retry_policy(run.clock.policy());
        let account = office.sign_in(sign_in).await.unwrap().id;
        let (holder, _) = run.bam_holder(user).await;
        let owner = enrollment(run, user).await;
        Self { office, account, holder, owner, _folder: folder }
    }

    /// Reserves tickets of an event and gives them as the answer tells them.
    async fn reserve(&self, event_id: i64, format: &str, item: ReservationItem) -> Vec<Value> {
        let order = Reservation {
            tenant: None,
            event_id,
            owner_enrollment_id: self.owner.clone(),
            format: format.to_owned(),
            items: vec![item],
        };
        let write = self.office.reserve(self.account.clone(), order).await.unwrap();
        assert_eq!(write.state, OfficeWriteState::Done);
        let answer: Value = serde_json::from_str(&write.answer_json.unwrap()).unwrap();
        answer["tickets"].as_array().unwrap().clone()
    }

    async fn states(&self, ids: &[String]) -> Vec<OfficeTicket> {
        self.office.ticket_states(self.account.clone(), None, ids.to_vec()).await.unwrap()
    }

    /// The holder's tickets with these ids of the system.
    async fn held(&self, ids: &[String]) -> Vec<ticket_wallet::model::TicketSummary> {
        self.holder.wallet.sync(None).await.unwrap();
        let is_one = |id: &str| {
            let record = record(&self.holder, id);
            let event = &record["ticket_config"]["event"];
            event["organizer_id"] == 101 && ids.contains(&record["id"].to_string())
        };
        self.holder.tickets().into_iter().filter(|ticket| is_one(&ticket.id)).collect()
    }
}

/// Tickets of the first match, which has sectors.
fn in_a_sector(quantity: u32) -> ReservationItem {
    ReservationItem { ticket_config_id: 1, quantity, timeslot_id: None, sector_id: Some(1) }
}

fn ids(tickets: &[Value]) -> Vec<String> {
    let id = |ticket: &Value| match &ticket["id"] {
        Value::String(id) => id.clone(),
        id => id.to_string(),
    };
    tickets.iter().map(id).collect()
}

fn statuses(tickets: &[OfficeTicket]) -> Vec<TicketStatus> {
    tickets.iter().map(|ticket| ticket.status.clone()).collect()
}

pub(crate) async fn reserves_secure_tickets_in_a_sector(run: &Run) {
    let desk = Office::open(run, 0).await;
    let tickets = desk.reserve(1, "SECURE", in_a_sector(2)).await;
    assert_eq!(tickets.len(), 2, "as many as were asked for");
    let ids = ids(&tickets);
    let states = desk.states(&ids).await;
    assert_eq!(statuses(&states), [TicketStatus::Reserved, TicketStatus::Reserved]);
    for ticket in &states {
        let record: Value = serde_json::from_str(&ticket.body_json).unwrap();
        assert_eq!((&record["format"], ticket.ticket_config_id), (&"SECURE".into(), Some(1)));
    }
    let held = desk.held(&ids).await;
    assert_eq!(held.len(), 2, "they are the owner's");
    for ticket in held {
        let record = record(&desk.holder, &ticket.id);
        assert_eq!((&ticket.status, &ticket.format), (&TicketStatus::Reserved, &TicketFormat::Secure));
        assert_eq!(
            (&record["sector"]["id"], &record["ticket_config"]["event"]["id"]),
            (&1.into(), &1.into())
        );
    }
    free(&desk, &ids).await;
}

pub(crate) async fn reserves_pdf_tickets_for_a_timeslot(run: &Run) {
    let desk = Office::open(run, 0).await;
    // The fourth event has timeslots in the place of sectors.
    let item = ReservationItem { ticket_config_id: 10, quantity: 1, timeslot_id: Some(1), sector_id: None };
    let ids = ids(&desk.reserve(4, "PDF", item).await);
    let held = desk.held(&ids).await;
    assert_eq!(held.len(), 1);
    assert_eq!((&held[0].status, &held[0].format), (&TicketStatus::Reserved, &TicketFormat::Pdf));
    assert_eq!(record(&desk.holder, &held[0].id)["timeslot"]["id"], 1);
    free(&desk, &ids).await;
}

pub(crate) async fn frees_reserved_tickets(run: &Run) {
    let desk = Office::open(run, 0).await;
    let ids = ids(&desk.reserve(1, "SECURE", in_a_sector(2)).await);
    free(&desk, &ids).await;
    assert_eq!(desk.held(&ids).await.len(), 0, "they are nobody's");
    // Available again: the same tickets can be reserved for some other user, or bought.
    let other = Office::open(run, 1).await;
    let again = self::ids(&other.reserve(1, "SECURE", in_a_sector(2)).await);
    assert_eq!(again, ids);
    assert_eq!(other.held(&ids).await.len(), 2);
    free(&other, &ids).await;
    let bought = buys_a_pass(run).await;
    assert!(ids.contains(&bought.to_string()), "{bought} of {ids:?}");
}

async fn free(desk: &Office, ids: &[String]) {
    let freed = desk.office.free(desk.account.clone(), None, ids.to_vec()).await.unwrap();
    assert_eq!(freed.state, OfficeWriteState::Done);
    assert!(statuses(&desk.states(ids).await).iter().all(|status| *status == TicketStatus::Available));
}

pub(crate) async fn issues_reserved_tickets(run: &Run) {
    let desk = Office::open(run, 0).await;
    let ids = ids(&desk.reserve(1, "SECURE", in_a_sector(1)).await);
    let issued = desk.office.issue(desk.account.clone(), None, ids.clone()).await.unwrap();
    assert_eq!(issued.state, OfficeWriteState::Done);
    // The ledger comes first.
    assert_eq!(statuses(&desk.states(&ids).await), [TicketStatus::Confirmed]);
    let end = desk.office.wait_until_issued(desk.account.clone(), None, ids.clone(), 60).await.unwrap();
    assert_eq!(statuses(&end), [TicketStatus::Issued]);
    let held = desk.held(&ids).await;
    assert_eq!(held.iter().map(|ticket| ticket.status.clone()).collect::<Vec<_>>(), [TicketStatus::Issued]);
    assert!(desk.holder.wallet.present(held[0].id.clone(), None).is_ok(), "the user's to show");
}
