//! The whole way of a sale: listed, hidden, sold, bound to the buyer one generation on, refused to the seller.

use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{MarketQuery, NoBarcodeReason, PurchaseState};
use ticket_wallet::resale::{HiddenReason, ListedBarcode, ListingIntent, ListingState};
use ticket_wallet::{WalletError, WalletListener, WalletState};
use ticket_wallet_sandbox::{ListingChange, MarketRules, NewListing};

use crate::fair::{CLUB, Door, EVENT, Fair, eur};

#[tokio::test]
async fn a_sold_ticket_lets_its_buyer_in_and_its_seller_no_more() {
    let fair = Fair::new().await;
    let old = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    let before = Door::open(&fair).await;
    fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    assert!(Fair::frame(&fair.seller.phone, &fair.ticket).is_some(), "nothing was sent yet");
    let draft = fair.seller.phone.wallet.ticket(fair.ticket.clone()).unwrap().listing.unwrap();
    assert_eq!((draft.state, draft.intent), (None, Some(ListingIntent::Draft)));
    assert_eq!((draft.asked_price, draft.barcode), (Some(eur(fair.face)), ListedBarcode::Shown));
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Listed));
    let detail = fair.seller.phone.wallet.ticket(fair.ticket.clone()).unwrap();
    let listing = detail.listing.unwrap();
    assert_eq!((listing.state, listing.intent), (Some(ListingState::Active), None));
    assert_eq!(listing.barcode, ListedBarcode::Hidden { why: HiddenReason::Listed });
    assert_eq!((detail.no_barcode, detail.generation), (Some(NoBarcodeReason::Listed), None));
    let listed = Door::open(&fair).await;
    assert_ne!(listed.scan(&old), Verdict::Admit, "a gate that knows of it");
    let offers = fair.offers().await;
    let offer = offers.iter().find(|offer| offer.listing_id == listing.remote_id.clone().unwrap()).unwrap();
    let breakdown = offer.breakdown.clone().unwrap();
    assert_eq!((&offer.price, &breakdown.seller_price), (&eur(fair.face), &eur(fair.face)));
    assert_eq!(breakdown.buyer_total.minor, fair.face + fair.face * 35 / 1000 + 50);
    let purchase = fair.buy(offer.listing_id.parse().unwrap()).await.unwrap();
    assert_eq!(
        (purchase.state, purchase.total.clone()),
        (PurchaseState::Reserved, Some(breakdown.buyer_total))
    );
    assert_eq!(fair.buyer.wallet.purchases(None).unwrap(), std::slice::from_ref(&purchase));
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Reserved));
    assert!(fair.seller.phone.wallet.withdraw_listing(fair.ticket.clone()).is_err(), "a buyer is paying");
    fair.pay(&purchase).await;
    fair.buyer.wallet.sync(None).await.unwrap();
    assert!(fair.buyer.wallet.purchases(None).unwrap().is_empty());
    let bought = fair.buyer.wallet.ticket(fair.ticket.clone()).unwrap();
    assert_eq!((bought.generation, bought.no_barcode), (Some(2), None));
    let new = Fair::frame(&fair.buyer, &fair.ticket).unwrap();
    // The gate was prepared before all this, and has no network: it learns the generation from the code itself.
    assert_eq!((before.scan(&new), before.scan(&old)), (Verdict::Admit, Verdict::Superseded));
    fair.seller.settle().await;
    assert_eq!(fair.state(), Some(ListingState::Sold));
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Sold));
    fair.holds().await;
}

#[tokio::test]
async fn a_purchase_that_is_paid_at_once_needs_no_page() {
    let fair = Fair::with(&MarketRules { payment_page: false, ..MarketRules::default() }).await;
    fair.list().await;
    let bought = fair.buy(fair.listing_id()).await.unwrap();
    assert_eq!((bought.state, bought.ticket_id), (PurchaseState::Bought, fair.ticket.clone()));
    assert_eq!(fair.buyer_hidden(), None, "bound without a sync");
    fair.holds().await;
}

