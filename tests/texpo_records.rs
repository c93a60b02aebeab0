//! Promise: an entry of TEXPO's catalogue is read whatever its members hold, nothing of it is lost, and no price passes
//! through a float.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/notation.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod notation;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use expo::{Client, Expo, all_fields, client, usd};
use notation::{Shape, shapes};
use phone::{Phone, TestClock};
use proptest::prelude::*;
use script::answer;
use serde_json::{Value, json};
use ticket_wallet::model::{
    BarcodeProfile, GrantKind, ProductFields, ProductGrant, ProductType, TexpoConfig, TicketFormat,
    TicketStatus,
};
use ticket_wallet::remote::texpo::{PurchasedTicket, Texpo, agrees, read_product};

const SEED: &str = include_str!("fixtures/seeds/texpo.txt");

fn texpo() -> Texpo {
    let config = TexpoConfig { network_id: Some("net-1".to_owned()), ..TexpoConfig::default() };
    client(&TestClock::new(), None, "https://expo.example", config)
}

fn requests() -> Vec<Shape> {
    shapes(SEED).into_iter().filter(|shape| !shape.is_reply()).collect()
}

/// An entry as the document writes it, to the letter.
fn documents_entry() -> String {
    let example = &requests()[0].example;
    example.strip_prefix("{\"ticket\":").and_then(|entry| entry.strip_suffix('}')).unwrap().to_owned()
}

#[test]
fn the_document_has_a_request_and_a_reply_of_each_method() {
    let shapes = shapes(SEED);
    let found: Vec<_> = shapes
        .iter()
        .map(|shape| {
            let method = shape.endpoint.strip_prefix("POST /jsonRpc/ticket.").unwrap();
            (method, shape.is_reply(), shape.fields.len())
        })
        .collect();
    assert_eq!(
        found,
        [
            ("createPurchasableTicket", false, 12),
            ("createPurchasableTicket", true, 15),
            ("deletePurchasableTicket", false, 1),
            ("deletePurchasableTicket", true, 0),
            ("updatePurchasableTicket", false, 12),
            ("updatePurchasableTicket", true, 15),
            ("getPurchasableTickets", false, 0),
            ("getPurchasableTickets", true, 15),
        ]
    );
    for shape in shapes {
        let value: Value = serde_json::from_str(&shape.example).unwrap();
        assert!(value.is_object(), "{}", shape.example);
    }
}

#[test]
fn every_member_of_the_documents_entry_is_typed() {
    let entry = documents_entry();
    let product = read_product(&entry).unwrap();
    assert_eq!(product.body_json, entry, "byte for byte");
    assert_eq!(product.product_id, "unique product identifier");
    assert_eq!(product.event_name.as_deref(), Some("name of related event"));
    assert_eq!((product.starts_at, product.ends_at), (Some(1_795_824_000), Some(1_795_852_800)));
    assert_eq!(product.ticket_type, Some(ProductType::Days { day: 2, of: 3 }));
    assert_eq!(product.ticket_name.as_deref(), Some("name of ticket that is shown to client"));
    assert_eq!(product.ticket_description.as_deref(), Some("description of ticket that is shown to client"));
    assert_eq!(product.price, Some(usd(6410)));
    assert_eq!(product.thumbnail_id.as_deref(), Some("resource id of thumbnail"));
    assert_eq!(product.discount.as_deref(), Some("marketing discount, no actual effects on price"));
    let grant = ProductGrant {
        kind: GrantKind::UserRole,
        role_id: "roleId".to_owned(),
        role_target: Some("roleTarget".to_owned()),
    };
    assert_eq!(product.grants, [grant]);
}

