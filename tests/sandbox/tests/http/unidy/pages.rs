//! Pages for people, faults, records and secrets.

use reqwest::Method;
use serde_json::{Value, json};
use ticket_wallet_sandbox::Fault;

use super::support::{Club, MIRA, answer, error, refusal};

#[tokio::test]
async fn pages_are_html_and_those_of_tickets_can_be_off() {
    let club = Club::start().await;
    for path in ["/tickets", "/dashboard/tickets", "/api-docs"] {
        let page = answer(club.request(Method::GET, path)).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(page.header("content-type").starts_with("text/html"));
        assert!(page.text.starts_with("<!doctype html>"));
    }
    club.choose(|choices| choices.pages = false);
    for (path, status) in [("/tickets", 404), ("/dashboard/tickets", 404), ("/api-docs", 200), ("/x", 404)] {
        assert_eq!(answer(club.request(Method::GET, path)).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn faults_strike_as_everywhere_and_speak_as_unidy() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    for (fault, status, name) in [
        (Fault::Unauthorized, 401, "unauthorized"),
        (Fault::TooMany { retry_after: "7".to_owned() }, 429, "too_many_requests"),
        (Fault::Unavailable { retry_after: "7".to_owned() }, 503, "unavailable"),
        (Fault::Gone, 410, "gone"),
    ] {
        club.world.fault("/tickets", fault);
        let struck = club.get(&jwt, "/tickets").await;
        assert_eq!(refusal(&struck), error(status, name));
        assert_eq!(struck.header("retry-after"), if matches!(status, 429 | 503) { "7" } else { "" });
        assert_eq!(struck.header("date"), "Fri, 15 Jan 2027 08:00:00 GMT");
    }
    let wrong_method = answer(club.sdk(Method::DELETE, "/tickets", Some(&jwt))).await;
    assert_eq!(refusal(&wrong_method), error(405, "method_not_allowed"));
}

#[tokio::test]
async fn everything_given_out_is_known_as_a_secret() {
    let club = Club::start().await;
    let session = club.session(MIRA).await;
    let secrets = club.world.sandbox.secrets();
    let known = |secret: &str| assert!(secrets.iter().any(|it| it == secret), "{secret}");
    [&session.jwt, &session.refresh_token, &club.brand.sdk_key].into_iter().for_each(|it| known(it));
    known(club.brand.client("shop").unwrap().client_secret.as_ref().unwrap());
    known(&club.password(MIRA));
    known("UNIDY-9170370910600530002161");
    known("1170370910600530002161");
    let shown = format!("{:?} {:?}", club.world.sandbox.unidy().unwrap(), club.world.sandbox.unidy_mails());
    assert!(secrets.iter().all(|secret| !shown.contains(secret.as_str())));
}

#[tokio::test]
async fn access_and_switches_are_told_over_http() {
    let club = Club::start().await;
    let told = club.world.get("", "/sandbox/unidy").await.json();
    assert_eq!(told, json!(club.world.sandbox.unidy().unwrap()));
    assert_eq!(told["brands"][1]["url"], format!("{}/unidy/west", club.world.sandbox.url()));
    let choices = club.world.get("", "/sandbox/unidy/choices").await.json();
    assert_eq!(choices, json!(club.world.sandbox.unidy_choices()));
    let url = format!("{}/sandbox/unidy", club.world.sandbox.url());
    let put =
        async |body: Value| answer(club.world.client.put(format!("{url}/choices")).json(&body)).await.status;
    assert_eq!(put(json!({"price": "string", "consent": {"approve": {"user": MIRA}}})).await, 204);
    assert_eq!(json!(club.world.sandbox.unidy_choices())["price"], "string");
    assert!(put(json!({"prize": "string"})).await.is_client_error());
    let jwt = club.jwt(MIRA).await;
    let id = club.ticket(&jwt, "LEGACY-1").await["id"].as_str().unwrap().to_owned();
    let ticket = format!("{url}/nord/tickets/{id}");
    let edit = club.world.client.patch(&ticket).json(&json!({"state": "blocked", "metadata": [1.5]}));
    assert_eq!(answer(edit).await.status, 204);
    let edited = club.ticket(&jwt, "LEGACY-1").await;
    assert_eq!((&edited["state"], &edited["metadata"]), (&json!("blocked"), &json!([1.5])));
    assert_eq!(answer(club.world.client.delete(&ticket)).await.status, 204);
    assert_eq!(answer(club.world.client.delete(&ticket)).await.status, 404);
    assert_eq!(club.get(&jwt, &format!("/tickets/{id}")).await.status, 404);
}

#[tokio::test]
async fn revoked_tokens_and_sessions_count_no_more() {
    let club = Club::start().await;
    let session = club.session(MIRA).await;
    let refresh = format!("/sign_ins/{}/refresh_token", session.sid);
    let body = json!({"refresh_token": session.refresh_token});
    club.world.sandbox.revoke_tokens().unwrap();
    assert_eq!(refusal(&club.get(&session.jwt, "/tickets").await), error(401, "invalid_id_token"));
    let again = club.open(&refresh, body).await.json();
    assert_eq!(club.get(again["jwt"].as_str().unwrap(), "/tickets").await.status, 200);
    club.world.sandbox.revoke_sessions().unwrap();
    let refused = club.open(&refresh, json!({"refresh_token": again["refresh_token"]})).await;
    assert_eq!(refusal(&refused), error(401, "refresh_token_revoked"));
}
