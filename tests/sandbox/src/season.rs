//! The season: invented organizers, events and tickets, laid out around the time of the start.

mod catalogue;
mod orders;
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
    /// Who signs in as this organizer.
    pub(crate) staff: Vec<String>,
    pub(crate) organizer_id: i64,
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
        for user in &self.users {
            write_user(db, seed, &user.name, None)?;
        }
        for tenant in &self.tenants {
            for name in &tenant.staff {
                write_user(db, seed, name, Some(&tenant.name))?;
            }
            let name = service_account(&tenant.name);
            db.execute(
                "INSERT INTO user (name, password, kind, works_for) VALUES (?1, ?2, 'service', ?3)",
                (&name, password(seed, &name), &tenant.name),
            )?;
        }
        let catalogue = Catalogue::write(db, &self.tenants, now)?;
        TicketPlan { people: self, catalogue: &catalogue, seed, tickets_per_user, now }.write(db)
    }
}

/// Users' ids count from 1, holders of tickets first.
fn write_user(db: &Transaction<'_>, seed: u64, name: &str, works_for: Option<&str>) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO user (name, password, enrollment_id, works_for) VALUES (?1, ?2, ?3, ?4)",
        (name, password(seed, name), enrollment_id(seed, name), works_for),
    )?;
    Ok(())
}

/// The password of a user.
pub(crate) fn password(seed: u64, user: &str) -> String {
    hex::encode(&seeded::bytes(seed, &format!("password {user}"))[..8])
}

/// What a user signs in with at a third party.
pub(crate) fn external_token(seed: u64, user: &str) -> String {
    hex::encode(&seeded::bytes(seed, &format!("external {user}"))[..16])
}

/// What services of an organizer sign in as.
pub(crate) const SERVICE: &str = "event";

/// The account of a tenant's service.
pub(crate) fn service_account(tenant: &str) -> String {
    format!("{SERVICE}@{tenant}")
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
