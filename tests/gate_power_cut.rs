//! Promise: when a gate says `Admit`, the record is on the disk: a power cut right after it costs nothing.
#![allow(clippy::panic, clippy::unwrap_used, missing_docs)]
#![allow(clippy::print_stdout, reason = "the seed of a run that fails")]

#[path = "support/counts.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod counts;
#[path = "support/disk.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod disk;
#[path = "support/files.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod files;
#[path = "support/moments.rs"]
mod moments;
#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
mod raw_key;
mod support;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;

use disk::OnDisk;
use files::{Files, files, put};
use moments::{Moments, seed};
use phone::TestClock;
use ticket_wallet::ledger::Verdict;
use venue::{Shown, Venue, open};

const TICKETS: [&str; 8] = ["1", "2", "3", "4", "5", "6", "7", "8"];

/// A prepared gate admits some people and the power is cut right after the last `Admit`. Whether a gate that is opened on
/// what the disk surely has knows of each of them.
fn knows_all(venue: &Venue, prepared: &Files, moments: &mut Moments, syncs: bool) -> bool {
    let folder = tempfile::tempdir().unwrap();
    put(prepared, folder.path());
    disk::watch(folder.path(), usize::MAX, syncs);
    let gate = open(folder.path(), &venue.clock).unwrap();
    let admitted = usize::try_from(1 + moments.below(TICKETS.len() as u64)).unwrap();
    for ticket in &TICKETS[..admitted] {
        let said = gate.scan(venue.show(&Shown::of(ticket)).into_bytes(), 1).unwrap();
        assert_eq!(said.verdict, Verdict::Admit);
    }
    let cut = disk::stop();
    drop(gate);
    let mut left = cut.others.clone();
    // Of what was not synced, each sector is there or not.
    let lucky = moments.below(2) == 0;
    for (name, file) in &cut.files {
        left.insert(name.clone(), OnDisk::after(file, &mut |_| lucky && moments.below(2) == 0));
    }
    put(&left, folder.path());
    let Ok(gate) = open(folder.path(), &venue.clock) else { return false };
    let Ok(records) = gate.records(100) else { return false };
    let lost_nobody = records.len() == admitted;
    if lost_nobody {
        let again = gate.scan(venue.show(&Shown::of(TICKETS[admitted - 1])).into_bytes(), 1).unwrap();
        assert_eq!(again.verdict, Verdict::Replayed);
    }
    lost_nobody
}

#[tokio::test]
async fn whoever_was_admitted_is_on_the_disk() {
    let clock = TestClock::new();
    let venue = Venue::new(&clock);
    let door = venue.door().await;
    let venue::Door { folder, gate, .. } = door;
    drop(gate);
    let prepared = files(folder.path());
    disk::insert();
    let (cuts, seed) = (counts::in_step(counts::CUTS), seed());
    println!("{cuts} cuts; PROPTEST_RNG_SEED={seed}");
    let mut moments = Moments(seed);
    for number in 0..cuts {
        assert!(knows_all(&venue, &prepared, &mut moments, true), "cut {number}");
    }
    // The same on a disk that forgets to sync: the test would notice.
    let lost = (0..20).filter(|_| !knows_all(&venue, &prepared, &mut moments, false)).count();
    println!("without syncs {lost} of 20");
    assert!(lost > 15, "{lost} of 20 cuts were noticed without syncs");
}
