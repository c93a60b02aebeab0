//! An event's tickets at its entrances, and admissions.

use std::collections::BTreeSet;

use ticket_wallet::model::{
    Admission, AdmissionOrder, AdmissionQuery, TicketStatus, TicketingConfig, TicketingDates,
};
use ticket_wallet::remote::ticketing::{EventTicketQuery, PageQuery, TicketingTicket};
use ticket_wallet_sandbox::{DateForm, Fault, SandboxConfig, SectionForm, StatusCase, UnusedForm};

use crate::festival::{Festival, Staff, refusal};

async fn tickets(staff: &Staff, event: &str, modified_since: Option<i64>) -> Vec<TicketingTicket> {
    let mut all = Vec::new();
    for page in 1.. {
        let page = PageQuery { page: Some(page), records: Some(5) };
        let query = EventTicketQuery { page, modified_since };
        let found = staff.ticketing.event_tickets(&staff.session, event, query).await.unwrap();
        let more = found.more();
        all.extend(found.entries);
        if !more {
            break;
        }
    }
    all
}

fn order(event: &str, device: &str, serials: &[&str]) -> AdmissionOrder {
    AdmissionOrder {
        event_id: event.to_owned(),
        redeemer: "Juno".to_owned(),
        device: device.to_owned(),
        serials: serials.iter().map(|serial| (*serial).to_owned()).collect(),
    }
}

async fn admissions(staff: &Staff, event: &str, query: AdmissionQuery) -> Vec<Admission> {
    staff.ticketing.admissions(&staff.session, event, &query).await.unwrap().entries
}

/// The serials of tickets that let somebody in.
fn issued(tickets: &[TicketingTicket], staff: &Staff) -> Vec<String> {
    let zone = staff.ticketing.zone();
    let admits = tickets.iter().filter(|ticket| ticket.state(zone) == TicketStatus::Issued);
    admits.map(|ticket| ticket.serial.clone()).collect()
}

#[tokio::test]
async fn tickets_are_read_in_every_form() {
    for (dates, unused, sections, statuses) in [
        (DateForm::ByResource, UnusedForm::NotAvailable, SectionForm::Address, StatusCase::Title),
        (DateForm::Plain, UnusedForm::Zero, SectionForm::Record, StatusCase::Lower),
        (DateForm::Iso, UnusedForm::Null, SectionForm::Record, StatusCase::Title),
        (DateForm::Iso, UnusedForm::Absent, SectionForm::Address, StatusCase::Lower),
    ] {
        let festival = Festival::new().await;
        festival.choose(|choices| {
            (choices.dates, choices.unused) = (dates, unused);
            (choices.sections, choices.statuses) = (sections, statuses);
        });
        let host = festival.host().await;
        let (event, zone) = (festival.event(0), host.ticketing.zone());
        let found = tickets(&host, &event, None).await;
        assert!(found.len() > 15);
        let mut states = BTreeSet::new();
        for ticket in &found {
            assert_eq!(ticket.event_id.as_ref(), Some(&event));
            assert!(festival.sections(0).contains(ticket.section.as_ref().unwrap()));
            assert_eq!(ticket.section_name.is_some(), sections == SectionForm::Record);
            assert!(ticket.owner.as_deref().unwrap().starts_with("/accounts/CU-"));
            assert!(ticket.issued_at(zone).unwrap() < festival.now_s());
            let state = ticket.state(zone);
            assert_eq!(ticket.redeemed_at(zone).is_some(), state == TicketStatus::Invalidated, "{unused:?}");
            states.insert(state.as_text().to_lowercase());
        }
        assert_eq!(states, ["held", "invalidated", "issued"].map(str::to_owned).into());
    }
}

#[tokio::test]
async fn only_what_changed_since_is_listed() {
    for dates in [None, Some(TicketingDates::Plain)] {
        let festival = Festival::new().await;
        let host = festival.host_with(TicketingConfig { dates, ..TicketingConfig::default() }).await;
        let event = festival.event(0);
        let all = tickets(&host, &event, None).await;
        let now = festival.now_s();
        assert!(tickets(&host, &event, Some(now)).await.is_empty());
        assert_eq!(tickets(&host, &event, Some(0)).await.len(), all.len());
        let serial = issued(&all, &host)[0].clone();
        festival.clock.pass_s(60);
        host.ticketing.admit(&host.session, &order(&event, "D1", &[&serial])).await.unwrap();
        let changed = tickets(&host, &event, Some(now)).await;
        assert_eq!(changed.iter().map(|ticket| &ticket.serial).collect::<Vec<_>>(), [&serial]);
        assert_eq!(changed[0].redeemed_at(host.ticketing.zone()), Some(now + 60));
        assert!(tickets(&host, &event, Some(now + 60)).await.is_empty());
    }
}

#[tokio::test]
async fn those_that_count_are_admitted_and_the_others_are_not() {
    for sections in [SectionForm::Address, SectionForm::Record] {
        let festival = Festival::new().await;
        festival.choose(|choices| choices.sections = sections);
        let host = festival.host().await;
        let event = festival.event(0);
        let serials = issued(&tickets(&host, &event, None).await, &host);
        let [one, two] = [serials[0].as_str(), serials[1].as_str()];
        let asked = order(&event, "D1", &[one, "NOSUCH-TICKET000000", two]);
        let made = host.ticketing.admit(&host.session, &asked);
        let made = made.await.unwrap();
        assert_eq!(made.iter().map(|one| one.ticket.as_str()).collect::<Vec<_>>(), [one, two]);
        for admission in &made {
            assert!(admission.is_by("Juno", "D1") && !admission.is_by("Juno", "D2"));
            assert_eq!(admission.admitted_at, Some(festival.now_s()));
            assert!(admission.patron.as_deref().unwrap().starts_with("/accounts/CU-"));
            assert!(festival.sections(0).contains(admission.section.as_ref().unwrap()));
            assert!(admission.uri.starts_with(&format!("/events/{event}/admissions/")));
        }
        // Used and unknown tickets get the same answer.
        for serials in [[one, two], ["NOSUCH-TICKET000000", one]] {
            let refused = host.ticketing.admit(&host.session, &order(&event, "D1", &serials)).await;
            assert_eq!(refusal(refused), (400, String::new()));
        }
        assert_eq!(festival.applied("ticketing.admit"), 2);
    }
}

