//! The tests in Rust.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::libtest::Harness;
use crate::output::line;
use crate::process::each_line;
use crate::setup;
use crate::suite::{Context, Outcome, Suite};
use crate::tally::Tally;

/// The suite.
pub(crate) const SUITE: Suite = Suite { name: "rust", about: "cargo test of the whole workspace", run };

fn run(context: &Context) -> Outcome {
    if let Err(missing) = setup::ensure(&context.project) {
        return Outcome::Missing(missing);
    }
    let mut command = context.project.cargo(&["test", "--workspace", "--no-fail-fast"]);
    command.env("TICKET_WALLET_PYTHON", context.project.python());
    let seed = seed_random_inputs(&mut command, context.cases);
    let mut harness = Harness::default();
    let succeeded = each_line(&mut command, |text| {
        line(text);
        harness.read(text);
    });
    let succeeded = succeeded.unwrap_or_else(|reason| {
        line(&reason);
        false
    });
    Outcome::Ran(report(&harness, succeeded, &seed))
}

/// Gives the tests their number of random inputs and a seed, which is returned.
fn seed_random_inputs(command: &mut Command, cases: Option<u32>) -> String {
    let seed = seed(std::env::var("PROPTEST_RNG_SEED").ok(), SystemTime::now());
    command.env("PROPTEST_RNG_SEED", &seed);
    line(&format!("Random inputs come from seed {seed}."));
    if let Some(cases) = cases {
        command.env("PROPTEST_CASES", cases.to_string());
        line(&format!("Each property is tried with {cases} random inputs."));
    }
    seed
}

/// The seed that was given, or a new one for each second.
fn seed(given: Option<String>, now: SystemTime) -> String {
    given.unwrap_or_else(|| now.duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()).to_string())
}

fn report(harness: &Harness, succeeded: bool, seed: &str) -> Tally {
    let tally = harness.tally(succeeded);
    for name in harness.ignored() {
        line(&format!("ignored, which counts as failed: {name}"));
    }
    if harness.broken_off() > 0 {
        line(&format!("test programs that broke off: {}", harness.broken_off()));
    }
    line(&format!(
        "Random inputs came from seed {seed}; the same again: PROPTEST_RNG_SEED={seed} cargo tool test rust. A failing \
         input is printed above and kept in a *.proptest-regressions file or folder, which later runs try first."
    ));
    tally
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_round_has_a_seed_of_its_own_unless_one_is_given() {
        let (first, next) = (UNIX_EPOCH + Duration::from_secs(60), UNIX_EPOCH + Duration::from_secs(61));
        assert_eq!((seed(None, first), seed(None, next)), ("60".to_owned(), "61".to_owned()));
        assert_eq!(seed(Some("7".to_owned()), next), "7");
    }
}
