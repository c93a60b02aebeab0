//! The documented errors, told apart up to what an app sees.

use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::error::Error;
use ticket_wallet::model::{TicketingConfig, TokenQuery};
use ticket_wallet::remote::ticketing::{RESTRICTED, UNKNOWN_ENDPOINT, UNKNOWN_RESOURCE};
use ticket_wallet_sandbox::{Fault, TicketingErrorKey};

use crate::festival::{self, Festival, Staff, refusal, tokens};

const KEYS: [TicketingErrorKey; 3] =
    [TicketingErrorKey::ByDocument, TicketingErrorKey::Message, TicketingErrorKey::Error];

#[tokio::test]
async fn each_error_is_its_own_under_either_key() {
    for errors in KEYS {
        let festival = Festival::new().await;
        festival.choose(|choices| choices.errors = errors);
        let host = festival.host().await;
        let (api, session, event) = (&host.ticketing, &host.session, festival.event(0));
        let unknown = api.tokens(session, "0000000", &TokenQuery::default()).await;
        assert_eq!(refusal(unknown), (404, UNKNOWN_RESOURCE.to_owned()), "{errors:?}");
        let unknown = api.token(session, &event, "1").await;
        assert_eq!(refusal(unknown), (404, UNKNOWN_RESOURCE.to_owned()));
        let nowhere = format!("{}/invalid", festival.served.url);
        let lost = festival::client(&nowhere, &festival.clock, None, vec![], TicketingConfig::default());
        let lost = Staff::new(lost, tokens("k"));
        let refused = lost.ticketing.token(&lost.session, &event, "1").await;
        assert_eq!(refusal(refused), (404, UNKNOWN_ENDPOINT.to_owned()), "{errors:?}");
        let holder = festival.holder(0).await;
        let refused = holder.ticketing.tokens(&holder.session, &event, &TokenQuery::default()).await;
        assert_eq!(refusal(refused), (403, RESTRICTED.to_owned()));
        // What an endpoint says in prose is not kept.
        let global = festival.served.events[0].global_token.to_string();
        assert_eq!(refusal(api.delete_token(session, &event, &global).await), (409, String::new()));
    }
}

#[tokio::test]
async fn an_upgrade_is_a_state_of_its_own_up_to_the_app() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    for (least, told) in [("3.0.0", "3.0.0"), ("3.0.0", "3.0.1"), ("3.0.0", "10.0"), ("2.9", "3.0.0")] {
        festival.choose(|choices| choices.least_version = least.to_owned());
        let config = TicketingConfig { client_version: Some(told.to_owned()), ..TicketingConfig::default() };
        let host = festival.host_with(config).await;
        assert!(host.ticketing.active_session(&host.session).await.is_ok(), "{least} {told}");
    }
    festival.choose(|choices| choices.least_version = "3.1.0".to_owned());
    let refused = host.ticketing.active_session(&host.session).await.err().unwrap();
    assert_eq!(refused, Error::UpgradeNeeded { endpoint: "GET sessions/active".to_owned() });
    assert!(!refused.is_uncertain());
    let told = WalletError::from(refused);
    assert!(matches!(&told, WalletError::UpgradeNeeded { reason } if reason.contains("update the app")));
    assert_eq!(told.code(), "upgrade_needed");
    // Signing in says so as well, before any password counts.
    let (name, password) = ("nobody", "x");
    let refused = host.ticketing.login(name, password).await.err().unwrap();
    assert_eq!(refused, Error::UpgradeNeeded { endpoint: "POST sessions".to_owned() });
}

#[tokio::test]
async fn a_failure_is_told_with_a_report_and_no_value() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let event = festival.event(0);
    festival.fault("POST", "/tokens", 1, Fault::ServerError);
    let sections = festival.sections(0);
    let failed = host.ticketing.issue_token(&host.session, &event, &sections).await.err().unwrap();
    assert!(failed.is_uncertain());
    let WalletError::ServerFault { report, reason, .. } = WalletError::from(failed.clone()) else {
        panic!("{failed:?}")
    };
    let report: Value = serde_json::from_str(&report).unwrap();
    let expected = json!({
        "method": "POST", "endpoint": "events/:event/tokens",
        "headers": ["x-device-id", "X-API-Key", "X-Client-Version", "Accept", "Content-Type"],
        "query": [], "payload": { "sections": ["string", "string"] },
    });
    assert_eq!(report, expected);
    for secret in [event.as_str(), "device-1", "16993964783416"] {
        assert!(
            !report.to_string().contains(secret)
                && !reason.contains(secret)
                && !format!("{failed:?}").contains(secret)
        );
    }
    // A GET is asked again; the last failure is told.
    festival.fault("GET", "/tokens", 3, Fault::ServerError);
    let query = TokenQuery { page: Some(1), records: Some(25), global: Some(true) };
    let failed = host.ticketing.tokens(&host.session, &event, &query).await.err().unwrap();
    let Error::ServerFault { report, .. } = failed else { panic!("{failed:?}") };
    assert!(report.contains(r#""query":["global","page","records"]"#), "{report}");
    assert_eq!(festival.count("GET /tokens"), 3);
    assert!(host.ticketing.tokens(&host.session, &event, &query).await.is_ok());
}

#[tokio::test]
async fn other_failures_are_the_usual_ones() {
    let festival = Festival::new().await;
    let host = festival.host().await;
    let event = festival.event(0);
    let after = || "1".to_owned();
    festival.fault("POST", "/tokens", 1, Fault::TooMany { retry_after: after() });
    let sections = festival.sections(0);
    let refused = host.ticketing.issue_token(&host.session, &event, &sections).await.err().unwrap();
    assert!(matches!(refused, Error::Status { status: 429, retry_after_ms: Some(1_000), .. }));
    festival.clock.pass_s(2);
    festival.fault("POST", "/tokens", 1, Fault::TruncatedJson);
    let unreadable = host.ticketing.issue_token(&host.session, &event, &sections).await.err().unwrap();
    assert!(matches!(&unreadable, Error::Reply { .. }) && unreadable.is_uncertain());
    festival.fault("POST", "/tokens", 1, Fault::LostReply);
    let lost = host.ticketing.issue_token(&host.session, &event, &sections).await.err().unwrap();
    assert!(matches!(&lost, Error::Network { .. }) && lost.is_uncertain());
    assert_eq!(festival.applied("ticketing.token.issue"), 2, "neither was repeated by itself");
}
