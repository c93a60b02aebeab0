//! Promise: a server that fails for a moment is asked again, one that wants to be left alone is, and nothing that
//! changes something is ever sent twice here.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use std::io::{BufRead, BufReader, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use phone::{TODAY_MS, TestClock};
use serde_json::json;
use ticket_wallet::WalletError;
use ticket_wallet::clock::{ClockReading, TimeSample};
use ticket_wallet::error::Error;
use ticket_wallet::host::{HttpHeader, HttpRequest, HttpResponse, HttpTransport, HttpTransportError};
use ticket_wallet::remote::retry::Waiting;
use ticket_wallet::remote::{Http, Reply, Request, RetryPolicy, TrustedClock};
use tiny_server::{Answer, TinyServer};
use tokio::net::TcpSocket;
use url::Url;

/// The trusted time of a wallet that heard of none.
struct WallClock;

impl TrustedClock for WallClock {
    fn learn(&self, _: &TimeSample) {}

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        reading.wall_ms / 1000
    }
}

/// A client, and what it waited.
struct Client {
    http: Http,
    clock: TestClock,
    waits: Arc<Mutex<Vec<u64>>>,
}

impl Client {
    fn new() -> Self {
        Self::over(None)
    }

    fn over(transport: Option<Arc<dyn HttpTransport>>) -> Self {
        let clock = TestClock::new();
        let http = Http::new(transport, Arc::new(clock.clone()), vec![], Arc::new(WallClock));
        let waits = Arc::new(Mutex::new(Vec::new()));
        let (noted, moves) = (Arc::clone(&waits), clock.policy().wait);
        let wait = move |ms| {
            noted.lock().unwrap().push(ms);
            moves(ms)
        };
        http.set_retry_policy(RetryPolicy { wait: Arc::new(wait), ..RetryPolicy::default() });
        Self { http, clock, waits }
    }

    async fn get(&self, url: &str) -> Result<Reply, Error> {
        self.http.send(Request::get(Url::parse(url).unwrap(), "GET it")).await
    }

    async fn post(&self, url: &str) -> Result<Reply, Error> {
        self.http.send(Request::post(Url::parse(url).unwrap(), "POST it", &json!({}))).await
    }

    fn waited(&self) -> Vec<u64> {
        std::mem::take(&mut self.waits.lock().unwrap())
    }
}

/// Answers `first` so many times, then 204.
fn failing(first: Answer, times: usize) -> TinyServer {
    let asked = AtomicUsize::new(0);
    TinyServer::start(move |_| {
        if asked.fetch_add(1, Ordering::SeqCst) < times { first.clone() } else { Answer::status(204) }
    })
}

#[tokio::test]
async fn a_failure_that_passes_costs_a_get_two_repeats_at_most() {
    for status in [429, 500, 502, 503, 504] {
        for failures in 0..4 {
            let (server, client) = (failing(Answer::status(status), failures), Client::new());
            let reply = client.get(&server.url()).await.unwrap();
            let (expected, sent) = if failures < 3 { (204, failures + 1) } else { (status, 3) };
            assert_eq!((reply.status, server.asked().len()), (expected, sent), "{status}, {failures} times");
            let waits = client.waited();
            assert_eq!(waits.len(), sent - 1);
            assert!(waits.iter().zip([500, 1_000]).all(|(wait, ceiling)| *wait <= ceiling), "{waits:?}");
        }
    }
    for status in [200, 301, 304, 400, 401, 404, 408, 409, 501, 505] {
        let (server, client) = (failing(Answer::status(status), 1), Client::new());
        assert_eq!(client.get(&server.url()).await.unwrap().status, status);
        assert_eq!((server.asked().len(), client.waited().len()), (1, 0), "{status}");
    }
}

