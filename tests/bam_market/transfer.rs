//! A ticket is handed over at once, by the ledger.

use ticket_wallet::WalletError;
use ticket_wallet::model::{NoBarcodeReason, OfficeWriteState};

use crate::seller::{Seller, bound, generation, lists};

const HANDED: &str = "ledger.transfer";

#[tokio::test]
async fn a_ticket_handed_over_is_the_recipients_alone() {
    let seller = Seller::new().await;
    let (other, enrollment) = seller.other().await;
    let held = bound(&seller).await;
    let before = generation(&seller.phone, &held).unwrap();
    let wallet = &seller.phone.wallet;
    let write = wallet.transfer_on_ledger(held.id.clone(), format!(" {enrollment} ")).await.unwrap();
    assert_eq!((write.state, seller.done(HANDED, &held)), (OfficeWriteState::Done, 1));
    // Before any sync brings it: nothing is shown of it here.
    let shown = wallet.present(held.id.clone(), None).unwrap_err();
    let handed_over = NoBarcodeReason::HandedOver;
    assert!(matches!(shown, WalletError::NoBarcode { why, .. } if why == handed_over), "{shown}");
    assert_eq!(generation(&seller.phone, &held), None);
    wallet.sync(None).await.unwrap();
    other.wallet.sync(None).await.unwrap();
    assert!(!lists(&seller.phone, &held) && lists(&other, &held));
    assert_eq!(generation(&other, &held), Some(before + 1));
    other.wallet.present(held.id.clone(), None).unwrap();
}

#[tokio::test]
async fn nobody_and_oneself_are_no_recipients() {
    let seller = Seller::new().await;
    let held = bound(&seller).await;
    let own = seller.phone.wallet.certificate(seller.account.clone()).unwrap().unwrap().enrollment_id;
    for recipient in ["", "  ", own.as_str()] {
        let sent = seller.phone.wallet.transfer_on_ledger(held.id.clone(), recipient.to_owned()).await;
        let Err(WalletError::InvalidInput { field, .. }) = sent else { panic!("{recipient:?}") };
        assert_eq!(field, "recipient");
    }
    let unknown = "00000000-0000-4000-8000-000000000000".to_owned();
    let sent = seller.phone.wallet.transfer_on_ledger(held.id.clone(), unknown).await.unwrap_err();
    assert!(matches!(sent, WalletError::Refused { status: 404, .. }), "{sent}");
    let writes = seller.phone.wallet.writes(seller.account.clone(), 10).unwrap();
    assert_eq!(writes.iter().map(|write| write.state).collect::<Vec<_>>(), [OfficeWriteState::Rejected]);
    assert_eq!(seller.done(HANDED, &held), 0);
    seller.phone.wallet.present(held.id, None).unwrap();
}

#[tokio::test]
async fn handing_over_ends_an_offer() {
    let seller = Seller::new().await;
    let (_, enrollment) = seller.other().await;
    let held = bound(&seller).await;
    seller.sell(&held).await.unwrap();
    seller.phone.wallet.transfer_on_ledger(held.id.clone(), enrollment).await.unwrap();
    assert!(!seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer)));
}
