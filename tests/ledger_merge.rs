//! Promise: scanners that hear each other, in whatever order and however often, agree on who came in.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "ledger_merge/between_gates.rs"]
mod between_gates;
#[path = "ledger_merge/by_server.rs"]
mod by_server;
#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/hooked_vault.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod hooked_vault;
#[path = "ledger_merge/liars.rs"]
mod liars;
#[path = "ledger_merge/much.rs"]
mod much;
#[path = "ledger_merge/oracle.rs"]
mod oracle;
#[path = "ledger_merge/peers.rs"]
mod peers;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "ledger_merge/plan.rs"]
mod plan;
#[path = "ledger_merge/properties.rs"]
mod properties;
#[path = "support/raw_key.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod raw_key;
mod support;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "ledger_merge/twists.rs"]
mod twists;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;
