//! Faults that leave a reply's status alone, and odd refusals.

use std::time::{Duration, Instant};

use serde_json::json;
use ticket_wallet_sandbox::Fault;

use crate::support::{FEED, World};

const LIST: &str = "/v1/ticket?limit=1";
const DATE: &str = "Fri, 15 Jan 2027 08:00:00 GMT";

#[tokio::test]
async fn odd_headers_come_as_they_stand_and_once() {
    let world = World::start().await;
    let token = world.token().await;
    let retry_after = |text: &str| Fault::RetryAfterOnSuccess { retry_after: text.to_owned() };
    let date = |text: &str| Fault::DateText { text: text.to_owned() };
    for (fault, name, value) in [
        (retry_after("7"), "retry-after", "7"),
        (retry_after("-1"), "retry-after", "-1"),
        (retry_after("1e3, soon"), "retry-after", "1e3, soon"),
        (date("yesterday"), "date", "yesterday"),
        (date(""), "date", ""),
        (date("Thu, 01 Jan 1970 00:00:00 GMT"), "date", "Thu, 01 Jan 1970 00:00:00 GMT"),
        (Fault::Age { seconds: 3600 }, "age", "3600"),
    ] {
        let plain = world.get(&token, LIST).await;
        assert_eq!((plain.header("date"), plain.headers.get("age")), (DATE, None));
        assert_eq!(plain.headers.get("retry-after"), None);
        world.fault("/v1/ticket", fault.clone());
        let odd = world.get(&token, LIST).await;
        assert_eq!((odd.status.as_u16(), &odd.text), (200, &plain.text));
        assert_eq!(odd.headers.get(name).unwrap(), value, "{fault:?}");
    }
}

#[tokio::test]
async fn bytes_beyond_ascii_pass_too() {
    let world = World::start().await;
    world.fault("/v1/ticket", Fault::Unavailable { retry_after: "bald – später".to_owned() });
    let refused = world.get("", LIST).await;
    assert_eq!(refused.status, 503);
    assert_eq!(refused.headers["retry-after"].as_bytes(), "bald – später".as_bytes());
}

#[tokio::test]
async fn server_errors_are_plain_and_gone_is_said_in_the_style_of_its_place() {
    let world = World::start_with(|config| config.feed = true).await;
    let token = world.token().await;
    let rules = json!([
        {"path_contains": "ticket", "fault": "server_error"},
        {"path_contains": "ticket", "fault": "gone", "times": 2},
    ]);
    assert_eq!(world.open("/sandbox/faults", rules).await.status, 204);
    let broken = world.get(&token, FEED).await;
    assert_eq!((broken.status.as_u16(), broken.text.as_str()), (500, "Internal Server Error\n"));
    assert!(broken.header("content-type").starts_with("text/plain"));
    let gone = world.get(&token, FEED).await;
    assert_eq!((gone.status.as_u16(), gone.problem().as_str()), (410, "cursor-expired"));
    let gone = world.get(&token, LIST).await;
    assert_eq!((gone.status.as_u16(), &gone.json()["errorCode"]), (410, &json!("GONE")));
    assert_eq!(world.get(&token, FEED).await.status, 200);
}

#[tokio::test]
async fn a_trickling_reply_is_whole_and_slow() {
    let world = World::start().await;
    let token = world.token().await;
    let plain = world.get(&token, LIST).await;
    let pieces = u32::try_from(plain.text.len() / 32).unwrap();
    world.fault("/v1/ticket", Fault::Trickle { bytes: 32, every_ms: 5 });
    let began = Instant::now();
    let slow = world.get(&token, LIST).await;
    assert_eq!((slow.status.as_u16(), &slow.text), (200, &plain.text));
    assert!(pieces > 3);
    assert!(began.elapsed() >= Duration::from_millis(5) * pieces);
}
