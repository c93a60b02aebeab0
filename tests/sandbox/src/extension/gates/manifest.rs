//! Manifests: made from the sandbox's tickets whenever something of them has changed, all kept, and sent whole or as delta.

use ring::digest::{SHA256, digest};
use rusqlite::{Connection, OptionalExtension};
use ticket_wallet::barcode::EventKey;
use ticket_wallet::manifest::{EntryPolicy, Profile, TicketState};
use ticket_wallet::{
    ManifestDay, ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation, ManifestSection,
    ManifestTicket, NonceEpoch,
};

use super::super::fields::refused;
use super::super::market::settle;
use super::control::BadManifest;
use super::scanner::Scanner;
use super::{Place, codes};
use crate::app::{App, ServedTenant, lock};
use crate::problem::Problem;
use crate::{bam, seeded};

/// The first manifest's: sequences only rise, wherever they begin.
const FIRST_SEQUENCE: u32 = 10;
/// A manifest that is older than this is made anew, though nothing in it has changed: gates see that it still holds.
const MAX_AGE_S: i64 = 900;
/// Venue nonces change with each hour, from two days before the event to half a day after it.
const EPOCH_S: i64 = 3600;
const NONCES_BEFORE_S: i64 = 48 * 3600;
const NONCES_AFTER_S: i64 = 12 * 3600;
/// Two keys whose ids are both 9b217458: the first four bytes of their SHA-256.
const DOUBLED: [&str; 2] = [
    "ff66c2d336fd6be65112e076f3766cc43b6d0bb0b4855126977fb1e285a3e9b6",
    "79152bcd9243ecb193c812b526d6cc127faba5ccae0c92fe98743b1af402a6af",
];

/// The answer to a scanner that has the manifest of a sequence. `None` when it has the latest.
pub(super) fn answer(
    app: &App,
    db: &Connection,
    scanner: &Scanner,
    since: Option<u32>,
) -> Result<Option<Vec<u8>>, Problem> {
    let place = scanner.place();
    let (tenant, issuer) = issuer(app, &place)?;
    let bad = *lock(&app.bad_manifest);
    if let Some(bad) = bad {
        return spoiled(app, db, tenant, issuer, &place, bad).map(Some);
    }
    let (sequence, latest) = current(app, db, tenant, issuer, &place)?;
    if since == Some(sequence) {
        return Ok(None);
    }
    let Some(base) = since.map(|since| kept(db, &place, since)).transpose()?.flatten() else {
        return Ok(Some(latest));
    };
    let delta = issuer.delta(base, latest.clone()).map_err(|_| Problem::internal())?;
    // Gates need the whole where there is no delta, and take it where it is shorter.
    Ok(Some(delta.filter(|delta| delta.len() < latest.len()).unwrap_or(latest)))
}

fn issuer<'a>(app: &'a App, place: &Place) -> Result<(&'a ServedTenant, &'a ManifestIssuer), Problem> {
    let tenant = app.tenant(&place.tenant).ok_or_else(Problem::not_served)?;
    Ok((tenant, tenant.manifest.as_ref().ok_or_else(Problem::not_served)?))
}

fn kept(db: &Connection, place: &Place, sequence: u32) -> rusqlite::Result<Option<Vec<u8>>> {
    let sql = "SELECT bytes FROM gate_manifest WHERE tenant = ?1 AND event_id = ?2 AND sequence = ?3";
    db.query_row(sql, (&place.tenant, place.event, sequence), |row| row.get(0)).optional()
}

