//! Tickets and events as the wallet shows them.

use super::market::Listing;
use super::unidy::UnidyFields;

/// How a ticket is delivered. What a server adds later is kept as its text.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TicketFormat {
    /// An attachment of an e-mail.
    Pdf,
    /// A ticket of the wallet app.
    Secure,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

/// Where a ticket stands. B.A.M's flow is `draft → available → reserved → confirmed → issued → activated →
/// invalidated`; `unavailable` is a cancelled event. Unidy's are `active`, `passive` and `inactive`.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum TicketStatus {
    /// Created.
    Draft,
    /// On the ledger, for sale.
    Available,
    /// Held for somebody.
    Reserved,
    /// Paid or called to be issued.
    Confirmed,
    /// Owned.
    Issued,
    /// Activated by the owner's wallet.
    Activated,
    /// Used.
    Invalidated,
    /// The event was cancelled.
    Unavailable,
    /// Valid (Unidy).
    Active,
    /// Valid, and kept in the background (Unidy).
    Passive,
    /// No longer valid (Unidy).
    Inactive,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

open_enum!(TicketFormat { Pdf = "PDF", Secure = "SECURE" });
open_enum!(TicketStatus {
    Draft = "draft",
    Available = "available",
    Reserved = "reserved",
    Confirmed = "confirmed",
    Issued = "issued",
    Activated = "activated",
    Invalidated = "invalidated",
    Unavailable = "unavailable",
    Active = "active",
    Passive = "passive",
    Inactive = "inactive",
});

impl TicketStatus {
    /// Where it stands by its system's own rule at `now`: a valid ticket whose time is over is no longer valid, even
    /// where the server has not said so yet. Unix seconds.
    pub fn at(&self, expires_at: Option<i64>, now: i64) -> Self {
        let over = expires_at.is_some_and(|at| at <= now);
        if over && matches!(self, Self::Active | Self::Passive) { Self::Inactive } else { self.clone() }
    }

    /// Whether a ticket that stands so lets somebody in.
    pub fn admits(&self) -> bool {
        matches!(self, Self::Issued | Self::Activated | Self::Active | Self::Passive)
    }
}

/// Which barcode a ticket carries: exactly one, never guessed. A signed ticket stays signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum BarcodeProfile {
    /// Rotating and signed by this device.
    Signed,
    /// A code that never changes.
    Static,
    /// None: the ticket has no barcode here (yet).
    None,
}

impl BarcodeProfile {
    /// The lower-case name.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Static => "static",
            Self::None => "none",
        }
    }
}

/// Why a ticket has no barcode to show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum NoBarcodeReason {
    /// The ticket is a PDF or pass that came by e-mail.
    DeliveredElsewhere,
    /// The ticketing system does not offer signed barcodes, and gave no other code.
    NotOffered,
    /// The event is further away than the wallet binds ahead, or no sync has bound it yet.
    NotBoundYet,
    /// The ticket is bound to another device.
    BoundElsewhere,
    /// The device key of this ticket is gone.
    NeedsRebind,
    /// The lease has run out; the wallet must go online.
    LeaseEnded,
    /// The server sent a credential that fails its check; it was not kept.
    BadCredential,
    /// The server says the ticket was used, cancelled or is not issued.
    NotUsable,
    /// The barcode was given up: for a transfer, or on request.
    HandedOver,
    /// The ticket is for sale, or about to be: its listing says more.
    Listed,
    /// A buyer is paying for the ticket.
    Reserved,
    /// The ticket was sold.
    Sold,
}

impl NoBarcodeReason {
    /// Stands in place of a problem type when the server's credential failed its check.
    pub const BAD_CREDENTIAL: &'static str = "bad-credential";

    /// Stands in place of a problem type when this device gave the credential up.
    pub const SURRENDERED: &'static str = "surrendered-here";

    /// The last part of the problem type with which a server refuses to bind a ticket that is for sale.
    pub const TICKET_LISTED: &'static str = "ticket-listed";

    /// What the problem type of a refused binding means for the barcode; the type's last part counts
    /// (`urn:ticket-wallet:problem:bound-elsewhere`).
    pub fn of_refusal(problem_type: &str) -> Self {
        match problem_type.rsplit([':', '/']).next() {
            Some("bound-elsewhere") => Self::BoundElsewhere,
            Some("not-eligible") => Self::NotUsable,
            Some(Self::BAD_CREDENTIAL) => Self::BadCredential,
            Some(Self::SURRENDERED) => Self::HandedOver,
            Some(Self::TICKET_LISTED) => Self::Listed,
            _ => Self::NotBoundYet,
        }
    }

