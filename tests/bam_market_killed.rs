//! Promise: an app that ends at any step of a sale or a transfer at B.A.M's ledger finds out afterwards what became of it, and
//! the ticket is offered or handed over once.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/seller.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod seller;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

use ticket_wallet::model::{OfficeWriteState, TicketFormat};

use seller::{Held, Seller};

/// Where the app ends, and whether the ledger has carried the transaction out by then.
const POINTS: [(&str, bool); 3] =
    [("ledger-signed", false), ("ledger-begun", false), ("ledger-replied", true)];

/// Runs one write until the app ends in the middle of it; gives the wallet that is opened afterwards.
async fn ended_at(point: &str, seller: Seller, held: &Held, recipient: Option<&str>) -> Seller {
    fail::cfg(point, "panic").unwrap();
    let (id, recipient) = (held.id.clone(), recipient.map(str::to_owned));
    let sale = seller.sale(held.face_value());
    let seller = std::sync::Arc::new(seller);
    let running = std::sync::Arc::clone(&seller);
    let write = tokio::spawn(async move {
        match recipient {
            Some(recipient) => running.phone.wallet.transfer_on_ledger(id, recipient).await,
            None => running.phone.wallet.mark_for_sale(id, sale).await,
        }
    });
    assert!(write.await.unwrap_err().is_panic(), "{point}");
    fail::remove(point);
    std::sync::Arc::into_inner(seller).unwrap().restart()
}

#[tokio::test]
async fn an_app_that_ends_in_the_middle_knows_afterwards() {
    for transfer in [false, true] {
        let mut seller = Seller::new().await;
        let (_, enrollment) = seller.other().await;
        for (point, carried_out) in POINTS {
            let held = seller.ticket(TicketFormat::Secure).await;
            let recipient = transfer.then_some(enrollment.as_str());
            let kind = if transfer { "ledger.transfer" } else { "ledger.mark_for_sale" };
            seller = ended_at(point, seller, &held, recipient).await;
            let wallet = &seller.phone.wallet;
            let write = wallet.writes(seller.account.clone(), 1).unwrap().remove(0);
            assert_eq!(write.state, OfficeWriteState::Sent, "{point}");
            let looked_up = wallet.look_up_write(write.id).await.unwrap();
            let expected = match point {
                "ledger-replied" => OfficeWriteState::Done,
                "ledger-begun" => OfficeWriteState::Unknown,
                _ => OfficeWriteState::Rejected,
            };
            assert_eq!(
                (looked_up.state, seller.done(kind, &held)),
                (expected, usize::from(carried_out)),
                "{point}"
            );
            if !carried_out {
                seller.clock.pass_s(121);
                let looked_up = wallet.look_up_write(write.id).await.unwrap();
                assert_eq!(looked_up.state, OfficeWriteState::Rejected, "{point}");
                let again = match recipient {
                    Some(recipient) => wallet.transfer_on_ledger(held.id.clone(), recipient.to_owned()).await,
                    None => seller.sell(&held).await,
                };
                assert_eq!(again.unwrap().state, OfficeWriteState::Done, "{point}");
            }
            assert_eq!(seller.done(kind, &held), 1, "{point}");
            if transfer {
                assert!(wallet.present(held.id.clone(), None).is_err(), "{point}");
                wallet.sync(None).await.unwrap();
            }
        }
    }
}
