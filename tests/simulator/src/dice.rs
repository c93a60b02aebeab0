//! Choices that come from a seed.

use crate::moments::Moments;

pub(crate) struct Dice(Moments);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Moments(seed))
    }

    /// A number below a limit; 0 where that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.0.below(limit)).unwrap_or(0)
    }

    /// A time from 0 up to a limit, in its unit.
    pub(crate) fn time(&mut self, limit: i64) -> i64 {
        i64::try_from(self.0.below(u64::try_from(limit).unwrap_or(0).max(1))).unwrap_or(0)
    }

    /// Whether something happens that does so in so many of a hundred cases.
    pub(crate) fn percent(&mut self, share: u32) -> bool {
        self.0.below(100) < u64::from(share)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }

    pub(crate) fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| u8::try_from(self.0.below(256)).unwrap_or(0))
    }
}
