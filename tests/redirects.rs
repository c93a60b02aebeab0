//! Promise: what tells who asks goes to the server that was asked, and to no other: not by a redirect, and not in the
//! clear.
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

use std::sync::{Arc, Mutex};

use box_office::{BoxOffice, Lies};
use phone::{Phone, TestClock};
use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::clock::{ClockReading, TimeSample};
use ticket_wallet::error::Error;
use ticket_wallet::host::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError};
use ticket_wallet::remote::{Http, Reply, Request, TrustedClock};
use tiny_server::{Answer, Asked, TinyServer};
use url::Url;

const STATUSES: [u16; 7] = [300, 301, 302, 303, 304, 307, 308];
/// Every header by which somebody could be taken for the person, and its value.
const SECRETS: [(&str, &str); 3] =
    [("authorization", "Bearer s3cret"), ("x-id-token", "id-t0ken"), ("idempotency-key", "\"k3y\"")];

/// The trusted time of a wallet that heard of none.
struct WallClock;

impl TrustedClock for WallClock {
    fn learn(&self, _: &TimeSample) {}

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        reading.wall_ms / 1000
    }
}

fn http(transport: Option<Arc<dyn HttpTransport>>) -> Http {
    let clock = TestClock::new();
    let http = Http::new(transport, Arc::new(clock.clone()), vec![], Arc::new(WallClock));
    http.set_retry_policy(clock.policy());
    http
}

/// Sends a request with every secret header.
async fn send(http: &Http, method: &'static str, url: &str) -> Result<Reply, Error> {
    let body = json!({ "password": "pa55word" });
    let request = Request {
        method,
        bearer: Some("s3cret".to_owned().into()),
        headers: vec![("X-ID-Token", "id-t0ken".to_owned().into())],
        idempotency_key: Some("k3y"),
        body: (method != "GET").then_some(&body),
        ..Request::get(Url::parse(url).unwrap(), "GET it")
    };
    http.send(request).await
}

fn carries_all(asked: &Asked) -> bool {
    SECRETS.iter().all(|(name, value)| asked.header(name) == Some(value))
}

/// Where a server could point to that is not the server itself, given both of their ports.
fn elsewhere(here: &str, there: &str) -> Vec<String> {
    let (here_port, there_host) = (here.rsplit(':').next().unwrap(), there.replace("http://", ""));
    vec![
        format!("{there}/away"),
        format!("//{there_host}/away"),
        format!("\\\\{there_host}\\away"),
        format!("HTTP:\\\\{there_host}/away"),
        format!(" {there}/away "),
        // The same machine under another name is another host.
        format!("http://localhost:{here_port}/away"),
        format!("http://127.0.0.2:{here_port}/away"),
        format!("http://[::1]:{here_port}/away"),
        format!("http://[::ffff:127.0.0.1]:{here_port}/away"),
        format!("http://0.0.0.0:{here_port}/away"),
        // Another scheme is another server.
        format!("https://127.0.0.1:{here_port}/away"),
        format!("ftp://127.0.0.1:{here_port}/away"),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{}".to_owned(),
        "javascript:0".to_owned(),
        // The same server, and somebody else's name and password.
        format!("http://user:pass@127.0.0.1:{here_port}/away"),
        format!("http://127.0.0.1:{here_port}@{there_host}/away"),
        "http://".to_owned(),
        "http://127.0.0.1:99999/away".to_owned(),
        "::".to_owned(),
    ]
}

#[tokio::test]
async fn no_redirect_leads_to_another_origin() {
    let away = TinyServer::start(|_| Answer::ok("{}"));
    let location = Arc::new(Mutex::new((0, String::new())));
    let told = Arc::clone(&location);
    let here = TinyServer::start(move |asked| {
        let (status, location) = told.lock().unwrap().clone();
        match asked.path.as_str() {
            "/start" => Answer::status(status).with(&format!("Location: {location}")),
            _ => Answer::ok("{}"),
        }
    });
    let http = http(None);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        for status in STATUSES {
            for to in elsewhere(&here.url(), &away.url()) {
                *location.lock().unwrap() = (status, to.clone());
                let before = here.asked().len();
                let outcome = send(&http, method, &format!("{}/start", here.url())).await;
                // What is no address at all is the server's own path, or no reply.
                let asked = here.asked().split_off(before);
                let stayed = asked
                    .iter()
                    .all(|asked| here.url().ends_with(&asked.host) && !asked.path.contains("away"));
                assert!(stayed, "{method} {status} {to}: {asked:?}");
                assert!(
                    outcome.is_ok_and(|reply| reply.status == status || to == "::"),
                    "{method} {status} {to}"
                );
            }
        }
    }
    assert!(away.asked().is_empty(), "{:?}", away.asked());
}

