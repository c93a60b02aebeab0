//! Signing in to Unidy: in the browser, by a code, and as what it must not be taken for.

use reqwest::redirect::Policy;
use ticket_wallet::WalletError;
use ticket_wallet::model::{AccountState, TicketFilter, UnidyGrant};
use ticket_wallet_sandbox::{Consent, Sandbox, SandboxConfig, UnidyChoices};
use url::Url;

use crate::brands::{end_user, partner};
use crate::phone::{Phone, TestClock, sandbox};

const CLIENT: &str = "app";

async fn consenting(consent: Consent) -> (TestClock, Sandbox, Phone) {
    let clock = TestClock::new();
    let unidy = UnidyChoices { consent, ..UnidyChoices::default() };
    let sandbox = sandbox(&clock, SandboxConfig { unidy, ..SandboxConfig::default() }).await;
    let phone = Phone::new(&clock);
    (clock, sandbox, phone)
}

async fn approving() -> (TestClock, Sandbox, Phone) {
    let (clock, sandbox, phone) = consenting(Consent::Ask).await;
    let user = sandbox.users()[0].name.clone();
    sandbox.set_unidy_choices(UnidyChoices { consent: Consent::Approve { user }, ..sandbox.unidy_choices() });
    (clock, sandbox, phone)
}

/// Where a browser is sent that opens this address.
async fn browse(url: &str) -> String {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    let reply = browser.get(url).send().await.unwrap();
    assert!(reply.status().is_redirection(), "{}", reply.status());
    reply.headers()["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_person_signs_in_through_the_browser_and_the_app_may_end_meanwhile() {
    let (_clock, sandbox, phone) = approving().await;
    let config = partner(&sandbox, "nord", CLIENT, UnidyGrant::AuthorizationCode);
    let begun = phone.wallet.begin_sign_in(config).await.unwrap();
    let asked: Vec<_> = Url::parse(&begun.url).unwrap().query_pairs().into_owned().collect();
    for name in ["state", "nonce", "code_challenge"] {
        assert!(asked.iter().any(|(given, value)| given == name && value.len() >= 43), "{name}");
    }
    assert!(asked.contains(&("code_challenge_method".to_owned(), "S256".to_owned())));
    let phone = phone.restart();
    let back = browse(&begun.url).await;
    let done = phone.wallet.complete_sign_in(back.clone()).await.unwrap();
    assert!(done.warnings.is_empty());
    assert_eq!(done.account.state, AccountState::SignedIn);
    assert_eq!(done.account.user_name, sandbox.users()[0].name);
    phone.wallet.sync(None).await.unwrap();
    assert!(!phone.tickets().is_empty());
    // Its answer counts once.
    let again = phone.wallet.complete_sign_in(back).await.unwrap_err();
    assert!(matches!(again, WalletError::InvalidInput { ref field, .. } if field == "redirect"), "{again}");
    // The session renews itself by its refresh token.
    sandbox.revoke_tokens().unwrap();
    phone.wallet.sync(None).await.unwrap();
}

#[tokio::test]
async fn the_implicit_flow_works_and_is_warned_of() {
    let (_clock, sandbox, phone) = approving().await;
    let begun =
        phone.wallet.begin_sign_in(partner(&sandbox, "nord", CLIENT, UnidyGrant::Implicit)).await.unwrap();
    let done = phone.wallet.complete_sign_in(browse(&begun.url).await).await.unwrap();
    assert_eq!(done.warnings.len(), 1);
    assert!(done.warnings[0].contains("implicit"));
    phone.wallet.sync(None).await.unwrap();
    assert!(!phone.wallet.tickets(TicketFilter::default()).unwrap().is_empty());
}

#[tokio::test]
async fn an_address_that_answers_nothing_begun_here_signs_nobody_in() {
    let (clock, sandbox, phone) = approving().await;
    let config = partner(&sandbox, "nord", CLIENT, UnidyGrant::AuthorizationCode);
    let begun = phone.wallet.begin_sign_in(config.clone()).await.unwrap();
    let back = browse(&begun.url).await;
    // Another phone's, a changed state, none, and no address at all.
    let stranger = Phone::new(&clock);
    let state =
        Url::parse(&back).unwrap().query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let changed = back.replace(&state, &state.to_uppercase());
    for (wallet, address) in [
        (&stranger.wallet, back.clone()),
        (&phone.wallet, changed),
        (&phone.wallet, back.split('?').next().unwrap().to_owned()),
        (&phone.wallet, "not an address".to_owned()),
    ] {
        let refused = wallet.complete_sign_in(address).await.unwrap_err();
        assert!(
            matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "redirect"),
            "{refused}"
        );
        assert!(wallet.accounts().unwrap().is_empty());
    }
    // One that was left for more than an hour.
    clock.pass_s(3_601);
    assert!(phone.wallet.complete_sign_in(back).await.is_err());
    // The person says no.
    sandbox.set_unidy_choices(UnidyChoices { consent: Consent::Deny, ..sandbox.unidy_choices() });
    let begun = phone.wallet.begin_sign_in(config).await.unwrap();
    let refused = phone.wallet.complete_sign_in(browse(&begun.url).await).await.unwrap_err();
    assert!(matches!(refused, WalletError::Cancelled { .. }), "{refused}");
}

