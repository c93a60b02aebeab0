//! Tickets of the SDK API.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::{ErrorForm, PriceForm};

use super::support::{Club, JONAS, MIRA, answer, error, refusal};

/// The ticket of Unidy's integration guide.
const DOCUMENT: &str = include_str!("../../../src/unidy/seed_ticket.json");
const DOCUMENT_ID: &str = "de6500df-6fc4-4449-a6d2-306ec6dc9c21";

#[tokio::test]
async fn the_documents_ticket_is_served_word_for_word() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    let one = club.get(&jwt, &format!("/tickets/{DOCUMENT_ID}")).await;
    assert_eq!((one.status.as_u16(), one.text.as_str()), (200, DOCUMENT));
    let list = club.get(&jwt, "/tickets?state=inactive").await;
    assert!(list.text.contains(DOCUMENT));
    club.choose(|choices| {
        choices.price = PriceForm::String;
        choices.exportable_to_wallet = false;
    });
    assert_eq!(club.get(&jwt, &format!("/tickets/{DOCUMENT_ID}")).await.text, DOCUMENT);
    club.choose(|choices| choices.document_ticket = false);
    assert_eq!(club.get(&jwt, &format!("/tickets/{DOCUMENT_ID}")).await.status, 404);
    assert!(!club.get(&jwt, "/tickets?state=inactive").await.text.contains(DOCUMENT_ID));
}

#[tokio::test]
async fn pages_tell_where_they_stand() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    let all = club.tickets(&jwt).await;
    let first = club.get(&jwt, "/tickets?limit=10&page=1").await.json();
    let last = all.len().div_ceil(10);
    let meta = json!({"count": all.len(), "page": 1, "limit": 10, "last": last, "prev": null, "next": 2});
    assert_eq!(first["meta"], meta);
    let mut paged = Vec::new();
    for page in 1..=last {
        let list = club.get(&jwt, &format!("/tickets?limit=10&page={page}")).await.json();
        paged.extend(list["results"].as_array().unwrap().clone());
    }
    assert_eq!(paged, all);
    let beyond = club.get(&jwt, "/tickets?limit=10&page=99").await.json();
    assert_eq!((&beyond["results"], &beyond["meta"]["next"]), (&json!([]), &json!(null)));
    assert_eq!(beyond["meta"]["prev"], last);
    assert_eq!(club.get(&jwt, "/tickets").await.json()["meta"]["limit"], 25);
}

#[tokio::test]
async fn lists_are_filtered_and_ordered() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    let all = club.tickets(&jwt).await;
    let category = &all.iter().find(|ticket| ticket["reference"] == "P4-0815").unwrap()["ticket_category_id"];
    for (query, keep) in [
        ("state=active", &(|ticket: &Value| ticket["state"] == "active") as &dyn Fn(&Value) -> bool),
        ("state=passive", &|ticket| ticket["state"] == "passive"),
        ("state=blocked_by_organizer", &|ticket| ticket["state"] == "blocked_by_organizer"),
        ("payment_state=not+payed", &|ticket| ticket["payment_state"] == "not payed"),
        ("state=active&payment_state=paid", &|it| it["state"] == "active" && it["payment_state"] == "paid"),
        (&format!("ticket_category_id={}", category.as_str().unwrap()), &|it| {
            it["ticket_category_id"] == *category
        }),
        ("state=nothing", &|_| false),
    ] {
        let list = club.get(&jwt, &format!("/tickets?limit=250&{query}")).await.json();
        let kept: Vec<_> = all.iter().filter(|ticket| keep(ticket)).cloned().collect();
        assert_eq!(list["results"], json!(kept), "{query}");
        assert_eq!(list["meta"]["count"], kept.len());
    }
    let of_service = club.get(&jwt, "/tickets?limit=250&service_id=12").await.json();
    let references = |list: &Value| -> Vec<String> {
        list["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["reference"].as_str().unwrap().to_owned())
            .collect()
    };
    assert!(references(&of_service).contains(&"LEGACY-1".to_owned()));
    assert!(!references(&of_service).contains(&"2604417003-1".to_owned()));
    let ordered = club.get(&jwt, "/tickets?limit=250&order_by=reference&order_direction=asc").await.json();
    assert!(references(&ordered).is_sorted());
    for order in ["starts_at", "ends_at", "created_at"] {
        let path = |direction| format!("/tickets?limit=250&order_by={order}&order_direction={direction}");
        let times = async |direction| -> Vec<Option<i64>> {
            let list = club.get(&jwt, &path(direction)).await.json();
            let time = |it: &Value| chrono::DateTime::parse_from_rfc3339(it[order].as_str()?).ok();
            let tickets = list["results"].as_array().unwrap().clone();
            tickets.iter().map(|it| time(it).map(|time| time.timestamp_millis())).collect()
        };
        let (up, mut down) = (times("asc").await, times("desc").await);
        assert!(up.is_sorted_by_key(|time| time.unwrap_or(i64::MAX)), "{order}: {up:?}");
        down.reverse();
        assert_eq!(up, down);
    }
}

