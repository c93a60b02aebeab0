//! A ticket as it travels, and what the wallet shows of it.

use ring::digest::{SHA256, digest};

use super::super::unidy::raw::{self, Members};
use super::events::TicketingEvent;
use super::time::read_time;
use super::{Ticketing, input};
use crate::error::Error;
use crate::model::expiry::Zone;
use crate::model::{
    BarcodeProfile, OfficeTicket, PulledEvent, PulledTicket, StaticCode, Symbology, TicketFormat,
    TicketStatus, TicketingCode,
};
use crate::remote::bounds;

/// A ticket. A field of an unexpected type counts as absent; the record holds it all the same.
#[derive(Clone, PartialEq, Eq)]
pub struct TicketingTicket {
    /// Its address below the API's.
    pub uri: Option<String>,
    /// Names it: `ABC123-0123456789AB`, or what a server writes.
    pub serial: String,
    /// In the server's words: `Issued`, `Pending`, `Held`, or what it adds.
    pub status: Option<String>,
    /// The section's address.
    pub section: Option<String>,
    /// The section's name, where the record has the section itself.
    pub section_name: Option<String>,
    /// The event's id, from the section's address or the record's own.
    pub event_id: Option<String>,
    /// The address of the account that owns it.
    pub owner: Option<String>,
    /// When it was issued, in the server's words.
    pub issued: Option<String>,
    /// When it was redeemed, in the server's words; `N/A` for never.
    pub redeemed: Option<String>,
    record: String,
}

opaque_debug!(TicketingTicket);

impl TicketingTicket {
    /// Reads a record. `None` when it is no object, has no serial, or nests deeper than 100 levels.
    pub fn read(record: &str) -> Option<Self> {
        let members = Members::read(record).filter(|_| bounds::check(record.as_bytes()).is_ok())?;
        let section = address(&members, "section");
        let named = members.object("section");
        let of_section = section.as_deref().and_then(|uri| part_after(uri, "events")).map(str::to_owned);
        let own = address(&members, "event").map(|uri| last_part(&uri).to_owned());
        Some(Self {
            uri: members.text("self"),
            serial: members.label("serial").filter(|serial| !serial.is_empty())?,
            status: members.text("status"),
            section_name: named.and_then(|section| section.text("name")),
            event_id: own.or(of_section).filter(|id| !id.is_empty()),
            section,
            owner: address(&members, "owner"),
            issued: members.text("issued"),
            redeemed: members.text("redeemed"),
            record: record.to_owned(),
        })
    }

    /// The whole record as it was written, unknown members included.
    pub fn record(&self) -> &str {
        &self.record
    }

    /// When it was issued, Unix seconds; times without an offset are of a zone.
    pub fn issued_at(&self, zone: Zone) -> Option<i64> {
        read_time(self.issued.as_deref()?, zone)
    }

    /// When it was redeemed, Unix seconds; `None` for never.
    pub fn redeemed_at(&self, zone: Zone) -> Option<i64> {
        read_time(self.redeemed.as_deref()?, zone)
    }

    /// Where it stands: one that was redeemed is used, whatever its status says.
    pub fn state(&self, zone: Zone) -> TicketStatus {
        let status = self.status.as_deref().unwrap_or_default();
        if self.redeemed_at(zone).is_some() || status.eq_ignore_ascii_case("redeemed") {
            TicketStatus::Invalidated
        } else {
            TicketStatus::from_text(status)
        }
    }

    /// The fingerprint of the API's version 2: SHA-256 of `serial;owner`. `None` without an owner.
    pub fn fingerprint(&self) -> Option<String> {
        let owner = last_part(self.owner.as_deref()?);
        Some(hex::encode(digest(&SHA256, format!("{};{owner}", self.serial).as_bytes()).as_ref()))
    }

    /// The ticket as a host sees it.
    pub fn as_office_ticket(&self, zone: Zone) -> OfficeTicket {
        OfficeTicket {
            remote_id: self.serial.clone(),
            status: self.state(zone),
            ticket_config_id: None,
            enrollment_id: None,
            body_json: self.record.clone(),
            unidy: None,
        }
    }
}

