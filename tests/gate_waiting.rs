//! Promise: while a gate takes a manifest into use, the app's other tasks go on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

#[path = "support/phone.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod phone;
#[path = "support/raw_key.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod raw_key;
mod support;
#[path = "support/tiny_server.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod tiny_server;
#[path = "support/venue.rs"]
#[allow(dead_code, reason = "each test program uses its own part")]
mod venue;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use ticket_wallet::ManifestRequest;

use phone::TestClock;
use venue::Venue;

/// All tasks are on one thread: one that waits for the store there holds up every other.
#[tokio::test]
async fn a_manifest_is_written_beside_other_tasks() {
    let venue = Venue::new(&TestClock::new());
    let door = venue.door().await;
    venue.offer(&ManifestRequest { sequence: 2, ..venue.request() });
    let (go_on, waiting) = mpsc::channel();
    let (is_writing, went_on) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (writing, went, waiting) = (Arc::clone(&is_writing), Arc::clone(&went_on), Mutex::new(waiting));
    fail::cfg_callback("manifest-written", move || {
        writing.store(true, Ordering::SeqCst);
        let told = waiting.lock().unwrap().recv_timeout(Duration::from_secs(20));
        went.store(told.is_ok(), Ordering::SeqCst);
    })
    .unwrap();
    let other = async {
        while !is_writing.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        go_on.send(()).unwrap();
    };
    let (prepared, ()) = tokio::join!(door.gate.prepare(), other);
    assert_eq!(prepared.unwrap().manifest_sequence, Some(2));
    assert!(went_on.load(Ordering::SeqCst), "another task ran while the manifest was written");
}
