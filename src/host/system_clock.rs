//! The clocks of Linux and Android.

use super::{HostClock, HostClockError};
use crate::clock::ClockReading;

/// Reads `CLOCK_REALTIME`, `CLOCK_BOOTTIME` and the kernel's boot id. On other systems it answers with an error: there
/// the app passes a [`HostClock`] of its own.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[cfg(any(target_os = "linux", target_os = "android"))]
impl HostClock for SystemClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        use rustix::time::{ClockId, clock_gettime};
        let millis = |id| {
            let time = clock_gettime(id);
            time.tv_sec * 1000 + time.tv_nsec / 1_000_000
        };
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_err(|e| HostClockError::Failed { reason: format!("no boot id: {}", e.kind()) })?;
        Ok(ClockReading {
            wall_ms: millis(ClockId::Realtime),
            elapsed_ms: millis(ClockId::Boottime),
            boot_id: boot_id.trim().to_owned(),
        })
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
impl HostClock for SystemClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        Err(HostClockError::Failed {
            reason: "this system has no built-in clock; pass a HostClock".to_owned(),
        })
    }
}
