//! A seller's listing through all its states, offline and online.

use ticket_wallet::WalletError;
use ticket_wallet::model::{Money, NoBarcodeReason, RejectionReason, WriteKind};
use ticket_wallet::resale::{CloseReason, ListingIntent, ListingState, PriceCap};
use ticket_wallet_sandbox::{ListingChange, MarketRules};

use crate::fair::{CLUB, EVENT, Fair, eur};

fn turned(fair: &Fair, state: &str) {
    let to = ListingChange::State(state.to_owned());
    fair.seller.sandbox.change_listing(CLUB, fair.listing_id(), &to).unwrap();
}

#[tokio::test]
async fn rules_and_previews_come_from_the_server() {
    let fair = Fair::new().await;
    let wallet = &fair.seller.phone.wallet;
    let rules = wallet.resale_rules(fair.ticket.clone()).await.unwrap();
    let cap = fair.face * 110 / 100;
    assert_eq!(rules.cap().unwrap(), PriceCap::At { amount: eur(cap) });
    let now = fair.seller.phone.clock.wall_ms() / 1000;
    let told = wallet.preview_price(fair.ticket.clone(), eur(cap)).await.unwrap();
    assert_eq!(told, rules.preview(&eur(cap), now).unwrap(), "the local courtesy is what the server says");
    let over = wallet.preview_price(fair.ticket.clone(), eur(cap + 1)).await;
    let Err(WalletError::Refused { server_code: Some(code), .. }) = over else { panic!("{over:?}") };
    assert!(code.ends_with("price-over-cap"), "{code}");
    assert!(rules.check(&eur(cap + 1), now).is_err());
    assert!(matches!(
        wallet.list_for_sale(fair.ticket.clone(), eur(0), None),
        Err(WalletError::InvalidInput { .. })
    ));
    let none = MarketRules { allowed: false, reason: Some("finals".to_owned()), ..MarketRules::default() };
    fair.seller.sandbox.set_market_rules(CLUB, EVENT, &none).unwrap();
    let rules = wallet.resale_rules(fair.ticket.clone()).await.unwrap();
    assert_eq!((rules.allowed, rules.reason.as_deref()), (false, Some("finals")));
    wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    fair.seller.settle().await;
    let refused = fair.seller.the_only_write();
    assert_eq!(refused.rejection, Some(RejectionReason::Refused));
    assert!(refused.server_code.unwrap().ends_with("resale-not-allowed"));
    assert_eq!(fair.seller.hidden(&fair.ticket), None, "refused whole: the barcode stays");
}

#[tokio::test]
async fn what_the_rules_do_not_allow_is_never_sent() {
    let fair = Fair::new().await;
    let wallet = &fair.seller.phone.wallet;
    let creations = || {
        let seen = fair.seller.sandbox.requests();
        seen.iter().filter(|it| it.starts_with("POST") && it.ends_with("/resale/listings")).count()
    };
    let dear = eur(fair.face * 110 / 100 + 1);
    let dollars = Money::new(fair.face, "USD").unwrap();
    for (price, code) in [(dear, "price-over-cap"), (dollars, "wrong-currency")] {
        wallet.list_for_sale(fair.ticket.clone(), price, None).unwrap();
        fair.seller.settle().await;
        let refused = fair.seller.the_only_write();
        assert_eq!((refused.rejection, refused.status), (Some(RejectionReason::Refused), None));
        assert_eq!(refused.server_code.as_deref(), Some(code));
        assert_eq!((creations(), fair.seller.hidden(&fair.ticket)), (0, None));
        wallet.discard_write(refused.id).unwrap();
    }
    fair.list().await;
    assert_eq!(creations(), 1);
}

#[tokio::test]
async fn a_withdrawn_listing_gives_the_barcode_back_at_no_move() {
    let fair = Fair::listed().await;
    let wallet = &fair.seller.phone.wallet;
    fair.lines[0].cut();
    wallet.withdraw_listing(fair.ticket.clone()).unwrap().unwrap();
    let intent = wallet.ticket(fair.ticket.clone()).unwrap().listing.unwrap().intent;
    assert_eq!(intent, Some(ListingIntent::WithdrawQueued));
    assert!(wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 1)).is_err(), "it is being taken back");
    fair.lines[0].mend();
    fair.seller.settle().await;
    assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Withdrawn), None));
    assert_eq!(fair.seller.generation(&fair.ticket), Some(2));
    assert_eq!(fair.seller.entries(&fair.ticket).pop().unwrap().detail["moves_left"], 3);
    fair.list().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Listed));
    fair.holds().await;
}