    /// What it means and what helps, for a person.
    pub fn advice(self) -> &'static str {
        match self {
            Self::DeliveredElsewhere => "this ticket was delivered by e-mail; show that document",
            Self::NotOffered => "the ticketing system gives no barcode for this ticket; ask the organiser",
            Self::NotBoundYet => "the barcode is made ready some days before the event; sync then",
            Self::BoundElsewhere => "this ticket is bound to another device; show it there",
            Self::NeedsRebind => "this device's key for the ticket is gone; sync to bind it again",
            Self::LeaseEnded => "the barcode's lease has ended; go online and sync",
            Self::BadCredential => "the server sent a barcode that fails its check; ask the organiser",
            Self::HandedOver => {
                "the barcode was given up or is on its way to somebody else; cancel the transfer, or pin the ticket \
                 and sync, to get it back"
            }
            Self::Listed => "the ticket is for sale; withdraw the listing and sync, to get the barcode back",
            Self::Reserved => "a buyer is paying for the ticket; if they do not in time, it is yours again",
            Self::Sold => "the ticket was sold",
            Self::NotUsable => "the ticket is not in a state that admits: see its status",
        }
    }
}

/// One row of the ticket list.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct TicketSummary {
    /// The ticket's id in this wallet: 24 hex digits, the ticket id inside signed bytes.
    pub id: String,
    /// The account it belongs to.
    pub account_id: String,
    /// The event's name, or the ticket's own where there is no event.
    pub title: String,
    /// What kind of ticket: category or ticket configuration.
    pub category: Option<String>,
    /// How it is delivered.
    pub format: TicketFormat,
    /// Where it stands, as the server says.
    pub status: TicketStatus,
    /// Where it stands by its system's own rule now: a server may be minutes late to say so.
    pub effective_status: TicketStatus,
    /// From when on its system counts it as no longer valid, Unix seconds; `None` where it keeps no such rule.
    pub expires_at: Option<i64>,
    /// Which barcode it carries.
    pub profile: BarcodeProfile,
    /// The event's id inside signed bytes, 16 hex digits, by which lists are grouped.
    pub event_hash: Option<String>,
    /// Start, Unix seconds.
    pub starts_at: Option<i64>,
    /// End, Unix seconds.
    pub ends_at: Option<i64>,
    /// Place.
    pub venue: Option<String>,
    /// Sector or section.
    pub section: Option<String>,
    /// Seat.
    pub seat: Option<String>,
}

/// A ticket with everything that is known of it.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct TicketDetail {
    /// What the list shows.
    pub summary: TicketSummary,
    /// The ticketing system's own id.
    pub remote_id: String,
    /// The event.
    pub event: Option<Event>,
    /// The holder's name, where the system tells it.
    pub holder: Option<String>,
    /// The system's whole record as JSON, unknown fields included.
    pub body_json: String,
    /// Generation of the credential held.
    pub generation: Option<u16>,
    /// End of the lease, Unix seconds.
    pub lease_end: Option<i64>,
    /// Why no barcode would be shown now.
    pub no_barcode: Option<NoBarcodeReason>,
    /// What the record says, typed, with Unidy.
    pub unidy: Option<UnidyFields>,
    /// Where the ticket's listing stands, where it is or was for sale, or shall be.
    pub listing: Option<Listing>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Event {
    /// The ticketing system's own id.
    pub remote_id: String,
    /// Event id inside signed bytes, 16 hex digits.
    pub hash: String,
    /// Name.
    pub name: String,
    /// Place.
    pub venue: Option<String>,
    /// Start, Unix seconds.
    pub starts_at: Option<i64>,
    /// End, Unix seconds.
    pub ends_at: Option<i64>,
    /// IANA time zone name.
    pub time_zone: Option<String>,
}

/// Tickets of one event, of whatever accounts.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct EventGroup {
    /// The event; `None` for tickets that have none, each of which is a group of its own.
    pub event: Option<Event>,
    /// The event's name, or the ticket's own.
    pub title: String,
    /// Start, Unix seconds.
    pub starts_at: Option<i64>,
    /// The tickets.
    pub tickets: Vec<TicketSummary>,
}

/// Which tickets to list. The default is the first 200 of all, soonest first.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct TicketFilter {
    /// Only of this account.
    #[uniffi(default = None)]
    pub account_id: Option<String>,
    /// Only those that start at or after this, Unix seconds; those without a start are always listed.
    #[uniffi(default = None)]
    pub starting_from: Option<i64>,
    /// At most this many.
    #[uniffi(default = 200)]
    pub limit: u32,
    /// Skip this many first.
    #[uniffi(default = 0)]
    pub offset: u32,
}

impl Default for TicketFilter {
    fn default() -> Self {
        Self { account_id: None, starting_from: None, limit: 200, offset: 0 }
    }
}

opaque_debug!(TicketSummary, TicketDetail, EventGroup);
