//! Promise: an organiser's own systems make, read, change and delete tickets at Unidy, however the brand serves its partner
//! API.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/club.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod club;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::collections::BTreeSet;
use std::sync::Arc;

use club::{Club, Holder, NoTime, refusal};
use phone::TestClock;
use script::{Script, answer};
use serde_json::json;
use ticket_wallet::error::Error;
use ticket_wallet::model::{Money, SystemConfig, Tokens, UnidyApi, UnidyConfig, UnidyGrant};
use ticket_wallet::remote::Http;
use ticket_wallet::remote::unidy::{TicketChange, Unidy, UnidyTicket, UnidyTicketQuery};
use ticket_wallet_sandbox::{CreatedForm, ErrorForm, Fault, ListForm, SandboxConfig, UnidyChoices};
use zeroize::Zeroizing;

const METADATA: &str = r#"{ "barcode": "117", "any": [null, 1.50, 12345678901234567890.123] }"#;
const LISTS: [ListForm; 3] = [ListForm::Results, ListForm::Named, ListForm::Bare];

fn partner_config(club: &Club) -> UnidyConfig {
    UnidyConfig { grant: Some(UnidyGrant::ClientCredentials), ..club.oauth_config("partner") }
}

/// A server that is signed in by itself.
async fn partner(club: &Club, config: UnidyConfig) -> Holder {
    let unidy = club.unidy(config);
    let tokens = unidy.client_credentials().await.unwrap();
    Holder::new(unidy, tokens)
}

async fn whole(holder: &Holder) -> Vec<UnidyTicket> {
    let mut all = Vec::new();
    for page in 1.. {
        let query = UnidyTicketQuery { page: Some(page), limit: Some(20), ..UnidyTicketQuery::default() };
        let page = holder.unidy.tickets(&holder.session, &query).await.unwrap();
        let last = page.is_last();
        all.extend(page.tickets);
        if last {
            break;
        }
    }
    all
}

/// The owner and category of some ticket, for a new one.
async fn place(holder: &Holder) -> (Option<String>, Option<String>) {
    let tickets = whole(holder).await;
    (tickets[0].user_id.clone(), tickets[0].ticket_category_id.clone())
}

fn change(place: (Option<String>, Option<String>)) -> TicketChange {
    TicketChange {
        title: Some("Heimspiel".to_owned()),
        reference: Some("NEW-1".to_owned()),
        price: Some(Money::parse("64.10", "EUR").unwrap()),
        starts_at: Some("2026-12-10T20:30:00.000+01:00".to_owned()),
        venue: Some("Stadion".to_owned()),
        metadata: Some(METADATA.to_owned()),
        user_id: place.0,
        ticket_category_id: place.1,
        ..TicketChange::default()
    }
}

#[tokio::test]
async fn tickets_are_made_read_changed_and_deleted_in_every_form() {
    for (list, created, errors) in [
        (ListForm::Results, CreatedForm::Body, ErrorForm::ByKind),
        (ListForm::Named, CreatedForm::Location, ErrorForm::Details),
        (ListForm::Bare, CreatedForm::Body, ErrorForm::Both),
        (ListForm::Bare, CreatedForm::Location, ErrorForm::Identifier),
    ] {
        let club = Club::new().await;
        club.choose(|choices| {
            choices.partner_list = list;
            choices.created = created;
            choices.errors = errors;
        });
        let holder = partner(&club, partner_config(&club)).await;
        let (unidy, session) = (&holder.unidy, &holder.session);
        let change = change(place(&holder).await);
        let made = unidy.create_ticket(session, &change).await.unwrap();
        assert_eq!((made.title.as_deref(), made.state.as_deref()), (Some("Heimspiel"), Some("active")));
        assert_eq!(made.money(None), Ok(Some(Money::parse("64.1", "EUR").unwrap())));
        assert_eq!(made.metadata.as_deref(), Some(METADATA), "to the digit");
        assert!(unidy.ticket(session, &made.id).await.unwrap() == made);
        assert!(whole(&holder).await.contains(&made), "{list:?}");

        let passive = TicketChange { state: Some("passive".to_owned()), ..TicketChange::default() };
        let changed = unidy.update_ticket(session, &made.id, &passive).await.unwrap();
        assert_eq!((changed.state.as_deref(), &changed.metadata), (Some("passive"), &made.metadata));
        unidy.delete_ticket(session, &made.id).await.unwrap();
        assert_eq!(unidy.is_gone(session, &made.id).await, Ok(Some(true)));
        assert_eq!(refusal(unidy.delete_ticket(session, &made.id).await), (404, "not_found".to_owned()));
        let gone = unidy.update_ticket(session, &made.id, &passive).await;
        assert_eq!(refusal(gone), (404, "not_found".to_owned()));

        let bad = TicketChange { state: Some("used".to_owned()), ..change };
        let (status, code) = refusal(unidy.create_ticket(session, &bad).await);
        let named = ["invalid_state", "schema_validation_error"].contains(&code.as_str());
        assert!(status == 422 && named, "{errors:?} {code}");
    }
}

