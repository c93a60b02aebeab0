//! Promise: a network's manager lists, makes, changes and deletes entries of TEXPO's catalogue, however the server does what
//! the documents leave open.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use expo::{Client, Expo, all_fields, usd};
use script::answer;
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{Product, ProductFields, ProductGrant, ProductType, TexpoConfig, TexpoTimestamps};
use ticket_wallet_sandbox::{
    DuplicateForm, EmptyForm, ErrorStatus, Fault, PriceText, SuccessError, Timestamps, UpdateForm,
};

/// Makes, changes and deletes an entry, and looks at each step in the list.
async fn works(expo: &Expo, config: TexpoConfig) {
    let manager = expo.manager_with(config).await;
    let before = manager.list().await;
    let made = manager.create("new-1", &all_fields()).await.unwrap();
    let listed = manager.texpo.product(&manager.session, "new-1").await.unwrap().unwrap();
    for product in [&made, &listed] {
        assert!(is_as_asked(product, 6410), "{}", product.body_json);
    }
    let change = ProductFields { price: Some(usd(7)), ..ProductFields::default() };
    manager.update("new-1", &change).await.unwrap();
    let listed = manager.texpo.product(&manager.session, "new-1").await.unwrap().unwrap();
    assert!(is_as_asked(&listed, 7), "nothing else has changed: {}", listed.body_json);
    manager.texpo.delete_product(&manager.session, "new-1").await.unwrap();
    let after = manager.list().await;
    assert!(ids(&after) == ids(&before), "the others stay");
}

fn is_as_asked(product: &Product, cents: i64) -> bool {
    let asked = all_fields();
    product.product_id == "new-1"
        && product.event_name == asked.event_name
        && (product.starts_at, product.ends_at) == (asked.starts_at, asked.ends_at)
        && product.ticket_type == asked.ticket_type
        && product.ticket_name == asked.ticket_name
        && product.ticket_description == asked.ticket_description
        && product.price == Some(usd(cents))
        && product.thumbnail_id == asked.thumbnail_id
        && product.discount == asked.discount
        && product.grants == asked.grants.unwrap()
}

fn ids(products: &[Product]) -> Vec<&str> {
    products.iter().map(|product| product.product_id.as_str()).collect()
}

