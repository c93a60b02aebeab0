//! Organizers, events, ticket configs, sectors and timeslots: the rows that tickets point at.

use chrono::{DateTime, TimeDelta, Utc};
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::{Config, Event, Sector, Tenant, Timeslot, moment};
use crate::moment::timestamp;

const TIMEZONE: &str = "Europe/Berlin";
const SALE_OPENED_DAYS: i64 = 60;
const GATE_OPENS_MINUTES: i64 = 90;

/// Every event of every tenant with its ids, the soonest first.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(super) events: Vec<Listed>,
}

/// An event with what a ticket for it can point at.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) tenant: String,
    pub(super) day: i64,
    pub(super) id: i64,
    pub(super) configs: Vec<i64>,
    pub(super) sectors: Vec<ListedSector>,
    pub(super) timeslots: Vec<i64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct ListedSector {
    pub(super) id: i64,
    pub(super) code: u16,
    pub(super) seated: bool,
}

impl Catalogue {
    /// Writes the catalogue of all tenants. Ids count from 1 in each tenant, so they collide between tenants.
    pub(super) fn write(
        db: &Transaction<'_>,
        tenants: &[Tenant],
        now: DateTime<Utc>,
    ) -> rusqlite::Result<Self> {
        let mut events = Vec::new();
        for tenant in tenants {
            db.execute(
                "INSERT INTO organizer (id, tenant, title) VALUES (?1, ?2, ?3)",
                (tenant.organizer_id, &tenant.name, &tenant.title),
            )?;
            db.execute(
                "INSERT INTO market_ruleset (id, tenant, body) VALUES (?1, ?2, ?3)",
                (tenant.organizer_id.to_string(), &tenant.name, ruleset(tenant).to_string()),
            )?;
            let mut first = First { config: 1, sector: 1, timeslot: 1 };
            for (id, event) in (1..).zip(&tenant.events) {
                let listed = EventWriter { db, tenant, event, id, now }.write(&first)?;
                first.pass(&listed);
                events.push(listed);
            }
        }
        events.sort_by_key(|event| event.day);
        Ok(Self { events })
    }
}

/// The next free ids of a tenant.
struct First {
    config: i64,
    sector: i64,
    timeslot: i64,
}

impl First {
    fn pass(&mut self, event: &Listed) {
        let after = |ids: Option<i64>, free: i64| ids.map_or(free, |id| id + 1);
        self.config = after(event.configs.last().copied(), self.config);
        self.sector = after(event.sectors.last().map(|sector| sector.id), self.sector);
        self.timeslot = after(event.timeslots.last().copied(), self.timeslot);
    }
}

/// Writes one event of a tenant.
struct EventWriter<'a> {
    db: &'a Transaction<'a>,
    tenant: &'a Tenant,
    event: &'a Event,
    id: i64,
    now: DateTime<Utc>,
}

