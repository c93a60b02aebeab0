//! An account's tickets.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::model::{BarcodeProfile, PulledTicket, TicketStatus, TicketingCode, TicketingConfig};
use ticket_wallet::remote::ticketing::{AccountTicketQuery, PageQuery};
use ticket_wallet_sandbox::{SandboxConfig, SectionForm};

use crate::festival::{self, Festival, Staff, refusal};
use crate::phone::TestClock;
use crate::script::{Script, answer};

/// Pulls until the list is complete, as a sync does.
async fn pull(staff: &Staff, limit: u32) -> Result<Vec<PulledTicket>, Error> {
    let mut all: Vec<PulledTicket> = Vec::new();
    loop {
        let offset = u32::try_from(all.len()).unwrap();
        let (tickets, total) = staff.ticketing.pull(&staff.session, limit, offset).await?;
        let ended = tickets.is_empty();
        all.extend(tickets);
        if ended || total.is_none_or(|total| i64::try_from(all.len()).unwrap() >= total) {
            return Ok(all);
        }
    }
}

fn serials(tickets: &[PulledTicket]) -> BTreeSet<&str> {
    tickets.iter().map(|ticket| ticket.remote_id.as_str()).collect()
}

#[tokio::test]
async fn a_pull_is_whole_whatever_a_page_holds() {
    let config = || SandboxConfig { tickets_per_user: 130, ..SandboxConfig::default() };
    for (most_records, bare_tickets, beyond_is_not_found) in
        [(100, false, true), (25, false, true), (7, false, false), (1, false, true), (100, true, true)]
    {
        let festival = Festival::with(config()).await;
        festival.choose(|choices| {
            (choices.most_records, choices.bare_tickets) = (most_records, bare_tickets);
            choices.beyond_is_not_found = beyond_is_not_found;
        });
        for limit in [100, 65, 25] {
            let holder = festival.holder(0).await;
            let all = pull(&holder, limit).await.unwrap();
            assert_eq!((serials(&all).len(), all.len()), (130, 130), "{most_records} {limit}");
        }
        let other = festival.holder(1).await;
        let all = pull(&other, 100).await.unwrap();
        assert_eq!(all.len(), 130);
    }
}

#[tokio::test]
async fn a_server_that_does_not_count_is_followed_to_its_end() {
    for (count, size) in [(0_u32, 5), (4, 5), (5, 5), (12, 5)] {
        let script = Script::new(move |request| {
            let url = url::Url::parse(&request.url).unwrap();
            let page: u32 = url.query_pairs().find(|(name, _)| name == "page").unwrap().1.parse().unwrap();
            let of_page: Vec<_> = ((page - 1) * size..(page * size).min(count))
                .map(|n| json!({ "serial": format!("S{n}"), "status": "Issued" }))
                .collect();
            answer(200, json!({ "entries": of_page }).to_string())
        });
        let config = TicketingConfig { account: Some("CU-1".to_owned()), ..TicketingConfig::default() };
        let client = festival::client(
            "https://api.example.org/v3",
            &TestClock::new(),
            Some(Arc::clone(&script) as _),
            vec![],
            config,
        );
        let staff = Staff::new(client, festival::tokens("k"));
        assert_eq!(serials(&pull(&staff, size).await.unwrap()).len(), count as usize);
    }
}

#[tokio::test]
async fn filters_are_the_servers() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    let list = async |query: AccountTicketQuery| {
        let page = PageQuery { page: None, records: Some(100) };
        let query = AccountTicketQuery { page, ..query };
        holder.ticketing.account_tickets(&holder.session, &query).await.unwrap().entries
    };
    let none = AccountTicketQuery::default;
    let all = list(none()).await;
    assert_eq!(all.len(), 24);
    let some = |text: &str| Some(text.to_owned());
    let event = format!("/events/{}", festival.event(1));
    let of_event = list(AccountTicketQuery { event: Some(event), ..none() }).await;
    assert!(of_event.len() == 8 && of_event.iter().all(|one| one.event_id == Some(festival.event(1))));
    let section = festival.sections(1)[0].clone();
    let of_section = list(AccountTicketQuery { section: Some(section.clone()), ..none() }).await;
    assert!(!of_section.is_empty() && of_section.iter().all(|one| one.section.as_ref() == Some(&section)));
    let held = list(AccountTicketQuery { status: some("Held"), ..none() }).await;
    assert!(held.len() == 3 && held.iter().all(|one| one.status.as_deref() == Some("Held")));
    let one = list(AccountTicketQuery { serial: some(&all[0].serial), ..none() }).await;
    assert!(one == all[..1]);
    // Somebody else's are not shown.
    let account = festival.sandbox.ticketing_account(&festival.user(1).0);
    let other = festival.holder_with(0, TicketingConfig { account, ..TicketingConfig::default() }).await;
    assert_eq!(refusal(other.ticketing.account_tickets(&other.session, &none()).await).0, 403);
}

