//! The Kotlin package on the JVM: its tests drive the library against the sandbox, and what is written for Android is
//! compiled against Android's framework classes.

use std::fs;
use std::path::{Path, PathBuf};

use crate::api;
use crate::files::{example, write};
use crate::generate::{Build, Language, host_library, sources};
use crate::maven;
use crate::output::line;
use crate::process::succeeds;
use crate::project::Project;
use crate::secrets::{self, Watch};
use crate::suite::{Context, Outcome, Suite};
use crate::suites::coverage::{calls_file, forget};
use crate::tally::Tally;
use crate::trace::Trace;

/// The suite.
pub(crate) const SUITE: Suite =
    Suite { name: "kotlin", about: "the Kotlin package on the JVM, and Android's sources compiled", run };

const README: &str = "bindings/kotlin/README.md";
const ANDROID_PAGE: &str = "docs/android.md";
/// What stands around the page's example.
const ANDROID_PRELUDE: &str = "package org.ticketwallet.docs

import android.content.Context
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext
import org.ticketwallet.android.openTicketWallet
import org.ticketwallet.core.QrMatrix
import org.ticketwallet.core.WalletException

suspend fun tenLines(
    context: Context, userName: String, password: String, draw: (QrMatrix) -> Unit, show: (String, String) -> Unit,
) {
";

fn run(context: &Context) -> Outcome {
    if let Err(missing) = maven::ensure() {
        return Outcome::Missing(missing);
    }
    let tally = prepare(&context.project).and_then(|library| test(&context.project, &library));
    Outcome::Ran(tally.unwrap_or_else(|reason| {
        line(&reason);
        Tally::one(false)
    }))
}

/// Builds the library and the sandbox's command, and writes the sources that Maven compiles; returns the library.
fn prepare(project: &Project) -> Result<PathBuf, String> {
    line("building the traced library and the command");
    let library = host_library(project, Build::Traced)?;
    if !succeeds(&mut project.cargo(&["build", "--quiet", "--package", "ticket-wallet-cli"]))? {
        return Err("the ticket-wallet command was not built".to_owned());
    }
    write_sources(project, &library)?;
    Ok(library)
}

/// Writes the sources that Maven compiles beside those in the repository.
pub(crate) fn write_sources(project: &Project, library: &Path) -> Result<(), String> {
    let target = project.root().join("target");
    let generated = target.join("bindings/kotlin");
    if generated.exists() {
        fs::remove_dir_all(&generated).map_err(|e| format!("old sources cannot be removed: {e}"))?;
    }
    sources(project, library, Language::Kotlin, &generated)?;
    let of_readme = example(&project.root().join(README), "kotlin")?;
    let readme = format!("package org.ticketwallet.readme\n\n{of_readme}");
    write(&target.join("kotlin-readme/ReadmeExample.kt"), &readme)?;
    let of_page = example(&project.root().join(ANDROID_PAGE), "kotlin")?;
    let page = format!("{ANDROID_PRELUDE}{of_page}}}\n");
    write(&target.join("kotlin-android-page/AndroidPageExample.kt"), &page)
}

fn test(project: &Project, library: &Path) -> Result<Tally, String> {
    let calls = calls_file(project, Language::Kotlin);
    forget(&calls)?;
    let mut closing: Option<Tally> = None;
    let mut trace = Trace::of(&api::exports(library)?);
    let watch = Watch::begin(project, SUITE.name)?;
    let variable = Some((secrets::VARIABLE, watch.file()));
    let succeeded = maven::run_with(project, variable, &["test".to_owned()], |text| {
        watch.see(text);
        closing = closing_line(text).or(closing);
        if !trace.read(text) && !is_noise(text) {
            line(text);
        }
    })?;
    trace.write_calls(&calls)?;
    let mut tally = closing.unwrap_or_default().of_run(succeeded);
    tally += watch.end();
    let android = android(project)?;
    if succeeded && android {
        maven::has_all(project)?;
    }
    tally += Tally::one(android);
    Ok(tally)
}

/// Compiles the sources of `android/wallet` and the example of `docs/android.md` against Android's framework classes.
fn android(project: &Project) -> Result<bool, String> {
    let arguments = ["--activate-profiles", "android", "test-compile"].map(str::to_owned);
    let compiles = maven::run(project, &arguments, |text| {
        if !is_noise(text) {
            line(text);
        }
    })?;
    line(&format!("check Android's sources compile ... {}", if compiles { "ok" } else { "FAILED" }));
    Ok(compiles)
}

/// Reads Surefire's sum, `Tests run: 17, Failures: 0, Errors: 0, Skipped: 0`; a skipped test counts as failed. The line
/// of one class goes on with the time that it took.
fn closing_line(text: &str) -> Option<Tally> {
    let (_, counts) = text.split_once("Tests run: ")?;
    let counts: Option<Vec<u64>> =
        counts.split(", ").map(|count| count.rsplit(' ').next()?.parse().ok()).collect();
    let [run, failures, errors, skipped] = counts?[..] else { return None };
    let failed = failures + errors + skipped;
    Some(Tally { passed: run.saturating_sub(failed), failed })
}

/// Maven's small talk.
fn is_noise(text: &str) -> bool {
    let words = ["Tests run:", "Running "];
    let tells = text.starts_with("[ERROR]")
        || text.starts_with("[WARNING]")
        || text.starts_with("[INFO]") && words.iter().any(|word| text.contains(word));
    !tells
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_told_from_that_of_a_class() {
        let closing = "[INFO] Tests run: 17, Failures: 0, Errors: 0, Skipped: 0";
        assert_eq!(closing_line(closing), Some(Tally { passed: 17, failed: 0 }));
        let bad = "[ERROR] Tests run: 9, Failures: 1, Errors: 2, Skipped: 3";
        assert_eq!(closing_line(bad), Some(Tally { passed: 3, failed: 6 }));
        let class = "[INFO] Tests run: 3, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.5 s -- in a.B";
        assert_eq!(closing_line(class), None);
        assert_eq!(closing_line("[INFO] BUILD SUCCESS"), None);
    }
}