#[tokio::test]
async fn a_write_is_sent_once() {
    for status in [429, 500, 503] {
        let (server, client) = (failing(Answer::status(status), 1), Client::new());
        let url = Url::parse(&server.url()).unwrap();
        let body = json!({});
        for request in [
            Request::post(url.clone(), "POST it", &body),
            Request::patch(url.clone(), "PATCH it", &body),
            Request::delete(url.clone(), "DELETE it"),
        ] {
            client.http.send(request).await.unwrap();
        }
        let asked = server.asked();
        let methods: Vec<_> = asked.iter().map(|asked| asked.method.as_str()).collect();
        assert_eq!(methods, ["POST", "PATCH", "DELETE"], "{status}");
    }
}

/// Answers the first request on a connection that it keeps, and takes those that follow without an answer. Tells the
/// methods of the whole requests that came.
fn silent_after_the_first() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            while let Some(method) = whole_request(&mut reader) {
                let first = log.lock().unwrap().is_empty();
                log.lock().unwrap().push(method);
                if !first {
                    break;
                }
                reader.get_mut().write_all(b"HTTP/1.1 204 X\r\n\r\n").unwrap();
            }
        }
    });
    (url, seen)
}

/// The method of a request, once all of it has come.
fn whole_request(reader: &mut impl BufRead) -> Option<String> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().ok()?
            }
            None if line.trim_end().is_empty() => break,
            _ => head.push(line),
        }
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    head.first()?.split(' ').next().map(str::to_owned)
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_is_sent_once_over_a_kept_connection() {
    let body = json!({});
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let ((url, seen), client) = (silent_after_the_first(), Client::new());
        let url = Url::parse(&url).unwrap();
        let request = || Request { method, ..Request::post(url.clone(), "it", &body) };
        assert_eq!(client.http.send(request()).await.unwrap().status, 204);
        match client.http.send(request()).await.err() {
            Some(Error::Network { why: HttpTransportError::Broken, .. }) => {}
            other => panic!("{method}: {other:?}"),
        }
        assert_eq!(*seen.lock().unwrap(), [method, method]);
    }
}

/// An app's transport that fails, or answers 200 with an entity tag and 304 to who has it.
struct Scripted {
    fails: Mutex<Option<HttpTransportError>>,
    seen: Mutex<Vec<HttpRequest>>,
}

impl Scripted {
    fn new(fails: Option<HttpTransportError>) -> Arc<Self> {
        Arc::new(Self { fails: Mutex::new(fails), seen: Mutex::default() })
    }
}

impl HttpTransport for Scripted {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        self.seen.lock().unwrap().push(request.clone());
        self.fails.lock().unwrap().clone().map_or(Ok(()), Err)?;
        let held =
            request.headers.iter().any(|header| header.name == "If-None-Match" && header.value == "W/\"7\"");
        let tag = HttpHeader { name: "ETag".to_owned(), value: "W/\"7\"".to_owned() };
        Ok(HttpResponse { status: if held { 304 } else { 200 }, headers: vec![tag], body: b"{}".to_vec() })
    }
}

#[tokio::test]
async fn a_broken_connection_is_tried_again_for_a_get_only() {
    let failed = HttpTransportError::Failed { reason: "aeroplane mode".to_owned() };
    for (error, sent, uncertain) in [
        (HttpTransportError::Unreachable, 3, false),
        (HttpTransportError::Broken, 3, true),
        (HttpTransportError::TimedOut, 1, true),
        (HttpTransportError::TooLarge, 1, true),
        (failed, 1, true),
    ] {
        let transport = Scripted::new(Some(error.clone()));
        let client = Client::over(Some(transport.clone()));
        let told = client.get("https://a.example").await.unwrap_err();
        assert_eq!(told, Error::Network { endpoint: "GET it".to_owned(), why: error.clone() });
        assert_eq!((transport.seen.lock().unwrap().len(), client.waited().len()), (sent, sent - 1));
        let told = client.post("https://a.example").await.unwrap_err();
        assert_eq!(
            (transport.seen.lock().unwrap().len(), told.is_uncertain()),
            (sent + 1, uncertain),
            "{error}"
        );
    }
}

