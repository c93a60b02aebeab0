//! Admission codes: one for each event, and one for each of its sections. The same seed makes the same codes.

use rusqlite::Connection;
use serde::Serialize;

use super::Place;
use crate::app::App;
use crate::seeded;

const LETTERS: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// What scanners sign in with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AdmissionCode {
    /// The tenant.
    pub tenant: String,
    /// The event's id.
    pub event_id: i64,
    /// The event's name.
    pub event: String,
    /// Eight digits and capital letters.
    pub code: String,
    /// The sections that it lets in to: code and name; none is all.
    pub sections: Vec<(u16, String)>,
}

impl AdmissionCode {
    /// Where it counts.
    pub(super) fn place(&self) -> Place {
        Place { tenant: self.tenant.clone(), event: self.event_id }
    }
}

/// The codes of all events of the tenants that serve the extension, the soonest first.
pub(crate) fn all(app: &App, db: &Connection) -> rusqlite::Result<Vec<AdmissionCode>> {
    let mut codes = Vec::new();
    for tenant in app.tenants.iter().filter(|tenant| tenant.manifest.is_some()) {
        for (event_id, event) in events(db, &tenant.name)? {
            let place = Place { tenant: tenant.name.clone(), event: event_id };
            let one = |sections: Vec<(u16, String)>| AdmissionCode {
                tenant: place.tenant.clone(),
                event_id,
                event: event.clone(),
                code: code(app.config.seed, &place, &sections),
                sections,
            };
            codes.push(one(Vec::new()));
            codes.extend(sections(db, &place)?.into_iter().map(|section| one(vec![section])));
        }
    }
    Ok(codes)
}

fn code(seed: u64, place: &Place, sections: &[(u16, String)]) -> String {
    let section = sections.first().map_or(0, |(code, _)| *code);
    let label = format!("admission code {} {} {section}", place.tenant, place.event);
    seeded::bytes(seed, &label)[..8].iter().map(|byte| char::from(LETTERS[usize::from(*byte) % 36])).collect()
}

/// A tenant's events: id and name.
fn events(db: &Connection, tenant: &str) -> rusqlite::Result<Vec<(i64, String)>> {
    let sql = "SELECT DISTINCT event_id, json_extract(body, '$.event.name') FROM ticket_config
        WHERE tenant = ?1 ORDER BY 1";
    db.prepare_cached(sql)?.query_map([tenant], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// An event's sections: code and name.
pub(super) fn sections(db: &Connection, place: &Place) -> rusqlite::Result<Vec<(u16, String)>> {
    let sql = "SELECT code, json_extract(body, '$.name') FROM sector WHERE tenant = ?1 AND event_id = ?2
        ORDER BY code";
    let rows = (&place.tenant, place.event);
    db.prepare_cached(sql)?.query_map(rows, |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
