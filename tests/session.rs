//! Promise: a session that ends, a server that is busy, broken or slow of clock, and a reply that is lost do no harm:
//! what was stored stays, and the next sync goes on.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod client;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

use std::sync::Arc;

use client::Kept;
use phone::{Phone, TODAY_MS, TestClock, sandbox};
use ticket_wallet::error::Error;
use ticket_wallet::model::{AccountState, SignIn, SystemConfig, TicketSystem};
use ticket_wallet::remote::Session;
use ticket_wallet::remote::bam::Bam;
use tiny_server::{Answer, TinyServer};

use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

const LIST: &str = "GET /v1/ticket";
const REFRESH: &str = "POST /account/v1/auth/refresh";
/// More than the life of an access token and less than a lease.
const TOKEN_LIFE_S: i64 = 3600;
/// Everything that a sync asks for, as parts of paths.
const ENDPOINTS: [&str; 4] =
    ["/v1/ticket", "/account/v1/organizer/", "/.well-known/ticket-wallet", "/wallet/v1/credentials"];

async fn signed_in() -> (TestClock, Sandbox, Phone) {
    let clock = TestClock::new();
    let sandbox = sandbox(&clock, SandboxConfig { page_limit: 10, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    phone.sign_in(&sandbox, 0).await;
    (clock, sandbox, phone)
}

fn rule(path: &str, skip: u32, times: u32, fault: Fault) -> FaultRule {
    FaultRule { method: None, path_contains: path.to_owned(), skip, times, fault }
}

async fn sync(phone: &Phone) -> Result<SyncReport, WalletError> {
    phone.wallet.sync(None).await
}

/// How often each request came since `before`.
fn count(sandbox: &Sandbox, before: usize, request: &str) -> usize {
    sandbox.requests()[before..].iter().filter(|seen| *seen == request).count()
}

fn state(phone: &Phone) -> AccountState {
    phone.wallet.accounts().unwrap()[0].state
}

#[tokio::test]
async fn an_ended_token_costs_one_refresh_and_one_replay() {
    let (clock, sandbox, phone) = signed_in().await;
    sync(&phone).await.unwrap();
    // The newest page tells whether anything has changed; then come the three pages of the list.
    assert_eq!((count(&sandbox, 0, LIST), count(&sandbox, 0, REFRESH)), (4, 0));
    for end_token in
        [&|_: &Sandbox| clock.pass_s(TOKEN_LIFE_S + 1), &|sandbox: &Sandbox| sandbox.revoke_tokens().unwrap()]
            as [&dyn Fn(&Sandbox); 2]
    {
        end_token(&sandbox);
        let before = sandbox.requests().len();
        assert_eq!(sync(&phone).await.unwrap().received, 0, "nothing has changed");
        assert_eq!((count(&sandbox, before, REFRESH), count(&sandbox, before, LIST)), (1, 2));
        // The new tokens are kept: a restarted wallet goes on with them.
        let before = sandbox.requests().len();
        sync(&phone).await.unwrap();
        assert_eq!((count(&sandbox, before, REFRESH), count(&sandbox, before, LIST)), (0, 1));
    }
    sandbox.revoke_tokens().unwrap();
    let phone = phone.restart();
    sync(&phone).await.unwrap();
    assert_eq!(state(&phone), AccountState::SignedIn);
}

#[tokio::test]
async fn a_token_that_ends_at_any_request_of_a_sync_is_renewed() {
    for endpoint in ENDPOINTS {
        let (_, sandbox, phone) = signed_in().await;
        if endpoint.contains("well-known") {
            continue; // It takes no token.
        }
        sandbox.fault(rule(endpoint, 0, 1, Fault::Unauthorized));
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.received, count(&sandbox, 0, REFRESH)), (24, 1), "{endpoint}");
        assert!(report.bound > 0, "{endpoint}");
    }
}

#[tokio::test]
async fn a_revoked_session_asks_for_sign_in_and_keeps_the_tickets() {
    let (clock, sandbox, phone) = signed_in().await;
    sync(&phone).await.unwrap();
    sandbox.revoke_sessions().unwrap();
    let before = sandbox.requests().len();
    assert!(matches!(sync(&phone).await, Err(WalletError::NeedsSignIn { .. })));
    assert_eq!((count(&sandbox, before, REFRESH), count(&sandbox, before, LIST)), (1, 1));
    assert_eq!(state(&phone), AccountState::NeedsSignIn);

    let phone = phone.restart();
    assert_eq!((state(&phone), phone.tickets().len()), (AccountState::NeedsSignIn, 24));
    let ticket = phone.signed_ticket();
    // Nothing more is sent until somebody signs in.
    let before = sandbox.requests().len();
    assert!(matches!(sync(&phone).await, Err(WalletError::NeedsSignIn { .. })));
    assert_eq!(sandbox.requests().len(), before);
    clock.pass_s(10);
    let account = phone.sign_in(&sandbox, 0).await;
    assert_eq!((account.state, phone.wallet.accounts().unwrap().len()), (AccountState::SignedIn, 1));
    let report = sync(&phone).await.unwrap();
    assert_eq!((report.received, report.added, report.bound), (0, 0, 0));
    assert!(phone.wallet.present(ticket.id, None).is_ok());
}