#[tokio::test]
async fn the_documents_replies_are_read_and_its_requests_are_sent() {
    for shape in shapes(SEED).into_iter().filter(|shape| shape.is_reply()) {
        let example = shape.example.clone();
        let (client, script) = Client::answered(TexpoConfig::default(), move || answer(200, example.clone()));
        let entry = read_product(&documents_entry()).unwrap();
        let (texpo, session) = (&client.texpo, &client.session);
        let method = shape.endpoint.rsplit('.').next().unwrap();
        match method {
            "createPurchasableTicket" => {
                assert!(texpo.create_product(session, &entry).await.unwrap() == entry);
            }
            "updatePurchasableTicket" => {
                assert!(texpo.update_product(session, &entry).await.unwrap() == entry);
            }
            "deletePurchasableTicket" => texpo.delete_product(session, "string").await.unwrap(),
            _ => assert!(texpo.products(session).await.unwrap() == [entry]),
        }
        let request = requests().into_iter().find(|request| request.endpoint == shape.endpoint).unwrap();
        let sent = String::from_utf8(script.seen()[0].body.clone().unwrap()).unwrap();
        let asked = request.example.replace("\"productId\":\"productId\"", "\"productId\":\"string\"");
        assert_eq!(sent, asked, "{method}, to the letter");
        assert_eq!(script.seen()[0].url, format!("https://expo.example/jsonRpc/ticket.{method}"));
    }
}

#[tokio::test]
async fn the_documents_entry_survives_the_store_as_it_is() {
    let expo = Expo::new().await;
    expo.choose(|it| it.adds_members = false);
    let odd = documents_entry().replacen(
        "{\"productId\":\"unique product identifier\"",
        "{\"productId\":\"doc-1\",\"n\":[1.10,12345678901234567890123,1e-7]",
        1,
    );
    assert!(expo.sandbox.put_texpo_entry(&odd));
    let id = expo.sandbox.buy_texpo_ticket(&expo.sandbox.users()[0].name, "doc-1").unwrap();
    let phone = Phone::new(&expo.clock);
    phone.wallet.sign_in(expo.holder_sign_in(0)).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    let phone = phone.restart();
    let details = phone.tickets().into_iter().map(|ticket| phone.wallet.ticket(ticket.id).unwrap());
    let kept = details.into_iter().find(|ticket| ticket.remote_id == id).unwrap();
    assert!(kept.body_json.ends_with(odd.strip_prefix('{').unwrap()), "{}", kept.body_json);
}

