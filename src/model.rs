//! Records and enums that every layer speaks in. No input or output here.

mod account;
mod ids;
mod pulled;
mod ticket;

pub use account::{Account, AccountState, SignIn, StoredAccount, SystemConfig, TicketSystem, Tokens};
pub use ids::{EventHash, Provider, ProviderError, TicketHash};
pub use pulled::{PulledEvent, PulledTicket};
pub use ticket::{
    BarcodeProfile, Event, NoBarcodeReason, TicketDetail, TicketFilter, TicketFormat, TicketStatus,
    TicketSummary,
};
