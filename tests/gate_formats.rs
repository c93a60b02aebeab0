//! Promise: manifests, deltas, scanner certificates, ledger records, and what scanners tell each other are read and written byte for byte as
//! `docs/gate.md` says, and anything else is refused with a reason. The vectors were made from that text alone by an
//! implementation that shares no code with this one.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

#[path = "gate_formats/exchange.rs"]
mod exchange;
#[path = "gate_formats/sizes.rs"]
mod sizes;
mod support;
#[path = "gate_formats/vectors.rs"]
mod vectors;
