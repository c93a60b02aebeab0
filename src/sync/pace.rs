//! When a write that failed for now is tried again. Only in memory: after a restart everything is due.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::device::random_u64;
use crate::error::Error;
use crate::host::HostClock;
use crate::remote::Http;

/// The waits of single writes, by the clock that counts sleep.
pub(super) struct Pace {
    clock: Arc<dyn HostClock>,
    waits: Mutex<HashMap<i64, Wait>>,
}

opaque_debug!(Pace);

#[derive(Clone)]
struct Wait {
    failures: u32,
    /// Reading of the clock from which on it is due.
    due_ms: i64,
    boot_id: String,
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
        let now = self.clock.read().ok().filter(|now| now.boot_id == wait.boot_id);
        now.map_or(0, |now| u64::try_from(wait.due_ms.saturating_sub(now.elapsed_ms)).unwrap_or(0))
    }

    /// Puts a write off, further with each failure.
    pub(super) fn delay(&self, id: i64, http: &Http) -> Result<(), Error> {
        let (now, random) = (self.clock.read()?, random_u64()?);
        let mut waits = self.waits();
        let failures = waits.get(&id).map_or(1, |wait| wait.failures.saturating_add(1));
        let left = i64::try_from(http.retry_policy().backoff_ms(failures, random)).unwrap_or(i64::MAX);
        let due_ms = now.elapsed_ms.saturating_add(left);
        waits.insert(id, Wait { failures, due_ms, boot_id: now.boot_id });
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