#[tokio::test]
async fn a_second_401_ends_the_session_and_no_third_request_is_made() {
    let (_, sandbox, phone) = signed_in().await;
    sandbox.fault(rule("/v1/ticket", 0, 2, Fault::Unauthorized));
    assert!(matches!(sync(&phone).await, Err(WalletError::NeedsSignIn { .. })));
    assert_eq!((count(&sandbox, 0, REFRESH), count(&sandbox, 0, LIST)), (1, 2));
    assert_eq!(state(&phone), AccountState::NeedsSignIn);
}

#[tokio::test]
async fn a_refresh_that_fails_for_now_does_not_end_the_session() {
    for fault in [
        Fault::Unavailable { retry_after: "3".to_owned() },
        Fault::TooMany { retry_after: "60".to_owned() },
        Fault::Reset,
    ] {
        let (clock, sandbox, phone) = signed_in().await;
        sandbox.revoke_tokens().unwrap();
        sandbox.fault(rule("/auth/refresh", 0, 1, fault));
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })));
        assert_eq!((state(&phone), count(&sandbox, 0, REFRESH)), (AccountState::SignedIn, 1));
        clock.pass_s(60);
        assert_eq!(sync(&phone).await.unwrap().received, 24);
        assert_eq!(count(&sandbox, 0, REFRESH), 2);
    }
}

#[tokio::test]
async fn a_refresh_whose_answer_is_lost_is_tried_again_with_the_same_token() {
    for fault in [Fault::LostReply, Fault::TruncatedJson] {
        let (_, sandbox, phone) = signed_in().await;
        sandbox.revoke_tokens().unwrap();
        sandbox.fault(rule("/auth/refresh", 0, 1, fault));
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })));
        assert_eq!((state(&phone), count(&sandbox, 0, REFRESH)), (AccountState::SignedIn, 1));
        // Of this server a refresh token counts once: it is the server that ends the session.
        let phone = phone.restart();
        assert!(matches!(sync(&phone).await, Err(WalletError::NeedsSignIn { .. })));
        assert_eq!((state(&phone), count(&sandbox, 0, REFRESH)), (AccountState::NeedsSignIn, 2));
    }
}

/// A session outside a wallet, whose requests overlap.
struct Overlapping {
    bam: Bam,
    session: Session,
    kept: Kept,
}

impl Overlapping {
    async fn new(clock: &TestClock, sandbox: &Sandbox) -> Self {
        let http = client::http(None, clock, vec![]);
        http.set_retry_policy(clock.policy());
        let bam = Bam::new(Arc::new(http), &SystemConfig::at(sandbox.url())).unwrap();
        let user = &sandbox.users()[0];
        let tokens = bam.login(&user.name, &user.password).await.unwrap();
        let (session, kept) = client::session(tokens);
        Self { bam, session, kept }
    }

    /// Four requests at the same time.
    async fn ask(&self) -> [Result<usize, Error>; 4] {
        let one = || async {
            self.bam.tickets(&self.session, &self.bam.pull_query(100, 0)).await.map(|page| page.items.len())
        };
        tokio::join!(one(), one(), one(), one()).into()
    }
}

