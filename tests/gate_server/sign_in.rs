//! Signing scanners in.

use serde_json::{Value, json};
use ticket_wallet::error::Error;
use ticket_wallet::ledger::Certificate;
use ticket_wallet::remote::Request;
use ticket_wallet::remote::extension::{Extension, GateAnswer, GateSignIn};
use ticket_wallet_sandbox::{Fault, FaultRule, SandboxConfig};
use url::Url;

use crate::gatehouse::{CLUB, EVENT, Gatehouse, ScannerKey, http, new_key};
use crate::phone::TestClock;
use crate::refusal;
use crate::tiny_server::{Answer, TinyServer};

#[tokio::test]
async fn a_code_fixes_the_event_and_the_sections() {
    let house = Gatehouse::new().await;
    assert!(house.extension.offers_gates());
    for section in [None, Some(112)] {
        let scanner = house.scanner_with(&house.code(EVENT, section), "Nordtor 1").await;
        let gate = &scanner.gate;
        let said = Certificate::read(&gate.certificate, &gate.manifest_key).unwrap();
        assert_eq!((said.key, said.name.as_str()), (scanner.key.public(), "Nordtor 1"));
        assert_eq!((said.scanner, said.event), (gate.scanner, gate.event));
        assert_eq!(said.sections, Vec::from_iter(section));
        assert_eq!(gate.sections.keys().copied().collect::<Vec<_>>(), said.sections);
        assert_eq!(gate.provider.event(&gate.event_id), Ok(gate.event));
        assert_eq!(gate.event_id, EVENT.to_string());
        assert!(gate.event_name.as_deref().unwrap().starts_with("FC Nordhafen"));
        assert!(said.covers(u64::try_from(house.clock.wall_ms()).unwrap()));
        assert!(house.sandbox.manifest_keys().contains(&hex::encode(gate.manifest_key.to_bytes())));
        assert!(!format!("{gate:?}").contains(&*gate.session));
    }
}

