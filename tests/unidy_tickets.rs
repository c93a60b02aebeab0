//! Promise: every ticket of a Unidy brand arrives whole, page by page, whatever form the brand has chosen, and its state
//! is known offline as the brand's own job will set it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/club.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod club;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use std::collections::BTreeSet;
use std::sync::Arc;

use club::{Club, Holder, NoTime, refusal};
use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{BarcodeProfile, Money, PulledTicket, TicketStatus, UnidyConfig};
use ticket_wallet::remote::unidy::{UnidyOrder, UnidyTicket, UnidyTicketQuery};
use ticket_wallet::remote::{Http, Request};
use ticket_wallet_sandbox::{Fault, PriceForm, SandboxConfig};
use url::Url;

const EXAMPLE: &str = include_str!("fixtures/unidy-ticket.json");
/// More than anybody has.
const ALL: UnidyTicketQuery = UnidyTicketQuery {
    page: None,
    limit: Some(250),
    state: None,
    payment_state: None,
    order_by: None,
    descending: None,
    service_id: None,
    ticket_category_id: None,
    user_id: None,
};

async fn list(holder: &Holder, query: &UnidyTicketQuery) -> Vec<UnidyTicket> {
    holder.unidy.tickets(&holder.session, query).await.unwrap().tickets
}

fn ids(tickets: &[UnidyTicket]) -> BTreeSet<&str> {
    tickets.iter().map(|ticket| ticket.id.as_str()).collect()
}

fn value(record: &str) -> Value {
    serde_json::from_str(record).unwrap()
}

/// Pulls until the list is complete, as a sync does.
async fn pull(holder: &Holder, limit: u32) -> Result<Vec<PulledTicket>, Error> {
    let mut all: Vec<PulledTicket> = Vec::new();
    loop {
        let offset = u32::try_from(all.len()).unwrap();
        let (tickets, total) = holder.unidy.pull(&holder.session, limit, offset).await?;
        let ended = tickets.is_empty();
        all.extend(tickets);
        if ended || total.is_none_or(|total| all.len() as i64 >= total) {
            return Ok(all);
        }
    }
}

#[tokio::test]
async fn the_documents_ticket_arrives_as_it_is() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let id = "de6500df-6fc4-4449-a6d2-306ec6dc9c21";
    let found = holder.unidy.ticket(&holder.session, id).await.unwrap();
    assert_eq!(value(found.record()), value(EXAMPLE));
    let listed = list(&holder, &ALL).await;
    let listed = listed.iter().find(|ticket| ticket.id == id).unwrap();
    assert_eq!(value(listed.record()), value(EXAMPLE));
    assert_eq!(value(&holder.unidy.normalise(listed).unwrap().body), value(EXAMPLE));
}

#[tokio::test]
async fn every_filter_and_order_is_the_servers() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let all = list(&holder, &ALL).await;
    assert!(all.len() > 20);
    let expect = |keep: &dyn Fn(&UnidyTicket) -> bool| {
        all.iter().filter(|ticket| keep(ticket)).map(|ticket| ticket.id.as_str()).collect::<BTreeSet<_>>()
    };
    for state in ["active", "passive", "inactive", "blocked_by_organizer", "never"] {
        let found = list(&holder, &UnidyTicketQuery { state: Some(state.to_owned()), ..ALL }).await;
        assert_eq!(ids(&found), expect(&|ticket| ticket.state.as_deref() == Some(state)), "{state}");
    }
    for payment in ["paid", "not payed", "partially_refunded"] {
        let query = UnidyTicketQuery { payment_state: Some(payment.to_owned()), ..ALL };
        let found = list(&holder, &query).await;
        let expected = expect(&|ticket| ticket.payment_state.as_deref() == Some(payment));
        assert!(!expected.is_empty());
        assert_eq!(ids(&found), expected, "{payment}");
    }
    let categories: BTreeSet<_> = all.iter().map(|ticket| ticket.ticket_category_id.clone()).collect();
    assert!(categories.len() > 2);
    for category in categories {
        let found = list(&holder, &UnidyTicketQuery { ticket_category_id: category.clone(), ..ALL }).await;
        assert_eq!(ids(&found), expect(&|ticket| ticket.ticket_category_id == category));
    }
    let of_service = list(&holder, &UnidyTicketQuery { service_id: Some(1), ..ALL }).await;
    assert!(of_service.len() < all.len());
    type Column = fn(&UnidyTicket) -> Option<i64>;
    let columns: [(UnidyOrder, Column); 2] =
        [(UnidyOrder::StartsAt, UnidyTicket::starts_at_s), (UnidyOrder::EndsAt, UnidyTicket::ends_at_s)];
    for (order, column) in columns {
        for descending in [false, true] {
            let query = UnidyTicketQuery { order_by: Some(order), descending: Some(descending), ..ALL };
            let found = list(&holder, &query).await;
            let times: Vec<_> = found.iter().filter_map(column).collect();
            let sorted = times.is_sorted_by(|one, next| if descending { one >= next } else { one <= next });
            assert!(sorted && found.len() == all.len(), "{order:?} {descending}");
        }
    }
    for order in [UnidyOrder::Reference, UnidyOrder::CreatedAt] {
        let query = UnidyTicketQuery { order_by: Some(order), descending: Some(false), ..ALL };
        assert_eq!(ids(&list(&holder, &query).await), ids(&all));
    }
}

