//! Promise: a sign-in through the browser is taken only from the server that was asked and for the person who asked, and
//! lasts as long as its server renews it.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/club.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod club;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

use std::sync::Arc;

use club::{Club, Holder, NoTime, refusal};
use phone::TestClock;
use script::{Script, answer, header};
use serde_json::{Value, json};
use ticket_wallet::WalletError;
use ticket_wallet::error::Error;
use ticket_wallet::host::{HttpRequest, HttpResponse};
use ticket_wallet::model::{
    IdTokenFault, OAuthError, SystemConfig, Tokens, UnidyApi, UnidyConfig, UnidyGrant,
};
use ticket_wallet::remote::unidy::oauth::{AuthorizationRequest, OAuthSignIn, OAuthWarning};
use ticket_wallet::remote::unidy::{Unidy, UnidyTicketQuery};
use ticket_wallet::remote::{Http, Request};
use ticket_wallet_sandbox::{Consent, IdTokenAlgorithm, TokenBody};

/// Opens an address as the person's browser does, and gives the one that it is sent on to.
async fn browse(club: &Club, url: &str) -> String {
    let http = Http::new(None, Arc::new(club.clock.clone()), vec![], Arc::new(NoTime));
    let reply = http.send(Request::get(url.parse().unwrap(), "GET page")).await.unwrap();
    assert_eq!(reply.status, 302);
    reply.location().unwrap().to_owned()
}

fn approve(club: &Club, user: usize) {
    club.choose(|choices| choices.consent = Consent::Approve { user: club.email(user) });
}

async fn sign_in(club: &Club, unidy: &Unidy) -> Result<OAuthSignIn, Error> {
    let pending = unidy.begin_sign_in().await?;
    let back = browse(club, pending.url.as_str()).await;
    unidy.complete_sign_in(&back, &pending, club.now_s()).await
}

async fn list(holder: &Holder) -> Result<usize, Error> {
    let page = holder.unidy.tickets(&holder.session, &UnidyTicketQuery::default()).await;
    page.map(|page| page.tickets.len())
}

#[tokio::test]
async fn a_person_signs_in_in_the_browser_with_every_kind_of_app_and_server() {
    for (client, algorithm, token_form) in [
        ("app", IdTokenAlgorithm::Rs256, false),
        ("app", IdTokenAlgorithm::Es256, true),
        ("shop", IdTokenAlgorithm::Rs256, true),
        ("shop", IdTokenAlgorithm::Es256, false),
    ] {
        let club = Club::new().await;
        approve(&club, 1);
        club.choose(|choices| {
            choices.id_token_algorithm = algorithm;
            choices.token_body = if token_form { TokenBody::Form } else { TokenBody::Json };
        });
        let unidy = club.unidy(UnidyConfig { token_form, ..club.oauth_config(client) });
        let signed_in = sign_in(&club, &unidy).await.unwrap();
        let claims = signed_in.claims.as_ref().unwrap();
        assert_eq!(claims.email, Some(club.email(1)));
        assert_eq!((signed_in.expires_in, signed_in.warning), (Some(7200), None));
        assert_eq!(format!("{signed_in:?} {claims:?}"), "OAuthSignIn(..) IdClaims(..)");
        assert!(signed_in.tokens.refresh.is_some() && signed_in.tokens.session_id.is_none());
        // The partner API shows a person their own tickets.
        let owner = Some(claims.subject.clone());
        let holder = Holder::new(unidy, signed_in.tokens);
        let page = holder.unidy.tickets(&holder.session, &UnidyTicketQuery::default()).await.unwrap();
        assert!(page.tickets.len() > 5 && page.tickets.iter().all(|ticket| ticket.user_id == owner));
        // The other form of requests is refused by its name.
        let wrong = club.unidy(UnidyConfig { token_form: !token_form, ..club.oauth_config(client) });
        assert_eq!(refusal(sign_in(&club, &wrong).await), (400, "invalid_request".to_owned()));
    }
}

#[tokio::test]
async fn a_session_is_renewed_as_the_server_does_it() {
    for (client, rotate) in [("app", true), ("app", false), ("shop", true), ("shop", false)] {
        let club = Club::new().await;
        approve(&club, 0);
        club.choose(|choices| choices.rotate_refresh_tokens = rotate);
        let unidy = club.unidy(club.oauth_config(client));
        let tokens = sign_in(&club, &unidy).await.unwrap().tokens;
        let first = tokens.refresh.clone();
        let holder = Holder::new(unidy, tokens);
        for renewals in 1..3 {
            club.clock.pass_s(7_300);
            assert!(list(&holder).await.is_ok());
            assert_eq!(holder.kept.lock().unwrap().len(), renewals);
        }
        assert_eq!(holder.last_kept().unwrap().refresh == first, !rotate);
    }
}