#[tokio::test]
async fn what_was_not_sent_is_changed_and_dropped_in_place() {
    let fair = Fair::new().await;
    let wallet = &fair.seller.phone.wallet;
    fair.lines[0].cut();
    let id = wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap().id;
    let edited = wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 100)).unwrap();
    assert_eq!((edited.id, edited.kind), (id, WriteKind::CreateListing));
    assert!(wallet.list_for_sale(fair.ticket.clone(), eur(1), None).is_err());
    assert!(wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).is_err());
    assert_eq!(wallet.withdraw_listing(fair.ticket.clone()).unwrap(), None);
    assert!(wallet.my_listings(None).unwrap().is_empty());
    fair.lines[0].mend();
    wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    fair.seller.settle().await;
    fair.lines[0].cut();
    let edit = wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 1)).unwrap();
    assert_eq!(wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 2)).unwrap().id, edit.id);
    let withdrawal = wallet.withdraw_listing(fair.ticket.clone()).unwrap().unwrap();
    assert_eq!(
        (withdrawal.id, withdrawal.kind),
        (edit.id, WriteKind::WithdrawListing),
        "the edit goes with it"
    );
    fair.lines[0].mend();
    fair.seller.settle().await;
    let applied: Vec<_> =
        fair.seller.applied(&fair.ticket).into_iter().filter(|kind| kind.starts_with("resale")).collect();
    assert_eq!(applied, ["resale.list", "resale.withdraw"]);
}

#[tokio::test]
async fn a_price_is_changed_in_the_version_that_was_seen() {
    let fair = Fair::listed().await;
    let wallet = &fair.seller.phone.wallet;
    wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 100)).unwrap();
    fair.seller.settle().await;
    let listing = wallet.my_listings(None).unwrap().swap_remove(0);
    assert_eq!((listing.price, listing.intent), (Some(eur(fair.face - 100)), None));
    assert_eq!(listing.breakdown.unwrap().seller_price, eur(fair.face - 100));
    turned(&fair, "paused");
    wallet.edit_listing(fair.ticket.clone(), eur(fair.face - 200)).unwrap();
    fair.seller.settle().await;
    let refused = fair.seller.the_only_write();
    assert_eq!((refused.rejection, refused.status), (Some(RejectionReason::ChangedElsewhere), Some(412)));
    assert_eq!(fair.state(), Some(ListingState::Paused), "and what is there now is told");
    wallet.retry_write(refused.id).unwrap();
    fair.seller.settle().await;
    assert_eq!(wallet.my_listings(None).unwrap()[0].price, Some(eur(fair.face - 200)));
}

#[tokio::test]
async fn a_withdrawal_takes_back_what_was_changed_elsewhere() {
    let fair = Fair::listed().await;
    turned(&fair, "paused");
    fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).unwrap();
    fair.settle().await;
    assert!(fair.seller.outbox().is_empty());
    assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Withdrawn), None));
}

#[tokio::test]
async fn a_paused_listing_may_be_bound_and_gives_the_barcode_up_again() {
    let fair = Fair::listed().await;
    turned(&fair, "paused");
    fair.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
    turned(&fair, "active");
    fair.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Listed));
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.settle().await;
    assert_eq!(fair.buyer.wallet.ticket(fair.ticket.clone()).unwrap().generation, Some(3));
    fair.holds().await;
}

#[tokio::test]
async fn listings_end_when_the_market_closes_and_are_reviewed_where_the_event_says_so() {
    let fair = Fair::with(&MarketRules { reviewed: true, ..MarketRules::default() }).await;
    fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    fair.seller.settle().await;
    assert_eq!(fair.state(), Some(ListingState::UnderReview));
    assert!(fair.offers().await.is_empty());
    turned(&fair, "active");
    fair.settle().await;
    assert_eq!((fair.state(), fair.offers().await.len()), (Some(ListingState::Active), 1));
    turned(&fair, "held_for_the_moon");
    fair.settle().await;
    assert_eq!(
        fair.state(),
        Some(ListingState::Unknown { raw: "held_for_the_moon".to_owned() }),
        "as it came"
    );
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Listed));
    turned(&fair, "active");
    let closes_at = fair.seller.phone.wallet.my_listings(None).unwrap()[0].expires_at.unwrap();
    fair.seller.phone.clock.pass_s(closes_at - fair.seller.phone.clock.wall_ms() / 1000);
    fair.settle().await;
    assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Expired), None));
}

#[tokio::test]
async fn a_revoked_ticket_closes_its_listing() {
    let fair = Fair::listed().await;
    let (tenant, id) = fair.seller.place(&fair.ticket);
    let edit = ticket_wallet_sandbox::TicketEdit { status: Some("unavailable".to_owned()), seat_id: None };
    assert!(fair.seller.sandbox.edit_ticket(tenant, id, &edit).unwrap());
    fair.settle().await;
    assert_eq!(fair.state(), Some(ListingState::Closed { reason: CloseReason::EventCancelled }));
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::NotUsable));
}

#[tokio::test]
async fn an_end_that_no_server_can_be_told_is_refused() {
    let fair = Fair::new().await;
    let list = |at| fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), Some(at));
    for at in [-1, i64::from(u32::MAX) + 1, i64::MAX, i64::MIN] {
        let refused = list(at);
        assert!(
            matches!(refused, Err(WalletError::InvalidInput { ref field, .. }) if field == "expires_at"),
            "{at}: {refused:?}"
        );
    }
    assert!(fair.seller.outbox().is_empty());
}
