//! Promise: the examples of TickeTing's document are read, sent and kept as they are, and whatever a server writes beside
//! or in place of them, nothing is lost and nothing fails.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::sync::Arc;

use festival::{Staff, client, sign_in, tokens};
use phone::{Phone, TestClock};
use proptest::prelude::*;
use script::{Script, answer, header};
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::host::HttpResponse;
use ticket_wallet::model::expiry::Zone;
use ticket_wallet::model::{Admission, AdmissionToken, TicketStatus, TicketingConfig, TokenQuery};
use ticket_wallet::remote::ticketing::{
    RESTRICTED, TicketingEvent, TicketingOrder, TicketingTicket, TicketingTransfer, UNAUTHENTICATED,
    UNKNOWN_ENDPOINT, UNKNOWN_RESOURCE, last_part,
};

const SEED: &str = include_str!("fixtures/seeds/ticketing.txt");
const TOKEN: &str = include_str!("fixtures/ticketing-token.json");
const EVENT: &str = "16993717817996";

/// Every JSON object that stands in the document.
fn examples() -> Vec<Value> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = SEED[from..].find('{').map(|at| from + at) {
        let mut stream = serde_json::Deserializer::from_str(&SEED[at..]).into_iter::<Value>();
        match stream.next() {
            Some(Ok(value)) => {
                from = at + stream.byte_offset();
                found.push(value);
            }
            _ => from = at + 1,
        }
    }
    found
}

fn staff(
    answers: impl Fn(&ticket_wallet::host::HttpRequest) -> HttpResponse + Send + Sync + 'static,
) -> (Arc<Script>, Staff) {
    at("https://api.ticketingevents.com/v3/", answers)
}

fn at(
    url: &str,
    answers: impl Fn(&ticket_wallet::host::HttpRequest) -> HttpResponse + Send + Sync + 'static,
) -> (Arc<Script>, Staff) {
    let script = Script::new(answers);
    let config = TicketingConfig { account: Some("CU-1".to_owned()), ..TicketingConfig::default() };
    let client = client(url, &TestClock::new(), Some(Arc::clone(&script) as _), vec![], config);
    (script, Staff::new(client, tokens("a9427bf35dd3d3011a1277c9c344ae07")))
}

#[test]
fn the_documents_examples_are_all_there() {
    let (errors, others): (Vec<_>, Vec<_>) =
        examples().into_iter().partition(|one| one.get("message").is_some() || one.get("error").is_some());
    assert_eq!(errors.len(), 6);
    let token: Value = serde_json::from_str(TOKEN).unwrap();
    let request = json!({ "sections": token["sections"] });
    assert_eq!(others, [request, token.clone(), token]);
}

#[test]
fn the_documents_token_is_read_and_stays_as_it_is() {
    assert!(SEED.contains(TOKEN), "word for word");
    let token = AdmissionToken::read(TOKEN).unwrap();
    assert_eq!(token.body_json, TOKEN);
    assert_eq!(
        (token.id.as_str(), token.code.as_deref(), token.global),
        ("17370490770235", Some("A0F9GG8D"), true)
    );
    let typed = json!({
        "self": token.uri, "code": token.code, "global": token.global, "sections": token.sections,
    });
    assert_eq!(typed, serde_json::from_str::<Value>(TOKEN).unwrap(), "no member is known only as text");
    assert_eq!(format!("{token:?}"), "AdmissionToken(..)");
}

