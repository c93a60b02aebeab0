//! A ticket goes up for sale, is bought, or comes back.

use serde_json::json;
use ticket_wallet::WalletError;
use ticket_wallet::model::{LedgerSale, OfficeWriteKind, OfficeWriteState, TicketFormat};

use crate::phone::Phone;
use crate::seller::{DAY_S, Seller, bound, generation, lists, offer_id};

const SOLD: &str = "ledger.mark_for_sale";

#[tokio::test]
async fn a_ticket_on_offer_is_bought_and_changes_hands() {
    let seller = Seller::new().await;
    let held = bound(&seller).await;
    let before = generation(&seller.phone, &held);
    let write = seller.sell(&held).await.unwrap();
    assert_eq!((write.kind, seller.done(SOLD, &held)), (OfficeWriteKind::MarkForSale, 1));
    let id = offer_id(&write);
    let offers = seller.offers(held.tenant).await;
    let offer = offers.iter().find(|offer| offer.remote_id == id).unwrap();
    assert!(held.is_of(offer) && offer.price == Some(held.face_value()));
    assert_eq!(offer.kind.as_deref(), Some("MARKET"));
    // It is shown until it is sold: B.A.M has no call that gives a code up.
    assert_eq!(generation(&seller.phone, &held), before);
    seller.phone.wallet.present(held.id.clone(), None).unwrap();

    let buyer = Phone::new(&seller.clock);
    buyer.sign_in(&seller.sandbox, 1).await;
    let name = seller.sandbox.users()[1].name.clone();
    assert!(seller.sandbox.buy_bam_offer(held.tenant, id.parse().unwrap(), &name).unwrap());
    assert!(!seller.sandbox.buy_bam_offer(held.tenant, id.parse().unwrap(), &name).unwrap(), "it is gone");
    for phone in [&seller.phone, &buyer] {
        phone.wallet.sync(None).await.unwrap();
    }
    assert!(!lists(&seller.phone, &held) && lists(&buyer, &held));
    assert_eq!(generation(&buyer, &held), before.map(|before| before + 1));
    assert_eq!(generation(&seller.phone, &held), None, "the credential is erased");
    assert!(seller.phone.wallet.present(held.id.clone(), None).is_err());
    buyer.wallet.present(held.id.clone(), None).unwrap();
    assert!(!seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer)));
    let entries = seller.sandbox.journal().unwrap();
    let bought = entries.iter().find(|entry| entry.kind == "offer.buy").unwrap();
    assert_eq!((bought.user.as_str(), &bought.detail["simulated"]), (name.as_str(), &json!(true)));
}

#[tokio::test]
async fn an_offer_to_somebody_is_for_nobody_else() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let (_, enrollment) = seller.other().await;
    let sale = LedgerSale { buyer: Some(enrollment), ..seller.sale(held.face_value()) };
    let write = seller.phone.wallet.mark_for_sale(held.id.clone(), sale).await.unwrap();
    let id: i64 = offer_id(&write).parse().unwrap();
    let offers = seller.offers(held.tenant).await;
    let kind = offers.iter().find(|offer| held.is_of(offer)).and_then(|offer| offer.kind.clone());
    assert_eq!(kind.as_deref(), Some("DIRECT"));
    let users = seller.sandbox.users();
    for other in ["somebody@example.org", &users[0].name] {
        assert!(!seller.sandbox.buy_bam_offer(held.tenant, id, other).unwrap(), "{other}");
    }
    assert!(seller.sandbox.buy_bam_offer(held.tenant, id, &users[1].name).unwrap());
}

#[tokio::test]
async fn an_offer_is_taken_back_and_can_be_made_again() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let first = offer_id(&seller.sell(&held).await.unwrap());
    let again = seller.sell(&held).await.unwrap_err();
    assert!(matches!(again, WalletError::InvalidInput { ref field, .. } if field == "ticket_id"), "{again}");
    let back = seller.phone.wallet.delete_offer(held.id.clone(), first.clone()).await.unwrap();
    assert_eq!((back.kind, back.state), (OfficeWriteKind::DeleteOffer, OfficeWriteState::Done));
    assert!(!seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer)));
    let gone = seller.phone.wallet.delete_offer(held.id.clone(), first.clone()).await.unwrap_err();
    assert!(matches!(gone, WalletError::Refused { status: 404, .. }), "{gone}");
    let second = offer_id(&seller.sell(&held).await.unwrap());
    assert_ne!(first, second);
    assert_eq!((seller.done(SOLD, &held), seller.done("offer.delete", &held)), (2, 1));
}

#[tokio::test]
async fn an_offer_ends_at_its_time() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let id: i64 = offer_id(&seller.sell(&held).await.unwrap()).parse().unwrap();
    seller.clock.pass_s(DAY_S);
    assert!(!seller.offers(held.tenant).await.iter().any(|offer| held.is_of(offer)));
    assert!(!seller.sandbox.buy_bam_offer(held.tenant, id, "somebody@example.org").unwrap());
    seller.sell(&held).await.unwrap();
}

#[tokio::test]
async fn writes_are_told_with_what_was_asked_for() {
    let seller = Seller::new().await;
    let held = seller.ticket(TicketFormat::Secure).await;
    let id = offer_id(&seller.sell(&held).await.unwrap());
    seller.phone.wallet.delete_offer(held.id.clone(), id).await.unwrap();
    let writes = seller.phone.wallet.writes(seller.account.clone(), 10).unwrap();
    let kinds: Vec<_> = writes.iter().map(|write| write.kind).collect();
    assert_eq!(kinds, [OfficeWriteKind::DeleteOffer, OfficeWriteKind::MarkForSale]);
    let asked: serde_json::Value = serde_json::from_str(&writes[1].request_json).unwrap();
    assert_eq!(asked["price"], json!(held.face_value()));
    assert_eq!(asked["seq_num"], held.record["seq_num"]);
}

#[tokio::test]
async fn what_is_on_offer_at_bam_is_neither_listed_nor_handed_over_by_the_extension() {
    let seller = Seller::new().await;
    let held = bound(&seller).await;
    let wallet = &seller.phone.wallet;
    let list = || wallet.list_for_sale(held.id.clone(), held.face_value(), None);
    let hand_over = || wallet.transfer(held.id.clone(), seller.sandbox.users()[1].name.clone());
    let refused = |result: Result<_, WalletError>| match result {
        Err(WalletError::InvalidInput { field, reason }) => {
            field == "ticket_id" && reason.contains("delete that offer")
        }
        other => panic!("{}", other.is_ok()),
    };
    let offer = offer_id(&seller.sell(&held).await.unwrap());
    assert!(refused(list()) && refused(hand_over()));

    // An offer that was taken back, or ran out, is in nobody's way.
    wallet.delete_offer(held.id.clone(), offer).await.unwrap();
    list().unwrap();
    assert!(wallet.withdraw_listing(held.id.clone()).unwrap().is_none(), "it was not sent");
    seller.sell(&held).await.unwrap();
    assert!(refused(list()));
    seller.clock.pass_s(DAY_S);
    list().unwrap();
}