impl Ticketing {
    /// A ticket as the wallet keeps it; its event as far as it is known.
    ///
    /// # Errors
    /// [`Error::Input`] for ids that cannot be hashed.
    pub fn normalise(
        &self,
        ticket: &TicketingTicket,
        event: Option<&TicketingEvent>,
    ) -> Result<PulledTicket, Error> {
        let provider = self.provider()?;
        let hashed = |e: crate::model::ProviderError| Error::Input { field: "serial", reason: e.to_string() };
        let pulled_event = match &ticket.event_id {
            None => None,
            Some(id) => Some(PulledEvent {
                hash: provider.event(id).map_err(hashed)?,
                remote_id: id.clone(),
                name: event.and_then(|event| event.title.clone()).unwrap_or_else(|| id.clone()),
                venue: event.and_then(|event| event.venue.clone()),
                starts_at: event.and_then(|event| event.starts_at),
                ends_at: event.and_then(|event| event.ends_at),
                time_zone: None,
                body: event.map_or_else(String::new, |event| event.record().to_owned()),
            }),
        };
        let section = ticket.section.as_deref().map(last_part);
        let known = section.and_then(|id| event?.sections.get(id).cloned());
        let static_code = self.static_code(ticket);
        Ok(PulledTicket {
            id: provider.ticket(&ticket.serial).map_err(hashed)?,
            tenant: None,
            remote_id: ticket.serial.clone(),
            event: pulled_event,
            category: None,
            format: TicketFormat::Other { text: String::new() },
            status: ticket.state(self.zone),
            profile: if static_code.is_some() { BarcodeProfile::Static } else { BarcodeProfile::None },
            section: ticket.section_name.clone().or(known).or_else(|| section.map(str::to_owned)),
            seat: None,
            expires_at: None,
            static_code,
            holder: None,
            body: ticket.record().to_owned(),
        })
    }

    fn static_code(&self, ticket: &TicketingTicket) -> Option<StaticCode> {
        let (text, source) = match self.config.codes.unwrap_or_default() {
            TicketingCode::None => return None,
            TicketingCode::Serial => (ticket.serial.clone(), "serial"),
            TicketingCode::Fingerprint => (ticket.fingerprint()?, "fingerprint"),
        };
        Some(StaticCode { text, symbology: Symbology::Undeclared, source: source.to_owned() })
    }
}

/// That every one of these has something in it, and there is one.
pub(super) fn checked(field: &'static str, values: &[String]) -> Result<(), Error> {
    if values.is_empty() || values.iter().any(|value| value.trim().is_empty()) {
        return Err(input(field, "name one at least, and none that is empty"));
    }
    Ok(())
}

/// A member that is an address, or a record with its own: `self`, `uri`, or the number that stands for it.
pub(super) fn address(members: &Members<'_>, name: &str) -> Option<String> {
    members.label(name).or_else(|| {
        let record = members.object(name)?;
        ["self", "uri", "number", "id"].iter().find_map(|name| record.label(name))
    })
}

/// The addresses of a list, each as it is or as its record has it.
pub(super) fn addresses(json: &str) -> Option<Vec<String>> {
    let one = |item: &str| {
        raw::label(item).or_else(|| {
            let record = Members::read(item)?;
            ["self", "uri", "id"].iter().find_map(|name| record.label(name))
        })
    };
    raw::items(json)?.into_iter().map(one).collect()
}

/// The last part of an address: the id of what it names.
pub fn last_part(uri: &str) -> &str {
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The part of an address that follows one of this name.
pub(super) fn part_after<'a>(uri: &'a str, name: &str) -> Option<&'a str> {
    let mut parts = uri.split(['?', '#']).next()?.split('/');
    parts.find(|part| *part == name)?;
    parts.next().filter(|part| !part.is_empty())
}
