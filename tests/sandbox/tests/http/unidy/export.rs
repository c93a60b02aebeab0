//! Tickets as files.

use serde_json::json;

use super::support::{Club, JONAS, MIRA, answer, error, refusal};

const PDF: &str = "application/pdf";
const PASS: &str = "application/vnd.apple.pkpass";

#[tokio::test]
async fn a_link_leads_to_a_file_without_credentials_until_it_expires() {
    let club = Club::start().await;
    let jwt = club.jwt(MIRA).await;
    let id = club.ticket(&jwt, "2604417003-1").await;
    let id = club.get(&jwt, "/tickets?payment_state=paid&limit=250").await.json()["results"]
        .as_array()
        .unwrap()
        .iter()
        .find(|it| it["reference"] == id["reference"])
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    for (format, kind, starts) in [("pdf", PDF, b"%PDF-1.4"), ("pkpass", PASS, b"PK\x03\x04\x14\0\0\0")] {
        let link = club.post(&jwt, &format!("/tickets/{id}/export_link"), json!({"format": format})).await;
        assert_eq!((link.status.as_u16(), &link.json()["expires_in"]), (200, &json!(300)));
        let url = link.json()["url"].as_str().unwrap().to_owned();
        assert!(!url.starts_with(&club.brand.url), "{url}");
        let file = club.world.client.get(&url).send().await.unwrap();
        assert_eq!((file.status().as_u16(), &file.headers()["content-type"]), (200, &kind.parse().unwrap()));
        let bytes = file.bytes().await.unwrap();
        assert!(bytes.starts_with(starts));
        let said = String::from_utf8_lossy(&bytes).into_owned();
        assert!(said.contains("FC Nordhafen 1909"), "{said}");
        assert_eq!(said.contains("UNIDY-9170370910600530002161"), format == "pkpass");
        for header in ["authorization", "x-id-token"] {
            assert_eq!(answer(club.world.client.get(&url).header(header, "Bearer x")).await.status, 400);
        }
        club.world.pass(300);
        assert_eq!(answer(club.world.client.get(&url)).await.status, 403);
        assert_eq!(answer(club.world.client.get(url.replace(format, "exe"))).await.status, 404);
    }
}

#[tokio::test]
async fn exports_that_cannot_be_are_refused() {
    let club = Club::start().await;
    let (mira, jonas) = (club.jwt(MIRA).await, club.jwt(JONAS).await);
    let id = club.ticket(&mira, "LEGACY-1").await["id"].as_str().unwrap().to_owned();
    let path = format!("/tickets/{id}/export_link");
    let no_pass = club.post(&mira, &path, json!({"format": "pkpass"})).await;
    assert_eq!(refusal(&no_pass), error(403, "wallet_export_not_available"));
    assert_eq!(club.post(&mira, &path, json!({"format": "pdf"})).await.status, 200);
    let other = club.post(&mira, &path, json!({"format": "docx"})).await;
    let details = json!({"error_details": {"format": ["is not included in the list"]}});
    assert_eq!((other.status.as_u16(), other.json()), (422, details));
    assert_eq!(club.post(&mira, &path, json!({})).await.status, 422);
    assert_eq!(club.post(&jonas, &path, json!({"format": "pdf"})).await.status, 404);
    assert_eq!(club.open(&path, json!({"format": "pdf"})).await.status, 401);
}
