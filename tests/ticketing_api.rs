//! Promise: each operation of TickeTing that public documents name is spoken over HTTP as they have it, with every header,
//! error and page, whatever of what they leave open a server has chosen.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/festival.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod festival;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/script.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod script;

#[path = "ticketing_api/gate.rs"]
mod gate;
#[path = "ticketing_api/headers.rs"]
mod headers;
#[path = "ticketing_api/holder.rs"]
mod holder;
#[path = "ticketing_api/orders.rs"]
mod orders;
#[path = "ticketing_api/refusals.rs"]
mod refusals;
#[path = "ticketing_api/sessions.rs"]
mod sessions;
#[path = "ticketing_api/tokens.rs"]
mod tokens;
#[path = "ticketing_api/transfers.rs"]
mod transfers;
#[path = "ticketing_api/wallet.rs"]
mod wallet;
