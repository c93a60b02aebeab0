//! Maven, and the JDK that it runs on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::debian;
use crate::files;
use crate::output::line;
use crate::process::{answer, each_line};
use crate::project::Project;

/// The oldest Java that the Kotlin package runs on.
const OLDEST_JAVA: u32 = 17;
const POM: &str = "bindings/kotlin/pom.xml";
const PACKAGES: [&str; 2] = ["default-jdk-headless", "maven"];
const PACKAGES_SIZE: &str = "a JDK with Maven: about 135 MB to download, 310 MB on disk";
/// Said before Maven fetches anything.
const SIZE: &str = "Maven fetches what it lacks (the Kotlin compiler, JUnit, JNA, coroutines, Android's framework \
                    classes) from Maven Central: about 260 MB, once, kept in its local repository.";
/// How Maven tells that its local repository lacks something.
const LACKS: &str = "in offline mode";

/// Looks for a JDK and Maven, and installs them where that can be done from here.
///
/// # Errors
/// What is missing, with the command that brings it.
pub(crate) fn ensure() -> Result<(), String> {
    let Some(missing) = missing() else { return Ok(()) };
    debian::provide(&PACKAGES, &format!("{missing} ({PACKAGES_SIZE})"))?;
    self::missing().map_or(Ok(()), |still| Err(format!("{still}, and the system's packages bring none")))
}

/// Says what the first run will fetch, unless one has run already.
pub(crate) fn announce(project: &Project) {
    let has_all = fs::read_to_string(stamp(project)).is_ok_and(|made| made == pom(project));
    line(if has_all { "Set up: Maven has what the Kotlin package needs." } else { SIZE });
}

/// Notes that Maven has everything now.
pub(crate) fn has_all(project: &Project) -> Result<(), String> {
    files::write(&stamp(project), &pom(project))
}

/// A copy of the last `pom.xml` that Maven had everything for.
fn stamp(project: &Project) -> PathBuf {
    project.root().join("target/maven-has-all-of-pom.xml")
}

fn pom(project: &Project) -> String {
    fs::read_to_string(project.root().join(POM)).unwrap_or_default()
}

fn missing() -> Option<String> {
    let version = |program: &str| answer(Command::new(program).arg("-version"));
    match version("javac").as_deref().map(java_version) {
        Some(Some(java)) if java >= OLDEST_JAVA => {}
        _ => return Some(format!("there is no JDK {OLDEST_JAVA} or newer with javac")),
    }
    version("mvn").is_none().then(|| "there is no Maven (mvn)".to_owned())
}

/// Reads `javac 17.0.15`.
fn java_version(answer: &str) -> Option<u32> {
    answer.strip_prefix("javac ")?.split(['.', '-', '+']).next()?.parse().ok()
}

/// Runs Maven on the Kotlin package, from its local repository alone where that has everything, and hands over each
/// line of output; tells whether it succeeded.
///
/// # Errors
/// When Maven cannot be started.
pub(crate) fn run(project: &Project, arguments: &[String], take: impl FnMut(&str)) -> Result<bool, String> {
    run_with(project, None, arguments, take)
}

/// The same with a variable of the environment, which the tests see.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_with(
    project: &Project,
    variable: Option<(&str, &Path)>,
    arguments: &[String],
    mut take: impl FnMut(&str),
) -> Result<bool, String> {
    let maven = || {
        let mut command = maven(project, arguments);
        command.envs(variable);
        command
    };
    let mut lacks = false;
    let mut complaints = Vec::new();
    let succeeded = each_line(maven().arg("--offline"), |text| {
        lacks |= text.contains(LACKS);
        if text.starts_with("[ERROR]") { complaints.push(text.to_owned()) } else { take(text) }
    })?;
    if lacks && !succeeded {
        line(SIZE);
        return each_line(&mut maven(), take);
    }
    complaints.iter().for_each(|text| take(text));
    Ok(succeeded)
}

fn maven(project: &Project, arguments: &[String]) -> Command {
    let mut command = Command::new("mvn");
    command.args(["--batch-mode", "--no-transfer-progress", "--file", POM]);
    command.args(arguments).current_dir(project.root());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_java_are_read() {
        assert_eq!(java_version("javac 17.0.15"), Some(17));
        assert_eq!(java_version("javac 25-ea"), Some(25));
        assert_eq!(java_version("javac 1.8.0_292"), Some(1));
        assert_eq!(java_version("something else"), None);
    }
}
