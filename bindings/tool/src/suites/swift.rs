//! The Swift package: compiled in Swift 6 mode and tested against the library and the sandbox.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::api;
use crate::generate::{self, Build, Language};
use crate::output::line;
use crate::process::{each_line, succeeds};
use crate::project::Project;
use crate::secrets::{self, Watch};
use crate::suite::{Context, Outcome, Suite};
use crate::suites::coverage::{calls_file, forget};
use crate::swift_package;
use crate::swift_root::{self, Toolchain};
use crate::tally::Tally;
use crate::trace::Trace;
use crate::xctest::Harness;

/// How long all tests may take; they take half a minute.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The suite.
pub(crate) const SUITE: Suite =
    Suite { name: "swift", about: "the Swift package in Swift 6 mode, its contract tests and leaks", run };

fn run(context: &Context) -> Outcome {
    let toolchain = match swift_root::ensure(&context.project) {
        Ok(toolchain) => toolchain,
        Err(missing) => return Outcome::Missing(missing),
    };
    Outcome::Ran(test(&context.project, &toolchain).unwrap_or_else(|reason| {
        line(&reason);
        Tally::one(false)
    }))
}

fn test(project: &Project, toolchain: &Toolchain) -> Result<Tally, String> {
    line("building the traced library, the sources and the sandbox's command");
    let library = generate::host_library(project, Build::Traced)?;
    let folder = project.root().join("target/swift");
    let generated = folder.join("generated");
    generate::sources(project, &library, Language::Swift, &generated)?;
    let command = sandbox_command(project)?;
    let calls = calls_file(project, Language::Swift);
    forget(&calls)?;
    let package = folder.join("package");
    swift_package::assemble(project, &generated, &package)?;

    let mut sum = check("the files for Apple's platforms parse", apple_parses(project, toolchain)?);
    let watch = Watch::begin(project, SUITE.name)?;
    let variables = variables(&library, &command, watch.file())?;
    let mut build = toolchain.command(project, &variables, &["swift", "build", "--build-tests"]);
    if !succeeds(in_package(&mut build, &folder))? {
        return Err("the Swift package or its tests do not compile".to_owned());
    }
    let mut harness = Harness::default();
    let mut trace = Trace::of(&api::exports(&library)?);
    let arguments = ["swift", "test", "--skip-build", "--disable-swift-testing"];
    let mut tests = toolchain.command_within(LIMIT, project, &variables, &arguments);
    let start = Instant::now();
    let succeeded = each_line(in_package(&mut tests, &folder), |text| {
        watch.see(text);
        if !trace.read(text) {
            line(text);
            harness.read(text);
        }
    })?;
    if !succeeded && start.elapsed() >= LIMIT {
        line(&format!("the test above did not end: stopped after {} minutes", LIMIT.as_secs() / 60));
    }
    sum += harness.tally(succeeded);
    sum += watch.end();
    sum += check("every object that was handed to Swift came back", no_leak(&trace));
    trace.write_calls(&calls)?;
    Ok(sum)
}

/// The command whose `sandbox` the tests start; inside the repository, which is all that they see.
fn sandbox_command(project: &Project) -> Result<PathBuf, String> {
    let folder = project.root().join("target");
    let mut cargo = project.cargo(&["build", "--quiet", "--package", "ticket-wallet-cli"]);
    let built = succeeds(cargo.env("CARGO_TARGET_DIR", &folder))?;
    let command = folder.join("debug/ticket-wallet");
    if built && command.is_file() {
        Ok(command)
    } else {
        Err("the sandbox's command was not built".to_owned())
    }
}

/// What the package and its tests read from the environment.
fn variables<'a>(
    library: &'a Path,
    sandbox: &'a Path,
    secrets: &'a Path,
) -> Result<[(&'static str, &'a OsStr); 3], String> {
    let libraries = library.parent().ok_or("the library has no folder")?;
    Ok([
        ("TICKET_WALLET_LIBRARY_DIR", libraries.as_os_str()),
        ("TICKET_WALLET_COMMAND", sandbox.as_os_str()),
        (secrets::VARIABLE, secrets.as_os_str()),
    ])
}

fn in_package<'a>(command: &'a mut Command, folder: &Path) -> &'a mut Command {
    command.arg("--package-path").arg(folder.join("package"));
    command.arg("--scratch-path").arg(folder.join("build"))
}

/// Security, CryptoKit and Darwin are not here: what needs them is held against Swift's grammar at least.
fn apple_parses(project: &Project, toolchain: &Toolchain) -> Result<bool, String> {
    let files = ["AppleClock.swift", "SecureEnclaveKeyVault.swift"];
    let mut command = toolchain.command(project, &[], &["swiftc", "-frontend", "-parse"]);
    command.args(files.map(|file| format!("ios/Sources/TicketWallet/{file}")));
    succeeds(&mut command)
}

fn no_leak(trace: &Trace) -> bool {
    let leaks = trace.leaks();
    for leak in &leaks {
        line(&format!("not all references came back: {leak}"));
    }
    leaks.is_empty() && trace.kinds() > 0
}

fn check(name: &str, passed: bool) -> Tally {
    line(&format!("check {name} ... {}", if passed { "ok" } else { "FAILED" }));
    Tally::one(passed)
}
