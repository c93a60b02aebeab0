//! Unidy's tickets in the wallet: codes, times, files, and handing over.

use serde_json::{Map, json};
use ticket_wallet::WalletError;
use ticket_wallet::model::{
    BarcodeProfile, NoBarcodeReason, RejectionReason, TicketStatus, TransferState, WriteState,
};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig, UnidyChoices};

use crate::brands::sign_in_to;
use crate::phone::{Phone, TODAY_MS, TestClock, sandbox};

const BRAND: &str = "nord";

async fn holders(unidy: UnidyChoices) -> (TestClock, Sandbox, [Phone; 2]) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
    let phones = [Phone::new(&clock), Phone::new(&clock)];
    for (user, phone) in phones.iter().enumerate() {
        phone.wallet.sign_in(sign_in_to(&sandbox, BRAND, user)).await.unwrap();
        phone.wallet.sync(None).await.unwrap();
    }
    (clock, sandbox, phones)
}

/// A ticket that is valid and shows its code.
fn shown(phone: &Phone) -> (String, String) {
    let found =
        phone.tickets().into_iter().find(|ticket| phone.wallet.present(ticket.id.clone(), None).is_ok());
    let id = found.unwrap().id;
    let remote = phone.wallet.ticket(id.clone()).unwrap().remote_id;
    (id, remote)
}