#[tokio::test]
async fn paths_are_the_brands() {
    for (prefix, tickets, categories) in [
        ("api/v1", "tickets", "ticket_categories"),
        ("partner/v2", "ticketing/entries", "kinds"),
        ("", "t", "c"),
    ] {
        for list in LISTS {
            let club = Club::new().await;
            club.choose(|choices| {
                *choices = UnidyChoices {
                    partner_prefix: prefix.to_owned(),
                    tickets_path: tickets.to_owned(),
                    categories_path: categories.to_owned(),
                    partner_list: list,
                    created: CreatedForm::Location,
                    ..choices.clone()
                }
            });
            let config = UnidyConfig {
                partner_prefix: Some(prefix.to_owned()),
                tickets_resource: Some(tickets.to_owned()),
                categories_resource: Some(categories.to_owned()),
                ..partner_config(&club)
            };
            let holder = partner(&club, config).await;
            let (unidy, session) = (&holder.unidy, &holder.session);
            let made = unidy.create_ticket(session, &change(place(&holder).await)).await.unwrap();
            unidy.delete_ticket(session, &made.id).await.unwrap();
            let (categories, more) = unidy.categories(session, 1).await.unwrap();
            assert!(!more && categories.len() > 2, "{list:?}");
            let named = &categories[0];
            let one = unidy.category(session, &named.id).await.unwrap();
            assert!(one == *named && one.title.is_some() && one.record().contains(&one.id));
            assert_eq!(refusal(unidy.category(session, "nothing").await), (404, "not_found".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_list_is_whole_whether_or_not_it_says_where_it_ends() {
    for list in LISTS {
        let club = Club::with(SandboxConfig { tickets_per_user: 60, ..SandboxConfig::default() }).await;
        club.choose(|choices| choices.partner_list = list);
        let holder = partner(&club, partner_config(&club)).await;
        let all = whole(&holder).await;
        let unique: BTreeSet<_> = all.iter().map(|ticket| ticket.id.clone()).collect();
        assert!(unique.len() == all.len() && all.len() > 100, "{list:?}");
        // As a sync pulls it, with a limit that is a divisor of the length and with others.
        for limit in [u32::try_from(all.len()).unwrap() / 2, 20, 250] {
            let mut pulled = BTreeSet::new();
            let mut offset = 0;
            loop {
                let (tickets, total) = holder.unidy.pull(&holder.session, limit, offset).await.unwrap();
                let ended = tickets.is_empty();
                offset += u32::try_from(tickets.len()).unwrap();
                pulled.extend(tickets.into_iter().map(|ticket| ticket.remote_id));
                if ended || total.is_none_or(|total| i64::from(offset) >= total) {
                    break;
                }
            }
            assert!(pulled == unique && offset as usize == all.len(), "{list:?} {limit}");
        }
        let of = UnidyTicketQuery {
            user_id: all[0].user_id.clone(),
            limit: Some(250),
            ..UnidyTicketQuery::default()
        };
        let of = holder.unidy.tickets(&holder.session, &of).await.unwrap().tickets;
        assert!(of.len() < all.len() && of.iter().all(|ticket| ticket.user_id == all[0].user_id));
    }
}

#[tokio::test]
async fn a_server_renews_its_session_by_its_secret() {
    let club = Club::new().await;
    let holder = partner(&club, partner_config(&club)).await;
    let before = whole(&holder).await.len();
    club.clock.pass_s(7_300);
    assert_eq!(whole(&holder).await.len(), before);
    let kept = holder.last_kept().unwrap();
    assert!(kept.refresh.is_none() && kept.session_id.is_none());
    // Not while its server does not answer, and then again.
    club.clock.pass_s(7_300);
    club.fault("/oauth/token", 1, Fault::Unavailable { retry_after: "60".to_owned() });
    let query = UnidyTicketQuery::default();
    let refused = holder.unidy.tickets(&holder.session, &query).await.err();
    assert!(matches!(refused, Some(Error::Status { status: 503, .. })));
    club.clock.pass_s(60);
    assert!(holder.unidy.tickets(&holder.session, &query).await.is_ok());
}

#[tokio::test]
async fn a_token_that_ends_in_mid_list_costs_one_renewal_and_no_ticket() {
    let club = Club::with(SandboxConfig { tickets_per_user: 30, ..SandboxConfig::default() }).await;
    let all = whole(&partner(&club, partner_config(&club)).await).await;
    club.choose(|choices| choices.access_token_life_s = 60);
    let holder = partner(&club, partner_config(&club)).await;
    let before = club.count("/oauth/token");
    let (mut found, mut pages) = (Vec::new(), 0);
    for page in 1.. {
        let query = UnidyTicketQuery { page: Some(page), limit: Some(20), ..UnidyTicketQuery::default() };
        let page = holder.unidy.tickets(&holder.session, &query).await.unwrap();
        let last = page.is_last();
        found.extend(page.tickets);
        if last {
            break;
        }
        club.clock.pass_s(61);
        pages += 1;
    }
    assert!(pages > 2 && found == all, "{pages}");
    assert_eq!(club.count("/oauth/token") - before, pages, "one for each time that it ended");
}

#[tokio::test]
async fn scopes_are_checked_and_the_sdks_api_makes_no_tickets() {
    let club = Club::new().await;
    let config = UnidyConfig { scopes: vec!["tickets:read".to_owned()], ..partner_config(&club) };
    let holder = partner(&club, config).await;
    let refused = holder.unidy.create_ticket(&holder.session, &TicketChange::default()).await;
    assert_eq!(refusal(refused), (403, "insufficient_scope".to_owned()));

    let before = club.sandbox.requests().len();
    let sdk = club.unidy(club.sdk_config());
    let (session, nothing) = (&holder.session, TicketChange::default());
    let refusals = [
        sdk.create_ticket(session, &nothing).await.err(),
        sdk.update_ticket(session, "1", &nothing).await.err(),
        sdk.delete_ticket(session, "1").await.err(),
        sdk.categories(session, 1).await.err(),
        sdk.category(session, "1").await.err(),
    ];
    assert!(refusals.iter().all(|error| matches!(error, Some(Error::Input { field: "api", .. }))));
    assert_eq!(club.sandbox.requests().len(), before);
}

#[tokio::test]
async fn a_lost_answer_to_a_new_ticket_is_uncertain_and_found_by_its_reference() {
    let club = Club::new().await;
    let holder = partner(&club, partner_config(&club)).await;
    let change = change(place(&holder).await);
    club.fault("/api/v1/tickets", 1, Fault::LostReply);
    let lost = holder.unidy.create_ticket(&holder.session, &change).await.err().unwrap();
    assert!(lost.is_uncertain());
    let made = whole(&holder).await.into_iter().filter(|ticket| ticket.reference == change.reference);
    assert_eq!(made.count(), 1);
}

/// A brand whose answers are scripted.
fn scripted(script: &Arc<Script>) -> Holder {
    let clock = TestClock::new();
    let http = Http::new(Some(Arc::clone(script) as _), Arc::new(clock), vec![], Arc::new(NoTime));
    let unidy = UnidyConfig { api: UnidyApi::Partner, ..UnidyConfig::default() };
    let config = SystemConfig { unidy: Some(unidy), ..SystemConfig::at("https://nord.unidy.example") };
    let tokens = Tokens { access: Zeroizing::new("a".to_owned()), refresh: None, session_id: None };
    Holder::new(Unidy::new(Arc::new(http), &config).unwrap(), tokens)
}

#[tokio::test]
async fn a_server_that_does_not_page_is_asked_once_more_at_most() {
    let list = |count: u32| {
        let items: Vec<_> = (0..count).map(|id| json!({ "id": id })).collect();
        json!(items).to_string()
    };
    for (count, limit, requests) in [(7, 20, 1), (20, 20, 3), (33, 20, 1), (0, 20, 1)] {
        let body = list(count);
        let script = Script::new(move |_| answer(200, body.clone()));
        let holder = scripted(&script);
        let (mut offset, mut pulled) = (0, BTreeSet::new());
        loop {
            let (tickets, total) = holder.unidy.pull(&holder.session, limit, offset).await.unwrap();
            let ended = tickets.is_empty();
            offset += u32::try_from(tickets.len()).unwrap();
            pulled.extend(tickets.into_iter().map(|ticket| ticket.remote_id));
            if ended || total.is_none_or(|total| i64::from(offset) >= total) {
                break;
            }
        }
        assert_eq!((offset, pulled.len(), script.seen().len()), (count, count as usize, requests));
    }
}

#[tokio::test]
async fn a_created_ticket_is_read_from_its_own_place_only() {
    let located = |location: &str| {
        let location = location.to_owned();
        Script::new(move |request| {
            if request.method == "POST" {
                ticket_wallet::host::HttpResponse { status: 204, ..script::redirect(&location) }
            } else {
                answer(200, r#"{"id": "7"}"#)
            }
        })
    };
    let create = async |script: &Arc<Script>| {
        let holder = scripted(script);
        holder.unidy.create_ticket(&holder.session, &TicketChange::default()).await
    };
    for good in ["/api/v1/tickets/7", "https://nord.unidy.example/api/v1/tickets/7/", "tickets/7"] {
        let script = located(good);
        assert_eq!(create(&script).await.unwrap().id, "7", "{good}");
        assert_eq!(script.seen()[1].url, "https://nord.unidy.example/api/v1/tickets/7");
    }
    for bad in [
        "",
        "https://evil.example/api/v1/tickets/7",
        "http://nord.unidy.example/api/v1/tickets/7",
        "/api/v1/tickets",
        "/api/v1/ticketsx/7",
        "/elsewhere/7",
        "/api/v1/tickets/7/more",
    ] {
        let script = located(bad);
        let refused = create(&script).await.err().unwrap();
        assert!(matches!(refused, Error::Reply { .. }) && refused.is_uncertain(), "{bad}");
        assert_eq!(script.seen().len(), 1, "{bad}");
    }
}
