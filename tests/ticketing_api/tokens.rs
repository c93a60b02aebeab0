//! Admission tokens.

use std::collections::BTreeSet;

use ticket_wallet::error::Error;
use ticket_wallet::model::{AdmissionToken, TokenQuery};
use ticket_wallet::remote::ticketing::UNKNOWN_RESOURCE;
use ticket_wallet_sandbox::{Fault, UpdateReply};

use crate::festival::{Festival, Staff, refusal};

fn page(page: u32, records: u32) -> TokenQuery {
    TokenQuery { page: Some(page), records: Some(records), global: None }
}

async fn all(staff: &Staff, event: &str, records: u32) -> Vec<AdmissionToken> {
    let mut all = Vec::new();
    for number in 1.. {
        let found = staff.ticketing.tokens(&staff.session, event, &page(number, records)).await.unwrap();
        assert_eq!((found.page, found.records), (number, records.min(100)));
        let more = found.more();
        all.extend(found.entries);
        if !more {
            break;
        }
    }
    all
}

#[tokio::test]
async fn tokens_are_issued_read_changed_and_deleted() {
    for (new_tokens_are_global, update_reply) in [(false, UpdateReply::Token), (true, UpdateReply::Nothing)] {
        let festival = Festival::new().await;
        festival.choose(|choices| {
            choices.new_tokens_are_global = new_tokens_are_global;
            choices.update_reply = update_reply;
        });
        let host = festival.host().await;
        let (api, session, event) = (&host.ticketing, &host.session, festival.event(0));
        let sections = festival.sections(0);
        let made = api.issue_token(session, &event, &sections).await.unwrap();
        assert_eq!(made.uri, format!("/events/{event}/tokens/{}", made.id));
        // 64-bit ids.
        assert!(made.id.parse::<u64>().unwrap() > u64::from(u32::MAX));
        let code = made.code.clone().unwrap();
        assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        assert_eq!((made.global, &made.sections), (new_tokens_are_global, &sections));
        let read = api.token(session, &event, &made.id).await.unwrap();
        assert!(!read.global && read.code == made.code && read.is_for(&sections));

        // By its id alone, a section is the same.
        let second = sections[1].rsplit('/').next().unwrap().to_owned();
        let changed =
            api.update_token(session, &event, &made.id, std::slice::from_ref(&second)).await.unwrap();
        assert_eq!((&changed.sections, &changed.code), (&vec![sections[1].clone()], &made.code));
        assert!(api.token(session, &event, &made.id).await.unwrap() == changed);
        api.delete_token(session, &event, &made.id).await.unwrap();
        let gone = (404, UNKNOWN_RESOURCE.to_owned());
        assert_eq!(refusal(api.token(session, &event, &made.id).await), gone);
        assert_eq!(refusal(api.delete_token(session, &event, &made.id).await), gone);
        assert_eq!(refusal(api.update_token(session, &event, &made.id, &sections).await), gone);
        assert_eq!(refusal(api.issue_token(session, "0000000", &sections).await), gone);
        let foreign = festival.sections(1);
        assert_eq!(refusal(api.issue_token(session, &event, &foreign).await).0, 400);
    }
}

#[tokio::test]
async fn the_events_own_token_is_first_and_stays_as_it_is() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let (api, session, event) = (&host.ticketing, &host.session, festival.event(0));
    let sections = festival.sections(0);
    api.issue_token(session, &event, &sections[..1]).await.unwrap();
    let global = festival.served.events[0].global_token.to_string();
    let found = all(&host, &event, 25).await;
    assert_eq!((found[0].id.as_str(), found[0].global, found.len()), (global.as_str(), true, 2));
    assert_eq!(found[0].sections, sections);
    for (query, expected) in [(Some(true), vec![true]), (Some(false), vec![false]), (None, vec![true, false])]
    {
        let query = TokenQuery { global: query, ..TokenQuery::default() };
        let found = api.tokens(session, &event, &query).await.unwrap();
        assert_eq!(found.entries.iter().map(|token| token.global).collect::<Vec<_>>(), expected);
        assert_eq!((found.total, found.page, found.records), (Some(expected.len() as u64), 1, 25));
    }
    assert_eq!(refusal(api.update_token(session, &event, &global, &sections[..1]).await).0, 409);
    assert_eq!(refusal(api.delete_token(session, &event, &global).await).0, 409);
}

