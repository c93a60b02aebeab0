//! Watches a suite's output for the secrets of the sandboxes that it starts: they tell each that they give out in a file,
//! and it must be told nowhere else.

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::output::line;
use crate::project::Project;
use crate::tally::Tally;

/// Names the file to every sandbox.
pub(crate) const VARIABLE: &str = "TICKET_WALLET_SANDBOX_SECRETS";
/// Shorter texts are in outputs by chance; no sandbox has such a secret.
const SHORTEST: usize = 8;

/// A suite that is watched.
pub(crate) struct Watch {
    suite: &'static str,
    file: PathBuf,
    seen: Mutex<Vec<String>>,
}

impl Watch {
    /// Begins with an empty file.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn begin(project: &Project, suite: &'static str) -> Result<Self, String> {
        let folder = project.root().join("target/secrets");
        let file = folder.join(format!("{suite}.txt"));
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&file, ""))
            .map_err(|e| format!("{} cannot be written: {e}", file.display()))?;
        Ok(Self { suite, file, seen: Mutex::default() })
    }

    /// The value of [`VARIABLE`].
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// Takes in one line of output, printed or not.
    pub(crate) fn see(&self, text: &str) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
    }

    /// Says which lines hold a secret, by their numbers; never which secret. A suite in which no sandbox told any shows
    /// nothing, and fails.
    pub(crate) fn end(self) -> Tally {
        let (passed, report) = self.judge();
        report.iter().for_each(|text| line(text));
        Tally::one(passed)
    }

    fn judge(self) -> (bool, Vec<String>) {
        let told = fs::read(&self.file).unwrap_or_default();
        // Nobody needs them any more.
        drop(fs::remove_file(&self.file));
        let secrets = Secrets::of(&String::from_utf8_lossy(&told));
        let (suite, known) = (self.suite, secrets.count);
        let seen = self.seen.into_inner().unwrap_or_else(PoisonError::into_inner);
        let leaks = secrets.leaks(&seen);
        let passed = leaks.is_empty() && known > 0;
        let mut report: Vec<String> = leaks
            .iter()
            .map(|number| {
                format!("line {number} of what the {suite} suite said holds a secret of the sandbox")
            })
            .collect();
        report.push(format!(
            "check none of {known} secrets is in {} lines of the {suite} suite ... {}",
            seen.len(),
            if passed { "ok" } else { "FAILED" }
        ));
        (passed, report)
    }
}

/// Secrets by how they begin: each place of a text is looked up once.
struct Secrets {
    by_start: HashMap<[u8; SHORTEST], Vec<Vec<u8>>>,
    count: usize,
}

impl Secrets {
    /// One secret a line.
    fn of(told: &str) -> Self {
        let all: BTreeSet<&str> = told.lines().filter(|secret| secret.len() >= SHORTEST).collect();
        let mut by_start: HashMap<[u8; SHORTEST], Vec<Vec<u8>>> = HashMap::new();
        for secret in &all {
            if let Some(start) = secret.as_bytes().first_chunk() {
                by_start.entry(*start).or_default().push(secret.as_bytes().to_vec());
            }
        }
        Self { by_start, count: all.len() }
    }

    /// The numbers of the lines with a secret in them, from 1 on.
    fn leaks(&self, lines: &[String]) -> Vec<usize> {
        let numbered = lines.iter().enumerate();
        numbered.filter(|(_, text)| self.is_in(text.as_bytes())).map(|(index, _)| index + 1).collect()
    }

    fn is_in(&self, text: &[u8]) -> bool {
        (0..text.len()).any(|at| {
            let rest = &text[at..];
            let begun = rest.first_chunk().and_then(|start| self.by_start.get(start));
            begun.is_some_and(|secrets| secrets.iter().any(|secret| rest.starts_with(secret)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn lines_with_a_secret_are_found_by_number() {
        let secrets = Secrets::of("hunter2-hunter2\nhunter2-hunter3\nłódź-łódź\nhunter2-hunter2\nshort\n\n");
        assert_eq!(secrets.count, 3);
        let output =
            "test a ... ok\nhunter2-hunter2\nhunter2-hunter\n{\"p\":\"hunter2-hunter3\"}\nshort\nx łódź-łódź";
        assert_eq!(secrets.leaks(&lines(output)), [2, 4, 6]);
        assert!(Secrets::of("").leaks(&lines(output)).is_empty());
        assert!(secrets.leaks(&[]).is_empty());
    }

    /// The control: a planted secret fails a suite, and so does a suite in which none was told.
    #[test]
    fn a_planted_secret_fails_its_suite() {
        let project = Project::find().unwrap();
        for (suite, told, said, expected) in [
            (
                "control-1",
                "a-secret-of-it\nanother-secret\n",
                "test a ... ok",
                &["check none of 2 secrets is in 2 lines of the control-1 suite ... ok"][..],
            ),
            (
                "control-2",
                "a-secret-of-it\nanother-secret\n",
                "left: \"another-secret\"",
                &[
                    "line 2 of what the control-2 suite said holds a secret of the sandbox",
                    "check none of 2 secrets is in 2 lines of the control-2 suite ... FAILED",
                ],
            ),
            (
                "control-3",
                "",
                "test a ... ok",
                &["check none of 0 secrets is in 2 lines of the control-3 suite ... FAILED"],
            ),
        ] {
            let watch = Watch::begin(&project, suite).unwrap();
            fs::write(watch.file(), told).unwrap();
            watch.see("first line");
            watch.see(said);
            let file = watch.file().to_owned();
            let (passed, report) = watch.judge();
            assert_eq!(
                (passed, report.iter().map(String::as_str).collect()),
                (suite == "control-1", expected.to_vec())
            );
            assert!(!file.exists());
        }
    }
}
