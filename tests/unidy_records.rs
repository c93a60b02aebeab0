//! Promise: a Unidy ticket is read whatever its open fields hold, nothing of it is lost, and no amount passes through a
//! float.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod client;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::host::SystemClock;
use ticket_wallet::model::{
    BarcodeProfile, Money, MoneyError, StaticCode, Symbology, SystemConfig, TicketStatus, UnidyConfig,
};
use ticket_wallet::remote::unidy::{Unidy, UnidyTicket, iso_amount};

const EXAMPLE: &str = include_str!("fixtures/unidy-ticket.json");

fn unidy_with(config: UnidyConfig) -> Result<Unidy, Error> {
    let http = client::http(None, &SystemClock, vec![]);
    let config = SystemConfig { unidy: Some(config), ..SystemConfig::at("https://nord.unidy.example") };
    Unidy::new(Arc::new(http), &config)
}

fn with_key() -> UnidyConfig {
    UnidyConfig { sdk_key: Some("key".to_owned()), ..UnidyConfig::default() }
}

fn unidy() -> Unidy {
    unidy_with(with_key()).unwrap()
}

fn money(minor: i64) -> Money {
    Money { minor, currency: "EUR".to_owned() }
}

fn ticket(record: &Value) -> UnidyTicket {
    UnidyTicket::read(&record.to_string()).unwrap()
}

#[test]
fn the_documents_ticket_is_read_and_stays_as_it_is() {
    let ticket = UnidyTicket::read(EXAMPLE).unwrap();
    assert_eq!(ticket.record(), EXAMPLE, "byte for byte");
    let texts = [
        (Some(&ticket.id), "de6500df-6fc4-4449-a6d2-306ec6dc9c21"),
        (ticket.title.as_ref(), "24-25 Heimspiel"),
        (ticket.text.as_ref(), "Kaufe hier Dein Ticket"),
        (ticket.reference.as_ref(), "1234567890-1"),
        (ticket.state.as_ref(), "inactive"),
        (ticket.venue.as_ref(), "Stadion"),
        (ticket.currency.as_ref(), "EUR"),
        (ticket.price.as_ref(), "64"),
        (ticket.starts_at.as_ref(), "2024-08-10T20:30:00.000+02:00"),
        (ticket.ends_at.as_ref(), "2024-08-10T23:30:00.000+02:00"),
        (ticket.created_at.as_ref(), "2024-07-11T17:08:54.227+02:00"),
        (ticket.updated_at.as_ref(), "2024-07-11T17:08:54.227+02:00"),
        // Neither is a UUID.
        (ticket.user_id.as_ref(), "bf6e396d-4c5c-5e98-a09b-cab64e45etrz"),
        (ticket.ticket_category_id.as_ref(), "ca97bb23-7a90-484a-bc8f-8de7c93d24673"),
    ];
    for (field, text) in texts {
        assert_eq!(field.map(String::as_str), Some(text));
    }
    for absent in [&ticket.payment_state, &ticket.button_cta_url, &ticket.info_banner, &ticket.seating] {
        assert_eq!(*absent, None);
    }
    assert_eq!((ticket.wallet_export.as_deref(), ticket.exportable_to_wallet), (Some("null"), None));
    assert_eq!(ticket.money(None), Ok(Some(money(6400))));
    let category = "/metadata/seat/priceCategory";
    assert_eq!(
        ticket.amounts(),
        [("isoAmount", 10_000), ("isoNetAmount", 10_000), ("isoVatAmount", 1_000)]
            .map(|(name, minor)| (format!("{category}/{name}"), money(minor)))
    );
    assert_eq!(format!("{ticket:?}"), "UnidyTicket(..)");
}

/// Every member of the record is a typed field or in one: nothing of the document is known only as text.
#[test]
fn every_member_of_the_documents_ticket_is_typed() {
    let ticket = UnidyTicket::read(EXAMPLE).unwrap();
    let value = |json: &Option<String>| {
        json.as_deref().map_or(Value::Null, |json| serde_json::from_str(json).unwrap())
    };
    let price: Value = serde_json::from_str(ticket.price.as_deref().unwrap()).unwrap();
    let typed = json!({
        "id": ticket.id, "title": ticket.title, "text": ticket.text, "reference": ticket.reference,
        "metadata": value(&ticket.metadata), "wallet_export": value(&ticket.wallet_export), "state": ticket.state,
        "payment_state": ticket.payment_state, "button_cta_url": ticket.button_cta_url,
        "info_banner": ticket.info_banner, "seating": ticket.seating, "venue": ticket.venue,
        "currency": ticket.currency, "starts_at": ticket.starts_at, "ends_at": ticket.ends_at,
        "created_at": ticket.created_at, "updated_at": ticket.updated_at, "price": price, "user_id": ticket.user_id,
        "ticket_category_id": ticket.ticket_category_id,
    });
    assert_eq!(typed, serde_json::from_str::<Value>(EXAMPLE).unwrap());
}

