//! Promise: a holder of TEXPO's tickets signs in, syncs, lists them offline, and has them as PDF.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use expo::{Client, Expo};
use phone::Phone;
use script::answer;
use ticket_wallet::WalletError;
use ticket_wallet::error::Error;
use ticket_wallet::model::{
    AccountState, Capability, NoBarcodeReason, SignIn, SystemConfig, TexpoConfig, TexpoSignIn, TicketStatus,
    TicketSummary,
};
use ticket_wallet_sandbox::{Fault, Timestamps};

struct Visitor {
    expo: Expo,
    phone: Phone,
    account: String,
}

async fn visitor() -> Visitor {
    let expo = Expo::new().await;
    let phone = Phone::new(&expo.clock);
    let account = phone.wallet.sign_in(expo.holder_sign_in(0)).await.unwrap().id;
    Visitor { expo, phone, account }
}

fn with(expo: &Expo, texpo: TexpoConfig) -> SignIn {
    let base = expo.holder_sign_in(0);
    SignIn { config: SystemConfig { texpo: Some(texpo), ..base.config.clone() }, ..base }
}

#[tokio::test]
async fn tickets_are_synced_and_listed_offline() {
    for sign_in in [TexpoSignIn::Adminserver, TexpoSignIn::UserApi] {
        let expo = Expo::new().await;
        let phone = Phone::new(&expo.clock);
        let sign_in = with(&expo, TexpoConfig { sign_in, ..expo.config() });
        phone.wallet.sign_in(sign_in).await.unwrap();
        let report = phone.wallet.sync(None).await.unwrap();
        assert_eq!((report.received, report.added), (6, 6));
        expo.sandbox.stop().await;
        let phone = phone.restart();
        let tickets = phone.tickets();
        assert_eq!(tickets.len(), 6);
        let is_first = |ticket: &&TicketSummary| ticket.category.as_deref() == Some("Ticket 1");
        let first = tickets.iter().find(is_first).unwrap();
        assert_eq!(first.title, "Hafenmesse");
        assert_eq!((&first.status, first.starts_at), (&TicketStatus::Issued, Some(1_795_424_400)));
        let shown = phone.wallet.present(first.id.clone(), None).err();
        let why = NoBarcodeReason::DeliveredElsewhere;
        assert!(matches!(shown, Some(WalletError::NoBarcode { why: found, .. }) if found == why));
        assert!(first.event_hash.is_some());
    }
}

#[tokio::test]
async fn a_second_sync_brings_what_has_changed() {
    let Visitor { expo, phone, .. } = visitor().await;
    phone.wallet.sync(None).await.unwrap();
    for timestamps in [Timestamps::UnixMilliseconds, Timestamps::Iso] {
        expo.choose(|it| it.timestamps = timestamps);
        phone.wallet.sync(None).await.unwrap();
        assert_eq!(phone.tickets()[0].starts_at, Some(1_795_424_400));
    }
    expo.sandbox.set_texpo_choices(Default::default());
    let user = &expo.sandbox.users()[0].name;
    let id = expo.sandbox.buy_texpo_ticket(user, "expo-00002").unwrap();
    assert_eq!(phone.wallet.sync(None).await.unwrap().added, 1);
    assert!(expo.sandbox.remove_texpo_ticket(&id));
    // No single ticket can be asked for: what two whole lists lack is gone.
    assert_eq!(phone.wallet.sync(None).await.unwrap().removed, 0);
    assert_eq!(phone.tickets().len(), 7);
    assert_eq!(phone.wallet.sync(None).await.unwrap().removed, 1);
    assert_eq!(phone.tickets().len(), 6);
    // Half a list is no list.
    expo.fault("getPurchasedTickets", 1, Fault::TruncatedJson);
    assert!(matches!(phone.wallet.sync(None).await, Err(WalletError::Unreachable { .. })));
    assert_eq!(phone.tickets().len(), 6);
}

#[tokio::test]
async fn purchased_tickets_are_asked_for_where_it_is_switched_on() {
    let expo = Expo::new().await;
    let phone = Phone::new(&expo.clock);
    let off = TexpoConfig { purchased_tickets: false, ..expo.config() };
    let account = phone.wallet.sign_in(with(&expo, off.clone())).await.unwrap().id;
    assert_eq!(phone.wallet.sync(None).await.unwrap().received, 0);
    assert_eq!(expo.count("getPurchasedTickets"), 0);
    let can = phone.wallet.capabilities(account.clone()).unwrap();
    assert_eq!(can, [Capability::TicketDocuments, Capability::ManageCatalogue]);
    // A server that has the method over a websocket only.
    expo.choose(|it| it.purchased_over_http = false);
    let again = phone.wallet.sign_in(with(&expo, expo.config())).await.unwrap();
    assert_eq!(again.id, account, "the same account");
    let missing = phone.wallet.sync(None).await.unwrap_err();
    assert!(matches!(missing, WalletError::Refused { status: 200, ref server_code, .. }
        if server_code.as_deref() == Some("404")));
    let can = phone.wallet.capabilities(account.clone()).unwrap();
    assert!(can.contains(&Capability::ListTickets));
    let user_api = TexpoConfig { sign_in: TexpoSignIn::UserApi, ..off };
    phone.wallet.sign_in(with(&expo, user_api)).await.unwrap();
    assert_eq!(phone.wallet.capabilities(account).unwrap(), [Capability::TicketDocuments]);
}

