//! Servers number what they hold as they like: tenants of one account give out the same ids.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use ticket_wallet::host::HttpRequest;
use ticket_wallet::model::TransferState;
use ticket_wallet::resale::ListingState;

use crate::desk::{Desk, small};
use crate::fair::eur;
use crate::forged_transport::Forged;
use crate::phone::{Phone, TestClock, sandbox};

/// Every listing and every transfer has this id, whichever tenant holds it.
const ID: &str = "../1?ü%2F";

/// A seller to whom all listings and transfers of a tenant have one id, with a ticket that shows a barcode at each of two tenants.
async fn numbered_alike() -> (Desk, [String; 2]) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, small()).await;
    let transport = Forged::by(|request: &HttpRequest, body: &mut Vec<u8>| {
        if !["/resale/listings", "/wallet/v1/transfers"].iter().any(|part| request.url.contains(part)) {
            return;
        }
        if let Ok(mut json) = serde_json::from_slice::<Value>(body) {
            let named = |one: &mut Value| one["id"] = json!(ID);
            if let Some(items) = json.get_mut("items").and_then(Value::as_array_mut) {
                items.iter_mut().for_each(named);
            } else if json.get("id").is_some() {
                named(&mut json);
            }
            *body = json.to_string().into_bytes();
        }
    });
    let phone = Phone::over(&clock, transport);
    let account = phone.sign_in(&sandbox, 0).await.id;
    let desk = Desk { sandbox, phone, account };
    desk.sync().await.unwrap();
    let shown = desk.shown();
    let first = shown[0].clone();
    let second = shown.iter().find(|one| desk.place(one).0 != desk.place(&first).0).unwrap().clone();
    (desk, [first, second])
}

#[tokio::test]
async fn listings_of_two_tenants_with_one_id_are_two() {
    let (desk, tickets) = numbered_alike().await;
    for ticket in &tickets {
        let rules = desk.phone.wallet.resale_rules(ticket.clone()).await.unwrap();
        let price = eur(rules.face_value.unwrap().minor);
        desk.phone.wallet.list_for_sale(ticket.clone(), price, None).unwrap();
        desk.settle().await;
    }
    desk.sync().await.unwrap();
    for ticket in &tickets {
        let listing = desk.phone.wallet.ticket(ticket.clone()).unwrap().listing.unwrap();
        assert_eq!((listing.remote_id.as_deref(), listing.state), (Some(ID), Some(ListingState::Active)));
        assert!(desk.hidden(ticket).is_some());
    }
    assert_eq!(desk.phone.wallet.my_listings(None).unwrap().len(), 2);
}

#[tokio::test]
async fn transfers_of_two_tenants_with_one_id_are_two() {
    let (desk, tickets) = numbered_alike().await;
    for ticket in &tickets {
        desk.phone.wallet.transfer(ticket.clone(), "jonas@example.org".to_owned()).unwrap();
        desk.settle().await;
    }
    desk.sync().await.unwrap();
    let kept = desk.phone.wallet.transfers(None).unwrap();
    assert!(kept.iter().all(|one| one.state == TransferState::Pending), "{kept:?}");
    let of: BTreeSet<_> = kept.into_iter().map(|one| one.ticket_id).collect();
    assert_eq!(of, BTreeSet::from(tickets));
}
