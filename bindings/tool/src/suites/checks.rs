//! Formatting, lints, documentation and the lock file; each check counts as one test.

use std::process::{Command, Stdio};

use crate::api;
use crate::output::line;
use crate::process::succeeds;
use crate::suite::{Context, Outcome, Suite};
use crate::tally::Tally;

/// The suite.
pub(crate) const SUITE: Suite =
    Suite { name: "checks", about: "format, lints, documentation, lock file, exported API", run };

type Check = fn(&Context) -> Result<bool, String>;

const CHECKS: [(&str, Check); 5] = [
    ("Cargo.lock is up to date", lock_file),
    ("the code is formatted", |context| succeeds(&mut context.project.cargo(&["fmt", "--all", "--check"]))),
    ("no lint fires", |context| {
        let arguments = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
        succeeds(&mut context.project.cargo(&arguments))
    }),
    ("the documentation has no gap and no broken link", |context| {
        let mut command = context.project.cargo(&["doc", "--workspace", "--no-deps"]);
        succeeds(command.env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("bindings/api.txt is the exported API", |context| api::is_current(&context.project)),
];

fn run(context: &Context) -> Outcome {
    let mut sum = Tally::default();
    for (name, check) in CHECKS {
        let passed = check(context).unwrap_or_else(|reason| {
            line(&reason);
            false
        });
        line(&format!("check {name} ... {}", if passed { "ok" } else { "FAILED" }));
        sum += Tally::one(passed);
    }
    Outcome::Ran(sum)
}

/// Building this tool mends an outdated lock file in passing, so in CI it must also be the one that was committed.
fn lock_file(context: &Context) -> Result<bool, String> {
    let mut command = context.project.cargo(&["metadata", "--locked", "--format-version", "1"]);
    let fits = succeeds(command.stdout(Stdio::null()))?;
    let root = context.project.root();
    if !(fits && context.ci && root.join(".git").exists()) {
        return Ok(fits);
    }
    let arguments = ["--no-pager", "diff", "--exit-code", "HEAD", "--", "Cargo.lock"];
    succeeds(Command::new("git").args(arguments).current_dir(root))
}
