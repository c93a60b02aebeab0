//! Records and enums that every layer speaks in. No input or output here.

#[macro_use]
mod named;

mod account;
mod document;
mod ids;
mod money;
mod office;
mod outbox;
mod pulled;
mod system;
mod ticket;

pub use account::{Account, AccountState, SignIn, StoredAccount, Tokens};
pub use document::{Document, StaticCode, Symbology};
pub use ids::{EventHash, Provider, ProviderError, TicketHash};
pub use money::{Money, MoneyError};
pub use office::{
    GroupOrder, OfficeTicket, OfficeWrite, OfficeWriteKind, OfficeWriteState, Reservation, ReservationItem,
};
pub use outbox::{
    OutboxItem, RejectionReason, Statement, Transfer, TransferState, Write, WriteKind, WriteState,
};
pub use pulled::{PulledEvent, PulledTicket};
pub use system::{BamConfig, CertificatePin, SystemConfig, TicketSystem, UnidyApi, UnidyConfig};
pub use ticket::{
    BarcodeProfile, Event, EventGroup, NoBarcodeReason, TicketDetail, TicketFilter, TicketFormat,
    TicketStatus, TicketSummary,
};
