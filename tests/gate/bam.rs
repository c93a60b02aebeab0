//! A gate of B.A.M itself: signed in by a validator's token, deciding offline, and each admission an invalidation on the
//! ledger, whatever becomes of the answers.

use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::ledger::{Kind, Verdict};
use ticket_wallet::manifest::Profile;
use ticket_wallet::model::{
    GateCertification, GateReadiness, GateRecord, GateService, GateSignIn, Provider, SystemConfig,
};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, TicketEdit};
use url::Url;

use crate::bam_client::Client;
use crate::phone::{TestClock, sandbox};
use crate::venue::Door;

const CLUB: &str = "nordhafen";
const EVENT: i64 = 1;
const PROPOSE: &str = "transaction/proposal";
const ENDORSE: &str = "transaction/proposal/";
const SUBMIT: &str = "v1/transaction/";

struct House {
    clock: TestClock,
    sandbox: Sandbox,
}

impl House {
    async fn new() -> Self {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        Self { clock, sandbox }
    }

    fn sign_in(&self, code: &str) -> GateSignIn {
        GateSignIn {
            service: GateService::Bam,
            config: SystemConfig::at(self.sandbox.url()),
            admission_code: code.to_owned(),
            name: "North door".to_owned(),
            leave_unsent: false,
        }
    }

    async fn door(&self) -> Door {
        let door = Door::new(&self.clock);
        let token = self.sandbox.validator_token(CLUB, EVENT);
        door.gate.sign_in(self.sign_in(&token)).await.unwrap();
        door
    }

    /// A new ticket of an event: its id, and the code that its holder shows.
    async fn ticket(&self, event: i64) -> (i64, String) {
        let holder = Client::holder(&self.clock, &self.sandbox, 0).await;
        let user = self.sandbox.users()[0].name.clone();
        let id = self.sandbox.add_ticket(&user, CLUB, event).unwrap().unwrap();
        let code = holder.bam.static_code(&holder.session, (Some(CLUB), &id.to_string())).await;
        (id, code.unwrap().text)
    }

    fn fault(&self, path: &str, skip: u32, fault: Fault) {
        let rule = FaultRule {
            method: Some("POST".to_owned()),
            path_contains: path.to_owned(),
            skip,
            times: 1,
            fault,
        };
        self.sandbox.fault(rule);
    }

    /// What the ledger has invalidated: the tickets' ids, and the arguments.
    fn invalidated(&self) -> Vec<(String, Value)> {
        let journal = self.sandbox.journal().unwrap().into_iter();
        let told = journal.filter(|entry| entry.kind == "ledger.invalidate").map(|entry| {
            let argument = serde_json::from_str(entry.detail["argument"].as_str().unwrap()).unwrap();
            (entry.subject, argument)
        });
        told.collect()
    }

    fn asked(&self, path: &str) -> usize {
        self.sandbox.requests().iter().filter(|one| one.contains(path)).count()
    }
}

fn newest(door: &Door) -> GateRecord {
    door.gate.records(1).unwrap().remove(0)
}

fn unreachable<T: std::fmt::Debug>(outcome: Result<T, WalletError>) -> bool {
    matches!(outcome, Err(WalletError::Unreachable { .. }))
}

