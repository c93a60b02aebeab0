//! How many processes end in one run: every second one at a named point of its work, the others at any moment.

use crate::child::End;
use crate::moments::{self, Moments};

/// Where processes end.
pub(crate) struct Kills<'a> {
    /// The named points.
    pub(crate) points: &'a [&'static str],
    /// A point is passed less often than this before.
    pub(crate) passes: u64,
    /// Less lines than this are told before.
    pub(crate) lines: u64,
    /// Less turns than this are waited after the last line.
    pub(crate) turns: u64,
}

impl Kills<'_> {
    /// How the process of that number ends.
    pub(crate) fn end(&self, number: u32, moments: &mut Moments) -> End {
        if number.is_multiple_of(2) {
            let point = self.points[(number as usize / 2) % self.points.len()];
            End::At { point, passes: moments.below(self.passes) }
        } else {
            End::Killed { lines: moments.below(self.lines), turns: moments.below(self.turns) }
        }
    }
}

/// The moments of a run, whose seed is printed.
pub(crate) fn seeded() -> Moments {
    let seed = moments::seed();
    println!("PROPTEST_RNG_SEED={seed}");
    Moments(seed)
}
