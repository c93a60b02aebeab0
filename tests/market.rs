//! Promise: a ticket that is sold or handed on never has two codes that let in, money and ticket end on matching sides, and
//! whoever owns it gets a code by coming online, whatever happens on the way.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod desk;
#[path = "market/fair.rs"]
mod fair;
#[path = "support/forged.rs"]
mod forged_transport;
#[path = "support/line.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod line;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod raw_key;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

#[path = "market/closing.rs"]
mod closing;
#[path = "market/filters.rs"]
mod filters;
#[path = "market/forged.rs"]
mod forged;
#[path = "market/let_go.rs"]
mod let_go;
#[path = "market/listing.rs"]
mod listing;
#[path = "market/lost.rs"]
mod lost;
#[path = "market/names.rs"]
mod names;
#[path = "market/one_wallet.rs"]
mod one_wallet;
#[path = "market/races.rs"]
mod races;
#[path = "market/sale.rs"]
mod sale;
#[path = "market/traces.rs"]
mod traces;
#[path = "market/transfers.rs"]
mod transfers;
#[path = "market/vanished.rs"]
mod vanished;