/// The latest manifest and its sequence, made anew when it is not what would be made now.
fn current(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    issuer: &ManifestIssuer,
    place: &Place,
) -> Result<(u32, Vec<u8>), Problem> {
    let now_s = app.now_s();
    settle(app, db, &place.tenant)?;
    let mut request = request(app, db, tenant, place)?;
    // A manifest from after the close says more than one from before it: that nothing will change hands any more.
    let has_closed = request.closes_at.is_some_and(|at| now_s >= i64::from(at));
    let mut content = issuer.manifest(request.clone()).map_err(refused)?;
    content.push(has_closed.into());
    let content = digest(&SHA256, &content).as_ref().to_vec();
    let sql = "SELECT sequence, as_of, content, bytes FROM gate_manifest WHERE tenant = ?1 AND event_id = ?2
        ORDER BY sequence DESC LIMIT 1";
    let last = db.query_row(sql, (&place.tenant, place.event), |row| {
        Ok((row.get::<_, u32>(0)?, row.get::<_, i64>(1)?, row.get::<_, Vec<u8>>(2)?, row.get(3)?))
    });
    let last: Option<(u32, i64, Vec<u8>, Vec<u8>)> = last.optional()?;
    if let Some((sequence, as_of, of, bytes)) = &last
        && *of == content
        && now_s - as_of < MAX_AGE_S
    {
        return Ok((*sequence, bytes.clone()));
    }
    request.sequence = last.map_or(FIRST_SEQUENCE, |(sequence, ..)| sequence + 1);
    request.as_of = seconds(now_s)?;
    let (sequence, bytes) = (request.sequence, issuer.manifest(request).map_err(refused)?);
    db.execute(
        "INSERT INTO gate_manifest (tenant, event_id, sequence, as_of, content, bytes)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        (&place.tenant, place.event, sequence, now_s, content, &bytes),
    )?;
    Ok((sequence, bytes))
}

/// What a gate must not take.
fn spoiled(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    issuer: &ManifestIssuer,
    place: &Place,
    bad: BadManifest,
) -> Result<Vec<u8>, Problem> {
    let (sequence, mut latest) = current(app, db, tenant, issuer, place)?;
    let mut request = request(app, db, tenant, place)?;
    (request.sequence, request.as_of) = (sequence + 1, seconds(app.now_s())?);
    match bad {
        BadManifest::LowerSequence => request.sequence = FIRST_SEQUENCE - 1,
        BadManifest::OtherKey => {
            let seed = seeded::bytes(app.config.seed, "somebody else's manifest key").to_vec();
            let other = ManifestIssuer::new(seed).map_err(refused)?;
            return other.manifest(request).map_err(refused);
        }
        BadManifest::Truncated => {
            latest.truncate(latest.len() / 2);
            return Ok(latest);
        }
        BadManifest::DoubledKeyId => request.issuers.extend(DOUBLED.map(|key| ManifestKey {
            public_key: hex::decode(key).unwrap_or_default(),
            valid_from: 0,
            valid_until: None,
        })),
    }
    issuer.manifest(request).map_err(refused)
}

fn seconds(unix_s: i64) -> Result<u32, Problem> {
    u32::try_from(unix_s).map_err(|_| Problem::internal())
}

/// From when on nothing of an event changes hands, Unix seconds.
pub(in super::super) fn closes_at(db: &Connection, place: &Place) -> rusqlite::Result<i64> {
    Rules::of(db, place).map(|rules| rules.closes_at)
}

/// What the box office has said about an event, and when it runs.
pub(super) struct Rules {
    pub(super) policy: EntryPolicy,
    pub(super) entries: u8,
    nonce_required: bool,
    closes_at: i64,
    /// Of scanners that sign in; `None` is for ever.
    pub(super) certified_until: Option<i64>,
    start: i64,
    end: i64,
}

impl Rules {
    pub(super) fn of(db: &Connection, place: &Place) -> rusqlite::Result<Self> {
        let sql =
            "SELECT coalesce(policy, 'single'), coalesce(entries, 1), coalesce(nonce_required, 0), closes_at,
                min(unixepoch(json_extract(body, '$.event.start_at'))),
                max(unixepoch(json_extract(body, '$.event.end_at'))), coalesce(certified_until, 0)
            FROM ticket_config LEFT JOIN gate_event USING (tenant, event_id)
            WHERE ticket_config.tenant = ?1 AND ticket_config.event_id = ?2";
        db.query_row(sql, (&place.tenant, place.event), |row| {
            let start = row.get(4)?;
            let policy = match row.get_ref(0)?.as_str()? {
                "re_entry" => EntryPolicy::ReEntry,
                "entries" => EntryPolicy::Entries,
                "days" => EntryPolicy::Days,
                _ => EntryPolicy::Single,
            };
            Ok(Self {
                policy,
                entries: row.get(1)?,
                nonce_required: row.get(2)?,
                closes_at: row.get::<_, Option<i64>>(3)?.unwrap_or(start),
                certified_until: Some(row.get(6)?).filter(|at| *at != 0),
                start,
                end: row.get(5)?,
            })
        })
    }

