//! What a device brings: a clock that the simulation moves, and a vault.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ticket_wallet::barcode::{DeviceSignature, Purpose};
use ticket_wallet::clock::ClockReading;
use ticket_wallet::host::{HostClock, HostClockError, KeyVault as _, SoftwareVault};

use crate::hooked_vault::{Call, HookedVault};

/// 2026-11-21, Unix milliseconds: the doors open.
pub(crate) const BEGIN_MS: i64 = 1_795_219_200_000;

/// The time that is simulated, Unix milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Now(Arc<AtomicI64>);

impl Now {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicI64::new(BEGIN_MS)))
    }

    pub(crate) fn ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn set(&self, at_ms: i64) {
        self.0.store(at_ms, Ordering::SeqCst);
    }
}

/// A device's clock: off by as much, always.
#[derive(Debug)]
pub(crate) struct DeviceClock {
    now: Now,
    skew_ms: i64,
    boots: AtomicU32,
}

impl DeviceClock {
    pub(crate) fn new(now: &Now, skew_ms: i64) -> Self {
        Self { now: now.clone(), skew_ms, boots: AtomicU32::new(1) }
    }

    pub(crate) fn reboot(&self) {
        self.boots.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn wall_ms(&self) -> i64 {
        self.now.ms() + self.skew_ms
    }
}

impl HostClock for DeviceClock {
    fn read(&self) -> Result<ClockReading, HostClockError> {
        Ok(ClockReading {
            wall_ms: self.wall_ms(),
            elapsed_ms: self.now.ms() - BEGIN_MS + 1_000,
            boot_id: format!("boot-{}", self.boots.load(Ordering::SeqCst)),
        })
    }
}

/// A vault that remembers which key it made: whoever owns the device can sign anything with it.
pub(crate) struct DeviceVault {
    /// What the gate is given.
    pub(crate) keys: Arc<HookedVault>,
    handle: Arc<Mutex<Option<String>>>,
}

impl DeviceVault {
    pub(crate) fn new(path: &std::path::Path) -> Self {
        let keys = HookedVault::new(Arc::new(SoftwareVault::new(path.to_string_lossy().into_owned())));
        let handle: Arc<Mutex<Option<String>>> = Arc::default();
        let made = Arc::clone(&handle);
        keys.before(move |call| {
            if let Call::CreateKey(handle) = call {
                *made.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle.to_owned());
            }
            Ok(())
        });
        Self { keys: Arc::new(keys), handle }
    }

    /// Signs with the key that was made last.
    pub(crate) fn sign_anything(&self, message: Vec<u8>) -> Result<DeviceSignature, String> {
        let handle = self.handle.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let handle = handle.ok_or("the device has no key")?;
        let signature =
            self.keys.sign(handle, Purpose::Record, message).map_err(|e| format!("a lie: {e}"))?;
        DeviceSignature::from_der(&signature).map_err(|e| format!("a lie: {e}"))
    }
}
