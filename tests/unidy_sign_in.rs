//! Promise: a person signs in to Unidy by password or code, stays signed in as long as the server lets them, and is told
//! why when it does not.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/club.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod club;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;

use club::{Club, Holder, refusal};
use ticket_wallet::error::Error;
use ticket_wallet::model::{UnidyApi, UnidyConfig};
use ticket_wallet::remote::unidy::{LoginOptions, Secret, SignInStatus, UnidyTicketQuery};
use ticket_wallet_sandbox::{ErrorForm, Fault, UnidyAccount};

const REFRESH: &str = "/refresh_token";
const FORMS: [ErrorForm; 4] = [ErrorForm::ByKind, ErrorForm::Identifier, ErrorForm::Details, ErrorForm::Both];

async fn list(holder: &Holder) -> Result<usize, Error> {
    let page = holder.unidy.tickets(&holder.session, &UnidyTicketQuery::default()).await;
    page.map(|page| page.tickets.len())
}

#[tokio::test]
async fn a_password_signs_in_step_by_step_and_in_one_go() {
    let club = Club::new().await;
    let unidy = club.unidy(club.sdk_config());
    let user = &club.sandbox.users()[0];
    let step = unidy.start(&user.name).await.unwrap();
    assert_eq!((&step.status, step.expired), (&SignInStatus::PendingVerification, false));
    assert_eq!(step.email.as_deref(), Some(user.name.as_str()));
    let options = LoginOptions { magic_link: true, password: true, ..LoginOptions::default() };
    assert_eq!((&step.login_options, step.brands.len()), (&options, 1));
    assert_eq!(format!("{step:?} {:?}", Secret::Password("hidden")), "SignInStep(..) Secret<'_>(..)");
    let tokens = unidy.authenticate(&step.sid, Secret::Password(&user.password)).await.unwrap();
    assert_eq!(tokens.session_id.as_ref(), Some(&step.sid));
    assert!(tokens.refresh.is_some());
    assert!(list(&Holder::new(unidy, tokens)).await.unwrap() > 0);
    assert!(list(&club.holder(1).await).await.unwrap() > 0);
}

#[tokio::test]
async fn a_code_signs_in_once_and_in_time() {
    let club = Club::new().await;
    let unidy = club.unidy(club.sdk_config());
    let email = club.email(0);
    let step = unidy.start(&email).await.unwrap();
    assert!(unidy.send_code(&step.sid).await.unwrap().is_some());
    assert_eq!(refusal(unidy.send_code(&step.sid).await).1, "magic_code_recently_created");
    let code = club.sandbox.unidy_mails().last().unwrap().secret.clone();
    let wrong = unidy.authenticate(&step.sid, Secret::Code("WRONG234")).await;
    assert_eq!(refusal(wrong), (401, "magic_code_not_valid".to_owned()));
    let tokens = unidy.authenticate(&step.sid, Secret::Code(&code)).await.unwrap();
    let again = unidy.authenticate(&step.sid, Secret::Code(&code)).await;
    assert_eq!(refusal(again), (401, "magic_code_used".to_owned()));
    assert!(list(&Holder::new(unidy, tokens)).await.unwrap() > 0);

    let unidy = club.unidy(club.sdk_config());
    let step = unidy.start(&email).await.unwrap();
    unidy.send_code(&step.sid).await.unwrap();
    let code = club.sandbox.unidy_mails().last().unwrap().secret.clone();
    club.clock.pass_s(700);
    let late = unidy.authenticate(&step.sid, Secret::Code(&code)).await;
    assert_eq!(refusal(late), (401, "magic_code_expired".to_owned()));
    club.clock.pass_s(3_000);
    assert_eq!(refusal(unidy.send_code(&step.sid).await), (401, "sign_in_expired".to_owned()));
}

