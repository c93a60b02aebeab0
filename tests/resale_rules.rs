//! Promise: a listing and a transfer go only where their rules let them, what is shown of a barcode meanwhile is decided by
//! one table, and amounts of money are exact.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/source.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod source;

#[path = "resale_rules/barcode.rs"]
mod barcode;
#[path = "resale_rules/breakdown.rs"]
mod breakdown;
#[path = "resale_rules/intent.rs"]
mod intent;
#[path = "resale_rules/listing.rs"]
mod listing;
#[path = "resale_rules/money.rs"]
mod money;
#[path = "resale_rules/offered.rs"]
mod offered;
#[path = "resale_rules/prices.rs"]
mod prices;
#[path = "resale_rules/transfer.rs"]
mod transfer;
