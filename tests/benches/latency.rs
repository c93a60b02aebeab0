//! How long `present` takes in Rust. Fills FOLDER with a wallet for the same measurement in Kotlin and Swift, and prints
//! the ticket that it shows.
//! usage: latency FOLDER WARM_UP CALLS
#![allow(clippy::print_stdout, clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::time::Instant;

#[path = "../support/stocked.rs"]
mod stocked;

fn main() {
    // cargo adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [folder, warm_up, calls] = &arguments[..] else { panic!("usage: latency FOLDER WARM_UP CALLS") };
    let (wallet, ticket) = stocked::wallet_in(Path::new(folder), 24);
    let present = |_| {
        let start = Instant::now();
        let frame = wallet.present(ticket.clone(), None).unwrap();
        let took = start.elapsed().as_nanos();
        assert!(!frame.text.is_empty());
        took
    };
    let times = |count: &str| (0..count.parse::<u32>().unwrap()).map(present).collect::<Vec<u128>>();
    times(warm_up);
    let mut took = times(calls);
    took.sort_unstable();
    println!("ticket: {ticket}");
    println!("median in ns: {}", took[took.len() / 2]);
}