#[tokio::test]
async fn pages_join_to_the_whole_list_wherever_they_begin() {
    let club = Club::with(SandboxConfig { tickets_per_user: 600, ..SandboxConfig::default() }).await;
    let holder = club.holder(1).await;
    let first = holder.unidy.tickets(&holder.session, &UnidyTicketQuery::default()).await.unwrap();
    let meta = first.meta.unwrap();
    assert_eq!((meta.page, meta.limit, meta.prev, meta.next), (Some(1), Some(25), None, Some(2)));
    assert!(!first.is_last() && meta.count.unwrap() > 300);
    let last = UnidyTicketQuery {
        page: Some(u32::try_from(meta.last.unwrap()).unwrap()),
        ..UnidyTicketQuery::default()
    };
    assert!(holder.unidy.tickets(&holder.session, &last).await.unwrap().is_last());

    let whole = pull(&holder, 100).await.unwrap();
    assert_eq!(whole.len() as i64, meta.count.unwrap());
    let unique: BTreeSet<_> = whole.iter().map(|ticket| ticket.remote_id.as_str()).collect();
    assert_eq!(unique.len(), whole.len());
    // Limits that the server does not take, and pages that no offset fits.
    for limit in [0, 7, 250, 1_000] {
        if limit == 0 {
            let (one, total) = holder.unidy.pull(&holder.session, 0, 3).await.unwrap();
            assert_eq!((one[0].remote_id.as_str(), total), (whole[3].remote_id.as_str(), meta.count));
            continue;
        }
        assert!(pull(&holder, limit).await.unwrap() == whole, "{limit}");
    }
    for offset in [1, 99, 101, 250, 321] {
        let (tickets, total) = holder.unidy.pull(&holder.session, 100, offset).await.unwrap();
        let from = usize::try_from(offset).unwrap();
        assert!(!tickets.is_empty() && tickets[..] == whole[from..from + tickets.len()], "{offset}");
        assert_eq!(total, meta.count);
    }
    let (beyond, total) = holder.unidy.pull(&holder.session, 100, 100_000).await.unwrap();
    assert_eq!((beyond.len(), total), (0, meta.count));
}

#[tokio::test]
async fn a_pull_survives_tokens_that_end_and_servers_that_fail_in_the_middle() {
    let club = Club::with(SandboxConfig { tickets_per_user: 100, ..SandboxConfig::default() }).await;
    let holder = club.holder(0).await;
    let whole = pull(&holder, 10).await.unwrap();
    for fault in [Fault::Unauthorized, Fault::Unavailable { retry_after: "1".to_owned() }, Fault::Reset] {
        club.sandbox.fault(ticket_wallet_sandbox::FaultRule {
            method: None,
            path_contains: "/api/sdk/v1/tickets".to_owned(),
            skip: 3,
            times: 1,
            fault: fault.clone(),
        });
        assert!(pull(&holder, 10).await.unwrap() == whole, "{fault:?}");
    }
    assert_eq!(club.count("/refresh_token"), 1);
}

#[tokio::test]
async fn prices_are_exact_in_every_form() {
    for form in [PriceForm::Number, PriceForm::String, PriceForm::Null] {
        for exportable in [true, false] {
            let club = Club::new().await;
            club.choose(|choices| {
                choices.price = form;
                choices.exportable_to_wallet = exportable;
            });
            let holder = club.holder(1).await;
            let all = list(&holder, &ALL).await;
            assert!(
                all.iter().filter(|ticket| ticket.exportable_to_wallet.is_some()).count() > 0 || !exportable
            );
            let price = |reference: &str| {
                // Two tickets have the first reference; the second of them costs nothing.
                let named = |ticket: &&UnidyTicket| {
                    ticket.reference.as_deref() == Some(reference)
                        && ticket.price.as_deref() != Some("0")
                        && ticket.price.as_deref() != Some("0.00")
                };
                all.iter().find(named).unwrap().money(None)
            };
            let is_null = form == PriceForm::Null;
            for (reference, minor, currency) in [
                ("2604417003-1", 3450, "EUR"),
                ("LEGACY-1", 1, "CHF"),
                ("LEGACY-2", 99_999_999, "EUR"),
                ("LEGACY-3", 6400, "EUR"),
                ("OPEN-1", -500, "EUR"),
                ("JPY-1", 3500, "JPY"),
                ("KWD-1", 12_340, "KWD"),
            ] {
                let expected = (!is_null).then(|| Money { minor, currency: currency.to_owned() });
                assert_eq!(price(reference), Ok(expected), "{reference} {form:?}");
            }
        }
    }
}

