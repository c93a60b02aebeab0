//! The gate: the facade for staff who let people in.

use std::sync::Arc;

use crate::admission::Direction;
use crate::config::Config;
use crate::error::WalletError;
use crate::host::{HostClock, HttpTransport, KeyVault};
use crate::ledger::RecordId;
use crate::model::{
    GateRecord, GateSignIn, GateStatistics, GateStatus, GateSyncReport, GateVerdict, LedgerDelta,
    LedgerReport, MergeReport,
};
use crate::remote::RetryPolicy;
use crate::sync::{Core, Scan, Scanner};

/// A steward's phone. Once it is prepared it needs no network: it decides by public keys, a signed manifest and its own
/// ledger, and what it decided is on the disk before it says so.
#[derive(uniffi::Object)]
pub struct Gate {
    scanner: Arc<Scanner>,
}

opaque_debug!(Gate);

#[uniffi::export(async_runtime = "tokio")]
impl Gate {
    /// Opens the gate's store, or makes it where nothing is; a folder of its own, not a wallet's. The rest is as with a
    /// wallet. A manifest that cannot be read costs no record: the gate opens and asks to be prepared.
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`], [`WalletError::NeedsRecovery`], [`WalletError::InUse`], [`WalletError::Storage`].
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        vault: Arc<dyn KeyVault>,
        clock: Option<Arc<dyn HostClock>>,
        transport: Option<Arc<dyn HttpTransport>>,
    ) -> Result<Self, WalletError> {
        let core = Core::open(&config, vault, clock, transport)?;
        let scanner = Arc::new(Scanner::new(&core)?);
        Ok(Self { scanner })
    }

    /// What this gate is, and how far it is prepared. Local.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn status(&self) -> Result<GateStatus, WalletError> {
        Ok(self.scanner.status()?)
    }

    /// Signs in with an admission code, which fixes the event and the sections, and prepares. Whoever signs in anew begins a
    /// new chain of records; those of the post before stay on this device.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field, or while records of the post before are not sent;
    /// [`WalletError::NotFound`] for an unknown code, [`WalletError::ManifestRefused`], [`WalletError::Refused`],
    /// [`WalletError::Unreachable`], [`WalletError::KeyUnavailable`], [`WalletError::Storage`].
    pub async fn sign_in(&self, sign_in: GateSignIn) -> Result<GateStatus, WalletError> {
        self.scanner.sign_in(&sign_in).await?;
        self.prepare().await
    }

    /// Brings the manifest up to date. The one in use stays unless a newer one holds.
    ///
    /// # Errors
    /// As [`Gate::sign_in`]; [`WalletError::NeedsSignIn`] for a scanner that its server no longer knows.
    pub async fn prepare(&self) -> Result<GateStatus, WalletError> {
        self.scanner.prepare().await?;
        self.status()
    }

    /// Hands over what the server does not have, and prepares. It can be broken off anywhere and never keeps a scan
    /// waiting. What happened at the door is handed over as it happened; what the server holds against it is kept with the
    /// record.
    ///
    /// # Errors
    /// As [`Gate::prepare`]. What was handed over before counts.
    pub async fn sync(&self) -> Result<GateSyncReport, WalletError> {
        Ok(self.scanner.sync().await?)
    }

    /// Decides who goes in with the bytes of a code, from any camera or reader. A group on one ticket enters together, as
    /// `persons`. Local; when it returns, the record is on the disk. The same code again within three seconds is a camera's
    /// double read: the same verdict, marked, and nothing written.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] while the gate is not prepared, or for no person; [`WalletError::KeyUnavailable`],
    /// [`WalletError::Storage`]: nobody was let in. A code that is no good is a verdict, not an error.
    pub fn scan(&self, scanned: Vec<u8>, persons: u16) -> Result<GateVerdict, WalletError> {
        Ok(self.scanner.scan(Scan { scanned: &scanned, direction: Direction::In, persons })?)
    }

    /// The same for those who leave, so that they can come in again where the event allows it.
    ///
    /// # Errors
    /// As [`Gate::scan`].
    pub fn exit(&self, scanned: Vec<u8>, persons: u16) -> Result<GateVerdict, WalletError> {
        Ok(self.scanner.scan(Scan { scanned: &scanned, direction: Direction::Out, persons })?)
    }

    /// Takes an admission of this gate back, once, within 120 seconds. Local.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for what cannot be taken back, with the reason; [`WalletError::NotFound`],
    /// [`WalletError::KeyUnavailable`], [`WalletError::Storage`].
    pub fn undo(&self, record_id: String) -> Result<GateRecord, WalletError> {
        Ok(self.scanner.undo(record(&record_id)?)?.into())
    }

    /// Lets somebody in whom this gate refused, with the reason (1 to 200 bytes): one of its newest 256 refusals, once. It
    /// clears nothing: the ticket counts as used from then on. Local.
    ///
    /// # Errors
    /// As [`Gate::undo`].
    pub fn override_refusal(&self, record_id: String, reason: String) -> Result<GateRecord, WalletError> {
        Ok(self.scanner.override_refusal(record(&record_id)?, &reason)?.into())
    }

    /// What happened at this event, as far as this gate knows. Local.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] before the first sign-in, [`WalletError::Storage`].
    pub fn statistics(&self) -> Result<GateStatistics, WalletError> {
        Ok(self.scanner.statistics()?)
    }

    /// What to ask another gate of the event for, by whatever carries bytes: all that this one does not have. The answer is
    /// [`Gate::ledger_delta`]'s. Local.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming `gate` before a sign-in, or where the system's scanners have no certificates to
    /// know each other by; [`WalletError::KeyUnavailable`], [`WalletError::Storage`].
    pub fn ledger_request(&self) -> Result<Vec<u8>, WalletError> {
        Ok(self.scanner.ledger_request()?)
    }

    /// Answers another gate's request with what that one does not have, `max_bytes` at most (4 KiB to 1 MiB; what is out of
    /// that is brought into it). Local.
    ///
    /// # Errors
    /// As [`Gate::ledger_request`]; [`WalletError::InvalidInput`] naming `request` for what is none of a scanner of this
    /// event that still counts.
    pub fn ledger_delta(&self, request: Vec<u8>, max_bytes: u32) -> Result<LedgerDelta, WalletError> {
        Ok(self.scanner.ledger_delta(&request, max_bytes)?)
    }

    /// Takes on what another gate sent. What is forged or foreign is refused and told, and the rest is kept; how often and
    /// in which order deltas come makes no difference. Tickets that were admitted elsewhere are refused here from then on.
    /// Local.
    ///
    /// # Errors
    /// As [`Gate::ledger_request`]; [`WalletError::InvalidInput`] naming `delta` for what is none of this event: nothing of
    /// it was taken on.
    pub fn merge(&self, delta: Vec<u8>) -> Result<MergeReport, WalletError> {
        Ok(self.scanner.merge(&delta)?)
    }

    /// Writes all records that are here into a new file, for [`Gate::merge_file`] of another gate. Returns how many. Local.
    ///
    /// # Errors
    /// As [`Gate::ledger_request`]; [`WalletError::InvalidInput`] naming `path`.
    pub fn export_ledger(&self, path: String) -> Result<u32, WalletError> {
        Ok(self.scanner.export_ledger(&path)?)
    }

    /// Merges a file of [`Gate::export_ledger`]. Local.
    ///
    /// # Errors
    /// As [`Gate::merge`]; [`WalletError::InvalidInput`] naming `path`. What came before the error is taken on.
    pub fn merge_file(&self, path: String) -> Result<MergeReport, WalletError> {
        Ok(self.scanner.merge_file(&path)?)
    }

    /// What all scanners say together whose records are here: tickets that let in too often, forged and missing records, and
    /// who was heard when. Gates with the same records and manifest say the same. Local.
    ///
    /// # Errors
    /// As [`Gate::statistics`].
    pub fn report(&self) -> Result<LedgerReport, WalletError> {
        Ok(self.scanner.report()?)
    }

    /// The event's newest records, `limit` at most, the newest first. Local.
    ///
    /// # Errors
    /// As [`Gate::statistics`].
    pub fn records(&self, limit: u32) -> Result<Vec<GateRecord>, WalletError> {
        Ok(self.scanner.records(limit)?)
    }
}

impl Gate {
    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.scanner.set_retry_policy(policy);
    }
}

fn record(id: &str) -> Result<RecordId, WalletError> {
    id.parse().map_err(|e| WalletError::input("record_id", e))
}
