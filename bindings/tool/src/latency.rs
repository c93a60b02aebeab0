//! `cargo tool latency`: how long `present` takes from Rust, Kotlin and Swift, on one wallet that each opens in turn.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::generate::{self, Build, Language, host_library};
use crate::output::line;
use crate::process::{each_line, succeeds};
use crate::project::Project;
use crate::suites::kotlin;
use crate::swift_root::{self, Toolchain};
use crate::{maven, swift_package};

/// Calls before the measured ones: the JVM compiles what runs often.
const WARM_UP: u32 = 10_000;
const CALLS: u32 = 10_000;
/// The languages take turns, and the best round of each counts: other work on the machine disturbs all alike.
const ROUNDS: u32 = 3;

/// The wallet that is measured, and its ticket.
struct Wallet {
    folder: PathBuf,
    ticket: String,
}

/// Measures, and prints a table in Markdown.
pub(crate) fn run(project: &Project) -> Result<(), String> {
    maven::ensure()?;
    let toolchain = swift_root::ensure(project)?;
    line("building the library as it is packaged");
    let library = host_library(project, Build::Release)?;
    let mut best = [("Rust", u64::MAX), ("Kotlin, on the JVM", u64::MAX), ("Swift", u64::MAX)];
    for _ in 0..ROUNDS {
        let (wallet, rust) = rust(project)?;
        let kotlin = kotlin(project, &library, &wallet)?;
        let swift = swift(project, &library, &toolchain, &wallet)?;
        for ((_, best), median) in best.iter_mut().zip([rust, kotlin, swift]) {
            *best = median.min(*best);
        }
    }
    table(&best).iter().for_each(|row| line(row));
    Ok(())
}

fn table(medians: &[(&str, u64)]) -> Vec<String> {
    let rust = medians.first().map_or(0, |(_, median)| *median);
    let mut rows = vec![
        format!("| `present` from | best of {ROUNDS} medians of {CALLS} calls | of that beyond Rust |"),
        "| --- | --- | --- |".to_owned(),
    ];
    rows.extend(medians.iter().map(|(language, median)| {
        let beyond = i128::from(*median) - i128::from(rust);
        format!("| {language} | {} µs | {} µs |", median / 1000, beyond / 1000)
    }));
    rows
}

/// Makes the wallet, and measures in Rust.
fn rust(project: &Project) -> Result<(Wallet, u64), String> {
    let folder = project.root().join("target/latency");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{} cannot be removed: {e}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|e| format!("{} cannot be made: {e}", folder.display()))?;
    let mut command =
        project.cargo(&["bench", "--quiet", "--package", "ticket-wallet", "--bench", "latency", "--"]);
    command.arg(&folder).args([WARM_UP, CALLS].map(|count| count.to_string()));
    let mut ticket = None;
    let median = measure("Rust", |take| {
        each_line(&mut command, |text| {
            ticket = text.strip_prefix("ticket: ").map(str::to_owned).or(ticket.take());
            take(text);
        })
    })?;
    let ticket = ticket.ok_or("the measurement in Rust named no ticket")?;
    Ok((Wallet { folder, ticket }, median))
}

/// Surefire runs the measurement, for it knows the class path.
fn kotlin(project: &Project, library: &Path, wallet: &Wallet) -> Result<u64, String> {
    kotlin::write_sources(project, library)?;
    let arguments = [
        "test".to_owned(),
        "-Dtest=PresentLatency".to_owned(),
        format!("-Dticketwallet.library={}", folder_of(library)?.display()),
        format!("-Dlatency.folder={}", wallet.folder.display()),
        format!("-Dlatency.ticket={}", wallet.ticket),
        format!("-Dlatency.warmUp={WARM_UP}"),
        format!("-Dlatency.calls={CALLS}"),
    ];
    measure("Kotlin", |take| maven::run(project, &arguments, take))
}

fn swift(project: &Project, library: &Path, toolchain: &Toolchain, wallet: &Wallet) -> Result<u64, String> {
    let folder = project.root().join("target/swift");
    let (generated, build) = (folder.join("generated"), folder.join("latency-build"));
    generate::sources(project, library, Language::Swift, &generated)?;
    swift_package::assemble(project, &generated, &folder.join("package"))?;
    swift_package::assemble_latency(project, &folder.join("latency"))?;
    let libraries: [(&str, &OsStr); 1] = [("TICKET_WALLET_LIBRARY_DIR", folder_of(library)?.as_os_str())];
    let mut compile =
        toolchain.command(project, &libraries, &["swift", "build", "--configuration", "release"]);
    compile.arg("--package-path").arg(folder.join("latency")).arg("--scratch-path").arg(&build);
    if !succeeds(&mut compile)? {
        return Err("the measurement in Swift was not built".to_owned());
    }
    let mut command: Command = toolchain.command(project, &[], &[]);
    command.arg(build.join("release/Latency")).arg(&wallet.folder).arg(&wallet.ticket);
    command.args([WARM_UP, CALLS].map(|count| count.to_string()));
    measure("Swift", |take| each_line(&mut command, take))
}

fn folder_of(library: &Path) -> Result<&Path, String> {
    library.parent().ok_or_else(|| "the library has no folder".to_owned())
}

/// The median that a program prints, in nanoseconds; all that it prints is shown when there is none.
fn measure(
    language: &str,
    run: impl FnOnce(&mut dyn FnMut(&str)) -> Result<bool, String>,
) -> Result<u64, String> {
    let (mut median, mut output) = (None, Vec::new());
    let succeeded = run(&mut |text| {
        median = text.strip_prefix("median in ns: ").and_then(|number| number.parse().ok()).or(median);
        output.push(text.to_owned());
    })?;
    let Some(median) = median.filter(|_| succeeded) else {
        output.iter().for_each(|text| line(text));
        return Err(format!("the measurement in {language} failed"));
    };
    line(&format!("{language}: {} µs", median / 1000));
    Ok(median)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_compares_with_rust() {
        let rows = table(&[("Rust", 283_900), ("Swift", 301_000), ("Odd", 200_000)]);
        assert_eq!(
            rows[2..],
            ["| Rust | 283 µs | 0 µs |", "| Swift | 301 µs | 17 µs |", "| Odd | 200 µs | -83 µs |"]
        );
    }

    #[test]
    fn only_a_measurement_that_succeeds_counts() {
        let printing = |text: &'static str, succeeded| {
            measure("C", |take| {
                take("noise");
                take(text);
                Ok(succeeded)
            })
        };
        assert_eq!(printing("median in ns: 42", true), Ok(42));
        assert!(printing("median in ns: 42", false).is_err());
        assert!(printing("median in ns: many", true).is_err());
    }
}
