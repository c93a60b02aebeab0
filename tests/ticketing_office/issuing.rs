//! Admission tokens.

use std::collections::BTreeSet;

use ticket_wallet::WalletError;
use ticket_wallet::model::{AdmissionToken, OfficeWrite, OfficeWriteKind, OfficeWriteState, TokenQuery};
use ticket_wallet_sandbox::{Fault, TicketingErrorKey, UpdateReply};

use crate::{Office, answer};

const DONE: OfficeWriteState = OfficeWriteState::Done;
const UNKNOWN: OfficeWriteState = OfficeWriteState::Unknown;
const REJECTED: OfficeWriteState = OfficeWriteState::Rejected;

impl Office {
    async fn issue(&self, count: u32) -> Result<Vec<OfficeWrite>, WalletError> {
        let sections = self.festival.sections(0);
        self.office.issue_tokens(self.account(), self.event(), sections, count).await
    }

    async fn tokens(&self) -> Vec<AdmissionToken> {
        let query = TokenQuery { records: Some(100), global: Some(false), ..TokenQuery::default() };
        self.office.tokens(self.account(), self.event(), query).await.unwrap().tokens
    }

    fn issued(&self) -> usize {
        self.festival.applied("ticketing.token.issue")
    }
}

fn id(write: &OfficeWrite) -> String {
    answer(write)["tokens"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn each_token_is_a_write_of_its_own() {
    let office = Office::new().await;
    let writes = office.issue(5).await.unwrap();
    let ids: BTreeSet<_> = writes.iter().map(id).collect();
    let codes: BTreeSet<_> =
        writes.iter().map(|write| answer(write)["tokens"][0]["code"].to_string()).collect();
    assert_eq!((writes.len(), ids.len(), codes.len(), office.issued()), (5, 5, 5, 5));
    assert!(writes.iter().all(|write| write.state == DONE && write.kind == OfficeWriteKind::IssueToken));
    assert_eq!(office.tokens().await.into_iter().map(|token| token.id).collect::<BTreeSet<_>>(), ids);
    let office = office.restart();
    let kept = office.office.writes(office.account(), 10).unwrap();
    assert!(kept.len() == 5 && kept.iter().all(|write| writes.contains(write)));
    let one = office.office.token(office.account(), office.event(), id(&kept[0])).await.unwrap();
    assert_eq!(one.code.as_deref(), answer(&kept[0])["tokens"][0]["code"].as_str());
    for count in [0, 1_001] {
        let refused = office.issue(count).await.err();
        assert!(matches!(refused, Some(WalletError::InvalidInput { ref field, .. }) if field == "count"));
    }
    let access = office.office.look_up_code(office.account(), one.code.unwrap()).await.unwrap();
    assert_eq!((access.event_id, access.sections), (office.event(), office.festival.sections(0)));
}

#[tokio::test]
async fn pages_of_tokens_are_told() {
    let office = Office::new().await;
    office.festival.sandbox.add_ticketing_tokens(office.festival.served.events[0].id, 4_999).unwrap();
    let (mut page, mut seen) = (0, BTreeSet::new());
    loop {
        page += 1;
        let query = TokenQuery { page: Some(page), ..TokenQuery::default() };
        let found = office.office.tokens(office.account(), office.event(), query).await.unwrap();
        assert_eq!((found.page, found.total, found.tokens.len()), (page, Some(5_000), 25));
        seen.extend(found.tokens.into_iter().map(|token| token.id));
        if !found.more {
            break;
        }
    }
    assert_eq!((page, seen.len()), (200, 5_000));
}

#[tokio::test]
async fn a_token_is_changed_and_deleted() {
    for reply in [UpdateReply::Token, UpdateReply::Nothing] {
        let office = Office::new().await;
        office.festival.choose(|choices| choices.update_reply = reply);
        let token = id(&office.issue(1).await.unwrap()[0]);
        let sections = office.festival.sections(0);
        let update = async |sections: &[String]| {
            let sections = sections.to_vec();
            office.office.update_token(office.account(), office.event(), token.clone(), sections).await
        };
        let write = update(&sections[..1]).await.unwrap();
        assert_eq!((write.state, write.kind), (DONE, OfficeWriteKind::UpdateToken));
        assert_eq!(office.tokens().await[0].sections, sections[..1]);
        let none = update(&[]).await.err();
        assert!(matches!(none, Some(WalletError::InvalidInput { ref field, .. }) if field == "sections"));
        let deleted =
            office.office.delete_token(office.account(), office.event(), token.clone()).await.unwrap();
        assert_eq!((deleted.state, deleted.kind), (DONE, OfficeWriteKind::DeleteToken));
        assert!(office.tokens().await.is_empty());
        let gone = update(&sections).await.err();
        let code = Some("unknown_resource".to_owned());
        assert!(
            matches!(gone, Some(WalletError::Refused { status: 404, ref server_code, .. }) if *server_code == code)
        );
        let kept = office.office.writes(office.account(), 1).unwrap().swap_remove(0);
        assert_eq!((kept.state, kept.status, kept.server_code), (REJECTED, Some(404), code));
        // Input that was never sent leaves no write.
        assert_eq!(office.office.writes(office.account(), 10).unwrap().len(), 4);
    }
}

#[tokio::test]
async fn a_refusal_ends_a_row_of_tokens_and_is_kept() {
    for errors in [TicketingErrorKey::Message, TicketingErrorKey::Error] {
        let office = Office::new().await;
        office.festival.choose(|choices| choices.errors = errors);
        let global = office.festival.served.events[0].global_token.to_string();
        let refused = office.office.delete_token(office.account(), office.event(), global).await;
        assert!(matches!(refused, Err(WalletError::Refused { status: 409, .. })), "{refused:?}");
        let fault = Fault::TooMany { retry_after: "0".to_owned() };
        let rule = ticket_wallet_sandbox::FaultRule {
            method: Some("POST".to_owned()),
            path_contains: "/tokens".to_owned(),
            skip: 2,
            times: 1,
            fault,
        };
        office.festival.sandbox.fault(rule);
        let writes = office.issue(5).await.unwrap();
        let states: Vec<_> = writes.iter().map(|write| (write.state, write.status)).collect();
        assert_eq!(states, [(DONE, None), (DONE, None), (REJECTED, Some(429))]);
        assert_eq!(office.issued(), 2);
    }
}

/// The ids of tokens that a write may have issued.
fn candidates(write: &OfficeWrite) -> Vec<String> {
    let answer = answer(write);
    let all = answer["candidates"].as_array().unwrap();
    all.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_lost_answer_to_a_new_token_names_what_it_may_have_issued_and_claims_nothing() {
    for fault in [
        Fault::LostReply,
        Fault::TruncatedJson,
        Fault::Gateway { status: 502, code: None },
        Fault::Gateway { status: 503, code: Some(409) },
        Fault::Gateway { status: 504, code: Some(1) },
    ] {
        for stay_global in [false, true] {
            let office = Office::new().await;
            office.festival.choose(|choices| choices.new_tokens_stay_global = stay_global);
            // Others of the same sections are there.
            let others: Vec<_> = office.issue(2).await.unwrap().iter().map(id).collect();
            office.festival.fault("POST", "/tokens", 1, fault.clone());
            let writes = office.issue(3).await.unwrap();
            assert_eq!(writes.iter().map(|write| write.state).collect::<Vec<_>>(), [UNKNOWN], "{fault:?}");
            let found = candidates(&writes[0]);
            assert_eq!((found.len(), office.issued()), (1, 3), "one was made, and none is made for it");
            assert!(!others.contains(&found[0]));
            // Nothing ties it to the write, however late.
            office.festival.clock.pass_s(121);
            let later = office.office.look_up_write(writes[0].id).await.unwrap();
            assert_eq!((later.state, candidates(&later)), (UNKNOWN, found.clone()));
            if stay_global {
                continue;
            }
            // The person takes it away: the write still is none that was not carried out.
            office.office.delete_token(office.account(), office.event(), found[0].clone()).await.unwrap();
            let later = office.office.look_up_write(writes[0].id).await.unwrap();
            assert_eq!((later.state, candidates(&later)), (UNKNOWN, found));
            office.office.forget_write(later.id).unwrap();
        }
    }
}

#[tokio::test]
async fn many_tokens_of_the_same_sections_are_kept_by_their_digest() {
    let office = Office::new().await;
    let host = office.festival.host().await;
    let sections = office.festival.sections(0);
    for _ in 0..70 {
        host.ticketing.issue_token(&host.session, &office.event(), &sections).await.unwrap();
    }
    let writes = office.issue(3).await.unwrap();
    assert!(writes.iter().all(|write| write.state == DONE && write.request_json.len() < 400), "{writes:?}");
    office.festival.fault("POST", "/tokens", 1, Fault::Reset);
    let never = office.issue(1).await.unwrap().swap_remove(0);
    assert_eq!(never.state, UNKNOWN);
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(never.id).await.unwrap().state, REJECTED);
    office.festival.fault("POST", "/tokens", 1, Fault::LostReply);
    let lost = office.issue(1).await.unwrap().swap_remove(0);
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(lost.id).await.unwrap().state, UNKNOWN);
}

#[tokio::test]
async fn more_tokens_than_are_looked_at_leave_it_unknown() {
    let office = Office::new().await;
    office.festival.choose(|choices| choices.most_records = 1);
    office.festival.sandbox.add_ticketing_tokens(office.festival.served.events[0].id, 120).unwrap();
    office.festival.fault("POST", "/tokens", 1, Fault::Reset);
    let write = office.issue(1).await.unwrap().swap_remove(0);
    assert_eq!(write.state, UNKNOWN);
    assert_eq!(office.festival.count("GET /tokens"), 100, "a bounded number of pages");
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(write.id).await.unwrap().state, UNKNOWN);
}

