//! A gate and its server: signing in, manifests down, records up.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::model::SystemConfig;
use crate::store::StoredScanner;

/// What a scanner is registered as, beside what its records need.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Registered {
    /// Where its server is.
    pub(super) config: SystemConfig,
    /// The door, as staff call it.
    pub(super) name: String,
    /// The event's id in its system.
    pub(super) event_id: String,
    /// The sections let in; empty lets in all.
    pub(super) sections: Vec<u16>,
    /// The pinned manifest key, in hex, where the server signs manifests.
    pub(super) manifest_key: Option<String>,
    /// What later requests are signed in by.
    pub(super) session: String,
}

opaque_debug!(Registered);

impl Registered {
    /// What the store holds.
    ///
    /// # Errors
    /// [`Error::Untrusted`].
    pub(super) fn read(stored: &StoredScanner) -> Result<Self, Error> {
        let unreadable = |_| Error::Untrusted { what: "the scanner's registration cannot be read" };
        serde_json::from_str(&stored.registered).map_err(unreadable)
    }
}
