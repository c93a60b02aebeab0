//! Promise: a Unidy ticket's document is fetched by its link alone, from nowhere that is not safe, and is what it says.
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
use std::time::Duration;

use club::{Club, Holder, NoTime, refusal};
use phone::TestClock;
use script::{Script, answer, header, redirect};
use serde_json::json;
use ticket_wallet::error::Error;
use ticket_wallet::host::HttpResponse;
use ticket_wallet::model::{SystemConfig, Tokens, UnidyApi, UnidyConfig};
use ticket_wallet::remote::Http;
use ticket_wallet::remote::unidy::{ExportFormat, ExportLink, Unidy, UnidyTicketQuery};
use ticket_wallet_sandbox::Fault;
use zeroize::Zeroizing;

async fn exportable(holder: &Holder, exportable: bool) -> String {
    let all = UnidyTicketQuery { limit: Some(250), ..UnidyTicketQuery::default() };
    let page = holder.unidy.tickets(&holder.session, &all).await.unwrap();
    page.tickets.into_iter().find(|ticket| ticket.exportable_to_wallet == Some(exportable)).unwrap().id
}

#[tokio::test]
async fn a_document_is_fetched_by_its_link_alone() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let (unidy, session) = (&holder.unidy, &holder.session);
    let id = exportable(&holder, true).await;
    for (format, begins) in [(ExportFormat::Pdf, "%PDF-"), (ExportFormat::PkPass, "PK")] {
        let link = unidy.export_link(session, &id, format).await.unwrap();
        assert_eq!((link.expires_in, link.format), (Some(300), format));
        assert_eq!(format!("{link:?}"), "ExportLink(..)");
        // The sandbox refuses credentials there.
        assert!(unidy.download(&link).await.unwrap().starts_with(begins.as_bytes()));
        club.clock.pass_s(301);
        assert_eq!(refusal(unidy.download(&link).await).0, 403, "expired");
    }
    let other = exportable(&holder, false).await;
    let refused = unidy.export_link(session, &other, ExportFormat::PkPass).await;
    assert_eq!(refusal(refused), (403, "wallet_export_not_available".to_owned()));
    let strange = unidy.export_link(session, "nothing", ExportFormat::Pdf).await;
    assert_eq!(refusal(strange), (404, "not_found".to_owned()));
    let partner = club.unidy(UnidyConfig { api: UnidyApi::Partner, ..club.sdk_config() });
    let refused = partner.export_link(session, &id, ExportFormat::Pdf).await.err();
    assert!(matches!(refused, Some(Error::Input { field: "api", .. })));
}

#[tokio::test]
async fn a_link_that_ends_before_it_is_fetched_is_asked_for_anew_once() {
    let club = Club::new().await;
    let holder = club.holder(0).await;
    let (unidy, session) = (&holder.unidy, &holder.session);
    let id = exportable(&holder, true).await;
    // The link's time passes while the first fetch is under way.
    club.fault("/unidy-files/", 1, Fault::LatencyMs(10_000));
    let pass = async {
        while !club.sandbox.requests().iter().any(|one| one.contains("/unidy-files/")) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        club.clock.pass_s(301);
    };
    let (fetched, ()) = tokio::join!(unidy.document(session, &id, ExportFormat::Pdf), pass);
    assert!(fetched.unwrap().starts_with(b"%PDF-"));
    assert_eq!(club.count("/export_link"), 2);
    // Links that always end at once are given up.
    club.choose(|choices| choices.export_life_s = 0);
    assert_eq!(refusal(unidy.document(session, &id, ExportFormat::Pdf).await).0, 403);
    assert_eq!(club.count("/export_link"), 4);
}

const BRAND: &str = "https://nord.unidy.example";

/// A brand whose answers are scripted.
fn scripted(brand: &str, script: &Arc<Script>) -> Holder {
    let clock = TestClock::new();
    let headers = vec![("x-device-id", "device-1".to_owned())];
    let http = Http::new(Some(Arc::clone(script) as _), Arc::new(clock.clone()), headers, Arc::new(NoTime));
    http.set_retry_policy(clock.policy());
    let unidy = UnidyConfig {
        sdk_key: Some("sdk-key".to_owned()),
        sdk_version: Some("wallet/1".to_owned()),
        ..UnidyConfig::default()
    };
    let config = SystemConfig { unidy: Some(unidy), ..SystemConfig::at(brand) };
    let secret = |text: &str| Zeroizing::new(text.to_owned());
    let tokens =
        Tokens { access: secret("id-token"), refresh: Some(secret("r")), session_id: Some(secret("s")) };
    Holder::new(Unidy::new(Arc::new(http), &config).unwrap(), tokens)
}

fn link(url: &str) -> ExportLink {
    ExportLink { url: Zeroizing::new(url.to_owned()), expires_in: None, format: ExportFormat::Pdf }
}

