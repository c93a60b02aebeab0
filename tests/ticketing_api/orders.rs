//! Orders, as they were before sections became tiers.

use ticket_wallet::model::SectionCount;
use ticket_wallet::remote::ticketing::{OrderQuery, PageQuery, UNKNOWN_RESOURCE};
use ticket_wallet_sandbox::Fault;

use crate::festival::{Festival, refusal};

#[tokio::test]
async fn orders_are_placed_listed_read_and_cancelled() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    let (api, session) = (&holder.ticketing, &holder.session);
    let own = festival.user(0).1;
    let items = [SectionCount { section: festival.sections(0)[0].clone(), quantity: 3 }];
    let made = api.place_order(session, None, &items).await.unwrap();
    assert!(made.number.len() == 12 && made.number.bytes().all(|byte| byte.is_ascii_hexdigit()));
    assert_eq!((made.status.as_deref(), made.customer.as_ref()), (Some("Placed"), Some(&own)));
    let amounts =
        [&made.subtotal, &made.fees, &made.total].map(|amount| amount.as_deref().unwrap().to_owned());
    assert_eq!(amounts, ["135.0", "2.97", "137.97"]);
    assert_eq!((made.items[0].quantity, made.items[0].price.as_deref()), (Some(3), Some("45.0")));
    assert_eq!(made.items[0].name.as_deref(), Some("Hafenfest Nordhafen: Pier"));
    assert!(api.order(session, &made.number).await.unwrap() == made);
    let named = api.place_order(session, Some(&own), &items).await.unwrap();
    let page = PageQuery { page: Some(1), records: Some(1) };
    let first = api.orders(session, &OrderQuery { page, ..OrderQuery::default() }).await.unwrap();
    assert!(first.entries == [made.clone()] && first.more() && first.total == Some(2));
    api.cancel_order(session, &named.number).await.unwrap();
    for (status, number) in [("Placed", &made.number), ("Cancelled", &named.number)] {
        let query = OrderQuery {
            status: Some(status.to_owned()),
            customer: Some(own.clone()),
            ..OrderQuery::default()
        };
        let found = api.orders(session, &query).await.unwrap().entries;
        assert_eq!(found.iter().map(|one| &one.number).collect::<Vec<_>>(), [number]);
    }
    assert_eq!(refusal(api.cancel_order(session, &named.number).await).0, 409);
    assert_eq!(refusal(api.order(session, "AB12345").await), (404, UNKNOWN_RESOURCE.to_owned()));
    let other = festival.user(1).1;
    assert_eq!(refusal(api.place_order(session, Some(&other), &items).await).0, 403);
    let many = [SectionCount { quantity: 501, ..items[0].clone() }];
    assert_eq!(refusal(api.place_order(session, None, &many).await).0, 400);
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_what_it_left_is_listed() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    let (api, session) = (&holder.ticketing, &holder.session);
    let items = [SectionCount { section: festival.sections(0)[0].clone(), quantity: 1 }];
    festival.fault("POST", "/orders", 1, Fault::LostReply);
    let lost = api.place_order(session, None, &items).await.err().unwrap();
    assert!(lost.is_uncertain());
    let left = api.orders(session, &OrderQuery::default()).await.unwrap().entries;
    assert_eq!((left.len(), festival.applied("ticketing.order.place")), (1, 1));
    festival.fault("DELETE", "/orders/", 1, Fault::LostReply);
    assert!(api.cancel_order(session, &left[0].number).await.err().unwrap().is_uncertain());
    let now = api.order(session, &left[0].number).await.unwrap();
    assert_eq!((now.status.as_deref(), festival.applied("ticketing.order.cancel")), (Some("Cancelled"), 1));
}
