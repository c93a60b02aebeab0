//! Admissions.

use serde_json::json;
use ticket_wallet::WalletError;
use ticket_wallet::model::{
    AdmissionOrder, AdmissionQuery, OfficeWrite, OfficeWriteKind, OfficeWriteState, TicketStatus,
    TicketingAccess, TicketingConfig, TokenQuery,
};
use ticket_wallet_sandbox::Fault;

use crate::festival::sign_in;
use crate::{Office, answer};

const DONE: OfficeWriteState = OfficeWriteState::Done;
const UNKNOWN: OfficeWriteState = OfficeWriteState::Unknown;
const REJECTED: OfficeWriteState = OfficeWriteState::Rejected;

impl Office {
    /// The serials of tickets that let somebody in.
    async fn serials(&self) -> Vec<String> {
        let (mut all, mut page) = (Vec::new(), 0);
        loop {
            page += 1;
            let found = self.office.event_tickets(self.account(), self.event(), None, page).await.unwrap();
            let issued = found.tickets.into_iter().filter(|one| one.status == TicketStatus::Issued);
            all.extend(issued.map(|one| one.remote_id));
            if !found.more {
                return all;
            }
        }
    }

    async fn admit(&self, device: &str, serials: &[&String]) -> Result<OfficeWrite, WalletError> {
        let order = AdmissionOrder {
            event_id: self.event(),
            redeemer: "Juno".to_owned(),
            device: device.to_owned(),
            serials: serials.iter().map(|serial| (*serial).clone()).collect(),
        };
        self.office.admit(self.account(), order).await
    }

    fn admitted(&self) -> usize {
        self.festival.applied("ticketing.admit")
    }
}