#[tokio::test]
async fn requests_that_overlap_share_one_refresh() {
    let (clock, sandbox, _) = signed_in().await;
    let all = Overlapping::new(&clock, &sandbox).await;
    for renewals in 1..3 {
        sandbox.revoke_tokens().unwrap();
        let before = sandbox.requests().len();
        assert_eq!(all.ask().await, [Ok(10), Ok(10), Ok(10), Ok(10)]);
        assert_eq!(count(&sandbox, before, REFRESH), 1);
        // One that came late was signed with the new token at once.
        let asked = count(&sandbox, before, LIST);
        assert!((5..=8).contains(&asked), "{asked}");
        assert_eq!(all.kept.lock().unwrap().len(), renewals);
    }
    // A server that cannot renew for now is left alone by all of them, and nobody is signed out.
    sandbox.revoke_tokens().unwrap();
    sandbox.fault(rule("/auth/refresh", 0, 1, Fault::Unavailable { retry_after: "60".to_owned() }));
    let before = sandbox.requests().len();
    for refused in all.ask().await {
        assert!(
            matches!(refused, Err(Error::Status { status: 503, .. } | Error::Pause { .. })),
            "{refused:?}"
        );
    }
    assert_eq!((count(&sandbox, before, REFRESH), all.kept.lock().unwrap().len()), (1, 2));
    clock.pass_s(60);
    assert_eq!(all.ask().await, [Ok(10), Ok(10), Ok(10), Ok(10)]);

    sandbox.revoke_sessions().unwrap();
    let before = sandbox.requests().len();
    assert_eq!(all.ask().await, [const { Err(Error::SignedOut) }; 4]);
    assert_eq!(count(&sandbox, before, REFRESH), 1);
    assert!(all.kept.lock().unwrap().last().unwrap().is_none());
    let before = sandbox.requests().len();
    assert_eq!(all.ask().await, [const { Err(Error::SignedOut) }; 4]);
    assert_eq!(sandbox.requests().len(), before, "a session that is over asks nothing");
}

#[tokio::test]
async fn busy_servers_say_when_to_come_back() {
    let in_90_s = chrono::DateTime::from_timestamp_millis(TODAY_MS + 90_000).unwrap();
    let past = chrono::DateTime::from_timestamp_millis(TODAY_MS - 90_000).unwrap();
    let date = |time: chrono::DateTime<chrono::Utc>| time.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let waits = [
        ("7".to_owned(), Some(7_000)),
        ("0".to_owned(), Some(0)),
        (date(in_90_s), Some(90_000)),
        (date(past), Some(0)),
        ("soon".to_owned(), None),
        ("-5".to_owned(), Some(0)),
        ("18446744073709551615".to_owned(), Some(86_400_000)),
    ];
    for endpoint in ENDPOINTS {
        let (clock, sandbox, phone) = signed_in().await;
        for (retry_after, wait) in &waits {
            let retry_after = || retry_after.clone();
            // What may be repeated at once fails each time.
            let times = if *wait > Some(0) { 1 } else { 9 };
            for fault in [
                Fault::TooMany { retry_after: retry_after() },
                Fault::Unavailable { retry_after: retry_after() },
            ] {
                sandbox.fault(rule(endpoint, 0, times, fault));
                match sync(&phone).await {
                    Err(WalletError::Unreachable { retry_after_ms, .. }) => {
                        assert_eq!(retry_after_ms, *wait, "{endpoint}: {}", retry_after());
                    }
                    other => panic!("{endpoint}: {}: {other:?}", retry_after()),
                }
                sandbox.clear_faults();
                clock.reboot(); // No server's pause outlasts it.
            }
        }
        let report = sync(&phone).await.unwrap();
        assert!(!phone.signed_tickets().is_empty(), "{endpoint}: {report:?}");
        assert_eq!(phone.tickets().len(), 24, "{endpoint}");
    }
}

#[tokio::test]
async fn a_tenant_that_does_not_answer_keeps_no_other_from_its_turn() {
    for (path, times, fault) in [
        ("nordhafen/.well-known/ticket-wallet", 3, Fault::Reset),
        ("nordhafen/wallet/v1/credentials", 1, Fault::Unavailable { retry_after: "1".to_owned() }),
    ] {
        let (_, sandbox, phone) = signed_in().await;
        sandbox.fault(rule(path, 0, times, fault));
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })), "{path}: it is told");
        let shown = phone.signed_tickets().len();
        assert!(shown > 0, "{path}: the other tenant's tickets are ready");
        sync(&phone).await.unwrap();
        assert!(phone.signed_tickets().len() > shown, "{path}: and all are after the next sync");
    }
}

