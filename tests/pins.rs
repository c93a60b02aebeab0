//! Promise: an account with certificate pins connects to servers that the platform trusts and that have a pinned key, and
//! to no other.
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
#[path = "support/tls.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tls;

use std::sync::{Arc, Mutex};

use box_office::{BoxOffice, Lies, TODAY};
use phone::{Phone, TestClock};
use ticket_wallet::error::Error;
use ticket_wallet::host::{HttpRequest, HttpResponse, HttpTransport, HttpTransportError};
use ticket_wallet::model::{
    AccountState, CertificatePin, GateService, GateSignIn, SignIn, SystemConfig, TicketingConfig,
};
use ticket_wallet::{Config, Gate, WalletError};
use tiny_server::{Answer, Asked, TinyServer};
use tls::{Authority, Identity, Shown, other_pin, trusting};

const NOT_PINNED: &str = "none of the pinned keys";

fn office(identity: &Identity) -> (BoxOffice, Shown) {
    let shown = identity.shown();
    let served = shown.clone();
    (BoxOffice::open_over(Lies::default(), move |answer| served.serve(answer)), shown)
}

fn with_pins(office: &BoxOffice, pins: &[CertificatePin]) -> SignIn {
    let mut sign_in = office.sign_in();
    sign_in.config.pins = pins.to_vec();
    sign_in
}

/// Signs in on a new phone and syncs.
async fn used(sign_in: SignIn) -> Result<Phone, WalletError> {
    let phone = Phone::new(&TestClock::new());
    phone.wallet.sign_in(sign_in).await?;
    assert_eq!(phone.wallet.sync(None).await?.bound, 2);
    Ok(phone)
}

fn unreachable(outcome: Result<impl Sized, WalletError>) -> String {
    match outcome {
        Err(WalletError::Unreachable { reason, retry_after_ms: None }) => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it went through"),
    }
}

fn refused_input(outcome: Result<impl Sized, WalletError>) -> String {
    match outcome {
        Err(WalletError::InvalidInput { field, reason }) if field == "pins" => reason,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it went through"),
    }
}

fn until(pin: CertificatePin, expires_at: i64) -> CertificatePin {
    CertificatePin { expires_at: Some(expires_at), ..pin }
}

#[test]
fn a_pinned_key_is_enough_and_no_other_is() {
    trusting("a_pinned_key_is_enough_and_no_other_is", async {
        let identity = Authority::trusted().server();
        let (office, _) = office(&identity);
        used(with_pins(&office, &[])).await.unwrap();
        used(with_pins(&office, &[identity.pin(), other_pin()])).await.unwrap();
        used(with_pins(&office, &[other_pin(), other_pin(), identity.pin()])).await.unwrap();
        let before = office.asked().len();
        let reason = unreachable(used(with_pins(&office, &[other_pin(), other_pin()])).await);
        assert!(reason.contains(NOT_PINNED), "{reason}");
        assert_eq!(office.asked().len(), before, "nothing is sent");
    });
}

#[test]
fn a_pin_is_no_trust() {
    trusting("a_pin_is_no_trust", async {
        let identity = Authority::unknown().server();
        let (office, _) = office(&identity);
        let reason = unreachable(used(with_pins(&office, &[identity.pin(), other_pin()])).await);
        assert!(!reason.contains("pinned"), "{reason}");
        assert!(office.asked().is_empty());
    });
}

#[test]
fn pins_end() {
    trusting("pins_end", async {
        let identity = Authority::trusted().server();
        let (office, _) = office(&identity);
        let now = i64::from(TODAY);
        for (pins, works) in [
            ([until(other_pin(), now), until(other_pin(), now - 1)], true),
            ([until(other_pin(), now + 1), until(other_pin(), now)], false),
            // What has ended neither binds nor helps while another pin counts.
            ([until(identity.pin(), now), other_pin()], false),
            ([until(identity.pin(), now + 1), until(other_pin(), now)], true),
            ([until(identity.pin(), now + 1), other_pin()], true),
            ([until(identity.pin(), i64::MIN), until(other_pin(), i64::MIN)], true),
        ] {
            let outcome = used(with_pins(&office, &pins)).await;
            assert_eq!(outcome.is_ok(), works, "{pins:?}: {:?}", outcome.err());
        }
        // They end while the wallet is open.
        let phone = Phone::new(&TestClock::new());
        let pins = [until(other_pin(), now + 60), until(other_pin(), now + 90)];
        assert!(unreachable(phone.wallet.sign_in(with_pins(&office, &pins)).await).contains(NOT_PINNED));
        phone.clock.pass_s(89);
        assert!(unreachable(phone.wallet.sign_in(with_pins(&office, &pins)).await).contains(NOT_PINNED));
        phone.clock.pass_s(1);
        phone.wallet.sign_in(with_pins(&office, &pins)).await.unwrap();
    });
}

