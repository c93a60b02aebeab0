//! Promise: an account of TEXPO signs in at either place, names its network as it is configured, and knows when its session
//! is over.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/expo.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod expo;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::sync::Arc;

use expo::{Client, Expo, client, tokens, try_client};
use phone::TestClock;
use script::{Script, answer, header};
use ticket_wallet::error::Error;
use ticket_wallet::model::{TexpoConfig, TexpoSignIn};
use ticket_wallet_sandbox::Fault;

#[tokio::test]
async fn a_session_is_checked_and_ended() {
    for sign_in in [TexpoSignIn::Adminserver, TexpoSignIn::UserApi] {
        for in_data in [true, false] {
            let expo = Expo::new().await;
            expo.choose(|it| it.sign_in_in_data = in_data);
            let texpo = expo.texpo(TexpoConfig { sign_in, ..expo.config() });
            let user = &expo.sandbox.users()[0];
            let tokens = texpo.login(&user.name, &user.password).await.unwrap();
            assert!(tokens.refresh.is_none() && expo.sandbox.secrets().contains(&tokens.access));
            let holder = Client::new(texpo, tokens.clone());
            assert!(holder.texpo.check(&holder.session).await.unwrap());
            assert_eq!(holder.texpo.purchased(&holder.session).await.unwrap().len(), 6);
            holder.texpo.sign_out(&tokens).await.unwrap();
            holder.texpo.sign_out(&tokens).await.unwrap();
            assert!(!holder.texpo.check(&holder.session).await.unwrap());
            assert!(holder.kept.lock().unwrap().last().unwrap().is_none(), "the keeper was told");
        }
    }
}

#[tokio::test]
async fn a_user_apis_session_manages_nothing() {
    let expo = Expo::new().await;
    let texpo = expo.texpo(TexpoConfig { sign_in: TexpoSignIn::UserApi, ..expo.config() });
    let tokens = texpo.login(&expo.access.manager, &expo.access.password).await.unwrap();
    let manager = Client::new(texpo, tokens);
    assert!(matches!(manager.texpo.products(&manager.session).await, Err(Error::SignedOut)));
}

