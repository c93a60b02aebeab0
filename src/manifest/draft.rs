//! Writes manifests: what a server puts into one.

use std::collections::{BTreeMap, BTreeSet};

use super::head::Head;
use super::row::{CodeHash, Profile, TicketRow, TicketState};
use super::tables::{Epoch, Issuer, Kind, MAX_NAME, MAX_SEAT, RevokedScanner, put};
use super::{MAGIC, Manifest, ManifestError};
use crate::bytes::put_text;
use crate::model::TicketHash;

/// Why a manifest cannot be made of this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {reason}")]
pub struct DraftError {
    /// The field that is wrong.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A ticket that goes into a manifest.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftTicket {
    /// The ticket.
    pub id: TicketHash,
    /// A lower generation does not let in; 0 for a ticket that is not signed.
    pub floor: u16,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// Where it stands.
    pub state: TicketState,
    /// Which code lets in.
    pub profile: Profile,
    /// How many times or days, where the ticket has its own number.
    pub entries: Option<u8>,
    /// The text of a code that never changes: a plain code, or `E…TC…T…` of a B.A.M ticket. A signed ticket may have one,
    /// so that a scanner that reads it can say what is wrong.
    pub code: Option<String>,
    /// Its seat, as staff read it.
    pub seat: Option<String>,
}

/// What goes into a manifest. Order does not matter, but of two rows with one key none is right.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// The event as a whole.
    pub head: Head,
    /// Issuers' keys.
    pub issuers: Vec<Issuer>,
    /// Sections: code and name.
    pub sections: BTreeMap<u16, String>,
    /// Days: begin and end, both in it.
    pub days: Vec<(u32, u32)>,
    /// Epochs of the venue nonce.
    pub epochs: Vec<Epoch>,
    /// Tickets.
    pub tickets: Vec<DraftTicket>,
    /// B.A.M's event key, X9.63 uncompressed.
    pub event_key: Option<Vec<u8>>,
    /// Scanners whose later records do not count.
    pub revoked: Vec<RevokedScanner>,
}

opaque_debug!(DraftTicket, Draft);

impl Draft {
    /// The manifest's bytes without a signature.
    ///
    /// # Errors
    /// [`DraftError`] naming the field.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DraftError> {
        self.check()?;
        let mut tickets: Vec<&DraftTicket> = self.tickets.iter().collect();
        tickets.sort_by_key(|ticket| ticket.id.0);
        let mut bytes = MAGIC.to_vec();
        self.head.write(&mut bytes);
        put(&mut bytes, Kind::Issuers as u8, &rows(&self.issuers, issuer));
        put(
            &mut bytes,
            Kind::Sections as u8,
            &rows(&self.sections, |(code, name), row| {
                row.extend(code.to_be_bytes());
                put_text(row, name);
            }),
        );
        let (mut days, mut epochs, mut revoked) =
            (self.days.clone(), self.epochs.clone(), self.revoked.clone());
        days.sort_unstable();
        epochs.sort_by_key(|epoch| epoch.begin);
        revoked.sort_by_key(|one| (one.scanner, one.chain));
        put(&mut bytes, Kind::Days as u8, &rows(&days, |(begin, end), row| times(*begin, *end, row)));
        put(
            &mut bytes,
            Kind::Epochs as u8,
            &rows(&epochs, |epoch, row| {
                times(epoch.begin, epoch.end, row);
                row.extend(epoch.nonce);
            }),
        );
        put(&mut bytes, Kind::Tickets as u8, &rows(&tickets, |ticket, row| self.row(ticket).write(row)));
        let seated = tickets.iter().filter_map(|ticket| Some((ticket.id, ticket.seat.as_deref()?)));
        put(
            &mut bytes,
            Kind::Seats as u8,
            &rows(seated, |(id, seat), row| {
                row.extend(id.0);
                put_text(row, seat);
            }),
        );
        put(&mut bytes, Kind::EventKey as u8, self.event_key.as_deref().unwrap_or_default());
        put(&mut bytes, Kind::Revoked as u8, &rows(&revoked, revoked_scanner));
        self.read_back(bytes)
    }

    fn row(&self, ticket: &DraftTicket) -> TicketRow {
        let code = ticket.code.as_ref().map(|code| CodeHash::of(self.head.event, code.as_bytes()));
        TicketRow {
            id: ticket.id,
            floor: ticket.floor,
            section: ticket.section,
            state: ticket.state,
            profile: ticket.profile,
            entries: ticket.entries,
            code: code.unwrap_or(CodeHash([0; 12])),
        }
    }

    fn check(&self) -> Result<(), DraftError> {
        let wrong = |field, reason| Err(DraftError { field, reason });
        if self.head.sequence == 0 || self.head.entries == 0 {
            return wrong("head", "sequence and entries count from 1");
        }
        if !self.head.unlisted.works_without_row() {
            return wrong("unlisted", "a ticket with a plain code needs a row");
        }
        if self.sections.values().any(|name| name.is_empty() || name.len() > MAX_NAME) {
            return wrong("sections", "a name has 1 to 64 bytes");
        }
        let mut ids = BTreeSet::new();
        for ticket in &self.tickets {
            if !ids.insert(ticket.id.0) {
                return wrong("tickets", "a ticket comes twice");
            }
            if self.row(ticket).fault().is_some() || ticket.entries == Some(0) {
                return wrong(
                    "tickets",
                    "signed tickets have a generation and no other has; all others have a code",
                );
            }
            if ticket.seat.as_ref().is_some_and(|seat| seat.is_empty() || seat.len() > MAX_SEAT) {
                return wrong("tickets", "a seat has 1 to 255 bytes");
            }
        }
        Ok(())
    }

    /// What a gate would not read is not given out.
    fn read_back(&self, bytes: Vec<u8>) -> Result<Vec<u8>, DraftError> {
        let manifest = match Manifest::from_body(bytes) {
            Ok(manifest) if manifest.body().len() + super::SIGNATURE_LEN <= super::MAX_BYTES => manifest,
            Ok(_) | Err(ManifestError::TooLong) => {
                return Err(DraftError { field: "tickets", reason: "more than fit into 16 MiB" });
            }
            Err(_) => {
                return Err(DraftError {
                    field: "tables",
                    reason: "a key that is none, times that run together, or one code of two tickets",
                });
            }
        };
        Ok(manifest.bytes)
    }
}

fn rows<T>(items: impl IntoIterator<Item = T>, write: impl Fn(T, &mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    items.into_iter().for_each(|item| write(item, &mut bytes));
    bytes
}

fn times(begin: u32, end: u32, row: &mut Vec<u8>) {
    row.extend(begin.to_be_bytes());
    row.extend(end.to_be_bytes());
}

fn issuer(issuer: &Issuer, row: &mut Vec<u8>) {
    row.extend(issuer.key);
    times(issuer.from, issuer.until.unwrap_or(0), row);
}

fn revoked_scanner(one: &RevokedScanner, row: &mut Vec<u8>) {
    row.extend(one.scanner);
    row.extend(one.chain);
    row.extend(one.last_good.to_be_bytes());
    row.extend(one.hash);
}