    /// The days of the event, UTC, the first from two days before the start on.
    pub(super) fn days(&self) -> Vec<(i64, i64)> {
        const DAY_S: i64 = 86_400;
        let first = self.start.div_euclid(DAY_S);
        let days = first..=self.end.div_euclid(DAY_S);
        days.map(|day| (if day == first { day - 2 } else { day } * DAY_S, (day + 1) * DAY_S - 1)).collect()
    }
}

/// The epochs of an event's venue nonces.
pub(super) fn nonce_epochs(app: &App, db: &Connection, place: &Place) -> Result<Vec<NonceEpoch>, Problem> {
    let rules = Rules::of(db, place)?;
    let first = (rules.start - NONCES_BEFORE_S).div_euclid(EPOCH_S);
    let last = (rules.end + NONCES_AFTER_S).div_euclid(EPOCH_S);
    let epoch = |number: i64| {
        let label = format!("nonce {} {} {number}", place.tenant, place.event);
        let nonce = seeded::bytes(app.config.seed, &label)[..8].to_vec();
        let begin = seconds(number * EPOCH_S)?;
        Ok(NonceEpoch { begin, end: seconds((number + 1) * EPOCH_S - 1)?, nonce })
    };
    (first..=last).map(epoch).collect()
}

/// What is in a manifest now, without its sequence and time.
fn request(
    app: &App,
    db: &Connection,
    tenant: &ServedTenant,
    place: &Place,
) -> Result<ManifestRequest, Problem> {
    let rules = Rules::of(db, place)?;
    let issuers = tenant.issuer.iter().map(|issuer| ManifestKey {
        public_key: issuer.public_key(),
        valid_from: 0,
        valid_until: None,
    });
    let sections = codes::sections(db, place)?;
    let day = |(begin, end)| Ok(ManifestDay { begin: seconds(begin)?, end: seconds(end)? });
    let event_key = bam::event_key(app, place).map_err(|_| Problem::internal())?;
    EventKey::parse(event_key.as_bytes()).map_err(|_| Problem::internal())?;
    Ok(ManifestRequest {
        provider: tenant.provider.to_string(),
        event_id: place.event.to_string(),
        sequence: 1,
        as_of: 0,
        closes_at: Some(seconds(rules.closes_at)?),
        policy: rules.policy,
        entries: rules.entries,
        nonce_required: rules.nonce_required,
        unlisted: Profile::Signed,
        issuers: issuers.collect(),
        sections: sections.into_iter().map(|(code, name)| ManifestSection { code, name }).collect(),
        days: rules.days().into_iter().map(day).collect::<Result<_, Problem>>()?,
        nonce_epochs: nonce_epochs(app, db, place)?,
        tickets: tickets(app, db, place)?,
        event_key: Some(event_key.into_bytes()),
        revoked: revoked(db, place)?,
    })
}

/// Every ticket that a manifest of the event has had; those that are gone are revoked.
fn tickets(app: &App, db: &Connection, place: &Place) -> Result<Vec<ManifestTicket>, Problem> {
    let now = Listed::all(app, db, place)?;
    for one in &now {
        db.execute(
            "INSERT OR REPLACE INTO gate_listed (tenant, event_id, name, signed, generation, section, seat, code)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            (&place.tenant, place.event, &one.name, one.signed, one.generation, one.section, &one.seat, &one.code),
        )?;
    }
    let sql = "SELECT name, signed, generation, section, seat, code FROM gate_listed WHERE tenant = ?1 AND event_id = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let before = statement.query_map((&place.tenant, place.event), |row| {
        Ok(Listed {
            name: row.get(0)?,
            state: TicketState::Revoked,
            signed: row.get(1)?,
            generation: row.get(2)?,
            section: row.get(3)?,
            seat: row.get(4)?,
            code: row.get(5)?,
        })
    })?;
    let gone = before.collect::<Result<Vec<_>, _>>()?;
    let gone = gone.into_iter().filter(|one| now.iter().all(|there| there.name != one.name));
    Ok(now.iter().cloned().chain(gone).map(Listed::into_row).collect())
}

