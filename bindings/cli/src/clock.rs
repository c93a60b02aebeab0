//! A clock that the demo can move: the system's, shifted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use ticket_wallet::clock::ClockReading;
use ticket_wallet::host::{HostClock, HostClockError, SystemClock};

/// The system's clocks, all shifted by the same span.
#[derive(Debug, Clone, Default)]
pub(crate) struct ShiftedClock(Arc<AtomicI64>);

impl ShiftedClock {
    pub(crate) fn advance_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Wall time in milliseconds; 0 where the system cannot tell it.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.read().map_or(0, |reading| reading.wall_ms)
    }
}

impl HostClock for ShiftedClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        let shift = self.0.load(Ordering::SeqCst);
        let reading = SystemClock.read()?;
        Ok(ClockReading {
            wall_ms: reading.wall_ms + shift,
            elapsed_ms: reading.elapsed_ms + shift,
            boot_id: reading.boot_id,
        })
    }
}
