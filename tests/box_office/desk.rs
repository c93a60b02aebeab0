//! A desk under test: an organiser of the sandbox with the ids of an event that holders have tickets for.

use std::sync::Arc;

use serde_json::Value;
use tempfile::TempDir;
use ticket_wallet::model::{
    BamConfig, OfficeWrite, Reservation, ReservationItem, SignIn, SystemConfig, TicketSystem,
};
use ticket_wallet::{BoxOffice, Config};
use ticket_wallet_sandbox::{BamChoices, Fault, FaultRule, Sandbox, SandboxConfig};

use crate::phone::{Phone, TestClock, sandbox, vault_in};

pub(crate) const TENANT: &str = "nordhafen";

pub(crate) struct Desk {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) holder: Phone,
    pub(crate) office: BoxOffice,
    pub(crate) account: String,
    pub(crate) order: Reservation,
    pub(crate) folder: TempDir,
}

pub(crate) fn open(folder: &std::path::Path, clock: &TestClock) -> BoxOffice {
    let config = Config::in_folder(folder.to_str().unwrap());
    let office = BoxOffice::open(config, vault_in(folder), Some(Arc::new(clock.clone())), None).unwrap();
    office.set_retry_policy(clock.policy());
    office
}

/// How the organiser of the tenant signs in.
pub(crate) fn organizer(sandbox: &Sandbox, bam: BamConfig) -> SignIn {
    let user = sandbox.organizers().iter().find(|user| user.tenant == TENANT).unwrap();
    let bam = BamConfig { organizer_id: Some(user.organizer_id), ..bam };
    SignIn {
        system: TicketSystem::Bam,
        config: SystemConfig { bam: Some(bam), ..SystemConfig::at(sandbox.url()) },
        user_name: user.name.clone(),
        password: user.password.clone(),
    }
}

impl Desk {
    pub(crate) async fn new() -> Self {
        Self::at(BamChoices::default(), BamConfig::default()).await
    }

    pub(crate) async fn at(bam: BamChoices, config: BamConfig) -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig { bam, ..SandboxConfig::default() }).await;
        let holder = Phone::new(&clock);
        let owner = holder.sign_in(&sandbox, 0).await;
        holder.wallet.sync(None).await.unwrap();
        let enrollment = holder.wallet.enroll(owner.id).await.unwrap().enrollment_id;
        let order = order(&holder, &enrollment);
        let folder = tempfile::tempdir().unwrap();
        let office = open(folder.path(), &clock);
        let account = office.sign_in(organizer(&sandbox, config)).await.unwrap().id;
        Self { clock, sandbox, holder, office, account, order, folder }
    }

    /// The box office is closed and opened again.
    pub(crate) fn restart(self) -> Self {
        let Self { clock, sandbox, holder, office, account, order, folder } = self;
        drop(office);
        let office = open(folder.path(), &clock);
        Self { clock, sandbox, holder, office, account, order, folder }
    }

    pub(crate) async fn reserve(&self) -> OfficeWrite {
        self.office.reserve(self.account.clone(), self.order.clone()).await.unwrap()
    }

    pub(crate) async fn states(&self, ids: &[String]) -> Vec<String> {
        let found = self.office.ticket_states(self.account.clone(), None, ids.to_vec()).await.unwrap();
        found.iter().map(|ticket| ticket.status.as_text().to_owned()).collect()
    }

    /// How often writes of this kind were applied to tickets.
    pub(crate) fn applied(&self, kind: &str) -> usize {
        self.sandbox.journal().unwrap().iter().filter(|entry| entry.kind.contains(kind)).count()
    }

    pub(crate) fn lose_the_answer_to(&self, path: &str) {
        self.fault(path, Fault::LostReply);
    }

    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        let path_contains = path.to_owned();
        self.sandbox.fault(FaultRule {
            method: Some("POST".to_owned()),
            path_contains,
            skip: 0,
            times: 1,
            fault,
        });
    }
}

/// Two tickets of a kind that the holder has one of.
fn order(holder: &Phone, enrollment: &str) -> Reservation {
    let of_tenant = holder.tickets().into_iter().find_map(|ticket| {
        let body = holder.wallet.ticket(ticket.id).unwrap().body_json;
        let body: Value = serde_json::from_str(&body).unwrap();
        let event = &body["ticket_config"]["event"];
        (number(&event["organizer_id"]) == Some(101) && number(&body["sector"]["id"]).is_some())
            .then_some(body)
    });
    let body = of_tenant.unwrap();
    Reservation {
        tenant: None,
        event_id: number(&body["ticket_config"]["event"]["id"]).unwrap(),
        owner_enrollment_id: enrollment.to_owned(),
        format: "SECURE".to_owned(),
        items: vec![ReservationItem {
            ticket_config_id: number(&body["ticket_config"]["id"]).unwrap(),
            quantity: 2,
            timeslot_id: None,
            sector_id: number(&body["sector"]["id"]),
        }],
    }
}

/// An id, sent as a number or as a text.
fn number(id: &Value) -> Option<i64> {
    id.as_i64().or_else(|| id.as_str()?.parse().ok())
}

/// The ids that a write tells.
pub(crate) fn ids(write: &OfficeWrite) -> Vec<String> {
    let answer: Value = serde_json::from_str(write.answer_json.as_deref().unwrap()).unwrap();
    let tickets = answer["tickets"].as_array().unwrap();
    tickets.iter().map(|ticket| ticket["id"].as_str().unwrap().to_owned()).collect()
}
