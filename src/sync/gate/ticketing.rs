//! Gates of TickeTing: the event's tickets make the manifest, and admissions go back one by one.
//!
//! TickeTing signs nothing: what it lists counts because it came over the connection. It does not tell what is used from
//! what is valid in one word, so that only a ticket of status `Issued` that was not redeemed lets in, and one whose redemption
//! is this ledger's own, which then says how often. Exits and what was taken back stay on this device: TickeTing has no call
//! for them.

mod list;
mod upload;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use zeroize::Zeroizing;

use super::{GateSyncReport, Post, Registered, Registration, Scanner};
use crate::admission::Knowledge;
use crate::device::random;
use crate::error::Error;
use crate::ledger::ScannerId;
use crate::manifest::{Draft, DraftTicket, EntryPolicy, Head, Manifest, Profile, TicketState};
use crate::model::{GateSignIn, ProviderError, TicketHash, TicketStatus, TicketingAccess, Tokens};
use crate::remote::ticketing::{Ticketing, TicketingTicket, UNKNOWN_ENDPOINT, last_part};
use crate::remote::{Http, Session};
use crate::sync::scanner::history;
use list::{Progress, Read};

/// Tickets change hands at any time.
pub(super) const NEVER_CLOSES: u32 = u32::MAX;

pub(super) async fn register(http: &Arc<Http>, sign_in: &GateSignIn) -> Result<Registration, Error> {
    let mut config = sign_in.config.clone();
    let ticketing = config.ticketing.get_or_insert_default();
    ticketing.access = Some(TicketingAccess::IntegrationKey);
    let key = ticketing.app_key.clone();
    let system = Ticketing::new(Arc::clone(http), &config)?;
    let key = key.ok_or_else(|| Error::Input {
        field: "app_key",
        reason: "TickeTing looks admission codes up for a key only; configure the app's own".to_owned(),
    })?;
    let access = match system.look_up_code(&session(&key), &sign_in.admission_code).await {
        Err(Error::Status { status: 404, server_code, .. })
            if server_code.as_deref() != Some(UNKNOWN_ENDPOINT) =>
        {
            return Err(Error::NotFound { what: "admission code" });
        }
        other => other?,
    };
    Ok(Registration {
        event: system.provider()?.event(&access.event_id).map_err(|e| hashed("url", e))?,
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
        self: &Arc<Self>,
        post: &Post,
        mut registered: Registered,
    ) -> Result<(), Error> {
        let system = Ticketing::new(self.http_for(&registered.config)?, &registered.config)?;
        let held = post.knowledge.as_ref().map(Knowledge::manifest);
        let now = self.time.now()?.unix_s();
        let mut progress = Progress::of(&self.store, post.scanner.scanner)?;
        let since = held.and_then(|_| progress.since(now));
        let read = list::read(&system, &registered, since, now).await.map_err(of_key)?;
        let sections = Sections::of(held, &registered, &read.tickets)?;
        registered.sections = sections.of_door(&registered);
        let draft = self.draft(post, held, &system, &read, &sections)?;
        let body =
            draft.to_bytes().map_err(|e| Error::Input { field: e.field, reason: e.reason.to_owned() })?;
        let listed = Manifest::from_body(body)?;
        let manifest = match held.filter(|_| !read.is_whole) {
            Some(held) => held.merged(&listed)?,
            None => listed,
        };
        let mut stored = post.scanner.clone();
        stored.registered = registered.write()?;
        // First the door's sections, then the tickets, then how far they were read: broken off in between, the gate knows
        // too little and reads it again.
        self.store.set_registered(stored.scanner, &stored.registered)?;
        self.use_manifest_apart(stored, manifest).await?;
        progress.has_read(&read);
        progress.keep(&self.store)
    }

    fn draft(
        &self,
        post: &Post,
        held: Option<&Manifest>,
        system: &Ticketing,
        read: &Read,
        sections: &Sections,
    ) -> Result<Draft, Error> {
        let event = post.scanner.event;
        let as_of = read.at.map_or_else(|| Ok(self.time.now()?.unix_s()), Ok::<_, Error>)?;
        let row = |ticket: &TicketingTicket| self.row(post, system, ticket, sections);
        Ok(Draft {
            head: Head {
                event,
                sequence: held.map_or(0, |held| held.head().sequence).saturating_add(1),
                as_of: u32::try_from(as_of).unwrap_or(0),
                closes_at: Some(NEVER_CLOSES),
                policy: EntryPolicy::Single,
                entries: 1,
                nonce_required: false,
                unlisted: Profile::Signed,
            },
            issuers: Vec::new(),
            sections: sections.names(),
            days: Vec::new(),
            epochs: Vec::new(),
            tickets: read.tickets.iter().map(row).collect::<Result<_, _>>()?,
            event_key: None,
            revoked: Vec::new(),
        })
    }

    fn row(
        &self,
        post: &Post,
        system: &Ticketing,
        ticket: &TicketingTicket,
        sections: &Sections,
    ) -> Result<DraftTicket, Error> {
        let id = system.provider()?.ticket(&ticket.serial).map_err(|e| hashed("serial", e))?;
        let lets_in = match ticket.state(system.zone()) {
            TicketStatus::Issued => true,
            TicketStatus::Invalidated => self.is_entered(post, id)?,
            _ => false,
        };
        Ok(DraftTicket {
            id,
            floor: 0,
            section: ticket.section.as_deref().and_then(|uri| sections.code(uri)).unwrap_or(0),
            state: if lets_in { TicketState::Valid } else { TicketState::Blocked },
            profile: Profile::Plain,
            entries: None,
            code: Some(ticket.serial.clone()),
            seat: None,
        })
    }

    /// Whether it is for an entry in this ledger that a ticket is redeemed. Then the ledger refuses it, and says where and
    /// when. An admission that was taken back here and that the server still has is no reason to refuse.
    fn is_entered(&self, post: &Post, ticket: TicketHash) -> Result<bool, Error> {
        let records = self.store.ticket_records(post.scanner.event, ticket)?.into_iter();
        let agreed = records.filter(|stored| stored.conflict.is_none()).collect();
        Ok(history(post, agreed).entries().next().is_some())
    }

    pub(super) async fn send_by_ticketing(
        &self,
        post: &Post,
        registered: &Registered,
        report: &mut GateSyncReport,
    ) -> Result<(), Error> {
        let system = Ticketing::new(self.http_for(&registered.config)?, &registered.config)?;
        self.upload(&system, post, registered, report).await.map_err(of_key)
    }
}

/// The codes that sections have in manifests, by the last part of their addresses. A code stays from one manifest to the next.
struct Sections(BTreeMap<String, u16>);

impl Sections {
    /// Those of the manifest in use, of the door, and of these tickets.
    fn of(
        held: Option<&Manifest>,
        registered: &Registered,
        tickets: &[TicketingTicket],
    ) -> Result<Self, Error> {
        let known = held.into_iter().flat_map(Manifest::sections);
        let mut codes: BTreeMap<String, u16> = known.map(|(code, name)| (name.to_owned(), code)).collect();
        let of_tickets = tickets.iter().filter_map(|ticket| ticket.section.as_ref());
        let named: BTreeSet<_> =
            registered.section_uris.iter().chain(of_tickets).map(|uri| name(uri)).collect();
        let mut last = codes.values().copied().max().unwrap_or(0);
        for name in named {
            if let Entry::Vacant(place) = codes.entry(name) {
                let too_many = Error::Untrusted { what: "the event has more sections than a manifest takes" };
                last = last.checked_add(1).ok_or(too_many)?;
                place.insert(last);
            }
        }
        Ok(Self(codes))
    }

    fn code(&self, uri: &str) -> Option<u16> {
        self.0.get(&name(uri)).copied()
    }

    /// The sections that the door lets in, rising; none where it lets in all.
    fn of_door(&self, registered: &Registered) -> Vec<u16> {
        let codes: BTreeSet<_> = registered.section_uris.iter().filter_map(|uri| self.code(uri)).collect();
        codes.into_iter().collect()
    }

    fn names(&self) -> BTreeMap<u16, String> {
        self.0.iter().map(|(name, code)| (*code, name.clone())).collect()
    }
}

/// A section's name in a manifest: the last part of its address, or the hash of one that is longer than 64 bytes.
fn name(uri: &str) -> String {
    match last_part(uri) {
        short if (1..=64).contains(&short.len()) => short.to_owned(),
        other => hex::encode(digest(&SHA256, other.as_bytes())),
    }
}

/// A key that may no longer do what the code was for has ended: its code was deleted, or changed.
fn of_key(error: Error) -> Error {
    match error {
        Error::Status { status: 403, .. } => Error::SignedOut,
        other => other,
    }
}

fn hashed(field: &'static str, error: ProviderError) -> Error {
    Error::Input { field, reason: error.to_string() }
}