#[tokio::test]
async fn metadata_of_every_type_stays_as_it_is() {
    let club = Club::new().await;
    let holder = club.holder(1).await;
    let pulled = pull(&holder, 100).await.unwrap();
    let of =
        |reference: &str| pulled.iter().find(|ticket| value(&ticket.body)["reference"] == reference).unwrap();
    for (reference, metadata) in [
        ("LEGACY-1", json!(false)),
        ("LEGACY-2", json!("Block A; Reihe 3")),
        ("LEGACY-4", json!(null)),
        ("P4-0815", json!({})),
    ] {
        assert_eq!(value(&of(reference).body)["metadata"], metadata);
    }
    // A number that no float holds.
    assert!(of("LEGACY-3").body.contains("123456789012345678901234567890.125"));
    assert!(of("LEGACY-5").body.contains("-0.0") && of("LEGACY-5").body.contains(r"\u0000"));
    let open = of("OPEN-1");
    assert_eq!(open.status, TicketStatus::Other { text: "blocked_by_organizer".to_owned() });
    assert_eq!(value(&open.body)["future"], json!({ "nested": [1] }));
    let coded = of("OVER-3");
    assert_eq!(coded.profile, BarcodeProfile::Static);
    assert_eq!(coded.static_code.as_ref().unwrap().text, "1170370910600530009999");
    assert_eq!(of("P4-0815").profile, BarcodeProfile::None);
}

#[tokio::test]
async fn tickets_that_are_not_there_are_told_from_servers_that_do_not_answer() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let (unidy, session) = (&holder.unidy, &holder.session);
    let id = list(&holder, &ALL).await[0].id.clone();
    assert_eq!(unidy.is_gone(session, &id).await, Ok(Some(false)));
    for strange in ["nothing", "../tickets", "a/b?c#d", "ü"] {
        assert_eq!(unidy.is_gone(session, strange).await, Ok(Some(true)), "{strange}");
        assert_eq!(refusal(unidy.ticket(session, strange).await), (404, "not_found".to_owned()));
    }
    club.fault("/api/sdk/v1/tickets/", 3, Fault::Unavailable { retry_after: "100".to_owned() });
    assert!(matches!(unidy.is_gone(session, &id).await, Err(Error::Status { status: 503, .. })));
}

#[tokio::test]
async fn the_wrong_query_is_refused_by_its_name() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let query = UnidyTicketQuery { service_id: Some(-1), ..ALL };
    let refused = holder.unidy.tickets(&holder.session, &query).await;
    assert_eq!(refusal(refused), (422, "schema_validation_error".to_owned()));
}

/// The brand's job and the local rule, from a quarter of an hour before the first end to the last, in several zones: the
/// job is at most its own interval behind, and never ahead.
#[tokio::test]
async fn the_effective_state_is_what_the_brands_job_will_set() {
    for (zone, passive_expires) in [
        ("Europe/Berlin", false),
        ("Europe/Berlin", true),
        ("UTC", false),
        ("America/Havana", true),
        ("Asia/Kolkata", false),
    ] {
        let club = Club::new().await;
        club.choose(|choices| {
            choices.time_zone = zone.to_owned();
            choices.passive_expires = passive_expires;
        });
        let config = UnidyConfig { time_zone: Some(zone.to_owned()), passive_expires, ..club.sdk_config() };
        let unidy = club.unidy(config);
        let user = &club.sandbox.users()[1];
        let tokens = unidy.login(&user.name, &user.password).await.unwrap();
        let holder = Holder::new(unidy, tokens);
        let before = list(&holder, &ALL).await;
        let mut late = 0;
        // Almost two days, in steps that fall on no quarter of an hour.
        for step in 0..85 {
            club.clock.pass_s(if step == 0 { 100 } else { 2_017 });
            let now = club.now_s();
            for (held, served) in before.iter().zip(&list(&holder, &ALL).await) {
                assert_eq!(held.id, served.id);
                let server = TicketStatus::from_text(served.state.as_deref().unwrap());
                let here = holder.unidy.effective_state(held, now);
                if server == here {
                    continue;
                }
                // Only ever this: an end that the job has not come to yet.
                late += 1;
                assert_eq!(
                    (&here, server.as_text()),
                    (&TicketStatus::Inactive, held.state.as_deref().unwrap())
                );
                let end = held.ends_at_s().unwrap();
                assert!((0..900).contains(&(now - end)), "{zone} {:?}", held.reference);
            }
        }
        assert!(late > 0, "{zone}: the job was never behind");
        let changed =
            before.iter().zip(list(&holder, &ALL).await).filter(|(old, new)| old.state != new.state);
        assert_eq!(changed.count(), if passive_expires { 4 } else { 2 }, "{zone}");
    }
}