#[tokio::test]
async fn nothing_that_tells_who_asks_goes_along() {
    let script = Script::new(|request| match request.url.as_str() {
        "https://files.example/t.pdf" => redirect("https://store.example/t?key=1"),
        "https://store.example/t?key=1" => redirect("/final"),
        "https://store.example/final" => answer(200, "%PDF-1.7"),
        _ => answer(200, json!({ "url": "https://files.example/t.pdf", "expires_in": 60 }).to_string()),
    });
    let holder = scripted(BRAND, &script);
    let link = holder.unidy.export_link(&holder.session, "1", ExportFormat::Pdf).await.unwrap();
    assert_eq!(holder.unidy.download(&link).await.unwrap(), b"%PDF-1.7");
    let seen = script.seen();
    let asked = &seen[0];
    assert_eq!(header(asked, "authorization"), Some("Bearer sdk-key"));
    assert_eq!(header(asked, "x-id-token"), Some("id-token"));
    assert_eq!(header(asked, "sdk-version"), Some("wallet/1"));
    assert_eq!(header(asked, "accept"), Some("application/json"));
    assert_eq!(seen.len(), 4);
    for fetched in &seen[1..] {
        assert!(fetched.headers.is_empty() && fetched.body.is_none());
        assert_eq!(fetched.max_reply_bytes, 16 << 20);
    }
}

#[tokio::test]
async fn links_lead_to_safe_places_only() {
    for (brand, url, safe) in [
        (BRAND, "https://files.example/t.pdf", true),
        (BRAND, "/exports/t.pdf", true),
        (BRAND, "http://files.example/t.pdf", false),
        (BRAND, "http://127.0.0.1:8080/t.pdf", false),
        (BRAND, "http://localhost/t.pdf", false),
        (BRAND, "file:///etc/passwd", false),
        (BRAND, "ftp://files.example/t.pdf", false),
        (BRAND, "https://user:secret@files.example/t.pdf", false),
        (BRAND, "javascript:alert(1)", false),
        ("http://127.0.0.1:8080/unidy/nord", "http://127.0.0.1:8081/t.pdf", true),
        ("http://127.0.0.1:8080/unidy/nord", "http://files.example/t.pdf", false),
    ] {
        let body = json!({ "url": url }).to_string();
        let script = Script::new(move |_| answer(200, body.clone()));
        let holder = scripted(brand, &script);
        let found = holder.unidy.export_link(&holder.session, "1", ExportFormat::Pdf).await;
        assert_eq!(found.is_ok(), safe, "{url}");
        let unsafe_reply = |error: &Error| matches!(error, Error::Reply { field, .. } if field == "url");
        assert!(found.err().is_none_or(|error| unsafe_reply(&error)), "{url}");
        // Nor is one followed that was kept from somewhere else, or that a redirect names.
        let to = url.to_owned();
        let script = Script::new(move |request| {
            if request.url == "https://first.example/" { redirect(&to) } else { answer(200, "%PDF-1.7") }
        });
        let holder = scripted(brand, &script);
        assert_eq!(holder.unidy.download(&link("https://first.example/")).await.is_ok(), safe, "{url}");
        assert_eq!(script.seen().len(), if safe { 2 } else { 1 });
        assert_eq!(holder.unidy.download(&link(url)).await.is_ok(), safe);
    }
}

#[tokio::test]
async fn what_is_no_document_is_not_taken_for_one() {
    let download = async |format, response: HttpResponse| {
        let script = Script::new(move |_| response.clone());
        let holder = scripted(BRAND, &script);
        holder.unidy.download(&ExportLink { format, ..link("https://files.example/t") }).await
    };
    let pdf = ExportFormat::Pdf;
    assert!(download(pdf, answer(200, "\u{feff}\n%PDF-1.7")).await.is_ok());
    assert!(download(ExportFormat::PkPass, answer(200, "PK\u{3}\u{4}...")).await.is_ok());
    for (format, body) in
        [(pdf, "<html>sign in</html>"), (pdf, ""), (pdf, "PK\u{3}\u{4}"), (ExportFormat::PkPass, "%PDF-1.7")]
    {
        let found = download(format, answer(200, body)).await;
        assert!(matches!(found, Err(Error::Reply { field, .. }) if field == "body"), "{body}");
    }
    assert_eq!(refusal(download(pdf, answer(404, "%PDF-1.7")).await).0, 404);
    assert_eq!(refusal(download(pdf, answer(302, "%PDF-1.7")).await).0, 302, "without a location");
    let found = download(pdf, redirect("https://files.example/again")).await;
    assert!(matches!(found, Err(Error::Reply { field, .. }) if field == "location"));
    let too_large = download(pdf, answer(200, vec![b'%'; (16 << 20) + 1])).await;
    assert!(matches!(too_large, Err(Error::Network { .. })));
}
