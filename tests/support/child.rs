//! A process of its own that tells what it has done, and is ended at any moment.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio, abort};
use std::sync::atomic::{AtomicU64, Ordering};

const FOLDER: &str = "KILLED_FOLDER";
const SEED: &str = "KILLED_SEED";
const POINT: &str = "KILLED_POINT";
const EARLY: &str = "KILLED_EARLY";

/// How the process ends.
#[derive(Debug, Clone)]
pub(crate) enum End {
    /// It breaks off at a point of its work, after it has passed it so often.
    At {
        point: &'static str,
        passes: u64,
    },
    /// It is killed after it told so many lines, and a bit later.
    Killed {
        lines: u64,
        turns: u64,
    },
    ByItself,
}

/// What the process is to do.
pub(crate) struct Session {
    pub(crate) folder: PathBuf,
    pub(crate) seed: u64,
    /// Whether it tells of everything before it has done it: a control.
    pub(crate) early: bool,
}

impl Session {
    /// What this process is to do, where it is such a one.
    pub(crate) fn here() -> Option<Self> {
        let folder = PathBuf::from(env::var_os(FOLDER)?);
        Some(Self {
            folder,
            seed: env::var(SEED).unwrap().parse().unwrap(),
            early: env::var_os(EARLY).is_some(),
        })
    }
}

/// Runs a test of this program as a process of its own to its end, and hears all that it tells. `linger` passes the time until
/// it is killed. Returns whether it ended before its work was done.
pub(crate) fn run(
    test: &str,
    session: &Session,
    end: &End,
    linger: impl FnOnce(&mut Child, u64),
    mut hear: impl FnMut(&str),
) -> bool {
    let mut app = start(test, session, end);
    let mut lines = BufReader::new(app.stdout.take().unwrap()).lines();
    if let End::Killed { lines: after, turns } = end {
        let heard: Vec<_> = lines.by_ref().take(usize::try_from(*after).unwrap()).collect();
        heard.into_iter().for_each(|line| hear(&line.unwrap()));
        linger(&mut app, *turns);
        app.kill().unwrap();
    }
    lines.for_each(|line| hear(&line.unwrap()));
    !app.wait().unwrap().success()
}

fn start(test: &str, session: &Session, end: &End) -> Child {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(FOLDER, Path::new(&session.folder)).env(SEED, session.seed.to_string());
    if let End::At { point, passes } = end {
        command.env(POINT, format!("{point} {passes}"));
    }
    if session.early {
        command.env(EARLY, "1");
    }
    command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
}

/// From now on this process ends without any tidying when it passes its point for the last time.
pub(crate) fn arm() {
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

pub(crate) fn tell(what: &str) {
    // One write of a whole line: a kill leaves no half of it.
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}
