//! A gate's process: one thread scans while another merges, and each tells of what the gate has said it did.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use ticket_wallet::Gate;
use ticket_wallet::ledger::RecordId;

use crate::child::{Session, arm, tell};
use crate::moments::Moments;
use crate::phone::TestClock;
use crate::venue::open;

/// The test that is the gate where a session is given.
pub(crate) const TEST: &str = "a_gate_that_is_not_killed_gets_to_its_end";
/// Before each record that it tells of, by its ticket's code.
pub(crate) const DECIDED: &str = "decided ";
/// Before each delta that it tells of.
pub(crate) const MERGED: &str = "merged ";
const STEPS: u64 = 12;

/// The gate's own files.
pub(crate) fn gate_folder(folder: &Path) -> PathBuf {
    folder.join("gate")
}

/// The codes that are shown to it, a line each.
pub(crate) fn codes_file(folder: &Path) -> PathBuf {
    folder.join("codes")
}

/// What others send it.
pub(crate) fn delta_file(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("delta-{number}"))
}

/// The place that the next record will have, where nobody else writes.
fn next_record(gate: &Gate) -> Option<String> {
    let last: RecordId = gate.records(1).unwrap().first()?.id.parse().unwrap();
    Some(RecordId { sequence: last.sequence + 1, ..last }.to_string())
}

pub(crate) fn run(Session { folder, seed, early }: Session) {
    let gate = open(&gate_folder(&folder), &TestClock::new()).unwrap();
    let codes = fs::read_to_string(codes_file(&folder)).unwrap();
    let codes: Vec<_> = codes.lines().collect();
    let deltas = fs::read_dir(&folder).unwrap().count() as u64 - 2;
    arm();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut moments = Moments(seed);
            for _ in 0..STEPS {
                let code = codes[usize::try_from(moments.below(codes.len() as u64)).unwrap()];
                if let Some(next) = early.then(|| next_record(&gate)).flatten() {
                    tell(&format!("{DECIDED}{next}"));
                }
                let said = gate.scan(code.as_bytes().to_vec(), 1).unwrap();
                if !said.is_repeated {
                    tell(&format!("{DECIDED}{}", said.record_id));
                }
            }
        });
        scope.spawn(|| {
            let mut moments = Moments(!seed);
            for _ in 0..if early { 0 } else { STEPS } {
                let number = moments.below(deltas);
                let merged = gate.merge(fs::read(delta_file(&folder, number)).unwrap()).unwrap();
                assert_eq!(merged.refused, []);
                tell(&format!("{MERGED}{number}"));
            }
        });
    });
}