#[tokio::test]
async fn where_barcodes_are_shown_while_listed_they_end_with_the_reservation() {
    let rules = MarketRules { barcode_shown: true, reservation_s: 600, ..MarketRules::default() };
    let fair = Fair::with(&rules).await;
    fair.list().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), None);
    let old = Fair::frame(&fair.seller.phone, &fair.ticket).unwrap();
    let door = Door::open(&fair).await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.seller.settle().await;
    assert_eq!(fair.seller.hidden(&fair.ticket), Some(NoBarcodeReason::Reserved));
    door.prepare().await;
    assert_eq!(door.scan(&old), Verdict::Superseded, "the server ended it");
    // The buyer does not pay in time: the ticket is the seller's again, one generation on, at no move.
    fair.seller.phone.clock.pass_s(601);
    fair.settle().await;
    assert_eq!((fair.state(), fair.seller.hidden(&fair.ticket)), (Some(ListingState::Active), None));
    assert_eq!(fair.seller.generation(&fair.ticket), Some(2));
    assert_eq!(fair.seller.entries(&fair.ticket).pop().unwrap().detail["moves_left"], 3);
    let refused = fair.buyer.wallet.purchases(None).unwrap();
    assert_eq!(refused[0].state, PurchaseState::Refused);
    assert_eq!(refused[0].listing_id, purchase.listing_id);
    let id = fair.buyer.wallet.outbox(None).unwrap()[0].id;
    fair.buyer.wallet.discard_write(id).unwrap();
    fair.holds().await;
}

#[tokio::test]
async fn what_others_offer_comes_in_pages_and_by_filters() {
    let fair = Fair::new().await;
    let seller = fair.seller.sandbox.users()[0].name.clone();
    for price in [900, 700, 800] {
        let ticket_id = fair.seller.sandbox.add_ticket(&seller, CLUB, EVENT).unwrap().unwrap();
        fair.seller
            .sandbox
            .list_for_sale(CLUB, &NewListing { user: seller.clone(), ticket_id, price })
            .unwrap();
    }
    let query = |cursor, max_price| MarketQuery {
        event_id: EVENT.to_string(),
        tenant: Some(CLUB.to_owned()),
        limit: Some(2),
        cursor,
        max_price,
        section: None,
    };
    let wallet = &fair.buyer.wallet;
    let page =
        async |cursor, most| wallet.market(fair.buyers_account.clone(), query(cursor, most)).await.unwrap();
    let first = page(None, None).await;
    let prices: Vec<_> = first.offers.iter().map(|offer| offer.price.minor).collect();
    assert_eq!(prices, [700, 800]);
    let second = page(first.cursor.clone(), None).await;
    assert_eq!((second.offers.len(), second.offers[0].price.minor, second.cursor), (1, 900, None));
    assert_eq!(page(None, Some(eur(750))).await.offers.len(), 1);
    let nowhere = MarketQuery { section: Some("Nowhere".to_owned()), ..query(None, None) };
    assert!(wallet.market(fair.buyers_account.clone(), nowhere).await.unwrap().offers.is_empty());
    let own = fair.seller.phone.wallet.market(fair.seller.account.clone(), query(None, None)).await.unwrap();
    assert!(own.offers.is_empty(), "nobody buys what is their own");
    let listing: i64 = first.offers[0].listing_id.parse().unwrap();
    let too_dear =
        wallet.buy(fair.buyers_account.clone(), Some(CLUB.to_owned()), listing.to_string(), eur(700)).await;
    let Err(WalletError::Refused { status: 412, server_code: Some(code), .. }) = too_dear else {
        panic!("dear")
    };
    assert!(code.ends_with("price-changed"), "{code}");
    assert!(wallet.outbox(None).unwrap().is_empty(), "what was surely not bought leaves nothing");
    fair.seller
        .sandbox
        .change_listing(CLUB, listing, &ListingChange::SoldTo("zoe@example.org".to_owned()))
        .unwrap();
    let gone = fair.buy(listing).await;
    let Err(WalletError::Refused { status: 409, server_code: Some(code), .. }) = gone else { panic!("sold") };
    assert!(code.ends_with("sold"), "{code}");
}

#[tokio::test]
async fn listeners_hear_of_every_change() {
    struct Heard(std::sync::Mutex<u64>);
    impl WalletListener for Heard {
        fn on_state(&self, state: WalletState) {
            *self.0.lock().unwrap() = state.tickets_revision;
        }
    }
    let fair = Fair::new().await;
    let heard = std::sync::Arc::new(Heard(std::sync::Mutex::new(0)));
    let _listening = fair.seller.phone.wallet.subscribe(std::sync::Arc::clone(&heard) as _).unwrap();
    let now = || *heard.0.lock().unwrap();
    let waits_for_more_than = |before: u64| {
        while now() <= before {
            std::thread::yield_now()
        }
    };
    let before = now();
    fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    waits_for_more_than(before);
    let before = now();
    fair.seller.settle().await;
    waits_for_more_than(before);
    let before = now();
    fair.seller
        .sandbox
        .change_listing(CLUB, fair.listing_id(), &ListingChange::State("paused".to_owned()))
        .unwrap();
    fair.seller.settle().await;
    waits_for_more_than(before);
    assert_eq!(fair.state(), Some(ListingState::Paused));
}