#[tokio::test]
async fn what_is_no_pair_of_pins_is_refused() {
    let office = BoxOffice::open(Lies::default());
    let good = other_pin();
    let pin = |sha256: &str| CertificatePin { sha256: sha256.to_owned(), expires_at: None };
    let bad = [
        vec![good.clone()],
        vec![good.clone(), good.clone()],
        vec![good.clone(), until(good.clone(), 7)],
        vec![until(good.clone(), 0)],
        vec![good.clone(), pin("")],
        vec![good.clone(), pin("AAAA")],
        vec![good.clone(), pin(&hex::encode([7; 32]))],
        vec![good.clone(), pin(&good.sha256[..43])],
        vec![good.clone(), pin(&format!("sha256/{}", good.sha256))],
        vec![good.clone(), pin(&"_".repeat(43).replace("__", "-_"))],
        vec![good.clone(), pin(&format!(" {}", other_pin().sha256))],
    ];
    for pins in bad {
        refused_input(used(with_pins(&office, &pins)).await);
    }
    // Without TLS there is nothing to compare.
    assert!(refused_input(used(with_pins(&office, &[good.clone(), other_pin()])).await).contains("https"));
    assert!(office.asked().is_empty(), "nothing is sent");
    used(with_pins(&office, &[until(good, 0), until(other_pin(), 0)])).await.unwrap();
}

#[test]
fn an_authority_counts_where_it_stands_above_the_server() {
    trusting("an_authority_counts_where_it_stands_above_the_server", async {
        let root = Authority::trusted();
        let (above, beside) = (root.below("Above"), root.below("Beside"));
        let deepest = above.below("Deepest");
        let with = |identity: &Identity, more: &[&Authority]| {
            let mut chain = identity.chain.clone();
            chain.extend(more.iter().map(|authority| authority.chain[0].clone()));
            identity.with_chain(chain)
        };
        let identity = deepest.server();
        // The same name as the authority above, and a key that signed nothing here.
        let forged = root.below_with("Deepest", beside.key());
        for (what, sent, pin, works) in [
            ("the next above", with(&identity, &[]), deepest.pin(), true),
            ("the one above that", with(&identity, &[]), above.pin(), true),
            ("a root that is sent", with(&identity, &[&root]), root.pin(), true),
            ("a root that is not sent", with(&identity, &[]), root.pin(), false),
            ("one that is sent and stands elsewhere", with(&identity, &[&beside]), beside.pin(), false),
            ("one of the same name", with(&identity, &[&forged]), forged.pin(), false),
            ("one that is not sent", with(&identity, &[]), beside.pin(), false),
        ] {
            let (office, _) = office(&sent);
            match used(with_pins(&office, &[pin, other_pin()])).await {
                Ok(_) => assert!(works, "{what}"),
                refused => assert!(!works && unreachable(refused).contains(NOT_PINNED), "{what}"),
            }
            // The control: what does not work is the pin.
            used(with_pins(&office, &[identity.pin(), other_pin()])).await.unwrap();
        }
    });
}

#[test]
fn every_host_of_an_account_is_held_to_its_pins() {
    trusting("every_host_of_an_account_is_held_to_its_pins", async {
        let root = Authority::trusted();
        let (first, other) = (root.server(), root.server());
        let pins = [first.pin(), other_pin()];
        for (endpoint, extension_only) in [("/event/v1/", false), ("/.well-known/ticket-wallet", true)] {
            let (office, _) = office(&first);
            let elsewhere = other.shown().serve(|_| Answer::status(404));
            let template = format!("{}/t/{{tenant}}", elsewhere.url());
            let mut sign_in = with_pins(&office, &pins);
            if extension_only {
                sign_in.config.extension_url = Some(template);
            } else {
                sign_in.config.tenant_url = Some(template);
            }
            let phone = Phone::new(&TestClock::new());
            phone.wallet.sign_in(sign_in.clone()).await.unwrap();
            let reason = unreachable(phone.wallet.sync(None).await);
            assert!(reason.contains(NOT_PINNED), "{endpoint}: {reason}");
            assert!(elsewhere.asked().is_empty(), "{endpoint}");
            // The control: with both keys both are asked.
            sign_in.config.pins = vec![first.pin(), other.pin()];
            phone.wallet.sign_in(sign_in).await.unwrap();
            phone.wallet.sync(None).await.unwrap();
            assert!(!elsewhere.asked().is_empty(), "{endpoint}");
        }
    });
}