#[tokio::test]
async fn a_way_that_leaves_the_origin_later_ends_there() {
    let away = TinyServer::start(|_| Answer::ok("{}"));
    let to = away.url();
    let here = TinyServer::start(move |asked| {
        let next = match asked.path.as_str() {
            "/1" => "/2".to_owned(),
            "/2" => "3".to_owned(),
            _ => format!("{to}/away"),
        };
        Answer::status(307).with(&format!("Location: {next}"))
    });
    for method in ["GET", "POST"] {
        let before = here.asked().len();
        assert_eq!(send(&http(None), method, &format!("{}/1", here.url())).await.unwrap().status, 307);
        let asked = here.asked().split_off(before);
        let paths: Vec<_> = asked.iter().map(|asked| asked.path.as_str()).collect();
        assert_eq!(paths, ["/1", "/2", "/3"]);
    }
    assert!(away.asked().is_empty());
}

#[tokio::test]
async fn a_way_without_end_is_left() {
    let here = TinyServer::start(|asked| Answer::status(307).with(&format!("Location: {}x", asked.path)));
    assert_eq!(send(&http(None), "GET", &format!("{}/", here.url())).await.unwrap().status, 307);
    assert_eq!(here.asked().len(), 6);
}

/// The control: on its own origin a request goes on as it was, and the servers above would have seen everything.
#[tokio::test]
async fn on_the_same_origin_a_redirect_is_followed() {
    let here = TinyServer::start(|asked| match asked.path.as_str() {
        "/start" => Answer::status(307).with("Location: /end"),
        _ => Answer::ok("{}"),
    });
    for method in ["GET", "POST"] {
        assert_eq!(send(&http(None), method, &format!("{}/start", here.url())).await.unwrap().status, 200);
    }
    let asked = here.asked();
    assert_eq!(asked.len(), 4);
    assert!(asked.iter().all(carries_all), "{asked:?}");
    assert_eq!(asked[3].json()["password"], "pa55word");
    // An address can hold ids: the next server's log is not told where the last one was.
    assert!(asked.iter().all(|asked| asked.header("referer").is_none()), "{asked:?}");
}

/// An app's own transport, which answers the same to everything.
struct App {
    status: u16,
    location: String,
    seen: Mutex<Vec<HttpRequest>>,
}

impl App {
    fn new(status: u16, location: &str) -> Arc<Self> {
        Arc::new(Self { status, location: location.to_owned(), seen: Mutex::default() })
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|request| request.url.clone()).collect()
    }
}

impl HttpTransport for App {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        self.seen.lock().unwrap().push(request);
        let location = HttpHeader { name: "Location".to_owned(), value: self.location.clone() };
        Ok(HttpResponse { status: self.status, headers: vec![location], body: b"{}".to_vec() })
    }
}

#[tokio::test]
async fn an_apps_transport_is_not_sent_after_a_redirect() {
    for status in STATUSES {
        for location in
            ["https://evil.example/", "http://api.example.org/", "https://api.example.org:444/", "/next"]
        {
            for method in ["GET", "POST"] {
                let app = App::new(status, location);
                let reply =
                    send(&http(Some(app.clone())), method, "https://api.example.org/start").await.unwrap();
                assert_eq!(reply.status, status, "{location}");
                assert_eq!(app.seen(), ["https://api.example.org/start"], "{status} {location}");
            }
        }
    }
}

