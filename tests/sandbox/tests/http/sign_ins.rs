//! Signing in without a password, enrollment, and wallets.

use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use serde_json::{Value, json};
use x509_parser::pem::parse_x509_pem;

use crate::support::{Answer, CLUB, World};

const ENROLL: &str = "/account/v1/certificate/enroll";
const RENEW: &str = "/account/v1/certificate/renew";

fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["errorCode"].as_str().unwrap().to_owned())
}

/// Signs a text with a PEM key, as a wallet does: DER in hexadecimal.
fn sign(pem: &Value, text: &str) -> String {
    let (_, pem) = x509_parser::pem::parse_x509_pem(pem.as_str().unwrap().as_bytes()).unwrap();
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pem.contents, &random).unwrap();
    hex::encode(key.sign(&random, text.as_bytes()).unwrap())
}

/// Signs in with a wallet and signs `text` in place of the nonce, if there is one.
async fn wallet_sign_in(world: &World, wallet: &Value, text: Option<&str>, device: Option<&str>) -> Answer {
    let challenge = json!({"client_nonce": "1800000000000", "enrollment_id": wallet["enrollment_id"]});
    let challenge = world.open("/account/v1/auth/challenge", challenge).await.json();
    let nonce = challenge["data"]["nonce"].as_str().unwrap();
    let body = json!({"client_nonce": "1800000000000", "nonce": nonce,
        "signed_nonce": sign(&wallet["private_key"], text.unwrap_or(nonce))});
    let url = format!("{}/account/v1/auth/wallet", world.sandbox.url());
    let request = world.client.post(url).json(&body);
    let request = device.into_iter().fold(request, |request, device| request.header("x-device-id", device));
    let reply = request.send().await.unwrap();
    let (status, headers) = (reply.status(), reply.headers().clone());
    Answer { status, headers, text: reply.text().await.unwrap() }
}

#[tokio::test]
async fn a_user_is_enrolled_once_and_gets_a_key_with_its_certificate() {
    let world = World::start().await;
    let token = world.token().await;
    let before = error(&world.post(&token, RENEW, json!({})).await);
    assert_eq!(before, (404, "NOT_FOUND".to_owned()));
    let wallet = world.post(&token, ENROLL, json!({})).await.json()["data"].clone();
    assert_eq!(wallet["enrollment_id"], world.claims(&token)["enrollment_id"]);
    let (_, pem) = parse_x509_pem(wallet["certificate"].as_str().unwrap().as_bytes()).unwrap();
    let certificate = pem.parse_x509().unwrap();
    assert!(certificate.subject().to_string().contains(wallet["enrollment_id"].as_str().unwrap()));
    certificate.verify_signature(None).unwrap();
    assert!(
        certificate.validity().is_valid_at(x509_parser::time::ASN1Time::from_timestamp(world.now()).unwrap())
    );
    let signature = hex::decode(sign(&wallet["private_key"], "x")).unwrap();
    let point = certificate.public_key().subject_public_key.data.clone();
    let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_ASN1, point);
    key.verify(b"x", &signature).unwrap();
    let again = world.post(&token, ENROLL, json!({})).await;
    assert_eq!(error(&again), (409, "ALREADY_ENROLLED".to_owned()));
    let secrets = world.sandbox.secrets();
    let private = wallet["private_key"].as_str().unwrap();
    assert!(secrets.iter().any(|secret| secret == private));
    assert!(secrets.iter().any(|secret| secret == private.lines().nth(1).unwrap()));
    assert_eq!(error(&world.post("x", ENROLL, json!({})).await).0, 401);
}

#[tokio::test]
async fn a_renewed_key_takes_the_place_of_the_one_before() {
    let world = World::start().await;
    let token = world.token().await;
    let first = world.post(&token, ENROLL, json!({})).await.json()["data"].clone();
    let me = format!("/account/v1/user/{}", first["id"]);
    assert_eq!(world.get(&token, &me).await.json()["data"]["should_renew_certificate"], false);
    assert_eq!(wallet_sign_in(&world, &first, None, Some("d")).await.status, 200);
    world.pass(340 * 86_400);
    let token = world.token().await;
    assert_eq!(world.get(&token, &me).await.json()["data"]["should_renew_certificate"], true);
    let second = world.post(&token, RENEW, json!({})).await.json()["data"].clone();
    assert_eq!(second["enrollment_id"], first["enrollment_id"]);
    assert_ne!(second["private_key"], first["private_key"]);
    assert_eq!(world.get(&token, &me).await.json()["data"]["should_renew_certificate"], false);
    assert_eq!(wallet_sign_in(&world, &first, None, Some("d")).await.status, 401);
    assert_eq!(wallet_sign_in(&world, &second, None, Some("d")).await.status, 200);
    assert_eq!(world.get(&token, "/account/v1/user/2").await.status, 403);
    let entries = world.sandbox.journal().unwrap();
    let told: Vec<_> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(told, ["certificate.enroll", "certificate.renew"]);
    assert_eq!(entries[0].subject, format!("enrollment/{}", first["enrollment_id"].as_str().unwrap()));
    assert_eq!(entries[0].user, "mira@example.org");
}