/// A document is fetched from wherever it is kept, without a word of who asks: the account's pins are about its brand.
#[test]
fn a_document_elsewhere_is_held_to_the_platforms_trust() {
    trusting("a_document_elsewhere_is_held_to_the_platforms_trust", async {
        let root = Authority::trusted();
        let (first, other) = (root.server(), root.server());
        for (host, identity, fetched) in [
            ("localhost", &other, true),
            // The brand's own host, whatever the port.
            ("127.0.0.1", &other, false),
            ("127.0.0.1", &first, true),
        ] {
            let kept = identity.shown().serve(|asked| match asked.path.ends_with(".pdf") {
                true => Answer::ok("%PDF-1.7"),
                false => Answer::ok("PK\u{3}\u{4}"),
            });
            let url = kept.url().replace("127.0.0.1", host);
            let lie = move |asked: &Asked| {
                let asked_for =
                    asked.path.ends_with("/export_link").then(|| asked.json()["format"].clone())?;
                let url = format!("{url}/1.{}", asked_for.as_str()?);
                Some(Answer::ok(serde_json::json!({ "url": url }).to_string()))
            };
            let shown = first.shown();
            let lies = Lies { answer: Some(Box::new(lie)), ..Lies::default() };
            let brand = BoxOffice::open_brand_over(lies, move |answer| shown.serve(answer));
            let phone = Phone::new(&TestClock::new());
            phone.wallet.sign_in(with_pins(&brand, &[first.pin(), other_pin()])).await.unwrap();
            phone.wallet.sync(None).await.unwrap();
            let documents = phone.wallet.fetch_documents(phone.tickets()[0].id.clone()).await;
            match documents {
                Ok(documents) => assert!(fetched && documents.len() == 2, "{host}"),
                refused => assert!(!fetched && unreachable(refused).contains(NOT_PINNED), "{host}"),
            }
            assert_eq!(kept.asked().len(), if fetched { 2 } else { 0 }, "{host}");
            assert!(kept.asked().iter().all(|asked| asked.header("x-id-token").is_none()));
        }
    });
}

#[test]
fn one_accounts_connection_serves_no_other() {
    trusting("one_accounts_connection_serves_no_other", async {
        let identity = Authority::trusted().server();
        let (office, _) = office(&identity);
        let phone = Phone::new(&TestClock::new());
        let named = |name: &str, pins: &[CertificatePin]| SignIn {
            user_name: name.to_owned(),
            ..with_pins(&office, pins)
        };
        phone.wallet.sign_in(named("unpinned", &[])).await.unwrap();
        phone.wallet.sign_in(named("pinned", &[identity.pin(), other_pin()])).await.unwrap();
        for _ in 0..3 {
            let wrong = phone.wallet.sign_in(named("wrong", &[other_pin(), other_pin()])).await;
            assert!(unreachable(wrong).contains(NOT_PINNED));
        }
        phone.wallet.sync(None).await.unwrap();
        assert_eq!(phone.wallet.accounts().unwrap().len(), 2);
    });
}

#[test]
fn a_key_that_changes_costs_nothing_but_the_connection() {
    trusting("a_key_that_changes_costs_nothing_but_the_connection", async {
        let root = Authority::trusted();
        let (identity, other) = (root.server(), root.server());
        let (office, shown) = office(&identity);
        let phone = used(with_pins(&office, &[identity.pin(), other_pin()])).await.unwrap();
        let asked = office.asked().len();
        shown.change(&other);
        for _ in 0..3 {
            assert!(unreachable(phone.wallet.sync(None).await).contains(NOT_PINNED));
        }
        assert_eq!(office.asked().len(), asked);
        assert_eq!(phone.wallet.accounts().unwrap()[0].state, AccountState::SignedIn);
        let phone = phone.restart();
        assert_eq!(phone.signed_tickets().len(), 2);
        assert!(unreachable(phone.wallet.sync(None).await).contains(NOT_PINNED), "the pins are kept");
        shown.change(&identity);
        phone.wallet.sync(None).await.unwrap();
    });
}

#[test]
fn nothing_was_done_where_the_key_is_wrong() {
    let why = HttpTransportError::PinMismatch;
    assert!(!Error::Network { endpoint: "POST it".to_owned(), why }.is_uncertain());
}

/// An app's transport that checks pins, or does not.
struct Checking {
    checks: bool,
    answer: Result<(), HttpTransportError>,
    seen: Mutex<Vec<Vec<String>>>,
}

impl HttpTransport for Checking {
    fn checks_pins(&self) -> bool {
        self.checks
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        self.seen.lock().unwrap().push(request.pins);
        self.answer.clone()?;
        let body = br#"{"data":{"token":"t"}}"#.to_vec();
        Ok(HttpResponse { status: 200, headers: Vec::new(), body })
    }
}