#[tokio::test]
async fn an_account_is_nowhere_else_after_a_redirect() {
    for endpoint in ["/v1/ticket", "/organizer/", "/.well-known/", "/credentials", "/auth/login"] {
        for status in [301, 302, 303, 307, 308] {
            let office = BoxOffice::open(Lies::default());
            let phone = Phone::new(&TestClock::new());
            if endpoint != "/auth/login" {
                phone.wallet.sign_in(office.sign_in()).await.unwrap();
            }
            let port = office.sign_in().config.url.rsplit(':').next().unwrap().to_owned();
            let lie = move |asked: &Asked| {
                let to = format!("Location: http://localhost:{port}{}", asked.path);
                asked.path.contains(endpoint).then(|| Answer::status(status).with(&to))
            };
            office.lie(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
            let refused = match endpoint {
                "/auth/login" => phone.wallet.sign_in(office.sign_in()).await.map(|_| ()),
                _ => phone.wallet.sync(None).await.map(|_| ()),
            };
            match refused {
                Err(WalletError::Refused { status: told, .. }) => assert_eq!(told, status, "{endpoint}"),
                other => panic!("{status} {endpoint}: {other:?}"),
            }
            assert!(
                office.asked().iter().all(|asked| asked.host.starts_with("127.0.0.1:")),
                "{status} {endpoint}"
            );
        }
    }
}

/// Addresses that nothing may be sent to.
const REFUSED: [&str; 12] = [
    "http://api.example.org",
    "http://127.0.0.1.example.org",
    "http://localhost.example.org",
    "http://notlocalhost",
    "http://0.0.0.0:8080",
    "http://10.0.0.1",
    "http://[::]",
    "http://[::ffff:127.0.0.1]",
    "ftp://api.example.org",
    "ws://127.0.0.1",
    "https://user@api.example.org",
    "https://user:pass@api.example.org",
];

#[tokio::test]
async fn nothing_is_sent_in_the_clear_wherever_the_address_comes_from() {
    let app = App::new(200, "/");
    let through_app = http(Some(app.clone()));
    for url in REFUSED {
        for http in [&through_app, &http(None)] {
            match send(http, "POST", &format!("{url}/x")).await {
                Err(Error::Input { field: "url", .. }) => {}
                other => panic!("{url}: {other:?}"),
            }
        }
    }
    assert!(app.seen().is_empty(), "{:?}", app.seen());
    for url in [
        "http://127.0.0.1:1/",
        "http://127.8.9.1/",
        "http://[::1]/",
        "http://LOCALHOST/",
        "https://a.example/",
    ] {
        send(&through_app, "GET", url).await.unwrap();
    }
    assert_eq!(app.seen().len(), 5);
}

#[tokio::test]
async fn no_configuration_leads_into_the_clear() {
    let app = App::new(200, "/");
    let phone = Phone::over(&TestClock::new(), app.clone());
    let mut good = BoxOffice::open(Lies::default()).sign_in();
    good.config.url = "https://api.example.org".to_owned();
    let field = |outcome: Result<_, WalletError>, what: &str| match outcome {
        Err(WalletError::InvalidInput { field, .. }) => field,
        other => panic!("{what}: {other:?}"),
    };
    for url in REFUSED {
        let mut bad = good.clone();
        bad.config.url = url.to_owned();
        assert_eq!(field(phone.wallet.sign_in(bad).await.map(|_| ()), url), "url");
    }
    let templates = REFUSED.iter().map(|url| format!("{url}/{{tenant}}")).chain(
        [
            "http://{tenant}",
            "http://{tenant}.localhost",
            "http://127.0.0.1{tenant}",
            "http://127.0.0.1:{tenant}",
            "https://{tenant}@evil.example",
            "https://api.example.org:{tenant}",
            "{tenant}://api.example.org",
            "{tenant}",
        ]
        .map(str::to_owned),
    );
    for template in templates {
        let mut bad = good.clone();
        bad.config.tenant_url = Some(template.clone());
        assert_eq!(field(phone.wallet.sign_in(bad).await.map(|_| ()), &template), "tenant_url");
        let mut bad = good.clone();
        bad.config.extension_url = Some(template.clone());
        assert_eq!(field(phone.wallet.sign_in(bad).await.map(|_| ()), &template), "extension_url");
    }
    assert!(app.seen().is_empty(), "{:?}", app.seen());
}

/// What a server repeats of what it was sent is not told on.
#[tokio::test]
async fn a_servers_echo_is_no_error_code() {
    let asked = Arc::new(Mutex::new(Value::Null));
    let told = Arc::clone(&asked);
    let here = TinyServer::start(move |_| Answer::ok(told.lock().unwrap().to_string()).of_status(400));
    for (code, kept) in [
        ("s3cret", false),
        ("id-t0ken", false),
        ("k3y", false),
        ("pa55word", false),
        ("bad:pa55word", false),
        ("invalid_grant", true),
    ] {
        for name in ["errorCode", "error", "type"] {
            *asked.lock().unwrap() = json!({ name: code });
            let error = send(&http(None), "POST", &here.url()).await.unwrap().error();
            assert_eq!(format!("{error:?} {error}").contains(code), kept, "{name}: {error:?}");
        }
    }
}
