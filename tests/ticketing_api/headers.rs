//! What every request carries, and where addresses lead.

use std::sync::Arc;

use serde_json::json;
use ticket_wallet::error::Error;
use ticket_wallet::host::HttpRequest;
use ticket_wallet::model::{
    AdmissionOrder, AdmissionQuery, SectionCount, TicketingConfig, TicketingDates, TokenQuery,
};
use ticket_wallet::remote::ticketing::{
    AccountTicketQuery, EventTicketQuery, OrderQuery, PageQuery, Ticketing, TicketingTransfer, TransferRole,
};

use crate::festival::{self, Staff};
use crate::phone::TestClock;
use crate::script::{Script, answer, header};

const API: &str = "https://api.example.org/v3/";

fn scripted(script: &Arc<Script>, config: TicketingConfig) -> Staff {
    let client = festival::client(API, &TestClock::new(), Some(Arc::clone(script) as _), vec![], config);
    Staff::new(client, festival::tokens("k"))
}

fn config() -> TicketingConfig {
    TicketingConfig { account: Some("CU-1".to_owned()), ..TicketingConfig::default() }
}

/// Does everything once; what becomes of it does not count.
async fn everything(staff: &Staff) {
    let (api, session) = (&staff.ticketing, &staff.session);
    let (sections, event) = (["7".to_owned()], "16993717817996");
    let counts = [SectionCount { section: "/events/1/sections/2".to_owned(), quantity: 1 }];
    let order = AdmissionOrder {
        event_id: event.to_owned(),
        redeemer: "A".to_owned(),
        device: "B".to_owned(),
        serials: vec!["S".to_owned()],
    };
    drop(api.active_session(session).await);
    drop(api.event(session, event).await);
    drop(api.issue_token(session, event, &sections).await);
    drop(api.tokens(session, event, &TokenQuery::default()).await);
    drop(api.token(session, event, "9").await);
    drop(api.update_token(session, event, "9", &sections).await);
    drop(api.delete_token(session, event, "9").await);
    drop(api.look_up_code(session, "A0F9GG8D").await);
    drop(api.event_tickets(session, event, EventTicketQuery::default()).await);
    drop(api.account_tickets(session, &AccountTicketQuery::default()).await);
    drop(api.admit(session, &order).await);
    drop(api.admissions(session, event, &AdmissionQuery::default()).await);
    drop(api.look_up_account(session, "x", Some("Customer")).await);
    drop(api.start_transfer(session, "/accounts/a", "/accounts/b", &counts).await);
    drop(api.transfer(session, "/transfers/1").await);
    let transfer = TicketingTransfer::read(r#"{"self":"/transfers/1"}"#).unwrap();
    drop(api.claim_transfer(session, &transfer).await);
    drop(api.cancel_transfer(session, "/transfers/1").await);
    drop(api.transfers(session, TransferRole::Sender, Some("Pending"), PageQuery::default()).await);
    drop(api.place_order(session, None, &counts).await);
    drop(api.orders(session, &OrderQuery::default()).await);
    drop(api.order(session, "AB").await);
    drop(api.cancel_order(session, "AB").await);
    drop(api.start_session("a", "b").await);
    drop(api.end_session(&festival::tokens("k")).await);
}

#[tokio::test]
async fn every_request_tells_the_version_and_the_key() {
    let versions = [(None, "3.0.0"), (Some("3.1.3".to_owned()), "3.1.3")];
    for (client_version, told) in versions {
        let script = Script::new(|_| answer(200, "{}"));
        let staff = scripted(&script, TicketingConfig { client_version, ..config() });
        everything(&staff).await;
        let seen = script.seen();
        assert_eq!(seen.len(), 24, "each once");
        for request in &seen {
            let what = format!("{} {}", request.method, request.url);
            assert_eq!(header(request, "X-Client-Version"), Some(told), "{what}");
            let begins = request.url.ends_with("/sessions");
            assert_eq!(header(request, "X-API-Key"), Some("k").filter(|_| !begins), "{what}");
            assert_eq!(header(request, "Authorization"), None, "{what}");
            assert_eq!(header(request, "Accept"), Some("application/json"), "{what}");
            let has_body = ["POST", "PUT"].contains(&request.method.as_str());
            assert_eq!(header(request, "Content-Type"), has_body.then_some("application/json"), "{what}");
            assert_eq!(request.timeout_ms, 10_000, "{what}");
            assert!(request.url.starts_with(API), "{what}");
        }
    }
    let script = Script::new(|_| answer(200, "{}"));
    let app_key = Some("app".to_owned());
    let staff = scripted(&script, TicketingConfig { app_key, timeout_ms: Some(2_500), ..config() });
    everything(&staff).await;
    for request in script.seen() {
        let key = if request.url.ends_with("/sessions") { "app" } else { "k" };
        assert_eq!((header(&request, "X-API-Key"), request.timeout_ms), (Some(key), 2_500));
    }
}

fn path(request: &HttpRequest) -> &str {
    request.url.strip_prefix(API).unwrap()
}

#[tokio::test]
async fn queries_say_what_was_asked_and_no_more() {
    let script = Script::new(|_| answer(200, r#"{"entries": []}"#));
    let staff = scripted(&script, config());
    let (api, session) = (&staff.ticketing, &staff.session);
    let some = |text: &str| Some(text.to_owned());
    let page = PageQuery { page: Some(2), records: Some(50) };
    drop(api.tokens(session, "1", &TokenQuery::default()).await);
    let all = TokenQuery { page: Some(1), records: Some(25), global: Some(true) };
    drop(api.tokens(session, "1", &all).await);
    drop(api.event_tickets(session, "1", EventTicketQuery { page, modified_since: Some(0) }).await);
    let admissions = AdmissionQuery {
        page: None,
        records: None,
        redeemer: some("A&B"),
        device: some("C"),
        ticket: some("D"),
        patron: some("/accounts/E"),
        section: some("7"),
    };
    drop(api.admissions(session, "1", &admissions).await);
    let tickets = AccountTicketQuery {
        page,
        event: some("/events/1"),
        section: some("/events/1/sections/2"),
        serial: some("ABC"),
        status: some("Held"),
    };
    drop(api.account_tickets(session, &tickets).await);
    drop(api.transfers(session, TransferRole::Recipient, None, page).await);
    let orders = OrderQuery { customer: some("/accounts/F"), status: some("Timed Out"), page };
    drop(api.orders(session, &orders).await);
    let expected = [
        "events/1/tokens",
        "events/1/tokens?global=true&page=1&records=25",
        "events/1/tickets?modified_since=1970%2D01%2D01T00%3A00%3A00%2B00%3A00&page=2&records=50",
        "events/1/admissions?redeemer=A%26B&device=C&ticket=D&patron=%2Faccounts%2FE&section=7",
        "accounts/CU-1/tickets?page=2&records=50&event=%2Fevents%2F1&section=%2Fevents%2F1%2Fsections%2F2\
         &serial=ABC&status=Held",
        "accounts/CU-1/transfers?role=recipient&page=2&records=50",
        "orders?page=2&records=50&customer=%2Faccounts%2FF&status=Timed%20Out",
    ];
    assert_eq!(script.seen().iter().map(path).collect::<Vec<_>>(), expected);

    let script = Script::new(|_| answer(200, r#"{"entries": []}"#));
    let (dates, time_zone) = (Some(TicketingDates::Plain), some("America/Antigua"));
    let staff = scripted(&script, TicketingConfig { dates, time_zone, ..config() });
    let since = EventTicketQuery { modified_since: Some(0), ..EventTicketQuery::default() };
    drop(staff.ticketing.event_tickets(&staff.session, "1", since).await);
    assert_eq!(path(&script.seen()[0]), "events/1/tickets?modified_since=1969%2D12%2D31%2020%3A00%3A00");
}

#[tokio::test]
async fn input_that_cannot_be_sent_is_refused_before_anything_is() {
    let script = Script::new(|_| answer(200, "{}"));
    let staff = scripted(&script, config());
    let (api, session) = (&staff.ticketing, &staff.session);
    let order = |redeemer: &str, device: &str, serials: &[&str]| AdmissionOrder {
        event_id: "1".to_owned(),
        redeemer: redeemer.to_owned(),
        device: device.to_owned(),
        serials: serials.iter().map(|serial| (*serial).to_owned()).collect(),
    };
    let count = |section: &str, quantity| SectionCount { section: section.to_owned(), quantity };
    let bad = "a section".to_owned();
    let refusals = [
        ("sections", api.issue_token(session, "1", &[]).await.err()),
        ("sections", api.issue_token(session, "1", std::slice::from_ref(&bad)).await.err()),
        ("sections", api.update_token(session, "1", "2", &[String::new()]).await.err()),
        ("event_id", api.issue_token(session, " ", &["7".to_owned()]).await.err()),
        ("token_id", api.token(session, "1", "").await.err()),
        ("code", api.look_up_code(session, "").await.err()),
        ("redeemer", api.admit(session, &order("", "d", &["s"])).await.err()),
        ("device", api.admit(session, &order("r", " ", &["s"])).await.err()),
        ("serials", api.admit(session, &order("r", "d", &[])).await.err()),
        ("serials", api.admit(session, &order("r", "d", &["s", ""])).await.err()),
        ("tickets", api.start_transfer(session, "a", "b", &[]).await.err()),
        ("tickets", api.start_transfer(session, "a", "b", &[count("s", 0)]).await.err()),
        ("tickets", api.start_transfer(session, "a", "b", &[count("s", 1), count("s", 1)]).await.err()),
        ("items", api.place_order(session, None, &[count("", 1)]).await.err()),
        ("number", api.order(session, "").await.err()),
    ];
    for (field, refused) in refusals {
        assert!(
            matches!(&refused, Some(Error::Input { field: f, .. }) if *f == field),
            "{field}: {refused:?}"
        );
    }
    let never = EventTicketQuery { modified_since: Some(i64::MAX), ..EventTicketQuery::default() };
    let refused = api.event_tickets(session, "1", never).await.err();
    assert!(matches!(refused, Some(Error::Input { field: "modified_since", .. })));
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test]
async fn bodies_are_the_documents() {
    let script = Script::new(|_| answer(200, "{}"));
    let staff = scripted(&script, config());
    everything(&staff).await;
    let bodies: Vec<_> = script
        .seen()
        .iter()
        .filter_map(|request| Some(serde_json::from_slice(request.body.as_deref()?).unwrap()))
        .collect::<Vec<serde_json::Value>>();
    let section = "/events/16993717817996/sections/7";
    let expected = [
        json!({ "sections": [section] }),
        json!({ "sections": [section] }),
        json!({ "redeemer": "A", "device": "B", "serials": ["S"] }),
        json!({ "identification": "x", "role": "Customer" }),
        json!({ "sender": "/accounts/a", "recipient": "/accounts/b", "tickets": { "/events/1/sections/2": 1 } }),
        json!({}),
        json!({ "items": { "/events/1/sections/2": 1 } }),
        json!({ "identification": "a", "password": "b" }),
    ];
    assert_eq!(bodies, expected);
}

#[test]
fn addresses_stand_below_the_api_and_lead_nowhere_else() {
    let client =
        |api: &str| festival::client(api, &TestClock::new(), None, vec![], TicketingConfig::default());
    let api = client(API);
    for (uri, url) in [
        ("/events/1/tokens/2", "https://api.example.org/v3/events/1/tokens/2"),
        ("/v3/events/1", "https://api.example.org/v3/events/1"),
        ("/v30/events", "https://api.example.org/v3/v30/events"),
        ("https://api.example.org/v3/events/1?a=b", "https://api.example.org/v3/events/1?a=b"),
        ("/events/17370490770235123456789", "https://api.example.org/v3/events/17370490770235123456789"),
    ] {
        assert_eq!(api.resolve(uri).unwrap().as_str(), url, "{uri}");
    }
    for bad in [
        "https://evil.example/v3/events/1",
        "http://api.example.org/v3/events/1",
        "https://api.example.org:444/v3/events/1",
        "https://u:p@api.example.org/v3/events/1",
        "https://api.example.org/v2/events/1",
        "//evil.example/v3/events/1",
        "/../v2/events",
        "/\\evil.example/x",
        "events/1",
        "",
    ] {
        match api.resolve(bad) {
            Err(Error::Untrusted { .. }) => {}
            Ok(url) => assert!(url.as_str().starts_with(API) && bad.contains('\\'), "{bad} became {url}"),
            other => panic!("{bad}: {other:?}"),
        }
    }
    let root = client("https://api.example.org");
    assert_eq!(root.resolve("/events/1").unwrap().as_str(), "https://api.example.org/events/1");
    assert_eq!(Ticketing::section_uri("1", "2").unwrap(), "/events/1/sections/2");
    assert_eq!(Ticketing::section_uri("1", "/events/9/sections/2").unwrap(), "/events/9/sections/2");
}
