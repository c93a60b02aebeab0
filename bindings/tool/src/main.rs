//! `cargo tool`: sets the project up and runs its tests.
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod api;
mod debian;
mod disk;
mod files;
mod generate;
mod latency;
mod libtest;
mod maven;
mod output;
mod process;
mod project;
mod requirements;
mod secrets;
mod setup;
mod suite;
mod suites;
mod swift_package;
mod swift_root;
mod tally;
mod trace;
mod xctest;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::builder::PossibleValuesParser;
use clap::{Parser, Subcommand};

use crate::generate::Language;
use crate::project::Project;
use crate::suite::{Context, SUITES, Suite, run_all};

/// A tenth of proptest's 256 random inputs a property, for runs that somebody waits for.
const CASES_IN_CI: u32 = 26;
/// Ten times proptest's 256. `tests/support/counts.rs` knows this number too.
const CASES_IN_SOAK: u32 = 2560;

#[derive(Parser)]
#[command(
    name = "cargo tool",
    bin_name = "cargo tool",
    about = "Sets the project up and runs its tests",
    after_help = "Examples:\n  cargo tool setup        once after cloning; `cargo tool test` does it too\n  \
                  cargo tool test         every suite\n  cargo tool test rust    one suite\n  \
                  CI=true cargo tool test as in CI: what cannot run is a failure\n  \
                  cargo tool soak         the Rust tests with many more random inputs, for an hour\n  \
                  cargo tool simulate     an event with 16 scanners, some of which fail or lie"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make .venv with the Python packages that the tests compare with, and get a JDK, Maven and Swift
    ///
    /// Says beforehand what is installed, why and how big it is. Does nothing for what is there already. Exit code: 1
    /// when something is still missing, which is said.
    Setup,
    /// Run the test suites and close with the line `N passed, N failed`
    ///
    /// Exit code: 0 all passed; 1 something failed; 2 nothing failed, but a suite could not run here. With CI=true a
    /// suite that cannot run is a failure, and each property is tried with a tenth of the random inputs.
    #[command(after_help = "Examples:\n  cargo tool test\n  cargo tool test checks rust")]
    Test {
        /// Which suites to run; all of them when none is named
        #[arg(value_name = "SUITE", value_parser = PossibleValuesParser::new(SUITES.iter().map(|suite| suite.name)))]
        suites: Vec<String>,
    },
    /// Run the Rust tests with ten times the usual number of random inputs and the full counts of random runs
    ///
    /// Prints its seed at the beginning, and closes with the line `N passed, N failed`. Takes about an hour on two
    /// cores. tests/README.md says what is counted.
    #[command(
        after_help = "Examples:\n  cargo tool soak\n  cargo tool soak --minutes 480   through the night"
    )]
    Soak {
        /// Begin another round with other random inputs until so many minutes have passed, or something fails
        #[arg(long, value_name = "N", default_value_t = 0)]
        minutes: u64,
    },
    /// Fuzz what gates read, guided by coverage, and close with the line `N passed, N failed`
    ///
    /// Inputs that lead to new code are kept in target/fuzz/corpus, where the next run begins; one that breaks a promise is
    /// written to target/fuzz/found, and the target's program takes its path to run it again.
    #[command(after_help = "Examples:\n  cargo tool fuzz\n  cargo tool fuzz ledger --seconds 3600")]
    Fuzz {
        /// Which targets; all of them when none is named
        #[arg(value_name = "TARGET", value_parser = PossibleValuesParser::new(suites::fuzz::TARGETS))]
        targets: Vec<String>,
        /// How long each is fuzzed
        #[arg(long, value_name = "N", default_value_t = 60)]
        seconds: u64,
    },
    /// Write the exported API to bindings/api.txt, for review
    ///
    /// `cargo tool test checks` fails when that file is not the API as it is.
    Api,
    /// Simulate an event whose scanners merge their ledgers without a server, and check what must hold
    ///
    /// The options are the simulator's own: `cargo tool simulate --help` tells them. Exit code: 1 when something does not
    /// hold, which is said.
    #[command(disable_help_flag = true)]
    Simulate {
        /// Options of the simulator
        #[arg(value_name = "OPTION", trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<OsString>,
    },
    /// Measure `present` from Rust, Kotlin and Swift, and print the medians as a table
    Latency,
    /// Build the library for this machine and generate the Swift and Kotlin sources
    #[command(
        after_help = "Examples:\n  cargo tool generate\n  cargo tool generate kotlin --out /tmp/bindings"
    )]
    Generate {
        /// For which languages; all of them when none is named
        #[arg(value_enum, value_name = "LANGUAGE")]
        languages: Vec<Language>,
        /// Folder to write to; target/bindings without it
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let command = Arguments::parse().command;
    run(&command).unwrap_or_else(|reason| {
        output::line(&format!("error: {reason}"));
        ExitCode::FAILURE
    })
}