#[tokio::test]
async fn a_validators_token_is_enough_to_let_people_in_offline_and_to_tell_the_ledger() {
    let house = House::new().await;
    let (id, code) = house.ticket(EVENT).await;
    let (_, elsewhere) = house.ticket(2).await;
    let door = house.door().await;
    let status = door.gate.status().unwrap();
    let url = Url::parse(&house.sandbox.url()).unwrap();
    let provider = Provider::new("bam", &url, Some(CLUB)).unwrap();
    assert_eq!(status.event, Some(provider.event("1").unwrap().to_string()));
    assert_eq!((status.manifest_sequence, status.tickets), (Some(1), 0));
    assert_eq!(status.certification, GateCertification::NotNeeded);
    assert_eq!(status.readiness, GateReadiness::ReadyWithOldData, "what is cancelled is not known here");
    let before = house.sandbox.requests().len();
    let admitted = door.scan(&code);
    assert_eq!((admitted.verdict, admitted.profile), (Verdict::Admit, Profile::BamSigned));
    assert_eq!(door.scan(&elsewhere).verdict, Verdict::WrongEvent);
    assert_eq!(door.scan("wristband").verdict, Verdict::UnknownTicket);
    let door = door.restart();
    assert_eq!(door.scan(&code).verdict, Verdict::AlreadyAdmitted);
    assert_eq!(door.gate.exit(code.clone().into_bytes(), 1).unwrap().verdict, Verdict::Admit);
    assert_eq!(house.sandbox.requests().len(), before, "a scan asks nobody");
    let report = door.gate.sync().await.unwrap();
    assert_eq!((report.sent, report.conflicts, report.unsent), (5, 0, 0));
    let used_at_ms = door.gate.records(5).unwrap().remove(4).at_ms;
    let used_at = chrono::DateTime::from_timestamp_millis(used_at_ms).unwrap();
    let argument = json!({
        "seq_num": 1_000_000 + id,
        "ticket_config": { "id": 1, "event": { "id": EVENT } },
        "validation_time": used_at.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string(),
    });
    assert_eq!(house.invalidated(), [(format!("{CLUB}/ticket/{id}"), argument.clone())]);
    let shown = house.sandbox.gate_report().unwrap()["invalidated"].clone();
    assert_eq!(shown[0]["used_at"], argument["validation_time"]);
    assert_eq!(house.asked(PROPOSE), 2, "one proposal and its endorsement: nothing else is the ledger's");
    assert_eq!(door.gate.sync().await.unwrap().sent, 0);
    assert_eq!(door.gate.status().unwrap().manifest_sequence, Some(3), "each sync brings it up to date");
    // Nothing that signs, and no code, is told.
    let told = format!("{:?} {:?}", door.gate.records(10).unwrap(), house.sign_in("the token"));
    for secret in house.sandbox.secrets() {
        assert!(!told.contains(&secret), "{secret}");
    }
}

#[tokio::test]
async fn the_dashboards_qr_code_signs_in_too_and_a_wrong_one_is_told_by_its_field() {
    let house = House::new().await;
    let token = house.sandbox.validator_token(CLUB, EVENT);
    let door = Door::new(&house.clock);
    let shown = |host: &str, path: &str| {
        json!({ "url": format!("{host}/account/v1/{path}"), "organizer": CLUB }).to_string()
    };
    let good = shown(&house.sandbox.url(), &format!("organizer/validator/{token}"));
    for code in [
        shown("https://elsewhere.example.org", &format!("organizer/validator/{token}")),
        shown(&house.sandbox.url(), &format!("organizer/{token}")),
        json!({ "url": "nothing" }).to_string(),
        "..".to_owned(),
        " ".to_owned(),
    ] {
        match door.gate.sign_in(house.sign_in(&code)).await {
            Err(WalletError::InvalidInput { field, .. }) => assert_eq!(field, "admission_code", "{code}"),
            other => panic!("{code}: {other:?}"),
        }
    }
    let unknown = door.gate.sign_in(house.sign_in("c0ffeef2")).await;
    assert!(matches!(unknown, Err(WalletError::NotFound { .. })), "{unknown:?}");
    assert_eq!(door.gate.status().unwrap().readiness, GateReadiness::NotSignedIn);
    assert!(door.gate.sign_in(house.sign_in(&good)).await.unwrap().manifest_sequence.is_some());
}

#[tokio::test]
async fn a_lost_answer_before_the_last_step_costs_nothing() {
    for (path, skip) in [(PROPOSE, 0), (ENDORSE, 0)] {
        let house = House::new().await;
        let (_, code) = house.ticket(EVENT).await;
        let door = house.door().await;
        door.scan(&code);
        house.fault(path, skip, Fault::LostReply);
        assert!(unreachable(door.gate.sync().await), "{path}");
        let waiting = newest(&door);
        assert!(!waiting.is_sent && waiting.conflict.is_none(), "{waiting:?}");
        assert!(house.invalidated().is_empty());
        let door = door.restart();
        let report = door.gate.sync().await.unwrap();
        assert_eq!((report.sent, report.conflicts), (1, 0), "{path}");
        assert_eq!(house.invalidated().len(), 1);
    }
}

