//! Signing in, the session, and how it ends.

use ticket_wallet::error::Error;
use ticket_wallet::model::{SystemConfig, TicketingConfig};
use ticket_wallet::remote::ticketing::{AccountTicketQuery, RESTRICTED, Ticketing, read_time};
use ticket_wallet_sandbox::{DateForm, Fault};

use crate::festival::{Festival, Staff, refusal, tokens};

#[tokio::test]
async fn a_session_is_begun_asked_for_and_ended() {
    for dates in [DateForm::ByResource, DateForm::Iso, DateForm::Plain] {
        let festival = Festival::new().await;
        festival.choose(|choices| choices.dates = dates);
        let ticketing = festival.client(TicketingConfig::default());
        let user = festival.sandbox.users()[0].clone();
        let (begun, key) = ticketing.start_session(&user.name, &user.password).await.unwrap();
        assert!(key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert!(begun.uri.as_deref().unwrap().starts_with("/sessions/"));
        let number = festival.sandbox.ticketing_account(&user.name).unwrap();
        assert_eq!(begun.account.as_deref(), Some(number.as_str()));
        let started = read_time(begun.started.as_deref().unwrap(), ticketing.zone());
        assert_eq!(started, Some(festival.now_s()), "{dates:?}");
        assert_eq!(begun.started.as_deref().unwrap().contains('T'), dates == DateForm::Iso);

        let staff = Staff::new(ticketing, tokens(&key));
        let active = staff.ticketing.active_session(&staff.session).await.unwrap();
        assert_eq!((active.account, active.uri), (begun.account, begun.uri));
        staff.ticketing.end_session(&tokens(&key)).await.unwrap();
        let over = staff.ticketing.active_session(&staff.session).await.err();
        assert_eq!(over, Some(Error::SignedOut));
        assert!(staff.has_ended());
        // Once more is no error.
        staff.ticketing.end_session(&tokens(&key)).await.unwrap();
    }
}

#[tokio::test]
async fn a_wrong_password_and_nobody_are_refused_alike() {
    let festival = Festival::new().await;
    let ticketing = festival.client(TicketingConfig::default());
    let name = festival.sandbox.users()[0].name.clone();
    for (name, password) in [(name.as_str(), "wrong"), ("nobody@example.org", "wrong")] {
        assert_eq!(ticketing.login(name, password).await.err(), Some(Error::BadPassword));
    }
    festival.fault("POST", "/sessions", 1, Fault::ServerError);
    let failed = ticketing.login(&name, "wrong").await.err().unwrap();
    let Error::ServerFault { report, .. } = failed else { panic!("{failed:?}") };
    assert!(!report.contains("wrong") && !report.contains(&name) && report.contains("identification"));
}

#[tokio::test]
async fn a_session_that_has_ended_is_told_from_a_lack_of_permission() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    // The customer may not, and is still signed in.
    let refused = holder.ticketing.tokens(&holder.session, &festival.event(0), &Default::default()).await;
    assert_eq!(refusal(refused), (403, RESTRICTED.to_owned()));
    assert!(!holder.has_ended());
    let query = AccountTicketQuery::default();
    assert!(holder.ticketing.account_tickets(&holder.session, &query).await.is_ok());
    // While the session cannot be asked for, nothing is known, and nothing ends.
    festival.fault("GET", "/sessions/active", 9, Fault::Reset);
    let refused = holder.ticketing.tokens(&holder.session, &festival.event(0), &Default::default()).await;
    assert_eq!(refusal(refused), (403, RESTRICTED.to_owned()));
    assert!(!holder.has_ended());
    festival.sandbox.clear_faults();

    festival.choose(|choices| choices.session_life_s = Some(600));
    festival.clock.pass_s(601);
    let over = holder.ticketing.account_tickets(&holder.session, &query).await.err();
    assert_eq!(over, Some(Error::SignedOut));
    assert!(holder.has_ended());
    let requests = festival.sandbox.requests().len();
    let still = holder.ticketing.account_tickets(&holder.session, &query).await.err();
    assert_eq!((still, festival.sandbox.requests().len()), (Some(Error::SignedOut), requests));
}

#[tokio::test]
async fn a_401_ends_a_session_that_nothing_renews() {
    let festival = Festival::new().await;
    let holder = festival.holder(0).await;
    festival.fault("GET", "/sessions/active", 1, Fault::Unauthorized);
    let over = holder.ticketing.active_session(&holder.session).await.err();
    assert_eq!(over, Some(Error::SignedOut));
    assert!(holder.has_ended());
}