#[tokio::test]
async fn a_wallet_signs_in_with_its_key() {
    let world = World::start().await;
    let wallet = world.open(ENROLL, json!({})).await.json()["data"].clone();
    let session = wallet_sign_in(&world, &wallet, None, Some("phone-1")).await.json()["data"].clone();
    let claims = world.claims(session["token"].as_str().unwrap());
    assert_eq!((&claims["type"], &claims["device_id"]), (&json!("anon"), &json!("phone-1")));
    assert_eq!((&claims["id"], &claims["enrollment_id"]), (&wallet["id"], &wallet["enrollment_id"]));
    assert!(session["refresh_token"].is_string());
    let wrong = wallet_sign_in(&world, &wallet, Some("another text"), Some("phone-1")).await;
    assert_eq!(error(&wrong), (401, "INVALID_SIGNATURE".to_owned()));
    assert_eq!(error(&wallet_sign_in(&world, &wallet, None, None).await), (400, "BAD_REQUEST".to_owned()));
    let unknown = json!({"client_nonce": "1", "enrollment_id": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(world.open("/account/v1/auth/challenge", unknown).await.status, 400);
}

#[tokio::test]
async fn guests_have_a_token_and_nothing_else() {
    let world = World::start().await;
    let answer = world.open("/account/v1/guest/login", json!({})).await.json()["data"].clone();
    assert!(answer.get("refresh_token").is_none());
    let token = answer["token"].as_str().unwrap();
    let claims = world.claims(token);
    assert_eq!((&claims["type"], &claims["enrolled"]), (&json!("guest"), &json!(false)));
    assert!(claims.get("enrollment_id").is_none());
    assert_eq!(world.get(token, "/v1/ticket").await.json()["data"], json!([]));
    let wallet = world.post(token, ENROLL, json!({})).await.json()["data"].clone();
    assert_eq!(wallet["enrollment_id"].as_str().unwrap().len(), 36, "a guest can be enrolled");
}

#[tokio::test]
async fn a_service_acts_for_its_organizer() {
    let world = World::start().await;
    let user = world.sandbox.organizers()[0].clone();
    let mut body =
        json!({"name": user.service, "password": user.service_password, "org_id": user.organizer_id});
    let data = world.open("/account/v1/auth/service", body.clone()).await.json()["data"].clone();
    assert!(data.get("refresh_token").is_none());
    let path = format!("/t/{CLUB}/event/v1/organizer/{CLUB}/event/1/public_key");
    assert_eq!(world.get(data["token"].as_str().unwrap(), &path).await.status, 200);
    for (member, value, status) in
        [("org_id", json!(102), 401), ("org_id", json!(999), 404), ("password", json!("x"), 401)]
    {
        let before = std::mem::replace(&mut body[member], value);
        assert_eq!(world.open("/account/v1/auth/service", body.clone()).await.status, status);
        body[member] = before;
    }
    let login = json!({"username": format!("{}@{CLUB}", user.service), "password": user.service_password});
    assert_eq!(world.open("/account/v1/auth/login", login).await.status, 401, "no person signs in as it");
}

#[tokio::test]
async fn third_parties_vouch_for_users_and_nobody_impersonates_them() {
    let world = World::start().await;
    let user = world.sandbox.users()[1].clone();
    let mut body = json!({"token": user.external_token, "third_party": "apple", "accepted_latest_tos": true});
    let data = world.open("/account/v1/auth/external", body.clone()).await.json()["data"].clone();
    assert_eq!(world.claims(data["token"].as_str().unwrap())["username"], json!(user.name));
    assert!(data["refresh_token"].is_string());
    body["third_party"] = json!("myspace");
    assert_eq!(world.open("/account/v1/auth/external", body.clone()).await.status, 422);
    body = json!({"token": "x", "third_party": "google"});
    assert_eq!(world.open("/account/v1/auth/external", body).await.status, 401);
    let token = world.token().await;
    let impersonate = "/account/v1/auth/impersonate";
    assert_eq!(world.post(&token, impersonate, json!({"user_id": 2})).await.status, 403);
    assert_eq!(world.post("x", impersonate, json!({"user_id": 2})).await.status, 401);
}