#[test]
fn the_documents_ticket_is_what_the_wallet_keeps() {
    let unidy = unidy();
    let pulled = unidy.normalise(&UnidyTicket::read(EXAMPLE).unwrap()).unwrap();
    assert_eq!(pulled.body, EXAMPLE);
    assert_eq!((pulled.status, pulled.profile), (TicketStatus::Inactive, BarcodeProfile::Static));
    let code = StaticCode {
        text: "1170370910600530002161".to_owned(),
        symbology: Symbology::Undeclared,
        source: "metadata.barcode".to_owned(),
    };
    assert!(pulled.static_code == Some(code));
    assert_eq!((pulled.seat.as_deref(), pulled.section.as_deref()), (Some("4/26"), Some("06B")));
    assert_eq!(pulled.expires_at, Some(1_723_325_400), "its end");
    let event = pulled.event.unwrap();
    assert_eq!(event.remote_id, "ca97bb23-7a90-484a-bc8f-8de7c93d24673@2024-08-10T18:30:00Z");
    assert_eq!((event.name.as_str(), event.venue.as_deref()), ("24-25 Heimspiel", Some("Stadion")));
    assert_eq!((event.starts_at, event.ends_at), (Some(1_723_314_600), Some(1_723_325_400)));
    assert_eq!(unidy.provider().unwrap().to_string(), "unidy:nord.unidy.example");
}

#[test]
fn an_event_is_what_a_category_and_a_start_have_in_common() {
    let unidy = unidy();
    let event = |record: Value| unidy.normalise(&ticket(&record)).unwrap();
    let at = |starts_at: &str, category: Value| {
        event(json!({ "id": "1", "title": "A", "starts_at": starts_at, "ticket_category_id": category }))
    };
    let one = at("2026-08-10T20:30:00.000+02:00", json!("c"));
    // The same instant, however the server writes it.
    let same = at("2026-08-10T18:30:00Z", json!("c"));
    assert_eq!(one.event.as_ref().unwrap().hash, same.event.unwrap().hash);
    for other in [at("2026-08-10T20:30:01.000+02:00", json!("c")), at("2026-08-10T18:30:00Z", json!("d"))] {
        assert_ne!(one.event.as_ref().unwrap().hash, other.event.unwrap().hash);
    }
    for without in [at("soon", json!("c")), at("2026-08-10T18:30:00Z", json!(null))] {
        assert!(without.event.is_none() && without.category.as_deref() == Some("A"));
    }
    let refused = unidy.normalise(&ticket(&json!({ "id": "a\u{1f}b" }))).err();
    assert!(matches!(refused, Some(Error::Input { field: "id", .. })));
}

#[test]
fn codes_and_seats_come_from_where_they_may_stand() {
    let codes = |metadata: Value, export: Value| {
        let record = json!({ "id": "1", "metadata": metadata, "wallet_export": export });
        ticket(&record).static_codes().into_iter().map(|code| (code.text, code.source)).collect::<Vec<_>>()
    };
    let code = |text: &str, source: &str| (text.to_owned(), source.to_owned());
    let (barcode, qr) = (json!({ "barcode": "B" }), json!({ "qr_code": "Q", "further_information": "x" }));
    let (from_metadata, from_export) = (code("B", "metadata.barcode"), code("Q", "wallet_export.qr_code"));
    assert_eq!(codes(barcode.clone(), qr.clone()), [from_metadata.clone(), from_export.clone()]);
    assert_eq!(codes(barcode, json!(null)), [from_metadata]);
    assert_eq!(codes(json!([]), qr), [from_export]);
    for none in [json!({ "barcode": 7 }), json!({ "barcode": "" }), json!("barcode"), json!(false)] {
        assert_eq!(codes(none.clone(), none), []);
    }
    for (seating, seat, expected) in [
        (json!("Block A"), json!({ "rowLabel": "1" }), Some("Block A")),
        (json!(" "), json!("A 7"), Some("A 7")),
        (json!({ "row": 1 }), json!({ "rowLabel": "4", "seatLabel": 26 }), Some("4/26")),
        (json!(null), json!({ "seatLabel": "26" }), Some("26")),
        (json!(null), json!({ "rowLabel": {}, "seatLabel": "" }), None),
        (json!(null), json!([1]), None),
    ] {
        let record = json!({ "id": "1", "seating": seating, "metadata": { "seat": seat } });
        assert_eq!(ticket(&record).seat().as_deref(), expected, "{record}");
    }
}

