//! Binding tickets: one, many, to the same device, to another.

use serde_json::{Value, json};
use ticket_wallet::barcode::{CodeVerdict, DeviceSignature, code_text, proof_message};
use ticket_wallet::model::Provider;
use ticket_wallet::{CheckerConfig, CodeChecker, KnownIssuer};
use url::Url;

use crate::support::{CLUB, CREDENTIALS, Device, START_S, World, binding, credential, is_eligible};

fn gate(world: &World, key: usize) -> CodeChecker {
    let public_key = hex::decode(&world.sandbox.issuer_keys()[key]).unwrap();
    let issuers = vec![KnownIssuer { public_key, valid_from: None, valid_until: None }];
    CodeChecker::new(CheckerConfig { issuers, event: None, sections: Vec::new(), tolerance_s: 10 }).unwrap()
}

fn show(device: &Device, bound: &Value, at: i64) -> Vec<u8> {
    let (credential, at) = (credential(bound), u32::try_from(at).unwrap());
    let signature = device.sign(&proof_message(&credential, at, None));
    code_text(&credential, at, &DeviceSignature::from_bytes(&signature).unwrap()).into_bytes()
}

#[tokio::test]
async fn a_gate_that_knows_the_issuer_accepts_what_the_device_shows() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let ticket = &world.eligible(&token).await[0];
    let bound = world.bind(&token, ticket, &device).await;
    let frame = show(&device, &bound, START_S);
    let check = gate(&world, 0).check(frame.clone(), START_S, Vec::new()).unwrap();
    assert_eq!(check.verdict, CodeVerdict::Valid);
    let late = gate(&world, 0).check(frame.clone(), START_S + 41, Vec::new()).unwrap();
    assert_eq!(late.verdict, CodeVerdict::Stale);
    let elsewhere = gate(&world, 1).check(frame, START_S, Vec::new()).unwrap();
    assert_eq!(elsewhere.verdict, CodeVerdict::UnknownIssuer);
}

#[tokio::test]
async fn a_credential_says_what_it_shall() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let provider = Provider::new("bam", &Url::parse(&world.sandbox.url()).unwrap(), Some(CLUB)).unwrap();
    let list =
        world.get(&token, "/t/nordhafen/event/v1/ticket?with=[sector,ticket_config.event]").await.json();
    let mut sections = Vec::new();
    for ticket in list["data"].as_array().unwrap().iter().filter(|ticket| is_eligible(ticket)) {
        let id = ticket["id"].to_string();
        let bound = world.bind(&token, &id, &device).await;
        let fields = *credential(&bound).fields();
        let event = ticket["ticket_config"]["event"]["id"].to_string();
        assert_eq!(fields.ticket, provider.ticket(&id).unwrap());
        assert_eq!(fields.event, provider.event(&event).unwrap());
        let times = (i64::from(fields.not_before), i64::from(fields.lease_end), fields.window);
        assert_eq!(times, (START_S - 86_400, START_S + 48 * 3600, 30));
        assert_eq!((fields.generation, fields.nonce_required), (1, false));
        assert_eq!((&bound["ticket_id"], &bound["generation"]), (&json!(id), &json!(1)));
        assert_eq!(bound["renew_after"], "2027-01-16T08:00:00Z");
        sections.push((ticket["sector"]["name"].as_str().map(str::to_owned), fields.section));
    }
    assert!(sections.contains(&(None, 0)));
    for (name, code) in sections.into_iter().filter_map(|(name, code)| name.map(|name| (name, code))) {
        assert!(name.split(' ').any(|word| word == code.to_string()), "{name} is not {code}");
    }
}

#[tokio::test]
async fn the_same_device_gets_the_same_credential_and_another_is_told_off() {
    let world = World::start().await;
    let (token, device, other) = (world.token().await, Device::new(), Device::new());
    let ticket = &world.eligible(&token).await[0];
    let first = world.bind(&token, ticket, &device).await;
    world.pass(600);
    assert_eq!(world.bind(&token, ticket, &device).await, first);
    let refused = world.post(&token, CREDENTIALS, binding(ticket, &other)).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "bound-elsewhere"));
    assert_eq!(refused.json()["moves_left"], 3);
    assert_eq!(world.bind(&token, ticket, &device).await, first);
}

#[tokio::test]
async fn moves_raise_the_generation_and_are_limited() {
    let world = World::start().await;
    let (token, moving) = (world.token().await, format!("{CREDENTIALS}?move=true"));
    let ticket = &world.eligible(&token).await[0];
    world.bind(&token, ticket, &Device::new()).await;
    for generation in 2..=4 {
        let device = Device::new();
        let moved = world.post(&token, &moving, binding(ticket, &device)).await.json();
        assert_eq!(moved["generation"], generation);
        assert_eq!(credential(&moved).fields().generation, generation);
        let again = world.post(&token, &moving, binding(ticket, &device)).await.json();
        assert_eq!(again, moved, "the device that holds it already needs no move");
        let refused = world.post(&token, CREDENTIALS, binding(ticket, &Device::new())).await.json();
        assert_eq!(refused["moves_left"], 4 - generation);
    }
    let refused = world.post(&token, &moving, binding(ticket, &Device::new())).await;
    assert_eq!(refused.problem(), "bound-elsewhere");
    assert_eq!(refused.json()["moves_left"], 0);
}