impl EventWriter<'_> {
    fn write(&self, first: &First) -> rusqlite::Result<Listed> {
        let configs = self.configs(first.config)?;
        Ok(Listed {
            tenant: self.tenant.name.clone(),
            day: self.event.day,
            id: self.id,
            sectors: self.sectors(first.sector, &configs)?,
            configs: configs.into_iter().map(|(id, _)| id).collect(),
            timeslots: self.timeslots(first.timeslot)?,
        })
    }

    fn start(&self) -> DateTime<Utc> {
        moment(self.now, self.event.day, &self.event.start)
    }

    fn configs(&self, first: i64) -> rusqlite::Result<Vec<(i64, Value)>> {
        let event = self.event_body();
        let mut written = Vec::new();
        for (id, config) in (first..).zip(&self.tenant.configs) {
            let plain = self.config_body(id, config);
            let mut body = plain.clone();
            body["ticket_type"] = json!({"id": id, "name": config.ticket_type});
            body["ticket_discount"] = json!([]);
            body["promo_section"] = Value::Null;
            body["depends_on"] = Value::Null;
            body["event"] = event.clone();
            self.db.execute(
                "INSERT INTO ticket_config (tenant, id, event_id, body) VALUES (?1, ?2, ?3, ?4)",
                (&self.tenant.name, id, self.id, body.to_string()),
            )?;
            written.push((id, plain));
        }
        Ok(written)
    }

    fn sectors(&self, first: i64, configs: &[(i64, Value)]) -> rusqlite::Result<Vec<ListedSector>> {
        if !self.event.sectors {
            return Ok(Vec::new());
        }
        let configs: Vec<_> = configs.iter().map(|(_, body)| body).collect();
        let mut written = Vec::new();
        for (id, sector) in (first..).zip(&self.tenant.sectors) {
            let mut body = sector_body(id, sector);
            body["ticket_config"] = json!(configs);
            self.db.execute(
                "INSERT INTO sector (tenant, id, event_id, code, body) VALUES (?1, ?2, ?3, ?4, ?5)",
                (&self.tenant.name, id, self.id, sector.code, body.to_string()),
            )?;
            written.push(ListedSector { id, code: sector.code, seated: sector.seated });
        }
        Ok(written)
    }

    fn timeslots(&self, first: i64) -> rusqlite::Result<Vec<i64>> {
        let mut written = Vec::new();
        for (id, slot) in (first..).zip(&self.event.timeslots) {
            self.db.execute(
                "INSERT INTO timeslot (tenant, id, event_id, body) VALUES (?1, ?2, ?3, ?4)",
                (&self.tenant.name, id, self.id, self.timeslot_body(id, slot).to_string()),
            )?;
            written.push(id);
        }
        Ok(written)
    }

    fn event_body(&self) -> Value {
        let event = self.event;
        let start = self.start();
        json!({
            "id": self.id,
            "name": event.name,
            "description": event.description,
            "location": self.tenant.venue,
            "start_at": timestamp(start),
            "end_at": timestamp(start + TimeDelta::minutes(event.minutes)),
            "organizer_id": self.tenant.organizer_id,
            "timezone_name": TIMEZONE,
            "gate_time": timestamp(start - TimeDelta::minutes(GATE_OPENS_MINUTES)),
            "ticket_activation_period": 1440,
            "local_ticket_validation": true,
            "local_validation_server_url": null,
            "kyc_level_id": 1,
            "status": "published",
            "image_uri": null,
            "created_at": timestamp(self.now - TimeDelta::days(SALE_OPENED_DAYS + 7)),
            "updated_at": timestamp(self.now - TimeDelta::days(3)),
        })
    }

    fn config_body(&self, id: i64, config: &Config) -> Value {
        let start = self.start();
        let opened = self.now - TimeDelta::days(SALE_OPENED_DAYS);
        json!({
            "id": id,
            "name": config.name,
            "description": config.description,
            "quantity": 5000,
            "available_tickets": 1240,
            "start_sale_at": timestamp(opened),
            "end_sale_at": timestamp(start),
            "tickets_valid_from": timestamp(start - TimeDelta::minutes(GATE_OPENS_MINUTES)),
            "tickets_valid_to": timestamp(start + TimeDelta::minutes(self.event.minutes)),
            "face_value": config.face_value,
            "currency": "EUR",
            "tax_rate": 7.0,
            "tax_included": true,
            "absorb_fees": false,
            "pricing_type": "paid",
            "tickets_per_user": 8,
            "secondary_market_ruleset_id": self.tenant.organizer_id,
            "image_uri": null,
            "video_uri": null,
            "thumbnail_uri": null,
            "questionnaire_id": 1,
            "status": "published",
            "visible": true,
            "pdf_template_id": null,
            "created_at": timestamp(opened - TimeDelta::days(7)),
        })
    }

    fn timeslot_body(&self, id: i64, slot: &Timeslot) -> Value {
        let start = moment(self.now, self.event.day, &slot.start);
        json!({
            "id": id,
            "name": slot.name,
            "capacity": slot.capacity,
            "start_at": timestamp(start),
            "end_at": timestamp(start + TimeDelta::minutes(slot.minutes)),
        })
    }
}

/// Resale at a tenth over the face value at most; the market takes a twentieth and half a euro.
fn ruleset(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.organizer_id.to_string(),
        "name": "Standard",
        "price_limit_percentage": 10,
        "price_limit_fixed": 0,
        "fee_fixed": 0.5,
        "fee_percentage": 5,
        "transfer_enabled": true,
        "resale_enabled": true,
        "organizer_id": tenant.organizer_id,
        "status": "published",
    })
}

fn sector_body(id: i64, sector: &Sector) -> Value {
    json!({
        "id": id,
        "name": sector.name,
        "capacity": sector.capacity,
        "reserved_tickets": sector.capacity / 20,
        "available_tickets": sector.capacity / 4,
    })
}
