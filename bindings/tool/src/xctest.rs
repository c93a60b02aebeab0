//! Reads the output of XCTest.

use crate::tally::Tally;

/// What the lines read so far amount to.
#[derive(Debug, Default)]
pub(crate) struct Harness {
    /// Every suite closes with its counts; the last is the sum of all.
    last: Option<Counts>,
    started: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    executed: u64,
    skipped: u64,
    failures: u64,
}

impl Harness {
    /// Takes one line of output.
    pub(crate) fn read(&mut self, line: &str) {
        if line.starts_with("Test Case '") && line.contains("' started at ") {
            self.started += 1;
        }
        self.last = closing(line).or(self.last);
    }

    /// The count, given whether the run succeeded. Of one that broke off nothing counts but the failure; a skipped test
    /// proves nothing and counts as failed.
    pub(crate) fn tally(&self, succeeded: bool) -> Tally {
        let counts = self.last.filter(|counts| counts.executed == self.started);
        let count = |Counts { executed, skipped, failures }| {
            // One test can fail in several places.
            let failed = (failures + skipped).min(executed);
            Tally { passed: executed - failed, failed }
        };
        counts.map(count).unwrap_or_default().of_run(succeeded)
    }
}

/// Reads `Executed 16 tests, with 1 test skipped and 2 failures (0 unexpected) in 3.5 (3.5) seconds`.
fn closing(line: &str) -> Option<Counts> {
    let mut words = line.trim().strip_prefix("Executed ")?.split([' ', ',']).filter(|word| !word.is_empty());
    let executed = words.next()?.parse().ok()?;
    let (mut skipped, mut failures, mut number) = (0, None, 0);
    for word in words {
        match word {
            "skipped" => skipped = number,
            "failure" | "failures" => failures = Some(number),
            _ => number = word.parse().unwrap_or(number),
        }
    }
    Some(Counts { executed, skipped, failures: failures? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(output: &str) -> Harness {
        let mut harness = Harness::default();
        output.lines().for_each(|line| harness.read(line));
        harness
    }

    const TWO: &str = "Test Case 'A.test_x' started at 2026\nTest Case 'A.test_y' started at 2026\n";

    #[test]
    fn the_last_line_counts() {
        let output = format!(
            "{TWO}\t Executed 1 test, with 0 failures (0 unexpected) in 0.1 (0.1) seconds\n\
             \t Executed 2 tests, with 0 failures (0 unexpected) in 0.1 (0.1) seconds"
        );
        assert_eq!(read(&output).tally(true), Tally { passed: 2, failed: 0 });
        assert_eq!(read(&output).tally(false), Tally { passed: 2, failed: 1 });
    }

    #[test]
    fn failures_and_skipped_tests_fail() {
        let line = "Executed 2 tests, with 1 test skipped and 3 failures (1 unexpected) in 2.5 (2.5) seconds";
        assert_eq!(closing(line), Some(Counts { executed: 2, skipped: 1, failures: 3 }));
        assert_eq!(read(&format!("{TWO}{line}")).tally(false), Tally { passed: 0, failed: 2 });
    }

    #[test]
    fn a_run_that_broke_off_or_had_no_test_is_a_failure() {
        assert_eq!(read(TWO).tally(false), Tally { passed: 0, failed: 1 });
        assert_eq!(read("").tally(true), Tally { passed: 0, failed: 1 });
        let none = "Executed 0 tests, with 0 failures (0 unexpected) in 0.0 (0.0) seconds";
        assert_eq!(read(none).tally(true), Tally { passed: 0, failed: 1 });
    }
}