fn set(members: &[(&str, serde_json::Value)]) -> Map<String, serde_json::Value> {
    members.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

#[tokio::test]
async fn codes_are_shown_as_they_were_given_and_tickets_without_one_say_so() {
    let (_clock, _sandbox, [phone, _]) = holders(UnidyChoices::default()).await;
    let mut kinds = [0, 0];
    for ticket in phone.tickets() {
        let body: serde_json::Value =
            serde_json::from_str(&phone.wallet.ticket(ticket.id.clone()).unwrap().body_json).unwrap();
        let given = [&body["metadata"]["barcode"], &body["wallet_export"]["qr_code"]];
        let given = given.into_iter().find_map(|code| code.as_str());
        let shown = phone.wallet.present(ticket.id.clone(), None);
        match (given, ticket.effective_status.admits()) {
            (Some(code), true) => {
                let shown = shown.unwrap();
                assert_eq!((shown.profile, shown.text.as_str()), (BarcodeProfile::Static, code));
                assert!(shown.issuer_key.is_empty() && shown.matrix.width >= 21);
                kinds[0] += 1;
            }
            (given, _) => {
                let why =
                    if given.is_some() { NoBarcodeReason::NotUsable } else { NoBarcodeReason::NotOffered };
                assert!(matches!(shown, Err(WalletError::NoBarcode { why: said, .. }) if said == why));
                kinds[1] += 1;
            }
        }
    }
    assert!(kinds[0] > 0 && kinds[1] > 0, "{kinds:?}");
}

#[tokio::test]
async fn a_ticket_whose_time_is_over_is_over_before_the_server_says_so() {
    let unidy = UnidyChoices { maintenance: false, ..UnidyChoices::default() };
    let (clock, sandbox, [phone, _]) = holders(unidy).await;
    let (id, remote) = shown(&phone);
    let at = |seconds: i64| {
        let at = chrono::DateTime::from_timestamp(TODAY_MS / 1000 + seconds, 0).unwrap();
        json!(at.to_rfc3339())
    };
    let edit = |members: &[(&str, serde_json::Value)]| {
        assert!(sandbox.edit_unidy_ticket(BRAND, &remote, &set(members)).unwrap());
    };
    let standing = || phone.wallet.ticket(id.clone()).unwrap().summary;
    // With an end: then.
    edit(&[("state", json!("active")), ("starts_at", at(0)), ("ends_at", at(7_200))]);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(standing().effective_status, TicketStatus::Active);
    clock.pass_s(7_199);
    assert_eq!(standing().effective_status, TicketStatus::Active);
    clock.pass_s(1);
    let over = standing();
    assert_eq!((over.status, over.effective_status), (TicketStatus::Active, TicketStatus::Inactive));
    let refused = phone.wallet.present(id.clone(), None).unwrap_err();
    assert!(matches!(refused, WalletError::NoBarcode { why: NoBarcodeReason::NotUsable, .. }), "{refused}");
    // Without one: at midnight after the day of its start, in the configured zone. 2026-11-21 00:00 UTC is 01:00 in Berlin.
    edit(&[("starts_at", at(0)), ("ends_at", json!(null))]);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(standing().expires_at, Some(TODAY_MS / 1000 + 23 * 3_600));
    // A passive one does not expire here.
    edit(&[("state", json!("passive"))]);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!((standing().expires_at, standing().effective_status), (None, TicketStatus::Passive));
}

#[tokio::test]
async fn files_are_fetched_once_and_there_offline() {
    let (_clock, sandbox, [phone, _]) = holders(UnidyChoices::default()).await;
    let exportable = phone.tickets().into_iter().find(|ticket| {
        let body = phone.wallet.ticket(ticket.id.clone()).unwrap().body_json;
        body.contains("\"exportable_to_wallet\":true") || body.contains("\"exportable_to_wallet\": true")
    });
    let ticket = exportable.unwrap();
    let files = phone.wallet.fetch_documents(ticket.id.clone()).await.unwrap();
    let kinds: Vec<_> = files.iter().map(|file| file.media_type.as_str()).collect();
    assert_eq!(kinds, ["application/pdf", "application/vnd.apple.pkpass"]);
    sandbox.stop().await;
    let phone = phone.restart();
    let kept = phone.wallet.documents(ticket.account_id, Some(format!("ticket/{}", ticket.id))).unwrap();
    assert_eq!(kept, files);
    let pdf = phone.wallet.document(kept[0].id).unwrap();
    assert!(pdf.starts_with(b"%PDF-") && pdf.len() as u64 == kept[0].size);
    assert!(phone.wallet.document(kept[1].id).unwrap().starts_with(b"PK"));
}

#[tokio::test]
async fn a_ticket_is_handed_over_and_shown_by_one_of_both_only() {
    let (_clock, sandbox, [from, to]) = holders(UnidyChoices::default()).await;
    let (id, _) = shown(&from);
    from.wallet.transfer(id.clone(), sandbox.users()[1].name.clone()).unwrap();
    from.wallet.sync(None).await.unwrap();
    assert_eq!(from.wallet.transfers(None).unwrap()[0].state, TransferState::Pending);
    let refused = from.wallet.present(id.clone(), None).unwrap_err();
    assert!(matches!(refused, WalletError::NoBarcode { why: NoBarcodeReason::HandedOver, .. }), "{refused}");
    // Declined: it is shown here again.
    let account = to.wallet.accounts().unwrap()[0].id.clone();
    let incoming = to.wallet.incoming_transfers(account.clone()).await.unwrap();
    assert_eq!(incoming.len(), 1);
    to.wallet.decline_transfer(account.clone(), incoming[0].token.clone()).await.unwrap();
    from.wallet.sync(None).await.unwrap();
    assert_eq!(from.wallet.transfers(None).unwrap()[0].state, TransferState::Ended);
    assert!(from.wallet.present(id.clone(), None).is_ok());
    // Accepted: it is theirs.
    from.wallet.transfer(id.clone(), sandbox.users()[1].name.clone()).unwrap();
    from.wallet.sync(None).await.unwrap();
    let incoming = to.wallet.incoming_transfers(account.clone()).await.unwrap();
    to.wallet.accept_transfer(account, incoming[0].token.clone()).await.unwrap();
    to.wallet.sync(None).await.unwrap();
    from.wallet.sync(None).await.unwrap();
    assert!(to.wallet.present(id.clone(), None).is_ok());
    assert!(
        from.wallet
            .tickets(ticket_wallet::model::TicketFilter::default())
            .unwrap()
            .iter()
            .all(|one| one.id != id)
    );
}

#[tokio::test]
async fn a_transfer_whose_answer_is_lost_is_made_once_and_can_be_taken_back() {
    let (_clock, sandbox, [from, _]) = holders(UnidyChoices::default()).await;
    let (id, remote) = shown(&from);
    let lost = |path: &str| FaultRule {
        method: Some("POST".to_owned()),
        path_contains: path.to_owned(),
        skip: 0,
        times: 1,
        fault: Fault::LostReply,
    };
    sandbox.fault(lost(&format!("/tickets/{remote}/transfer")));
    from.wallet.transfer(id.clone(), sandbox.users()[1].name.clone()).unwrap();
    let _ = from.wallet.sync(None).await;
    from.wallet.sync(None).await.unwrap();
    assert!(from.wallet.outbox(None).unwrap().is_empty());
    sandbox.fault(lost("/cancel"));
    from.wallet.cancel_transfer(id.clone()).unwrap();
    let _ = from.wallet.sync(None).await;
    from.wallet.sync(None).await.unwrap();
    assert!(from.wallet.outbox(None).unwrap().is_empty());
    let writes = sandbox.journal().unwrap();
    let of_transfers: Vec<_> = writes
        .iter()
        .filter(|entry| entry.kind.contains("transfer"))
        .map(|entry| entry.kind.as_str())
        .collect();
    assert_eq!(of_transfers.len(), 2, "{of_transfers:?}");
    assert!(from.wallet.present(id, None).is_ok());
}

#[tokio::test]
async fn a_refused_transfer_stays_with_the_servers_word_for_it() {
    let (_clock, sandbox, [from, _]) = holders(UnidyChoices::default()).await;
    let (id, _) = shown(&from);
    from.wallet.transfer(id.clone(), sandbox.users()[0].name.clone()).unwrap();
    from.wallet.sync(None).await.unwrap();
    let item = &from.wallet.outbox(None).unwrap()[0];
    assert_eq!((item.state, item.rejection), (WriteState::Rejected, Some(RejectionReason::Refused)));
    assert_eq!(item.server_code.as_deref(), Some("recipient_is_owner"));
    from.wallet.discard_write(item.id).unwrap();
    assert!(from.wallet.present(id, None).is_ok());
}
