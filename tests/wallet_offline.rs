//! Promise: after one sync everything that shows a ticket works with no network, and time is not the person's to set.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use phone::{Phone, TestClock, sandbox};
use ticket_wallet::barcode::CodeVerdict;
use ticket_wallet::model::NoBarcodeReason;
use ticket_wallet::{CheckerConfig, CodeChecker, KnownIssuer, Presentation, WalletError};
use ticket_wallet_sandbox::SandboxConfig;

fn gate_for(shown: &Presentation) -> CodeChecker {
    let issuers =
        vec![KnownIssuer { public_key: shown.issuer_key.clone(), valid_from: None, valid_until: None }];
    CodeChecker::new(CheckerConfig { issuers, event: None, sections: vec![], tolerance_s: 10 }).unwrap()
}

#[tokio::test]
async fn list_show_and_gate_work_with_the_server_gone() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    let report = phone.wallet.sync(None).await.unwrap();
    assert_eq!((report.received, report.added), (24, 24));
    assert!(report.bound > 0);
    sandbox.stop().await;

    let phone = phone.restart();
    assert_eq!(phone.tickets().len(), 24);
    let ticket = phone.signed_ticket();
    let shown = phone.wallet.present(ticket.id.clone(), None).unwrap();
    let gate = gate_for(&shown);
    let check = gate.check(shown.text.clone().into_bytes(), shown.presented_at, vec![]).unwrap();
    assert_eq!(check.verdict, CodeVerdict::Valid);
    assert_eq!(check.fields.unwrap().ticket, ticket.id);
    assert_eq!(shown.valid_until, shown.presented_at + 30);
    assert_eq!(shown.next_redraw_at, shown.presented_at + 15);
    assert!(matches!(phone.wallet.sync(None).await, Err(WalletError::Unreachable { .. })));

    clock.pass_s(41);
    let stale = gate.check(shown.text.into_bytes(), shown.presented_at + 41, vec![]).unwrap();
    assert_eq!(stale.verdict, CodeVerdict::Stale);
    let fresh = phone.wallet.present(ticket.id, None).unwrap();
    assert_eq!(fresh.presented_at, shown.presented_at + 41);
}

#[tokio::test]
async fn eight_hours_of_sleep_and_a_wall_clock_set_back_do_not_move_the_frame() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig::default()).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let before = phone.wallet.now().unwrap();
    assert!(before.uncertainty.confirmed);
    let ticket = phone.signed_ticket();

    clock.pass_s(8 * 3600);
    clock.set_wall_ms(0);
    let shown = phone.wallet.present(ticket.id.clone(), None).unwrap();
    assert_eq!(shown.presented_at, (before.unix_ms + 8 * 3_600_000).div_euclid(1000));
    assert_eq!(shown.clock_uncertainty.age_ms, Some(8 * 3_600_000));

    clock.reboot();
    clock.set_wall_ms(phone::TODAY_MS + 9 * 3_600_000);
    let phone = phone.restart();
    let after_reboot = phone.wallet.present(ticket.id, None).unwrap();
    assert!(!after_reboot.clock_uncertainty.confirmed && after_reboot.clock_uncertainty.error_ms.is_none());
    assert_eq!(after_reboot.presented_at, (before.unix_ms + 9 * 3_600_000).div_euclid(1000));
}

#[tokio::test]
async fn a_ticket_without_a_barcode_says_why() {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { tickets_per_user: 60, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    phone.wallet.sync(None).await.unwrap();
    let mut reasons: Vec<_> = phone
        .tickets()
        .into_iter()
        .filter_map(|ticket| {
            let detail = phone.wallet.ticket(ticket.id.clone()).unwrap();
            match phone.wallet.present(ticket.id, None) {
                Ok(_) => {
                    assert_eq!(detail.no_barcode, None);
                    None
                }
                Err(WalletError::NoBarcode { why, .. }) => {
                    assert_eq!(detail.no_barcode, Some(why));
                    Some(format!("{why:?}"))
                }
                Err(other) => panic!("{other}"),
            }
        })
        .collect();
    reasons.sort();
    reasons.dedup();
    assert_eq!(reasons, ["DeliveredElsewhere", "NotBoundYet", "NotOffered", "NotUsable"]);

    let ticket = phone.signed_tickets().pop().unwrap(); // the last: its event is still to come in two days
    clock.pass_s(48 * 3600 + 60);
    let ended = phone.wallet.present(ticket.id.clone(), None);
    assert!(
        matches!(ended, Err(WalletError::NoBarcode { why: NoBarcodeReason::LeaseEnded, .. })),
        "{ended:?}"
    );
    let report = phone.wallet.sync(None).await.unwrap();
    assert!(report.renewed > 0);
    assert!(phone.wallet.present(ticket.id, None).is_ok());
}