#[tokio::test]
async fn an_entity_tag_goes_back_to_its_server() {
    let client = Client::over(Some(Scripted::new(None)));
    let reply = client.get("https://a.example").await.unwrap();
    assert!(!reply.is_not_modified());
    let url = Url::parse("https://a.example").unwrap();
    let again = Request { if_none_match: reply.etag(), ..Request::get(url, "GET it") };
    let again = client.http.send(again).await.unwrap();
    assert!(again.is_not_modified() && !again.is_success());
    assert_eq!(again.etag(), Some("W/\"7\""));
}

#[tokio::test]
async fn what_became_of_a_write_is_known_or_said_to_be_unknown() {
    let client = Client::new();
    // Nobody listens on this port, and nobody else gets it.
    let silent = TcpSocket::new_v4().unwrap();
    silent.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let refused = client.post(&format!("http://{}", silent.local_addr().unwrap())).await.unwrap_err();
    assert!(!refused.is_uncertain(), "{refused:?}");
    // Takes the request and hangs up.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serving = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        std::io::Read::read(&mut stream, &mut [0; 16]).unwrap()
    });
    let lost = client.post(&url).await.unwrap_err();
    assert!(lost.is_uncertain() && serving.join().unwrap() > 0, "{lost:?}");

    for (status, uncertain) in [
        (303, true),
        (400, false),
        (409, false),
        (422, false),
        (429, false),
        (500, true),
        (503, true),
        (599, true),
    ] {
        let busy = Answer::status(status).with("Retry-After: 0");
        let reply = client.post(&failing(busy, 1).url()).await.unwrap();
        assert_eq!(reply.error().is_uncertain(), uncertain, "{status}");
    }
    let garbled = failing(Answer::ok("{"), 1);
    let unreadable = client.post(&garbled.url()).await.unwrap().json::<serde_json::Value>().unwrap_err();
    assert!(unreadable.is_uncertain() && Error::Cancelled.is_uncertain());
    assert!(!Error::SignedOut.is_uncertain());
}

