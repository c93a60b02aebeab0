//! Promise: a gate gets from the server, over real HTTP, all that it works by, and nothing else than what is signed for it;
//! and the server counts nothing that a certified scanner did not sign.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "support/bam_client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod bam_client;
#[path = "support/gatehouse.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod gatehouse;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;

#[path = "gate_server/bam.rs"]
mod bam;
#[path = "gate_server/ledger.rs"]
mod ledger;
#[path = "gate_server/manifest.rs"]
mod manifest;
#[path = "gate_server/report.rs"]
mod report;
#[path = "gate_server/sign_in.rs"]
mod sign_in;

use ticket_wallet::error::Error;

/// Status and code of a refusal.
fn refusal<T>(outcome: Result<T, Error>) -> (u16, String) {
    match outcome.err() {
        Some(Error::Status { status, server_code, .. }) => {
            let code = server_code.unwrap_or_default();
            (status, code.rsplit(':').next().unwrap_or_default().to_owned())
        }
        other => panic!("{other:?}"),
    }
}
