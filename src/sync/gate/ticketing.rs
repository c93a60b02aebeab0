//! Gates of TickeTing: the event's tickets make the manifest, and admissions go back one by one.
//!
//! TickeTing signs nothing: what it lists counts because it came over the connection. It does not tell what is used from
//! what is valid in one word, so that only a ticket of status `Issued` that was not redeemed lets in. Exits and what was
//! taken back stay on this device: TickeTing has no call for them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use zeroize::Zeroizing;

use super::{GateSyncReport, Post, Registered, Registration, Scanner};
use crate::device::random;
use crate::error::Error;
use crate::ledger::{Kind, ScannerId};
use crate::manifest::{Draft, DraftTicket, EntryPolicy, Head, Manifest, Profile, TicketState};
use crate::model::{AdmissionOrder, AdmissionQuery, GateSignIn, TicketStatus, TicketingAccess, Tokens};
use crate::remote::ticketing::{EventTicketQuery, PageQuery, Ticketing, TicketingTicket, last_part};
use crate::remote::{Http, Session};
use crate::store::StoredRecord;

/// More pages than any event has tickets.
const MAX_PAGES: u32 = 10_000;
/// Tickets on a page.
const PAGE: u32 = 100;
/// Tickets redeemed in one request.
const BATCH: usize = 50;
/// Tickets change hands at any time.
pub(super) const NEVER_CLOSES: u32 = u32::MAX;

pub(super) async fn register(http: &Arc<Http>, sign_in: &GateSignIn) -> Result<Registration, Error> {
    let system = Ticketing::new(Arc::clone(http), &sign_in.config)?;
    let key = sign_in.config.ticketing.as_ref().and_then(|config| config.app_key.clone());
    let key = key.ok_or_else(|| Error::Input {
        field: "app_key",
        reason: "TickeTing looks admission codes up for a key only; configure the app's own".to_owned(),
    })?;
    let access = match system.look_up_code(&session(&key), &sign_in.admission_code).await {
        Err(Error::Status { status: 404, .. }) => return Err(Error::NotFound { what: "admission code" }),
        other => other?,
    };
    let hashed = |e: crate::model::ProviderError| Error::Input { field: "url", reason: e.to_string() };
    let mut config = sign_in.config.clone();
    config.ticketing.get_or_insert_default().access = Some(TicketingAccess::IntegrationKey);
    Ok(Registration {
        event: system.provider()?.event(&access.event_id).map_err(hashed)?,
        scanner: ScannerId(random()?),
        certificate: None,
        registered: Registered {
            service: sign_in.service,
            config,
            name: sign_in.name.clone(),
            provider: None,
            event_id: access.event_id,
            sections: Vec::new(),
            section_uris: access.sections,
            manifest_key: None,
            session: access.key,
            validator: None,
        },
    })
}

fn session(key: &str) -> Session {
    let access = Zeroizing::new(key.to_owned());
    Session::new(Tokens { access, refresh: None, session_id: None }, Box::new(|_| Ok(())))
}

impl Scanner {
    pub(super) async fn prepare_by_ticketing(
        &self,
        post: &Post,
        mut registered: Registered,
    ) -> Result<(), Error> {
        let system = Ticketing::new(Arc::clone(&self.http), &registered.config)?;
        let tickets = event_tickets(&system, &registered).await?;
        let of_door = registered.section_uris.iter().map(String::as_str);
        let uris: BTreeSet<&str> = tickets
            .iter()
            .filter_map(|ticket| ticket.section.as_deref())
            .chain(of_door)
            .map(last_part)
            .collect();
        let codes: BTreeMap<&str, u16> = uris.into_iter().zip(1..).collect();
        registered.sections =
            registered.section_uris.iter().filter_map(|uri| codes.get(last_part(uri)).copied()).collect();
        registered.sections.sort_unstable();
        let held = post.knowledge.as_ref().map_or(0, |known| known.manifest().head().sequence);
        let draft = Draft {
            head: Head {
                event: post.scanner.event,
                sequence: held.saturating_add(1),
                as_of: u32::try_from(self.time.now()?.unix_s()).unwrap_or(0),
                closes_at: Some(NEVER_CLOSES),
                policy: EntryPolicy::Single,
                entries: 1,
                nonce_required: false,
                unlisted: Profile::Signed,
            },
            issuers: Vec::new(),
            sections: codes.iter().map(|(name, code)| (*code, cut(name))).collect(),
            days: Vec::new(),
            epochs: Vec::new(),
            tickets: tickets.iter().map(|ticket| row(&system, ticket, &codes)).collect::<Result<_, _>>()?,
            event_key: None,
            revoked: Vec::new(),
        };
        let body =
            draft.to_bytes().map_err(|e| Error::Input { field: e.field, reason: e.reason.to_owned() })?;
        let mut stored = post.scanner.clone();
        stored.registered = registered.write()?;
        self.store.set_scanner(&stored)?;
        self.use_manifest(stored, Manifest::from_body(body)?)
    }

