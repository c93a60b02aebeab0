//! Lists of tickets: what they hold, filters, order, pages, relations.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::{Value, json};
use ticket_wallet_sandbox::BamChoices;

use crate::support::{CLUB, START_S, THEATRE, World};

const ALL: &str = "/v1/ticket?with=%5Bticket_holder.address%2Cticket_config.%5Bevent%2Cticket_type%5D%2Csector.ticket_config%2Ctimeslot%2Cticket_discount%2Corder_item%2Cticket_asset%5D&with_enrollment_id=true";

async fn tickets(world: &World, token: &str, path: &str) -> Vec<Value> {
    let answer = world.get(token, path).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["data"].as_array().unwrap().clone()
}

fn texts<'a>(tickets: &'a [Value], member: &str) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    for ticket in tickets {
        *counts.entry(ticket[member].as_str().unwrap()).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn a_plain_ticket_has_its_plain_members_only() {
    let world = World::start().await;
    let token = world.token().await;
    for ticket in tickets(&world, &token, "/v1/ticket").await {
        let members: Vec<_> = ticket.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["id", "seq_num", "status", "kyc_status", "seat_id", "format", "updated_at"]);
    }
}

#[tokio::test]
async fn a_ticket_with_everything_has_every_member_of_the_sdk() {
    let world = World::start().await;
    let token = world.token().await;
    let all = tickets(&world, &token, ALL).await;
    let has = |value: &Value, members: &str| {
        for member in members.split(' ') {
            assert!(value.get(member).is_some(), "{member} is missing in {value}");
        }
    };
    for ticket in &all {
        has(ticket, "enrollment_id ticket_config sector ticket_holder ticket_discount timeslot order_item");
        has(&ticket["ticket_config"], CONFIG);
        has(&ticket["ticket_config"]["event"], EVENT);
        has(&ticket["ticket_holder"], "first_name last_name address");
    }
    let sector = &all.iter().find(|ticket| !ticket["sector"].is_null()).unwrap()["sector"];
    has(sector, "id name capacity reserved_tickets available_tickets ticket_config");
    let slot = &all.iter().find(|ticket| !ticket["timeslot"].is_null()).unwrap()["timeslot"];
    has(slot, "id name capacity start_at end_at");
    assert!(all.iter().any(|ticket| ticket["sector"].is_null()));
}

const CONFIG: &str = "id name description quantity available_tickets start_sale_at end_sale_at tickets_valid_from \
    tickets_valid_to face_value currency tax_rate tax_included absorb_fees pricing_type tickets_per_user \
    secondary_market_ruleset_id image_uri video_uri thumbnail_uri questionnaire_id status visible \
    pdf_template_id created_at ticket_type event";
const EVENT: &str = "id name description location start_at end_at organizer_id timezone_name gate_time \
    ticket_activation_period local_ticket_validation local_validation_server_url kyc_level_id status";

#[tokio::test]
async fn season_has_its_mix() {
    let world = World::start().await;
    let token = world.token().await;
    let all = tickets(&world, &token, ALL).await;
    assert_eq!(all.len(), 24);
    let formats = texts(&all, "format");
    assert_eq!((formats["PDF"], formats["SECURE"], formats["NFC"]), (5, 18, 1));
    let statuses = texts(&all, "status");
    assert_eq!((statuses["invalidated"], statuses["under_review"]), (3, 1));
    assert!(statuses["issued"] > 5 && statuses["activated"] > 5);
    let starts: BTreeSet<i64> = all
        .iter()
        .map(|ticket| ticket["ticket_config"]["event"]["start_at"].as_str().unwrap())
        .map(|text| DateTime::parse_from_rfc3339(text).unwrap().timestamp() - START_S)
        .collect();
    let within = |hours: i64| starts.iter().filter(|start| **start < hours * 3600).count();
    assert_eq!(starts.len(), 12);
    assert!(*starts.first().unwrap() > 0);
    assert_eq!((within(72), within(30 * 24)), (2, 6));
    assert!(*starts.last().unwrap() > 260 * 24 * 3600);
    assert!(!all.iter().all(|ticket| ticket["ticket_holder"].to_string().is_ascii()));
}

#[tokio::test]
async fn ids_of_different_tenants_collide() {
    let world = World::start().await;
    let token = world.token().await;
    let all = tickets(&world, &token, ALL).await;
    let organizers: BTreeSet<i64> = all
        .iter()
        .filter(|ticket| ticket["id"] == 1)
        .map(|ticket| ticket["ticket_config"]["event"]["organizer_id"].as_i64().unwrap())
        .collect();
    assert_eq!(organizers, BTreeSet::from([101, 102, 103]));
    let mine = tickets(&world, &world.sign_in(1).await.0, "/t/nordhafen/event/v1/ticket").await;
    assert!(mine.iter().all(|ticket| ticket["id"] != 1), "ids are not shared between users of a tenant");
}