#[tokio::test]
async fn tickets_that_cannot_have_a_credential_are_refused() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let pdf = world.ids(&token, CLUB, |ticket| ticket["format"] == "PDF").await.remove(0);
    let used = world.ids(&token, CLUB, |ticket| ticket["status"] == "invalidated").await.remove(0);
    for ticket in [&pdf, &used] {
        let refused = world.post(&token, CREDENTIALS, binding(ticket, &device)).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (409, "not-eligible"));
    }
    let others = world.sign_in(1).await.0;
    let mine = world.eligible(&token).await.remove(0);
    for (token, ticket) in [(&token, "9999"), (&token, "x"), (&token, "01"), (&others, mine.as_str())] {
        let refused = world.post(token, CREDENTIALS, binding(ticket, &device)).await;
        assert_eq!(
            (refused.status.as_u16(), refused.problem().as_str()),
            (404, "ticket-not-found"),
            "{ticket}"
        );
    }
}

#[tokio::test]
async fn bad_fields_are_named() {
    let world = World::start().await;
    let token = world.token().await;
    let ticket = &world.eligible(&token).await[0];
    let key = Device::new().public();
    let off_the_curve = format!("{}{}", &key[..86], if key.ends_with('A') { 'E' } else { 'A' });
    for (field, body) in [
        ("device_key", json!({"ticket_id": ticket, "device_key": off_the_curve})),
        ("device_key", json!({"ticket_id": ticket, "device_key": format!("{key}=")})),
        ("device_key", json!({"ticket_id": ticket, "device_key": ""})),
        ("device_key", json!({"ticket_id": ticket})),
        ("ticket_id", json!({"ticket_id": 1, "device_key": key})),
        ("ticket_id", json!([{"device_key": key}])),
    ] {
        let refused = world.post(&token, CREDENTIALS, body.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (422, "invalid-field"), "{body}");
        assert_eq!(refused.json()["field"], field);
    }
    for body in [json!("text"), json!(null)] {
        assert_eq!(world.post(&token, CREDENTIALS, body).await.problem(), "malformed");
    }
}

#[tokio::test]
async fn an_array_gets_one_result_each_in_its_order() {
    let world = World::start().await;
    let (token, device) = (world.token().await, Device::new());
    let tickets = world.eligible(&token).await;
    let pdf = world.ids(&token, CLUB, |ticket| ticket["format"] == "PDF").await.remove(0);
    let ids = [tickets[0].as_str(), "9999", &pdf, &tickets[1], &tickets[0]];
    let body: Vec<_> = ids.iter().map(|id| binding(id, &device)).collect();
    let answer = world.post(&token, CREDENTIALS, json!(body)).await;
    assert_eq!(answer.status, 200);
    let results = answer.json();
    let told: Vec<_> =
        results.as_array().unwrap().iter().map(|one| one["ticket_id"].as_str().unwrap()).collect();
    assert_eq!(told, ids);
    let statuses: Vec<_> = (0..5).map(|n| results[n]["problem"]["status"].as_u64()).collect();
    assert_eq!(statuses, [None, Some(404), Some(409), None, None]);
    assert_eq!(results[0], results[4]);
    assert_eq!(results[0], world.bind(&token, &tickets[0], &device).await);
    assert_eq!(world.post(&token, CREDENTIALS, json!([])).await.json(), json!([]));
}

#[tokio::test]
async fn an_array_has_a_hundred_items_at_most() {
    let world = World::start_with(|config| {
        config.tickets_per_user = 400;
        config.page_limit = 1000;
    })
    .await;
    let (token, device) = (world.token().await, Device::new());
    let tickets = world.eligible(&token).await;
    let body: Vec<_> = tickets[..100].iter().map(|id| binding(id, &device)).collect();
    let results = world.post(&token, CREDENTIALS, json!(body)).await.json();
    assert!((0..100).all(|n| results[n]["generation"] == 1));
    let body: Vec<_> = tickets[..101].iter().map(|id| binding(id, &device)).collect();
    let refused = world.post(&token, CREDENTIALS, json!(body)).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (413, "too-large"));
}

#[tokio::test]
async fn credentials_need_a_token() {
    let world = World::start().await;
    let refused = world.post("x.y.z", CREDENTIALS, json!([])).await;
    assert_eq!((refused.status.as_u16(), refused.problem().as_str()), (401, "unauthorized"));
}