#[tokio::test]
async fn after_a_lost_answer_to_the_last_step_a_refusal_leaves_open_who_used_the_ticket() {
    // The first `transaction/` of the last step comes after one of the endorsement.
    for (fault, is_done) in [(Fault::LostReply, true), (Fault::TruncatedJson, true), (Fault::Reset, false)] {
        let house = House::new().await;
        let (_, code) = house.ticket(EVENT).await;
        let door = house.door().await;
        door.scan(&code);
        house.fault(SUBMIT, 2, fault.clone());
        assert!(unreachable(door.gate.sync().await), "{fault:?}");
        let waiting = newest(&door);
        assert!(!waiting.is_sent, "{fault:?}");
        assert!(waiting.conflict.unwrap().contains("its answer has not come"));
        assert_eq!(house.invalidated().len(), usize::from(is_done));
        let door = door.restart();
        let report = door.gate.sync().await.unwrap();
        assert_eq!((report.sent, report.conflicts), (1, u32::from(is_done)), "{fault:?}");
        let settled = newest(&door);
        let conflict = settled.conflict.clone().unwrap_or_default();
        assert!(settled.is_sent && conflict.is_empty() != is_done, "{settled:?}");
        assert_eq!(conflict.contains("whose answer was lost, or elsewhere"), is_done, "{conflict}");
        assert_eq!(conflict.contains("409 TICKET_NOT_USABLE"), is_done, "{conflict}");
        assert_eq!(house.invalidated().len(), 1);
        assert_eq!(door.gate.sync().await.unwrap().sent, 0);
    }
}

#[tokio::test]
async fn what_the_ledger_refuses_stays_with_its_record_and_the_others_go_on() {
    let house = House::new().await;
    let (cancelled, first) = house.ticket(EVENT).await;
    let (_, second) = house.ticket(EVENT).await;
    let door = house.door().await;
    assert_eq!(door.scan(&first).verdict, Verdict::Admit);
    assert_eq!(door.scan(&second).verdict, Verdict::Admit);
    let gone = TicketEdit { status: Some("unavailable".to_owned()), ..TicketEdit::default() };
    assert!(house.sandbox.edit_ticket(CLUB, cancelled, &gone).unwrap());
    let report = door.gate.sync().await.unwrap();
    assert_eq!((report.sent, report.conflicts, report.unsent), (2, 1, 0));
    let records = door.gate.records(2).unwrap();
    assert_eq!((&records[0].conflict, records[1].is_sent), (&None, true));
    assert!(records[1].conflict.as_ref().unwrap().ends_with("it is used already, or not to be used"));
    assert_eq!(house.invalidated().len(), 1);
}

#[tokio::test]
async fn two_gates_use_one_ticket_and_the_second_is_told() {
    let house = House::new().await;
    let (_, code) = house.ticket(EVENT).await;
    let (north, south) = (house.door().await, house.door().await);
    assert_eq!(north.scan(&code).verdict, Verdict::Admit);
    assert_eq!(south.scan(&code).verdict, Verdict::Admit, "neither has heard of the other");
    let ids = [&north, &south].map(|door| newest(door).ticket.unwrap());
    assert_eq!(ids[0], ids[1], "both name the ticket alike");
    assert_eq!(north.gate.sync().await.unwrap().conflicts, 0);
    assert_eq!(south.gate.sync().await.unwrap().conflicts, 1);
    assert!(newest(&south).conflict.unwrap().contains("TICKET_NOT_USABLE"));
    assert_eq!(house.invalidated().len(), 1);
}