#[tokio::test]
async fn networks_of_one_address_are_accounts_of_their_own() {
    let expo = Expo::new().await;
    expo.choose(|it| it.network_required = false);
    let phone = Phone::new(&expo.clock);
    let mut ids = Vec::new();
    for network in [Some("a"), Some("b"), None] {
        let config = TexpoConfig { network_id: network.map(str::to_owned), ..expo.config() };
        ids.push(phone.wallet.sign_in(with(&expo, config)).await.unwrap().id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(phone.tickets().len(), 18, "each network's tickets are its own");
}

#[tokio::test]
async fn a_ticket_is_fetched_as_pdf_and_kept() {
    let Visitor { expo, phone, account } = visitor().await;
    phone.wallet.sync(None).await.unwrap();
    let ticket = phone.tickets().swap_remove(0);
    let kept = phone.wallet.fetch_documents(ticket.id.clone()).await.unwrap();
    assert_eq!((kept.len(), kept[0].media_type.as_str()), (1, "application/pdf"));
    assert!(phone.wallet.document(kept[0].id).unwrap().starts_with(b"%PDF-"));
    let id = phone.wallet.ticket(ticket.id.clone()).unwrap().remote_id;
    assert_eq!(expo.count(&format!("GET /texpo/api/v0/resource/ticket/{id}")), 1);
    assert!(expo.sandbox.remove_texpo_ticket(&id));
    for error_has_http_status in [true, false] {
        expo.choose(|it| it.error_has_http_status = error_has_http_status);
        let gone = phone.wallet.fetch_documents(ticket.id.clone()).await.unwrap_err();
        assert!(
            matches!(gone, WalletError::Refused { ref server_code, .. } if server_code.as_deref() == Some("404")),
            "{gone}"
        );
    }
    let subject = Some(format!("ticket/{}", ticket.id));
    assert_eq!(phone.wallet.documents(account, subject).unwrap().len(), 1, "what is kept stays");
}

#[tokio::test]
async fn what_is_no_pdf_is_not_kept() {
    for (status, body) in [(200, "<html>"), (200, "{}"), (200, "")] {
        let (client, script) = Client::answered(TexpoConfig::default(), move || answer(status, body));
        let failed = client.texpo.document(&client.session, "a/../b").await.err();
        assert!(matches!(failed, Some(Error::Reply { .. })), "{body}: {failed:?}");
        assert_eq!(script.seen()[0].url, "https://expo.example/api/v0/resource/ticket/a%2F..%2Fb");
    }
    let (client, _) = Client::answered(TexpoConfig::default(), || answer(404, "%PDF-1.4"));
    let failed = client.texpo.document(&client.session, "1").await.err();
    assert!(matches!(failed, Some(Error::Status { status: 404, .. })));
}

#[tokio::test]
async fn a_session_that_ended_asks_for_a_sign_in_and_keeps_the_tickets() {
    for error_has_http_status in [true, false] {
        let Visitor { expo, phone, account } = visitor().await;
        phone.wallet.sync(None).await.unwrap();
        expo.choose(|it| it.error_has_http_status = error_has_http_status);
        expo.sandbox.revoke_sessions().unwrap();
        assert!(matches!(phone.wallet.sync(None).await, Err(WalletError::NeedsSignIn { .. })));
        let accounts = phone.wallet.accounts().unwrap();
        assert_eq!(
            (accounts[0].id.as_str(), accounts[0].state),
            (account.as_str(), AccountState::NeedsSignIn)
        );
        assert_eq!(phone.tickets().len(), 6);
        phone.wallet.sign_in(expo.holder_sign_in(0)).await.unwrap();
        assert_eq!(phone.wallet.sync(None).await.unwrap().added, 0);
    }
}

#[tokio::test]
async fn a_wrong_password_is_told() {
    let expo = Expo::new().await;
    let phone = Phone::new(&expo.clock);
    let wrong = SignIn { password: "wrong".to_owned(), ..expo.holder_sign_in(0) };
    let refused = phone.wallet.sign_in(wrong).await.unwrap_err();
    assert!(matches!(refused, WalletError::Refused { status: 401, .. }), "{refused}");
    assert_eq!(phone.wallet.accounts().unwrap().len(), 0);
}

#[tokio::test]
async fn a_thousand_tickets_of_one_holder_are_one_list() {
    let Visitor { expo, phone, .. } = visitor().await;
    let user = expo.sandbox.users()[0].name.clone();
    for _ in 0..994 {
        expo.sandbox.buy_texpo_ticket(&user, "expo-00003").unwrap();
    }
    assert_eq!(phone.wallet.sync(None).await.unwrap().received, 1_000);
    assert_eq!((phone.tickets().len(), expo.count("getPurchasedTickets")), (1_000, 1));
}