#[tokio::test]
async fn the_catalogue_is_listed_with_every_field() {
    let expo = Expo::new().await;
    let manager = expo.manager().await;
    let all = manager.list().await;
    assert_eq!(all.len(), 12);
    let first = &all[0];
    assert_eq!((first.product_id.as_str(), first.event_name.as_deref()), ("expo-00001", Some("Hafenmesse")));
    assert_eq!((first.starts_at, first.ends_at), (Some(1_795_424_400), Some(1_795_453_200)));
    assert_eq!(first.ticket_type, Some(ProductType::Single));
    assert_eq!(all[1].ticket_type, Some(ProductType::Days { day: 1, of: 3 }));
    assert_eq!((first.price.clone(), first.discount.as_deref()), (Some(usd(990)), Some("")));
    assert_eq!(first.grants, [ProductGrant::from_texts("userRole", "visitor:hall-1")]);
    assert!(
        first.body_json.contains(r#""price":9.90,"#) && first.body_json.contains("12345678901234567890123")
    );
    assert_eq!(format!("{first:?}"), "Product(..)");
}

#[tokio::test]
async fn every_success_is_read_in_every_envelope() {
    for empty in [EmptyForm::Nothing, EmptyForm::Object, EmptyForm::Data] {
        for success_error in [
            SuccessError::Missing,
            SuccessError::Null,
            SuccessError::False,
            SuccessError::Empty,
            SuccessError::Zero,
        ] {
            for shows_written in [true, false] {
                let expo = Expo::new().await;
                expo.choose(|it| {
                    it.empty = empty;
                    it.success_error = success_error;
                    it.shows_written = shows_written;
                });
                works(&expo, expo.config()).await;
            }
        }
    }
}

#[tokio::test]
async fn an_errors_status_means_what_the_configuration_says() {
    for (error_status, means_success) in
        [(ErrorStatus::TrueIsFailure, false), (ErrorStatus::TrueIsSuccess, true)]
    {
        let expo = Expo::new().await;
        expo.choose(|it| {
            it.error_status = error_status;
            it.success_error = SuccessError::Zero;
        });
        let config = TexpoConfig { status_true_is_success: means_success, ..expo.config() };
        works(&expo, config.clone()).await;
        // A code counts in both readings.
        let manager = expo.manager_with(config).await;
        let refused = manager.texpo.delete_product(&manager.session, "nowhere").await.unwrap_err();
        assert!(matches!(refused, Error::Answer { code: 404, .. }), "{refused}");
    }
}

#[tokio::test]
async fn times_prices_and_updates_are_taken_in_each_form() {
    use TexpoTimestamps as T;
    for (served, timestamps) in [
        (Timestamps::UnixSeconds, T::UnixSeconds),
        (Timestamps::UnixMilliseconds, T::UnixMilliseconds),
        (Timestamps::Iso, T::Iso),
    ] {
        for price in [PriceText::AsSent, PriceText::Double, PriceText::AllDigits, PriceText::Text] {
            for update in [UpdateForm::Replaces, UpdateForm::Changes] {
                let expo = Expo::new().await;
                expo.choose(|it| {
                    it.timestamps = served;
                    it.price = price;
                    it.update = update;
                });
                if price == PriceText::Text {
                    // What is served as a text is not taken as one: an update sends the price anew.
                    let manager = expo.manager_with(TexpoConfig { timestamps, ..expo.config() }).await;
                    assert!(manager.list().await.iter().all(|product| product.price.is_some()));
                    continue;
                }
                works(&expo, TexpoConfig { timestamps, ..expo.config() }).await;
            }
        }
    }
}

#[tokio::test]
async fn a_time_in_another_encoding_is_refused_by_the_server_and_read_all_the_same() {
    let expo = Expo::new().await;
    expo.choose(|it| it.timestamps = Timestamps::Iso);
    let manager = expo.manager().await;
    assert_eq!(manager.list().await[0].starts_at, Some(1_795_424_400));
    let refused = manager.create("new-1", &all_fields()).await.unwrap_err();
    assert!(matches!(refused, Error::Answer { code: 400, .. }), "{refused}");
}

#[tokio::test]
async fn what_the_server_adds_is_sent_back_to_the_digit() {
    for (keeps_unknown, adds_members) in [(true, true), (true, false), (false, true), (false, false)] {
        let expo = Expo::new().await;
        expo.choose(|it| {
            it.keeps_unknown = keeps_unknown;
            it.adds_members = adds_members;
        });
        let odd = r#"{"x": 1.10,"productId":"odd","price":19.50,"grants":[{"grantType":"new","more":[1e2]}],"ticketType":"week"}"#;
        assert!(expo.sandbox.put_texpo_entry(odd));
        let manager = expo.manager().await;
        let name = Some("Woche".to_owned());
        let changed = manager
            .update("odd", &ProductFields { ticket_name: name.clone(), ..ProductFields::default() })
            .await
            .unwrap();
        assert_eq!((changed.ticket_name, changed.price), (name, Some(usd(1950))));
        let kept =
            expo.sandbox.texpo_catalogue().into_iter().find(|entry| entry.contains("\"odd\"")).unwrap();
        let mut expected = odd.replace("\"x\": 1.10", "\"x\":1.10");
        if !keeps_unknown {
            expected = expected.replace("\"x\":1.10,", "");
        }
        let expected = expected.strip_suffix('}').unwrap();
        assert!(kept.starts_with(expected), "{kept}");
        let added = kept.contains(r#""revision":12345678901234567890123"#);
        assert_eq!(added, keeps_unknown && adds_members, "{kept}");
        assert!(kept.contains(r#""ticketName":"Woche""#));
    }
}

#[tokio::test]
async fn a_taken_product_id_is_told_from_a_repetition() {
    for duplicate in [DuplicateForm::Refused, DuplicateForm::Overwrites, DuplicateForm::Keeps] {
        let expo = Expo::new().await;
        expo.choose(|it| it.duplicate = duplicate);
        let manager = expo.manager().await;
        manager.create("new-1", &all_fields()).await.unwrap();
        // The same once more is there already, whatever the server says.
        let again = manager.create("new-1", &all_fields()).await.unwrap();
        assert!(is_as_asked(&again, 6410));
        let other = ProductFields { price: Some(usd(1)), ..all_fields() };
        let outcome = manager.create("new-1", &other).await;
        let held = manager.texpo.product(&manager.session, "new-1").await.unwrap().unwrap();
        match duplicate {
            DuplicateForm::Refused => {
                assert!(matches!(outcome, Err(Error::Answer { code: 409, .. })));
                assert!(is_as_asked(&held, 6410));
            }
            DuplicateForm::Overwrites => assert!(is_as_asked(&outcome.unwrap(), 1) && is_as_asked(&held, 1)),
            DuplicateForm::Keeps => {
                let unclear = outcome.unwrap_err();
                assert!(unclear.is_uncertain() && is_as_asked(&held, 6410), "{unclear}");
            }
        }
        assert_eq!(expo.applied("catalogue.create"), 1);
    }
}

#[tokio::test]
async fn an_unknown_entry_is_refused_or_not() {
    for refuses_unknown in [true, false] {
        let expo = Expo::new().await;
        expo.choose(|it| it.refuses_unknown = refuses_unknown);
        let manager = expo.manager().await;
        let deleted = manager.texpo.delete_product(&manager.session, "nowhere").await;
        assert_eq!(deleted.is_ok(), !refuses_unknown);
        let gone = manager.texpo.new_product("nowhere", &all_fields()).unwrap();
        let updated = manager.texpo.update_product(&manager.session, &gone).await;
        // A success that changed nothing is none.
        assert_eq!(updated.unwrap_err().is_uncertain(), !refuses_unknown);
        assert_eq!((manager.list().await.len(), expo.applied("catalogue.update")), (12, 0));
    }
}

#[tokio::test]
async fn a_missing_permission_is_told_as_that() {
    for error_has_http_status in [true, false] {
        for permission_code in [403, 1099] {
            let expo = Expo::new().await;
            expo.choose(|it| {
                it.error_has_http_status = error_has_http_status;
                it.permission_code = permission_code;
            });
            let (holder, fields) = (expo.holder(0).await, all_fields());
            let list = holder.texpo.products(&holder.session).await.map(drop);
            let create = holder.create("new-1", &fields).await.map(drop);
            let product = holder.texpo.new_product("expo-00001", &fields).unwrap();
            let update = holder.texpo.update_product(&holder.session, &product).await.map(drop);
            let delete = holder.texpo.delete_product(&holder.session, "expo-00001").await;
            for outcome in [list, create, update, delete] {
                let error = outcome.unwrap_err();
                if permission_code == 403 || error_has_http_status {
                    assert!(
                        matches!(error, Error::Permission { permission: "network.manage", .. }),
                        "{error}"
                    );
                } else {
                    assert!(matches!(error, Error::Answer { code: 1099, status: 200, .. }), "{error}");
                }
            }
            // A code of the server's own is configured.
            let config = TexpoConfig { permission_codes: vec![1099], ..expo.config() };
            let user = &expo.sandbox.users()[0];
            let texpo = expo.texpo(config);
            let tokens = texpo.login(&user.name, &user.password).await.unwrap();
            let configured = Client::new(texpo, tokens);
            let refused = configured.texpo.products(&configured.session).await.unwrap_err();
            assert!(matches!(refused, Error::Permission { .. }), "{refused}");
            assert_eq!(expo.sandbox.journal().unwrap().len(), 0);
            // The holder's own list of what can be bought needs no permission.
            assert_eq!(holder.texpo.purchasable(&holder.session).await.unwrap().len(), 12);
        }
    }
}

#[tokio::test]
async fn errors_are_told_apart_whatever_their_status() {
    let error = |code: i64| json!({ "error": { "status": true, "code": code, "message": "x" } }).to_string();
    for (http, code, is_uncertain) in [
        (200, 1021, false),
        (404, 1021, false),
        (500, 1021, false),
        (502, 1021, true),
        (503, 409, true),
        (503, 705, true),
        (504, 403, true),
        (200, 409, false),
        (200, 500, true),
        (400, 599, true),
        (200, 0, true),
        (200, -1, true),
    ] {
        let (client, _) = Client::answered(TexpoConfig::default(), move || answer(http, error(code)));
        let failed = client.texpo.delete_product(&client.session, "a").await.unwrap_err();
        assert!(
            matches!(failed, Error::Answer { status, code: told, .. } if (status, told) == (http, code)),
            "{failed}"
        );
        assert_eq!(failed.is_uncertain(), is_uncertain, "{http} {code}");
        assert!(!failed.to_string().contains('x'), "no prose: {failed}");
    }
    let (client, _) = Client::answered(TexpoConfig::default(), move || answer(200, error(705)));
    let failed = client.texpo.products(&client.session).await.unwrap_err();
    assert!(matches!(failed, Error::Status { status: 429, .. }) && !failed.is_uncertain());
    for (http, body) in [(200, "<html>"), (200, "[]"), (200, "7"), (200, r#"{"data":{"tickets":{}}}"#)] {
        let (client, _) = Client::answered(TexpoConfig::default(), move || answer(http, body));
        let failed = client.texpo.products(&client.session).await.unwrap_err();
        assert!(matches!(failed, Error::Reply { .. }) && failed.is_uncertain(), "{body}");
    }
    for http in [400, 404, 500, 503] {
        let (client, _) = Client::answered(TexpoConfig::default(), move || answer(http, "<html>"));
        let failed = client.texpo.products(&client.session).await.unwrap_err();
        assert!(matches!(failed, Error::Status { status, .. } if status == http));
    }
    let nameless = r#"{"data":{"tickets":[{"productId":"a"},{"eventName":"x"}]}}"#;
    let (client, _) = Client::answered(TexpoConfig::default(), move || answer(200, nameless));
    let failed = client.texpo.products(&client.session).await.unwrap_err();
    assert!(matches!(failed, Error::Reply { ref field, .. } if field == "data.tickets[1].productId"));
    for none in ["", " \n", "{}", r#"{"data":null}"#, r#"{"data":{}}"#, r#"{"data":{"tickets":[]}}"#] {
        let (client, _) = Client::answered(TexpoConfig::default(), move || answer(200, none));
        assert_eq!(client.list().await.len(), 0, "{none}");
    }
    let bare = r#"{"tickets":[{"productId":7}]}"#;
    let (client, _) = Client::answered(TexpoConfig::default(), move || answer(200, bare));
    assert_eq!(client.list().await[0].product_id, "7");
}

#[tokio::test]
async fn the_four_methods_send_what_the_documents_say() {
    let (client, _) = Client::answered(TexpoConfig::default(), || answer(200, "{}"));
    let product = client.texpo.new_product("new-1", &all_fields()).unwrap();
    let shown = format!(r#"{{"data":{{"ticket":{}}}}}"#, product.body_json);
    let (client, script) = Client::answered(TexpoConfig::default(), move || answer(200, shown.clone()));
    client.list().await;
    client.texpo.create_product(&client.session, &product).await.unwrap();
    client.texpo.update_product(&client.session, &product).await.unwrap();
    client.texpo.delete_product(&client.session, "a\"b").await.unwrap();
    let ticket = r#"{"ticket":{"productId":"new-1","eventName":"Hafenmesse","eventStartDate":1795824000,"eventEndDate":1795852800,"ticketType":"days:1of3","ticketName":"Tageskarte","ticketDescription":"Zutritt zu allen Hallen","price":64.10,"thumbnailId":"thumb-1","discount":"-10%","grants":[{"grantType":"userRole","grantTarget":"visitor:hall-7"}]}}"#;
    let expected = [
        ("ticket.getPurchasableTickets", "{}"),
        ("ticket.createPurchasableTicket", ticket),
        ("ticket.updatePurchasableTicket", ticket),
        ("ticket.deletePurchasableTicket", r#"{"productId":"a\"b"}"#),
    ];
    let seen = script.seen();
    assert_eq!(seen.len(), expected.len());
    for (request, (method, body)) in seen.iter().zip(expected) {
        assert_eq!(request.url, format!("https://expo.example/jsonRpc/{method}"));
        assert_eq!((request.method.as_str(), request.body.as_deref().unwrap()), ("POST", body.as_bytes()));
        assert_eq!(script::header(request, "Content-Type"), Some("application/json"));
        assert_eq!(script::header(request, "X-Session-Id"), Some("session-1"));
        let value: Value = serde_json::from_slice(request.body.as_ref().unwrap()).unwrap();
        for absent in ["jsonrpc", "id", "method", "params"] {
            assert_eq!(value.get(absent), None, "it is none of JSON-RPC 2.0's");
        }
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_not_sent() {
    let (client, script) = Client::answered(TexpoConfig::default(), || answer(200, "{}"));
    let fields = all_fields();
    let other_id = Some(r#"{"productId": "b"}"#.to_owned());
    for (id, fields, field) in [
        ("", fields.clone(), "product_id"),
        ("a", ProductFields { ends_at: fields.starts_at.map(|at| at - 1), ..fields.clone() }, "ends_at"),
        ("a", ProductFields { price: Some(usd(-1)), ..fields.clone() }, "price"),
        ("a", ProductFields { more_json: other_id, ..fields.clone() }, "more_json"),
        ("a", ProductFields { more_json: Some("7".to_owned()), ..fields }, "more_json"),
    ] {
        let refused = client.create(id, &fields).await.err();
        assert!(matches!(refused, Some(Error::Input { field: found, .. }) if found == field), "{field}");
    }
    let refused = client.texpo.delete_product(&client.session, "").await.err();
    assert!(matches!(refused, Some(Error::Input { field: "product_id", .. })));
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_nothing_is_sent_twice() {
    let expo = Expo::new().await;
    let manager = expo.manager().await;
    let product = manager.texpo.new_product("new-1", &all_fields()).unwrap();
    for fault in [Fault::LostReply, Fault::TruncatedJson] {
        expo.fault("createPurchasableTicket", 1, fault.clone());
        let lost = manager.texpo.create_product(&manager.session, &product).await.unwrap_err();
        assert!(lost.is_uncertain(), "{lost}");
        expo.fault("updatePurchasableTicket", 1, fault.clone());
        let lost = manager.texpo.update_product(&manager.session, &product).await.unwrap_err();
        assert!(lost.is_uncertain(), "{lost}");
        // An empty body stands for a success: half of `{}` is none of these.
        expo.fault("deletePurchasableTicket", 1, fault);
        let lost = manager.texpo.delete_product(&manager.session, "new-1").await.unwrap_err();
        assert!(lost.is_uncertain(), "{lost}");
    }
    for kind in ["catalogue.create", "catalogue.update", "catalogue.delete"] {
        assert_eq!(expo.applied(kind), 2, "{kind}: once each time");
    }
}

#[tokio::test]
async fn five_thousand_entries_are_listed_and_one_of_them_changed() {
    let expo = Expo::new().await;
    expo.sandbox.set_texpo_catalogue(5_000);
    let manager = expo.manager().await;
    let all = manager.list().await;
    assert_eq!(all.len(), 5_000);
    assert!(all.iter().all(|product| product.price.is_some() && product.starts_at.is_some()));
    let change = ProductFields { discount: Some("neu".to_owned()), ..ProductFields::default() };
    let changed = manager.update("expo-05000", &change).await.unwrap();
    assert_eq!(changed.discount.as_deref(), Some("neu"));
    assert_eq!(expo.count("ticket.getPurchasableTickets"), 2, "one list each, and no page");
}

#[tokio::test]
async fn a_list_beyond_all_bounds_is_an_error() {
    let many = format!(r#"{{"data":{{"tickets":[{}]}}}}"#, vec![r#"{"productId":1}"#; 10_001].join(","));
    let (client, _) = Client::answered(TexpoConfig::default(), move || answer(200, many.clone()));
    let failed = client.texpo.products(&client.session).await.unwrap_err();
    assert!(matches!(failed, Error::Reply { .. }), "{failed}");
}
