//! A gate whose process is started and ended again and again, and what it has told of.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Child;

use tempfile::TempDir;
use ticket_wallet::ManifestRequest;
use ticket_wallet::ledger::Record;
use ticket_wallet::manifest::Profile;

use crate::app::{DECIDED, MERGED, TEST, codes_file, delta_file, gate_folder};
use crate::child::{self, End, Session};
use crate::peers::{Peer, code_bytes, delta, item, ticket};
use crate::phone::TestClock;
use crate::venue::{Shown, Venue, open};

const PLAIN: usize = 60;
const SIGNED: [&str; 12] = ["s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"];
/// Deltas that others send, each with 1 to 8 records.
const DELTAS: u64 = 40;

pub(crate) struct Story {
    folder: TempDir,
    /// The records of each delta.
    sent: BTreeMap<u64, Vec<String>>,
    decided: BTreeSet<String>,
    merged: BTreeSet<u64>,
}

impl Story {
    pub(crate) async fn begin() -> Self {
        let clock = TestClock::new();
        let venue = Venue::new(&clock);
        let plain: Vec<_> = (0..PLAIN).map(|number| format!("plain-{number:03}")).collect();
        let tickets = plain.iter().map(|code| Venue::row(code, Profile::Plain, Some(code))).collect();
        venue.offer(&ManifestRequest { tickets, ..venue.request() });
        let door = venue.door().await;
        let folder = tempfile::tempdir().unwrap();
        drop(door.gate);
        fs::create_dir(gate_folder(folder.path())).unwrap();
        for file in fs::read_dir(door.folder.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), gate_folder(folder.path()).join(file.file_name())).unwrap();
        }
        let signed = SIGNED.iter().map(|of| venue.show(&Shown::of(of)));
        fs::write(codes_file(folder.path()), Vec::from_iter(signed.chain(plain)).join("\n")).unwrap();
        let sent = send(&venue, &folder);
        Self { folder, sent, decided: BTreeSet::new(), merged: BTreeSet::new() }
    }

    /// Runs the gate to its end and writes down what it told of. Returns whether it ended before its work was done.
    pub(crate) fn run_app(&mut self, end: &End, seed: u64, early: bool) -> bool {
        let session = Session { folder: self.folder.path().to_owned(), seed, early };
        let linger = |_: &mut Child, turns| (0..turns).for_each(|_| std::hint::spin_loop());
        child::run(TEST, &session, end, linger, |line| self.hear(line))
    }

    fn hear(&mut self, line: &str) {
        if let Some((_, record)) = line.split_once(DECIDED) {
            self.decided.insert(record.to_owned());
        } else if let Some((_, number)) = line.split_once(MERGED) {
            self.merged.insert(number.parse().unwrap());
        }
    }

    pub(crate) fn told(&self) -> usize {
        self.decided.len() + self.merged.len()
    }

    /// Opens the gate and checks every promise.
    pub(crate) fn check(&self) {
        let gate = open(&gate_folder(self.folder.path()), &TestClock::new()).unwrap();
        let kept: BTreeSet<_> = gate.records(100_000).unwrap().into_iter().map(|one| one.id).collect();
        let lost: Vec<_> = self.decided.difference(&kept).collect();
        assert!(lost.is_empty(), "{lost:?}");
        for (number, records) in &self.sent {
            let there = records.iter().filter(|id| kept.contains(*id)).count();
            let is_whole = there == records.len();
            assert!(
                is_whole || (there == 0 && !self.merged.contains(number)),
                "{number}: {there} of {records:?}"
            );
        }
        let report = gate.report().unwrap();
        let own = report.scanners.iter().find(|one| one.is_here).unwrap().scanner.clone();
        assert!(report.forks.is_empty(), "{:?}", report.forks);
        // The chain goes on without a gap, whatever came between two records.
        assert!(report.missing.iter().all(|one| one.scanner != own), "{:?}", report.missing);
    }
}

/// Writes what two others have to send, and says which records.
fn send(venue: &Venue, folder: &TempDir) -> BTreeMap<u64, Vec<String>> {
    let peers = [Peer::new(venue, 1), Peer::new(venue, 2)];
    let now_ms = u64::try_from(venue.now_s() * 1000).unwrap();
    let codes = SIGNED.map(|of| code_bytes(&venue.show(&Shown::of(of))));
    let mut last: [Option<Record>; 2] = [None, None];
    let mut made = 0_usize;
    (0..DELTAS)
        .map(|number| {
            let which = usize::try_from(number % 2).unwrap();
            let records: Vec<_> = (0..=number % 8)
                .map(|_| {
                    let of = made % SIGNED.len();
                    made += 1;
                    let shown = (codes[of], u32::try_from(venue.now_s()).unwrap());
                    let before = (last[which].as_ref(), now_ms + made as u64);
                    let fields = peers[which].admission(before, (ticket(SIGNED[of]), 1), shown);
                    let record = peers[which].sign(fields);
                    last[which] = Some(record.clone());
                    record
                })
                .collect();
            let items = [peers[which].introduction()].into_iter().chain(records.iter().map(item));
            fs::write(delta_file(folder.path(), number), delta(items)).unwrap();
            (number, records.iter().map(|record| record.id().to_string()).collect())
        })
        .collect()
}
