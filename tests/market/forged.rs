//! A market that answers what it should not: nobody pays more than was agreed to, opens what is no web address, or takes
//! another ticket's listing for their own.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::host::HttpRequest;
use ticket_wallet::model::{Money, PurchaseState};
use ticket_wallet::resale::ListingState;

use crate::desk::Desk;
use crate::fair::{Fair, eur};
use crate::forged_transport::Forged;
use crate::phone::Phone;

/// What becomes of the JSON in the answer to a request.
type Forgery = fn(&HttpRequest, &mut Value);

/// A phone whose answers are forged.
fn forged(fair: &Fair, forgery: Forgery) -> Phone {
    let transport = Forged::by(move |request, body| {
        if let Ok(mut json) = serde_json::from_slice(body) {
            forgery(request, &mut json);
            *body = json.to_string().into_bytes();
        }
    });
    Phone::over(&fair.seller.phone.clock, transport)
}

fn is_purchase(request: &HttpRequest) -> bool {
    request.method == "POST" && request.url.ends_with("/purchase")
}

/// A fair whose buyer's answers are forged, with a ticket listed.
pub(crate) async fn buyers(forgery: Forgery) -> Fair {
    let mut fair = Fair::listed().await;
    fair.buyer = forged(&fair, forgery);
    fair.buyers_account = fair.buyer.sign_in(&fair.seller.sandbox, 1).await.id;
    fair
}

/// A fair whose seller's answers are forged.
async fn sellers(forgery: Forgery) -> Fair {
    let fair = Fair::new().await;
    let phone = forged(&fair, forgery);
    sold_from(fair, phone).await
}

/// The seller goes on with another phone, which gets the ticket's barcode.
pub(crate) async fn sold_from(fair: Fair, phone: Phone) -> Fair {
    let account = phone.sign_in(&fair.seller.sandbox, 0).await.id;
    phone.wallet.sync(None).await.unwrap();
    fair.seller.phone.wallet.surrender(fair.ticket.clone()).unwrap();
    fair.seller.settle().await;
    let seller = Desk { sandbox: fair.seller.sandbox, phone, account };
    seller.sync().await.unwrap();
    Fair { seller, ..fair }
}

fn is_reservation(request: &HttpRequest) -> bool {
    request.method == "GET" && request.url.contains("/resale/reservations/")
}

#[tokio::test]
async fn a_market_that_asks_for_more_than_was_agreed_to_is_not_paid() {
    let dearer: [Forgery; 2] = [
        |request, body| {
            if is_purchase(request) {
                body["total"] = json!(Money::new(100_001, "EUR").unwrap());
            }
        },
        |request, body| {
            if is_purchase(request) {
                body["total"] = json!(Money::new(1, "USD").unwrap());
            }
        },
    ];
    for forgery in dearer {
        let fair = buyers(forgery).await;
        let refused = fair.buy(fair.listing_id()).await;
        let Err(WalletError::Refused { server_code: Some(code), .. }) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(code, "total-over-max");
        let kept = fair.buyer.wallet.purchases(None).unwrap();
        assert!(kept.iter().all(|one| one.state == PurchaseState::Refused && one.payment_url.is_none()));
    }
}

#[tokio::test]
async fn what_is_no_web_address_is_not_opened_to_pay() {
    let fair = buyers(|request, body| {
        if is_purchase(request) {
            body["payment_url"] = json!("javascript:alert(1)");
        }
    })
    .await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    assert_eq!((purchase.state, purchase.payment_url), (PurchaseState::Reserved, None));
}

#[tokio::test]
async fn a_listing_of_another_ticket_is_not_taken_for_ones_own() {
    let fair = sellers(|request, body| {
        if request.method == "POST" && request.url.ends_with("/resale/listings") {
            body["ticket_id"] = json!("999999");
        }
    })
    .await;
    fair.seller.phone.wallet.list_for_sale(fair.ticket.clone(), eur(fair.face), None).unwrap();
    let told = fair.seller.sync().await.unwrap_err();
    assert!(told.to_string().contains("ticket_id"), "{told}");
    fair.seller.settle().await;
    assert_eq!((fair.state(), fair.seller.outbox_states()), (Some(ListingState::Active), Vec::new()));
}

