//! The tests in Rust.

use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::libtest::Harness;
use crate::output::line;
use crate::process::each_line_of_both;
use crate::secrets::{self, Watch};
use crate::setup;
use crate::suite::{Context, Outcome, Suite};
use crate::tally::Tally;

/// The suite.
pub(crate) const SUITE: Suite = Suite { name: "rust", about: "cargo test of the whole workspace", run };

fn run(context: &Context) -> Outcome {
    if let Err(missing) = setup::ensure(&context.project) {
        return Outcome::Missing(missing);
    }
    Outcome::Ran(test(context).unwrap_or_else(|reason| {
        line(&reason);
        Tally::one(false)
    }))
}

fn test(context: &Context) -> Result<Tally, String> {
    let watch = Watch::begin(&context.project, SUITE.name)?;
    // What a test that passes has said is not printed, but it is looked at.
    let arguments = ["test", "--workspace", "--no-fail-fast", "--", "--show-output"];
    let mut command = context.project.cargo(&arguments);
    command.env("TICKET_WALLET_PYTHON", context.project.python());
    command.env(secrets::VARIABLE, watch.file());
    let seed = seed_random_inputs(&mut command, context.cases);
    let (mut harness, mut said) = (Harness::default(), Said::default());
    let take = |text: &str| {
        watch.see(text);
        if !said.by_tests_that_pass(text) {
            line(text);
            harness.read(text);
        }
    };
    let succeeded = each_line_of_both(&mut command, take, |text| watch.see(text));
    let succeeded = succeeded.unwrap_or_else(|reason| {
        line(&reason);
        false
    });
    let mut tally = report(&harness, succeeded, &seed);
    tally += watch.end();
    Ok(tally)
}

/// Where the output of a test program is.
#[derive(Debug, Default)]
struct Said {
    by_tests_that_pass: bool,
}

impl Said {
    /// Whether a line is of the part that `--show-output` adds: from `successes:` to the failures or the result.
    fn by_tests_that_pass(&mut self, text: &str) -> bool {
        if text == "successes:" {
            self.by_tests_that_pass = true;
        } else if text == "failures:" || text.starts_with("test result: ") {
            self.by_tests_that_pass = false;
        }
        self.by_tests_that_pass
    }
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

    #[test]
    fn what_passing_tests_say_is_left_out() {
        let output = [
            ("running 2 tests", false),
            ("test a ... ok", false),
            ("successes:", true),
            ("---- a stdout ----", true),
            ("running 7 tests", true),
            ("successes:", true),
            ("    a", true),
            ("failures:", false),
            ("---- b stdout ----", false),
            ("test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured", false),
            ("running 1 test", false),
            ("successes:", true),
            ("test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured", false),
        ];
        let mut said = Said::default();
        for (text, left_out) in output {
            assert_eq!(said.by_tests_that_pass(text), left_out, "{text}");
        }
    }
}
