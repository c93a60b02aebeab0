//! What a test suite is, and how several are run and summed up.

use std::process::ExitCode;
use std::time::Instant;

use crate::disk;
use crate::output::line;
use crate::project::Project;
use crate::suites::{checks, coverage, fuzz, kotlin, rust, swift};
use crate::tally::Tally;

/// Every suite, in the order in which they run. A new one is a file under `suites/` and its name here.
pub(crate) const SUITES: &[&Suite] =
    &[&checks::SUITE, &rust::SUITE, &fuzz::SUITE, &kotlin::SUITE, &swift::SUITE, &coverage::SUITE];

/// A test suite.
pub(crate) struct Suite {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it does, in half a line.
    pub(crate) about: &'static str,
    /// Runs it.
    pub(crate) run: fn(&Context) -> Outcome,
}

/// What the suites work with.
pub(crate) struct Context {
    /// The repository.
    pub(crate) project: Project,
    /// Whether a suite that cannot run is a failure.
    pub(crate) ci: bool,
    /// How many random inputs each property gets; `None` leaves it to proptest.
    pub(crate) cases: Option<u32>,
}

/// What became of a suite.
pub(crate) enum Outcome {
    /// It ran.
    Ran(Tally),
    /// It cannot run here: what is missing.
    Missing(String),
}

/// Runs suites one after the other; the last line printed is `N passed, N failed`.
pub(crate) fn run_all(context: &Context, suites: &[&Suite]) -> ExitCode {
    let mut total = Tally::default();
    let mut skipped = false;
    let mut summary = Vec::new();
    disk::tell(&context.project);
    for suite in suites {
        line(&format!("\n=== {}: {}", suite.name, suite.about));
        let start = Instant::now();
        let outcome = (suite.run)(context);
        let (tally, text) = judge(outcome, context.ci);
        summary.push(format!("{:<8} {text} ({} s)", suite.name, start.elapsed().as_secs()));
        skipped |= tally.is_none();
        total += tally.unwrap_or_default();
    }
    line("");
    disk::tell(&context.project);
    summary.iter().for_each(|text| line(text));
    line(&total.to_string());
    exit_code(total, skipped)
}

/// What an outcome counts, `None` when it was skipped, and how it is reported.
fn judge(outcome: Outcome, ci: bool) -> (Option<Tally>, String) {
    match outcome {
        Outcome::Ran(tally) => (Some(tally), tally.to_string()),
        Outcome::Missing(what) if ci => (Some(Tally::one(false)), format!("failed, could not run: {what}")),
        Outcome::Missing(what) => (None, format!("skipped: {what}")),
    }
}

fn exit_code(total: Tally, skipped: bool) -> ExitCode {
    match (total.failed, skipped) {
        (0, false) => ExitCode::SUCCESS,
        (0, true) => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_run_is_skipped_here_and_a_failure_in_ci() {
        let missing = || Outcome::Missing("no compiler".to_owned());
        assert_eq!(judge(missing(), false), (None, "skipped: no compiler".to_owned()));
        assert_eq!(judge(missing(), true).0, Some(Tally { passed: 0, failed: 1 }));
    }

    #[test]
    fn exit_codes_tell_failed_and_skipped_apart() {
        let good = Tally { passed: 3, failed: 0 };
        assert_eq!(exit_code(good, false), ExitCode::SUCCESS);
        assert_eq!(exit_code(good, true), ExitCode::from(2));
        assert_eq!(exit_code(Tally { passed: 3, failed: 1 }, true), ExitCode::FAILURE);
    }
}
