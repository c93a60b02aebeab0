//! Signing in with the SDK API.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::UnidyAccount;

use super::support::{Club, JONAS, MIRA, Session, answer, error, refusal};

fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let body = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

#[tokio::test]
async fn a_password_signs_in_at_once_or_in_two_steps() {
    let club = Club::start().await;
    let created = club.open("/sign_ins", json!({"email": "Mira@Example.org"})).await;
    assert_eq!(created.status, 201);
    let body = created.json();
    assert_eq!((&body["status"], &body["email"]), (&json!("pending_verification"), &json!(MIRA)));
    assert_eq!((&body["expired"], &body["brands"]), (&json!(false), &json!(["nord"])));
    assert_eq!(body["login_options"]["password"], true);
    let path = format!("/sign_ins/{}/authenticate", body["sid"].as_str().unwrap());
    let wrong = club.open(&path, json!({"password": "x"})).await;
    assert_eq!(refusal(&wrong), error(401, "invalid_password"));
    let right = club.open(&path, json!({"password": club.password(MIRA)})).await;
    assert_eq!(right.status, 201);
    let session = Session::read(&right.json());
    assert_eq!(json!(session.sid), body["sid"]);
    let at_once = json!({"email": MIRA, "password": club.password(MIRA)});
    let at_once = club.open("/sign_ins", at_once).await;
    assert_eq!(at_once.status, 201);
    assert_ne!(Session::read(&at_once.json()).jwt, session.jwt);
    let claims = claims(&session.jwt);
    assert_eq!((&claims["iss"], &claims["sid"]), (&json!(club.brand.url), &json!(session.sid)));
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!(MIRA), &json!(true)));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3600);
    assert_eq!((&claims["iat"], &claims["auth_time"]), (&json!(club.world.now()), &json!(club.world.now())));
    assert_eq!((&claims["aud"], claims["sub"].is_string()), (&json!("nord-sdk"), true));
}

#[tokio::test]
async fn a_code_comes_by_mail_and_counts_once() {
    let club = Club::start().await;
    let sent = club.open("/sign_ins", json!({"email": JONAS, "sendMagicCode": true})).await;
    assert_eq!((sent.status.as_u16(), &sent.json()["enable_resend_after"]), (201, &json!(60_000)));
    let sid = sent.json()["sid"].as_str().unwrap().to_owned();
    let (again, prove) =
        (format!("/sign_ins/{sid}/send_magic_code"), format!("/sign_ins/{sid}/authenticate"));
    let soon = club.open(&again, json!({})).await;
    assert_eq!(refusal(&soon), error(422, "magic_code_recently_created"));
    let code = |number: usize| json!({"code": club.world.sandbox.unidy_mails()[number].secret});
    assert_eq!(club.world.sandbox.unidy_mails()[0].to, JONAS);
    club.world.pass(60);
    assert_eq!(club.open(&again, json!({})).await.status, 201);
    let wrong = club.open(&prove, json!({"code": "AAAAAAAA"})).await;
    assert_eq!(refusal(&wrong), error(401, "magic_code_not_valid"));
    assert_eq!(club.open(&prove, code(0)).await.status, 201);
    assert_eq!(refusal(&club.open(&prove, code(0)).await), error(401, "magic_code_used"));
    club.world.pass(600);
    assert_eq!(refusal(&club.open(&prove, code(1)).await), error(401, "magic_code_expired"));
    club.world.pass(3000);
    assert_eq!(refusal(&club.open(&prove, code(1)).await), error(401, "sign_in_expired"));
}