#[tokio::test]
async fn what_was_taken_back_is_not_handed_over_and_a_second_entry_names_the_first() {
    let house = House::new().await;
    let (_, code) = house.ticket(EVENT).await;
    let door = house.door().await;
    let mistaken = door.scan(&code);
    door.gate.undo(mistaken.record_id).unwrap();
    assert_eq!(door.gate.sync().await.unwrap().sent, 2);
    assert!(house.invalidated().is_empty());
    clock_on(&house);
    let entered = door.scan(&code);
    assert_eq!(entered.verdict, Verdict::Admit);
    assert_eq!(door.gate.sync().await.unwrap().conflicts, 0);
    clock_on(&house);
    let again = door.scan(&code);
    assert_eq!(again.verdict, Verdict::AlreadyAdmitted);
    let overridden = door.gate.override_refusal(again.record_id, "carries a stroller".to_owned()).unwrap();
    assert_eq!(overridden.kind, Kind::Override);
    let report = door.gate.sync().await.unwrap();
    assert_eq!((report.sent, report.conflicts), (2, 1));
    let conflict = newest(&door).conflict.unwrap();
    assert!(conflict.contains(&format!("record {} has used the ticket", entered.record_id)), "{conflict}");
    assert_eq!(house.invalidated().len(), 1);
}

#[tokio::test]
async fn one_that_was_taken_back_after_it_was_handed_over_is_named_with_doubt() {
    let house = House::new().await;
    let (_, code) = house.ticket(EVENT).await;
    let door = house.door().await;
    let mistaken = door.scan(&code);
    assert_eq!(door.gate.sync().await.unwrap().conflicts, 0);
    door.gate.undo(mistaken.record_id.clone()).unwrap();
    clock_on(&house);
    assert_eq!(door.scan(&code).verdict, Verdict::Admit);
    let report = door.gate.sync().await.unwrap();
    assert_eq!((report.sent, report.conflicts), (2, 2));
    let records = door.gate.records(2).unwrap();
    let conflict = records[0].conflict.clone().unwrap();
    let words = format!("record {}, taken back, may have used the ticket", mistaken.record_id);
    assert!(conflict.contains(&words), "{conflict}");
    let left = "B.A.M's ledger holds the ticket as used by the admission that this takes back";
    assert_eq!(records[1].kind, Kind::Undo);
    assert!(records[1].conflict.as_ref().unwrap().starts_with(left), "{records:?}");
    assert_eq!(house.invalidated().len(), 1);
}

/// Whoever is taken back while the ledger's answer is open may be used there.
#[tokio::test]
async fn one_that_was_taken_back_while_the_answer_is_open_is_flagged() {
    for (path, skip, is_open) in [(SUBMIT, 2, true), (PROPOSE, 0, false)] {
        let house = House::new().await;
        let (_, code) = house.ticket(EVENT).await;
        let door = house.door().await;
        let mistaken = door.scan(&code);
        house.fault(path, skip, Fault::LostReply);
        assert!(unreachable(door.gate.sync().await));
        door.gate.undo(mistaken.record_id).unwrap();
        let door = door.restart();
        let report = door.gate.sync().await.unwrap();
        assert_eq!((report.sent, report.unsent), (2, 0));
        assert_eq!(report.conflicts, if is_open { 2 } else { 0 }, "{path}");
        let flags: Vec<_> = door.gate.records(2).unwrap().into_iter().map(|one| one.conflict).collect();
        let said = flags[0].as_deref().unwrap_or_default();
        assert_eq!(said.contains("may hold the ticket as used"), is_open, "{path}: {flags:?}");
        assert_eq!(flags.iter().flatten().count(), if is_open { 2 } else { 0 }, "{path}: {flags:?}");
    }
}

