//! Promise: a gate lets in whom it should with no network, says why not, and keeps what it said.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "gate/bam.rs"]
mod bam;
#[path = "support/bam_client.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod bam_client;
#[path = "gate/certificates.rs"]
mod certificates;
#[path = "gate/ledger.rs"]
mod ledger;
#[path = "gate/manifests.rs"]
mod manifests;
#[path = "support/mutants.rs"]
mod mutants;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "gate/policies.rs"]
mod policies;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "gate/remembered.rs"]
mod remembered;
mod support;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;
#[path = "gate/verdicts.rs"]
mod verdicts;
