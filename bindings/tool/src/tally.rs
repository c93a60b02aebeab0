//! Counts of passed and failed tests.

use std::fmt;
use std::ops::AddAssign;

/// How many passed and how many failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Passed.
    pub(crate) passed: u64,
    /// Failed.
    pub(crate) failed: u64,
}

impl Tally {
    /// The count of one test.
    pub(crate) fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into() }
    }

    /// The count of a whole run, given whether it succeeded: a failure that no test accounts for, such as code that
    /// does not compile, is one failure; so is a run without any test.
    pub(crate) fn of_run(self, succeeded: bool) -> Self {
        let unaccounted = self.failed == 0 && (!succeeded || self.passed == 0);
        Self { failed: self.failed + u64::from(unaccounted), ..self }
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_up_and_prints() {
        let mut sum = Tally::one(true);
        sum += Tally::one(false);
        sum += Tally { passed: 40, failed: 0 };
        assert_eq!(sum.to_string(), "41 passed, 1 failed");
    }

    #[test]
    fn what_no_test_accounts_for_is_a_failure() {
        let good = Tally { passed: 2, failed: 0 };
        assert_eq!(good.of_run(true), good);
        assert_eq!(good.of_run(false), Tally { passed: 2, failed: 1 }, "it broke off");
        assert_eq!(Tally::default().of_run(true), Tally::one(false), "no test at all");
        assert_eq!(Tally::default().of_run(false), Tally::one(false), "it does not compile");
        let bad = Tally { passed: 2, failed: 3 };
        assert_eq!(bad.of_run(false), bad, "failures count once");
    }
}