#[tokio::test]
async fn what_cannot_be_read_back_stays_unknown() {
    let office = Office::new().await;
    office.festival.fault("POST", "/tokens", 1, Fault::LostReply);
    // Reading the tokens before is the first GET, the read-back the second.
    let blind = ticket_wallet_sandbox::FaultRule {
        method: Some("GET".to_owned()),
        path_contains: "/tokens".to_owned(),
        skip: 1,
        times: 9,
        fault: Fault::Reset,
    };
    office.festival.sandbox.fault(blind);
    let writes = office.issue(3).await.unwrap();
    assert_eq!(writes.iter().map(|write| write.state).collect::<Vec<_>>(), [UNKNOWN]);
    office.festival.sandbox.clear_faults();
    // A later token of the same sections is told from it, a colleague's is not.
    let later = office.issue(1).await.unwrap();
    let found = office.office.look_up_write(writes[0].id).await.unwrap();
    let first = candidates(&found);
    assert_eq!((found.state, first.len(), office.issued()), (UNKNOWN, 1, 2));
    assert_ne!(first[0], id(&later[0]));
    let host = office.festival.host().await;
    let sections = office.festival.sections(0);
    host.ticketing.issue_token(&host.session, &office.event(), &sections).await.unwrap();
    let found = office.office.look_up_write(writes[0].id).await.unwrap();
    assert_eq!((found.state, candidates(&found).len()), (UNKNOWN, 2));
}