#[tokio::test]
async fn an_apps_transport_gets_the_pins_or_the_account_is_refused() {
    let now = i64::from(TODAY);
    let (first, second) = (other_pin(), other_pin());
    let pins = [first.clone(), until(second.clone(), now + 1), until(other_pin(), now)];
    let mut keys = vec![first.sha256, second.sha256];
    keys.sort();
    for (checks, answer) in [(false, Ok(())), (true, Ok(())), (true, Err(HttpTransportError::PinMismatch))] {
        let app = Arc::new(Checking { checks, answer: answer.clone(), seen: Mutex::default() });
        let phone = Phone::over(&TestClock::new(), app.clone());
        let mut sign_in = BoxOffice::open(Lies::default()).sign_in();
        sign_in.config.url = "https://api.example.org".to_owned();
        sign_in.config.pins = pins.to_vec();
        let outcome = phone.wallet.sign_in(sign_in.clone()).await;
        match (checks, answer.is_ok()) {
            (false, _) => assert!(refused_input(outcome).contains("HttpTransport")),
            (true, true) => drop(outcome.unwrap()),
            (true, false) => assert!(unreachable(outcome).contains(NOT_PINNED)),
        }
        assert_eq!(*app.seen.lock().unwrap(), if checks { vec![keys.clone()] } else { vec![] });
        // Without pins nothing is asked of the app.
        sign_in.config.pins = vec![until(other_pin(), now), until(other_pin(), now)];
        assert_eq!(phone.wallet.sign_in(sign_in).await.is_ok(), answer.is_ok());
        assert_eq!(app.seen.lock().unwrap().last(), Some(&vec![]));
    }
}

/// Any server that has a trusted certificate is a stranger to a pinned account, plain or not.
#[test]
fn a_redirect_to_plain_http_is_not_followed() {
    trusting("a_redirect_to_plain_http_is_not_followed", async {
        let plain = TinyServer::start(|_| Answer::ok("{}"));
        let identity = Authority::trusted().server();
        for pins in [vec![], vec![identity.pin(), other_pin()]] {
            for status in [301, 302, 303, 307, 308] {
                let location = format!("Location: {}/account/v1/auth/login", plain.url());
                let server = identity.shown().serve(move |_| Answer::status(status).with(&location));
                let mut sign_in = BoxOffice::open(Lies::default()).sign_in();
                sign_in.config.url = server.url();
                sign_in.config.pins.clone_from(&pins);
                let refused = Phone::new(&TestClock::new()).wallet.sign_in(sign_in).await;
                assert!(matches!(refused, Err(WalletError::Refused { .. })), "{status}: {refused:?}");
                assert_eq!(server.asked().len(), 1, "{status}");
            }
        }
        assert!(plain.asked().is_empty(), "{:?}", plain.asked());
    });
}

/// A gate's requests go to whoever sells the tickets, as an account's do: signing in, preparing, handing over.
#[test]
fn a_gate_is_held_to_its_pins() {
    trusting("a_gate_is_held_to_its_pins", async {
        let root = Authority::trusted();
        let (identity, other) = (root.server(), root.server());
        let shown = identity.shown();
        let server = shown.serve(|asked| {
            let path = asked.path.split('?').next().unwrap();
            Answer::ok(match path.rsplit('/').next().unwrap() {
                "CODE0001" => r#"{"key":"gate-key","event":"/events/9","sections":["/events/9/sections/1"]}"#,
                "tickets" => r#"{"total":0,"page":1,"records":100,"entries":[]}"#,
                _ => return Answer::status(404),
            })
        });
        let sign_in = |service, pins: [CertificatePin; 2]| GateSignIn {
            service,
            config: SystemConfig {
                pins: pins.to_vec(),
                ticketing: Some(TicketingConfig { app_key: Some("app".to_owned()), ..Default::default() }),
                ..SystemConfig::at(server.url())
            },
            admission_code: "CODE0001".to_owned(),
            name: "North door".to_owned(),
            leave_unsent: false,
        };
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let config = Config::in_folder(folder.path().to_str().unwrap());
            let clock = Arc::new(TestClock::new());
            Gate::open(config, phone::vault_in(folder.path()), Some(clock), None).unwrap()
        };
        let gate = open();
        for service in [GateService::Extension, GateService::Ticketing] {
            let wrong = gate.sign_in(sign_in(service, [other_pin(), other.pin()])).await;
            assert!(unreachable(wrong).contains(NOT_PINNED));
        }
        assert_eq!(server.asked().len(), 0);
        gate.sign_in(sign_in(GateService::Ticketing, [identity.pin(), other_pin()])).await.unwrap();
        drop(gate);
        let (gate, asked) = (open(), server.asked().len());
        shown.change(&other);
        assert!(unreachable(gate.prepare().await).contains(NOT_PINNED), "the pins are kept");
        assert!(unreachable(gate.sync().await).contains(NOT_PINNED));
        assert_eq!(server.asked().len(), asked);
        shown.change(&identity);
        gate.sync().await.unwrap();
    });
}