#[tokio::test]
async fn the_same_key_is_the_same_scanner_however_often_it_asks() {
    let house = Gatehouse::new().await;
    let (code, key) = (house.code(EVENT, None), ScannerKey::new());
    let lost = FaultRule {
        method: Some("POST".to_owned()),
        path_contains: "/gates".to_owned(),
        skip: 0,
        times: 1,
        fault: Fault::LostReply,
    };
    house.sandbox.fault(lost);
    assert!(house.sign_in(&code, &key, "Tor 1").await.unwrap_err().is_uncertain());
    let first = house.sign_in(&code, &key, "Tor 1").await.unwrap();
    assert_eq!(house.sign_in(&code, &key, "Tor 1").await.unwrap(), first);
    let other = house.sign_in(&code, &ScannerKey::new(), "Tor 1").await.unwrap();
    assert_ne!(other, first);
    assert_eq!(house.sandbox.gate_report().unwrap()["events"][0]["gates"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_code_that_is_unknown_or_used_up_says_so() {
    let house = Gatehouse::with(SandboxConfig { scanners_per_code: 1, ..SandboxConfig::default() }).await;
    let code = house.code(EVENT, None);
    let unknown = house.sign_in("00000000", &ScannerKey::new(), "Tor 1").await.unwrap();
    assert_eq!(unknown, GateAnswer::UnknownCode);
    let elsewhere = house.sandbox.admission_codes().unwrap().into_iter().find(|one| one.tenant != CLUB);
    let foreign = house.sign_in(&elsewhere.unwrap().code, &ScannerKey::new(), "Tor 1").await.unwrap();
    assert_eq!(foreign, GateAnswer::UnknownCode);
    house.scanner("Tor 1").await;
    assert_eq!(house.sign_in(&code, &ScannerKey::new(), "Tor 2").await.unwrap(), GateAnswer::UsedUp);
}

#[tokio::test]
async fn what_cannot_be_certified_is_refused() {
    let house = Gatehouse::new().await;
    let (code, key) = (house.code(EVENT, None), ScannerKey::new());
    for name in ["", &"x".repeat(65)] {
        let refused = refusal(house.sign_in(&code, &key, name).await);
        assert_eq!(refused, (422, "invalid-field".to_owned()));
    }
    let sign_in = |name| GateSignIn { admission_code: &code, scanner_key: key.public(), name };
    house.extension.register(&house.http, "once", &sign_in("Tor 1")).await.unwrap();
    let reused = house.extension.register(&house.http, "once", &sign_in("Tor 2")).await;
    assert_eq!(refusal(reused), (422, "key-reused".to_owned()));
}

#[tokio::test]
async fn a_revoked_scanner_is_out_and_its_key_does_not_come_back() {
    let house = Gatehouse::new().await;
    let scanner = house.scanner("Tor 1").await;
    assert!(house.sandbox.revoke_scanner(&scanner.gate.scanner.0).unwrap());
    assert!(!house.sandbox.revoke_scanner(&[0; 8]).unwrap());
    for outcome in [
        house.manifest(&scanner, None).await.map(drop),
        house.extension.venue_nonces(&house.http, &scanner.session).await.map(drop),
        house.upload(&scanner, &[]).await.map(drop),
        house.extension.records_after(&house.http, &scanner.session, None).await.map(drop),
    ] {
        assert_eq!(outcome, Err(Error::SignedOut));
    }
    let again = house.sign_in(&house.code(EVENT, None), &scanner.key, "Tor 1").await;
    assert_eq!(refusal(again), (403, "scanner-revoked".to_owned()));
}

/// A server that answers a sign-in with this.
async fn answered(answer: Value, key: &ScannerKey) -> Result<GateAnswer, Error> {
    let discovery = json!({"version": 1, "base": "/w", "features": ["gate"], "issuer_keys": []});
    let server = TinyServer::start(move |asked| {
        Answer::ok(if asked.path.ends_with("ticket-wallet") { &discovery } else { &answer }.to_string())
    });
    let http = http(&TestClock::new());
    let extension = Extension::discover(&http, &Url::parse(&server.url()).unwrap()).await.unwrap().unwrap();
    let sign_in = GateSignIn { admission_code: "A", scanner_key: key.public(), name: "Tor 1" };
    extension.register(&http, &new_key(), &sign_in).await
}

/// What the sandbox answers, changed in one place, is not taken.
#[tokio::test]
async fn an_answer_that_does_not_hold_together_is_not_taken() {
    let house = Gatehouse::new().await;
    let key = ScannerKey::new();
    let ask = async |key: &ScannerKey| -> Value {
        let encoded = base64(&key.public().to_x963());
        let body = json!({"admission_code": house.code(EVENT, Some(9)), "scanner_key": encoded, "name": "T"});
        let url = Url::parse(&format!("{}/t/{CLUB}/wallet/v1/gates", house.sandbox.url())).unwrap();
        let idempotency_key = new_key();
        let request = Request { idempotency_key: Some(&idempotency_key), ..Request::post(url, "", &body) };
        house.http.send(request).await.unwrap().json().unwrap()
    };
    let (good, other) = (ask(&key).await, ask(&ScannerKey::new()).await);
    assert!(matches!(answered(good.clone(), &key).await, Ok(GateAnswer::SignedIn(_))));
    let changes = [
        ("scanner_id", other["scanner_id"].clone(), "certificate"),
        ("scanner_id", json!("AA"), "scanner_id"),
        ("certificate", other["certificate"].clone(), "certificate"),
        ("certificate", json!("AAAA"), "certificate"),
        ("manifest_key", json!("2b8hSHSKhcidparY7gsPwtEF_TnUGkx5ZTY1TwrikAw"), "certificate"),
        ("manifest_key", json!(base64(&[0; 32])), "manifest_key"),
        ("session", json!(""), "session"),
        ("session", json!("two words"), "session"),
        ("event", json!({"provider": "bam:elsewhere", "id": "1"}), "certificate"),
        ("event", json!({"provider": "bam:a\u{1f}", "id": "1"}), "event.provider"),
        ("sections", json!([]), "sections"),
        ("sections", json!([{"code": 112, "name": "x"}]), "sections"),
    ];
    for (member, value, field) in changes {
        let mut answer = good.clone();
        answer[member] = value;
        let refused = answered(answer, &key).await;
        let Err(Error::Reply { field: said, .. }) = refused else { panic!("{member}: {refused:?}") };
        assert_eq!(said, field, "{member}");
    }
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
