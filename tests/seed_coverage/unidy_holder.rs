//! Unidy's holder: the document's ticket through the encrypted store, metadata of every kind, the browser's ways of signing in.

use std::collections::BTreeSet;

use reqwest::redirect::Policy;
use serde_json::Value;
use ticket_wallet::model::{AccountState, NoBarcodeReason, TicketStatus, UnidyGrant};
use ticket_wallet_sandbox::Consent;

use crate::brands::partner;
use crate::phone::Phone;
use crate::run::{BRAND, Run, record, records, ticket_with};
use crate::seed_rows::{Kind, SEEDS};

/// The ticket of the document.
pub(crate) fn document() -> Value {
    let [example] = SEEDS[1].examples().try_into().unwrap();
    example
}

pub(crate) async fn keeps_the_documents_ticket_whole(run: &Run) {
    let document = document();
    let text = serde_json::to_string(&document).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), document);

    let (phone, _) = run.unidy_holder(0).await;
    let id = ticket_with(&phone, "id", document["id"].as_str().unwrap()).id;
    // Out of the encrypted store, after the app's end.
    let phone = phone.restart();
    let held = record(&phone, &id);
    let members: Vec<_> = SEEDS[1].rows().into_iter().filter(|row| row.kind == Kind::Member).collect();
    assert!(members.len() > 40);
    for member in members {
        let said = document.pointer(&member.id).unwrap();
        assert_eq!(held.pointer(&member.id), Some(said), "{}", member.id);
    }
    assert_eq!(held, document, "and nothing else");
    let ticket = phone.wallet.ticket(id).unwrap();
    let shown = ticket.summary;
    assert_eq!((shown.title.as_str(), shown.venue.as_deref()), ("24-25 Heimspiel", Some("Stadion")));
    assert_eq!((shown.status, ticket.no_barcode), (TicketStatus::Inactive, Some(NoBarcodeReason::NotUsable)));
    assert_eq!((shown.starts_at, shown.ends_at), (Some(1_723_314_600), Some(1_723_325_400)));
}

pub(crate) async fn keeps_metadata_of_every_kind(run: &Run) {
    let (phone, _) = run.unidy_holder(1).await;
    let records = records(&phone);
    let kind = |value: &Value| match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let kinds: BTreeSet<_> = records.iter().map(|(_, record)| kind(&record["metadata"])).collect();
    assert_eq!(kinds.len(), 6, "{kinds:?}");
    // The attributes that every ticket of the document has, whatever its metadata.
    for (ticket, record) in records {
        assert_eq!(record["title"].as_str(), Some(ticket.title.as_str()));
        for attribute in ["id", "state", "starts_at", "user_id", "ticket_category_id"] {
            assert!(record[attribute].is_string(), "{attribute} of {record}");
        }
    }
}

pub(crate) async fn signs_in_in_the_browser(run: &Run) {
    let phone = browser_sign_in(run, UnidyGrant::AuthorizationCode, 0).await;
    // The session is renewed by its own refresh token.
    run.sandbox.revoke_tokens().unwrap();
    phone.wallet.sync(None).await.unwrap();
}

pub(crate) async fn signs_in_by_the_implicit_flow(run: &Run) {
    browser_sign_in(run, UnidyGrant::Implicit, 1).await;
}

/// Signs a user in through the browser; the app's maker is warned so often.
pub(crate) async fn browser_sign_in(run: &Run, grant: UnidyGrant, warnings: usize) -> Phone {
    let user = run.sandbox.users()[0].name.clone();
    run.choose_unidy(|choices| choices.consent = Consent::Approve { user: user.clone() });
    let phone = Phone::new(&run.clock);
    let begun = phone.wallet.begin_sign_in(partner(&run.sandbox, BRAND, "app", grant)).await.unwrap();
    let reply = browse(&begun.url).await;
    let back = reply.headers()["location"].to_str().unwrap().to_owned();
    let done = phone.wallet.complete_sign_in(back).await.unwrap();
    assert_eq!((done.account.state, done.account.user_name), (AccountState::SignedIn, user));
    assert_eq!(done.warnings.len(), warnings, "{:?}", done.warnings);
    phone.wallet.sync(None).await.unwrap();
    assert!(!phone.tickets().is_empty());
    phone
}

/// What a browser gets at an address.
pub(crate) async fn browse(url: &str) -> reqwest::Response {
    let browser = reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap();
    browser.get(url).send().await.unwrap()
}
