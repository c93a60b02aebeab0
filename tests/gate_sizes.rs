//! Promise: a gate with 100,000 tickets takes bounded memory.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, missing_docs)]

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;

use crowd::{Peaks, TICKETS, be_measured, peaks};

/// The test that is the measured process when it is told a task.
const TEST: &str = "a_gate_at_work_tells_its_peak";
/// A gate with no ticket takes about 14 MiB; this manifest has 6 MB, and a newer one stands beside it for a while.
const PEAK_KIB: u64 = 48 << 10;

#[test]
fn a_gate_at_work_tells_its_peak() {
    be_measured();
}

#[test]
fn a_hundred_thousand_tickets_with_seats_take_bounded_memory() {
    let Peaks { sign_in, delta, again } = peaks(TICKETS, true, |command| {
        command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]);
    });
    println!("peaks in KiB: sign-in {sign_in}, delta {delta}, another manifest {again}");
    assert!([sign_in, delta, again].iter().all(|peak| *peak < PEAK_KIB), "{sign_in} {delta} {again}");
}