#[tokio::test]
async fn a_code_that_comes_by_mail_signs_in() {
    let (_clock, sandbox, phone) = consenting(Consent::Ask).await;
    let (config, user) = (end_user(&sandbox, "nord"), sandbox.users()[0].name.clone());
    let asked = phone.wallet.request_code(config, user.clone()).await.unwrap();
    let phone = phone.restart();
    let wrong = phone.wallet.sign_in_with_code(asked.id.clone(), "000000".to_owned()).await.unwrap_err();
    assert!(matches!(wrong, WalletError::Refused { .. }), "{wrong}");
    let mail = sandbox.unidy_mails().pop().unwrap();
    assert_eq!((mail.to.as_str(), mail.kind.as_str()), (user.as_str(), "magic_code"));
    let account = phone.wallet.sign_in_with_code(asked.id.clone(), mail.secret).await.unwrap();
    assert_eq!(account.user_name, user);
    phone.wallet.sync(None).await.unwrap();
    let unknown = phone.wallet.sign_in_with_code(asked.id, "123456".to_owned()).await.unwrap_err();
    assert!(matches!(unknown, WalletError::NotFound { .. }), "{unknown}");
}

#[tokio::test]
async fn what_is_missing_in_a_configuration_is_named() {
    let (_clock, sandbox, phone) = consenting(Consent::Ask).await;
    let user = &sandbox.users()[0];
    let mut no_key = crate::brands::sign_in_to(&sandbox, "nord", 0);
    no_key.config.unidy.as_mut().unwrap().sdk_key = None;
    let mut zone = crate::brands::sign_in_to(&sandbox, "nord", 0);
    zone.config.unidy.as_mut().unwrap().time_zone = Some("Mars/Olympus".to_owned());
    let mut browser = crate::brands::sign_in_to(&sandbox, "nord", 0);
    browser.config = partner(&sandbox, "nord", CLIENT, UnidyGrant::AuthorizationCode);
    for (sign_in, named) in [(no_key, "sdk_key"), (zone, "time_zone"), (browser, "grant")] {
        let refused = phone.wallet.sign_in(sign_in).await.unwrap_err();
        assert!(
            matches!(refused, WalletError::InvalidInput { ref field, .. } if field == named),
            "{refused}"
        );
        assert!(!refused.to_string().contains(&user.password));
    }
    let mut config = partner(&sandbox, "nord", CLIENT, UnidyGrant::AuthorizationCode);
    config.unidy.as_mut().unwrap().redirect_uri = None;
    let refused = phone.wallet.begin_sign_in(config).await.unwrap_err();
    assert!(
        matches!(refused, WalletError::InvalidInput { ref field, .. } if field == "redirect_uri"),
        "{refused}"
    );
}
