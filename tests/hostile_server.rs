//! Promise: a server cannot plant a wrong credential, take a ticket away with half an answer, or send a token elsewhere.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/box_office.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod box_office;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use box_office::{BoxOffice, Lies, RENEW_AFTER_S, Sign, TENANT, TODAY, issuer, ticket};
use phone::{Phone, TestClock};
use ring::signature::Ed25519KeyPair;
use serde_json::json;
use ticket_wallet::barcode::{Credential, CredentialFields};
use ticket_wallet::host::{KeyVault as _, SoftwareVault};
use ticket_wallet::model::NoBarcodeReason;
use ticket_wallet::{CredentialRequest, Issuer, SyncReport, WalletError};
use tiny_server::{Answer, TinyServer};

async fn signed_in(office: &BoxOffice) -> Phone {
    let phone = Phone::new(&TestClock::new());
    phone.wallet.sign_in(office.sign_in()).await.unwrap();
    phone
}

async fn sync(phone: &Phone) -> Result<SyncReport, WalletError> {
    phone.wallet.sync(None).await
}

/// Generation and lease of each ticket.
fn held(phone: &Phone) -> Vec<(Option<u16>, Option<i64>)> {
    let details = phone.tickets().into_iter().map(|ticket| phone.wallet.ticket(ticket.id).unwrap());
    details.map(|detail| (detail.generation, detail.lease_end)).collect()
}

/// A device key of somebody else.
fn other_device() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vault.json");
    SoftwareVault::new(path.to_str().unwrap().to_owned()).create_key("k".to_owned()).unwrap()
}

/// Signed with the discovered issuer's key, whatever the fields say.
fn signed_as_it_is(change: impl Fn(&mut CredentialFields)) -> impl Fn(CredentialRequest) -> Vec<u8> {
    move |request| {
        let honest = issuer().credential(request).unwrap();
        let mut fields = *Credential::from_bytes(&honest).unwrap().fields();
        change(&mut fields);
        let pair = Ed25519KeyPair::from_seed_unchecked(&[1; 32]).unwrap();
        let message = Credential::message(&fields.to_bytes().unwrap());
        let signature = pair.sign(&message).as_ref().try_into().unwrap();
        Credential::from_parts(fields, &signature).unwrap().as_bytes().to_vec()
    }
}

/// An honest credential whose bytes are changed after it was signed.
fn then(change: impl Fn(&mut Vec<u8>) + Send + 'static) -> Sign {
    Box::new(move |request| {
        let mut bytes = issuer().credential(request).unwrap();
        change(&mut bytes);
        bytes
    })
}

/// What is no credential at all.
fn no_credentials() -> Vec<(&'static str, Sign)> {
    vec![
        ("another format", then(|bytes| bytes[0] ^= 0x30)),
        ("one byte less", then(|bytes| bytes.truncate(133))),
        ("one byte more", then(|bytes| bytes.push(0))),
        ("no byte", then(Vec::clear)),
    ]
}

/// Credentials that must not be kept, by what is wrong with them.
fn wrong_credentials() -> Vec<(&'static str, Sign)> {
    fn with(change: impl Fn(&mut CredentialRequest) + Send + 'static) -> Sign {
        Box::new(move |mut request| {
            change(&mut request);
            issuer().credential(request).unwrap()
        })
    }
    vec![
        ("another device", with(|request| request.device_key = other_device())),
        ("another event", with(|request| request.event_id = "10".to_owned())),
        ("another ticket", with(|request| request.ticket_id.push('0'))),
        (
            "the neighbour's ticket",
            with(|request| {
                request.ticket_id = if request.ticket_id == "1" { "2" } else { "1" }.to_owned();
            }),
        ),
        ("another tenant", with(|request| request.provider = request.provider.replace(TENANT, "org2"))),
        ("another host", with(|request| request.provider = format!("bam:127.0.0.1/{TENANT}"))),
        (
            "another issuer",
            Box::new(|request| Issuer::new(vec![2; 32]).unwrap().credential(request).unwrap()),
        ),
        (
            "another issuer under this one's key id",
            Box::new(|request| {
                let mut bytes = Issuer::new(vec![2; 32]).unwrap().credential(request.clone()).unwrap();
                bytes[1..5].copy_from_slice(&issuer().credential(request).unwrap()[1..5]);
                bytes
            }),
        ),
        ("a key id that is not the signer's", Box::new(signed_as_it_is(|fields| fields.key_id = [9; 4]))),
        (
            "the other half of the key's point",
            Box::new(signed_as_it_is(|fields| {
                fields.device_y_is_odd = !fields.device_y_is_odd;
            })),
        ),
        ("a changed generation", then(|bytes| bytes[28] ^= 1)),
        ("a changed lease", then(|bytes| bytes[33] ^= 1)),
        ("a changed signature", then(|bytes| bytes[133] ^= 1)),
        ("no signature", then(|bytes| bytes[70..].fill(0))),
    ]
}

