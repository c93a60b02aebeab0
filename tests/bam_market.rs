//! Promise: a holder at B.A.M sells and hands over SECURE tickets by signed transactions of its ledger; whatever answer is
//! lost, a ticket is offered once, handed over once, and nobody is told what is not so.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs)]

#[path = "support/client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod client;
#[path = "support/forged.rs"]
mod forged_transport;
#[path = "support/line.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod line;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/seller.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod seller;
#[path = "support/tenants.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tenants;

#[path = "bam_market/forged.rs"]
mod forged;
#[path = "bam_market/ledger.rs"]
mod ledger;
#[path = "bam_market/lost.rs"]
mod lost;
#[path = "bam_market/rules.rs"]
mod rules;
#[path = "bam_market/sale.rs"]
mod sale;
#[path = "bam_market/transfer.rs"]
mod transfer;
