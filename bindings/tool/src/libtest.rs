//! Reads the output of Rust's test harness.

use crate::tally::Tally;

/// What the lines read so far amount to.
#[derive(Debug, Default)]
pub(crate) struct Harness {
    sum: Tally,
    started: u64,
    finished: u64,
    ignored: Vec<String>,
}

impl Harness {
    /// Takes one line of output.
    pub(crate) fn read(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            self.finished += 1;
            self.sum += result(counts).unwrap_or(Tally::one(false));
        } else if is_start(line) {
            self.started += 1;
        } else if let Some(name) = ignored(line) {
            self.ignored.push(name.to_owned());
        }
    }

    /// The tests that were not run; each counts as failed.
    pub(crate) fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How many test programs ended without telling their result; each counts as one failure.
    pub(crate) fn broken_off(&self) -> u64 {
        self.started.saturating_sub(self.finished)
    }

    /// The count, given whether cargo succeeded.
    pub(crate) fn tally(&self, succeeded: bool) -> Tally {
        Tally { failed: self.sum.failed + self.broken_off(), ..self.sum }.of_run(succeeded)
    }
}

/// Reads `ok. 3 passed; 0 failed; 1 ignored; …`. An ignored test proves nothing, so it counts as failed.
fn result(counts: &str) -> Option<Tally> {
    let (_, counts) = counts.split_once(". ")?;
    let count = |what: &str| {
        let part = counts.split("; ").find_map(|part| part.strip_suffix(what))?;
        part.trim_end().parse::<u64>().ok()
    };
    Some(Tally { passed: count("passed")?, failed: count("failed")? + count("ignored")? })
}

/// Whether this is `running 3 tests`.
fn is_start(line: &str) -> bool {
    let count = line
        .strip_prefix("running ")
        .and_then(|rest| rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test")));
    count.is_some_and(|count| count.parse::<u64>().is_ok())
}

/// The name in `test name ... ignored` or `test name ... ignored, why`.
fn ignored(line: &str) -> Option<&str> {
    let (name, state) = line.strip_prefix("test ")?.split_once(" ... ")?;
    (state == "ignored" || state.starts_with("ignored,")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Harness {
        let mut harness = Harness::default();
        output.lines().for_each(|line| harness.read(line));
        harness
    }

    const GOOD: &str = "\nrunning 2 tests\ntest a ... ok\ntest b ... ok\n\n\
        test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
        running 1 test\ntest c ... ok\n\
        test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s\n";

    #[test]
    fn adds_up_several_programs() {
        assert_eq!(read(GOOD).tally(true), Tally { passed: 3, failed: 0 });
    }

    #[test]
    fn failures_count_once() {
        let output = format!(
            "{GOOD}running 3 tests\ntest x ... FAILED\n\
             test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.1s"
        );
        assert_eq!(read(&output).tally(false), Tally { passed: 4, failed: 2 });
    }

    #[test]
    fn ignored_tests_are_failures_with_a_name() {
        let output = "running 3 tests\ntest a ... ok\ntest slow ... ignored\ntest later ... ignored, needs a phone\n\
            test result: ok. 1 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out; finished in 0.1s";
        let harness = read(output);
        assert_eq!(harness.tally(true), Tally { passed: 1, failed: 2 });
        assert_eq!(harness.ignored(), ["slow", "later"]);
    }

    #[test]
    fn what_no_test_accounts_for_is_a_failure() {
        assert_eq!(read("").tally(false), Tally { passed: 0, failed: 1 }, "does not compile");
        assert_eq!(read("").tally(true), Tally { passed: 0, failed: 1 }, "no test at all");
        assert_eq!(read(GOOD).tally(false), Tally { passed: 3, failed: 1 }, "a program could not start");
        let crashed = read(&format!("{GOOD}running 7 tests\ntest a ... ok"));
        assert_eq!(crashed.tally(false), Tally { passed: 3, failed: 1 }, "a program crashed");
    }

    #[test]
    fn a_result_that_cannot_be_read_is_a_failure() {
        assert_eq!(read("test result: perhaps").tally(true), Tally { passed: 0, failed: 1 });
        assert_eq!(result("ok. many passed; 0 failed; 0 ignored"), None);
    }

    #[test]
    fn other_lines_do_not_count() {
        let noise = "running out of tests\nrunning x tests\ntest \nthe test result: ok. 9 passed; 0 failed; 0 ignored";
        let harness = read(noise);
        assert_eq!((harness.started, harness.finished, harness.ignored.len()), (0, 0, 0));
    }
}