#[tokio::test]
async fn honest_credentials_are_bound_and_renewed() {
    let office = BoxOffice::open(Lies::default());
    let phone = signed_in(&office).await;
    assert_eq!(sync(&phone).await.unwrap().bound, 2);
    let first_end = i64::from(TODAY + 86_400);
    assert_eq!(held(&phone), [(Some(5), Some(first_end)); 2]);
    phone.clock.pass_s(i64::from(RENEW_AFTER_S) + 1);
    assert_eq!(sync(&phone).await.unwrap().renewed, 2);
    assert_eq!(held(&phone), [(Some(5), Some(first_end + i64::from(RENEW_AFTER_S) + 1)); 2]);
    assert_eq!(phone.signed_tickets().len(), 2);
}

#[tokio::test]
async fn a_wrong_credential_is_not_bound() {
    for (what, sign) in wrong_credentials() {
        let office = BoxOffice::open(Lies { sign: Some(sign), ..Lies::default() });
        let phone = signed_in(&office).await;
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.bound, report.refused), (0, 2), "{what}");
        assert_eq!(held(&phone), [(None, None); 2], "{what}");
        for ticket in phone.tickets() {
            match phone.wallet.present(ticket.id, None) {
                Err(WalletError::NoBarcode { why, .. }) => {
                    assert_eq!(why, NoBarcodeReason::BadCredential, "{what}")
                }
                other => panic!("{what}: {other:?}"),
            }
        }
        // What was refused stands in no honest answer's way.
        office.lie(Lies::default());
        assert_eq!(sync(&phone).await.unwrap().bound, 2, "{what}");
    }
}

#[tokio::test]
async fn a_wrong_credential_does_not_replace_the_one_that_is_held() {
    let lower: (&str, Sign) = (
        "a lower generation",
        Box::new(|mut request| {
            request.generation = 4;
            issuer().credential(request).unwrap()
        }),
    );
    for (what, sign) in wrong_credentials().into_iter().chain([lower]) {
        let office = BoxOffice::open(Lies::default());
        let phone = signed_in(&office).await;
        sync(&phone).await.unwrap();
        let before = held(&phone);
        assert!(before.iter().all(|(generation, _)| *generation == Some(5)));
        phone.clock.pass_s(i64::from(RENEW_AFTER_S) + 1);
        office.lie(Lies { sign: Some(sign), ..Lies::default() });
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.renewed, report.refused), (0, 2), "{what}");
        assert!(office.asked().last().unwrap().path.ends_with("/credentials/renew"), "{what}");
        assert_eq!(held(&phone), before, "{what}");
        let phone = phone.restart();
        assert_eq!((held(&phone), phone.signed_tickets().len()), (before, 2), "{what}");
    }
}

#[tokio::test]
async fn one_wrong_credential_keeps_no_other_ticket_from_its_own() {
    for victim in ["1", "2"] {
        let sign = move |mut request: CredentialRequest| {
            if request.ticket_id == victim {
                request.device_key = other_device();
            }
            issuer().credential(request).unwrap()
        };
        let office = BoxOffice::open(Lies { sign: Some(Box::new(sign)), ..Lies::default() });
        let phone = signed_in(&office).await;
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.bound, report.refused, phone.signed_tickets().len()), (1, 1, 1), "{victim}");
    }
}

#[tokio::test]
async fn what_is_no_credential_is_an_unreadable_reply() {
    for (what, sign) in no_credentials() {
        let office = BoxOffice::open(Lies { sign: Some(sign), ..Lies::default() });
        let phone = signed_in(&office).await;
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })), "{what}");
        assert_eq!(held(&phone), [(None, None); 2], "{what}");
        office.lie(Lies::default());
        assert_eq!(sync(&phone).await.unwrap().bound, 2, "{what}");
    }
}

