//! The tickets of every user: dealt over all events, the soonest first, with odd ones among them.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::{CachedStatement, Transaction, params};
use serde_json::json;

use super::catalogue::{Catalogue, Listed, ListedSector};
use super::orders::{self, Bought};
use super::{Person, Plan};
use crate::moment::timestamp;
use crate::seeded;

/// Each user's ticket of this number has a status that no client knows yet.
const ODD_STATUS: (usize, &str) = (15, "under_review");
/// Each user's ticket of this number has a format that no client knows yet.
const ODD_FORMAT: (usize, &str) = (18, "NFC");

/// So many days before the season all of its tickets were ordered.
const ORDERED_DAYS: i64 = 21;

const INSERT: &str =
    "INSERT INTO ticket (tenant, id, owner_id, ticket_config_id, sector_id, timeslot_id, seq_num,
    status, kyc_status, seat_id, format, blockchain_id, holder, updated_at, order_item_id)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'not_required', ?9, ?10, ?11, ?12, ?13, ?2)";

/// Whose tickets for what.
#[derive(Debug)]
pub(crate) struct TicketPlan<'a> {
    pub(super) people: &'a Plan,
    pub(super) catalogue: &'a Catalogue,
    pub(super) seed: u64,
    pub(super) tickets_per_user: usize,
    pub(super) now: DateTime<Utc>,
}

/// Numbers that count up while tickets are written.
#[derive(Default)]
struct Counters {
    /// Per tenant: ids.
    ids: HashMap<String, i64>,
    /// Per tenant and ticket config: sequence numbers.
    sequence: HashMap<(String, i64), i64>,
}

fn next<K: std::hash::Hash + Eq>(counters: &mut HashMap<K, i64>, key: K) -> i64 {
    let counter = counters.entry(key).or_default();
    *counter += 1;
    *counter
}

impl TicketPlan<'_> {
    /// Writes the tickets of all users.
    pub(super) fn write(&self, db: &Transaction<'_>) -> rusqlite::Result<()> {
        let events = &self.catalogue.events;
        let mut counters = Counters::default();
        let mut insert = db.prepare_cached(INSERT)?;
        for (user, person) in (0..).zip(&self.people.users) {
            for number in 0..self.tickets_per_user {
                let deal = Deal { user, number, round: number / events.len() };
                let event = &events[number % events.len()];
                self.write_one(db, &mut insert, &mut counters, deal, event, person)?;
            }
        }
        orders::write_offers(db, self.now)
    }

    fn write_one(
        &self,
        db: &Transaction<'_>,
        insert: &mut CachedStatement<'_>,
        counters: &mut Counters,
        deal: Deal,
        event: &Listed,
        owner: &Person,
    ) -> rusqlite::Result<()> {
        let id = next(&mut counters.ids, event.tenant.clone());
        let config = deal.pick(&event.configs).copied().unwrap_or(1);
        let sequence = next(&mut counters.sequence, (event.tenant.clone(), config));
        let sector = deal.pick(&event.sectors);
        let label = format!("ticket {} {id}", event.tenant);
        insert.execute(params![
            event.tenant,
            id,
            deal.user + 1,
            config,
            sector.map(|sector| sector.id),
            deal.pick(&event.timeslots),
            sequence,
            deal.status(),
            sector.and_then(|sector| self.seat(sector, &label)),
            deal.format(),
            format!("E{}TC{config}T{sequence}", event.id),
            self.holder(id, deal, owner, &label),
            timestamp(self.now - TimeDelta::minutes(i64::from(5 + seeded::below(self.seed, &label, 28_800)))),
        ])?;
        orders::write_item(db, &self.bought(event, deal), id, config)
    }

    fn bought<'a>(&self, event: &'a Listed, deal: Deal) -> Bought<'a> {
        Bought {
            tenant: &event.tenant,
            owner_id: i64::from(deal.user) + 1,
            format: deal.format(),
            at: self.now - TimeDelta::days(ORDERED_DAYS),
        }
    }

    fn seat(&self, sector: &ListedSector, label: &str) -> Option<String> {
        let row = 1 + seeded::below(self.seed, &format!("row {label}"), 28);
        let seat = 1 + seeded::below(self.seed, &format!("seat {label}"), 30);
        sector.seated.then(|| format!("{}-{row}-{seat}", sector.code))
    }

    /// One ticket in three is the owner's own, the others are made out to companions.
    fn holder(&self, id: i64, deal: Deal, owner: &Person, label: &str) -> String {
        let companion = seeded::pick(self.seed, &format!("holder {label}"), &self.people.companions);
        let person = if deal.number.is_multiple_of(3) { owner } else { companion.unwrap_or(owner) };
        json!({
            "id": id,
            "first_name": person.first_name,
            "last_name": person.last_name,
            "email": owner.name,
            "address": {
                "id": id,
                "street": person.street,
                "zip": person.zip,
                "city": person.city,
                "country": person.country,
            },
        })
        .to_string()
    }
}

/// Which ticket of which user, both counted from 0, and how many of its event the user got before.
#[derive(Debug, Clone, Copy)]
struct Deal {
    user: u32,
    number: usize,
    round: usize,
}

impl Deal {
    fn pick<T>(self, choices: &[T]) -> Option<&T> {
        choices.get((self.user as usize + self.number + self.round).checked_rem(choices.len())?)
    }

    fn status(self) -> &'static str {
        match self.number {
            number if number == ODD_STATUS.0 => ODD_STATUS.1,
            number if number % 8 == 4 => "invalidated",
            number if (number + self.round).is_multiple_of(2) => "issued",
            _ => "activated",
        }
    }

    fn format(self) -> &'static str {
        match self.number {
            number if number == ODD_FORMAT.0 => ODD_FORMAT.1,
            number if (number + self.round) % 4 == 3 => "PDF",
            _ => "SECURE",
        }
    }
}
