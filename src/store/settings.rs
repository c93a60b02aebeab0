//! Single values of the wallet.

use rusqlite::OptionalExtension as _;

use super::Store;
use crate::clock::TrustedTime;
use crate::error::Error;

const TRUSTED_TIME: &str = "trusted_time";
const DEVICE_ID: &str = "device_id";
const GATE_PROGRESS: &str = "gate_progress";

impl Store {
    /// The anchor of trusted time; one that cannot be read counts as none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn trusted_time(&self) -> Result<TrustedTime, Error> {
        let json = self.setting(TRUSTED_TIME, "the clock's anchor cannot be read")?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    /// Keeps the anchor of trusted time.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_trusted_time(&self, time: &TrustedTime) -> Result<(), Error> {
        let json =
            serde_json::to_string(time).map_err(|_| Error::Untrusted { what: "the clock cannot be kept" })?;
        self.set_setting(TRUSTED_TIME, &json, "the clock's anchor cannot be kept")
    }

    /// How far a gate has read its server's lists, as JSON.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn gate_progress(&self) -> Result<Option<String>, Error> {
        self.setting(GATE_PROGRESS, "the gate's progress cannot be read")
    }

    /// Keeps how far a gate has read its server's lists.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_gate_progress(&self, json: &str) -> Result<(), Error> {
        self.set_setting(GATE_PROGRESS, json, "the gate's progress cannot be kept")
    }

    /// The id by which servers know this installation; `fresh` becomes it when there is none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn device_id(&self, fresh: &str) -> Result<String, Error> {
        self.write("the device's id cannot be kept", |tx| {
            tx.execute(
                "INSERT INTO setting (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                (DEVICE_ID, fresh),
            )?;
            tx.query_row("SELECT value FROM setting WHERE name = ?1", [DEVICE_ID], |row| row.get(0))
        })
    }

    fn setting(&self, name: &str, context: &'static str) -> Result<Option<String>, Error> {
        self.read(context, |db| {
            db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([name], |row| row.get(0))
                .optional()
        })
    }

    fn set_setting(&self, name: &str, value: &str, context: &'static str) -> Result<(), Error> {
        self.write(context, |tx| {
            tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", (name, value))
                .map(drop)
        })
    }
}
