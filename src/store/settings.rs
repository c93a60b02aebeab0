//! Single values of the wallet.

use rusqlite::OptionalExtension as _;

use super::Store;
use crate::clock::TrustedTime;
use crate::error::Error;

const TRUSTED_TIME: &str = "trusted_time";
const DEVICE_ID: &str = "device_id";

impl Store {
    /// The anchor of trusted time; one that cannot be read counts as none.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn trusted_time(&self) -> Result<TrustedTime, Error> {
        let json: Option<String> = self.read("the clock's anchor cannot be read", |db| {
            db.prepare_cached("SELECT value FROM setting WHERE name = ?1")?
                .query_row([TRUSTED_TIME], |row| row.get(0))
                .optional()
        })?;
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
    }

    /// Keeps the anchor of trusted time.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_trusted_time(&self, time: &TrustedTime) -> Result<(), Error> {
        let json =
            serde_json::to_string(time).map_err(|_| Error::Untrusted { what: "the clock cannot be kept" })?;
        self.write("the clock's anchor cannot be kept", |tx| {
            tx.execute("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)", (TRUSTED_TIME, json))?;
            Ok(())
        })
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
}