#[tokio::test]
async fn admissions_are_filtered_by_the_server() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let event = festival.event(0);
    let all = tickets(&host, &event, None).await;
    let serials = issued(&all, &host);
    for (index, serial) in serials.iter().take(4).enumerate() {
        let device = format!("D{}", index % 2);
        host.ticketing.admit(&host.session, &order(&event, &device, &[serial])).await.unwrap();
    }
    let some = |text: &str| Some(text.to_owned());
    let everything = admissions(&host, &event, AdmissionQuery::default()).await;
    assert_eq!(everything.len(), 4);
    let (patron, section) = (everything[0].patron.clone().unwrap(), everything[0].section.clone().unwrap());
    let by = |keep: &dyn Fn(&Admission) -> bool| -> BTreeSet<String> {
        everything.iter().filter(|one| keep(one)).map(|one| one.uri.clone()).collect()
    };
    let none = AdmissionQuery::default;
    let section_id = section.rsplit('/').next().unwrap().to_owned();
    for (query, expected) in [
        (AdmissionQuery { redeemer: some("Juno"), ..none() }, by(&|_| true)),
        (AdmissionQuery { redeemer: some("Nobody"), ..none() }, by(&|_| false)),
        (AdmissionQuery { device: some("D1"), ..none() }, by(&|one| one.device.as_deref() == Some("D1"))),
        (AdmissionQuery { ticket: some(&serials[2]), ..none() }, by(&|one| one.ticket == serials[2])),
        (AdmissionQuery { patron: some(&patron), ..none() }, by(&|one| one.patron.as_ref() == Some(&patron))),
        (
            AdmissionQuery { section: Some(section_id), ..none() },
            by(&|one| one.section.as_ref() == Some(&section)),
        ),
    ] {
        let found = admissions(&host, &event, query).await;
        assert_eq!(found.into_iter().map(|one| one.uri).collect::<BTreeSet<_>>(), expected);
    }
    let page = AdmissionQuery { page: Some(2), records: Some(3), ..none() };
    let page = host.ticketing.admissions(&host.session, &event, &page).await.unwrap();
    assert_eq!((page.entries.len(), page.total, page.more()), (1, Some(4), false));
}

#[tokio::test]
async fn a_gate_redeems_for_its_sections_only() {
    let festival = Festival::with(SandboxConfig { tickets_per_user: 12, ..SandboxConfig::default() }).await;
    let host = festival.host().await;
    let (event, sections) = (festival.event(0), festival.sections(0));
    let token = host.ticketing.issue_token(&host.session, &event, &sections[..1]).await.unwrap();
    let access = host.ticketing.look_up_code(&host.session, &token.code.unwrap()).await.unwrap();
    let gate = festival.with_key(&access.key);
    let all = tickets(&host, &event, None).await;
    let in_section = |section: &String| {
        let of: Vec<_> = all.iter().filter(|one| one.section.as_ref() == Some(section)).cloned().collect();
        issued(&of, &host)[0].clone()
    };
    let (own, other) = (in_section(&sections[0]), in_section(&sections[1]));
    let made = gate.ticketing.admit(&gate.session, &order(&event, "D1", &[&own, &other])).await.unwrap();
    assert_eq!(made.iter().map(|one| &one.ticket).collect::<Vec<_>>(), [&own]);
    let refused = gate.ticketing.admit(&gate.session, &order(&event, "D1", &[&other])).await;
    assert_eq!(refusal(refused).0, 400);
    // With the same key it reads the tickets that it redeems for, what has changed of them, and who admitted one.
    let mine = tickets(&gate, &event, None).await;
    assert!(!mine.is_empty() && mine.iter().all(|one| one.section.as_ref() == Some(&sections[0])));
    let changed = tickets(&gate, &event, Some(festival.now_s() - 1)).await;
    assert_eq!(changed.iter().map(|one| &one.serial).collect::<Vec<_>>(), [&own]);
    assert!(changed[0].redeemed_at(gate.ticketing.zone()).is_some());
    for (serial, admitted) in [(own, true), (other, false)] {
        let query = AdmissionQuery { ticket: Some(serial), ..AdmissionQuery::default() };
        let found = admissions(&gate, &event, query).await;
        assert_eq!(found.iter().any(|one| one.is_by("Juno", "D1")), admitted);
    }
}

#[tokio::test]
async fn a_lost_answer_is_uncertain_and_can_be_read_back() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let event = festival.event(0);
    let serial = issued(&tickets(&host, &event, None).await, &host)[0].clone();
    festival.fault("POST", "/admissions", 1, Fault::LostReply);
    let lost = host.ticketing.admit(&host.session, &order(&event, "D1", &[&serial])).await.err().unwrap();
    assert!(lost.is_uncertain());
    let found =
        admissions(&host, &event, AdmissionQuery { ticket: Some(serial), ..Default::default() }).await;
    assert!(found.len() == 1 && found[0].is_by("Juno", "D1"));
    assert_eq!(festival.applied("ticketing.admit"), 1);
}
