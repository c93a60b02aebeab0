//! Promise: an answer of any size, depth or length in time gets a bounded, typed answer, in bounded memory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "support/box_office.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod box_office;
#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod client;
#[path = "hostile_sizes/every_reply.rs"]
mod every_reply;
#[path = "hostile_sizes/measured.rs"]
mod measured;
#[path = "hostile_sizes/office.rs"]
mod office;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use box_office::{BoxOffice, Lies};
use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use phone::{Phone, TestClock};
use ticket_wallet::host::{HttpRequest, HttpResponse, HttpTransport, HttpTransportError};
use ticket_wallet::remote::RetryPolicy;
use ticket_wallet::{SyncReport, WalletError};
use tiny_server::{Answer, Asked};

/// A system, everything that it is asked for by a sign-in and a sync, as parts of paths, and what the sync comes to.
struct System {
    open: fn(Lies) -> BoxOffice,
    sign_in: &'static [&'static str],
    sync: &'static [&'static str],
    done: fn(&SyncReport) -> bool,
}

const SYSTEMS: [System; 2] = [
    System {
        open: BoxOffice::open,
        sign_in: &["/auth/login"],
        sync: &["/v1/ticket", "/account/v1/organizer/", "/.well-known/ticket-wallet", "/credentials"],
        done: |report| report.bound == 2,
    },
    System {
        open: BoxOffice::open_brand,
        sign_in: &["/sign_ins", "/authenticate"],
        sync: &["/api/sdk/v1/tickets", "/.well-known/ticket-wallet"],
        done: |report| report.received == 2,
    },
];
/// The time of one request that is to run out of it.
const TIMEOUT_MS: u32 = 1_000;
const LATE: &str = "no answer in time";
const MIB: usize = 1 << 20;
/// The head of a gzip file.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
const HEAD: &str = "HTTP/1.1 200 X\r\nConnection: close\r\n";

/// A hostile answer, and what the person is told of it.
struct Case {
    name: &'static str,
    answer: Answer,
    told: &'static str,
}

fn case(name: &'static str, told: &'static str, answer: Answer) -> Case {
    Case { name, answer, told }
}

fn endless(first: &str, again: impl Into<Vec<u8>>) -> Answer {
    Answer::endless(first, again, Duration::ZERO)
}

fn trickle(first: impl Into<Vec<u8>>, again: impl Into<Vec<u8>>) -> Answer {
    Answer::endless(first, again, Duration::from_millis(20))
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

fn items(item: &str, count: usize) -> String {
    format!("[{}]", vec![item; count].join(","))
}

/// `times` ten megabytes of spaces in ten kilobytes each: one gzip file, whose blocks can be repeated.
fn bomb(times: usize) -> Vec<u8> {
    let mut block = Vec::with_capacity(MIB);
    let mut compress = Compress::new(Compression::best(), false);
    compress.compress_vec(&vec![b' '; 10 * MIB], &mut block, FlushCompress::Full).unwrap();
    [&GZIP, block.repeat(times).as_slice()].concat()
}

fn gzip(body: Vec<u8>) -> Answer {
    Answer::ok(body).with("Content-Encoding: gzip")
}

fn large() -> Vec<Case> {
    const TOLD: &str = "the reply is larger than 32 MiB";
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; MIB], b"\r\n"].concat();
    vec![
        case("50 MB that say so", TOLD, Answer::ok(vec![b' '; 50 * MIB])),
        case("bytes without end", TOLD, endless(&format!("{HEAD}\r\n"), vec![b' '; MIB])),
        case(
            "chunks without end",
            TOLD,
            endless(&format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n"), chunk),
        ),
        case("a string without end", TOLD, endless(&format!("{HEAD}\r\n{{\"data\":\""), vec![b'a'; MIB])),
        case("a gzip bomb", TOLD, gzip(bomb(100))),
    ]
}

