//! A server that says back what it was sent, in every place of its answers.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use ticket_wallet::model::SignIn;

use crate::box_office::{BoxOffice, Lies};
use crate::phone::{Phone, TestClock};
use crate::scanner::Scanner;
use crate::tiny_server::{Answer, Asked};

/// A token as servers make them that do not use JWT: nothing tells it from an error's code.
const ACCESS: &str = "4f1d0e2c9b7a4f1d0e2c9b7a4f1d0e2c";
const REFRESH: &str = "refresh-7d5e1c3b9a";
const PASSWORD: &str = "Correct-Horse.7";
const STATUSES: [u16; 5] = [200, 400, 401, 409, 500];
const ENDPOINTS: [&str; 6] =
    ["/auth/login", "/auth/refresh", "/v1/ticket", "/organizer/", "/.well-known/", "/credentials"];

/// Everything that tells who asks, as it came in.
fn sent(asked: &Asked) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for (name, value) in &asked.headers {
        if ["authorization", "idempotency-key"].contains(&name.as_str()) {
            let bare = value.trim_start_matches("Bearer ").trim_matches('"');
            found.push(bare.to_owned());
        }
    }
    let body: Value = serde_json::from_slice(&asked.body).unwrap_or_default();
    found.extend(
        ["password", "refresh_token"].iter().filter_map(|name| Some(body[name].as_str()?.to_owned())),
    );
    found
}

/// A secret in every place from which something could be taken.
fn echo(status: u16, secret: &str) -> Vec<Answer> {
    let json = json!({
        "errorCode": secret, "error": secret, "type": secret, "message": secret, "title": secret, secret: secret,
    });
    let nested =
        json!({ "error": { "code": secret }, "errorCode": [secret], "type": format!("https://x/{secret}") });
    let answers = [
        Answer::ok(json.to_string()),
        Answer::ok(nested.to_string()),
        Answer::ok(
            json!({ "data": secret, "paging": secret, "version": secret, "base": secret }).to_string(),
        ),
        Answer::ok(json!([{ "problem": { "type": secret } }, { "problem": { "type": secret } }]).to_string()),
        Answer::ok(secret),
        Answer::ok("{}").with(&format!("Retry-After: {secret}")).with(&format!("Date: {secret}")),
        Answer::ok("{}").with(&format!("X-{}: {secret}", secret.replace('.', "-"))),
    ];
    answers.map(|answer| answer.of_status(status)).into()
}

#[tokio::test]
async fn what_a_server_says_back_is_not_said_on() {
    let mut seen = Scanner::default();
    let secrets = Arc::new(Mutex::new(vec![ACCESS.to_owned(), REFRESH.to_owned(), PASSWORD.to_owned()]));
    for endpoint in ENDPOINTS {
        for status in STATUSES {
            for kind in 0..echo(status, "x").len() {
                let noted = Arc::clone(&secrets);
                let lie = move |asked: &Asked| {
                    if asked.path.contains(endpoint) {
                        let sent = sent(asked);
                        noted.lock().unwrap().extend(sent.iter().cloned());
                        let secret = sent.last().map_or(ACCESS, String::as_str);
                        return Some(echo(status, secret).swap_remove(kind));
                    }
                    if asked.path.contains("/auth/") {
                        let tokens = json!({ "data": { "token": ACCESS, "refresh_token": REFRESH } });
                        return Some(Answer::ok(tokens.to_string()));
                    }
                    let renewing = endpoint == "/auth/refresh" && asked.path.contains("/v1/ticket");
                    renewing.then(|| Answer::status(401))
                };
                let office = BoxOffice::open(Lies { answer: Some(Box::new(lie)), ..Lies::default() });
                let phone = Phone::new(&TestClock::new());
                let what = format!("{status} of kind {kind} from {endpoint}");
                let sign_in = SignIn { password: PASSWORD.to_owned(), ..office.sign_in() };
                if seen.take(&what, phone.wallet.sign_in(sign_in).await).is_some() {
                    seen.take(&what, phone.wallet.sync(None).await);
                    for ticket in phone.tickets() {
                        seen.take(&what, phone.wallet.ticket(ticket.id.clone()));
                        seen.take(&what, phone.wallet.present(ticket.id, None));
                    }
                    seen.take(&what, phone.wallet.diagnose());
                }
            }
        }
    }
    let secrets = secrets.lock().unwrap().clone();
    assert!(secrets.iter().all(|secret| secret.len() >= 8));
    assert!(seen.len() > 200 && secrets.len() > 200, "{} {}", seen.len(), secrets.len());
    assert_eq!(seen.leaks(&secrets), Vec::<&str>::new());
}
