//! What facades over a store share: the store, the vault, the time, and the runner of syncs.

use std::path::Path;
use std::sync::Arc;

use super::{Engine, Runner, TimeKeeper};
use crate::config::Config;
use crate::device::new_id;
use crate::error::Error;
use crate::host::{HostClock, HttpTransport, KeyVault, clock_or_system};
use crate::remote::Http;
use crate::store::Store;

/// An open store and the services over it.
#[derive(Clone)]
pub struct Core {
    /// The store.
    pub store: Arc<Store>,
    /// The host's key vault.
    pub vault: Arc<dyn KeyVault>,
    /// Trusted time.
    pub time: Arc<TimeKeeper>,
    /// Runs what speaks with servers.
    pub runner: Arc<Runner>,
}

opaque_debug!(Core);

impl Core {
    /// Opens the store in the configuration's folder, or makes it where nothing is.
    ///
    /// # Errors
    /// As [`Store::open`]; [`Error::Clock`].
    pub fn open(
        config: &Config,
        vault: Arc<dyn KeyVault>,
        clock: Option<Arc<dyn HostClock>>,
        transport: Option<Arc<dyn HttpTransport>>,
    ) -> Result<Self, Error> {
        let clock = clock_or_system(clock);
        let store = Arc::new(Store::open(Path::new(&config.folder), &*vault)?);
        let time = Arc::new(TimeKeeper::new(Arc::clone(&clock), Arc::clone(&store))?);
        let version = config.app_version.clone().unwrap_or_else(|| env!("CARGO_PKG_VERSION").to_owned());
        let headers = vec![("x-app-version", version), ("x-device-id", store.device_id(&new_id()?)?)];
        let http = Arc::new(Http::new(transport, clock, headers, Arc::clone(&time) as _));
        let bind_ahead_s = i64::from(config.bind_ahead_days) * 86_400;
        let engine =
            Engine::new(Arc::clone(&store), Arc::clone(&vault), http, Arc::clone(&time), bind_ahead_s);
        let runner = Arc::new(Runner::new(Arc::clone(&store), engine)?);
        Ok(Self { store, vault, time, runner })
    }
}