#[tokio::test]
async fn a_request_that_never_arrived_is_rejected_once_it_cannot_arrive_any_more() {
    let office = Office::new().await;
    office.festival.fault("POST", "/tokens", 1, Fault::Reset);
    let writes = office.issue(2).await.unwrap();
    assert_eq!(writes.iter().map(|write| write.state).collect::<Vec<_>>(), [UNKNOWN]);
    office.festival.clock.pass_s(121);
    let found = office.office.look_up_write(writes[0].id).await.unwrap();
    assert_eq!((found.state, office.issued()), (REJECTED, 0));
}

#[tokio::test]
async fn a_failure_of_the_server_is_kept_with_its_report() {
    let office = Office::new().await;
    office.festival.fault("POST", "/tokens", 1, Fault::ServerError);
    let write = office.issue(1).await.unwrap().swap_remove(0);
    assert_eq!(write.state, UNKNOWN);
    let report = answer(&write)["report"].clone();
    assert_eq!((&report["method"], &report["endpoint"]), (&"POST".into(), &"events/:event/tokens".into()));
    assert!(!report.to_string().contains(&office.event()));
}

#[tokio::test]
async fn lost_answers_to_changes_and_deletions_are_read_back() {
    let office = Office::new().await;
    let token = id(&office.issue(1).await.unwrap()[0]);
    let sections = office.festival.sections(0);
    let (account, event) = (office.account(), office.event());
    office.festival.fault("PUT", "/tokens/", 1, Fault::LostReply);
    let update =
        office.office.update_token(account.clone(), event.clone(), token.clone(), sections[..1].to_vec());
    assert_eq!(update.await.unwrap().state, DONE);
    assert_eq!(office.festival.applied("ticketing.token.update"), 1);
    // One that never arrived is not carried out.
    office.festival.fault("PUT", "/tokens/", 1, Fault::Reset);
    let update =
        office.office.update_token(account.clone(), event.clone(), token.clone(), sections[1..].to_vec());
    let unknown = update.await.unwrap();
    assert_eq!(unknown.state, UNKNOWN);
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(unknown.id).await.unwrap().state, REJECTED);

    // What somebody else makes of it since says nothing of a lost change.
    office.festival.fault("PUT", "/tokens/", 1, Fault::LostReply);
    let rule = ("GET", "/tokens/");
    let blind = ticket_wallet_sandbox::FaultRule {
        method: Some(rule.0.to_owned()),
        path_contains: rule.1.to_owned(),
        skip: 1,
        times: 9,
        fault: Fault::Reset,
    };
    office.festival.sandbox.fault(blind);
    let update =
        office.office.update_token(account.clone(), event.clone(), token.clone(), sections[1..].to_vec());
    let lost = update.await.unwrap();
    assert_eq!(lost.state, UNKNOWN);
    office.festival.sandbox.clear_faults();
    let host = office.festival.host().await;
    host.ticketing.update_token(&host.session, &event, &token, &sections).await.unwrap();
    office.festival.clock.pass_s(121);
    assert_eq!(office.office.look_up_write(lost.id).await.unwrap().state, UNKNOWN);

    office.festival.fault("DELETE", "/tokens/", 1, Fault::Reset);
    let delete =
        async || office.office.delete_token(account.clone(), event.clone(), token.clone()).await.unwrap();
    let unknown = delete().await;
    assert_eq!(unknown.state, UNKNOWN);
    office.festival.fault("DELETE", "/tokens/", 1, Fault::LostReply);
    assert_eq!(delete().await.state, DONE);
    assert_eq!(office.festival.applied("ticketing.token.delete"), 1);
    // What was asked for is so now, whoever did it.
    assert_eq!(office.office.look_up_write(unknown.id).await.unwrap().state, DONE);
}

#[tokio::test]
async fn an_upgrade_reaches_the_office() {
    let office = Office::new().await;
    office.festival.choose(|choices| choices.least_version = "9.0.0".to_owned());
    let refused = office.issue(1).await.err();
    assert!(matches!(refused, Some(WalletError::UpgradeNeeded { .. })), "{refused:?}");
    let kept = office.office.writes(office.account(), 10).unwrap();
    assert_eq!((kept.len(), kept[0].state, kept[0].status), (1, REJECTED, Some(412)));
    // A customer's account may not, and one of another system has no such thing.
    let office = Office::new().await;
    let customer = office.sign_in(office.festival.sign_in(0)).await;
    let sections = office.festival.sections(0);
    let refused = office.office.issue_tokens(customer, office.event(), sections, 1).await;
    assert!(matches!(refused, Err(WalletError::Refused { status: 403, .. })), "{refused:?}");
    let bam = office.sign_in(crate::phone::sign_in(&office.festival.sandbox, 0)).await;
    let refused = office.office.tokens(bam, office.event(), TokenQuery::default()).await.err();
    assert!(matches!(refused, Some(WalletError::InvalidInput { ref field, .. }) if field == "account_id"));
}