#[test]
fn a_price_is_the_tickets_currency_or_the_categorys_or_the_euro() {
    let price = |price: Value, currency: Value, category: Option<&str>| {
        ticket(&json!({ "id": "1", "price": price, "currency": currency })).money(category)
    };
    let amount = |minor, currency: &str| Ok(Some(Money { minor, currency: currency.to_owned() }));
    assert_eq!(price(json!("64.10"), json!("USD"), Some("CHF")), amount(6410, "USD"));
    assert_eq!(price(json!(64.1), json!(null), Some("CHF")), amount(6410, "CHF"));
    assert_eq!(price(json!(64), json!(""), None), amount(6400, "EUR"));
    assert_eq!(price(json!(64), json!("JPY"), None), amount(64, "JPY"));
    assert_eq!(price(json!(null), json!("EUR"), None), Ok(None));
    assert_eq!(price(json!("64.101"), json!("EUR"), None), Err(MoneyError::Precision));
    assert_eq!(price(json!("free"), json!("EUR"), None), Err(MoneyError::Number));
    assert_eq!(price(json!({ "amount": 1 }), json!("EUR"), None), Err(MoneyError::Number));
    assert_eq!(price(json!(1), json!("Euro"), None), Err(MoneyError::Currency));
    // More digits than a float has.
    let exact = UnidyTicket::read(r#"{"id": 1, "price": 92233720368547758.07}"#).unwrap();
    assert_eq!(exact.money(None), amount(i64::MAX, "EUR"));
    assert_eq!(iso_amount(r#"{"amount": "100", "currency": "EUR"}"#), Ok(money(10_000)));
    assert_eq!(iso_amount(r#"{"amount": 0.07, "currency": "EUR", "more": []}"#), Ok(money(7)));
    for none in [
        "{}",
        "[]",
        "7",
        r#"{"amount": "1"}"#,
        r#"{"currency": "EUR"}"#,
        r#"{"amount": {}, "currency": "EUR"}"#,
    ] {
        assert!(iso_amount(none).is_err(), "{none}");
    }
}

#[test]
fn a_button_leads_to_https_only() {
    let button = |url: Value, category: Option<&str>| {
        let found = ticket(&json!({ "id": "1", "button_cta_url": url })).button_url(category);
        found.map(|url| url.to_string())
    };
    let (own, of_category) = ("https://a.example/x", "https://b.example/y");
    assert_eq!(button(json!(own), Some(of_category)).as_deref(), Some(own));
    for absent in [json!(null), json!(""), json!(7)] {
        assert_eq!(button(absent.clone(), Some(of_category)).as_deref(), Some(of_category));
        assert_eq!(button(absent, None), None);
    }
    for bad in ["javascript:alert(1)", "http://a.example", "file:///etc", "//a.example", "x"] {
        assert_eq!(button(json!(bad), Some(of_category)), None, "{bad}");
        assert_eq!(button(json!(null), Some(bad)), None);
    }
}

#[test]
fn what_is_no_record_is_none_and_depth_is_bounded() {
    for none in
        ["", "null", "[]", "7", "{}", r#"{"id": null}"#, r#"{"id": ""}"#, r#"{"id": {}}"#, r#"{"id": "1""#]
    {
        assert!(UnidyTicket::read(none).is_none(), "{none}");
    }
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        UnidyTicket::read(&format!(r#"{{"id": "1", "metadata": {open}{close}}}"#))
    };
    assert!(nested(90).is_some_and(|ticket| ticket.amounts().is_empty()));
    assert!(nested(10_000).is_none());
}

#[test]
fn a_configuration_that_cannot_work_names_its_field() {
    let field = |config: UnidyConfig| match unidy_with(config) {
        Err(Error::Input { field, .. }) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(field(UnidyConfig::default()), "sdk_key");
    assert_eq!(field(UnidyConfig { sdk_key: Some("a\nb".to_owned()), ..with_key() }), "sdk_key");
    assert_eq!(field(UnidyConfig { sdk_version: Some(String::new()), ..with_key() }), "sdk_version");
    assert_eq!(field(UnidyConfig { time_zone: Some("Mars/Olympus".to_owned()), ..with_key() }), "time_zone");
    assert_eq!(
        field(UnidyConfig { partner_prefix: Some("../x".to_owned()), ..with_key() }),
        "partner_prefix"
    );
    let ui = unidy().ui().unwrap();
    let addresses = [&ui.tickets, &ui.dashboard_tickets, &ui.api_docs].map(|url| url.path());
    assert_eq!(addresses, ["/tickets", "/dashboard/tickets", "/api-docs"]);
}

/// JSON of any kind, as text: with numbers that no float holds and escapes of every sort.
fn any_json() -> impl Strategy<Value = String> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>()
            .prop_filter("finite", |number| number.is_finite())
            .prop_map(|number| format!("{number:e}")),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?",
    ];
    let text = any::<String>().prop_map(|text| json!(text).to_string());
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("false".to_owned()),
        Just("true".to_owned()),
        Just("\"\\ud83c\\udf9f \\u0000\"".to_owned()),
        number,
        text.clone(),
    ];
    let key = prop_oneof![
        text,
        prop::sample::select(vec![
            "barcode",
            "qr_code",
            "seat",
            "amount",
            "currency",
            "rowLabel",
            "areaLabel"
        ])
        .prop_map(|name| json!(name).to_string()),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|items| format!("[{}]", items.join(" , "))),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|members| {
                let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", members.join(","))
            }),
        ]
    })
}

const MEMBERS: [&str; 21] = [
    "title",
    "text",
    "reference",
    "metadata",
    "wallet_export",
    "exportable_to_wallet",
    "state",
    "payment_state",
    "price",
    "currency",
    "button_cta_url",
    "info_banner",
    "seating",
    "venue",
    "starts_at",
    "ends_at",
    "created_at",
    "updated_at",
    "user_id",
    "ticket_category_id",
    "something_new",
];

proptest! {
    #[test]
    fn metadata_may_be_any_json(metadata in any_json(), export in any_json()) {
        let record = format!(r#"{{"metadata":{metadata},"id":"1","wallet_export":{export}}}"#);
        let ticket = UnidyTicket::read(&record).unwrap();
        prop_assert_eq!(ticket.record(), &record);
        prop_assert_eq!(ticket.metadata.as_deref(), Some(metadata.as_str()));
        prop_assert_eq!(ticket.wallet_export.as_deref(), Some(export.as_str()));
        let pulled = unidy().normalise(&ticket).unwrap();
        prop_assert_eq!(pulled.profile == BarcodeProfile::Static, !ticket.static_codes().is_empty());
        let (amounts, body) = (ticket.amounts(), pulled.body);
        prop_assert_eq!(body, record);
        prop_assert!(amounts.iter().all(|(pointer, _)| pointer.starts_with("/metadata")));
    }

    #[test]
    fn members_may_be_missing_or_of_any_type(
        values in prop::collection::vec(prop::option::of(any_json()), MEMBERS.len()), id in "[!-~]{1,40}",
    ) {
        let present = MEMBERS.iter().zip(&values).filter_map(|(name, value)| Some((name, value.as_ref()?)));
        let members: String = present.map(|(name, value)| format!(",\"{name}\": {value}")).collect();
        let record = format!("{{\"id\":{}{members}}}", json!(id));
        let ticket = UnidyTicket::read(&record).unwrap();
        prop_assert_eq!((&ticket.id, ticket.record()), (&id, record.as_str()));
        let pulled = unidy().normalise(&ticket).unwrap();
        prop_assert_eq!(pulled.body, record);
        let _ = (ticket.money(None), ticket.amounts(), ticket.seat(), ticket.section());
    }

    #[test]
    fn unknown_states_are_kept(state in any::<String>(), payment in any::<String>()) {
        let ticket = ticket(&json!({ "id": "1", "state": state, "payment_state": payment }));
        prop_assert_eq!(ticket.payment_state.as_deref(), Some(payment.as_str()));
        let pulled = unidy().normalise(&ticket).unwrap();
        prop_assert!(pulled.status.as_text().eq_ignore_ascii_case(&state));
    }

    #[test]
    fn a_price_is_read_as_its_text_is(
        whole in "(0|[1-9][0-9]{0,18})", fraction in "[0-9]{0,4}", sign in "-?", quoted in any::<bool>(),
    ) {
        let text = if fraction.is_empty() { whole } else { format!("{whole}.{fraction}") };
        let text = format!("{sign}{text}");
        let written = if quoted { json!(text).to_string() } else { text.clone() };
        let ticket = UnidyTicket::read(&format!(r#"{{"id": "1", "price": {written}}}"#)).unwrap();
        prop_assert_eq!(ticket.money(None), Money::parse(&text, "EUR").map(Some));
    }

    #[test]
    fn no_text_panics(text in any::<String>(), json in any_json()) {
        let _ = (UnidyTicket::read(&text), UnidyTicket::read(&json), iso_amount(&text), iso_amount(&json));
    }
}