    pub(super) async fn send_by_ticketing(
        &self,
        post: &Post,
        registered: &Registered,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let system = Ticketing::new(Arc::clone(&self.http), &registered.config)?;
        let session = session(&registered.session);
        let device = hex::encode(post.scanner.scanner.0);
        loop {
            let batch = self.store.unsent_records(post.scanner.event, 0, BATCH as u32)?;
            if batch.is_empty() {
                return Ok(());
            }
            let undone: BTreeSet<_> = batch.iter().filter_map(undone).collect();
            let serial = |stored: &&StoredRecord| {
                let lets_in = matches!(stored.record.fields().kind, Kind::Admission | Kind::Override);
                stored.code.clone().filter(|_| lets_in && !undone.contains(&stored.record.id()))
            };
            let serials: BTreeSet<String> = batch.iter().filter_map(|stored| serial(&stored)).collect();
            let order = AdmissionOrder {
                event_id: registered.event_id.clone(),
                redeemer: registered.name.clone(),
                device: device.clone(),
                serials: serials.into_iter().collect(),
            };
            let ours = admit(&system, &session, &order).await?;
            let conflict = |stored: &StoredRecord| {
                let serial = serial(&stored)?;
                (!ours.contains(&serial)).then(|| "redeemed elsewhere, or not to be redeemed".to_owned())
            };
            let rows: Vec<_> = batch.iter().map(|stored| (stored.id, conflict(stored))).collect();
            self.mark_sent(&rows, report)?;
        }
    }
}

/// The admission that an undo takes back.
fn undone(stored: &StoredRecord) -> Option<crate::ledger::RecordId> {
    let sequence = stored.record.fields().evidence.undone?;
    Some(crate::ledger::RecordId { sequence, ..stored.record.id() })
}

/// Redeems tickets; gives those that are redeemed by this scanner, now or before.
async fn admit(
    system: &Ticketing,
    session: &Session,
    order: &AdmissionOrder,
) -> Result<BTreeSet<String>, Error> {
    if order.serials.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut ours: BTreeSet<String> = match system.admit(session, order).await {
        Ok(admissions) => admissions.into_iter().map(|one| one.ticket).collect(),
        // The same answer when all were redeemed before, and when none counts: the list tells.
        Err(Error::Status { status: 400, .. }) => BTreeSet::new(),
        Err(error) if error.is_uncertain() => BTreeSet::new(),
        Err(error) => return Err(error),
    };
    for serial in order.serials.iter().filter(|serial| !ours.contains(*serial)).cloned().collect::<Vec<_>>() {
        let query = AdmissionQuery { ticket: Some(serial.clone()), ..AdmissionQuery::default() };
        let found = system.admissions(session, &order.event_id, &query).await?;
        let is_ours =
            |one: &crate::model::Admission| one.ticket == serial && one.is_by(&order.redeemer, &order.device);
        if found.entries.iter().any(is_ours) {
            ours.insert(serial);
        }
    }
    Ok(ours)
}

async fn event_tickets(system: &Ticketing, registered: &Registered) -> Result<Vec<TicketingTicket>, Error> {
    let session = session(&registered.session);
    let mut all = BTreeMap::new();
    for page in 1..=MAX_PAGES {
        let page = PageQuery { page: Some(page), records: Some(PAGE) };
        let query = EventTicketQuery { page, modified_since: None };
        let found = system.event_tickets(&session, &registered.event_id, query).await?;
        let more = found.more();
        all.extend(found.entries.into_iter().map(|ticket| (ticket.serial.clone(), ticket)));
        if !more {
            return Ok(all.into_values().collect());
        }
    }
    Err(Error::Untrusted { what: "the server's list of tickets does not end" })
}

fn row(
    system: &Ticketing,
    ticket: &TicketingTicket,
    codes: &BTreeMap<&str, u16>,
) -> Result<DraftTicket, Error> {
    let hashed = |e: crate::model::ProviderError| Error::Input { field: "serial", reason: e.to_string() };
    let is_issued = ticket.state(system.zone()) == TicketStatus::Issued;
    Ok(DraftTicket {
        id: system.provider()?.ticket(&ticket.serial).map_err(hashed)?,
        floor: 0,
        section: ticket.section.as_deref().and_then(|uri| codes.get(last_part(uri)).copied()).unwrap_or(0),
        state: if is_issued { TicketState::Valid } else { TicketState::Blocked },
        profile: Profile::Plain,
        entries: None,
        code: Some(ticket.serial.clone()),
        seat: None,
    })
}

/// A section's name as a manifest takes it: 64 bytes at most.
fn cut(name: &str) -> String {
    let end = (0..=name.len().min(64)).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name[..end].to_owned()
}
