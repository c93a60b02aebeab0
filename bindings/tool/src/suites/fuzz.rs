//! Coverage-guided fuzzing of what gates read, with libFuzzer. Each target counts as one test.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::output::line;
use crate::process::{answer, succeeds};
use crate::project::Project;
use crate::suite::{Context, Outcome, Suite};
use crate::tally::Tally;

/// The suite.
pub(crate) const SUITE: Suite =
    Suite { name: "fuzz", about: "coverage-guided fuzzing of what gates read, five seconds a target", run };

/// Every target, each a file under `tests/fuzz/targets`.
pub(crate) const TARGETS: [&str; 2] = ["gate", "ledger"];
/// How long each target is fuzzed in the suite, in seconds.
const SECONDS: u64 = 5;
/// The longest input, in bytes.
const LONGEST: u32 = 8192;
/// Coverage counters in every crate, which libFuzzer reads; they need no compiler but Rust's own.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
     -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table --cfg fuzzing";

fn run(context: &Context) -> Outcome {
    if answer(Command::new("c++").arg("--version")).is_none() {
        return Outcome::Missing("a C++ compiler for libFuzzer (apt-get install build-essential)".to_owned());
    }
    Outcome::Ran(fuzz(&context.project, &TARGETS, SECONDS).unwrap_or_else(|reason| {
        line(&reason);
        Tally::one(false)
    }))
}

/// Fuzzes targets for so many seconds each.
///
/// # Errors
/// When a target cannot be compiled or started.
pub(crate) fn fuzz(project: &Project, targets: &[&str], seconds: u64) -> Result<Tally, String> {
    let folder = project.root().join("target/fuzz");
    let host = host()?;
    line("compiling the targets with coverage counters");
    let mut build = project.cargo(&["build", "--release", "--locked", "--quiet", "--target", &host]);
    build.current_dir(project.root().join("tests/fuzz"));
    build.env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", COVERAGE);
    if !succeeds(&mut build)? {
        return Err("the fuzz targets do not compile".to_owned());
    }
    let mut sum = Tally::default();
    for target in targets {
        let program = folder.join(&host).join("release").join(target);
        let passed = succeeds(&mut command(project, &folder, &program, target, seconds)?)?;
        line(&format!("fuzz {target} for {seconds} s ... {}", if passed { "ok" } else { "FAILED" }));
        sum += Tally::one(passed);
    }
    Ok(sum)
}

/// What a target is run with: its corpus grows in `target/fuzz`, and begins with the seeds of the repository.
fn command(
    project: &Project,
    folder: &std::path::Path,
    program: &PathBuf,
    target: &str,
    seconds: u64,
) -> Result<Command, String> {
    let corpus = folder.join("corpus").join(target);
    let found = folder.join("found");
    for one in [&corpus, &found] {
        fs::create_dir_all(one).map_err(|e| format!("{} cannot be made: {e}", one.display()))?;
    }
    let mut command = Command::new(program);
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-max_len={LONGEST}"));
    command.args(["-timeout=10", "-rss_limit_mb=1024", "-print_final_stats=1", "-verbosity=0"]);
    if let Ok(seed) = std::env::var("PROPTEST_RNG_SEED") {
        command.arg(format!("-seed={}", seed.parse::<u32>().unwrap_or(1)));
    }
    command.arg(format!("-artifact_prefix={}/{target}-", found.display()));
    command.arg(corpus).arg(project.root().join("tests/fuzz/seeds").join(target));
    Ok(command)
}

/// This machine's target, for which build scripts and macros are compiled without counters.
fn host() -> Result<String, String> {
    let told =
        answer(Command::new("rustc").arg("-vV")).ok_or("rustc cannot be asked for this machine's target")?;
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc does not tell this machine's target".to_owned())
}
