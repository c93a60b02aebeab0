//! A wallet with an account of TickeTing.

use std::collections::BTreeSet;

use ticket_wallet::WalletError;
use ticket_wallet::model::{
    AccountState, Capability, NoBarcodeReason, SignIn, SystemConfig, TicketStatus, TicketSystem,
    TicketingCode, TicketingConfig,
};
use ticket_wallet_sandbox::{Fault, SandboxConfig};

use crate::festival::{Festival, sign_in};
use crate::phone::Phone;

#[tokio::test]
async fn a_wallet_signs_in_syncs_and_lists() {
    let festival = Festival::with(SandboxConfig { tickets_per_user: 130, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&festival.clock);
    let account = phone.wallet.sign_in(festival.sign_in(0)).await.unwrap();
    assert_eq!((account.system, account.state), (TicketSystem::Ticketing, AccountState::SignedIn));
    let can = phone.wallet.capabilities(account.id.clone()).unwrap();
    assert_eq!(can, [Capability::ListTickets, Capability::SectionTransfers, Capability::Admissions]);
    let report = phone.wallet.sync(None).await.unwrap();
    assert_eq!((report.received, report.added), (130, 130));
    assert_eq!(festival.count("GET /.well-known/ticket-wallet"), 0, "the API answers no such request");
    let tickets = phone.tickets();
    let ids: BTreeSet<_> = tickets.iter().map(|ticket| &ticket.id).collect();
    assert_eq!(ids.len(), 130);
    assert!(
        tickets
            .iter()
            .any(|ticket| ticket.title == "Carnival Night" && ticket.section.as_deref() == Some("VIP"))
    );
    assert!(tickets.iter().any(|ticket| ticket.status == TicketStatus::Invalidated));
    let detail = phone.wallet.ticket(tickets[0].id.clone()).unwrap();
    assert!(detail.body_json.contains(&detail.remote_id) && detail.remote_id.len() == 19);
    assert_eq!(detail.no_barcode, Some(NoBarcodeReason::NotOffered));
    // The same ticket is the same after a restart and a second sync.
    let phone = phone.restart();
    let report = phone.wallet.sync(None).await.unwrap();
    assert_eq!((report.added, report.changed, report.removed), (0, 0, 0));
    assert_eq!(phone.tickets(), tickets);
}

/// Where the extension is served is a matter of its own: one that is configured is asked.
#[tokio::test]
async fn an_extension_is_asked_for_where_one_is_configured() {
    let festival = Festival::new().await;
    let phone = Phone::new(&festival.clock);
    let plain = festival.sign_in(0);
    let config = SystemConfig { extension_url: Some(festival.sandbox.url()), ..plain.config };
    phone.wallet.sign_in(SignIn { config, ..plain }).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    assert_eq!((phone.tickets().len(), festival.count("GET /.well-known/ticket-wallet")), (24, 1));
}

#[tokio::test]
async fn what_goes_and_changes_at_the_server_does_here() {
    let festival = Festival::new().await;
    let phone = Phone::new(&festival.clock);
    phone.wallet.sign_in(festival.sign_in(0)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    let before = phone.tickets();
    let serial = |id: &str| phone.wallet.ticket(id.to_owned()).unwrap().remote_id;
    let gone = serial(&before[0].id);
    assert!(festival.sandbox.remove_ticketing_ticket(&gone));
    festival.clock.pass_s(60);
    assert_eq!(phone.wallet.sync(None).await.unwrap().removed, 1);
    assert_eq!(phone.tickets().len(), before.len() - 1);
}

#[tokio::test]
async fn a_session_that_has_ended_asks_for_signing_in_and_keeps_the_tickets() {
    let festival = Festival::new().await;
    let phone = Phone::new(&festival.clock);
    let account = phone.wallet.sign_in(festival.sign_in(0)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    let before = phone.tickets();
    festival.sandbox.revoke_sessions().unwrap();
    let refused = phone.wallet.sync(Some(account.id.clone())).await;
    assert!(matches!(refused, Err(WalletError::NeedsSignIn { .. })), "{refused:?}");
    assert_eq!(phone.wallet.accounts().unwrap()[0].state, AccountState::NeedsSignIn);
    assert_eq!(phone.tickets(), before);
    let again = phone.wallet.sign_in(festival.sign_in(0)).await.unwrap();
    assert_eq!(again.id, account.id);
    assert!(phone.wallet.sync(Some(account.id)).await.is_ok());
}

#[tokio::test]
async fn an_upgrade_and_a_failure_reach_the_app() {
    let festival = Festival::new().await;
    let phone = Phone::new(&festival.clock);
    let account = phone.wallet.sign_in(festival.sign_in(0)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    let before = phone.tickets();
    festival.choose(|choices| choices.least_version = "4.0.0".to_owned());
    let refused = phone.wallet.sync(Some(account.id.clone())).await;
    assert!(matches!(refused, Err(WalletError::UpgradeNeeded { .. })), "{refused:?}");
    let refused = phone.wallet.sign_in(festival.sign_in(1)).await.err();
    assert!(matches!(refused, Some(WalletError::UpgradeNeeded { .. })), "{refused:?}");
    festival.choose(|choices| choices.least_version = "3.0.0".to_owned());
    festival.fault("GET", "/accounts/", 9, Fault::ServerError);
    let failed = phone.wallet.sync(Some(account.id)).await;
    let Err(WalletError::ServerFault { report, .. }) = failed else { panic!("{failed:?}") };
    assert!(report.contains("accounts/:number/tickets") && report.contains("X-Client-Version"));
    assert!(!report.contains(&festival.sandbox.ticketing_account(&festival.user(0).0).unwrap()));
    assert_eq!(phone.tickets(), before);
}

#[tokio::test]
async fn a_configured_code_is_presented() {
    let festival = Festival::new().await;
    let phone = Phone::new(&festival.clock);
    let user = festival.sandbox.users()[0].clone();
    let config = TicketingConfig { codes: Some(TicketingCode::Serial), ..TicketingConfig::default() };
    let sign_in = sign_in(&festival.served.url, config, &user.name, &user.password);
    let account = phone.wallet.sign_in(sign_in).await.unwrap();
    assert!(phone.wallet.capabilities(account.id).unwrap().contains(&Capability::StaticCodes));
    phone.wallet.sync(None).await.unwrap();
    let issued = phone.tickets().into_iter().find(|ticket| ticket.status == TicketStatus::Issued).unwrap();
    let serial = phone.wallet.ticket(issued.id.clone()).unwrap().remote_id;
    let shown = phone.wallet.present(issued.id, None).unwrap();
    assert_eq!(shown.text, serial);
}