#[tokio::test]
async fn the_documents_requests_are_what_is_sent() {
    for (url, below) in [
        ("https://docs.ticketingevents.com/_mock/openapi/", "https://docs.ticketingevents.com/_mock/openapi"),
        ("https://qa.ticketingevents.com/v3/", "https://qa.ticketingevents.com/v3"),
        ("https://api.ticketingevents.com/v3/", "https://api.ticketingevents.com/v3"),
    ] {
        assert!(SEED.contains(url));
        let list = format!(r#"{{ "total": 2, "page": 1, "records": 25, "entries": [ {TOKEN}, {TOKEN} ] }}"#);
        let (script, staff) = at(url, move |request| {
            let is_list = request.url.contains("records=25");
            answer(200, if is_list { list.clone() } else { TOKEN.to_owned() })
        });
        let (api, session) = (&staff.ticketing, &staff.session);
        let token: AdmissionToken = AdmissionToken::read(TOKEN).unwrap();
        assert!(api.issue_token(session, EVENT, &token.sections).await.unwrap() == token);
        let query = TokenQuery { page: Some(1), records: Some(25), global: Some(true) };
        let page = api.tokens(session, EVENT, &query).await.unwrap();
        assert_eq!(
            (page.entries.len(), page.total, page.page, page.records, page.more()),
            (2, Some(2), 1, 25, false)
        );
        assert!(page.entries.iter().all(|one| *one == token));
        assert!(api.token(session, EVENT, "17370490770235").await.unwrap() == token);
        let seen = script.seen();
        let sent: Vec<_> = seen.iter().map(|one| (one.method.as_str(), one.url.clone())).collect();
        let expected = [
            ("POST", format!("{below}/events/{EVENT}/tokens")),
            ("GET", format!("{below}/events/{EVENT}/tokens?global=true&page=1&records=25")),
            ("GET", format!("{below}/events/{EVENT}/tokens/17370490770235")),
        ];
        assert_eq!(sent, expected);
        let body: Value = serde_json::from_slice(seen[0].body.as_deref().unwrap()).unwrap();
        assert_eq!(
            Some(&body),
            examples().iter().find(|one| one.get("code").is_none() && one.get("sections").is_some())
        );
        for request in &seen {
            for name in ["X-API-Key", "X-Client-Version"] {
                let line = format!("{name}: {}", header(request, name).unwrap());
                assert!(SEED.contains(&line), "{line}");
            }
        }
        let uri = "/events/16993717817996/tokens/17370490770235";
        assert_eq!(api.resolve(uri).unwrap().as_str(), format!("{below}{uri}"));
    }
}

#[tokio::test]
async fn the_documents_errors_are_told_apart() {
    let bodies: Vec<_> = examples()
        .into_iter()
        .filter(|one| one.get("message").is_some() || one.get("error").is_some())
        .collect();
    let statuses = [
        (401, Some(UNAUTHENTICATED)),
        (403, Some(RESTRICTED)),
        (412, None),
        (404, Some(UNKNOWN_ENDPOINT)),
        (404, Some(UNKNOWN_RESOURCE)),
        (500, None),
    ];
    for (body, (status, code)) in bodies.into_iter().zip(statuses) {
        let text = body.to_string();
        let (_, staff) = staff(move |request| {
            // The session itself is as it was.
            if request.url.ends_with("/active") { answer(200, "{}") } else { answer(status, text.clone()) }
        });
        let error = staff.ticketing.token(&staff.session, EVENT, "1").await.err().unwrap();
        match (&error, status) {
            (Error::SignedOut, 401)
            | (Error::UpgradeNeeded { .. }, 412)
            | (Error::ServerFault { .. }, 500) => {}
            (Error::Status { server_code, .. }, _) => assert_eq!(server_code.as_deref(), code, "{body}"),
            _ => panic!("{body}: {error:?}"),
        }
        let words = body.as_object().unwrap().values().next().unwrap().as_str().unwrap();
        assert!(!error.to_string().contains(words) && !format!("{error:?}").contains(words));
    }
}

/// A ticket that has whatever a server may add is kept in the store byte for byte.
#[tokio::test]
async fn records_survive_the_store() {
    let record = r#"{ "serial":"ABC123-0123456789AB", "status": "Quite New", "price": 1.50, "n": 12345678901234567890123,
        "section":"/events/16993717817996/sections/16993964783416","redeemed":"N/A","\u00fc": [ null, {"a":{}} ] }"#;
    let script = Script::new(move |request| match request.url.split('?').next().unwrap() {
        url if url.ends_with("/sessions") => answer(201, r#"{"key": "a9427bf35dd3d3011a1277c9c344ae07"}"#),
        url if url.ends_with("/tickets") => answer(200, format!(r#"{{"total": 1, "entries": [{record}]}}"#)),
        _ => answer(404, r#"{"error": "There is presently no resource with the given URI."}"#),
    });
    let clock = TestClock::new();
    let phone = Phone::over(&clock, Arc::clone(&script) as _);
    let config = TicketingConfig { account: Some("CU-1".to_owned()), ..TicketingConfig::default() };
    let url = "https://api.ticketingevents.com/v3/";
    phone.wallet.sign_in(sign_in(url, config, "mira", "pw")).await.unwrap();
    phone.wallet.sync(None).await.unwrap();
    let phone = phone.restart();
    let ticket = phone.tickets().swap_remove(0);
    assert_eq!(phone.wallet.ticket(ticket.id).unwrap().body_json, record);
    assert_eq!(ticket.status, TicketStatus::Other { text: "Quite New".to_owned() });
    assert_eq!((ticket.title.as_str(), ticket.section.as_deref()), (EVENT, Some("16993964783416")));
}

#[test]
fn the_last_part_of_an_address_is_an_id() {
    for (uri, id) in [
        ("/events/1/tokens/17370490770235", "17370490770235"),
        ("/accounts/CU-1/", "CU-1"),
        ("https://h/v3/x/9?a=/b#c", "9"),
        ("7", "7"),
        ("", ""),
        ("/", ""),
    ] {
        assert_eq!(last_part(uri), id, "{uri}");
    }
    let nested = format!(r#"{{"self": "/a/1", "x": {}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert!(AdmissionToken::read(&nested).is_none());
}

/// Every text that stands for a JSON value, up to a depth.
fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|flag| flag.to_string()),
        any::<i64>().prop_map(|number| number.to_string()),
        "-?[1-9][0-9]{0,30}\\.[0-9]{1,20}",
        any::<String>().prop_map(|text| json!(text).to_string()),
        "/(events|accounts)/[0-9]{1,14}(/sections/[0-9]{1,14})?".prop_map(|text| json!(text).to_string()),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        let member = (any::<String>(), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|items| format!("[{}]", items.join(", "))),
            prop::collection::vec(member, 0..5).prop_map(|members| {
                let members: Vec<_> =
                    members.iter().map(|(name, value)| format!("{}:{value}", json!(name))).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

const MEMBERS: [&str; 16] = [
    "code",
    "global",
    "sections",
    "status",
    "section",
    "event",
    "owner",
    "issued",
    "redeemed",
    "redeemer",
    "device",
    "patron",
    "admitted",
    "tickets",
    "items",
    "something_new",
];

fn record(named: &str, values: &[Option<String>]) -> String {
    let present = MEMBERS.iter().zip(values).filter_map(|(name, value)| Some((name, value.as_ref()?)));
    let members: String = present.map(|(name, value)| format!(", \"{name}\" :{value}")).collect();
    format!("{{{named}{members}}}")
}

fn values() -> impl Strategy<Value = Vec<Option<String>>> {
    prop::collection::vec(prop::option::of(any_json()), MEMBERS.len())
}

proptest! {
    #[test]
    fn members_may_be_missing_or_of_any_type(values in values(), id in 1_u64..) {
        let zone = Zone::UTC;
        let text = record(&format!(r#""self":"/events/1/tokens/{id}""#), &values);
        let token = AdmissionToken::read(&text).unwrap();
        prop_assert_eq!((token.id, &token.body_json), (id.to_string(), &text));
        let transfer = TicketingTransfer::read(&text).unwrap();
        prop_assert_eq!(transfer.record(), &text);
        prop_assert_eq!(TicketingEvent::read(&text, zone).unwrap().record().to_owned(), text);
        let text = record(&format!(r#""self": "/x/{id}", "ticket": "S{id}""#), &values);
        prop_assert_eq!(Admission::read(&text, zone).unwrap().body_json, text);
        let text = record(&format!(r#""number": {id}"#), &values);
        let order = TicketingOrder::read(&text).unwrap();
        prop_assert_eq!((&order.number, order.record()), (&id.to_string(), text.as_str()));
    }

    #[test]
    fn a_ticket_of_any_members_is_kept_whole(values in values(), serial in "[!-~]{1,40}") {
        let text = record(&format!(r#""serial": {}"#, json!(serial)), &values);
        let ticket = TicketingTicket::read(&text).unwrap();
        prop_assert_eq!((&ticket.serial, ticket.record()), (&serial, text.as_str()));
        let (_, staff) = staff(|_| answer(404, "{}"));
        match staff.ticketing.normalise(&ticket, None) {
            Ok(pulled) => prop_assert_eq!((pulled.body, pulled.remote_id), (text, serial)),
            Err(error) => prop_assert!(matches!(error, Error::Input { .. }) && text.contains("\\u001f"), "{}", text),
        }
    }

    #[test]
    fn unknown_statuses_are_kept(status in any::<String>()) {
        let ticket = TicketingTicket::read(&json!({ "serial": "1", "status": status }).to_string()).unwrap();
        let state = ticket.state(Zone::UTC);
        let is_used = status.eq_ignore_ascii_case("redeemed") && state == TicketStatus::Invalidated;
        prop_assert!(is_used || state.as_text().eq_ignore_ascii_case(&status));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), json in any_json()) {
        for text in [&text, &json] {
            let _ = (AdmissionToken::read(text), TicketingTicket::read(text), TicketingTransfer::read(text));
            let _ = (TicketingOrder::read(text), TicketingEvent::read(text, Zone::UTC), Admission::read(text, Zone::UTC));
        }
    }
}
