//! Whether the tests in Kotlin and in Swift call everything that the library exports. Both suites run a library that
//! prints its calls and keep the counts in files; this one holds them against the exported API.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::api;
use crate::generate::{Build, Language, host_library};
use crate::output::line;
use crate::project::Project;
use crate::suite::{Context, Outcome, Suite};
use crate::tally::Tally;
use crate::trace::symbols;

/// The suite.
pub(crate) const SUITE: Suite =
    Suite { name: "coverage", about: "every exported function is called from Kotlin and from Swift", run };

/// Where a language's suite keeps how often it called each exported function.
pub(crate) fn calls_file(project: &Project, language: Language) -> PathBuf {
    project.root().join(format!("target/calls/{}.txt", language.name()))
}

/// Removes the counts of an earlier run, so that a run that breaks off leaves none.
pub(crate) fn forget(calls: &Path) -> Result<(), String> {
    match fs::remove_file(calls) {
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(format!("{} cannot be removed: {e}", calls.display()))
        }
        _ => Ok(()),
    }
}

fn run(context: &Context) -> Outcome {
    let exported = host_library(&context.project, Build::Traced)
        .and_then(|library| Ok((api::exports(&library)?, library)));
    let (exports, library) = match exported {
        Ok(exported) => exported,
        Err(reason) => {
            line(&reason);
            return Outcome::Ran(Tally::one(false));
        }
    };
    let mut sum = Tally::default();
    for language in [Language::Kotlin, Language::Swift] {
        let calls = match fresh(&calls_file(&context.project, language), &library) {
            Ok(calls) => calls,
            Err(why) => {
                let name = language.name();
                return Outcome::Missing(format!(
                    "the calls from {name} {why}; `cargo tool test {name}` counts them"
                ));
            }
        };
        sum += check(language, &exports, &calls);
    }
    Outcome::Ran(sum)
}

/// The counts, when they are there and not older than the library; why not otherwise.
fn fresh(calls: &Path, library: &Path) -> Result<String, &'static str> {
    let modified = |path: &Path| fs::metadata(path).and_then(|data| data.modified()).ok();
    let text = fs::read_to_string(calls).map_err(|_| "are not counted")?;
    if modified(calls) < modified(library) {
        Err("were counted before the library was built")
    } else {
        Ok(text)
    }
}

fn check(language: Language, exports: &[api::Export], calls: &str) -> Tally {
    let name = language.name();
    let missing = never_called(exports, calls);
    for symbol in &missing {
        line(&format!("no test in {name} calls {symbol}"));
    }
    // A library that exports nothing is not the one that was meant.
    let passed = missing.is_empty() && !exports.is_empty();
    let result = if passed { "ok" } else { "FAILED" };
    line(&format!("check {name} calls each of the {} exported functions ... {result}", exports.len()));
    Tally::one(passed)
}

fn never_called<'a>(exports: &'a [api::Export], calls: &str) -> Vec<&'a str> {
    let called: BTreeSet<&str> = symbols(calls).collect();
    exports.iter().map(|export| export.symbol.as_str()).filter(|symbol| !called.contains(symbol)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn export(symbol: &str) -> api::Export {
        api::Export { symbol: symbol.to_owned(), asynchronous: None }
    }

    #[test]
    fn a_function_that_is_never_called_is_named() {
        let exports = [export("fn_a"), export("fn_ab")];
        assert_eq!(never_called(&exports, "       3 fn_ab\n"), ["fn_a"]);
        assert!(never_called(&exports, "1 fn_a\n3 fn_ab\n").is_empty());
    }

    #[test]
    fn counts_that_are_absent_or_older_than_the_library_do_not_serve() {
        let folder = std::env::temp_dir().join(format!("ticket-wallet-coverage-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (calls, library) = (folder.join("calls.txt"), folder.join("library"));
        fs::write(&library, "").unwrap();
        assert_eq!(fresh(&calls, &library), Err("are not counted"));
        fs::write(&calls, "1 fn_a\n").unwrap();
        assert_eq!(fresh(&calls, &library).as_deref(), Ok("1 fn_a\n"));
        let later = std::time::SystemTime::now() + std::time::Duration::from_secs(9);
        fs::File::options().write(true).open(&library).and_then(|file| file.set_modified(later)).unwrap();
        assert_eq!(fresh(&calls, &library), Err("were counted before the library was built"));
        forget(&calls).unwrap();
        forget(&calls).unwrap();
        assert!(!calls.exists());
        fs::remove_dir_all(&folder).unwrap();
    }
}
