//! What a scanner decided, signed by it, and the certificate that says who it is: byte for byte as `docs/gate.md` says.

mod certificate;
mod exchange;
mod head;
mod held;
mod record;

pub use certificate::{Certificate, ScannerId};
pub use exchange::{Delta, Item, MAX_DELTA, Place, Request};
pub use head::{ChainHead, HEAD_LEN, HeadFields, HeadRank};
pub use held::{ChainState, HeldChain};
pub use record::{
    CLOCK_CONFIRMED, ChainId, Evidence, Kind, NoRecordId, Record, RecordFields, RecordId, Verdict,
};

use crate::barcode::{DeviceSignature, SIGNATURE_LEN};
use crate::bytes::Malformed;
use crate::model::EventHash;

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
    /// Of another scanner than its certificate, or in the chain of another one.
    #[error("of another scanner")]
    WrongScanner,
    /// Made before or after the certificate's time.
    #[error("outside of the scanner's time")]
    NotCertified,
}

/// Whether the signature at the end of these bytes is the scanner's, over its message, of its event, in a chain of its
/// own, and within its time.
fn signed_by(
    bytes: &[u8],
    message: fn(&[u8]) -> Vec<u8>,
    certificate: &Certificate,
    (event, scanner, chain, time_ms): (EventHash, ScannerId, ChainId, u64),
) -> Result<(), LedgerError> {
    if event != certificate.event {
        return Err(LedgerError::WrongEvent);
    }
    if scanner != certificate.scanner || !chain.is_of(scanner) {
        return Err(LedgerError::WrongScanner);
    }
    let (body, signature) = bytes.split_at(bytes.len().saturating_sub(SIGNATURE_LEN));
    let signature = DeviceSignature::from_bytes(signature).map_err(|_| LedgerError::BadSignature)?;
    if !certificate.key.verifies(&message(body), &signature) {
        return Err(LedgerError::BadSignature);
    }
    if certificate.covers(time_ms) { Ok(()) } else { Err(LedgerError::NotCertified) }
}
