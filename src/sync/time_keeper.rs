//! Trusted time at work: reads the host's clock, learns from replies, keeps the anchor in the store.

use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{ClockReading, TimeSample, TrustedNow, TrustedTime};
use crate::error::Error;
use crate::host::HostClock;
use crate::remote::TrustedClock;
use crate::store::Store;

/// The wallet's clock.
pub struct TimeKeeper {
    clock: Arc<dyn HostClock>,
    store: Arc<Store>,
    time: Mutex<TrustedTime>,
}

opaque_debug!(TimeKeeper);

impl TimeKeeper {
    /// Goes on from the anchor in the store.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn new(clock: Arc<dyn HostClock>, store: Arc<Store>) -> Result<Self, Error> {
        let time = Mutex::new(store.trusted_time()?);
        Ok(Self { clock, store, time })
    }

    /// The time now.
    ///
    /// # Errors
    /// [`Error::Clock`].
    pub fn now(&self) -> Result<TrustedNow, Error> {
        let reading = self.clock.read()?;
        Ok(self.time.lock().unwrap_or_else(PoisonError::into_inner).now(&reading))
    }
}

impl TrustedClock for TimeKeeper {
    /// An anchor that cannot be kept still counts until the wallet is closed.
    fn learn(&self, sample: &TimeSample) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        if time.learn(sample) {
            let _ = self.store.set_trusted_time(&time);
        }
    }

    fn unix_s(&self, reading: &ClockReading) -> i64 {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).now(reading).unix_s()
    }
}