#[tokio::test]
async fn a_pull_that_breaks_keeps_whole_pages_and_the_next_one_completes() {
    for (times, fault) in [(1, Fault::TruncatedJson), (3, Fault::Reset), (3, Fault::LostReply)] {
        let (_, sandbox, phone) = signed_in().await;
        sandbox.fault(rule("/v1/ticket", 2, times, fault.clone()));
        let broken = sync(&phone).await;
        assert!(matches!(broken, Err(WalletError::Unreachable { .. })), "{fault:?}: {broken:?}");
        assert_eq!(phone.tickets().len(), 10, "{fault:?}");
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.received, report.added, report.removed), (24, 14, 0), "{fault:?}");
        assert_eq!(phone.tickets().len(), 24, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_a_binding_is_no_second_binding() {
    // Whether the server had bound the tickets when the connection broke.
    for (fault, bound_before) in
        [(Fault::LostReply, true), (Fault::TruncatedJson, true), (Fault::Reset, false)]
    {
        let (clock, sandbox, phone) = signed_in().await;
        let first_lease_end = TODAY_MS / 1000 + i64::from(SandboxConfig::default().lease_s);
        // One request for each of the two tenants with the extension.
        sandbox.fault(rule("/wallet/v1/credentials", 0, 2, fault.clone()));
        let broken = sync(&phone).await;
        assert!(matches!(broken, Err(WalletError::Unreachable { .. })), "{fault:?}: {broken:?}");
        assert!(phone.signed_tickets().is_empty(), "{fault:?}: nothing is kept that was not read");

        clock.pass_s(100);
        let phone = phone.restart();
        let report = sync(&phone).await.unwrap();
        assert_eq!((report.bound > 2, report.refused), (true, 0), "{fault:?}: {report:?}");
        // The same credential has the first lease; a new one has a later.
        let lease_end = first_lease_end + if bound_before { 0 } else { 100 };
        for ticket in phone.signed_tickets() {
            let detail = phone.wallet.ticket(ticket.id).unwrap();
            assert_eq!(detail.generation, Some(1), "{fault:?}");
            assert_eq!(detail.lease_end, Some(lease_end), "{fault:?}");
        }
        assert_eq!(sync(&phone).await.unwrap().bound, 0, "{fault:?}: nothing is left to bind");
    }
}

#[tokio::test]
async fn an_account_that_fails_keeps_no_other_from_its_sync() {
    for failing in [0, 1] {
        let clock = TestClock::new();
        let mut sandboxes = vec![
            sandbox(&clock, SandboxConfig::default()).await,
            sandbox(&clock, SandboxConfig::default()).await,
        ];
        let phone = Phone::new(&clock);
        phone.sign_in(&sandboxes[0], 0).await;
        phone.sign_in(&sandboxes[1], 1).await;
        sandboxes.swap_remove(failing).stop().await;
        assert!(matches!(sync(&phone).await, Err(WalletError::Unreachable { .. })));
        assert_eq!(phone.tickets().len(), 24);
    }
}

#[tokio::test]
async fn the_wallets_time_is_the_servers() {
    for offset_s in [3600, -3600, 86_400] {
        let clock = TestClock::new();
        let sandbox = sandbox(&clock, SandboxConfig::default()).await;
        sandbox.set_clock_offset_s(offset_s);
        let phone = Phone::new(&clock);
        assert!(!phone.wallet.now().unwrap().uncertainty.confirmed);
        phone.sign_in(&sandbox, 0).await;
        sync(&phone).await.unwrap();
        let now = phone.wallet.now().unwrap();
        let off = now.unix_ms - (clock.wall_ms() + offset_s * 1000);
        let error = now.uncertainty.error_ms.unwrap();
        assert!(now.uncertainty.confirmed && off.abs() <= error, "{offset_s}: {off} ms off, said {error}");
        assert_eq!((error, now.uncertainty.age_ms), (500, Some(0)));
        let shown = phone.wallet.present(phone.signed_ticket().id, None).unwrap();
        assert_eq!((shown.presented_at, shown.clock_uncertainty), (now.unix_ms / 1000, now.uncertainty));
        // Uncertainty grows with age, and a restart does not lose it.
        clock.pass_s(10_000);
        let later = phone.restart().wallet.now().unwrap();
        assert_eq!((later.unix_ms - now.unix_ms, later.uncertainty.error_ms), (10_000_000, Some(1500)));
    }
}

#[tokio::test]
async fn a_reply_from_a_cache_does_not_tell_the_time() {
    let date = "Date: Sat, 21 Nov 2026 10:00:00 GMT";
    let date_ms = 1_795_255_200_500;
    for (headers, trusted) in [
        (vec![date, "Age: 0"], None),
        (vec![date, "Age: 3600"], None),
        (vec![], None),
        (vec![date], Some(date_ms)),
    ] {
        let answered = headers
            .iter()
            .fold(Answer::ok(r#"{"data":{"token":"t"}}"#), |answer, header| answer.with(header));
        let server = TinyServer::start(move |_| answered.clone());
        let phone = Phone::new(&TestClock::new());
        let sign_in = SignIn {
            system: TicketSystem::Bam,
            config: SystemConfig::at(server.url()),
            user_name: "mira".to_owned(),
            password: "pw".to_owned(),
        };
        phone.wallet.sign_in(sign_in).await.unwrap();
        let now = phone.wallet.now().unwrap();
        assert_eq!(now.uncertainty.confirmed, trusted.is_some(), "{headers:?}");
        assert_eq!(now.unix_ms, trusted.unwrap_or(TODAY_MS), "{headers:?}");
    }
}