#[tokio::test]
async fn a_list_of_many_pages_is_whole_whatever_a_page_holds() {
    let festival = Festival::new().await;
    let event = festival.event(0);
    festival.sandbox.add_ticketing_tokens(festival.served.events[0].id, 599).unwrap();
    let host = festival.host().await;
    for (records, pages) in [(3, 200), (25, 24), (100, 6), (1_000, 6), (600, 6)] {
        let before = festival.count("GET /tokens");
        let found = all(&host, &event, records).await;
        let ids: BTreeSet<_> = found.iter().map(|token| &token.id).collect();
        assert_eq!((ids.len(), found.len()), (600, 600), "{records}");
        assert_eq!(festival.count("GET /tokens") - before, pages, "{records}");
    }
    // Beyond the end.
    for beyond_is_not_found in [true, false] {
        festival.choose(|choices| choices.beyond_is_not_found = beyond_is_not_found);
        let beyond = host.ticketing.tokens(&host.session, &event, &page(99, 25)).await.unwrap();
        assert!(beyond.entries.is_empty() && !beyond.more(), "{beyond_is_not_found}");
    }
}

#[tokio::test]
async fn a_code_lets_in_to_its_sections() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let (event, sections) = (festival.event(0), festival.sections(0));
    let made = host.ticketing.issue_token(&host.session, &event, &sections[..1]).await.unwrap();
    // Anybody who is signed in looks it up, with their own key.
    let holder = festival.holder(0).await;
    let code = made.code.unwrap();
    let access = holder.ticketing.look_up_code(&holder.session, &code).await.unwrap();
    assert_eq!((access.event_id, access.sections), (event.clone(), sections[..1].to_vec()));
    let unknown = holder.ticketing.look_up_code(&holder.session, "INVALID1").await;
    assert_eq!(refusal(unknown), (404, UNKNOWN_RESOURCE.to_owned()));
    let gate = festival.with_key(&access.key);
    let listed = gate.ticketing.event_tickets(&gate.session, &event, Default::default()).await.unwrap();
    assert!(!listed.entries.is_empty());
    assert!(listed.entries.iter().all(|ticket| ticket.section.as_ref() == Some(&sections[0])));
    let elsewhere = gate.ticketing.event_tickets(&gate.session, &festival.event(1), Default::default()).await;
    assert_eq!(refusal(elsewhere).0, 403);
    let tokens = gate.ticketing.tokens(&gate.session, &event, &TokenQuery::default()).await;
    assert_eq!(refusal(tokens).0, 403);
    host.ticketing.delete_token(&host.session, &event, &made.id).await.unwrap();
    let over = gate.ticketing.event_tickets(&gate.session, &event, Default::default()).await;
    assert_eq!(refusal(over).0, 403);
}

#[tokio::test]
async fn a_changed_token_that_cannot_be_read_then_is_uncertain() {
    let festival = Festival::new().await;
    festival.choose(|choices| choices.update_reply = UpdateReply::Nothing);
    let host = festival.host().await;
    let (event, sections) = (festival.event(0), festival.sections(0));
    let made = host.ticketing.issue_token(&host.session, &event, &sections).await.unwrap();
    festival.fault("GET", "/tokens/", 9, Fault::Reset);
    let changed = host.ticketing.update_token(&host.session, &event, &made.id, &sections[..1]).await;
    let error = changed.err().unwrap();
    assert!(matches!(error, Error::Reply { .. }) && error.is_uncertain());
}
