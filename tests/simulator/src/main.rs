//! The command: simulates an event, and says what holds.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use ticket_wallet_simulator::{Options, Outcome, Stage, simulate};

#[derive(Parser)]
#[command(
    name = "simulate",
    about = "Simulates an event whose scanners merge their ledgers without a server, and checks what must hold",
    after_help = "Exit code: 0 everything held; 1 something did not, which is said; 2 an option cannot be.\n\n\
                  Examples:\n  cargo tool simulate\n  cargo tool simulate --scanners 64 --tickets 80000 --minutes 120 --full 8\n  \
                  cargo tool simulate --rogues 3 --lies 20 --json out.json --svg out.svg\n  \
                  cargo tool simulate --deaf 1     a control: the checks fail"
)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    /// Write what happened to this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw admissions, refusals and double entries over simulated time into this file
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let begun = Instant::now();
    let outcome = simulate(&arguments.options, |stage| progress(stage, begun));
    let outcome = outcome.and_then(|outcome| write(&arguments, &outcome).map(|()| outcome));
    match outcome {
        Ok(outcome) => {
            say(&format!("{}took        {} s\n", outcome.text(), begun.elapsed().as_secs()));
            if outcome.failures().is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(reason) => {
            say(&format!("error: {reason}\n"));
            ExitCode::FAILURE
        }
    }
}

fn write(arguments: &Arguments, outcome: &Outcome) -> Result<(), String> {
    let file = |path: &Path, text: String| {
        std::fs::write(path, text).map_err(|e| format!("{} cannot be written: {e}", path.display()))
    };
    if let Some(path) = &arguments.json {
        file(path, format!("{:#}\n", outcome.json()))?;
    }
    if let Some(path) = &arguments.svg {
        file(path, outcome.svg())?;
    }
    Ok(())
}

/// Says how far it is, on the standard error, each tenth minute.
fn progress(stage: Stage, begun: Instant) {
    static LAST: std::sync::Mutex<Option<Stage>> = std::sync::Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let text = match stage {
        Stage::Minute(minute) if minute % 10 == 0 => format!("minute {minute}"),
        Stage::Minute(_) => return,
        Stage::Round(round) => format!("exchange of everything, round {}", round + 1),
    };
    if *last != Some(stage) {
        *last = Some(stage);
        let _ = writeln!(std::io::stderr(), "{text} ({} s)", begun.elapsed().as_secs());
    }
}

fn say(text: &str) {
    // When nobody reads it any more, there is nobody to tell either.
    let _ = std::io::stdout().write_all(text.as_bytes());
}
