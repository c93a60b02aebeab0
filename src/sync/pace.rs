//! When a write that failed for now is tried again. Only in memory: after a restart everything is due.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::random_u64;
use crate::error::Error;
use crate::host::HostClock;
use crate::remote::retry::Pause;
use crate::remote::{Http, RetryPolicy};

/// The waits of single writes, by the clock that counts sleep.
pub(super) struct Pace {
    clock: Arc<dyn HostClock>,
    waits: Mutex<HashMap<i64, Wait>>,
}

opaque_debug!(Pace);

#[derive(Clone)]
struct Wait {
    failures: u32,
    pause: Pause,
}

impl Pace {
    pub(super) fn new(clock: Arc<dyn HostClock>) -> Self {
        Self { clock, waits: Mutex::default() }
    }

    /// Whether a write is due. A clock that cannot be read or that began anew holds nothing back.
    pub(super) fn is_due(&self, id: i64) -> bool {
        self.left_ms(id) == 0
    }

    /// Milliseconds until a write is due.
    pub(super) fn left_ms(&self, id: i64) -> u64 {
        let Some(wait) = self.waits().get(&id).cloned() else { return 0 };
        self.clock.read().map_or(0, |now| wait.pause.left_ms(&now))
    }

    /// Puts a write off, further with each failure.
    pub(super) fn delay(&self, id: i64, http: &Http) -> Result<(), Error> {
        self.delay_by(id, &http.retry_policy(), random_u64()?)
    }

    fn delay_by(&self, id: i64, policy: &RetryPolicy, random: u64) -> Result<(), Error> {
        let now = self.clock.read()?;
        let mut waits = self.waits();
        let failures = waits.get(&id).map_or(1, |wait| wait.failures.saturating_add(1));
        let pause = Pause::beginning(&now, policy.backoff_ms(failures, random));
        waits.insert(id, Wait { failures, pause });
        Ok(())
    }

    /// A write that has its outcome, or that the person sends again, waits no longer.
    pub(super) fn forget(&self, id: i64) {
        self.waits().remove(&id);
    }

    /// Everything is due, for example after the network came back.
    pub(super) fn forget_all(&self) {
        self.waits().clear();
    }

    fn waits(&self) -> MutexGuard<'_, HashMap<i64, Wait>> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::clock::ClockReading;
    use crate::host::HostClockError;

    /// A clock that a test sets.
    struct SetClock(Mutex<ClockReading>);

    impl HostClock for SetClock {
        fn read(&self) -> Result<ClockReading, HostClockError> {
            Ok(self.0.lock().unwrap().clone())
        }
    }

    fn pace_at(elapsed_ms: i64) -> (Arc<SetClock>, Pace) {
        let reading = ClockReading { elapsed_ms, boot_id: "a".to_owned(), ..ClockReading::default() };
        let clock = Arc::new(SetClock(Mutex::new(reading)));
        (Arc::clone(&clock), Pace::new(clock))
    }

    fn policy() -> RetryPolicy {
        RetryPolicy { base_ms: 100, cap_ms: 1_000, ..RetryPolicy::default() }
    }

    #[test]
    fn each_failure_puts_a_write_off_further_up_to_the_cap() {
        let (_clock, pace) = pace_at(0);
        let mut left = Vec::new();
        for _ in 0..6 {
            pace.delay_by(1, &policy(), u64::MAX).unwrap();
            left.push(pace.left_ms(1));
        }
        assert_eq!(left, [100, 200, 400, 800, 1_000, 1_000]);
        assert!(pace.is_due(2), "another write waits for its own failures only");
        pace.forget(1);
        pace.delay_by(1, &policy(), u64::MAX).unwrap();
        assert_eq!(pace.left_ms(1), 100, "with its outcome it begins anew");
    }

    #[test]
    fn a_clock_that_restarts_holds_no_write_back() {
        let (clock, pace) = pace_at(9_000_000);
        pace.delay_by(1, &policy(), u64::MAX).unwrap();
        clock.0.lock().unwrap().elapsed_ms += 40;
        assert_eq!(pace.left_ms(1), 60);
        clock.0.lock().unwrap().elapsed_ms = 1_000;
        assert!(pace.is_due(1), "within its boot");
        pace.delay_by(1, &policy(), u64::MAX).unwrap();
        clock.0.lock().unwrap().boot_id = "b".to_owned();
        assert!(pace.is_due(1), "with the device");
    }
}