#[tokio::test]
async fn a_transfer_of_another_ticket_is_not_taken_for_ones_own() {
    let fair = sellers(|request, body| {
        static MISTAKEN: AtomicBool = AtomicBool::new(false);
        let is_made = request.method == "POST" && request.url.ends_with("/wallet/v1/transfers");
        if is_made && !MISTAKEN.swap(true, Ordering::SeqCst) {
            (body["ticket_id"], body["id"]) = (json!("999999"), json!("999999"));
        }
    })
    .await;
    let wallet = &fair.seller.phone.wallet;
    wallet.transfer(fair.ticket.clone(), "jonas@example.org".to_owned()).unwrap();
    let told = fair.seller.sync().await.unwrap_err();
    assert!(told.to_string().contains("ticket_id"), "{told}");
    fair.seller.settle().await;
    wallet.cancel_transfer(fair.ticket.clone()).unwrap().unwrap();
    fair.seller.settle().await;
    assert_eq!((fair.seller.outbox_states(), fair.seller.hidden(&fair.ticket)), (Vec::new(), None));
    fair.holds().await;
}

#[tokio::test]
async fn ones_own_listings_are_read_to_the_last_page() {
    let fair = sellers(|request, body| {
        if request.url.contains("mine=true") && !request.url.contains("cursor=") {
            *body = json!({ "items": [], "more": true, "cursor": "second" });
        }
    })
    .await;
    fair.list().await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.seller.sync().await.unwrap();
    assert_eq!(fair.state(), Some(ListingState::Sold));
}

#[tokio::test]
async fn a_reservation_in_no_known_state_waits_until_it_is_paid() {
    let answers: [Forgery; 2] = [
        |request, body| {
            if is_purchase(request) {
                body.as_object_mut().unwrap().remove("state");
            }
        },
        |_, body| {
            if body["state"] == "pending" {
                body["state"] = json!("processing");
            }
        },
    ];
    for forgery in answers {
        let fair = buyers(forgery).await;
        let purchase = fair.buy(fair.listing_id()).await.unwrap();
        assert_eq!(purchase.state, PurchaseState::Reserved);
        fair.buyer.wallet.sync(None).await.unwrap();
        assert_eq!(fair.buyer.wallet.purchases(None).unwrap()[0].state, PurchaseState::Reserved);
        fair.pay(&purchase).await;
        fair.holds().await;
        assert_eq!(fair.buyer_hidden(), None);
    }
}

#[tokio::test]
async fn another_listing_than_the_one_asked_for_is_not_bought() {
    let fair = buyers(|request, body| {
        if request.method == "GET" && request.url.contains("/resale/listings/") {
            body["id"] = json!("999999");
        }
    })
    .await;
    let refused = fair.buy(fair.listing_id()).await.unwrap_err();
    assert!(
        matches!(refused, WalletError::Unreachable { ref reason, .. } if reason.ends_with("at id")),
        "{refused}"
    );
    assert!(fair.buyer.wallet.purchases(None).unwrap().is_empty());
}

#[tokio::test]
async fn rules_that_do_not_hold_together_are_none() {
    let rules: [(&str, Forgery); 2] = [
        ("fixed_fees", |request, body| {
            if request.url.contains("/resale/rules") {
                body["fixed_fees"] = json!({ "buyer": Money::new(50, "JPY").unwrap() });
            }
        }),
        ("closes_at", |request, body| {
            if request.url.contains("/resale/rules") {
                body["closes_at"] = json!("tomorrow");
            }
        }),
    ];
    for (field, forgery) in rules {
        let fair = sellers(forgery).await;
        let refused = fair.seller.phone.wallet.resale_rules(fair.ticket.clone()).await.unwrap_err();
        assert!(refused.to_string().contains(field), "{refused}");
    }
}

