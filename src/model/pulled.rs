//! Tickets and events as a connector delivers them: the system's record, and what the wallet shows taken out of it.

use super::document::StaticCode;
use super::ids::{EventHash, TicketHash};
use super::ticket::{BarcodeProfile, TicketFormat, TicketStatus};

/// An event as a pull delivered it.
#[derive(Clone, PartialEq, Eq)]
pub struct PulledEvent {
    /// Id inside signed bytes.
    pub hash: EventHash,
    /// The system's id.
    pub remote_id: String,
    /// Name.
    pub name: String,
    /// Place.
    pub venue: Option<String>,
    /// Unix seconds.
    pub starts_at: Option<i64>,
    /// Unix seconds.
    pub ends_at: Option<i64>,
    /// IANA name.
    pub time_zone: Option<String>,
    /// The system's record as JSON.
    pub body: String,
}

/// A ticket as a pull delivered it.
#[derive(Clone, PartialEq, Eq)]
pub struct PulledTicket {
    /// Id inside signed bytes.
    pub id: TicketHash,
    /// The tenant that sold it.
    pub tenant: Option<String>,
    /// The system's id.
    pub remote_id: String,
    /// Its event.
    pub event: Option<PulledEvent>,
    /// What kind of ticket.
    pub category: Option<String>,
    /// How it is delivered.
    pub format: TicketFormat,
    /// Where it stands.
    pub status: TicketStatus,
    /// Which barcode it carries, as far as the server's answer tells.
    pub profile: BarcodeProfile,
    /// Sector.
    pub section: Option<String>,
    /// Seat.
    pub seat: Option<String>,
    /// From when on its system counts it as no longer valid, Unix seconds; `None` where it keeps no such rule.
    pub expires_at: Option<i64>,
    /// Its code that never changes, where the record holds one.
    pub static_code: Option<StaticCode>,
    /// The holder's name.
    pub holder: Option<String>,
    /// The system's record as JSON.
    pub body: String,
}

opaque_debug!(PulledEvent, PulledTicket);