#[tokio::test]
async fn a_batch_answered_in_part_binds_nothing_wrong() {
    let bodies = ["[]", "[{}]", "{}", "[null,null]", r#"[{"ticket_id":"1"},{"ticket_id":"2"}]"#, "[[],[]]"];
    for body in bodies {
        let lie =
            move |asked: &tiny_server::Asked| asked.path.ends_with("/credentials").then(|| Answer::ok(body));
        let office = BoxOffice::open(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
        let phone = signed_in(&office).await;
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })), "{body}");
        assert_eq!(held(&phone), [(None, None); 2], "{body}");
    }
}

#[tokio::test]
async fn no_name_and_no_redirect_leads_elsewhere() {
    let elsewhere = TinyServer::start(|_| Answer::ok("{}"));
    let (url, host) = (elsewhere.url(), elsewhere.url().replace("http://", ""));
    let mut tenants = vec![format!("{host}/"), format!("@{host}/"), format!("//{host}/"), format!("{url}/")];
    let strange = [
        "",
        ".",
        "..",
        "../..",
        "a/b",
        "a.b",
        "a?b",
        "a#b",
        "a%2fb",
        "a\\b",
        "a b",
        "a\r\nHost: x",
        "ü",
        "evil.example/",
    ];
    tenants.extend(strange.map(str::to_owned));
    for tenant in tenants {
        let office = BoxOffice::open(Lies { tenant: Some(tenant.clone()), ..Lies::default() });
        let phone = signed_in(&office).await;
        let refused = sync(&phone).await;
        assert!(matches!(refused, Err(WalletError::Unreachable { .. })), "{tenant:?}: {refused:?}");
        let last = office.asked().last().unwrap().path.clone();
        assert_eq!(last, "/account/v1/organizer/7", "{tenant:?}: nothing is asked under this name");
    }
    for base in
        [&url, &format!("//{host}/x"), &format!("\\\\{host}"), "data:text/plain,x", "http://user@127.0.0.1"]
    {
        let office = BoxOffice::open(Lies { base: Some(base.to_owned()), ..Lies::default() });
        let phone = signed_in(&office).await;
        let refused = sync(&phone).await;
        assert!(matches!(refused, Err(WalletError::Unreachable { .. })), "{base}: {refused:?}");
        assert!(office.asked().iter().all(|asked| !asked.path.contains("/credentials")), "{base}");
    }
    for status in [301, 302, 303, 307, 308] {
        for endpoint in ["/v1/ticket", "/organizer/", "/.well-known/", "/credentials"] {
            let to = format!("Location: {url}/away");
            let lie = move |asked: &tiny_server::Asked| {
                asked.path.contains(endpoint).then(|| Answer::status(status).with(&to))
            };
            let office = BoxOffice::open(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
            let phone = signed_in(&office).await;
            assert!(sync(&phone).await.is_err(), "{status} {endpoint}");
        }
    }
    assert!(elsewhere.asked().is_empty(), "{:?}", elsewhere.asked());
    // The control: on its own origin a redirect is followed.
    let lie = |asked: &tiny_server::Asked| {
        let moved = || Answer::status(307).with("Location: /account/v1/organizer/8");
        asked.path.ends_with("/organizer/7").then(moved)
    };
    let office = BoxOffice::open(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
    assert_eq!(sync(&signed_in(&office).await).await.unwrap().bound, 2);
}

#[tokio::test]
async fn a_list_that_ends_early_takes_no_ticket_away() {
    let office = BoxOffice::open(Lies::default());
    let phone = signed_in(&office).await;
    sync(&phone).await.unwrap();
    let short = |total: u32| {
        let lie = move |asked: &tiny_server::Asked| {
            let first = !asked.path.contains("offset=");
            let tickets = if first { vec![ticket(1)] } else { vec![] };
            let list = json!({ "data": tickets, "paging": { "total": total } });
            match asked.path.as_str() {
                path if path.starts_with("/v1/ticket") => Some(Answer::ok(list.to_string())),
                // What became of a single ticket is not told.
                path if path.contains("/event/v1/ticket/") => Some(Answer::status(403)),
                _ => None,
            }
        };
        Lies { answer: Some(Box::new(lie)), ..Lies::default() }
    };
    office.lie(short(2));
    for _ in 0..3 {
        sync(&phone).await.unwrap();
        assert_eq!(phone.tickets().len(), 2, "an empty page before the end is no complete pull");
    }
    // The control: two complete pulls without it do.
    office.lie(short(1));
    sync(&phone).await.unwrap();
    assert_eq!(phone.tickets().len(), 2);
    assert_eq!(sync(&phone).await.unwrap().removed, 1);
    assert_eq!(phone.tickets().len(), 1);
}