#[tokio::test]
async fn lists_are_filtered_and_sorted() {
    let world = World::start().await;
    let token = world.token().await;
    let pdf = tickets(&world, &token, "/v1/ticket?format=PDF").await;
    assert_eq!(texts(&pdf, "format"), BTreeMap::from([("PDF", 5)]));
    let path = "/t/nordhafen/event/v1/ticket?status=issued&format=SECURE";
    let issued = tickets(&world, &token, path).await;
    assert!(!issued.is_empty() && issued.iter().all(|t| t["status"] == "issued" && t["format"] == "SECURE"));
    let sorted = tickets(&world, &token, "/v1/ticket?sort_by=updated_at&direction=desc").await;
    let times: Vec<_> = sorted.iter().map(|ticket| ticket["updated_at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    let by_id = tickets(&world, &token, "/v1/ticket").await;
    assert!(by_id.is_sorted_by_key(|ticket| ticket["id"].as_i64().unwrap()));
}

#[tokio::test]
async fn bad_parameters_are_refused() {
    let world = World::start().await;
    let token = world.token().await;
    for query in [
        "format=pdf",
        "format=NFC",
        "direction=up",
        "sort_by=holder",
        "with_enrollment_id=1",
        "limit=0",
        "limit=x",
        "offset=-1",
        "with=seat",
        "with=[sector",
        "with=[sector,ticket_holder.event]",
    ] {
        for list in ["/v1/ticket", "/t/nordhafen/event/v1/ticket"] {
            if list.starts_with("/t/") && (query.starts_with("limit") || query.starts_with("offset")) {
                continue;
            }
            let answer = world.get(&token, &format!("{list}?{query}")).await;
            assert_eq!(answer.status, 400, "{query}");
            assert_eq!(answer.json()["errorCode"], "VALIDATION_FAILED");
            assert!(answer.json()["message"].is_string());
        }
    }
}

#[tokio::test]
async fn pages_cover_everything_once() {
    let world = World::start_with(|config| {
        config.tickets_per_user = 250;
        config.page_limit = 40;
    })
    .await;
    let token = world.token().await;
    let mut seen = BTreeSet::new();
    for offset in (0..280).step_by(40) {
        let path = format!("/v1/ticket?with=ticket_config.event&limit=1000&offset={offset}");
        let page = world.get(&token, &path).await.json();
        assert_eq!(page["paging"], json!({"limit": 40, "offset": offset, "total": 250}));
        let new = page["data"].as_array().unwrap().iter().filter(|ticket| {
            let organizer = &ticket["ticket_config"]["event"]["organizer_id"];
            seen.insert((organizer.as_i64().unwrap(), ticket["id"].as_i64().unwrap()))
        });
        assert_eq!(new.count(), if offset == 240 { 10 } else { 40 });
    }
    assert_eq!(seen.len(), 250);
    let tenant = "/t/weidental/event/v1/ticket?limit=3";
    let whole = world.get(&token, tenant).await.json();
    assert_eq!((whole["data"].as_array().unwrap().len(), whole.get("paging")), (83, None));
    world.sandbox.set_bam_choices(BamChoices { paged: false, tenant_paged: true, ..BamChoices::default() });
    let small = world.get(&token, tenant).await.json();
    assert_eq!((small["data"].as_array().unwrap().len(), &small["paging"]["limit"]), (3, &json!(3)));
    let whole = world.get(&token, "/v1/ticket?limit=3").await.json();
    assert_eq!((whole["data"].as_array().unwrap().len(), whole.get("paging")), (250, None));
}

#[tokio::test]
async fn single_tickets_are_found_by_id_and_by_ledger_id() {
    let world = World::start().await;
    let token = world.token().await;
    let path = "/t/nordhafen/event/v1/ticket/1?with=ticket_config.event&with_enrollment_id=true";
    let ticket = world.get(&token, path).await.json()["data"].clone();
    assert_eq!(ticket["ticket_config"]["event"]["organizer_id"], 101);
    assert!(ticket["enrollment_id"].is_string());
    let (event, config) = (&ticket["ticket_config"]["event"]["id"], &ticket["ticket_config"]["id"]);
    let ledger_id = format!("E{event}TC{config}T{}", ticket["seq_num"]);
    let same = world.get(&token, &format!("/t/nordhafen/event/v1/ticket/bc/{ledger_id}")).await.json();
    assert_eq!(same["data"]["id"], 1);
    assert!(same["data"].get("ticket_config").is_none());
    for missing in ["/t/nordhafen/event/v1/ticket/9999", "/t/nowhere/event/v1/ticket", "/t/nordhafen/x"] {
        assert_eq!(world.get(&token, missing).await.status, 404, "{missing}");
    }
    assert_eq!(world.get(&token, "/t/nordhafen/event/v1/ticket/one").await.status, 400);
    let others = world.sign_in(1).await.0;
    assert_eq!(world.get(&others, "/t/nordhafen/event/v1/ticket/1").await.status, 404);
}

#[tokio::test]
async fn a_removed_ticket_is_gone_from_its_tenant_only() {
    let world = World::start().await;
    let token = world.token().await;
    let user = world.sandbox.users()[0].name.clone();
    assert!(!world.sandbox.remove_ticket("jonas@example.org", CLUB, 1).unwrap());
    assert!(world.sandbox.remove_ticket(&user, CLUB, 1).unwrap());
    assert!(!world.sandbox.remove_ticket(&user, CLUB, 1).unwrap());
    assert_eq!(world.get(&token, "/t/nordhafen/event/v1/ticket/1").await.status, 404);
    assert_eq!(world.get(&token, &format!("/t/{THEATRE}/event/v1/ticket/1")).await.status, 200);
    assert_eq!(tickets(&world, &token, "/v1/ticket").await.len(), 23);
}
