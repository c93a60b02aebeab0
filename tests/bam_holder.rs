//! Promise: a holder gets over B.A.M what its documents and the vendor's SDK offer: lists with every parameter, single
//! tickets, codes that verify, questions, certificates, orders with their files, one's own offers.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/bam_client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod bam_client;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

use std::collections::BTreeSet;

use bam_client::Client;
use phone::{TODAY_MS, TestClock, sandbox};
use serde_json::{Value, json};
use tenants::tenant;
use ticket_wallet::barcode::{BamCode, BamCodeError, BamCodeTicket, EventKey, read_png};
use ticket_wallet::error::Error;
use ticket_wallet::model::{
    BamConfig, HolderQuestion, Money, OrderStatus, Symbology, TicketFormat, TicketStatus,
};
use ticket_wallet::remote::bam::{BamTicket, Direction, RelationExpression, TicketPage, TicketQuery, claims};
use ticket_wallet_sandbox::{BamChoices, Fault, FaultRule, Sandbox, SandboxConfig};

const CLUB: &str = "nordhafen";

async fn open(config: SandboxConfig) -> (TestClock, Sandbox, Client) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, config).await;
    let holder = Client::holder(&clock, &sandbox, 0).await;
    (clock, sandbox, holder)
}

fn records(page: &TicketPage) -> Vec<Value> {
    page.items.iter().map(|(_, record)| serde_json::from_str(record.get()).unwrap()).collect()
}

async fn all(holder: &Client) -> Vec<Value> {
    let query = holder.bam.pull_query(100, 0);
    records(&holder.bam.tickets(&holder.session, &query).await.unwrap())
}