#[tokio::test]
async fn an_answer_that_was_overtaken_tells_nothing() {
    let fair = sellers(|request, body| {
        if request.url.contains("mine=true") {
            for listing in body["items"].as_array_mut().into_iter().flatten() {
                (listing["version"], listing["state"]) = (json!(0), json!("withdrawn"));
            }
        }
    })
    .await;
    fair.list().await;
    fair.seller.sync().await.unwrap();
    assert_eq!(fair.state(), Some(ListingState::Active));
    assert!(fair.seller.hidden(&fair.ticket).is_some());
}

#[tokio::test]
async fn another_ticket_than_was_bought_is_not_taken() {
    let fair = buyers(|_, body| {
        if body["ticket"].is_object() {
            body["ticket"]["id"] = json!(999_999);
        }
    })
    .await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    let told = fair.buyer.wallet.sync(None).await.unwrap_err();
    assert!(told.to_string().contains("another ticket"), "{told}");
    assert_eq!(fair.buyer.wallet.purchases(None).unwrap().len(), 1, "it is asked for again");
}

#[tokio::test]
async fn a_total_that_grows_later_is_not_offered_to_pay() {
    let fair = buyers(|request, body| {
        if is_reservation(request) {
            body["total"] = json!(Money::new(900_000, "EUR").unwrap());
            body["payment_url"] = json!("https://elsewhere.example.org/pay");
        }
    })
    .await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.buyer.wallet.sync(None).await.unwrap();
    let kept = fair.buyer.wallet.purchases(None).unwrap().swap_remove(0);
    assert_eq!((kept.state, kept.payment_url), (PurchaseState::Reserved, None));
    fair.pay(&purchase).await;
    fair.buyer.wallet.sync(None).await.unwrap();
    assert_eq!(fair.buyer_hidden(), None, "who had paid before has the ticket");
}

#[tokio::test]
async fn another_reservation_than_the_one_asked_for_tells_nothing() {
    let fair = buyers(|request, body| {
        if is_reservation(request) {
            body["reservation"] = json!("another");
        }
    })
    .await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    let told = fair.buyer.wallet.sync(None).await.unwrap_err();
    assert!(told.to_string().contains("reservation"), "{told}");
    let kept = fair.buyer.wallet.purchases(None).unwrap().swap_remove(0);
    assert_eq!((kept.state, kept.payment_url), (PurchaseState::Reserved, purchase.payment_url));
}

#[tokio::test]
async fn a_ticket_that_is_paid_for_comes_by_a_pull_where_its_reservation_does_not_bring_it() {
    let fair = buyers(|request, body| {
        if is_reservation(request) {
            let body = body.as_object_mut().unwrap();
            body.retain(|name, _| {
                !["ticket", "credential", "generation", "renew_after"].contains(&name.as_str())
            });
        }
    })
    .await;
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    fair.buyer.wallet.sync(None).await.unwrap();
    assert_eq!(fair.buyer_hidden(), None);
    assert!(fair.buyer.wallet.purchases(None).unwrap().is_empty());
    fair.holds().await;
}

#[tokio::test]
async fn of_a_ticket_that_was_paid_for_and_is_gone_no_key_is_left() {
    let fair = buyers(|request, body| {
        if is_reservation(request) {
            body.as_object_mut().unwrap().remove("ticket");
        } else if request.method == "GET" && request.url.contains("/v1/ticket") {
            body["data"] = json!([]);
        }
    })
    .await;
    let keys = || std::fs::read(fair.buyer.folder.path().join("vault.json")).unwrap().len();
    let before = keys();
    let purchase = fair.buy(fair.listing_id()).await.unwrap();
    fair.pay(&purchase).await;
    assert!(keys() > before);
    fair.buyer.wallet.sync(None).await.unwrap();
    assert!(fair.buyer.wallet.purchases(None).unwrap().is_empty());
    assert_eq!(keys(), before);
}