/// What is left of a pause, or `None` when the request was sent.
fn left_ms(outcome: Result<Reply, Error>) -> Option<u64> {
    match outcome {
        Ok(reply) => {
            assert_eq!(reply.status, 204);
            None
        }
        Err(Error::Pause { retry_after_ms, .. }) => Some(retry_after_ms),
        Err(other) => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_long_pause_is_kept_whatever_the_status_and_whatever_the_wall_clock() {
    for status in [200, 201, 301, 401, 404, 429, 500, 503] {
        let server = failing(Answer::status(status).with("Retry-After: 60"), 1);
        let (client, url) = (Client::new(), server.url());
        let reply = client.get(&url).await.unwrap();
        assert_eq!((reply.status, reply.retry_after_ms()), (status, Some(60_000)));
        for wall_ms in [0, TODAY_MS + 86_400_000_000, i64::MAX - 100_000] {
            client.clock.set_wall_ms(wall_ms);
            assert_eq!(left_ms(client.get(&format!("{url}/other?path")).await), Some(60_000), "{status}");
            assert_eq!(left_ms(client.post(&url).await), Some(60_000), "{status}");
        }
        client.clock.set_wall_ms(TODAY_MS);
        client.clock.pass_s(54);
        assert_eq!(left_ms(client.get(&url).await), Some(6_000), "{status}");
        assert_eq!(
            (server.asked().len(), client.waited().len()),
            (1, 0),
            "{status}: nothing was sent or waited for"
        );
        // Another origin is another server.
        assert_eq!(left_ms(client.get(&failing(Answer::status(204), 0).url()).await), None);
        client.clock.pass_s(6);
        assert_eq!(left_ms(client.post(&url).await), None, "{status}");
    }
}

#[tokio::test]
async fn a_pause_reaches_the_app_as_unreachable() {
    let pause = Error::Pause { endpoint: "GET it".to_owned(), retry_after_ms: 6_000 };
    assert!(!pause.is_uncertain());
    let told = WalletError::from(pause);
    assert!(matches!(told, WalletError::Unreachable { retry_after_ms: Some(6_000), .. }), "{told:?}");
}

#[tokio::test]
async fn a_reboot_ends_a_pause() {
    let server = failing(Answer::status(200).with("Retry-After: 86400"), 1);
    let client = Client::new();
    client.get(&server.url()).await.unwrap();
    assert_eq!(left_ms(client.get(&server.url()).await), Some(86_400_000));
    client.clock.reboot();
    assert_eq!(left_ms(client.get(&server.url()).await), None);
}

#[tokio::test]
async fn a_short_pause_is_waited_out_by_reads_and_writes() {
    for seconds in [1, 5] {
        let pause = format!("Retry-After: {seconds}");
        let server = failing(Answer::status(200).with(&pause), 1);
        let client = Client::new();
        client.get(&server.url()).await.unwrap();
        assert!(client.waited().is_empty());
        assert_eq!(left_ms(client.post(&server.url()).await), None);
        assert_eq!(client.waited(), [seconds * 1000]);
        assert_eq!(left_ms(client.post(&server.url()).await), None);
        assert!(client.waited().is_empty(), "it is over");

        // A GET repeats when the pause is over; the back-off ends within it.
        let server = failing(Answer::status(503).with(&pause), 2);
        assert_eq!(left_ms(client.get(&server.url()).await), None);
        assert_eq!((client.waited(), server.asked().len()), (vec![seconds * 1000; 2], 3));
    }
    let server = failing(Answer::status(503).with("Retry-After: 6"), 1);
    let client = Client::new();
    assert_eq!(client.get(&server.url()).await.unwrap().status, 503);
    assert_eq!((client.waited().len(), server.asked().len()), (0, 1));
}

#[tokio::test]
async fn a_wait_can_be_cancelled_and_never_lasts_longer_than_the_policy_says() {
    let server = failing(Answer::status(200).with("Retry-After: 3"), 1);
    let (client, url) = (Client::new(), server.url());
    client.get(&url).await.unwrap();
    let wait = |_| -> Waiting { Box::pin(std::future::pending()) };
    client.http.set_retry_policy(RetryPolicy { wait: Arc::new(wait), ..RetryPolicy::default() });
    tokio::select! {
        biased;
        reply = client.get(&url) => panic!("{reply:?}"),
        () = std::future::ready(()) => {}
    }
    // A clock that stands still while the wait goes by.
    let wait = |_| -> Waiting { Box::pin(std::future::ready(())) };
    client.http.set_retry_policy(RetryPolicy { wait: Arc::new(wait), ..RetryPolicy::default() });
    assert_eq!(left_ms(client.get(&url).await), Some(3_000));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_date_counts_from_the_replys_own_else_from_the_trusted_time() {
    // The clock of the tests stands at 2026-11-21 00:00:00.
    let until = "Retry-After: Sat, 21 Nov 2026 00:01:00 GMT";
    let date = "Date: Sat, 21 Nov 2026 00:00:50 GMT";
    for (headers, wait_ms) in [
        (vec![until, date], Some(10_000)),
        (vec![until], Some(60_000)),
        (vec![until, "Date: yesterday"], Some(60_000)),
        (vec![until, date, "Age: 30"], Some(60_000)),
        (vec!["Retry-After: yesterday", date], None),
        (vec![], None),
    ] {
        let answer = headers.iter().fold(Answer::status(200), |answer, header| answer.with(header));
        let reply = Client::new().get(&failing(answer, 1).url()).await.unwrap();
        assert_eq!(reply.retry_after_ms(), wait_ms, "{headers:?}");
    }
}
