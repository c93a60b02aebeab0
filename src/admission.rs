//! What a gate decides: pure rules over a scanned code, the event's manifest and what the ledger holds of the ticket.
//!
//! The checks of a code come first, in the order of `docs/barcode.md`; then, each of them only when all before hold:
//! profile, generation, state at the server, replay, and how often the ticket has let in. The first that fails is the
//! verdict.

mod code;
mod decision;
mod doubles;
mod history;
mod standing;

pub use code::{Knowledge, ReadCode};
pub use decision::{Allowed, Decision, Direction, Earlier, decide};
pub use doubles::extra_entries;
pub use history::{Entry, History, Inside, Passage, Seen, UNDO_MS};
pub use standing::{Standing, revoked};