#[tokio::test]
async fn refusals_are_typed_however_they_are_written() {
    for form in FORMS {
        let club = Club::new().await;
        club.choose(|choices| choices.errors = form);
        let unidy = club.unidy(club.sdk_config());
        let user = &club.sandbox.users()[0];
        assert_eq!(unidy.login(&user.name, "wrong").await.err(), Some(Error::BadPassword), "{form:?}");
        let unknown = "nobody@example.org";
        assert_eq!(unidy.login(unknown, &user.password).await.err(), Some(Error::BadPassword));
        assert_eq!(refusal(unidy.start(unknown).await), (404, "account_not_found".to_owned()));
        let strange = unidy.authenticate("no such/sid", Secret::Password(&user.password)).await;
        assert_eq!(refusal(strange), (404, "sign_in_not_found".to_owned()));
        let step = unidy.start(&user.name).await.unwrap();
        for (state, status, code) in [
            (UnidyAccount::Locked, 401, "account_locked"),
            (UnidyAccount::Unconfirmed, 422, "account_unconfirmed"),
            (UnidyAccount::Incomplete, 424, "missing_required_fields"),
            (UnidyAccount::Unconnected, 403, "brand_connection_required"),
        ] {
            club.sandbox.set_unidy_account(&club.brand.name, &user.name, state).unwrap();
            let refused = unidy.authenticate(&step.sid, Secret::Password(&user.password)).await;
            assert_eq!(refusal(refused), (status, code.to_owned()), "{form:?}");
            let refused = unidy.login(&user.name, &user.password).await;
            assert_eq!(refusal(refused), (status, code.to_owned()), "{form:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_key_is_no_wrong_password_and_the_partner_api_has_no_sign_in() {
    let club = Club::new().await;
    let unidy = club.unidy(UnidyConfig { sdk_key: Some("wrong".to_owned()), ..club.sdk_config() });
    let user = &club.sandbox.users()[0];
    assert_eq!(refusal(unidy.login(&user.name, &user.password).await), (401, "unauthorized".to_owned()));
    let partner = club.unidy(UnidyConfig { api: UnidyApi::Partner, ..club.sdk_config() });
    let before = club.sandbox.requests().len();
    let refused = partner.login(&user.name, &user.password).await.err();
    assert!(matches!(refused, Some(Error::Input { field: "api", .. })));
    assert_eq!(club.sandbox.requests().len(), before);
}

#[tokio::test]
async fn an_ended_token_costs_one_refresh_whether_or_not_it_is_replaced() {
    for rotate in [true, false] {
        let club = Club::new().await;
        club.choose(|choices| choices.rotate_refresh_tokens = rotate);
        let holder = club.holder(0).await;
        let first = list(&holder).await.unwrap();
        for renewals in 1..4 {
            club.clock.pass_s(3_700);
            assert_eq!(list(&holder).await, Ok(first));
            assert_eq!(club.count(REFRESH), renewals);
        }
        let kept = holder.kept.lock().unwrap().clone();
        let refresh = |at: usize| kept[at].as_ref().unwrap().refresh.clone();
        assert_eq!((kept.len(), refresh(0) == refresh(1)), (3, !rotate));
        assert!(kept.iter().all(|tokens| tokens.as_ref().unwrap().session_id.is_some()));
        // What was kept is enough to go on with.
        let resumed = Holder::new(club.unidy(club.sdk_config()), holder.last_kept().unwrap());
        club.clock.pass_s(3_700);
        assert_eq!(list(&resumed).await, Ok(first));
    }
}

#[tokio::test]
async fn a_token_that_ends_in_the_middle_of_a_list_is_renewed() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let page = |page| UnidyTicketQuery { page: Some(page), limit: Some(5), ..UnidyTicketQuery::default() };
    let first = holder.unidy.tickets(&holder.session, &page(1)).await.unwrap();
    club.clock.pass_s(3_700);
    let second = holder.unidy.tickets(&holder.session, &page(2)).await.unwrap();
    assert_eq!((first.tickets.len(), second.tickets.len(), club.count(REFRESH)), (5, 5, 1));
}

#[tokio::test]
async fn a_session_that_is_over_says_so_and_one_that_is_not_stays() {
    for form in FORMS {
        let club = Club::new().await;
        club.choose(|choices| choices.errors = form);
        let holder = club.holder(0).await;
        let user = club.email(0);
        // A locked account is not signed out: it may be unlocked.
        club.sandbox.set_unidy_account(&club.brand.name, &user, UnidyAccount::Locked).unwrap();
        club.clock.pass_s(3_700);
        assert_eq!(refusal(list(&holder).await), (401, "account_locked".to_owned()), "{form:?}");
        club.sandbox.set_unidy_account(&club.brand.name, &user, UnidyAccount::Active).unwrap();
        assert!(list(&holder).await.is_ok());
        // A refresh that fails for now ends nothing either.
        club.clock.pass_s(3_700);
        club.fault(REFRESH, 1, Fault::Unavailable { retry_after: "60".to_owned() });
        assert!(matches!(list(&holder).await, Err(Error::Status { status: 503, .. })));
        club.clock.pass_s(60);
        assert!(list(&holder).await.is_ok());

        let tokens = holder.last_kept().unwrap();
        holder.unidy.sign_out(&tokens).await.unwrap();
        holder.unidy.sign_out(&tokens).await.unwrap();
        assert_eq!(list(&holder).await, Err(Error::SignedOut), "{form:?}");
        assert!(holder.last_kept().is_none());
        let before = club.sandbox.requests().len();
        assert_eq!(list(&holder).await, Err(Error::SignedOut));
        assert_eq!(club.sandbox.requests().len(), before, "nothing more is sent");
    }
}

#[tokio::test]
async fn a_refresh_token_of_another_session_is_of_no_use() {
    let club = Club::new().await;
    let (one, other) = (club.holder(0).await, club.holder(0).await);
    for holder in [&one, &other] {
        club.clock.pass_s(3_700);
        list(holder).await.unwrap();
    }
    let (mut mixed, other) = (one.last_kept().unwrap(), other.last_kept().unwrap());
    mixed.session_id = other.session_id;
    let mixed = Holder::new(club.unidy(club.sdk_config()), mixed);
    club.clock.pass_s(3_700);
    assert_eq!(list(&mixed).await, Err(Error::SignedOut));
}