fn id(record: &Value) -> String {
    record["id"].as_str().map_or_else(|| record["id"].to_string(), str::to_owned)
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome {
        Err(Error::Status { status, server_code, .. }) => (status, server_code.unwrap_or_default()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_list_of_all_tenants_takes_every_documented_parameter() {
    let (_, sandbox, holder) = open(SandboxConfig::default()).await;
    let list =
        async |query: TicketQuery| records(&holder.bam.tickets(&holder.session, &query).await.unwrap());
    let plain = list(TicketQuery::default()).await;
    assert!(plain.len() > 10 && plain.iter().all(|record| record.get("enrollment_id").is_none()));
    assert!(plain.iter().all(|record| record.get("ticket_config").is_none()));
    for format in [TicketFormat::Pdf, TicketFormat::Secure] {
        let only = list(TicketQuery { format: Some(format.clone()), ..TicketQuery::default() }).await;
        let expected: Vec<_> = plain.iter().filter(|record| record["format"] == format.as_text()).collect();
        assert!(!only.is_empty() && only.iter().eq(expected), "{format:?}");
    }
    let owned = list(TicketQuery { with_enrollment_id: true, ..TicketQuery::default() }).await;
    let owners: BTreeSet<_> = owned.iter().map(|record| record["enrollment_id"].as_str().unwrap()).collect();
    assert_eq!(owners.len(), 1);
    for (direction, falls) in [(Direction::Ascending, false), (Direction::Descending, true)] {
        let query = TicketQuery {
            sort_by: Some("updated_at".to_owned()),
            direction: Some(direction),
            ..TicketQuery::default()
        };
        let mut times: Vec<_> = list(query)
            .await
            .iter()
            .map(|record| record["updated_at"].as_str().unwrap().to_owned())
            .collect();
        if falls {
            times.reverse();
        }
        assert!(times.is_sorted(), "{direction:?}");
    }
    // The seed's own example.
    let with = RelationExpression::parse("[ticket_holder,ticket_config.event]").unwrap();
    let full = list(TicketQuery { with, ..TicketQuery::default() }).await;
    assert!(full.iter().all(|record| record["ticket_config"]["event"]["name"].is_string()));
    assert!(
        full.iter().all(|record| record.get("ticket_holder").is_some() && record.get("sector").is_none())
    );
    let sent: Vec<String> = sandbox
        .recorded()
        .into_iter()
        .filter(|request| request.path == "/v1/ticket")
        .flat_map(|request| request.query.into_iter().map(|(name, value)| format!("{name}={value}")))
        .collect();
    for parameter in [
        "format=PDF",
        "format=SECURE",
        "with_enrollment_id=true",
        "sort_by=updated_at",
        "direction=asc",
        "direction=desc",
        "with=[ticket_holder,ticket_config.event]",
    ] {
        assert!(sent.iter().any(|pair| pair == parameter), "{parameter}: {sent:?}");
    }
    let wrong = TicketQuery { sort_by: Some("price".to_owned()), ..TicketQuery::default() };
    let refused = holder.bam.tickets(&holder.session, &wrong).await.map(|page| page.items.len());
    assert_eq!(refusal(refused), (400, "VALIDATION_FAILED".to_owned()));
}

#[tokio::test]
async fn lists_come_in_pages_or_whole_with_ids_of_either_kind() {
    for paged in [true, false] {
        for string_ids in [true, false] {
            let bam = BamChoices { paged, tenant_paged: paged, string_ids, ..BamChoices::default() };
            let config = SandboxConfig { bam, page_limit: 5, ..SandboxConfig::default() };
            let (_clock, _sandbox, holder) = open(config).await;
            let mut ids = BTreeSet::new();
            let mut total = None;
            for offset in (0..24).step_by(if paged { 5 } else { 24 }) {
                let query = holder.bam.pull_query(100, offset);
                let page = holder.bam.tickets(&holder.session, &query).await.unwrap();
                assert_eq!(page.is_whole(), !paged);
                total = page.total;
                for (ticket, record) in &page.items {
                    let record: Value = serde_json::from_str(record.get()).unwrap();
                    assert_eq!(
                        (record["id"].is_string(), ticket.id.clone()),
                        (string_ids, Some(id(&record)))
                    );
                    let place = holder.bam.normalise(&holder.session, ticket, &raw(&record)).await.unwrap();
                    ids.insert((place.tenant, place.remote_id));
                }
            }
            assert_eq!((ids.len(), total), (24, paged.then_some(24)), "{paged} {string_ids}");
        }
    }
}

fn raw(record: &Value) -> Box<serde_json::value::RawValue> {
    serde_json::value::to_raw_value(record).unwrap()
}

#[tokio::test]
async fn a_tenant_s_list_filters_by_status_and_format() {
    let (_clock, _sandbox, holder) = open(SandboxConfig::default()).await;
    let here: Vec<_> = all(&holder).await.into_iter().filter(|record| tenant(record) == CLUB).collect();
    let statuses: BTreeSet<_> = here.iter().map(|record| record["status"].as_str().unwrap()).collect();
    assert!(statuses.len() > 1, "{statuses:?}");
    for status in statuses {
        let query = TicketQuery {
            status: Some(TicketStatus::from_text(status)),
            format: Some(TicketFormat::Secure),
            ..TicketQuery::default()
        };
        let page = holder.bam.tenant_tickets(&holder.session, Some(CLUB), &query).await.unwrap();
        let mut found: Vec<_> = records(&page).iter().map(id).collect();
        let fits = |record: &&Value| record["status"] == status && record["format"] == "SECURE";
        let mut expected: Vec<_> = here.iter().filter(fits).map(id).collect();
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{status}");
    }
    let nowhere = holder.bam.tenant_tickets(&holder.session, Some("nowhere"), &TicketQuery::default()).await;
    assert_eq!(refusal(nowhere.map(|page| page.items.len())).0, 404);
}

#[tokio::test]
async fn a_ticket_is_found_by_its_id_and_by_the_ledger_s() {
    let (_clock, _sandbox, holder) = open(SandboxConfig::default()).await;
    let mut seen = 0;
    for record in all(&holder).await {
        let (here, id) = (tenant(&record), id(&record));
        let (ticket, body) = holder.bam.ticket(&holder.session, (Some(here), &id)).await.unwrap();
        assert_eq!(serde_json::from_str::<Value>(body.get()).unwrap(), record);
        let config = ticket.ticket_config.unwrap();
        let ledger_id = format!(
            "E{}TC{}T{}",
            config.event.unwrap().id.unwrap(),
            config.id.unwrap(),
            ticket.seq_num.unwrap()
        );
        let place = (Some(here), ledger_id.as_str());
        match holder.bam.ticket_by_ledger_id(&holder.session, place).await {
            Ok((_, same)) => {
                assert_eq!(same.get(), body.get());
                seen += 1;
            }
            Err(error) => panic!("{ledger_id}: {error}"),
        }
    }
    assert_eq!(seen, 24);
    let none = async |id: &str| {
        let found = holder.bam.ticket(&holder.session, (Some(CLUB), id)).await;
        found.map(|(ticket, _)| ticket.id)
    };
    assert_eq!(refusal(none("987654321").await), (404, "NOT_FOUND".to_owned()));
    for odd in ["", ".", ".."] {
        assert!(matches!(none(odd).await, Err(Error::Input { field: "id", .. })), "{odd}");
    }
    assert_eq!(
        refusal(none("../../../account/v1/organizer/101").await).0,
        400,
        "one segment, whatever it holds"
    );
}

/// The ticket that a record's code must name.
fn named(record: &Value) -> BamCodeTicket {
    BamCodeTicket {
        event: record["ticket_config"]["event"]["id"].as_u64().unwrap(),
        ticket_config: record["ticket_config"]["id"].as_u64().unwrap(),
        seq_num: record["seq_num"].as_u64().unwrap(),
    }
}

#[tokio::test]
async fn the_code_in_a_ticket_s_picture_verifies_with_its_event_s_key_and_no_other() {
    let (clock, sandbox, holder) = open(SandboxConfig::default()).await;
    let desk = Client::organizer(&clock, &sandbox, CLUB, BamConfig::default()).await;
    let mut codes = 0;
    for record in all(&holder).await.iter().filter(|record| tenant(record) == CLUB) {
        let id = id(record);
        let place = (Some(CLUB), id.as_str());
        let usable =
            record["format"] == "SECURE" && matches!(record["status"].as_str(), Some("issued" | "activated"));
        if !usable {
            let refused = holder.bam.static_code(&holder.session, place).await.map(|code| code.source);
            assert_eq!(refusal(refused), (409, "NO_QR_CODE".to_owned()));
            continue;
        }
        let picture = holder.bam.qr_code(&holder.session, place).await.unwrap();
        let code = holder.bam.static_code(&holder.session, place).await.unwrap();
        assert_eq!(read_png(&picture).as_deref(), Ok(code.text.as_str()));
        assert_eq!((code.symbology.clone(), format!("{code:?}").as_str()), (Symbology::Qr, "StaticCode(..)"));
        assert!(sandbox.secrets().contains(&code.text));
        let read = BamCode::parse(&code.text).unwrap();
        assert_eq!(read.ticket(), named(record));
        let (right, wrong) = (read.ticket().event, read.ticket().event % 5 + 1);
        let key = async |event: u64| -> EventKey {
            let (session, event) = (&desk.session, event.to_string());
            desk.bam.event_public_key(session, Some(CLUB), "101", &event).await.unwrap()
        };
        assert_eq!(read.verify(&key(right).await), Ok(()));
        assert_eq!(read.verify(&key(wrong).await), Err(BamCodeError::NotSigned));
        codes += 1;
    }
    assert!(codes > 2, "{codes}");
    let bodies = sandbox.recorded();
    let asked = bodies.iter().find(|request| request.path.ends_with("/qrcode")).unwrap();
    assert_eq!(asked.body, ["/action", "/fcn"]);
    // The server gives the key to the organizer alone.
    let key = holder.bam.event_public_key(&holder.session, Some(CLUB), "101", "1").await;
    assert_eq!(refusal(key), (403, "FORBIDDEN".to_owned()));
    let unknown = desk.bam.event_public_key(&desk.session, Some(CLUB), "101", "999").await;
    assert_eq!(refusal(unknown), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn questions_come_with_the_answers() {
    let (_clock, _sandbox, holder) = open(SandboxConfig::default()).await;
    let record = all(&holder).await.into_iter().find(|record| tenant(record) == CLUB).unwrap();
    let id = id(&record);
    let place = (Some(CLUB), id.as_str());
    assert_eq!(holder.bam.holder_questions(&holder.session, place, None).await.unwrap(), None);
    let answers = json!({ "shirt": "M", "guests": ["Zoë"] });
    holder.bam.save_ticket_holder(&holder.session, place, None, &answers).await.unwrap();
    for holder_id in [None, Some(id.as_str())] {
        let form = holder.bam.holder_questions(&holder.session, place, holder_id).await.unwrap().unwrap();
        assert_eq!((form.holder_id.as_deref(), form.response.as_ref()), (Some(id.as_str()), Some(&answers)));
        let question = |key: &str, content: &str, kind: &str, required| HolderQuestion {
            key: key.to_owned(),
            content: Some(content.to_owned()),
            kind: Some(kind.to_owned()),
            required,
        };
        let expected = [
            question("shirt", "Welche Größe hat Ihr Trikot?", "select", true),
            question("guests", "Wer kommt mit Ihnen?", "text", false),
        ];
        assert_eq!(form.questions, expected);
        assert!(form.body_json.contains("questionnaire_item"));
    }
    let unknown = holder.bam.holder_questions(&holder.session, place, Some("987654")).await;
    assert_eq!(refusal(unknown), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn a_certificate_is_made_once_and_renewed() {
    let (_, sandbox, holder) = open(SandboxConfig::default()).await;
    let before = holder.bam.renew_certificate(&holder.session).await;
    assert_eq!(refusal(before), (404, "NOT_FOUND".to_owned()));
    let first = holder.bam.enroll(&holder.session).await.unwrap();
    let claimed =
        claims(&holder.tokens.access).into_iter().find(|(name, _)| name == "enrollment_id").unwrap().1;
    assert_eq!((first.enrollment_id.as_str(), first.id.is_some()), (claimed.as_str(), true));
    assert!(first.certificate_pem.starts_with("-----BEGIN CERTIFICATE-----"));
    assert!(first.private_key.contains("PRIVATE KEY-----"));
    assert!(sandbox.secrets().iter().any(|secret| secret.trim() == first.private_key.trim()));
    assert_eq!(format!("{first:?}"), "Enrollment(..)");
    let again = holder.bam.enroll(&holder.session).await;
    assert_eq!(refusal(again), (409, "ALREADY_ENROLLED".to_owned()));
    let second = holder.bam.renew_certificate(&holder.session).await.unwrap();
    assert_eq!(second.enrollment_id, first.enrollment_id);
    assert!(second.certificate_pem != first.certificate_pem && second.private_key != first.private_key);
}

#[tokio::test]
async fn orders_come_page_by_page_with_exact_amounts_and_their_tickets() {
    for page_limit in [1, 100] {
        let (_clock, _sandbox, holder) = open(SandboxConfig { page_limit, ..SandboxConfig::default() }).await;
        let mut bought = BTreeSet::new();
        for tenant in [CLUB, "weidental", "eschenried"] {
            let orders = holder.bam.orders(&holder.session, Some(tenant)).await.unwrap();
            assert!(!orders.is_empty(), "{tenant}");
            for order in orders {
                let place = (Some(tenant), order.remote_id.as_str());
                assert_eq!(holder.bam.order(&holder.session, place).await.unwrap(), order);
                let body: Value = serde_json::from_str(&order.body_json).unwrap();
                let total = Money::parse(&body["total"].to_string(), "EUR").unwrap();
                assert_eq!((&order.status, order.total.as_ref()), (&OrderStatus::Paid, Some(&total)));
                assert_eq!(order.refunded, Some(Money { minor: 0, currency: "EUR".to_owned() }));
                assert!(order.created_at.is_some_and(|at| at * 1000 < TODAY_MS));
                assert_eq!(order.tenant.as_deref(), Some(tenant));
                bought.extend(order.ticket_ids.iter().map(|id| format!("{tenant}/{id}")));
            }
        }
        let owned: BTreeSet<_> = all_pages(&holder)
            .await
            .iter()
            .map(|record| format!("{}/{}", tenant(record), id(record)))
            .collect();
        assert_eq!(bought, owned);
    }
    let (_clock, _sandbox, holder) = open(SandboxConfig::default()).await;
    let unknown = holder.bam.order(&holder.session, (Some(CLUB), "4711")).await;
    assert_eq!(refusal(unknown), (404, "NOT_FOUND".to_owned()));
}

async fn all_pages(holder: &Client) -> Vec<Value> {
    let mut found = Vec::new();
    loop {
        let offset = u32::try_from(found.len()).unwrap();
        let page = holder.bam.tickets(&holder.session, &holder.bam.pull_query(100, offset)).await.unwrap();
        found.extend(records(&page));
        if found.len() >= usize::try_from(page.total.unwrap()).unwrap() {
            return found;
        }
    }
}

/// Buys tickets as an app of the tenant's would; this library sells none.
async fn buy(sandbox: &Sandbox, holder: &Client, format: &str, quantity: u32) -> String {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let base = format!("{}/t/{CLUB}", sandbox.url());
    let post = async |path: &str, body: Value| -> Value {
        let request = client.post(format!("{base}/{path}")).bearer_auth(holder.tokens.access.as_str());
        let request = request.header("Content-Type", "application/json").body(body.to_string());
        serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap()
    };
    let items = json!([{ "quantity": quantity, "ticket_config_id": 1, "sector_id": 1 }]);
    let order = post("event/v1/order", json!({ "format": format, "order_item": items })).await;
    let id = order["data"]["id"].as_i64().unwrap();
    post(&format!("payment/v1/payment/stripe?order_id={id}"), json!({})).await;
    assert!(sandbox.end_payment(CLUB, id, true).unwrap());
    id.to_string()
}

#[tokio::test]
async fn an_order_s_tickets_come_as_a_file_of_its_format() {
    let (_, sandbox, holder) = open(SandboxConfig::default()).await;
    for (format, quantity, media_type) in [
        ("PDF", 2, "application/pdf"),
        ("PKPASS", 1, "application/vnd.apple.pkpass"),
        ("PKPASS", 3, "application/vnd.apple.pkpasses"),
    ] {
        let id = buy(&sandbox, &holder, format, quantity).await;
        let place = (Some(CLUB), id.as_str());
        let file = holder.bam.download_tickets(&holder.session, place).await.unwrap();
        assert_eq!(file.media_type, media_type);
        assert!(file.bytes.len() > 200 && format!("{file:?}") == "TicketFile(..)");
        let order = holder.bam.order(&holder.session, place).await.unwrap();
        assert_eq!((order.format.as_deref(), order.ticket_ids.len()), (Some(format), quantity as usize));
    }
    let id = buy(&sandbox, &holder, "SECURE", 1).await;
    let secure = holder.bam.download_tickets(&holder.session, (Some(CLUB), &id)).await;
    assert_eq!(refusal(secure), (409, "NOT_DOWNLOADABLE".to_owned()));
    let unknown = holder.bam.download_tickets(&holder.session, (Some(CLUB), "4711")).await;
    assert_eq!(refusal(unknown), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn an_e_mail_is_asked_for_once() {
    let (_, sandbox, holder) = open(SandboxConfig::default()).await;
    let id = buy(&sandbox, &holder, "PDF", 1).await;
    let place = (Some(CLUB), id.as_str());
    holder.bam.email_tickets(&holder.session, place).await.unwrap();
    sandbox.fault(FaultRule {
        method: None,
        path_contains: "email_tickets".to_owned(),
        skip: 0,
        times: 1,
        fault: Fault::LostReply,
    });
    let lost = holder.bam.email_tickets(&holder.session, place).await;
    assert!(lost.unwrap_err().is_uncertain());
    let sent = sandbox.requests().iter().filter(|request| request.ends_with("/email_tickets")).count();
    assert_eq!(sent, 2, "a lost answer sends no second e-mail by itself");
    let unknown = holder.bam.email_tickets(&holder.session, (Some(CLUB), "4711")).await;
    assert_eq!(refusal(unknown), (404, "NOT_FOUND".to_owned()));
}

#[tokio::test]
async fn own_offers_are_read() {
    for string_ids in [false, true] {
        let bam = BamChoices { string_ids, ..BamChoices::default() };
        let (_clock, _sandbox, holder) = open(SandboxConfig { bam, ..SandboxConfig::default() }).await;
        let mut seen = 0;
        for tenant in [CLUB, "weidental", "eschenried"] {
            for offer in holder.bam.own_offers(&holder.session, Some(tenant)).await.unwrap() {
                let body: Value = serde_json::from_str(&offer.body_json).unwrap();
                let price = Money::parse(&body["price"].to_string(), "EUR").unwrap();
                assert_eq!((offer.price, offer.kind.as_deref()), (Some(price), body["type"].as_str()));
                assert!(
                    offer.event_id.is_some() && offer.ticket_config_id.is_some() && offer.seq_num.is_some()
                );
                assert_eq!(offer.valid_until, Some(body["valid_until"].to_string()));
                seen += 1;
            }
        }
        assert!(seen > 0);
    }
}

#[tokio::test]
async fn a_token_s_claims_are_told_without_the_token() {
    let (clock, sandbox, holder) = open(SandboxConfig::default()).await;
    let desk = Client::organizer(&clock, &sandbox, CLUB, BamConfig::default()).await;
    for (client, name) in [(&holder, &sandbox.users()[0].name), (&desk, &sandbox.organizers()[0].name)] {
        let shown = claims(&client.tokens.access);
        let claim =
            |name: &str| shown.iter().find(|(claim, _)| claim == name).map(|(_, value)| value.as_str());
        assert_eq!((claim("username"), claim("type")), (Some(name.as_str()), Some("registered")));
        let expires_at: i64 = claim("exp").unwrap().parse().unwrap();
        assert_eq!(expires_at, TODAY_MS / 1000 + 3600);
        for (_, value) in &shown {
            let told = sandbox.secrets().into_iter().find(|secret| value.contains(secret.as_str()));
            assert_eq!(told, None, "{value}");
        }
    }
    let permissions =
        claims(&desk.tokens.access).into_iter().find(|(name, _)| name == "permissions").unwrap().1;
    assert!(permissions.contains("reserve"), "{permissions}");
}

#[test]
fn the_records_types_tell_nothing_when_they_are_printed() {
    let ticket = BamTicket::read(r#"{"id":1,"ticket_holder":{"first_name":"Mira"}}"#).unwrap();
    assert_eq!(format!("{ticket:?} {:?}", ticket.ticket_holder), "BamTicket(..) Some(BamTicketHolder(..))");
}