#[tokio::test]
async fn what_was_pulled_tells_its_end() {
    for passive_expires in [false, true] {
        let club = Club::new().await;
        let config = UnidyConfig { passive_expires, ..club.sdk_config() };
        let unidy = club.unidy(config);
        let user = &club.sandbox.users()[1];
        let holder = Holder::new(
            unidy,
            club.unidy(club.sdk_config()).login(&user.name, &user.password).await.unwrap(),
        );
        let pulled = pull(&holder, 100).await.unwrap();
        let of = |reference: &str| {
            pulled.iter().find(|ticket| value(&ticket.body)["reference"] == reference).unwrap()
        };
        let now = club.now_s();
        for (reference, expires_at) in
            [("OVER-1", Some(now + 60)), ("OVER-2", passive_expires.then_some(now + 60))]
        {
            assert_eq!(of(reference).expires_at, expires_at);
        }
        let late = of("OVER-2").status.at(of("OVER-2").expires_at, now + 60);
        assert_eq!(late, if passive_expires { TicketStatus::Inactive } else { TicketStatus::Passive });
    }
}

#[tokio::test]
async fn a_brand_chooses_the_length_of_pages_the_life_of_tokens_and_what_it_shows() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let first = UnidyTicketQuery::default();
    for limit in [1, 7, 250] {
        club.choose(|choices| choices.default_limit = limit);
        let page = holder.unidy.tickets(&holder.session, &first).await.unwrap();
        let limit = usize::from(limit);
        assert_eq!((page.tickets.len() == limit, page.is_last()), (limit < 250, limit == 250));
    }
    let all = list(&holder, &ALL).await.len();
    club.choose(|choices| choices.document_ticket = false);
    assert_eq!(list(&holder, &ALL).await.len(), all - 1);
    // Each list finds its token ended.
    club.choose(|choices| choices.id_token_life_s = 1);
    for renewals in 1..4 {
        club.clock.pass_s(3_700);
        assert_eq!(list(&holder, &ALL).await.len(), all - 1);
        assert_eq!(club.count("/refresh_token"), renewals);
    }
}

/// A job that runs at other times, or not at all: the wallet's own rule is the documented one.
#[tokio::test]
async fn the_rule_holds_whatever_the_job_does() {
    for (maintenance, raster) in [(true, 5), (true, 60), (false, 15)] {
        let club = Club::new().await;
        club.choose(|choices| {
            choices.maintenance = maintenance;
            choices.raster_minutes = raster;
        });
        let holder = club.holder(1).await;
        let named = async |reference: &str| {
            let all = list(&holder, &ALL).await;
            all.into_iter().find(|ticket| ticket.reference.as_deref() == Some(reference)).unwrap()
        };
        let ticket = named("OVER-1").await;
        for (after_s, over) in [(59, false), (60, true), (61, true), (7_200, true)] {
            let now = club.now_s() + after_s;
            let expected = if over { TicketStatus::Inactive } else { TicketStatus::Active };
            assert_eq!(holder.unidy.effective_state(&ticket, now), expected, "{after_s}");
        }
        club.clock.pass_s(7_200);
        let state = named("OVER-1").await.state;
        assert_eq!(state.as_deref(), Some(if maintenance { "inactive" } else { "active" }));
    }
}

#[tokio::test]
async fn the_brands_pages_are_where_they_are_said_to_be() {
    let club = Club::new().await;
    let ui = club.unidy(club.sdk_config()).ui().unwrap();
    let http = Http::new(None, Arc::new(club.clock.clone()), vec![], Arc::new(NoTime));
    let open = async |url: &Url| http.send(Request::get(url.clone(), "GET page")).await.unwrap().status;
    for (pages, status) in [(true, 200), (false, 404)] {
        club.choose(|choices| choices.pages = pages);
        assert_eq!((open(&ui.tickets).await, open(&ui.dashboard_tickets).await), (status, status));
        assert_eq!(open(&ui.api_docs).await, 200);
    }
}