#[tokio::test]
async fn an_app_that_may_not_renew_without_a_secret_is_signed_out() {
    let club = Club::new().await;
    approve(&club, 0);
    let unidy = club.unidy(club.oauth_config("app"));
    let holder =
        Holder::new(club.unidy(club.oauth_config("app")), sign_in(&club, &unidy).await.unwrap().tokens);
    club.choose(|choices| choices.refresh_without_secret = false);
    assert!(list(&holder).await.is_ok());
    club.clock.pass_s(7_300);
    assert_eq!(list(&holder).await, Err(Error::SignedOut));
    // With a secret that is wrong by now, the session is not at fault.
    let shop = club.oauth_config("shop");
    let tokens = sign_in(&club, &club.unidy(shop.clone())).await.unwrap().tokens;
    let wrong = UnidyConfig { client_secret: Some("changed".to_owned()), ..shop };
    let holder = Holder::new(club.unidy(wrong), tokens);
    club.clock.pass_s(7_300);
    assert_eq!(refusal(list(&holder).await), (401, "invalid_client".to_owned()));
    assert!(holder.kept.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_renewal_that_is_refused_ends_the_session_and_one_that_fails_does_not() {
    let club = Club::new().await;
    approve(&club, 0);
    let unidy = club.unidy(club.oauth_config("app"));
    let mut tokens = sign_in(&club, &unidy).await.unwrap().tokens;
    let holder = Holder::new(club.unidy(club.oauth_config("app")), tokens.clone());
    club.clock.pass_s(7_300);
    let unavailable = ticket_wallet_sandbox::Fault::Unavailable { retry_after: "60".to_owned() };
    club.fault("/oauth/token", 1, unavailable);
    assert!(matches!(list(&holder).await, Err(Error::Status { status: 503, .. })));
    club.clock.pass_s(60);
    assert!(list(&holder).await.is_ok());
    // The first refresh token was replaced: whoever still has it is nobody.
    let late = Holder::new(club.unidy(club.oauth_config("app")), tokens.clone());
    assert_eq!(list(&late).await, Err(Error::SignedOut));
    tokens.refresh = None;
    let without = Holder::new(unidy, tokens);
    assert_eq!(list(&without).await, Err(Error::SignedOut));
}

#[tokio::test]
async fn the_implicit_flow_works_and_warns() {
    for algorithm in [IdTokenAlgorithm::Rs256, IdTokenAlgorithm::Es256] {
        let club = Club::new().await;
        approve(&club, 1);
        club.choose(|choices| choices.id_token_algorithm = algorithm);
        let config = UnidyConfig { grant: Some(UnidyGrant::Implicit), ..club.oauth_config("app") };
        let unidy = club.unidy(config.clone());
        let signed_in = sign_in(&club, &unidy).await.unwrap();
        assert_eq!(signed_in.warning, Some(OAuthWarning::ImplicitFlow));
        assert!(OAuthWarning::ImplicitFlow.advice().contains("authorization code"));
        assert_eq!(
            (signed_in.claims.unwrap().email, signed_in.expires_in),
            (Some(club.email(1)), Some(7200))
        );
        assert!(signed_in.tokens.refresh.is_none());
        assert_eq!(club.count("/oauth/token"), 0);
        let holder = Holder::new(unidy, signed_in.tokens);
        assert!(list(&holder).await.is_ok());
        club.clock.pass_s(7_300);
        assert_eq!(list(&holder).await, Err(Error::SignedOut), "it cannot be renewed");
        // Without openid there is nobody to name.
        let scopes = vec!["tickets:read".to_owned()];
        let unidy = club.unidy(UnidyConfig { scopes, ..config });
        assert!(sign_in(&club, &unidy).await.unwrap().claims.is_none());
    }
}

#[tokio::test]
async fn an_answer_to_another_sign_in_is_not_taken_and_a_code_counts_once() {
    let club = Club::new().await;
    approve(&club, 0);
    let unidy = club.unidy(club.oauth_config("app"));
    let (one, other) = (unidy.begin_sign_in().await.unwrap(), unidy.begin_sign_in().await.unwrap());
    assert!(one.state != other.state && one.nonce != other.nonce && one.code_verifier != other.code_verifier);
    let back = browse(&club, one.url.as_str()).await;
    let complete = async |back: &str, pending: &AuthorizationRequest| {
        unidy.complete_sign_in(back, pending, club.now_s()).await
    };
    assert_eq!(complete(&back, &other).await.err(), Some(Error::OAuth(OAuthError::State)));
    // A code that was stolen is of no use without its verifier.
    let stolen = AuthorizationRequest { code_verifier: other.code_verifier.clone(), ..one.clone() };
    assert_eq!(refusal(complete(&back, &stolen).await), (400, "invalid_grant".to_owned()));
    // An identity that was given for another sign-in is not this one's.
    let mixed = AuthorizationRequest { nonce: other.nonce.clone(), ..one.clone() };
    let nonce = Error::OAuth(OAuthError::IdToken(IdTokenFault::Nonce));
    assert_eq!(complete(&back, &mixed).await.err(), Some(nonce));
    assert_eq!(refusal(complete(&back, &one).await), (400, "invalid_grant".to_owned()), "used");
    let back = browse(&club, other.url.as_str()).await;
    assert!(complete(&back, &other).await.is_ok());
}

#[tokio::test]
async fn refusals_and_mistakes_are_told_apart() {
    let club = Club::new().await;
    club.choose(|choices| choices.consent = Consent::Deny);
    for grant in [UnidyGrant::AuthorizationCode, UnidyGrant::Implicit] {
        let unidy = club.unidy(UnidyConfig { grant: Some(grant), ..club.oauth_config("app") });
        let denied = sign_in(&club, &unidy).await.err().unwrap();
        assert_eq!(denied, Error::OAuth(OAuthError::Denied { code: "access_denied".to_owned() }));
        assert!(matches!(WalletError::from(denied), WalletError::Cancelled { .. }));
    }
    let scopes = vec!["openid".to_owned(), "admin:write".to_owned()];
    let unidy = club.unidy(UnidyConfig { scopes, ..club.oauth_config("app") });
    let refused = WalletError::from(sign_in(&club, &unidy).await.err().unwrap());
    let WalletError::Refused { server_code, .. } = refused else { panic!("{refused:?}") };
    assert_eq!(server_code.as_deref(), Some("invalid_scope"));
    for (config, expected) in [
        (UnidyConfig { client_id: None, ..club.oauth_config("app") }, "client_id"),
        (UnidyConfig { client_id: Some(String::new()), ..club.oauth_config("app") }, "client_id"),
        (UnidyConfig { redirect_uri: None, ..club.oauth_config("app") }, "redirect_uri"),
        (UnidyConfig { redirect_uri: Some("x".to_owned()), ..club.oauth_config("app") }, "redirect_uri"),
        (UnidyConfig { redirect_uri: Some("a:/#b".to_owned()), ..club.oauth_config("app") }, "redirect_uri"),
        (UnidyConfig { grant: Some(UnidyGrant::ClientCredentials), ..club.oauth_config("app") }, "grant"),
    ] {
        let found = club.unidy(config).begin_sign_in().await.err();
        assert!(
            matches!(found, Some(Error::Input { field, .. }) if field == expected),
            "{expected} {found:?}"
        );
    }
    let public = club.unidy(club.oauth_config("app")).client_credentials().await.err();
    assert!(matches!(public, Some(Error::Input { field: "client_secret", .. })));
    let wrong = UnidyConfig { client_secret: Some("wrong".to_owned()), ..club.oauth_config("partner") };
    let refused = club.unidy(wrong).client_credentials().await;
    assert_eq!(refusal(refused), (401, "invalid_client".to_owned()));
}

const BRAND: &str = "https://nord.unidy.example";

fn described() -> Value {
    json!({
        "issuer": BRAND,
        "authorization_endpoint": format!("{BRAND}/oauth/authorize"),
        "token_endpoint": format!("{BRAND}/oauth/token"),
    })
}

/// A brand whose answers are scripted: its description, then what its other endpoints say.
fn scripted(
    description: Value,
    answers: impl Fn(&HttpRequest) -> HttpResponse + Send + Sync + 'static,
) -> (Unidy, Arc<Script>) {
    let script = Script::new(move |request| {
        if request.url.ends_with("/.well-known/openid-configuration") {
            answer(200, description.to_string())
        } else {
            answers(request)
        }
    });
    let clock = TestClock::new();
    let http = Http::new(Some(Arc::clone(&script) as _), Arc::new(clock.clone()), vec![], Arc::new(NoTime));
    http.set_retry_policy(clock.policy());
    let unidy = UnidyConfig {
        api: UnidyApi::Partner,
        client_id: Some("app".to_owned()),
        client_secret: Some("secret".to_owned()),
        redirect_uri: Some("app:/back".to_owned()),
        ..UnidyConfig::default()
    };
    let config = SystemConfig { unidy: Some(unidy), ..SystemConfig::at(BRAND) };
    (Unidy::new(Arc::new(http), &config).unwrap(), script)
}

/// Completes a sign-in with an answer of the script's server.
async fn complete(unidy: &Unidy, more: &str) -> Result<OAuthSignIn, Error> {
    let pending = unidy.begin_sign_in().await?;
    let back = format!("app:/back?code=c&state={}{more}", *pending.state);
    unidy.complete_sign_in(&back, &pending, 1_000).await
}

fn fault(outcome: Result<OAuthSignIn, Error>) -> OAuthError {
    match outcome.err() {
        Some(Error::OAuth(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_description_cannot_lead_secrets_elsewhere() {
    for field in ["issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"] {
        for address in ["http://evil.example/x", "http://127.0.0.1/x", "javascript:x"] {
            let mut description = described();
            description[field] = json!(address);
            let (unidy, script) = scripted(description, |_| answer(200, "{}"));
            let refused = unidy.begin_sign_in().await.err();
            assert_eq!(refused, Some(Error::OAuth(OAuthError::Address { field })), "{address}");
            let refused = unidy.client_credentials().await.err();
            assert_eq!(refused, Some(Error::OAuth(OAuthError::Address { field })), "{address}");
            assert!(script.seen().iter().all(|request| request.body.is_none()), "no secret left");
        }
    }
    let (unidy, _) = scripted(json!({}), |_| answer(200, "{}"));
    let refused = WalletError::from(unidy.begin_sign_in().await.err().unwrap());
    assert!(matches!(refused, WalletError::Unreachable { .. }));
    let mut plain = described();
    plain["code_challenge_methods_supported"] = json!(["plain"]);
    let (unidy, _) = scripted(plain, |_| answer(200, "{}"));
    let refused = unidy.begin_sign_in().await.err();
    assert_eq!(refused, Some(Error::OAuth(OAuthError::NotOffered { what: "PKCE with S256" })));
    let mut without = described();
    without["grant_types_supported"] = json!(["authorization_code"]);
    let (unidy, _) = scripted(without, |_| answer(200, "{}"));
    let refused = unidy.client_credentials().await.err();
    assert_eq!(refused, Some(Error::OAuth(OAuthError::NotOffered { what: "client credentials" })));
}

#[tokio::test]
async fn an_answer_of_another_server_is_not_taken() {
    let (unidy, script) = scripted(described(), |_| answer(200, r#"{"access_token": "a", "scope": "x"}"#));
    assert!(complete(&unidy, &format!("&iss={BRAND}")).await.unwrap().claims.is_none());
    let before = script.seen().len();
    assert_eq!(fault(complete(&unidy, "&iss=https://west.unidy.example").await), OAuthError::Issuer);
    let mut pending = unidy.begin_sign_in().await.unwrap();
    pending.issuer = "https://west.unidy.example".to_owned();
    let back = format!("app:/back?code=c&state={}", *pending.state);
    let refused = unidy.complete_sign_in(&back, &pending, 1_000).await;
    assert_eq!(fault(refused), OAuthError::Issuer);
    assert_eq!(script.seen().len(), before, "the code was given to nobody");
    let input = WalletError::from(Error::OAuth(OAuthError::Issuer));
    assert!(matches!(input, WalletError::InvalidInput { field, .. } if field == "redirect"));
    let mut named = described();
    named["authorization_response_iss_parameter_supported"] = json!(true);
    let (unidy, _) = scripted(named, |_| answer(200, r#"{"access_token": "a", "scope": "x"}"#));
    assert_eq!(fault(complete(&unidy, "").await), OAuthError::Issuer);
}

#[tokio::test]
async fn replies_of_the_token_endpoint_are_read_tolerantly_and_checked() {
    let with = async |body: &str| {
        let body = body.to_owned();
        let (unidy, _) = scripted(described(), move |_| answer(200, body.clone()));
        complete(&unidy, "").await
    };
    let plain =
        with(r#"{"access_token": "a", "token_type": "bearer", "scope": "tickets:read", "new": []}"#).await;
    let plain = plain.unwrap();
    assert_eq!((plain.tokens.access.as_str(), plain.expires_in, plain.tokens.refresh), ("a", None, None));
    // An identity was asked for, and the server did not say that it gives none.
    let missing = OAuthError::IdToken(IdTokenFault::Missing);
    assert_eq!(fault(with(r#"{"access_token": "a"}"#).await), missing);
    assert_eq!(fault(with(r#"{"access_token": "a", "scope": "openid"}"#).await), missing);
    let form = OAuthError::IdToken(IdTokenFault::Form);
    assert_eq!(fault(with(r#"{"access_token": "a", "id_token": "x.y.z"}"#).await), form);
    for body in
        ["[]", "{}", r#"{"access_token": ""}"#, r#"{"access_token": 7}"#, r#"{"access_token": "a\nb"}"#]
    {
        let found = with(body).await.err();
        assert!(matches!(found, Some(Error::Reply { field, .. }) if field == "access_token"), "{body}");
    }
    let mac = with(r#"{"access_token": "a", "token_type": "mac"}"#).await.err();
    assert!(matches!(mac, Some(Error::Reply { field, .. }) if field == "token_type"));
}

#[tokio::test]
async fn the_token_request_has_what_it_needs_and_no_more() {
    for token_form in [false, true] {
        let reply = || answer(200, r#"{"access_token": "a", "scope": "x"}"#);
        let (_, script) = scripted(described(), move |_| reply());
        let http =
            Http::new(Some(Arc::clone(&script) as _), Arc::new(TestClock::new()), vec![], Arc::new(NoTime));
        let unidy = UnidyConfig {
            api: UnidyApi::Partner,
            client_id: Some("app".to_owned()),
            redirect_uri: Some("app:/back?a=1&b=2".to_owned()),
            token_form,
            ..UnidyConfig::default()
        };
        let config = SystemConfig { unidy: Some(unidy), ..SystemConfig::at(BRAND) };
        let unidy = Unidy::new(Arc::new(http), &config).unwrap();
        let pending = unidy.begin_sign_in().await.unwrap();
        let back = format!("app:/back?a=1&b=2&code=c%26d&state={}", *pending.state);
        let signed_in = unidy.complete_sign_in(&back, &pending, 1_000).await.unwrap();
        assert!(signed_in.claims.is_none());
        let seen = script.seen();
        let asked = seen.last().unwrap();
        let body = std::str::from_utf8(asked.body.as_deref().unwrap()).unwrap();
        let kind = header(asked, "content-type").unwrap();
        let sent: Vec<(String, String)> = if token_form {
            assert_eq!(kind, "application/x-www-form-urlencoded");
            url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
        } else {
            assert_eq!(kind, "application/json");
            let body: serde_json::Map<String, Value> = serde_json::from_str(body).unwrap();
            body.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect()
        };
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair("grant_type", "authorization_code"),
            pair("code", "c&d"),
            pair("redirect_uri", "app:/back?a=1&b=2"),
            pair("code_verifier", &pending.code_verifier),
            pair("client_id", "app"),
        ];
        assert_eq!(sent, expected);
        assert_eq!(header(asked, "authorization"), None);
    }
}

/// Keys that are replaced are asked for again, and only then.
#[tokio::test]
async fn new_keys_are_fetched_when_a_token_needs_them() {
    let club = Club::new().await;
    approve(&club, 0);
    let unidy = club.unidy(club.oauth_config("app"));
    for signed_in in 1..4 {
        sign_in(&club, &unidy).await.unwrap();
        assert_eq!((club.count("/oauth/jwks"), club.count("/oauth/token")), (1, signed_in));
    }
    assert_eq!(club.count("/.well-known/openid-configuration"), 1);
    // A set without the key that a token names is asked for each time, and nothing more.
    let mut description = described();
    description["jwks_uri"] = json!(format!("{BRAND}/keys"));
    // {"alg":"ES256","kid":"k"} and no claims.
    let id_token = "eyJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.e30.AA";
    let token = json!({ "access_token": "a", "id_token": id_token }).to_string();
    let (unidy, script) = scripted(description, move |request| {
        if request.url.ends_with("/keys") {
            answer(200, r#"{"keys": []}"#)
        } else {
            answer(200, token.clone())
        }
    });
    for asked in 1..3 {
        assert_eq!(fault(complete(&unidy, "").await), OAuthError::IdToken(IdTokenFault::Key));
        let keys = script.seen().into_iter().filter(|request| request.url.ends_with("/keys"));
        let keys: Vec<_> = keys.collect();
        assert!(keys.len() == asked && keys.iter().all(|request| request.headers.is_empty()));
    }
}

#[test]
fn tokens_and_pending_sign_ins_show_nothing() {
    let tokens = Tokens {
        access: "access".to_owned().into(),
        refresh: Some("refresh".to_owned().into()),
        session_id: Some("session".to_owned().into()),
    };
    let config = UnidyConfig { client_secret: Some("hidden".to_owned()), ..UnidyConfig::default() };
    let system = SystemConfig { unidy: Some(config), ..SystemConfig::at(BRAND) };
    let shown = format!("{tokens:?} {system:?}");
    for secret in ["access", "refresh", "session", "hidden"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