fn run(command: &Command) -> Result<ExitCode, String> {
    let project = Project::find()?;
    let ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    match command {
        Command::Api => api::write(&project).map(|()| ExitCode::SUCCESS),
        Command::Generate { languages, out } => {
            let all = [Language::Kotlin, Language::Swift];
            let languages = if languages.is_empty() { &all[..] } else { languages };
            generate::run(&project, languages, out.clone()).map(|()| ExitCode::SUCCESS)
        }
        Command::Fuzz { targets, seconds } => {
            let all = suites::fuzz::TARGETS.iter().copied();
            let chosen = all.filter(|one| targets.is_empty() || targets.iter().any(|named| named == one));
            let tally = suites::fuzz::fuzz(&project, &chosen.collect::<Vec<_>>(), *seconds)?;
            output::line(&tally.to_string());
            Ok(if tally.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Latency => latency::run(&project).map(|()| ExitCode::SUCCESS),
        Command::Simulate { options } => {
            let run = ["run", "--quiet", "--release", "--package", "ticket-wallet-simulator", "--"];
            let held = process::succeeds(project.cargo(&run).args(options))?;
            Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Setup => {
            let results =
                [setup::ensure(&project), maven::ensure(), swift_root::ensure(&project).map(|_| ())];
            let missing: Vec<String> = results.into_iter().filter_map(Result::err).collect();
            missing.iter().for_each(|what| output::line(&format!("missing: {what}")));
            maven::announce(&project);
            Ok(if missing.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Command::Test { suites } => {
            let context = Context { project, ci, cases: ci.then_some(CASES_IN_CI) };
            Ok(run_all(&context, &chosen(suites)))
        }
        Command::Soak { minutes } => {
            let context = Context { project, ci, cases: Some(CASES_IN_SOAK) };
            let begun = Instant::now();
            loop {
                let code = run_all(&context, &[&suites::rust::SUITE]);
                if code != ExitCode::SUCCESS || begun.elapsed() >= Duration::from_secs(minutes * 60) {
                    return Ok(code);
                }
            }
        }
    }
}

fn chosen(names: &[String]) -> Vec<&'static Suite> {
    SUITES.iter().copied().filter(|suite| names.is_empty() || names.iter().any(|n| n == suite.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_simulator_gets_its_options_as_they_are() {
        let given = ["tool", "simulate", "--scanners", "64", "--help"];
        let Command::Simulate { options } = Arguments::try_parse_from(given).unwrap().command else {
            unreachable!("another command")
        };
        assert_eq!(options, ["--scanners", "64", "--help"]);
    }

    #[test]
    fn no_name_means_every_suite() {
        assert_eq!(chosen(&[]).len(), SUITES.len());
        let rust = chosen(&["rust".to_owned()]);
        assert_eq!(rust.iter().map(|suite| suite.name).collect::<Vec<_>>(), ["rust"]);
    }
}