#[tokio::test]
async fn wrong_parameters_are_told_all_at_once() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    let path = "/tickets?page=0&limit=251&order_by=price&order_direction=up&service_id=x";
    let wrong = club.get(&jwt, path).await;
    assert_eq!(refusal(&wrong), error(422, "schema_validation_error"));
    let errors = wrong.json()["errors"].as_array().unwrap().clone();
    assert_eq!(errors.len(), 5, "{errors:?}");
    assert_eq!(errors[1], "limit must be an integer from 1 to 250");
    for query in ["limit=0", "limit=-1", "limit=ten", "page=1.5", "page=99999999999", "service_id=0"] {
        assert_eq!(club.get(&jwt, &format!("/tickets?{query}")).await.status, 422, "{query}");
    }
    let bad = async || club.get(&jwt, "/tickets?page=0").await.json();
    club.choose(|choices| choices.errors = ErrorForm::Details);
    let details = json!({"page": ["must be an integer greater than or equal to 1"]});
    assert_eq!(bad().await, json!({"error_details": details}));
    assert_eq!(club.get(&jwt, "/tickets/x").await.json(), json!({"error_details": {"base": ["not_found"]}}));
    club.choose(|choices| choices.errors = ErrorForm::Both);
    assert_eq!((&bad().await["error_details"], bad().await["errors"].is_array()), (&details, true));
}

#[tokio::test]
async fn only_the_owner_sees_a_ticket_and_only_with_both_credentials() {
    let club = Club::start().await;
    let (mira, jonas) = (club.jwt(MIRA).await, club.jwt(JONAS).await);
    let id = club.tickets(&jonas).await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/tickets/{id}");
    assert_eq!(club.get(&jonas, &path).await.status, 200);
    assert_eq!(refusal(&club.get(&mira, &path).await), error(404, "not_found"));
    let no_token = answer(club.sdk(Method::GET, &path, None)).await;
    assert_eq!(refusal(&no_token), error(401, "missing_id_token"));
    let no_key = club.request(Method::GET, &format!("/api/sdk/v1{path}")).header("x-id-token", &jonas);
    assert_eq!(refusal(&answer(no_key).await), error(401, "unauthorized"));
    let other_key = club.request(Method::GET, &format!("/api/sdk/v1{path}")).header("x-id-token", &jonas);
    let other_key = other_key.bearer_auth(club.other().sdk_key);
    assert_eq!(refusal(&answer(other_key).await), error(401, "unauthorized"));
    let other_brand = club.world.client.get(format!("{}/api/sdk/v1/tickets", club.other().url));
    let other_brand = other_brand.bearer_auth(club.other().sdk_key).header("x-id-token", &jonas);
    assert_eq!(refusal(&answer(other_brand).await), error(401, "invalid_id_token"));
    club.world.pass(3600);
    assert_eq!(refusal(&club.get(&jonas, &path).await), error(401, "invalid_id_token"));
    let nowhere = club.world.get("", "/unidy/nowhere/api/sdk/v1/tickets").await;
    assert_eq!(refusal(&nowhere), error(404, "not_found"));
    let beside = club.world.get("", "/unidy/nord/.well-known/ticket-wallet").await;
    assert_eq!(refusal(&beside), error(404, "not_found"));
}