#[tokio::test]
async fn accounts_in_other_states_get_no_further() {
    let club = Club::start().await;
    let proof = json!({"email": MIRA, "password": club.password(MIRA)});
    for (state, status, name) in [
        (UnidyAccount::Locked, 401, "account_locked"),
        (UnidyAccount::Unconfirmed, 422, "account_unconfirmed"),
        (UnidyAccount::Incomplete, 424, "missing_required_fields"),
        (UnidyAccount::Unconnected, 403, "brand_connection_required"),
    ] {
        assert!(club.world.sandbox.set_unidy_account("nord", MIRA, state).unwrap());
        let refused = club.open("/sign_ins", proof.clone()).await;
        assert_eq!(refusal(&refused), error(status, name));
        let meta = &refused.json()["meta"];
        assert_eq!(meta["sid"].is_string(), matches!(status, 424 | 403), "{meta}");
        assert_eq!(meta["fields"].is_object(), status == 424, "{meta}");
    }
    let path = format!("/sandbox/unidy/nord/accounts/{MIRA}");
    let url = format!("{}{path}", club.world.sandbox.url());
    let active = club.world.client.put(url).json(&json!({"state": "active"}));
    assert_eq!(answer(active).await.status, 204);
    assert_eq!(club.open("/sign_ins", proof).await.status, 201);
    let unknown = club.open("/sign_ins", json!({"email": "nobody@example.org"})).await;
    assert_eq!(refusal(&unknown), error(404, "account_not_found"));
    let no_sid = club.open("/sign_ins/0/authenticate", json!({"password": "x"})).await;
    assert_eq!(refusal(&no_sid), error(404, "sign_in_not_found"));
    let no_email = club.open("/sign_ins", json!({})).await;
    assert_eq!(
        (no_email.status.as_u16(), &no_email.json()["error_details"]["email"]),
        (422, &json!(["can't be blank"]))
    );
    let no_json = club.sdk(Method::POST, "/sign_ins", None).body("{");
    assert_eq!(answer(no_json).await.status, 400);
}

#[tokio::test]
async fn refreshing_gives_new_tokens_until_signing_out() {
    let club = Club::start().await;
    let first = club.session(MIRA).await;
    let refresh = format!("/sign_ins/{}/refresh_token", first.sid);
    let with = |token: &str| json!({"refresh_token": token});
    let second = Session::read(&club.open(&refresh, with(&first.refresh_token)).await.json());
    assert_ne!((&second.jwt, &second.refresh_token), (&first.jwt, &first.refresh_token));
    let spent = club.open(&refresh, with(&first.refresh_token)).await;
    assert_eq!(refusal(&spent), error(401, "refresh_token_revoked"));
    let unknown = club.open(&refresh, with("x")).await;
    assert_eq!(refusal(&unknown), error(401, "invalid_refresh_token"));
    let nowhere = club.open("/sign_ins/0/refresh_token", with(&second.refresh_token)).await;
    assert_eq!(refusal(&nowhere), error(404, "sign_in_not_found"));
    club.choose(|choices| choices.rotate_refresh_tokens = false);
    let third = Session::read(&club.open(&refresh, with(&second.refresh_token)).await.json());
    assert_eq!(third.refresh_token, second.refresh_token);
    assert_eq!(club.get(&third.jwt, "/tickets").await.status, 200);
    let out = format!("/sign_ins/{}/sign_out", first.sid);
    assert_eq!(refusal(&club.open(&out, json!({})).await), error(401, "missing_id_token"));
    assert_eq!(refusal(&club.post("x", &out, json!({})).await), error(401, "invalid_id_token"));
    assert_eq!(club.post(&third.jwt, &out, json!({})).await.status, 204);
    assert_eq!(refusal(&club.post(&third.jwt, &out, json!({})).await), error(404, "sign_in_not_found"));
    assert_eq!(refusal(&club.get(&third.jwt, "/tickets").await), error(401, "invalid_id_token"));
    let revoked = club.open(&refresh, with(&third.refresh_token)).await;
    assert_eq!(refusal(&revoked), error(401, "refresh_token_revoked"));
}

#[tokio::test]
async fn signing_out_everywhere_ends_the_other_sign_ins() {
    let club = Club::start().await;
    let (here, there, other) = (club.session(MIRA).await, club.session(MIRA).await, club.jwt(JONAS).await);
    let out = format!("/sign_ins/{}/sign_out", here.sid);
    assert_eq!(club.post(&here.jwt, &out, json!({"globalLogout": true})).await.status, 204);
    assert_eq!(club.get(&there.jwt, "/tickets").await.status, 401);
    assert_eq!(club.get(&other, "/tickets").await.status, 200);
}
