//! Handing tickets to others.

use serde_json::{Value, json};

use super::support::{Club, JONAS, MIRA, error, refusal};

const NOBODY: &str = "freundin@example.org";

/// A club with both users signed in, and an active ticket of the first.
async fn world() -> (Club, String, String, String) {
    let club = Club::start().await;
    let (mira, jonas) = (club.jwt(MIRA).await, club.jwt(JONAS).await);
    let id = club.ticket(&mira, "NORD-000001").await["id"].as_str().unwrap().to_owned();
    (club, mira, jonas, id)
}

async fn offer(club: &Club, jwt: &str, id: &str, to: &str) -> Value {
    let offered = club.post(jwt, &format!("/tickets/{id}/transfer"), json!({"recipient_email": to})).await;
    assert_eq!(offered.status, 201, "{}", offered.text);
    offered.json()
}

fn path(offer: &Value, what: &str) -> String {
    format!("/ticket_transfers/{}/{what}", offer["token"].as_str().unwrap())
}

async fn count(club: &Club, jwt: &str, direction: &str) -> usize {
    club.get(jwt, "/ticket_transfers").await.json()[direction].as_array().unwrap().len()
}

#[tokio::test]
async fn an_offer_is_listed_on_both_sides_and_accepted() {
    let (club, mira, jonas, id) = world().await;
    let before = club.get(&mira, &format!("/tickets/{id}")).await.json();
    let offered = offer(&club, &mira, &id, "Jonas@Example.org").await;
    assert_eq!((&offered["status"], &offered["recipient_email"]), (&json!("pending"), &json!(JONAS)));
    assert_eq!((&offered["sender_email"], &offered["ticket"]), (&json!(MIRA), &before));
    assert_eq!(offered["created_at"], "2027-01-15T09:00:00.000+01:00");
    assert_eq!(offered["expires_at"], "2027-01-29T09:00:00.000+01:00");
    let lists = club.get(&jonas, "/ticket_transfers").await.json();
    assert_eq!(lists, json!({"incoming": [offered], "outgoing": []}));
    let lists = club.get(&mira, "/ticket_transfers").await.json();
    assert_eq!(lists, json!({"incoming": [], "outgoing": [offered]}));
    let mail = club.world.sandbox.unidy_mails().pop().unwrap();
    assert_eq!((mail.to.as_str(), mail.kind.as_str()), (JONAS, "ticket_transfer"));
    assert_eq!(json!(mail.secret), offered["token"]);
    club.world.pass(60);
    let accepted = club.post(&jonas, &path(&offered, "accept"), json!({})).await;
    assert_eq!(accepted.status, 200);
    assert_eq!(accepted.json()["status"], "accepted");
    let after = club.get(&jonas, &format!("/tickets/{id}")).await.json();
    assert_eq!((&after["id"], &after["title"]), (&before["id"], &before["title"]));
    assert_ne!(after["user_id"], before["user_id"]);
    assert_eq!(after["updated_at"], "2027-01-15T09:01:00.000+01:00");
    assert_eq!(club.get(&mira, &format!("/tickets/{id}")).await.status, 404);
    assert_eq!((count(&club, &mira, "outgoing").await, count(&club, &jonas, "incoming").await), (0, 0));
    club.choose(|choices| choices.ended_transfers = true);
    let ended = club.get(&mira, "/ticket_transfers").await.json();
    assert_eq!(ended["outgoing"][0]["status"], "accepted");
    let journal = club.world.sandbox.journal().unwrap();
    let told: Vec<_> =
        journal.iter().map(|it| (it.user.as_str(), it.kind.as_str(), it.subject.clone())).collect();
    let subject = format!("nord/{id}");
    assert_eq!(
        told,
        [(MIRA, "unidy.transfer.create", subject.clone()), (JONAS, "unidy.transfer.accept", subject)]
    );
}

#[tokio::test]
async fn offers_are_declined_and_cancelled_and_can_be_made_again() {
    let (club, mira, jonas, id) = world().await;
    for (jwt, what, status) in [(&jonas, "decline", "declined"), (&mira, "cancel", "canceled")] {
        let offered = offer(&club, &mira, &id, JONAS).await;
        let answered = club.post(jwt, &path(&offered, what), json!({})).await;
        assert_eq!((answered.status.as_u16(), &answered.json()["status"]), (200, &json!(status)));
        for again in ["accept", "decline"] {
            let refused = club.post(&jonas, &path(&offered, again), json!({})).await;
            assert_eq!(refusal(&refused), error(422, "transfer_not_pending"));
        }
    }
    assert_eq!(club.get(&mira, &format!("/tickets/{id}")).await.status, 200);
}

#[tokio::test]
async fn somebody_without_an_account_is_invited() {
    let (club, mira, _, id) = world().await;
    offer(&club, &mira, &id, NOBODY).await;
    let mail = club.world.sandbox.unidy_mails().pop().unwrap();
    assert_eq!((mail.to.as_str(), mail.kind.as_str()), (NOBODY, "invitation"));
}