#[tokio::test]
async fn wrong_names_and_passwords_are_told_in_each_form() {
    for error_has_http_status in [true, false] {
        let expo = Expo::new().await;
        expo.choose(|it| it.error_has_http_status = error_has_http_status);
        for sign_in in [TexpoSignIn::Adminserver, TexpoSignIn::UserApi] {
            let texpo = expo.texpo(TexpoConfig { sign_in, ..expo.config() });
            let name = &expo.sandbox.users()[0].name;
            for (name, password) in [(name.as_str(), "wrong"), ("nobody@example.org", "wrong")] {
                let refused = texpo.login(name, password).await.err();
                assert_eq!(refused, Some(Error::BadPassword), "{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_is_over_whatever_the_status_says() {
    for error_has_http_status in [true, false] {
        let expo = Expo::new().await;
        expo.choose(|it| it.error_has_http_status = error_has_http_status);
        let manager = expo.manager().await;
        expo.sandbox.revoke_sessions().unwrap();
        let before = expo.sandbox.requests().len();
        for _ in 0..2 {
            let ended = manager.texpo.products(&manager.session).await;
            assert!(matches!(ended, Err(Error::SignedOut)));
        }
        assert_eq!(expo.sandbox.requests().len(), before + 1, "nothing more is sent");
        assert!(manager.kept.lock().unwrap().last().unwrap().is_none());
    }
    let expo = Expo::new().await;
    let manager = expo.manager().await;
    expo.fault("/texpo/", 1, Fault::Unauthorized);
    assert!(matches!(manager.texpo.products(&manager.session).await, Err(Error::SignedOut)));
}

#[tokio::test]
async fn the_network_goes_in_the_configured_header() {
    let expo = Expo::new().await;
    for name in ["X-Network-Id", "X-Network", "X-Expo"] {
        expo.choose(|it| it.network_header = name.to_owned());
        let config = TexpoConfig { network_header: Some(name.to_owned()), ..expo.config() };
        assert_eq!(expo.manager_with(config).await.list().await.len(), 12, "{name}");
        if name != "X-Network-Id" {
            let manager = expo.manager().await;
            let refused = manager.texpo.products(&manager.session).await;
            assert!(matches!(refused, Err(Error::Answer { code: 400, .. })));
        }
    }
    for other in [None, Some("expo-1999".to_owned())] {
        expo.choose(|_| ());
        let manager = expo.manager_with(TexpoConfig { network_id: other, ..expo.config() }).await;
        assert!(manager.texpo.products(&manager.session).await.is_err());
        expo.choose(|it| it.network_required = false);
        assert_eq!(manager.list().await.len(), 12);
    }
}

#[tokio::test]
async fn headers_are_those_of_each_place() {
    for (sign_in, path, network_header) in [
        (TexpoSignIn::Adminserver, "/auth/login", "X-Expo"),
        (TexpoSignIn::UserApi, "/api/v1/auth/signin", "X-Network"),
    ] {
        let script = Script::new(|_| answer(200, r#"{"sessionId": "s", "data": {"session_token": "s"}}"#));
        let config = TexpoConfig {
            network_id: Some("net-1".to_owned()),
            network_header: Some("X-Expo".to_owned()),
            sign_in,
            holder_url: Some("https://api.example".to_owned()),
            ..TexpoConfig::default()
        };
        let transport = Some(Arc::clone(&script) as _);
        let texpo = client(&TestClock::new(), transport, "https://admin.example", config);
        let signed_in = texpo.login("mira@example.org", "pw").await.unwrap();
        let holder = Client::new(texpo, signed_in);
        holder.texpo.purchased(&holder.session).await.unwrap();
        let seen = script.seen();
        assert_eq!(seen[0].url, format!("https://admin.example{path}"));
        assert_eq!(header(&seen[0], network_header), Some("net-1"));
        assert_eq!(header(&seen[0], "X-Session-Id"), None);
        assert_eq!(
            seen[0].body.as_deref(),
            Some(br#"{"email":"mira@example.org","password":"pw"}"#.as_slice())
        );
        assert_eq!(seen[1].url, "https://api.example/api/v0/rpc/ticket.getPurchasedTickets");
        assert_eq!(header(&seen[1], "X-Expo"), Some("net-1"));
        assert_eq!(header(&seen[1], "X-Session-Id"), Some("s"));
        assert_eq!(header(&seen[1], "Authorization"), None);
    }
}

#[tokio::test]
async fn paths_are_configured() {
    let expo = Expo::new().await;
    expo.choose(|it| {
        it.rpc_prefix = "admin/rpc".to_owned();
        it.auth_prefix = "admin/auth".to_owned();
        it.holder_prefix = "holders/v9".to_owned();
        it.user_auth_prefix = "holders/auth".to_owned();
    });
    let config = TexpoConfig {
        rpc_prefix: Some("/admin/rpc/".to_owned()),
        auth_prefix: Some("admin/auth".to_owned()),
        holder_prefix: Some("holders/v9".to_owned()),
        user_auth_prefix: Some("holders/auth".to_owned()),
        ..expo.config()
    };
    let manager = expo.manager_with(config.clone()).await;
    assert_eq!(manager.list().await.len(), 12);
    assert_eq!(manager.texpo.purchasable(&manager.session).await.unwrap().len(), 12);
    let texpo = expo.texpo(TexpoConfig { sign_in: TexpoSignIn::UserApi, ..config });
    let user = &expo.sandbox.users()[1];
    assert!(texpo.login(&user.name, &user.password).await.is_ok());
    let lost = expo.texpo(expo.config()).login(&user.name, &user.password).await;
    assert!(matches!(lost, Err(Error::Answer { status: 404, code: 404, .. })), "{lost:?}");
}

#[tokio::test]
async fn a_reply_without_a_session_is_no_sign_in() {
    for body in
        ["", "{}", "[]", r#"{"sessionId":""}"#, r#"{"sessionId":"a b"}"#, r#"{"data":{"sessionId":[]}}"#]
    {
        let script = Script::new(move |_| answer(200, body));
        let texpo = client(&TestClock::new(), Some(script as _), "https://e.example", TexpoConfig::default());
        let failed = texpo.login("a", "b").await.err();
        assert!(matches!(failed, Some(Error::Reply { .. })), "{body}: {failed:?}");
    }
    let script = Script::new(|_| answer(200, r#"{"sessionId": 4711}"#));
    let texpo = client(&TestClock::new(), Some(script as _), "https://e.example", TexpoConfig::default());
    assert_eq!(texpo.login("a", "b").await.unwrap().access.as_str(), "4711");
    assert_eq!(format!("{:?}", tokens()), "Tokens(..)");
}

#[test]
fn a_configuration_that_cannot_work_names_its_field() {
    let field =
        |config: TexpoConfig| match try_client(&TestClock::new(), None, "https://expo.example", config) {
            Err(Error::Input { field, .. }) => field,
            other => panic!("{other:?}"),
        };
    let none = TexpoConfig::default;
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(field(TexpoConfig { network_id: some("a\nb"), ..none() }), "network_id");
    assert_eq!(field(TexpoConfig { network_id: some(""), ..none() }), "network_id");
    for bad in ["", "X Net", "X:Net", "Host", "x-session-id", "Authorization", "content-length"] {
        assert_eq!(field(TexpoConfig { network_header: some(bad), ..none() }), "network_header", "{bad}");
    }
    assert_eq!(field(TexpoConfig { rpc_prefix: some("../x"), ..none() }), "rpc_prefix");
    assert_eq!(field(TexpoConfig { auth_prefix: some("a?b"), ..none() }), "auth_prefix");
    assert_eq!(field(TexpoConfig { holder_prefix: some("a//b"), ..none() }), "holder_prefix");
    assert_eq!(field(TexpoConfig { user_auth_prefix: some("a b"), ..none() }), "user_auth_prefix");
    assert_eq!(field(TexpoConfig { holder_url: some("http://api.example"), ..none() }), "holder_url");
}
