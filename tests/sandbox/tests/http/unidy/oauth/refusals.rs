//! The authorization endpoint: requests that are refused.

use super::{VERIFIER, authorize, client, consenting, redirected};

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_not_the_clients() {
    let club = consenting().await;
    let app = client(&club, "app");
    let other = club.other().client("app").unwrap().client_id.clone();
    for (client_id, uri) in [
        (app.client_id.as_str(), "https://evil.example.org/"),
        (&app.client_id, &format!("{}/", app.redirect_uri)),
        (&app.client_id, &format!("{}?x", app.redirect_uri)),
        (&app.client_id, ""),
        ("x", &app.redirect_uri),
        (&other, &app.redirect_uri),
    ] {
        let query = [("client_id", client_id), ("redirect_uri", uri), ("response_type", "code")];
        let refused = authorize(&club, &query).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (400, ""), "{client_id} {uri}");
    }
}

#[tokio::test]
async fn other_faults_are_told_at_the_clients_address() {
    let club = consenting().await;
    let app = client(&club, "app");
    for (name, value, error) in [
        ("response_type", "code2", "unsupported_response_type"),
        ("response_type", "", "unsupported_response_type"),
        ("response_mode", "smoke", "invalid_request"),
        ("scope", "openid admin:write", "invalid_scope"),
        ("code_challenge_method", "S512", "invalid_request"),
        ("code_challenge", "short", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
    ] {
        let mut query = vec![
            ("client_id", app.client_id.as_str()),
            ("redirect_uri", &app.redirect_uri),
            ("response_type", "code"),
            ("scope", "openid"),
            ("state", "s"),
            ("code_challenge", VERIFIER),
        ];
        query.retain(|(known, _)| *known != name);
        query.push((name, value));
        let (base, answer) = redirected(&authorize(&club, &query).await);
        assert_eq!(base, app.redirect_uri);
        assert_eq!((answer["error"].as_str(), answer["state"].as_str()), (error, "s"), "{name}={value}");
    }
    let without = |extra: (&'static str, &'static str)| {
        [
            ("client_id", app.client_id.clone()),
            ("redirect_uri", app.redirect_uri.clone()),
            (extra.0, extra.1.to_owned()),
            ("scope", "tickets:read".to_owned()),
        ]
    };
    for (extra, error) in
        [(("response_type", "code"), "invalid_request"), (("response_type", "id_token"), "invalid_scope")]
    {
        let query = without(extra);
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(redirected(&authorize(&club, &query).await).1["error"], error);
    }
    let no_nonce = [
        ("client_id", app.client_id.as_str()),
        ("redirect_uri", &app.redirect_uri),
        ("response_type", "id_token"),
        ("scope", "openid"),
    ];
    assert_eq!(redirected(&authorize(&club, &no_nonce).await).1["error"], "invalid_request");
}
