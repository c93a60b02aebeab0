//! What the sandbox tells about requests, and the secrets that it knows.

use serde_json::json;
use ticket_wallet_sandbox::{BamChoices, Fault, IssueEnd, RecordedRequest};

use crate::support::World;

#[tokio::test]
async fn requests_are_recorded_without_the_values_of_their_bodies() {
    let world = World::start().await;
    let token = world.token().await;
    world.get(&token, "/v1/ticket?with=%5Bsector%5D&format=PDF&x=").await;
    let path = "/t/nordhafen/event/v1/ticket/1/ticket_holder";
    world.post(&token, path, json!({"response": {"shirt": "M", "guests": [{"name": "Zoë"}]}})).await;
    world.fault("nothing/here", Fault::Reset);
    assert!(world.open_lost("/nothing/here").await);
    let recorded = world.sandbox.recorded();
    let told: Vec<_> =
        recorded.iter().map(|seen| (seen.method.as_str(), seen.path.as_str(), seen.status)).collect();
    let login = "/account/v1/auth/login";
    assert_eq!(
        told,
        [("POST", login, 200), ("GET", "/v1/ticket", 200), ("POST", path, 200), ("GET", "/nothing/here", 0)]
    );
    assert_eq!(recorded[0].body, ["/username", "/password"]);
    let pairs: Vec<_> =
        recorded[1].query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(pairs, [("with", "[sector]"), ("format", "PDF"), ("x", "")]);
    let members =
        ["/response", "/response/shirt", "/response/guests", "/response/guests/0/name"].map(str::to_owned);
    assert_eq!(recorded[2].body, members);
    let over_http: Vec<RecordedRequest> =
        serde_json::from_value(world.get("", "/sandbox/recorded").await.json()).unwrap();
    assert_eq!(over_http, recorded);
}

#[tokio::test]
async fn every_secret_is_told() {
    let world = World::start().await;
    let before = world.sandbox.secrets();
    assert!(world.sandbox.users().iter().all(|user| before.contains(&user.password)));
    let (token, refresh) = world.sign_in(0).await;
    let after = world.sandbox.secrets();
    assert!(after.contains(&token) && after.contains(&refresh));
    assert_eq!(world.get("", "/sandbox/secrets").await.json(), json!(after));
}

#[tokio::test]
async fn choices_are_read_and_set() {
    let world = World::start_with(|config| config.bam.issue = IssueEnd::Never).await;
    let told = world.get("", "/sandbox/bam").await.json();
    assert_eq!(
        (&told["issue"], &told["ids_key"], &told["organizer_prefix"]),
        (&json!("never"), &json!("ids"), &json!("event/v1"))
    );
    let choices = json!({"issue": {"after_seconds": 5}, "ids_key": "ticket_ids"});
    assert_eq!(world.put("/sandbox/bam", choices).await.status, 204);
    let set = world.sandbox.bam_choices();
    assert_eq!(set.issue, IssueEnd::AfterSeconds(5));
    world.sandbox.set_bam_choices(BamChoices::default());
    assert_eq!(world.get("", "/sandbox/bam").await.json(), json!(BamChoices::default()));
    assert_eq!(world.put("/sandbox/bam", json!({"no_such": true})).await.status, 422);
}