#[tokio::test]
async fn offers_that_cannot_be_made_are_refused() {
    let (club, mira, jonas, id) = world().await;
    let ask = async |jwt: &str, id: &str, to: Value| {
        let refused =
            club.post(jwt, &format!("/tickets/{id}/transfer"), json!({"recipient_email": to})).await;
        let body = refused.json();
        let details = body["error_details"]["recipient_email"][0].as_str().map(str::to_owned);
        let name = details.unwrap_or_else(|| refusal(&refused).1);
        (refused.status.as_u16(), name)
    };
    assert_eq!(ask(&mira, "x", json!(JONAS)).await, error(404, "not_found"));
    assert_eq!(ask(&jonas, &id, json!(MIRA)).await, error(403, "not_ticket_owner"));
    assert_eq!(ask(&mira, &id, json!(MIRA)).await, error(422, "recipient_is_owner"));
    assert_eq!(ask(&mira, &id, json!(null)).await, error(422, "can't be blank"));
    assert_eq!(ask(&mira, &id, json!("jonas")).await, error(422, "is invalid"));
    for reference in ["OPEN-END-2", "OVER-3", "OPEN-1"] {
        let other = club.ticket(&mira, reference).await["id"].as_str().unwrap().to_owned();
        assert_eq!(ask(&mira, &other, json!(JONAS)).await, error(422, "ticket_not_active"), "{reference}");
    }
    club.choose(|choices| choices.mail = false);
    assert_eq!(ask(&mira, &id, json!(JONAS)).await, error(422, "offer_email_failed"));
    assert_eq!(ask(&mira, &id, json!(NOBODY)).await, error(422, "recipient_invite_failed"));
    assert_eq!(count(&club, &mira, "outgoing").await, 0);
    club.choose(|choices| (choices.mail, choices.transfers) = (true, false));
    assert_eq!(ask(&mira, &id, json!(JONAS)).await, error(403, "feature_disabled"));
    assert_eq!(refusal(&club.get(&mira, "/ticket_transfers").await), error(403, "feature_disabled"));
    club.choose(|choices| choices.transfers = true);
    let offered = offer(&club, &mira, &id, JONAS).await;
    assert_eq!(ask(&mira, &id, json!(NOBODY)).await, error(422, "transfer_already_pending"));
    club.post(&jonas, &path(&offered, "accept"), json!({})).await;
    assert_eq!(ask(&mira, &id, json!(NOBODY)).await, error(422, "ticket_already_transferred"));
}

#[tokio::test]
async fn answers_that_cannot_be_given_are_refused() {
    let (club, mira, jonas, id) = world().await;
    let offered = offer(&club, &mira, &id, NOBODY).await;
    let ask = async |jwt: &str, offer: &Value, what: &str| {
        refusal(&club.post(jwt, &path(offer, what), json!({})).await)
    };
    assert_eq!(ask(&jonas, &offered, "accept").await, error(403, "recipient_mismatch"));
    assert_eq!(ask(&mira, &offered, "decline").await, error(403, "recipient_mismatch"));
    assert_eq!(ask(&jonas, &offered, "cancel").await, error(403, "not_transfer_sender"));
    assert_eq!(ask(&jonas, &json!({"token": "x"}), "accept").await, error(404, "not_found"));
    club.post(&mira, &path(&offered, "cancel"), json!({})).await;
    let offered = offer(&club, &mira, &id, JONAS).await;
    let edit = |member: &str, value: Value| {
        let members = [(member.to_owned(), value)].into_iter().collect();
        assert!(club.world.sandbox.edit_unidy_ticket("nord", &id, &members).unwrap());
    };
    edit("state", json!("passive"));
    assert_eq!(ask(&jonas, &offered, "accept").await, error(422, "ticket_not_active"));
    edit("state", json!("active"));
    let owner = club.ticket(&jonas, "NORD-000001").await["user_id"].clone();
    edit("user_id", owner);
    assert_eq!(ask(&jonas, &offered, "accept").await, error(422, "ticket_already_transferred"));
    let other = club.ticket(&mira, "NORD-000002").await["id"].as_str().unwrap().to_owned();
    club.choose(|choices| choices.transfer_life_s = 60);
    let offered = offer(&club, &mira, &other, JONAS).await;
    club.world.pass(60);
    for (jwt, what) in [(&jonas, "accept"), (&jonas, "decline"), (&mira, "cancel")] {
        assert_eq!(ask(jwt, &offered, what).await, error(410, "transfer_expired"));
    }
    assert_eq!((count(&club, &mira, "outgoing").await, count(&club, &jonas, "incoming").await), (1, 1));
    offer(&club, &mira, &other, JONAS).await;
}
