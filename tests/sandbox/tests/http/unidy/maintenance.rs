//! The maintenance job.

use serde_json::{Value, json};

use super::support::{Club, MIRA};

/// A club whose ID tokens last for a year.
async fn world() -> (Club, String) {
    let club = Club::start_with(|config| config.unidy.id_token_life_s = 31_536_000).await;
    let jwt = club.jwt(MIRA).await;
    (club, jwt)
}

async fn state(club: &Club, jwt: &str, reference: &str) -> (String, String) {
    let ticket = club.ticket(jwt, reference).await;
    let text = |name: &str| ticket[name].as_str().unwrap().to_owned();
    (text("state"), text("updated_at"))
}

fn is(state: &str, updated_at: &str) -> (String, String) {
    (state.to_owned(), updated_at.to_owned())
}

#[tokio::test]
async fn tickets_with_an_end_are_made_inactive_at_the_next_quarter() {
    // It is 09:00 at the club; the ticket ends at 09:01.
    let (club, jwt) = world().await;
    let before = state(&club, &jwt, "OVER-1").await;
    assert_eq!(before.0, "active");
    club.world.pass(14 * 60 + 59);
    assert_eq!(state(&club, &jwt, "OVER-1").await, before, "shown as active though it is over");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "OVER-1").await, is("inactive", "2027-01-15T09:15:00.000+01:00"));
    assert_eq!(state(&club, &jwt, "OVER-2").await.0, "passive");
    let active = club.get(&jwt, "/tickets?state=active&limit=250").await.text;
    assert!(!active.contains("OVER-1"));
}

#[tokio::test]
async fn the_job_does_not_look_back_at_what_it_left_alone() {
    let (club, jwt) = world().await;
    club.world.pass(900);
    let ticket = club.ticket(&jwt, "OVER-1").await;
    let id = ticket["id"].as_str().unwrap();
    let again = json!({"state": "active"}).as_object().unwrap().clone();
    assert!(club.world.sandbox.edit_unidy_ticket("nord", id, &again).unwrap());
    club.world.pass(899);
    assert_eq!(state(&club, &jwt, "OVER-1").await.0, "active");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "OVER-1").await, is("inactive", "2027-01-15T09:30:00.000+01:00"));
}

#[tokio::test]
async fn tickets_without_an_end_are_made_inactive_at_midnight() {
    let (club, jwt) = world().await;
    club.world.pass(15 * 3600 - 1);
    assert_eq!(state(&club, &jwt, "OPEN-END-1").await.0, "active");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "OPEN-END-1").await, is("inactive", "2027-01-16T00:00:00.000+01:00"));
    assert_eq!(state(&club, &jwt, "OPEN-END-2").await.0, "passive");
    assert_eq!(state(&club, &jwt, "LEGACY-1").await.0, "active", "it starts in twelve days");
}

#[tokio::test]
async fn midnight_moves_with_the_clocks() {
    let (club, jwt) = world().await;
    // To 23:59:59 on 28 March, when summer time began, and on 31 October, when it ended.
    club.world.pass(6_271_199);
    assert_eq!(state(&club, &jwt, "DST-2").await.0, "active");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "DST-2").await, is("inactive", "2027-03-29T00:00:00.000+02:00"));
    club.world.pass(18_752_399);
    assert_eq!(state(&club, &jwt, "DST-4").await.0, "active");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "DST-4").await, is("inactive", "2027-11-01T00:00:00.000+01:00"));
    let dst_3 = state(&club, &jwt, "DST-3").await;
    assert_eq!(dst_3, is("inactive", "2027-10-31T02:30:00.000+01:00"), "the second half past two");
    assert_eq!(state(&club, &jwt, "ZONE-1").await.0, "active");
}

#[tokio::test]
async fn what_the_documents_leave_open_is_switched() {
    let (club, jwt) = world().await;
    club.choose(|choices| choices.passive_expires = true);
    club.world.pass(900);
    assert_eq!(state(&club, &jwt, "OVER-2").await.0, "inactive");
    club.choose(|choices| choices.time_zone = "America/New_York".to_owned());
    // 06:00 on the sixteenth at the club is midnight in New York.
    club.world.pass(21 * 3600 - 901);
    assert_eq!(state(&club, &jwt, "OPEN-END-1").await.0, "active");
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "OPEN-END-1").await, is("inactive", "2027-01-16T00:00:00.000-05:00"));
    let (club, jwt) = world().await;
    club.choose(|choices| choices.raster_minutes = 60);
    club.world.pass(3599);
    assert_eq!(state(&club, &jwt, "OVER-1").await.0, "active");
    club.choose(|choices| choices.maintenance = false);
    club.world.pass(1);
    assert_eq!(state(&club, &jwt, "OVER-1").await.0, "active");
    let (club, jwt) = world().await;
    club.world.pass(40 * 86_400);
    let tickets = club.tickets(&jwt).await;
    let late: Vec<&Value> = tickets.iter().filter(|it| it["state"] == "active").collect();
    assert!(late.iter().all(|it| it["reference"] != "LEGACY-2"), "many runs at once");
    assert_eq!(state(&club, &jwt, "LEGACY-2").await, is("inactive", "2027-01-29T21:00:00.000+01:00"));
}