/// A ticket of the sandbox as a manifest has it.
#[derive(Clone)]
struct Listed {
    name: String,
    /// What B.A.M's own code of the ticket names it by.
    code: Option<String>,
    state: TicketState,
    signed: bool,
    generation: u16,
    section: u16,
    seat: Option<String>,
}

impl Listed {
    /// The event's tickets that somebody has. A ticket that a device gave up has a floor above its last credential. One
    /// that cannot have a credential is let in by B.A.M's own code.
    fn all(app: &App, db: &Connection, place: &Place) -> rusqlite::Result<Vec<Self>> {
        let sql = "SELECT ticket.id, format = 'SECURE', status, coalesce(gate_ticket.state, ''), blockchain_id,
                max(coalesce(binding.generation + binding.surrendered, 1), coalesce(gate_ticket.generation, 1)),
                coalesce(sector.code, 0), seat_id,
                EXISTS (SELECT 1 FROM offer WHERE offer.tenant = ticket.tenant AND offer.ticket_id = ticket.id
                    AND valid_until > ?3)
                OR EXISTS (SELECT 1 FROM listing WHERE listing.tenant = ticket.tenant
                    AND listing.ticket_id = ticket.id AND hidden
                    AND listing.state IN ('under_review', 'active', 'reserved'))
            FROM ticket
            JOIN ticket_config ON ticket_config.tenant = ticket.tenant AND ticket_config.id = ticket_config_id
            LEFT JOIN sector ON sector.tenant = ticket.tenant AND sector.id = sector_id
            LEFT JOIN binding ON binding.tenant = ticket.tenant AND binding.ticket_id = ticket.id
            LEFT JOIN gate_ticket ON gate_ticket.tenant = ticket.tenant AND gate_ticket.ticket_id = ticket.id
            WHERE ticket.tenant = ?1 AND ticket_config.event_id = ?2 AND owner_id IS NOT NULL
            ORDER BY ticket.id";
        let mut statement = db.prepare_cached(sql)?;
        let rows = statement.query_map((&place.tenant, place.event, app.now_s()), |row| {
            let signed: bool = row.get(1)?;
            let (name, code) = (row.get::<_, i64>(0)?.to_string(), row.get(4)?);
            let (status, said) = (row.get_ref(2)?.as_str()?, row.get_ref(3)?.as_str()?);
            let state = state(status, said, row.get(8)?);
            let (generation, section) = (row.get(5)?, row.get(6)?);
            Ok(Self { name, code, state, signed, generation, section, seat: row.get(7)? })
        })?;
        rows.collect()
    }

    fn into_row(self) -> ManifestTicket {
        let profile = if self.signed { Profile::Signed } else { Profile::BamSigned };
        ManifestTicket {
            ticket_id: self.name,
            state: self.state,
            profile,
            generation: if self.signed { self.generation } else { 0 },
            section: self.section,
            entries: None,
            code: self.code,
            seat: self.seat.filter(|seat| !seat.is_empty() && seat.len() <= 255),
        }
    }
}

/// What the box office says comes before what a ticket's own status and offers say.
fn state(status: &str, said: &str, is_offered: bool) -> TicketState {
    match (said, status) {
        ("valid", _) => TicketState::Valid,
        ("revoked", _) | ("", "unavailable" | "invalidated") => TicketState::Revoked,
        ("listed", _) => TicketState::Listed,
        ("blocked", _) => TicketState::Blocked,
        (_, "issued" | "activated") if is_offered => TicketState::Listed,
        (_, "issued" | "activated") => TicketState::Valid,
        _ => TicketState::Blocked,
    }
}

fn revoked(db: &Connection, place: &Place) -> rusqlite::Result<Vec<ManifestRevocation>> {
    let sql = "SELECT scanner, chain, last_good, hash FROM gate_revocation
        JOIN gate_scanner ON gate_scanner.id = scanner WHERE tenant = ?1 AND event_id = ?2";
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map((&place.tenant, place.event), |row| {
        Ok(ManifestRevocation {
            scanner_id: row.get(0)?,
            chain: row.get(1)?,
            last_good: row.get(2)?,
            hash: row.get(3)?,
        })
    })?;
    rows.collect()
}
