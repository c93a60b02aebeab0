//! Orders: reading them, buying tickets, files of tickets, refunds; and offers.

use std::io::{Cursor, Read};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use ticket_wallet_sandbox::{BamChoices, IssueEnd};
use zip::ZipArchive;

use crate::support::{Answer, CLUB, START_S, World};

const ORDER: &str = "/t/nordhafen/event/v1/order";
const WITH: &str = "with=[order_item.ticket,order_contact]";

fn order(format: &str, quantity: u32) -> Value {
    json!({"order_item": [{"quantity": quantity, "ticket_config_id": 1, "sector_id": 1}], "format": format})
}

async fn created(world: &World, token: &str, format: &str, quantity: u32) -> Value {
    let answer = world.post(token, ORDER, order(format, quantity)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].clone()
}

/// Pays for an order as its buyer.
async fn pay(world: &World, token: &str, id: &Value) -> Value {
    let path = format!("/t/nordhafen/payment/v1/payment/stripe?order_id={id}");
    let begun = world.post(token, &path, json!({})).await;
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert!(world.sandbox.end_payment(CLUB, id.as_i64().unwrap(), true).unwrap());
    begun.json()["data"]["payment_intent"].clone()
}

async fn status(world: &World, token: &str, id: &Value) -> String {
    let order = world.get(token, &format!("{ORDER}/{id}")).await.json();
    order["data"]["status"].as_str().unwrap().to_owned()
}

async fn file(world: &World, token: &str, id: &Value) -> (StatusCode, String, Vec<u8>) {
    let url = format!("{}{ORDER}/{id}/download_tickets", world.sandbox.url());
    let reply = world.client.get(url).bearer_auth(token).send().await.unwrap();
    let kind = reply.headers()["content-type"].to_str().unwrap().to_owned();
    (reply.status(), kind, reply.bytes().await.unwrap().to_vec())
}

#[tokio::test]
async fn the_seasons_tickets_were_bought_with_orders() {
    let world = World::start().await;
    let token = world.token().await;
    let list = world.get(&token, &format!("{ORDER}?{WITH}")).await.json();
    let orders = list["data"].as_array().unwrap();
    assert_eq!(list["paging"], json!({"limit": 100, "offset": 0, "total": orders.len()}));
    let mut tickets = Vec::new();
    for order in orders {
        for member in [
            "id owner_id owner_type payment_id format status total refunded_amount payment_created_at",
            "created_at currency hold_token order_item order_contact",
        ]
        .iter()
        .flat_map(|names| names.split(' '))
        {
            assert!(order.get(member).is_some(), "{member} is missing in {order}");
        }
        assert_eq!((&order["status"], &order["currency"]), (&json!("paid"), &json!("EUR")));
        let items = order["order_item"].as_array().unwrap();
        let total: f64 = items.iter().map(|item| item["price"].as_f64().unwrap()).sum();
        assert!((order["total"].as_f64().unwrap() - total).abs() < 0.001);
        for item in items {
            for ticket in item["ticket"].as_array().unwrap() {
                assert_eq!(ticket["format"], order["format"]);
                assert!(ticket.get("ticket_config").is_none(), "not asked for");
                tickets.push(ticket["id"].to_string());
            }
        }
        let plain = world.get(&token, &format!("{ORDER}/{}", order["id"])).await.json()["data"].clone();
        assert_eq!((&plain["total"], plain.get("order_item")), (&order["total"], None));
    }
    let mut owned = world.ids(&token, CLUB, |_| true).await;
    tickets.sort();
    owned.sort();
    assert_eq!(tickets, owned);
    let ticket = world.get(&token, "/t/nordhafen/event/v1/ticket/1?with=order_item").await.json();
    assert!(ticket["data"]["order_item"]["order_id"].is_i64());
}

