//! Promise: B.A.M's records are kept as they came, number for number, whatever a server puts into them; what cannot be
//! read is told by the endpoint and the place, and nothing of its content.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/bam_client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod bam_client;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use bam_client::Client;
use phone::TestClock;
use proptest::prelude::*;
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{PulledTicket, SystemConfig, TicketStatus};
use ticket_wallet::remote::bam::TicketQuery;
use tiny_server::{Answer, Asked, TinyServer};

/// A server that lets everybody in, names one organizer, and answers anything else with this body.
fn server(body: impl Into<Vec<u8>>) -> TinyServer {
    let body: Vec<u8> = body.into();
    TinyServer::start(move |asked: &Asked| {
        if asked.path.ends_with("/auth/login") {
            Answer::ok(r#"{"data":{"token":"t","refresh_token":"r"}}"#)
        } else if asked.path.starts_with("/account/v1/organizer/") {
            Answer::ok(r#"{"data":{"organization_name":"org1"}}"#)
        } else {
            Answer::ok(body.clone())
        }
    })
}

async fn signed_in(server: &TinyServer) -> Client {
    Client::sign_in(&TestClock::new(), &SystemConfig::at(server.url()), ("mira", "pw")).await
}

/// The tickets of a list with this body, as they would be kept.
async fn pulled(body: &str) -> Result<Vec<PulledTicket>, Error> {
    let server = server(body);
    let client = signed_in(&server).await;
    let page = client.bam.tickets(&client.session, &TicketQuery::default()).await?;
    let mut tickets = Vec::new();
    for (ticket, record) in &page.items {
        tickets.push(client.bam.normalise(&client.session, ticket, record).await?);
    }
    Ok(tickets)
}

fn place(refused: Result<impl Sized, Error>) -> String {
    match refused {
        Err(Error::Reply { endpoint, field }) => format!("{endpoint}: {field}"),
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was read"),
    }
}

#[tokio::test]
async fn a_record_is_kept_byte_for_byte() {
    let record = r#"{ "id":7,"z":12345678901234567890123.10, "a" : 1e400, "status":"issued",
        "name":"J\u00e9 \ud83c\udfab \/ é", "odd":"\ud800", "status":"activated", "": [ ] ,
        "ticket_config":{"event": {"organizer_id":5, "price":0.10, "id":9} , "name":"Block \"A\""}}"#;
    let tickets = pulled(&format!(r#"{{"data":[ {record} ,{{"id":8}}]}}"#)).await.unwrap();
    assert_eq!(tickets[0].body, record);
    assert_eq!(tickets[1].body, r#"{"id":8}"#);
    let ticket = &tickets[0];
    assert_eq!((ticket.remote_id.as_str(), ticket.tenant.as_deref()), ("7", Some("org1")));
    assert_eq!((ticket.category.as_deref(), &ticket.status), (Some("Block \"A\""), &TicketStatus::Activated));
    let event = tickets[0].event.as_ref().unwrap();
    assert_eq!(event.body, r#"{"organizer_id":5, "price":0.10, "id":9}"#);
}

#[tokio::test]
async fn members_of_one_name_do_not_hide_a_ticket() {
    let record = r#"{"id":7,"status":"issued","status":"activated","x":1.0,
        "ticket_config":{"event":{"id":9,"name":"Derby","name":"Pokal"},"name":"A","name":"B"}}"#;
    let tickets = pulled(&format!(r#"{{"data":[{record}]}}"#)).await.unwrap();
    assert_eq!((&tickets[0].status, tickets[0].category.as_deref()), (&TicketStatus::Activated, Some("B")));
    assert_eq!(tickets[0].event.as_ref().unwrap().name, "Pokal");
    assert_eq!(tickets[0].body, record);
}

#[tokio::test]
async fn ids_of_any_kind_name_tickets_events_and_organizers() {
    for (id, expected) in [
        ("7", "7"),
        (r#""7""#, "7"),
        (r#""de6500df-6fc4-4449-a6d2-306ec6dc9c21""#, "de6500df-6fc4-4449-a6d2-306ec6dc9c21"),
        ("12345678901234567890123", "12345678901234567890123"),
        (r#""a/../b?c#d""#, "a/../b?c#d"),
    ] {
        let record =
            format!(r#"{{"id":{id},"ticket_config":{{"event":{{"id":{id},"organizer_id":{id}}}}}}}"#);
        let tickets = pulled(&format!(r#"{{"data":[{record}]}}"#)).await.unwrap();
        let event = tickets[0].event.as_ref().unwrap();
        assert_eq!((tickets[0].remote_id.as_str(), event.remote_id.as_str()), (expected, expected));
        assert_eq!(tickets[0].tenant.as_deref(), Some("org1"), "{id}");
    }
    // U+001F separates the parts of what is hashed.
    let separator = pulled(r#"{"data":[{"id":"a\u001fb"}]}"#).await;
    assert!(matches!(separator, Err(Error::Input { field: "id", .. })));
}

#[tokio::test]
async fn an_id_cannot_lead_elsewhere() {
    let server = server(r#"{"data":{"id":1}}"#);
    let client = signed_in(&server).await;
    for id in ["a/../b", "?x=1", "#x", "%2e%2e", "a b", "\u{e9}", "..;"] {
        let _ = client.bam.ticket(&client.session, (Some("org1"), id)).await;
        let path = server.asked().last().unwrap().path.clone();
        let (path, _) = path.split_once('?').unwrap();
        let segment = path.strip_prefix("/t/org1/event/v1/ticket/").unwrap();
        assert!(!segment.contains('/') && ![".", ".."].contains(&segment), "{id}: {path}");
    }
    let before = server.asked().len();
    for id in ["", ".", ".."] {
        let place = (Some("org1"), id);
        assert!(matches!(
            client.bam.ticket(&client.session, place).await.map(|(ticket, _)| ticket.id),
            Err(Error::Input { field: "id", .. })
        ));
        assert!(matches!(client.bam.is_gone(&client.session, place).await, Err(Error::Input { .. })));
        assert!(matches!(client.bam.static_code(&client.session, place).await, Err(Error::Input { .. })));
        assert!(matches!(client.bam.order(&client.session, place).await, Err(Error::Input { .. })));
    }
    assert_eq!(server.asked().len(), before, "nothing was asked");
}

#[tokio::test]
async fn what_is_no_list_of_tickets_is_told_by_its_place() {
    for (body, expected) in [
        ("{}", "GET v1/ticket: data"),
        (r#"{"data":null}"#, "GET v1/ticket: data"),
        (r#"{"data":"x"}"#, "GET v1/ticket: data"),
        (r#"{"data":[{"id":1},{"name":"secret"}]}"#, "GET v1/ticket: data[1].id"),
        (r#"{"data":[[1]]}"#, "GET v1/ticket: data[0].id"),
        (r#"{"data":[7]}"#, "GET v1/ticket: data[0].id"),
    ] {
        assert_eq!(place(pulled(body).await), expected, "{body}");
    }
    for body in ["", "<html>", r#"{"data":[{"id":1}"#, "\u{0}", "[1,]"] {
        assert!(place(pulled(body).await).starts_with("GET v1/ticket: "), "{body}");
    }
    assert_eq!(pulled(r#"[{"id":1}]"#).await.unwrap().len(), 1, "a bare list");
    assert_eq!(pulled(r#"{"data":[]}"#).await.unwrap().len(), 0);
}

#[tokio::test]
async fn nesting_without_end_is_refused_where_it_begins() {
    for depth in [200, 10_000, 1_000_000] {
        let nested = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let body = format!(r#"{{"data":[{{"id":1}},{{"id":2,"x":{nested}}}]}}"#);
        assert!(place(pulled(&body).await).starts_with("GET v1/ticket: "), "{depth}");
        let one = server(format!(r#"{{"data":{{"id":2,"x":{nested}}}}}"#));
        let client = signed_in(&one).await;
        let read = client.bam.ticket(&client.session, (Some("org1"), "2")).await;
        assert!(place(read).starts_with("GET event/v1/ticket/:id: "), "{depth}");
    }
    let flat = format!("{}1{}", "[".repeat(90), "]".repeat(90));
    assert_eq!(pulled(&format!(r#"{{"data":[{{"id":2,"x":{flat}}}]}}"#)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn answers_that_are_not_as_documented_name_the_member_that_lacks() {
    let ask = async |body: &str| {
        let server = server(body);
        let client = signed_in(&server).await;
        (server, client)
    };
    for (body, field) in [
        (r#"{"data":{"code":"not base64!"}}"#, "data.code"),
        (r#"{"data":{"code":"iVBORw=="}}"#, "data.code: the picture is not a PNG"),
    ] {
        let (_server, client) = ask(body).await;
        let code = client.bam.static_code(&client.session, (Some("org1"), "1")).await;
        assert_eq!(place(code), format!("POST event/v1/ticket/:id/qrcode: {field}"));
    }
    let (_server, client) = ask(r#"{"data":{"public_key":"-----BEGIN PUBLIC KEY-----"}}"#).await;
    let key = client.bam.event_public_key(&client.session, None, "1", "2").await;
    assert_eq!(place(key), "GET event/v1/organizer/:org/event/:id/public_key: data.public_key");
    for lacking in ["enrollment_id", "certificate", "private_key"] {
        let mut wallet = json!({ "id": 1, "enrollment_id": "e", "certificate": "c", "private_key": "k" });
        wallet[lacking] = " ".into();
        let (_server, client) = ask(&json!({ "data": wallet }).to_string()).await;
        let enrolled = client.bam.enroll(&client.session).await;
        assert_eq!(place(enrolled), format!("POST account/v1/certificate/enroll: data.{lacking}"));
    }
    for body in ["%PDF", r#"{"data":{"url":"https://elsewhere.example"}}"#, "<html>"] {
        let (_server, client) = ask(body).await;
        let file = client.bam.download_tickets(&client.session, (Some("org1"), "1")).await;
        assert_eq!(place(file), "GET event/v1/order/:id/download_tickets: its content");
    }
    let large = [b"%PDF-1.7".to_vec(), vec![b' '; 17 << 20]].concat();
    let large = server(large);
    let client = signed_in(&large).await;
    let file = client.bam.download_tickets(&client.session, (Some("org1"), "1")).await;
    assert_eq!(place(file), "GET event/v1/order/:id/download_tickets: its length");
}

#[tokio::test]
async fn lists_that_do_not_end_are_not_followed() {
    let endless = server(r#"{"data":[{"id":1},{"id":2}],"paging":{"limit":2,"offset":0,"total":9999999}}"#);
    let client = signed_in(&endless).await;
    let orders = client.bam.orders(&client.session, None).await;
    assert_eq!(place(orders), "GET event/v1/order: a later page; the list does not end");
    let short = server(r#"{"data":[],"paging":{"limit":100,"offset":0,"total":1}}"#);
    let client = signed_in(&short).await;
    assert_eq!(place(client.bam.orders(&client.session, None).await), "GET event/v1/order: paging.total");
    let read_back = client.bam.reserved_tickets(&client.session, Some("org1"), 1).await;
    assert_eq!(place(read_back), "GET event/v1/ticket: paging.total");
}

#[tokio::test]
async fn what_a_server_says_to_a_write_is_read_in_any_wrapping() {
    let ids = ["17".to_owned()];
    for (body, said) in [
        (r#"{"data":[{"id":17,"status":"available"}]}"#, vec!["17 available"]),
        (r#"{"data":{"tickets":[{"id":"17","status":"Available"}]}}"#, vec!["17 available"]),
        (r#"{"tickets":[{"id":17}]}"#, vec!["17 "]),
        (r#"[17, "18"]"#, vec!["17 ", "18 "]),
        (r#"{"data":{"success":true}}"#, vec![]),
        (r#"{"success":true}"#, vec![]),
        ("{}", vec![]),
        ("", vec![]),
        ("OK", vec![]),
    ] {
        let server = server(body);
        let client = signed_in(&server).await;
        let freed = client.bam.free(&client.session, Some("org1"), &ids).await.unwrap();
        let told: Vec<_> =
            freed.iter().map(|ticket| format!("{} {}", ticket.remote_id, ticket.status.as_text())).collect();
        assert_eq!(told, said, "{body}");
        let asked = server.asked();
        assert_eq!(asked.last().unwrap().json(), json!({ "ids": [17] }));
    }
}

/// Any JSON, with numbers as text: some are beyond what a double holds.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?",
        any::<String>().prop_map(|text| Value::String(text).to_string()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let member = (any::<String>(), inner.clone())
            .prop_map(|(name, value)| format!("{}: {value}", Value::String(name)));
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(" ,"))),
            prop::collection::vec(member, 0..6).prop_map(|members| format!("{{{}}}", members.join(","))),
        ]
    })
}

#[test]
fn any_json_in_a_record_is_kept_as_it_is() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // Each case takes a server of its own.
    let cases = ProptestConfig::default().cases / 8 + 1;
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(cases));
    let names =
        prop::sample::select(vec!["metadata", "status", "ticket_config", "sector", "ticket_discount"]);
    let strategy = prop::collection::vec((names, any_json()), 1..8);
    let outcome = runner.run(&strategy, |members| {
        let records: Vec<_> =
            members.iter().map(|(name, value)| format!(r#"{{"id":7,"{name}": {value} }}"#)).collect();
        let body = format!(r#"{{"data":[{}]}}"#, records.join(" , "));
        let kept = runtime.block_on(pulled(&body)).unwrap();
        let bodies: Vec<_> = kept.into_iter().map(|ticket| ticket.body).collect();
        prop_assert_eq!(bodies, records);
        Ok(())
    });
    outcome.unwrap();
}
