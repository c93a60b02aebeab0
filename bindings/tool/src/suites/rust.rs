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

/// Gives proptest its number of inputs and a new seed, unless the caller's environment holds one; returns the seed.
fn seed_random_inputs(command: &mut Command, cases: Option<u32>) -> String {
    let new_seed = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.as_secs()).to_string();
    let seed = std::env::var("PROPTEST_RNG_SEED").unwrap_or_else(|_| new_seed());
    command.env("PROPTEST_RNG_SEED", &seed);
    if let Some(cases) = cases {
        command.env("PROPTEST_CASES", cases.to_string());
        line(&format!("Each property is tried with {cases} random inputs."));
    }
    seed
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
