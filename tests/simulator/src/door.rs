//! A scanner at its door: the real gate over a store in a folder, with a clock and a vault of its own.

use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use ticket_wallet::{Config, Gate};
use tokio::runtime::Runtime;

use crate::device::{DeviceClock, DeviceVault, Now};
use crate::rogue::Rogue;
use crate::server::Server;
use crate::tickets::said;

pub(crate) struct Door {
    pub(crate) name: String,
    pub(crate) group: usize,
    /// Its number in the delivery log.
    pub(crate) life: usize,
    /// `None` while it is switched off.
    pub(crate) gate: Option<Gate>,
    /// Whether it never comes back.
    pub(crate) is_gone: bool,
    /// Whether it throws away what it is sent.
    pub(crate) is_deaf: bool,
    pub(crate) rogue: Option<Rogue>,
    pub(crate) certificate: Vec<u8>,
    pub(crate) clock: Arc<DeviceClock>,
    pub(crate) vault: Arc<DeviceVault>,
    skew_ms: i64,
    folder: TempDir,
}

impl Door {
    /// A device that is not signed in.
    pub(crate) fn new(
        number: usize,
        group: usize,
        stores: &Path,
        now: &Now,
        skew_ms: i64,
    ) -> Result<Self, String> {
        let (folder, vault, clock) = unpack(stores, now, skew_ms)?;
        Ok(Self {
            name: format!("Door {number}"),
            group,
            life: 0,
            gate: None,
            is_gone: false,
            is_deaf: false,
            rogue: None,
            certificate: Vec::new(),
            clock,
            vault,
            skew_ms,
            folder,
        })
    }

    pub(crate) fn is_honest(&self) -> bool {
        self.rogue.is_none()
    }

    pub(crate) fn gate(&self) -> Result<&Gate, String> {
        self.gate.as_ref().ok_or_else(|| format!("{} is switched off", self.name))
    }

    /// Signs in, prepared with the manifest of the moment.
    pub(crate) fn sign_in(&mut self, runtime: &Runtime, server: &Server) -> Result<(), String> {
        self.switch_on()?;
        runtime.block_on(self.gate()?.sign_in(server.sign_in(&self.name))).map_err(said)?;
        self.certificate = server.last_certificate();
        Ok(())
    }

    /// Gets the manifest of the moment; returns its sequence.
    pub(crate) fn prepare(&self, runtime: &Runtime) -> Result<u32, String> {
        let status = runtime.block_on(self.gate()?.prepare()).map_err(said)?;
        Ok(status.manifest_sequence.unwrap_or(0))
    }

    pub(crate) fn switch_off(&mut self) {
        self.gate = None;
    }

    /// Opens the gate over the store that is there.
    pub(crate) fn switch_on(&mut self) -> Result<(), String> {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let config = Config { send_by_itself: false, ..Config::in_folder(folder) };
        self.clock.reboot();
        let gate =
            Gate::open(config, Arc::clone(&self.vault.keys) as _, Some(Arc::clone(&self.clock) as _), None);
        self.gate = Some(gate.map_err(|e| format!("{} does not open: {e}", self.name))?);
        Ok(())
    }

    /// Store and keys are lost; another device stands here, with the same clock.
    pub(crate) fn replace(&mut self, stores: &Path, now: &Now) -> Result<(), String> {
        self.gate = None;
        (self.folder, self.vault, self.clock) = unpack(stores, now, self.skew_ms)?;
        Ok(())
    }
}

fn unpack(
    stores: &Path,
    now: &Now,
    skew_ms: i64,
) -> Result<(TempDir, Arc<DeviceVault>, Arc<DeviceClock>), String> {
    let folder = TempDir::new_in(stores).map_err(said)?;
    let vault = Arc::new(DeviceVault::new(&folder.path().join("vault.json")));
    Ok((folder, vault, Arc::new(DeviceClock::new(now, skew_ms))))
}
