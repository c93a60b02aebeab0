//! What a scanner decided, signed by it, and the certificate that says who it is: byte for byte as `docs/gate.md` says.

mod certificate;
mod record;

pub use certificate::{Certificate, ScannerId};
pub use record::{
    CLOCK_CONFIRMED, ChainId, Evidence, Kind, NoRecordId, Record, RecordFields, RecordId, Verdict,
};

use crate::bytes::Malformed;

/// Why a certificate or record does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Not as described.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// Not signed by the key that should have.
    #[error("not signed by the key that it should be")]
    BadSignature,
    /// Of another event.
    #[error("of another event")]
    WrongEvent,
    /// Of another scanner than its certificate.
    #[error("of another scanner")]
    WrongScanner,
    /// Made before or after the certificate's time.
    #[error("outside of the scanner's time")]
    NotCertified,
}