fn deep_and_wide() -> Vec<Case> {
    let (deep, wide, many) =
        ("nested deeper than 100", "one list of more than 10000 items", "more than 2000000 values");
    let in_data = |value: &str| Answer::ok(format!(r#"{{"data":{value},"paging":{{"total":100000}}}}"#));
    let objects = r#"{"data":"#.repeat(10_000) + "0" + &"}".repeat(10_000);
    let members = vec![r#""a":0"#; 100_000].join(",");
    vec![
        case("depth 10,000", deep, in_data(&nested(10_000))),
        case("depth 10,000 of objects", deep, Answer::ok(objects)),
        case(
            "depth 10,000 where nobody looks",
            deep,
            Answer::ok(format!(r#"{{"data":[],"x":{}}}"#, nested(10_000))),
        ),
        case("depth 10,000 without end", deep, Answer::ok("[".repeat(10_000))),
        case("100,000 items", wide, in_data(&items(r#"{"id":1}"#, 100_000))),
        case("100,000 items as the body", wide, Answer::ok(items("{}", 100_000))),
        case(
            "100,000 items where nobody looks",
            wide,
            Answer::ok(format!(r#"{{"data":[],"x":{}}}"#, items("0", 100_000))),
        ),
        case("100,000 members", wide, Answer::ok(format!("{{{members}}}"))),
        case("10,000,000 values", many, in_data(&items(&items("0", 9_999), 1_000))),
        case("a million objects", many, in_data(&items(&items("{}", 1_000), 1_000))),
        case("a million objects in gzip", many, gzip(packed(&items(&items("{}", 1_000), 1_000)))),
    ]
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn without_end() -> Vec<Case> {
    let (broke, late) = ("the connection broke", LATE);
    let chunked = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n");
    let zipped = format!("{HEAD}Content-Encoding: gzip\r\n\r\n");
    vec![
        case("headers without end", broke, endless(HEAD, "X-A: b\r\n".repeat(1_000))),
        case("a header without end", broke, endless(&format!("{HEAD}X-A: "), "b".repeat(10_000))),
        case("a status line without end", broke, endless("HTTP/1.1 200 ", "b".repeat(10_000))),
        case("a chunk's extension without end", broke, endless(&format!("{chunked}1;"), "b".repeat(10_000))),
        case(
            "trailers without end",
            broke,
            endless(&format!("{chunked}1\r\n \r\n0\r\n"), "X-A: b\r\n".repeat(1_000)),
        ),
        case(
            "interim replies without end",
            late,
            trickle("", "HTTP/1.1 103 X\r\nX-A: b\r\n\r\n".repeat(100)),
        ),
        case("a trickle of the head", late, trickle(HEAD, "X-A: b\r\n")),
        case("a trickle of the body", late, trickle(format!("{HEAD}\r\n{{\"data\":["), " ")),
        case("a trickle of chunks", late, trickle(chunked, "1\r\n \r\n")),
        case("gzip files of nothing", broke, trickle(zipped.clone(), packed(""))),
        case(
            "gzip blocks of nothing",
            late,
            trickle([zipped.as_bytes(), &GZIP].concat(), [0, 0, 0, 255, 255].repeat(1_000)),
        ),
    ]
}

/// For each request: the bound of a reply, and what the system's buffers and one more chunk add to what a server gets rid of.
fn sent_at_most() -> u64 {
    let largest = |name: &str| {
        let sizes = std::fs::read_to_string(format!("/proc/sys/net/ipv4/{name}")).ok()?;
        sizes.split_whitespace().last()?.parse::<u64>().ok()
    };
    (33 << 20) + ["tcp_rmem", "tcp_wmem"].map(|name| largest(name).unwrap_or(8 << 20)).iter().sum::<u64>()
}

/// What is given up for its size or its form gets the time that it takes on a slow machine.
fn policy(phone: &Phone, told: &str) -> RetryPolicy {
    let usual = phone.clock.policy();
    let timeout_ms = if told == LATE { TIMEOUT_MS } else { usual.timeout_ms };
    RetryPolicy { timeout_ms, ..usual }
}

async fn meet(system: &System, endpoint: &'static str, Case { name, answer, told }: Case) {
    let what = format!("{name} at {endpoint}");
    let office = (system.open)(Lies::default());
    let phone = Phone::new(&TestClock::new());
    let lie = move |asked: &Asked| asked.path.contains(endpoint).then(|| answer.clone());
    let lies = Lies { answer: Some(Box::new(lie)), ..Lies::default() };
    let at_login = system.sign_in.contains(&endpoint);
    if !at_login {
        phone.wallet.sign_in(office.sign_in()).await.unwrap();
    }
    office.lie(lies);
    phone.wallet.set_retry_policy(policy(&phone, told));
    let begun = Instant::now();
    let outcome = if at_login {
        phone.wallet.sign_in(office.sign_in()).await.map(|_| ())
    } else {
        phone.wallet.sync(None).await.map(|_| ())
    };
    match outcome {
        Err(WalletError::Unreachable { reason, .. }) => assert!(reason.contains(told), "{what}: {reason}"),
        other => panic!("{what}: {other:?}"),
    }
    // A broken reply to a GET is asked for three times.
    assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {:?}", begun.elapsed());
    let asked = office.asked().iter().filter(|asked| asked.path.contains(endpoint)).count() as u64;
    assert!(office.sent() < asked * sent_at_most(), "{what}: {} bytes", office.sent());
    // And all is well when the server is.
    office.lie(Lies::default());
    phone.wallet.set_retry_policy(phone.clock.policy());
    if at_login {
        phone.wallet.sign_in(office.sign_in()).await.unwrap();
    }
    assert!((system.done)(&phone.wallet.sync(None).await.unwrap()), "{what}");
}

async fn meet_everywhere(cases: fn() -> Vec<Case>) {
    for system in SYSTEMS {
        for endpoint in system.sign_in.iter().chain(system.sync) {
            for case in cases() {
                meet(&system, endpoint, case).await;
            }
        }
    }
}

#[tokio::test]
async fn large_answers_are_cut_off() {
    meet_everywhere(large).await;
}

#[tokio::test]
async fn deep_and_wide_answers_are_not_unfolded() {
    meet_everywhere(deep_and_wide).await;
}

#[tokio::test]
async fn answers_without_end_are_given_up() {
    meet_everywhere(without_end).await;
}

/// An error is what its status says, whatever its body holds.
#[tokio::test]
async fn a_large_or_deep_error_is_an_error() {
    for body in
        [nested(10_000), items("{}", 100_000), " ".repeat(MIB), format!(r#"{{"error":{}}}"#, nested(10_000))]
    {
        let office = BoxOffice::open(Lies::default());
        let phone = Phone::new(&TestClock::new());
        phone.wallet.sign_in(office.sign_in()).await.unwrap();
        let start = body[..10].to_owned();
        let lie = move |asked: &Asked| {
            asked.path.starts_with("/v1/ticket").then(|| Answer::ok(body.clone()).of_status(418))
        };
        office.lie(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
        match phone.wallet.sync(None).await {
            Err(WalletError::Refused { status: 418, server_code: None, .. }) => {}
            other => panic!("{start}: {other:?}"),
        }
    }
}

/// Within the bounds, everything is taken: the list may be as long as one page may be.
#[tokio::test]
async fn ten_thousand_items_are_taken() {
    let office = BoxOffice::open(Lies::default());
    let phone = Phone::new(&TestClock::new());
    phone.wallet.sign_in(office.sign_in()).await.unwrap();
    let tickets: Vec<String> = (1..=10_000).map(|id| format!(r#"{{"id":{id}}}"#)).collect();
    let body = format!(r#"{{"data":[{}]}}"#, tickets.join(","));
    let lie = move |asked: &Asked| asked.path.starts_with("/v1/ticket").then(|| Answer::ok(body.clone()));
    office.lie(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
    assert_eq!(phone.wallet.sync(None).await.unwrap().received, 10_000);
}

/// A document, and the link to it.
#[tokio::test]
async fn a_document_of_any_size_is_taken_or_refused() {
    let pdf = |size: usize| [b"%PDF-1.7".as_slice(), &vec![b' '; size - 8]].concat();
    let at = |cases: fn() -> Vec<Case>, endpoint: &'static str| {
        cases().into_iter().map(move |case| (endpoint, case))
    };
    let endless_head = format!("{HEAD}Content-Type: application/pdf\r\n\r\n%PDF-");
    let told = "or than 16 MiB of a document";
    let cases = at(large, "/documents/1.pdf")
        .chain(at(without_end, "/documents/1.pdf"))
        .chain(at(large, "/export_link"))
        .chain(at(deep_and_wide, "/export_link"))
        .chain([
            ("/documents/1.pdf", case("a byte too much", told, Answer::ok(pdf((16 << 20) + 1)))),
            (
                "/documents/1.pdf",
                case("a document without end", told, endless(&endless_head, vec![b' '; MIB])),
            ),
        ]);
    for (endpoint, Case { name, answer, told }) in cases {
        let office = BoxOffice::open_brand(Lies::default());
        let phone = Phone::new(&TestClock::new());
        phone.wallet.sign_in(office.sign_in()).await.unwrap();
        phone.wallet.sync(None).await.unwrap();
        let id = phone.tickets()[0].id.clone();
        let lie = move |asked: &Asked| asked.path.contains(endpoint).then(|| answer.clone());
        office.lie(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
        phone.wallet.set_retry_policy(policy(&phone, told));
        match phone.wallet.fetch_documents(id.clone()).await {
            Err(WalletError::Unreachable { reason, .. }) => {
                assert!(reason.contains(told), "{name} at {endpoint}: {reason}");
            }
            other => panic!("{name} at {endpoint}: {other:?}"),
        }
        phone.wallet.set_retry_policy(phone.clock.policy());
        let largest = pdf(16 << 20);
        let lie = move |asked: &Asked| asked.path.ends_with(".pdf").then(|| Answer::ok(largest.clone()));
        office.lie(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
        let documents = phone.wallet.fetch_documents(id).await.unwrap();
        assert_eq!(documents.iter().map(|document| document.size).max(), Some(16 << 20), "{name}");
    }
}

/// What an app's own transport brings.
struct Brought(Vec<u8>);

impl HttpTransport for Brought {
    fn checks_pins(&self) -> bool {
        false
    }

    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpTransportError> {
        Ok(HttpResponse { status: 200, headers: Vec::new(), body: self.0.clone() })
    }
}

#[tokio::test]
async fn an_apps_transport_is_held_to_the_same_bounds() {
    for (body, told) in [
        (vec![b' '; 50 * MIB], "the reply is larger than 32 MiB"),
        (nested(10_000).into_bytes(), "nested deeper than 100"),
        (items("0", 100_000).into_bytes(), "one list of more than 10000 items"),
    ] {
        let phone = Phone::over(&TestClock::new(), Arc::new(Brought(body)));
        match phone.wallet.sign_in(BoxOffice::open(Lies::default()).sign_in()).await {
            Err(WalletError::Unreachable { reason, .. }) => assert!(reason.contains(told), "{reason}"),
            other => panic!("{told}: {other:?}"),
        }
    }
}