#[test]
fn a_purchased_ticket_is_its_owners_and_a_pdf() {
    let record = json!({
        "ticketId": "pt-1", "userId": 7, "purchaseDate": "2026-11-21T00:00:00Z", "eventName": "Expo",
        "eventStartDate": 1_795_824_000_000_i64, "eventEndDate": "1795852800", "ticketName": "Day", "status": "used",
    });
    let ticket = PurchasedTicket::read(&record.to_string()).unwrap();
    assert_eq!((ticket.user_id.as_deref(), ticket.purchased_at), (Some("7"), Some(1_795_219_200)));
    let pulled = texpo().normalise(&ticket).unwrap();
    assert_eq!((&pulled.format, &pulled.status), (&TicketFormat::Pdf, &TicketStatus::Issued));
    assert_eq!((pulled.profile, pulled.category.as_deref()), (BarcodeProfile::None, Some("Day")));
    assert_eq!(pulled.body, record.to_string());
    let event = pulled.event.unwrap();
    assert_eq!((event.name.as_str(), event.remote_id.as_str()), ("Expo", "Expo@2026-11-28T00:00:00Z"));
    assert_eq!((event.starts_at, event.ends_at), (Some(1_795_824_000), Some(1_795_852_800)));
    assert_eq!(texpo().provider().unwrap().to_string(), "texpo:expo.example/net-1");
    for bare in
        [json!({"ticketId": 7}), json!({"ticketId": "7", "eventName": "a\u{1f}", "eventStartDate": 1})]
    {
        let pulled = texpo().read_ticket(&bare.to_string()).unwrap();
        assert!(pulled.event.is_none() && pulled.remote_id == "7");
    }
    for none in ["", "null", "[]", "{}", r#"{"ticketId":""}"#, r#"{"ticketId":[]}"#] {
        assert!(PurchasedTicket::read(none).is_none() && read_product(none).is_none(), "{none}");
    }
    let nested = |depth: usize| {
        format!(r#"{{"productId":"1","ticketId":"1","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    assert!(read_product(&nested(90)).is_some() && PurchasedTicket::read(&nested(90)).is_some());
    assert!(read_product(&nested(10_000)).is_none() && PurchasedTicket::read(&nested(10_000)).is_none());
}

#[test]
fn a_price_is_its_decimal_text() {
    let price = |json: &str| read_product(&format!(r#"{{"productId":"1","price":{json}}}"#)).unwrap().price;
    for (json, cents) in [
        ("64", 6400),
        ("64.1", 6410),
        ("64.10", 6410),
        ("\"64.10\"", 6410),
        ("6.41e1", 6410),
        ("64.099999999999994", 6410),
        ("0", 0),
        ("0.01", 1),
        ("-5", -500),
        ("92233720368547758.07", i64::MAX),
    ] {
        assert_eq!(price(json), Some(usd(cents)), "{json}");
    }
    for none in ["64.101", "null", "\"free\"", "true", "[]", "{}", "1e300", "92233720368547758.08"] {
        assert_eq!(price(none), None, "{none}");
    }
}

/// JSON of any kind, as text: with numbers that no float holds and escapes of every sort.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?",
    ];
    let text = any::<String>().prop_map(|text| json!(text).to_string());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("false".to_owned()),
        Just("\"\\ud83c\\udf9f \\u0000\"".to_owned()),
        number,
        text.clone(),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec((text.clone(), inner), 0..5).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

const MEMBERS: [&str; 11] = [
    "eventName",
    "eventStartDate",
    "eventEndDate",
    "ticketType",
    "ticketName",
    "ticketDescription",
    "price",
    "thumbnailId",
    "discount",
    "grants",
    "somethingNew",
];

proptest! {
    #[test]
    fn any_member_may_hold_anything_and_be_missing(
        members in prop::collection::vec((prop::sample::select(MEMBERS.as_slice()), any_json()), 0..8),
        name in any_json(),
    ) {
        let mut record = r#"{"productId":"p-1","ticketId":"t-1""#.to_owned();
        for (name, json) in &members {
            record.push_str(&format!(",\"{name}\" : {json}"));
        }
        record.push('}');
        let product = read_product(&record).unwrap();
        prop_assert_eq!(&product.body_json, &record);
        let pulled = texpo().read_ticket(&record).unwrap();
        prop_assert_eq!(pulled.body, record.clone());
        // A change of another member leaves the text of every one as it was.
        let more_json = Some(format!(r#"{{"added":{name}}}"#));
        let fields = ProductFields { more_json, ..ProductFields::default() };
        match texpo().changed_product(&product, &fields) {
            Ok(changed) => {
                for (name, _) in &members {
                    let last = members.iter().rev().find(|(other, _)| other == name).unwrap();
                    let kept = format!("\"{name}\":{}", last.1);
                    prop_assert!(changed.body_json.contains(&kept));
                }
                let added = format!(",\"added\":{name}}}");
                prop_assert!(changed.body_json.ends_with(&added));
                prop_assert!(agrees(&changed.body_json, &changed.body_json));
            }
            Err(error) => prop_assert!(error.to_string().starts_with("ends_at"), "{}", error),
        }
    }

    #[test]
    fn any_ticket_type_and_grant_comes_back(kind in any::<String>(), grant in any::<String>(), target in any::<String>()) {
        let record = json!({
            "productId": "1", "ticketType": kind, "grants": [{"grantType": grant, "grantTarget": target}],
        });
        let product = read_product(&record.to_string()).unwrap();
        prop_assert_eq!(product.ticket_type.unwrap().to_text(), kind);
        prop_assert_eq!((product.grants[0].kind.as_text(), product.grants[0].target()), (grant.as_str(), target));
    }

    #[test]
    fn every_price_is_sent_with_its_digits_and_read_back(cents in 0_i64..) {
        let fields = ProductFields { price: Some(usd(cents)), ..all_fields() };
        let product = texpo().new_product("1", &fields).unwrap();
        prop_assert_eq!(product.price, Some(usd(cents)));
        let digits = format!("\"price\":{}.{:02},", cents / 100, cents % 100);
        prop_assert!(product.body_json.contains(&digits));
    }

    #[test]
    fn no_record_is_too_much(record in any::<String>(), json in any_json()) {
        let _ = (read_product(&record), PurchasedTicket::read(&record), agrees(&record, &json));
        let _ = (read_product(&json), PurchasedTicket::read(&json), agrees(&json, &json));
    }
}
