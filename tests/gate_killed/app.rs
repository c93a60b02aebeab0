//! A gate's process: one thread scans while another merges, and each tells of what the gate has said it did.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, abort};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use ticket_wallet::Gate;
use ticket_wallet::ledger::RecordId;

use crate::moments::Moments;
use crate::phone::TestClock;
use crate::venue::open;

/// How a gate's process ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It breaks off at a point of its work, after it has passed it so often.
    At {
        point: &'static str,
        passes: u64,
    },
    /// It is killed after it told of so much, and a bit later.
    Killed {
        lines: u64,
        turns: u64,
    },
    ByItself,
}

/// The test that is the gate when these are set.
const TEST: &str = "a_gate_that_is_not_killed_gets_to_its_end";
const FOLDER: &str = "KILLED_FOLDER";
const SEED: &str = "KILLED_SEED";
const POINT: &str = "KILLED_POINT";
const EARLY: &str = "KILLED_EARLY";
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

pub(crate) fn start(folder: &Path, end: &End, seed: u64, early: bool) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", TEST, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, folder).env(SEED, seed.to_string());
    if let End::At { point, passes } = end {
        command.env(POINT, format!("{point} {passes}"));
    }
    if early {
        command.env(EARLY, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// Whether this process is the gate.
pub(crate) fn is_started() -> bool {
    env::var_os(FOLDER).is_some()
}

/// Ends the process without any tidying when it passes the point for the last time.
fn arm() {
    let Ok(point) = env::var(POINT) else { return };
    let (name, passes) = point.split_once(' ').unwrap();
    let left = AtomicU64::new(passes.parse().unwrap());
    let pass = move || {
        if left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            abort();
        }
    };
    fail::cfg_callback(name, pass).unwrap();
}

fn tell(what: &str) {
    // One write of a whole line: a kill leaves no half of it.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

/// The place that the next record will have, where nobody else writes.
fn next_record(gate: &Gate) -> Option<String> {
    let last: RecordId = gate.records(1).unwrap().first()?.id.parse().unwrap();
    Some(RecordId { sequence: last.sequence + 1, ..last }.to_string())
}

pub(crate) fn run() {
    let folder = PathBuf::from(env::var(FOLDER).unwrap());
    let seed = env::var(SEED).unwrap().parse().unwrap();
    let early = env::var_os(EARLY).is_some();
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
