//! Records and enums that every layer speaks in. No input or output here.

mod account;
mod ids;
mod ticket;

pub use account::{Account, AccountState, SignIn, System, SystemConfig};
pub use ids::{EventHash, Provider, ProviderError, TicketHash};
pub use ticket::{
    BarcodeProfile, Event, NoBarcodeReason, TicketDetail, TicketFilter, TicketFormat, TicketStatus,
    TicketSummary,
};
