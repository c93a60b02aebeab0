//! Random runs, shared among threads. A failure names the smallest input that was found for it.

use std::panic::resume_unwind;
use std::thread;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FailurePersistence, FileFailurePersistence, RngSeed, TestRunner};

use crate::moments::Moments;

/// How many threads take part, each with a seed of its own that comes from the run's.
const THREADS: u32 = 2;

/// A random test.
pub(crate) struct Runs<S: Strategy, T> {
    /// Where the seeds of failures are kept, to be tried first; the name of a file beside the test.
    pub(crate) kept: &'static str,
    /// How many inputs are tried to make a failure smaller.
    pub(crate) shrinks: u32,
    /// The inputs.
    pub(crate) inputs: fn() -> S,
    /// One run; it panics where a promise is broken.
    pub(crate) run: fn(S::Value) -> T,
}

impl<S: Strategy + 'static, T: Send + 'static> Runs<S, T> {
    /// Does so many runs, and returns what each came to.
    pub(crate) fn share(&self, count: u32, seed: u64) -> Vec<T> {
        let mut seeds = Moments(seed);
        let start = |_| {
            let (part, seed) = (Self { ..*self }, seeds.below(u64::MAX));
            thread::spawn(move || part.some(count.div_ceil(THREADS), seed))
        };
        let threads: Vec<_> = (0..THREADS).map(start).collect();
        let ended = threads.into_iter().map(|one| one.join().unwrap_or_else(|panic| resume_unwind(panic)));
        ended.flat_map(|done| done.unwrap_or_else(|failure| panic!("{failure}"))).collect()
    }

    fn some(&self, cases: u32, seed: u64) -> Result<Vec<T>, String> {
        let kept = FileFailurePersistence::Direct(self.kept);
        let failure_persistence: Option<Box<dyn FailurePersistence>> = Some(Box::new(kept));
        let (max_shrink_iters, rng_seed) = (self.shrinks, RngSeed::Fixed(seed));
        let config = Config { cases, max_shrink_iters, rng_seed, failure_persistence, ..Config::default() };
        let done = std::cell::RefCell::new(Vec::new());
        let outcome = TestRunner::new(config).run(&(self.inputs)(), |input| {
            done.borrow_mut().push((self.run)(input));
            Ok(())
        });
        outcome.map(|()| done.into_inner()).map_err(|failure| failure.to_string())
    }
}
