//! Codes of SECURE tickets: as pictures, all of an event, the key that checks them, and validators at the gates.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};
use ticket_wallet_sandbox::TicketEdit;

use crate::support::{CLUB, World, is_eligible};

const TICKET: &str = "/t/nordhafen/event/v1/ticket";
const EVENT: &str = "/t/nordhafen/event/v1/organizer/nordhafen/event";

fn base45(text: &str) -> Vec<u8> {
    let alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";
    let digits: Vec<usize> = text.chars().map(|char| alphabet.find(char).unwrap()).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(3) {
        let number = group.iter().rev().fold(0, |number, digit| number * 45 + digit);
        let pair = u16::try_from(number).unwrap().to_be_bytes();
        bytes.extend_from_slice(&pair[if group.len() == 3 { 0 } else { 1 }..]);
    }
    bytes
}

/// The ledger id in a code, once its signature was checked with a PEM key.
fn checked(code: &str, pem: &str) -> String {
    let (payload, signature) = code.split_once(":::").unwrap();
    let (payload, signature) = (base45(payload), base45(signature));
    let (_, spki) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    let point = &spki.contents[26..];
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(&payload, &signature).unwrap();
    let payload: Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(payload.as_object().unwrap().len(), 1);
    payload["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn all_codes_of_an_event_are_told_by_ticket_config_and_are_signed() {
    let world = World::start().await;
    let (token, holder) = (world.organizer(CLUB).await, world.token().await);
    let pem = world.get(&token, &format!("{EVENT}/1/public_key")).await.json();
    let pem = pem["data"]["public_key"].as_str().unwrap().to_owned();
    let other = world.get(&token, &format!("{EVENT}/2/public_key")).await.json();
    assert_ne!(other["data"]["public_key"], json!(pem));
    let configs = world.get(&token, &format!("{EVENT}/1/qr_codes")).await.json()["data"].clone();
    assert_eq!(configs.as_array().unwrap().len(), 3);
    let mut count = 0;
    for config in configs.as_array().unwrap() {
        assert!(config["name"].is_string() && config.get("event").is_none());
        for ticket in config["ticket"].as_array().unwrap() {
            let code = ticket["ticket_qr_code"]["content"].as_str().unwrap();
            let ledger_id = format!("E1TC{}T{}", config["id"], ticket["seq_num"]);
            assert_eq!(checked(code, &pem), ledger_id);
            assert_eq!(ticket["ticket_qr_code"]["ticket_id"], ticket["id"]);
            assert!(ticket["status"] == "issued" || ticket["status"] == "activated");
            assert!(world.sandbox.secrets().iter().any(|secret| secret == code));
            count += 1;
        }
    }
    assert!(count >= 2);
    let edit = TicketEdit { status: Some("invalidated".to_owned()), ..TicketEdit::default() };
    world.sandbox.edit_ticket(CLUB, 1, &edit).unwrap();
    let after = world.get(&token, &format!("{EVENT}/1/qr_codes")).await.json()["data"].clone();
    let codes = |configs: &Value| configs.to_string().matches("ticket_qr_code").count();
    assert_eq!(codes(&after) + 1, codes(&configs));
    for call in ["qr_codes", "public_key"] {
        for (path, token, status) in [
            (format!("{EVENT}/1/{call}"), &holder, 403),
            (format!("{EVENT}/99/{call}"), &token, 404),
            (format!("{EVENT}/x/{call}"), &token, 400),
            (format!("{EVENT}/1/{call}"), &"x".to_owned(), 401),
            (format!("/t/nordhafen/event/v1/organizer/101/event/1/{call}"), &token, 200),
            (format!("/t/nordhafen/event/v1/organizer/102/event/1/{call}"), &token, 403),
            (format!("/t/nordhafen/event/v1/organizer/999/event/1/{call}"), &token, 404),
        ] {
            assert_eq!(world.get(token, &path).await.status, status, "{path}");
        }
    }
}

#[tokio::test]
async fn a_holder_gets_a_tickets_code_as_a_picture() {
    let world = World::start().await;
    let token = world.token().await;
    let id = world.ids(&token, CLUB, is_eligible).await[0].clone();
    let path = format!("{TICKET}/{id}/qrcode");
    let body = json!({"action": "trx", "fcn": "ticket.invalidate"});
    let code = world.post(&token, &path, body.clone()).await.json()["data"]["code"].clone();
    let file = BASE64.decode(code.as_str().unwrap()).unwrap();
    let decoder = png::Decoder::new(std::io::Cursor::new(file));
    let mut reader = decoder.read_info().unwrap();
    let info = reader.info();
    assert_eq!((info.width, info.height % 6), (info.height, 0));
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut pixels).unwrap();
    assert!(pixels[0] == 255 && pixels.contains(&0), "a quiet zone and modules");
    let refused = world.post(&token, &path, json!({"action": "trx", "fcn": "ticket.issue"})).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["message"]), (422, &json!("Invalid value for fcn")));
    assert_eq!(world.post(&token, &path, json!({})).await.status, 422);
    let others = world.sign_in(1).await.0;
    assert_eq!(world.post(&others, &path, body.clone()).await.status, 404);
    let used = world.ids(&token, CLUB, |ticket| !is_eligible(ticket)).await[0].clone();
    let answer = world.post(&token, &format!("{TICKET}/{used}/qrcode"), body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["errorCode"]), (409, &json!("NO_QR_CODE")));
}

#[tokio::test]
async fn a_validator_is_fetched_with_its_token() {
    let world = World::start().await;
    let token = world.sandbox.validator_token(CLUB, 2);
    let over_http = world.get("", "/sandbox/validators/nordhafen/2").await.json();
    assert_eq!(over_http, json!({"token": token}));
    let path = format!("/account/v1/organizer/validator/{token}");
    let validator = world.get("", &path).await.json()["data"].clone();
    assert_eq!((&validator["event_id"], &validator["organizer"]), (&json!(2), &json!(CLUB)));
    assert!(validator.get("server_url").is_some());
    let (_, pem) =
        x509_parser::pem::parse_x509_pem(validator["wallet"]["certificate"].as_str().unwrap().as_bytes())
            .unwrap();
    let subject = pem.parse_x509().unwrap().subject().to_string();
    assert!(subject.contains(validator["wallet"]["enrollment_id"].as_str().unwrap()));
    assert!(world.sandbox.secrets().contains(&token));
    assert_eq!(world.get("", "/account/v1/organizer/validator/x").await.status, 404);
    assert_eq!(world.get(&world.token().await, &path).await.status, 403);
    let organizer = world.organizer(CLUB).await;
    let export = "/account/v1/organizer/nordhafen/validator/export";
    let one = world.get(&organizer, &format!("{export}?event_id=2")).await.json();
    assert_eq!(one, json!({"data": [validator]}));
    let all = world.get(&organizer, export).await.json();
    assert_eq!(all["data"].as_array().unwrap().len(), 5);
    assert_eq!(world.get(&world.token().await, export).await.status, 403);
}
