//! Doors that only meet at the server, and a server that has what it gets once.

use serde_json::Value;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{GateService, GateSignIn, GateSyncReport, SystemConfig, TicketSummary};
use ticket_wallet_sandbox::{AdmissionCode, Sandbox, SandboxConfig};

use crate::between_gates::bring;
use crate::phone::{Phone, TestClock, sandbox};
use crate::venue::Door;

/// A sandbox with a phone whose ticket lets in at one of its events.
struct Town {
    clock: TestClock,
    sandbox: Sandbox,
    phone: Phone,
    ticket: TicketSummary,
    code: AdmissionCode,
}

impl Town {
    async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        let phone = Phone::new(&clock);
        phone.sign_in(&sandbox, 0).await;
        phone.wallet.sync(None).await.unwrap();
        let ticket = phone.signed_ticket();
        let event = phone.wallet.ticket(ticket.id.clone()).unwrap().event.unwrap();
        let mut codes = sandbox.admission_codes().unwrap();
        codes.retain(|code| code.sections.is_empty() && code.event_id.to_string() == event.remote_id);
        // Another tenant may have an event of this number.
        let mut at_event = Vec::new();
        for code in codes {
            let door = Door::new(&clock);
            if door.gate.sign_in(sign_in(&sandbox, &code, "Trial")).await.unwrap().event == ticket.event_hash
            {
                at_event.push(code);
            }
        }
        let code = at_event.pop().unwrap();
        Self { clock, sandbox, phone, ticket, code }
    }

    async fn door(&self, name: &str) -> Door {
        let door = Door::new(&self.clock);
        door.gate.sign_in(sign_in(&self.sandbox, &self.code, name)).await.unwrap();
        door
    }

    /// What the phone shows after a while.
    fn shown(&self) -> String {
        self.clock.pass_s(20);
        self.phone.wallet.present(self.ticket.id.clone(), None).unwrap().text
    }

    /// Who handed records over, how many, and how many of them were new.
    fn handed_over(&self) -> Vec<(String, u64, u64)> {
        let journal = self.sandbox.journal().unwrap().into_iter();
        let uploads = journal.filter(|entry| entry.kind == "gate.records");
        let number = |detail: &Value, name: &str| detail[name].as_u64().unwrap();
        uploads.map(|one| (one.user, number(&one.detail, "records"), number(&one.detail, "new"))).collect()
    }

    /// Gate and kind of each record that the server has of the event.
    fn at_server(&self) -> Vec<(String, String)> {
        let report = self.sandbox.gate_report().unwrap();
        let events = report["events"].as_array().unwrap().iter();
        let records = events.flat_map(|event| event["records"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut found: Vec<_> = records.map(|one| (text(&one["gate"]), text(&one["kind"]))).collect();
        found.sort();
        found
    }
}

fn sign_in(sandbox: &Sandbox, code: &AdmissionCode, name: &str) -> GateSignIn {
    GateSignIn {
        service: GateService::Extension,
        config: SystemConfig::at(format!("{}/t/{}", sandbox.url(), code.tenant)),
        admission_code: code.code.clone(),
        name: name.to_owned(),
        leave_unsent: false,
    }
}

fn report(sent: u32, received: u32) -> GateSyncReport {
    GateSyncReport { sent, received, ..GateSyncReport::default() }
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(gate, kind)| ((*gate).to_owned(), (*kind).to_owned())).collect()
}

#[tokio::test]
async fn doors_that_only_meet_at_the_server_know_each_others_admissions() {
    let town = Town::new().await;
    let (north, east) = (town.door("North door").await, town.door("East door").await);
    let first = north.scan(&town.shown());
    assert_eq!(first.verdict, Verdict::Admit);
    assert_eq!(north.gate.sync().await.unwrap(), report(1, 0));
    assert_eq!(east.gate.sync().await.unwrap(), report(0, 1));
    let refused = east.scan(&town.shown());
    assert_eq!(refused.verdict, Verdict::AlreadyAdmitted);
    let earlier = refused.earlier.unwrap();
    assert_eq!((earlier.record_id, earlier.is_here), (first.record_id, false));
    assert_eq!((refused.certainty.peers, refused.certainty.newest_peer_age_s), (1, Some(20)));
    // Its door is named, for the certificate came with the record.
    let heard = east.gate.report().unwrap().scanners;
    assert!(heard.iter().any(|one| one.door.as_deref() == Some("North door") && !one.is_here));

    assert_eq!(east.gate.sync().await.unwrap(), report(1, 0));
    assert_eq!(north.gate.sync().await.unwrap(), report(0, 1));
    assert_eq!(north.gate.sync().await.unwrap(), report(0, 0));
    let both = [&north, &east].map(|door| door.gate.report().unwrap());
    assert_eq!((both[0].records, both[0].entered), (2, 1));
    assert_eq!((both[1].records, both[1].entered), (2, 1));
    let each_once = [("North door".to_owned(), 1, 1), ("East door".to_owned(), 1, 1)];
    assert_eq!(town.handed_over(), each_once);
}

#[tokio::test]
async fn another_gate_hands_over_what_a_lost_one_wrote() {
    let town = Town::new().await;
    let (north, east) = (town.door("North door").await, town.door("East door").await);
    let first = north.scan(&town.shown());
    assert_eq!(first.verdict, Verdict::Admit);
    assert_eq!(bring(&north.gate, &east.gate), 1);
    drop(north);
    assert_eq!(town.at_server(), []);
    assert_eq!(east.scan(&town.shown()).verdict, Verdict::AlreadyAdmitted);
    assert_eq!(east.gate.sync().await.unwrap(), report(2, 0));
    assert_eq!(town.at_server(), owned(&[("East door", "Refusal"), ("North door", "Admission")]));
    // A gate that comes later knows it from there.
    let south = town.door("South door").await;
    assert_eq!(south.gate.sync().await.unwrap(), report(0, 2));
    let refused = south.scan(&town.shown());
    assert_eq!(refused.verdict, Verdict::AlreadyAdmitted);
    assert_eq!(refused.earlier.unwrap().record_id, first.record_id);
}

#[tokio::test]
async fn what_the_server_has_does_not_go_up_again() {
    let town = Town::new().await;
    let (north, east) = (town.door("North door").await, town.door("East door").await);
    for code in ["wristband", "voucher", "flyer"] {
        assert_eq!(north.scan(code).verdict, Verdict::UnknownTicket);
    }
    // Heard with no server first; then the writer hands them over itself.
    assert_eq!(bring(&north.gate, &east.gate), 3);
    assert_eq!(north.gate.sync().await.unwrap(), report(3, 0));
    assert_eq!(town.handed_over(), [("North door".to_owned(), 3, 3)]);
    assert_eq!(east.gate.sync().await.unwrap(), report(0, 0));
    assert_eq!(town.handed_over().len(), 1, "nothing went up: {:?}", town.handed_over());
    // Of a chain that the server has in part, the rest goes up, by whoever comes first.
    north.scan("poster");
    assert_eq!(bring(&north.gate, &east.gate), 1);
    assert_eq!(east.gate.sync().await.unwrap(), report(1, 0));
    assert_eq!(north.gate.sync().await.unwrap(), report(0, 0));
    assert_eq!(town.handed_over()[1..], [("East door".to_owned(), 1, 1)]);
    assert_eq!(town.at_server().len(), 4);
    assert_eq!(north.gate.status().unwrap().unsent, 0);
}
