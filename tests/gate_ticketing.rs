//! Promise: a gate of TickeTing lets in whom the event's list lets in, and hands every admission over once: whatever answer is
//! lost, what it cannot know it asks for again, and what the server holds against a record stands with that record.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;

#[path = "gate_ticketing/changes.rs"]
mod changes;
#[path = "gate_ticketing/conflicts.rs"]
mod conflicts;
#[path = "gate_ticketing/door.rs"]
mod door;
#[path = "gate_ticketing/sign_in.rs"]
mod sign_in;
#[path = "gate_ticketing/upload.rs"]
mod upload;

use std::path::Path;
use std::sync::Arc;

use festival::{Festival, Staff};
use phone::{TestClock, vault_in};
use tempfile::TempDir;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{
    Admission, AdmissionOrder, AdmissionQuery, GateRecord, GateService, GateSignIn, GateSyncReport,
    GateVerdict, SystemConfig, TicketStatus, TicketingConfig,
};
use ticket_wallet::remote::ticketing::{EventTicketQuery, PageQuery, TicketingTicket};
use ticket_wallet::{Config, Gate, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule};

/// A door of the festival's first event.
struct Door {
    folder: TempDir,
    clock: TestClock,
    gate: Gate,
}

impl Door {
    /// Signed in by the event's own code, and prepared.
    async fn open(festival: &Festival, name: &str) -> Self {
        Self::open_with(festival, sign_in_of(festival, name), &festival.clock).await
    }

    /// One whose clock may be another than the server's.
    async fn open_with(festival: &Festival, sign_in: GateSignIn, clock: &TestClock) -> Self {
        let door = Self::closed(clock);
        door.gate.sign_in(sign_in).await.unwrap();
        assert!(door.gate.status().unwrap().tickets > 0, "{:?}", festival.event(0));
        door
    }

    fn closed(clock: &TestClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let gate = open(folder.path(), clock);
        Self { folder, clock: clock.clone(), gate }
    }

    /// Closes the gate and opens it again.
    fn restart(self) -> Self {
        let Self { folder, clock, gate } = self;
        drop(gate);
        let gate = open(folder.path(), &clock);
        Self { folder, clock, gate }
    }

    fn scan(&self, serial: &str) -> GateVerdict {
        self.gate.scan(serial.as_bytes().to_vec(), 1).unwrap()
    }

    fn verdict(&self, serial: &str) -> Verdict {
        self.scan(serial).verdict
    }

    /// Lets somebody in; gives the record.
    fn admit(&self, serial: &str) -> String {
        let said = self.scan(serial);
        assert_eq!(said.verdict, Verdict::Admit);
        said.record_id
    }

    async fn sync(&self) -> (u32, u32, u32) {
        counts(self.gate.sync().await.unwrap())
    }

    fn record(&self, id: &str) -> GateRecord {
        self.gate.records(1_000).unwrap().into_iter().find(|one| one.id == id).unwrap()
    }

    fn unsent(&self) -> u32 {
        self.gate.status().unwrap().unsent
    }
}

/// Sent, conflicts, unsent.
fn counts(report: GateSyncReport) -> (u32, u32, u32) {
    (report.sent, report.conflicts, report.unsent)
}

fn open(folder: &Path, clock: &TestClock) -> Gate {
    let config = Config { send_by_itself: false, ..Config::in_folder(folder.to_str().unwrap()) };
    let gate = Gate::open(config, vault_in(folder), Some(Arc::new(clock.clone())), None).unwrap();
    gate.set_retry_policy(clock.policy());
    gate
}

fn sign_in_of(festival: &Festival, name: &str) -> GateSignIn {
    sign_in_with(festival, name, &festival.served.events[0].global_code)
}

fn sign_in_with(festival: &Festival, name: &str, code: &str) -> GateSignIn {
    let app_key = Some(festival.served.integration_key.clone());
    let ticketing = Some(TicketingConfig { app_key, ..TicketingConfig::default() });
    GateSignIn {
        service: GateService::Ticketing,
        config: SystemConfig { ticketing, ..SystemConfig::at(&festival.served.url) },
        admission_code: code.to_owned(),
        name: name.to_owned(),
        leave_unsent: false,
    }
}

/// What a host sees and does.
impl Festival {
    async fn tickets(&self, host: &Staff) -> Vec<TicketingTicket> {
        let mut all = Vec::new();
        for page in 1.. {
            let page = PageQuery { page: Some(page), records: Some(100) };
            let query = EventTicketQuery { page, modified_since: None };
            let found = host.ticketing.event_tickets(&host.session, &self.event(0), query).await.unwrap();
            let more = found.more();
            all.extend(found.entries);
            if !more {
                break;
            }
        }
        all
    }

    /// Serials of the first event's tickets that stand so.
    async fn serials(&self, status: TicketStatus) -> Vec<String> {
        let host = self.host().await;
        let all = self.tickets(&host).await.into_iter();
        let of_status = all.filter(|ticket| ticket.state(host.ticketing.zone()) == status);
        of_status.map(|ticket| ticket.serial).collect()
    }

    async fn issued(&self) -> Vec<String> {
        self.serials(TicketStatus::Issued).await
    }

    /// Another device at the event redeems a ticket.
    async fn redeem_elsewhere(&self, serial: &str) {
        let host = self.host().await;
        let order = AdmissionOrder {
            event_id: self.event(0),
            redeemer: "South door".to_owned(),
            device: "D2".to_owned(),
            serials: vec![serial.to_owned()],
        };
        host.ticketing.admit(&host.session, &order).await.unwrap();
    }

    /// Who was admitted with a ticket, as the server lists it.
    async fn admissions(&self, serial: &str) -> Vec<Admission> {
        let host = self.host().await;
        let query = AdmissionQuery { ticket: Some(serial.to_owned()), ..AdmissionQuery::default() };
        host.ticketing.admissions(&host.session, &self.event(0), &query).await.unwrap().entries
    }

    /// Lets `skip` requests pass first.
    fn fault_after(&self, skip: u32, (method, path): (&str, &str), times: u32, fault: Fault) {
        let (method, path_contains) = (Some(method.to_owned()), path.to_owned());
        self.sandbox.fault(FaultRule { method, path_contains, skip, times, fault });
    }
}

fn field(refused: Result<impl std::fmt::Debug, WalletError>) -> String {
    match refused {
        Err(WalletError::InvalidInput { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}
