//! Promise: what servers say about the time is taken with care: odd dates, single wrong replies, one wrong server and a
//! wall clock that somebody sets do not move the time that codes are signed with.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use phone::{Phone, TODAY_MS, TestClock, sandbox};
use ticket_wallet::WalletTime;
use ticket_wallet::model::{SignIn, SystemConfig, TicketSystem};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};
use tiny_server::{Answer, TinyServer};

const HOUR_S: i64 = 3_600;
const YEAR_MS: i64 = 366 * 86_400_000;

fn now(phone: &Phone) -> WalletTime {
    phone.wallet.now().unwrap()
}

/// How far the wallet's time is from the wall time of the test, which is the honest servers' time.
fn off_s(phone: &Phone) -> i64 {
    let WalletTime { unix_ms, uncertainty } = now(phone);
    assert!(uncertainty.confirmed && uncertainty.age_ms >= Some(0));
    (unix_ms - phone.clock.wall_ms()).div_euclid(1000)
}

fn clock_off(skip: u32, times: u32, seconds: i64) -> FaultRule {
    FaultRule { method: None, path_contains: String::new(), skip, times, fault: Fault::ClockOff { seconds } }
}

async fn server(clock: &TestClock) -> Sandbox {
    sandbox(clock, SandboxConfig::default()).await
}

async fn signed_in() -> (TestClock, Sandbox, Phone) {
    let clock = TestClock::new();
    let sandbox = server(&clock).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    (clock, sandbox, phone)
}

#[tokio::test]
async fn one_wrong_reply_moves_nothing_wherever_it_falls() {
    for skip in 0..6 {
        for seconds in [-10 * HOUR_S, -60, 60, 10 * HOUR_S, 70 * 366 * 86_400, -60 * 366 * 86_400] {
            let (_, sandbox, phone) = signed_in().await;
            let before = sandbox.requests().len();
            sandbox.fault(clock_off(skip, 1, seconds));
            phone.wallet.sync(None).await.unwrap();
            assert!(sandbox.requests().len() - before > usize::try_from(skip).unwrap(), "it was struck");
            assert_eq!(off_s(&phone), 0, "reply {skip} off by {seconds} s");
        }
    }
}

#[tokio::test]
async fn a_server_whose_clock_was_set_right_is_followed() {
    for seconds in [-10 * HOUR_S, 10 * HOUR_S] {
        let (_, sandbox, phone) = signed_in().await;
        sandbox.fault(clock_off(0, 1_000, seconds));
        phone.wallet.sync(None).await.unwrap();
        assert_eq!(off_s(&phone), seconds);
    }
}

#[tokio::test]
async fn a_wrong_server_does_not_move_the_time_of_others_whoever_comes_first() {
    for liar in [0, 1] {
        for seconds in [-10 * HOUR_S, 10 * HOUR_S] {
            let clock = TestClock::new();
            let servers = [server(&clock).await, server(&clock).await];
            servers[liar].fault(clock_off(0, 1_000, seconds));
            let phone = Phone::new(&clock);
            let accounts = [phone.sign_in(&servers[0], 0).await, phone.sign_in(&servers[1], 1).await];
            for account in accounts.iter().chain(accounts.iter().rev()) {
                phone.wallet.sync(Some(account.id.clone())).await.unwrap();
            }
            // One after the other, and the liar last.
            phone.wallet.sync(Some(accounts[liar].id.clone())).await.unwrap();
            assert_eq!(off_s(&phone), 0, "server {liar} off by {seconds} s");
        }
    }
}

#[tokio::test]
async fn neither_sleep_nor_the_wall_clock_moves_it_and_a_reboot_makes_it_unconfirmed() {
    let (clock, sandbox, phone) = signed_in().await;
    phone.wallet.sync(None).await.unwrap();
    let anchored = now(&phone);
    clock.pass_s(8 * HOUR_S);
    for wall_ms in [0, TODAY_MS - 20 * YEAR_MS, TODAY_MS + 20 * YEAR_MS, i64::MIN, i64::MAX] {
        clock.set_wall_ms(wall_ms);
        let later = now(&phone);
        assert_eq!(later.unix_ms - anchored.unix_ms, 8 * HOUR_S * 1000, "{wall_ms}");
        assert_eq!(later.uncertainty.age_ms, Some(8 * HOUR_S * 1000), "{wall_ms}");
    }
    clock.set_wall_ms(TODAY_MS + 8 * HOUR_S * 1000);
    clock.reboot();
    let unconfirmed = now(&phone);
    assert!(!unconfirmed.uncertainty.confirmed && unconfirmed.uncertainty.error_ms.is_none());
    assert!((unconfirmed.unix_ms - clock.wall_ms()).abs() <= 500, "the last correction stands");
    let phone = phone.restart();
    assert_eq!(now(&phone), unconfirmed);
    phone.wallet.sync(None).await.unwrap();
    assert_eq!(off_s(&phone), 0, "{}", sandbox.url());
}

#[tokio::test]
async fn dates_are_read_in_three_forms_and_odd_ones_passed_over() {
    // 2026-11-21 10:00:00, and half a second for what the date cuts off.
    let ten = Some(1_795_255_200_500);
    for (status, header, trusted) in [
        (200, "Date: Sat, 21 Nov 2026 10:00:00 GMT", ten),
        (200, "Date: Saturday, 21-Nov-26 10:00:00 GMT", ten),
        (200, "Date: Sat Nov 21 10:00:00 2026", ten),
        (404, "Date: Sat, 21 Nov 2026 10:00:00 GMT", ten),
        (304, "Date: Sat, 21 Nov 2026 10:00:00 GMT", None),
        (200, "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nAge: 0", None),
        (200, "Date: Sat, 21 Nov 2026 10:00:00 GMT\r\nAge: old", None),
        (200, "Date: Sat, 01 Jan 0000 00:00:00 GMT", None),
        (200, "Date: Wed, 31 Dec 1969 23:59:59 GMT", None),
        (200, "Date: Thu, 01 Jan 1970 00:00:00 GMT", None),
        (200, "Date: Tue, 31 Dec 2019 23:59:59 GMT", None),
        (200, "Date: Fri, 01 Jan 2100 00:00:00 GMT", None),
        (200, "Date: Fri, 31 Dec 9999 23:59:59 GMT", None),
        (200, "Date: Fri, 31 Dec 99999 23:59:59 GMT", None),
        (200, "Date: Sat, 21 Nov 2026 10:00:00 +0100", None),
        (200, "Date: Sat, 21 Nov 2026 25:00:00 GMT", None),
        (200, "Date: 2026-11-21T10:00:00Z", None),
        (200, "Date: 1795255200", None),
        (200, "Date: -1", None),
        (200, "Date:", None),
    ] {
        let tokens = Answer::ok(r#"{"data":{"token":"t"}}"#);
        let answer = if status == 200 { tokens } else { Answer::status(status) }.with(header);
        let server = TinyServer::start(move |_| answer.clone());
        let phone = Phone::new(&TestClock::new());
        let sign_in = SignIn {
            system: TicketSystem::Bam,
            config: SystemConfig::at(server.url()),
            user_name: "mira".to_owned(),
            password: "pw".to_owned(),
        };
        assert_eq!(phone.wallet.sign_in(sign_in).await.is_ok(), status == 200);
        assert_eq!(server.asked().len(), 1);
        let now = now(&phone);
        assert_eq!(now.uncertainty.confirmed, trusted.is_some(), "{status} {header}");
        assert_eq!(now.unix_ms, trusted.unwrap_or(TODAY_MS), "{status} {header}");
    }
}