#[tokio::test]
async fn a_ticket_of_which_the_ledger_fails_holds_up_no_other() {
    let bad_gateway = Fault::Gateway { status: 502, code: None };
    for (path, skip, fault) in [
        (PROPOSE, 0, Fault::ServerError),
        (PROPOSE, 0, Fault::TruncatedJson),
        (ENDORSE, 0, bad_gateway.clone()),
        (SUBMIT, 2, bad_gateway),
    ] {
        let house = House::new().await;
        let mut codes = Vec::new();
        for _ in 0..3 {
            codes.push(house.ticket(EVENT).await.1);
        }
        let door = house.door().await;
        for code in &codes {
            assert_eq!(door.scan(code).verdict, Verdict::Admit);
        }
        house.fault(path, skip, fault.clone());
        assert!(unreachable(door.gate.sync().await), "{path} {fault:?}");
        let sent: Vec<_> = door.gate.records(3).unwrap().into_iter().map(|one| one.is_sent).collect();
        assert_eq!(sent, [true, true, false], "{path} {fault:?}");
        assert!(house.invalidated().len() >= 2, "{path} {fault:?}");
        assert_eq!(
            door.gate.status().unwrap().manifest_sequence,
            Some(2),
            "and the rest of the sync is done"
        );
        let report = door.gate.sync().await.unwrap();
        assert_eq!((report.sent, report.unsent), (1, 0), "{path} {fault:?}");
        assert_eq!(house.invalidated().len(), 3);
    }
}

#[tokio::test]
async fn a_service_that_asks_to_wait_is_asked_for_no_other_ticket() {
    let wait = || "5".to_owned();
    for fault in [Fault::TooMany { retry_after: wait() }, Fault::Unavailable { retry_after: wait() }] {
        let house = House::new().await;
        let (_, first) = house.ticket(EVENT).await;
        let (_, second) = house.ticket(EVENT).await;
        let door = house.door().await;
        door.scan(&first);
        door.scan(&second);
        house.fault(PROPOSE, 0, fault.clone());
        assert!(unreachable(door.gate.sync().await), "{fault:?}");
        assert_eq!((house.asked(PROPOSE), door.gate.status().unwrap().unsent), (1, 2), "{fault:?}");
        house.clock.pass_s(6);
        assert_eq!(door.gate.sync().await.unwrap().sent, 2);
    }
}

/// So far that the same code is no double read.
fn clock_on(house: &House) {
    house.clock.pass_s(4);
}

#[tokio::test]
async fn a_session_that_ends_is_renewed_and_a_wallet_that_is_sent_away_must_sign_in() {
    let house = House::new().await;
    let (_, code) = house.ticket(EVENT).await;
    let door = house.door().await;
    door.scan(&code);
    for path in [PROPOSE, ENDORSE] {
        house.fault(path, 0, Fault::Unauthorized);
    }
    let report = door.gate.sync().await;
    // Twice in a row is no session that has ended.
    assert!(matches!(report, Err(WalletError::NeedsSignIn { .. })), "{report:?}");
    house.sandbox.clear_faults();
    house.fault(SUBMIT, 2, Fault::Unauthorized);
    assert_eq!(door.gate.sync().await.unwrap().conflicts, 0);
    assert_eq!(house.invalidated().len(), 1);
    house.fault("auth/challenge", 0, Fault::Unauthorized);
    assert!(matches!(door.gate.prepare().await, Err(WalletError::NeedsSignIn { .. })));
    house.fault("auth/wallet", 0, Fault::Unauthorized);
    assert!(matches!(door.gate.prepare().await, Err(WalletError::NeedsSignIn { .. })));
    door.gate.prepare().await.unwrap();
}

#[tokio::test]
async fn a_ledger_that_cannot_be_reached_keeps_the_records_waiting() {
    let house = House::new().await;
    let (_, code) = house.ticket(EVENT).await;
    let door = house.door().await;
    door.scan(&code);
    for fault in [Fault::ServerError, Fault::TooMany { retry_after: "1".to_owned() }] {
        house.fault(PROPOSE, 0, fault);
        assert!(unreachable(door.gate.sync().await));
        house.clock.pass_s(2);
    }
    let House { sandbox, .. } = house;
    sandbox.stop().await;
    assert!(unreachable(door.gate.sync().await));
    let waiting = newest(&door);
    assert!(!waiting.is_sent && waiting.conflict.is_none());
    assert_eq!(door.gate.status().unwrap().unsent, 1);
    assert_eq!(door.scan(&code).verdict, Verdict::AlreadyAdmitted, "and it decides on");
}