#[tokio::test]
async fn signing_in_can_need_the_apps_own_key() {
    let festival = Festival::new().await;
    festival.choose(|choices| choices.sign_in_needs_key = true);
    let user = festival.sandbox.users()[0].clone();
    let bare = festival.client(TicketingConfig::default());
    assert_eq!(bare.login(&user.name, &user.password).await.err(), Some(Error::BadPassword));
    let app_key = Some(festival.served.integration_key.clone());
    let keyed = festival.client(TicketingConfig { app_key, ..TicketingConfig::default() });
    let tokens = keyed.login(&user.name, &user.password).await.unwrap();
    assert_ne!(*tokens.access, festival.served.integration_key);
}

#[tokio::test]
async fn an_integration_key_is_taken_as_it_is() {
    let festival = Festival::new().await;
    let staff = festival.with_key(&festival.served.integration_key);
    let before = festival.sandbox.requests().len();
    let taken = staff.ticketing.login("integration", &festival.served.integration_key).await.unwrap();
    assert_eq!(*taken.access, festival.served.integration_key);
    let bad = staff.ticketing.login("integration", "two words").await.err();
    assert!(matches!(bad, Some(Error::Input { field: "password", .. })));
    staff.ticketing.end_session(&taken).await.unwrap();
    assert_eq!(festival.sandbox.requests().len(), before, "nothing is sent for any of it");
    assert!(staff.ticketing.tokens(&staff.session, &festival.event(0), &Default::default()).await.is_ok());
    // It has no account of its own.
    let query = AccountTicketQuery::default();
    let whose = staff.ticketing.account_tickets(&staff.session, &query).await.err();
    assert!(matches!(whose, Some(Error::Input { field: "account", .. })));
    let account = festival.sandbox.ticketing_account(&festival.user(1).0);
    let named = TicketingConfig { account, ..TicketingConfig::default() };
    let staff = festival.with_key_and(&festival.served.integration_key, named);
    let page = staff.ticketing.account_tickets(&staff.session, &query).await.unwrap();
    assert_eq!(page.total, Some(24));
    // One that is no key is refused, and is no session that could end.
    let nobody = festival.with_key("07b2f3b08810a4296ee19fc59dff48b0");
    let refused = nobody.ticketing.tokens(&nobody.session, &festival.event(0), &Default::default()).await;
    assert_eq!(refusal(refused), (403, RESTRICTED.to_owned()));
    assert!(!nobody.has_ended() && festival.count("GET /sessions/active") == 0);
}

#[test]
fn each_field_of_the_configuration_is_checked() {
    let http = || {
        let clock = std::sync::Arc::new(crate::phone::TestClock::new());
        let time = std::sync::Arc::new(crate::festival::NoTime);
        std::sync::Arc::new(ticket_wallet::remote::Http::new(None, clock, vec![], time))
    };
    let some = |text: &str| Some(text.to_owned());
    let default = TicketingConfig::default;
    for (field, config) in [
        ("time_zone", TicketingConfig { time_zone: some("Nowhere/Town"), ..default() }),
        ("client_version", TicketingConfig { client_version: some("3 0"), ..default() }),
        ("client_version", TicketingConfig { client_version: some(""), ..default() }),
        ("app_key", TicketingConfig { app_key: some("a\nb"), ..default() }),
        ("account", TicketingConfig { account: some(" "), ..default() }),
        ("timeout_ms", TicketingConfig { timeout_ms: Some(0), ..default() }),
    ] {
        let config =
            SystemConfig { ticketing: Some(config), ..SystemConfig::at("https://api.example.org/v3") };
        let refused = Ticketing::new(http(), &config).err();
        assert!(matches!(refused, Some(Error::Input { field: f, .. }) if f == field), "{field}");
    }
    let elsewhere = SystemConfig { extension_url: some("ftp://x"), ..SystemConfig::at("https://h/v3") };
    let refused = Ticketing::new(http(), &elsewhere).err();
    assert!(matches!(refused, Some(Error::Input { field: "extension_url", .. })));
    let plain = Ticketing::new(http(), &SystemConfig::at("https://api.example.org/v3/")).unwrap();
    assert_eq!(plain.provider().unwrap().to_string(), "ticketing:api.example.org");
    assert_eq!(plain.extension_base(), None);
    let beside =
        SystemConfig { extension_url: some("https://x.example.org"), ..SystemConfig::at("https://h/v3") };
    let beside = Ticketing::new(http(), &beside).unwrap();
    assert_eq!(beside.extension_base().unwrap().as_str(), "https://x.example.org/");
}
