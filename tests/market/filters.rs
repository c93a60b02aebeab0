//! What a person asks for of a market counts, whatever its server makes of it.

use serde_json::json;
use ticket_wallet::model::{MarketQuery, Money};

use crate::fair::{CLUB, EVENT, Fair};

async fn found(fair: &Fair, max_price: Money) -> usize {
    let query = MarketQuery {
        event_id: EVENT.to_string(),
        tenant: Some(CLUB.to_owned()),
        max_price: Some(max_price),
        ..MarketQuery::default()
    };
    fair.buyer.wallet.market(fair.buyers_account.clone(), query).await.unwrap().offers.len()
}

#[tokio::test]
async fn an_amount_in_another_currency_is_none_in_the_market_s() {
    let fair = Fair::listed().await;
    let at_most = |currency: &str| Money::new(fair.face, currency).unwrap();
    assert_eq!(found(&fair, at_most("EUR")).await, 1, "the control");
    assert_eq!(found(&fair, at_most("JPY")).await, 0, "so many yen are less than a hundredth of it");
}

#[tokio::test]
async fn what_is_dearer_than_was_asked_for_is_not_shown() {
    let fair = crate::forged::buyers(|request, body| {
        if request.url.contains("max_price=") {
            let dearer = Money::new(99_900, "EUR").unwrap();
            for item in body["items"].as_array_mut().into_iter().flatten() {
                item["price"] = json!(dearer);
                item["breakdown"] = json!(null);
            }
        }
    })
    .await;
    assert_eq!(found(&fair, Money::new(fair.face, "EUR").unwrap()).await, 0);
}
