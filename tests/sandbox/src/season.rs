//! The season: invented organizers, events and tickets, laid out around the time of the start.

mod catalogue;
mod tickets;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use serde::Deserialize;

use crate::seeded;

pub(crate) use catalogue::Catalogue;
pub(crate) use tickets::TicketPlan;

/// What `season.json` holds.
#[derive(Debug, Deserialize)]
pub(crate) struct Plan {
    pub(crate) users: Vec<Person>,
    companions: Vec<Person>,
    pub(crate) tenants: Vec<Tenant>,
}

/// A user, who signs in by `name`, or somebody a ticket is made out to.
#[derive(Debug, Deserialize)]
pub(crate) struct Person {
    #[serde(default)]
    pub(crate) name: String,
    first_name: String,
    last_name: String,
    street: String,
    zip: String,
    city: String,
    country: String,
}

/// An organizer with a host of its own.
#[derive(Debug, Deserialize)]
pub(crate) struct Tenant {
    pub(crate) name: String,
    organizer_id: i64,
    title: String,
    venue: String,
    pub(crate) extension: bool,
    sectors: Vec<Sector>,
    configs: Vec<Config>,
    events: Vec<Event>,
}

#[derive(Debug, Deserialize)]
struct Sector {
    name: String,
    code: u16,
    capacity: u32,
    seated: bool,
}

#[derive(Debug, Deserialize)]
struct Config {
    name: String,
    description: String,
    ticket_type: String,
    face_value: f64,
}

/// An event on the n-th day after the start; times of day are UTC.
#[derive(Debug, Deserialize)]
struct Event {
    name: String,
    description: String,
    day: i64,
    start: String,
    minutes: i64,
    sectors: bool,
    #[serde(default)]
    timeslots: Vec<Timeslot>,
}

#[derive(Debug, Deserialize)]
struct Timeslot {
    name: String,
    start: String,
    minutes: i64,
    capacity: u32,
}

impl Plan {
    /// Reads the plan that is part of the program.
    pub(crate) fn load() -> serde_json::Result<Self> {
        serde_json::from_str(include_str!("season/season.json"))
    }

    /// Fills the empty tables. `now` is when the season starts.
    pub(crate) fn fill(
        &self,
        db: &Transaction<'_>,
        seed: u64,
        tickets_per_user: usize,
        now: DateTime<Utc>,
    ) -> rusqlite::Result<()> {
        for (id, user) in (1_i64..).zip(&self.users) {
            db.execute(
                "INSERT INTO user (id, name, password, enrollment_id) VALUES (?1, ?2, ?3, ?4)",
                (id, &user.name, password(seed, &user.name), enrollment_id(seed, &user.name)),
            )?;
        }
        let catalogue = Catalogue::write(db, &self.tenants, now)?;
        TicketPlan { people: self, catalogue: &catalogue, seed, tickets_per_user, now }.write(db)
    }
}

/// The password of a user.
pub(crate) fn password(seed: u64, user: &str) -> String {
    hex::encode(&seeded::bytes(seed, &format!("password {user}"))[..8])
}

fn enrollment_id(seed: u64, user: &str) -> String {
    seeded::uuid(seed, &format!("enrollment {user}"))
}

/// Midnight before `now`, moved on by days and a time of day (`hh:mm`).
fn moment(now: DateTime<Utc>, day: i64, time_of_day: &str) -> DateTime<Utc> {
    let (hours, minutes) = time_of_day.split_once(':').unwrap_or((time_of_day, "0"));
    let minutes = hours.parse().unwrap_or(0) * 60 + minutes.parse::<i64>().unwrap_or(0);
    let midnight = now.timestamp() - now.timestamp().rem_euclid(86_400);
    let start = DateTime::from_timestamp(midnight, 0).unwrap_or_default();
    start + TimeDelta::days(day) + TimeDelta::minutes(minutes)
}
