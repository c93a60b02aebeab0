//! Promise: what a person changes is kept at once, reaches its server once and in order whatever happens on the way, and
//! what does not reach it stays to be seen.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/desk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod desk;
#[path = "support/forged.rs"]
mod forged_transport;
#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "support/line.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod line;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

#[path = "outbox/accounts.rs"]
mod accounts;
#[path = "outbox/barcode.rs"]
mod barcode;
#[path = "outbox/by_itself.rs"]
mod by_itself;
#[path = "outbox/faults.rs"]
mod faults;
#[path = "outbox/keys.rs"]
mod keys;
#[path = "outbox/limits.rs"]
mod limits;
#[path = "outbox/order.rs"]
mod order;
#[path = "outbox/pausing.rs"]
mod pausing;
#[path = "outbox/pulling.rs"]
mod pulling;
#[path = "outbox/read_back.rs"]
mod read_back;
