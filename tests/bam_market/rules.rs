//! What may be sold, and for how much.

use serde_json::json;
use ticket_wallet::WalletError;
use ticket_wallet::model::{LedgerSale, Money, TicketFormat};
use ticket_wallet::resale::{NotOfferedReason, PriceBasis, PriceCap};
use ticket_wallet_sandbox::TicketEdit;

use crate::seller::{Held, Seller, offer_id};

/// A tenant without the extension: its market is B.A.M's alone.
const PLAIN: &str = "eschenried";

fn why(refused: &WalletError) -> NotOfferedReason {
    let WalletError::NotOffered { why, .. } = refused else { panic!("{refused}") };
    *why
}

fn field(refused: &WalletError) -> &str {
    let WalletError::InvalidInput { field, .. } = refused else { panic!("{refused}") };
    field
}

fn more(held: &Held, minor: i64) -> Money {
    let face = held.face_value();
    Money { minor: face.minor + minor, ..face }
}

#[tokio::test]
async fn a_pdf_is_refused_with_the_reason_and_nothing_is_signed() {
    let seller = Seller::new().await;
    let held = seller.ticket_at(TicketFormat::Pdf, Some(PLAIN)).await;
    let (wallet, before) = (&seller.phone.wallet, seller.requests("/blockchain/"));
    let refused = seller.sell(&held).await.unwrap_err();
    assert_eq!((why(&refused), refused.code()), (NotOfferedReason::PdfTicket, "not_offered"));
    assert!(refused.to_string().contains("PDF"), "{refused}");
    let refused = wallet.transfer_on_ledger(held.id.clone(), "e-1".to_owned()).await.unwrap_err();
    assert_eq!(why(&refused), NotOfferedReason::PdfTicket);
    assert_eq!(why(&wallet.resale_rules(held.id.clone()).await.unwrap_err()), NotOfferedReason::PdfTicket);
    assert_eq!(seller.requests("/blockchain/"), before);
    assert!(wallet.writes(seller.account.clone(), 10).unwrap().is_empty());
}

#[tokio::test]
async fn a_ticket_that_does_not_admit_is_refused() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let used = TicketEdit { status: Some("invalidated".to_owned()), ..TicketEdit::default() };
    let id = held.record["id"].as_i64().unwrap();
    assert!(seller.sandbox.edit_ticket(held.tenant, id, &used).unwrap());
    assert_eq!(why(&seller.sell(&held).await.unwrap_err()), NotOfferedReason::NotUsable);
}

#[tokio::test]
async fn the_organisers_rules_are_read_and_kept_to() {
    let seller = Seller::new().await;
    let held = seller.ticket_at(TicketFormat::Secure, Some(PLAIN)).await;
    let rules = seller.phone.wallet.resale_rules(held.id.clone()).await.unwrap();
    let face = held.face_value();
    let tenth = face.share("10".parse().unwrap()).unwrap();
    let cap = face.plus(&tenth).unwrap();
    assert_eq!((rules.allowed, &rules.basis), (true, &PriceBasis::FaceValue));
    assert_eq!(
        (rules.face_value.as_ref(), rules.cap()),
        (Some(&face), Ok(PriceCap::At { amount: cap.clone() }))
    );
    let breakdown = rules.preview(&cap, 0).unwrap();
    let fee = cap.share("5".parse().unwrap()).unwrap().plus(&Money { minor: 50, ..face.clone() }).unwrap();
    assert_eq!((&breakdown.buyer_total, &breakdown.seller_fee), (&cap, &fee));

    let offer = |price| seller.phone.wallet.mark_for_sale(held.id.clone(), seller.sale(price));
    let before = seller.requests("/blockchain/");
    assert_eq!(field(&offer(more(&held, tenth.minor + 1)).await.unwrap_err()), "price");
    assert_eq!(field(&offer(Money { minor: -1, ..face.clone() }).await.unwrap_err()), "price");
    let dollars = Money { currency: "USD".to_owned(), ..face.clone() };
    assert_eq!(field(&offer(dollars).await.unwrap_err()), "price");
    let past = LedgerSale { until: seller.clock.wall_ms() / 1000, ..seller.sale(face) };
    let past = seller.phone.wallet.mark_for_sale(held.id.clone(), past).await.unwrap_err();
    assert_eq!((field(&past), seller.requests("/blockchain/")), ("until", before));
    offer_id(&offer(cap).await.unwrap());
}

#[tokio::test]
async fn what_the_organiser_bars_is_not_asked_for() {
    let seller = Seller::new().await;
    let held = seller.ticket_at(TicketFormat::Secure, Some(PLAIN)).await;
    let wallet = &seller.phone.wallet;
    for (members, barred) in [
        (json!({ "resale_enabled": false }), NotOfferedReason::ResaleBarred),
        (json!({ "resale_enabled": true, "status": "draft" }), NotOfferedReason::ResaleBarred),
    ] {
        assert!(seller.sandbox.change_bam_market_rules(held.tenant, &members).unwrap());
        let rules = wallet.resale_rules(held.id.clone()).await.unwrap();
        assert!(!rules.allowed && rules.reason.is_some());
        assert_eq!(why(&seller.sell(&held).await.unwrap_err()), barred);
    }
    let members = json!({ "status": "published", "transfer_enabled": false });
    assert!(seller.sandbox.change_bam_market_rules(held.tenant, &members).unwrap());
    let refused = wallet.transfer_on_ledger(held.id.clone(), "e-1".to_owned()).await.unwrap_err();
    assert_eq!((why(&refused), seller.requests("/blockchain/")), (NotOfferedReason::TransferBarred, 0));
}

#[tokio::test]
async fn without_a_certificate_nothing_is_signed() {
    let mut seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let other = crate::phone::Phone::new(&seller.clock);
    seller.account = other.sign_in(&seller.sandbox, 0).await.id;
    other.wallet.sync(None).await.unwrap();
    let refused = other.wallet.mark_for_sale(held.id.clone(), seller.sale(held.face_value())).await;
    let Err(WalletError::NotFound { reason }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("enrol"), "{reason}");
    assert_eq!(seller.requests("/blockchain/"), 0);
}