#[tokio::test]
async fn tickets_come_in_every_form() {
    let club = Club::start().await;
    let jwt = club.jwt(JONAS).await;
    let list = club.get(&jwt, "/tickets?limit=250").await;
    let tickets = club.tickets(&jwt).await;
    let some = |keep: &dyn Fn(&Value) -> bool| assert!(tickets.iter().any(keep));
    some(&|it| it["metadata"].is_object());
    some(&|it| it["metadata"].is_array());
    some(&|it| it["metadata"].is_string());
    some(&|it| it["metadata"].is_number());
    some(&|it| it["metadata"] == false);
    some(&|it| it.as_object().unwrap().get("metadata") == Some(&Value::Null));
    some(&|it| it["wallet_export"]["qr_code"].is_string());
    some(&|it| it.get("price").is_none() && it.get("ends_at").is_none() && it.get("venue").is_none());
    some(&|it| it["ends_at"].is_null() && it.get("ends_at").is_some());
    some(&|it| {
        it["starts_at"] == "2027-10-31T02:30:00.000+02:00" && it["ends_at"] == "2027-10-31T02:30:00.000+01:00"
    });
    some(&|it| {
        it["starts_at"] == "2027-03-28T01:30:00.000+01:00" && it["ends_at"] == "2027-03-28T03:30:00.000+02:00"
    });
    assert!(
        list.text.contains("\"metadata\":123456789012345678901234567890.125"),
        "numbers stay as they are"
    );
    let prices = async || -> Vec<Value> {
        let tickets = club.tickets(&jwt).await;
        let legacy = tickets.iter().filter(|it| it["reference"].as_str().unwrap().starts_with("LEGACY"));
        legacy.map(|it| it["price"].clone()).collect()
    };
    assert_eq!(prices().await, [json!(19.9), json!(null), json!(64.0), json!(999_999.99), json!(0.01)]);
    club.choose(|choices| choices.price = PriceForm::String);
    assert_eq!(
        prices().await,
        [json!("19.90"), json!(null), json!("64.00"), json!("999999.99"), json!("0.01")]
    );
    club.choose(|choices| choices.price = PriceForm::Null);
    assert_eq!(prices().await, [Value::Null, Value::Null, Value::Null, Value::Null, Value::Null]);
    assert!(list.text.contains("exportable_to_wallet"));
    club.choose(|choices| choices.exportable_to_wallet = false);
    assert!(!club.get(&jwt, "/tickets?limit=250").await.text.contains("exportable_to_wallet"));
}

#[tokio::test]
async fn each_user_of_each_brand_has_tickets_with_ids_of_their_own() {
    let club = Club::start_with(|config| config.tickets_per_user = 5).await;
    let (first, second) = (club.brand.clone(), club.other());
    let mut club = club;
    let mut ids = HashSet::new();
    let mut plain = Vec::new();
    for brand in [first, second] {
        club.brand = brand;
        for user in [MIRA, JONAS] {
            let tickets = club.tickets(&club.jwt(user).await).await;
            let references = tickets.iter().filter_map(|ticket| ticket["reference"].as_str());
            plain.push(references.filter(|it| it.starts_with("NORD-0") || it.starts_with("WEST-0")).count());
            for ticket in tickets {
                assert!(ids.insert(ticket["id"].as_str().unwrap().to_owned()), "{}", ticket["id"]);
            }
        }
    }
    assert_eq!(plain, [3, 3, 2, 2], "five of each user, over both brands");
}