#[tokio::test]
async fn orders_are_filtered_paged_and_their_owners_alone() {
    let world = World::start().await;
    let (token, organizer) = (world.token().await, world.organizer(CLUB).await);
    let count = async |token: &str, query: &str| {
        world.get(token, &format!("{ORDER}?{query}")).await.json()["paging"]["total"].as_i64().unwrap()
    };
    let mine = count(&token, "").await;
    assert!(mine >= 2);
    assert_eq!(count(&token, "id=1").await, 1);
    assert_eq!(count(&token, "event_id=1").await, 1);
    assert_eq!(count(&token, "contact_email=nobody@example.org").await, 0);
    assert_eq!(count(&token, "contact_email=mira@example.org").await, mine);
    assert_eq!(count(&organizer, "").await, 0);
    assert!(count(&organizer, "include_not_owned=true").await > mine);
    let page = world.get(&token, &format!("{ORDER}?limit=1&offset=1")).await.json();
    assert_eq!((page["data"].as_array().unwrap().len(), &page["paging"]["total"]), (1, &json!(mine)));
    let others = world.sign_in(1).await.0;
    for (token, path, status) in [
        (&others, format!("{ORDER}/1"), 404),
        (&token, format!("{ORDER}/x"), 400),
        (&token, format!("{ORDER}?with=ticket"), 400),
        (&token, format!("{ORDER}?limit=0"), 400),
        (&token, format!("{ORDER}?include_not_owned=true"), 403),
        (&organizer, format!("{ORDER}/1"), 200),
        (&"x".to_owned(), ORDER.to_owned(), 401),
        (&token, "/t/nowhere/event/v1/order".to_owned(), 404),
    ] {
        assert_eq!(world.get(token, &path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn tickets_are_bought_step_by_step() {
    let choices = BamChoices { issue: IssueEnd::AfterPolls(1), ..BamChoices::default() };
    let world = World::start_with(|config| config.bam = choices).await;
    let token = world.token().await;
    let order = created(&world, &token, "SECURE", 2).await;
    assert_eq!((&order["status"], &order["total"]), (&json!("draft"), &json!(69.0)));
    let tickets = order["order_item"][0]["ticket"].as_array().unwrap().clone();
    assert!(tickets.len() == 2 && tickets.iter().all(|ticket| ticket["status"] == "reserved"));
    let contact = format!("{ORDER}/{}/order_contact", order["id"]);
    assert_eq!(world.post(&token, &contact, json!({"first_name": "Mira"})).await.status, 422);
    let person = json!({"first_name": "Mira", "last_name": "L", "email": "m@example.org", "billing_email": "m@example.org"});
    let kept = world.post(&token, &contact, person).await.json()["data"].clone();
    assert_eq!((&kept["email"], kept["id"].is_i64()), (&json!("m@example.org"), true));
    let intent = pay(&world, &token, &order["id"]).await;
    assert_eq!((&intent["amount"], &intent["currency"]), (&json!(6900.0), &json!("eur")));
    assert!(world.sandbox.secrets().iter().any(|secret| intent["client_secret"] == **secret));
    assert_eq!(status(&world, &token, &order["id"]).await, "paid");
    let path = format!("/t/nordhafen/event/v1/ticket/{}", tickets[0]["id"]);
    let seen = [world.get(&token, &path).await.json(), world.get(&token, &path).await.json()];
    assert_eq!(
        (&seen[0]["data"]["status"], &seen[1]["data"]["status"]),
        (&json!("confirmed"), &json!("issued"))
    );
    let kinds: Vec<_> = world.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["order.create", "order.contact", "order.pay"]);
    let subject = &world.sandbox.journal().unwrap()[0].subject;
    assert_eq!(*subject, format!("nordhafen/order/{}", order["id"]));
    let again = world
        .post(&token, &format!("/t/nordhafen/payment/v1/payment/stripe?order_id={}", order["id"]), json!({}))
        .await;
    assert_eq!((again.status.as_u16(), &again.json()["errorCode"]), (400, &json!("NOT_PAYABLE")));
}

#[tokio::test]
async fn what_cannot_be_ordered_is_refused() {
    let world = World::start().await;
    let token = world.token().await;
    let with = |member: &str, value: Value| {
        let mut body = order("PDF", 1);
        body["order_item"][0][member] = value;
        body
    };
    for (body, status) in [
        (order("NFC", 1), 422),
        (order("PDF", 0), 422),
        (json!({"format": "PDF", "order_item": []}), 422),
        (with("ticket_config_id", json!(999)), 404),
        (with("sector_id", Value::Null), 422),
        (with("timeslot_id", json!(1)), 422),
        (with("ticket_discount", json!([1])), 422),
        (with("selected_seats", json!(["1-1", "1-2"])), 422),
        (order("PDF", 9), 409),
    ] {
        let answer = world.post(&token, ORDER, body.clone()).await;
        assert_eq!(answer.status, status, "{body}");
    }
    assert_eq!(world.sandbox.journal().unwrap(), []);
    world.pass(86_400 * 2);
    let late = world.post(&world.token().await, ORDER, order("PDF", 1)).await;
    assert_eq!((late.status.as_u16(), &late.json()["errorCode"]), (409, &json!("NOT_ON_SALE")));
    let guest = World::start().await;
    let token = guest.open("/account/v1/guest/login", json!({})).await.json()["data"]["token"].clone();
    let bought = created(&guest, token.as_str().unwrap(), "PDF", 1).await;
    assert_eq!((&bought["owner_type"], &bought["owner_id"]), (&json!("guest"), &Value::Null));
}

#[tokio::test]
async fn a_failed_payment_and_a_refund_give_tickets_back() {
    let world = World::start().await;
    let token = world.token().await;
    let failed = created(&world, &token, "PDF", 1).await;
    world
        .post(&token, &format!("/t/nordhafen/payment/v1/payment/stripe?order_id={}", failed["id"]), json!({}))
        .await;
    let ask = |paid: bool| world.open("/sandbox/orders/nordhafen/9999", json!({"paid": paid}));
    assert_eq!(ask(false).await.status, 404);
    let path = format!("/sandbox/orders/nordhafen/{}", failed["id"]);
    assert_eq!(world.open(&path, json!({"paid": false})).await.status, 204);
    assert_eq!(world.open(&path, json!({"paid": true})).await.status, 404);
    assert_eq!(status(&world, &token, &failed["id"]).await, "payment_failed");
    let order = created(&world, &token, "PDF", 2).await;
    let refund = format!("{ORDER}/{}/refund", order["id"]);
    assert_eq!(world.post(&token, &refund, json!({})).await.status, 409);
    pay(&world, &token, &order["id"]).await;
    let ticket = &order["order_item"][0]["ticket"][0]["id"];
    assert_eq!(world.post(&token, &refund, json!({"ticket_ids": [1]})).await.status, 422);
    let part = world.post(&token, &refund, json!({"ticket_ids": [ticket]})).await;
    assert_eq!(part.json(), json!({"data": {"success": true}}));
    let left = world.get(&token, &format!("{ORDER}/{}?{WITH}", order["id"])).await.json()["data"].clone();
    assert_eq!((&left["status"], &left["refunded_amount"]), (&json!("partially_refunded"), &json!(34.5)));
    assert_eq!(left["order_item"][0]["ticket"].as_array().unwrap().len(), 1);
    assert_eq!(world.post(&token, &refund, json!({})).await.status, 200);
    assert_eq!(status(&world, &token, &order["id"]).await, "refunded");
    assert_eq!(world.post(&token, &refund, json!({})).await.status, 409);
}

#[tokio::test]
async fn pdf_tickets_are_a_document_with_a_page_each() {
    let world = World::start().await;
    let token = world.token().await;
    let order = created(&world, &token, "PDF", 2).await;
    assert_eq!(file(&world, &token, &order["id"]).await.0, 409);
    pay(&world, &token, &order["id"]).await;
    let (status, kind, bytes) = file(&world, &token, &order["id"]).await;
    assert_eq!((status.as_u16(), kind.as_str()), (200, "application/pdf"));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.starts_with("%PDF-1.4\n") && text.ends_with("%%EOF\n"));
    assert_eq!(text.matches("/Type /Page ").count(), 2);
    assert!(text.contains("FC Nordhafen 1909 \\226 SV Moorburger H\\366he"));
    let table: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
    let mut places = text[table..].lines().skip(3);
    for number in 1..=7 {
        let place: usize = places.next().unwrap()[..10].parse().unwrap();
        assert!(text[place..].starts_with(&format!("{number} 0 obj\n")));
    }
}

#[tokio::test]
async fn passes_are_zip_files_one_by_one_or_in_a_bundle() {
    let world = World::start().await;
    let token = world.token().await;
    for (quantity, media) in [(1, "application/vnd.apple.pkpass"), (2, "application/vnd.apple.pkpasses")] {
        let order = created(&world, &token, "PKPASS", quantity).await;
        pay(&world, &token, &order["id"]).await;
        let (_, kind, bytes) = file(&world, &token, &order["id"]).await;
        assert_eq!(kind, media);
        let mut outer = ZipArchive::new(Cursor::new(bytes.clone())).unwrap();
        let mut pass = bytes;
        if quantity == 2 {
            assert_eq!(outer.len(), 2);
            pass.clear();
            outer.by_index(0).unwrap().read_to_end(&mut pass).unwrap();
        }
        let mut inner = ZipArchive::new(Cursor::new(pass)).unwrap();
        let mut text = String::new();
        inner.by_name("pass.json").unwrap().read_to_string(&mut text).unwrap();
        let pass: Value = serde_json::from_str(&text).unwrap();
        assert!(pass["barcodes"][0]["message"].as_str().unwrap().contains(":::"));
        assert!(inner.by_name("manifest.json").is_ok() && inner.by_name("icon.png").is_ok());
    }
    let secure = created(&world, &token, "SECURE", 1).await;
    pay(&world, &token, &secure["id"]).await;
    assert_eq!(file(&world, &token, &secure["id"]).await.0, 409);
}

#[tokio::test]
async fn an_order_is_mailed_as_often_as_it_is_asked_for() {
    let world = World::start().await;
    let token = world.token().await;
    let path = format!("{ORDER}/1/email_tickets");
    for _ in 0..2 {
        assert_eq!(world.post(&token, &path, json!({})).await.status, 200);
    }
    let kinds: Vec<_> = world.sandbox.journal().unwrap().into_iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, ["order.email"; 2]);
    let draft = created(&world, &token, "PDF", 1).await;
    let early: Answer =
        world.post(&token, &format!("{ORDER}/{}/email_tickets", draft["id"]), json!({})).await;
    assert_eq!((early.status.as_u16(), &early.json()["errorCode"]), (409, &json!("NOT_PAID")));
}

#[tokio::test]
async fn own_offers_are_listed() {
    let world = World::start().await;
    let token = world.token().await;
    let path = "/t/nordhafen/orderbook/v1/offer/mine";
    let offers = world.get(&token, path).await.json()["data"].clone();
    assert_eq!(offers.as_array().unwrap().len(), 1);
    let offer = offers[0].clone();
    for member in
        "id type price currency organizer buyer_id valid_until seq_num event_id ticket_config_id".split(' ')
    {
        assert!(offer.get(member).is_some(), "{member}");
    }
    assert_eq!(offer["type"], "MARKET");
    assert!(offer["valid_until"].as_i64().unwrap() > START_S * 1000);
    let ledger_id = format!("E{}TC{}T{}", offer["event_id"], offer["ticket_config_id"], offer["seq_num"]);
    let ticket = world.get(&token, &format!("/t/nordhafen/event/v1/ticket/bc/{ledger_id}")).await;
    assert_eq!(ticket.status, 200);
    assert_ne!(world.get(&world.sign_in(1).await.0, path).await.json()["data"], json!([offer]));
    assert_eq!(world.get("x", path).await.status, 401);
    let delete = crate::support::Ask {
        method: Method::DELETE,
        path: path.to_owned(),
        token: Some(&token),
        key: None,
        body: None,
    };
    assert_eq!(world.try_ask(delete).await.unwrap().status, 405);
}