fn serials(write: &OfficeWrite) -> Vec<String> {
    let answer = answer(write);
    let all = answer["admissions"].as_array().unwrap();
    all.iter().map(|one| one["ticket"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn tickets_are_redeemed_once() {
    let office = Office::new().await;
    let all = office.serials().await;
    let unknown = "NOSUCH-TICKET000000".to_owned();
    let write = office.admit("D1", &[&all[0], &unknown, &all[1]]).await.unwrap();
    assert_eq!((write.state, write.kind), (DONE, OfficeWriteKind::Admit));
    assert_eq!((serials(&write), &answer(&write)["refused"]), (all[..2].to_vec(), &json!([unknown])));
    let refused = office.admit("D1", &[&all[0]]).await;
    assert!(matches!(refused, Err(WalletError::Refused { status: 400, .. })), "{refused:?}");
    assert_eq!(office.admitted(), 2);
    let query = AdmissionQuery { device: Some("D1".to_owned()), ..AdmissionQuery::default() };
    let listed = office.office.admissions(office.account(), office.event(), query).await.unwrap();
    assert_eq!((listed.admissions.len(), listed.total, listed.more), (2, Some(2), false));
    let none = office.admit("D1", &[]).await;
    assert!(
        matches!(none, Err(WalletError::InvalidInput { ref field, .. }) if field == "serials"),
        "{none:?}"
    );
    // What has changed since.
    let since = office.festival.now_s() - 1;
    let changed =
        office.office.event_tickets(office.account(), office.event(), Some(since), 1).await.unwrap();
    assert_eq!(changed.tickets.len(), 2);
    assert!(changed.tickets.iter().all(|one| one.status == TicketStatus::Invalidated));
}

#[tokio::test]
async fn staff_redeem_by_the_key_of_their_token() {
    let office = Office::new().await;
    let sections = office.festival.sections(0);
    office.office.issue_tokens(office.account(), office.event(), sections[..1].to_vec(), 1).await.unwrap();
    let query = TokenQuery { global: Some(false), ..TokenQuery::default() };
    let token =
        office.office.tokens(office.account(), office.event(), query).await.unwrap().tokens.swap_remove(0);
    let access = office.office.look_up_code(office.account(), token.code.unwrap()).await.unwrap();
    let config =
        TicketingConfig { access: Some(TicketingAccess::IntegrationKey), ..TicketingConfig::default() };
    let gate = office.sign_in(sign_in(&office.festival.served.url, config, "Gate 1", &access.key)).await;
    let listed = office.office.event_tickets(gate.clone(), access.event_id.clone(), None, 1).await.unwrap();
    let issued = listed.tickets.iter().find(|one| one.status == TicketStatus::Issued).unwrap();
    let order = AdmissionOrder {
        event_id: access.event_id,
        redeemer: "Juno".to_owned(),
        device: "D1".to_owned(),
        serials: vec![issued.remote_id.clone()],
    };
    assert_eq!(office.office.admit(gate, order).await.unwrap().state, DONE);
}

#[tokio::test]
async fn a_lost_answer_is_read_back_ticket_by_ticket() {
    let office = Office::new().await;
    let all = office.serials().await;
    // One was redeemed elsewhere before, one by the same device long ago.
    office.admit("D2", &[&all[2]]).await.unwrap();
    office.admit("D1", &[&all[3]]).await.unwrap();
    office.festival.clock.pass_s(300);
    office.festival.fault("POST", "/admissions", 1, Fault::LostReply);
    let write = office.admit("D1", &[&all[0], &all[1], &all[2], &all[3]]).await.unwrap();
    assert_eq!((write.state, serials(&write)), (DONE, all[..2].to_vec()));
    assert_eq!(answer(&write)["refused"], json!([all[2], all[3]]));
    assert_eq!(office.admitted(), 4);
}

#[tokio::test]
async fn a_second_attempt_after_a_lost_answer_admits_nobody_twice() {
    let office = Office::new().await;
    let all = office.serials().await;
    office.festival.fault("POST", "/admissions", 1, Fault::LostReply);
    office.festival.fault("GET", "/admissions", 3, Fault::Reset);
    let first = office.admit("D1", &[&all[0]]).await.unwrap();
    assert_eq!(first.state, UNKNOWN);
    office.festival.sandbox.clear_faults();
    // The staff try again at once: the server refuses, for it has admitted already.
    let again = office.admit("D1", &[&all[0]]).await;
    assert!(matches!(again, Err(WalletError::Refused { status: 400, .. })), "{again:?}");
    let found = office.office.look_up_write(first.id).await.unwrap();
    assert_eq!((found.state, serials(&found)), (DONE, vec![all[0].clone()]));
    assert_eq!(office.admitted(), 1);
}

#[tokio::test]
async fn one_admission_answers_one_write() {
    let office = Office::new().await;
    let all = office.serials().await;
    office.admit("D1", &[&all[0]]).await.unwrap();
    // The same ticket once more, whose answer is lost: what is listed belongs to the write before.
    office.festival.fault("POST", "/admissions", 1, Fault::LostReply);
    let write = office.admit("D1", &[&all[0]]).await.unwrap();
    assert_eq!(write.state, UNKNOWN);
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(write.id).await.unwrap().state, REJECTED);
    // Somebody else's is not ours.
    office.festival.fault("POST", "/admissions", 1, Fault::Reset);
    let write = office.admit("D1", &[&all[1]]).await.unwrap();
    office.admit("D2", &[&all[1]]).await.unwrap();
    office.festival.clock.pass_s(121);
    let restarted = office.restart();
    assert_eq!(restarted.office.look_up_write(write.id).await.unwrap().state, REJECTED);
    assert_eq!(restarted.admitted(), 2);
}

#[tokio::test]
async fn an_admission_that_was_half_done_is_no_refusal_of_the_rest() {
    let office = Office::new().await;
    let all = office.serials().await;
    office.festival.choose(|choices| choices.most_admitted = Some(1));
    office.festival.fault("POST", "/admissions", 1, Fault::LostReply);
    let write = office.admit("D1", &[&all[0], &all[1]]).await.unwrap();
    assert_eq!(write.state, UNKNOWN, "the second may still come");
    office.festival.clock.pass_s(121);
    let found = office.office.look_up_write(write.id).await.unwrap();
    assert_eq!((found.state, serials(&found)), (DONE, all[..1].to_vec()));
    assert_eq!(answer(&found)["refused"], json!([all[1]]));
}

#[tokio::test]
async fn an_admission_by_another_clock_is_nobodys() {
    for ahead_s in [-7_200, -300, 300, 7_200] {
        let office = Office::new().await;
        let all = office.serials().await;
        office.festival.choose(|choices| choices.admissions_ahead_s = ahead_s);
        office.festival.fault("POST", "/admissions", 1, Fault::LostReply);
        let write = office.admit("D1", &[&all[0]]).await.unwrap();
        assert_eq!(write.state, UNKNOWN, "{ahead_s}");
        office.festival.clock.pass_s(121);
        let found = office.office.look_up_write(write.id).await.unwrap();
        assert_eq!(found.state, UNKNOWN, "neither done nor rejected: {ahead_s}");
    }
}

#[tokio::test]
async fn what_a_gateway_says_of_an_admission_is_looked_up() {
    for (status, code) in [(502, None), (503, Some(409)), (504, Some(400))] {
        let office = Office::new().await;
        let all = office.serials().await;
        office.festival.fault("POST", "/admissions", 1, Fault::Gateway { status, code });
        let write = office.admit("D1", &[&all[0]]).await.unwrap();
        assert_eq!((write.state, serials(&write)), (DONE, all[..1].to_vec()), "{status}");
        assert_eq!(office.admitted(), 1);
    }
}