#[tokio::test]
async fn a_ticket_has_its_events_name_place_and_times() {
    for sections in [SectionForm::Address, SectionForm::Record] {
        let festival = Festival::new().await;
        festival.choose(|choices| choices.sections = sections);
        let holder = festival.holder(0).await;
        let all = pull(&holder, 100).await.unwrap();
        let titles: BTreeSet<_> = all.iter().map(|one| one.event.as_ref().unwrap().name.as_str()).collect();
        assert_eq!(titles, ["Carnival Night", "Hafenfest Nordhafen", "Sommernacht – Orchester"].into());
        for ticket in &all {
            let event = ticket.event.as_ref().unwrap();
            assert!(event.starts_at.unwrap() > festival.now_s() && event.ends_at > event.starts_at);
            assert!(event.venue.is_some() && event.body.contains("Published"));
            let names = ["Pier", "Kaimauer", "General", "VIP", "Parkett", "Rang"];
            assert!(names.contains(&ticket.section.as_deref().unwrap()));
            let body: Value = serde_json::from_str(&ticket.body).unwrap();
            assert_eq!(body["serial"], ticket.remote_id.as_str());
            assert_eq!(ticket.profile, BarcodeProfile::None);
        }
        // Each event was asked for once.
        assert_eq!(festival.count(&format!("GET /events/{}", festival.event(0))), 1);
        let states: BTreeSet<_> = all.iter().map(|one| one.status.as_text()).collect();
        assert_eq!(states, ["Held", "invalidated", "issued"].into());
    }
}

#[tokio::test]
async fn an_event_that_may_not_be_read_lends_its_id() {
    let festival = Festival::new().await;
    festival.choose(|choices| choices.events_are_public = false);
    let holder = festival.holder(0).await;
    let all = pull(&holder, 100).await.unwrap();
    let event = all[0].event.as_ref().unwrap();
    assert_eq!((event.name.as_str(), event.starts_at), (event.remote_id.as_str(), None));
    assert!(!holder.has_ended());
    let first = all.iter().find(|one| one.event.as_ref().unwrap().remote_id == festival.event(0)).unwrap();
    let section = first.section.as_deref().unwrap();
    assert!(festival.sections(0).iter().any(|uri| uri.ends_with(&format!("/{section}"))));
}

#[tokio::test]
async fn a_code_is_shown_where_one_is_configured() {
    let festival = Festival::new().await;
    let owner = festival.sandbox.ticketing_account(&festival.user(0).0).unwrap();
    for code in [TicketingCode::Serial, TicketingCode::Fingerprint] {
        let config = TicketingConfig { codes: Some(code), ..TicketingConfig::default() };
        let holder = festival.holder_with(0, config).await;
        for ticket in pull(&holder, 100).await.unwrap() {
            assert_eq!(ticket.profile, BarcodeProfile::Static);
            let static_code = ticket.static_code.unwrap();
            let fingerprint = ring::digest::digest(
                &ring::digest::SHA256,
                format!("{};{owner}", ticket.remote_id).as_bytes(),
            );
            let expected = match code {
                TicketingCode::Serial => ticket.remote_id,
                _ => hex::encode(fingerprint.as_ref()),
            };
            assert_eq!(static_code.text, expected);
        }
    }
}

#[tokio::test]
async fn a_ticket_is_gone_when_the_list_lacks_it() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    let serial = pull(&holder, 100).await.unwrap()[0].remote_id.clone();
    let gone = async |serial: &str| holder.ticketing.is_gone(&holder.session, serial).await;
    assert_eq!(gone(&serial).await, Ok(Some(false)));
    assert!(festival.sandbox.remove_ticketing_ticket(&serial));
    assert_eq!(gone(&serial).await, Ok(Some(true)));
    // A server that does not filter tells nothing.
    festival.choose(|choices| choices.bare_tickets = true);
    assert_eq!(gone(&serial).await, Ok(Some(true)));
    assert_eq!(gone("").await, Ok(None));
    festival.choose(|choices| (choices.bare_tickets, choices.empty_is_not_found) = (false, true));
    assert_eq!(gone(&serial).await, Ok(None));
}

#[tokio::test]
async fn an_empty_list_can_be_a_404() {
    let festival = Festival::with(SandboxConfig { tickets_per_user: 0, ..SandboxConfig::default() }).await;
    let holder = festival.holder(0).await;
    assert!(pull(&holder, 100).await.unwrap().is_empty());
    festival.choose(|choices| choices.empty_is_not_found = true);
    assert_eq!(refusal(pull(&holder, 100).await).0, 404);
    let config = TicketingConfig { empty_is_not_found: true, ..TicketingConfig::default() };
    let holder = festival.holder_with(0, config).await;
    assert!(pull(&holder, 100).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_record_is_read_alone() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    let section = festival.sections(2)[1].clone();
    let record =
        json!({ "serial": "ABC123-0123456789AB", "status": "New State", "section": section, "x": [1.50] });
    let read = holder.ticketing.read_ticket(&holder.session, &record.to_string()).await.unwrap();
    assert_eq!(read.body, record.to_string());
    assert_eq!(read.status, TicketStatus::Other { text: "New State".to_owned() });
    assert_eq!((read.section.as_deref(), read.event.unwrap().remote_id), (Some("Rang"), festival.event(2)));
    let bare = holder.ticketing.read_ticket(&holder.session, r#"{"serial": 7}"#).await.unwrap();
    assert!(bare.event.is_none() && bare.remote_id == "7");
    let unreadable = holder.ticketing.read_ticket(&holder.session, "{}").await.err();
    assert!(matches!(unreadable, Some(Error::Reply { .. })));
}
