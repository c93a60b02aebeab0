//! What a device signs: the proof inside a barcode, and statements to a server.

use ring::digest::{SHA256, digest};

use super::base45;
use super::credential::Credential;
use super::device_key::DeviceSignature;

/// Every signed barcode's text starts with this.
pub const PREFIX: &str = "TW1:";
/// Length of a venue nonce.
pub const NONCE_LEN: usize = 8;

const PROOF_LABEL: &[u8] = b"ticket-wallet/1/proof\0";

/// Why a device signs. A vault may let [`Purpose::Present`] pass unattended; the others ask for the person's presence
/// where the vault can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum Purpose {
    /// A frame of the rotating barcode.
    Present,
    /// Renewing a lease, unattended.
    Renew,
    /// Giving up the right to show a barcode.
    Surrender,
    /// A gate's ledger record, unattended at every scan.
    Record,
}

/// What the device signs for a frame shown at `presented_at` (Unix seconds), with the venue's nonce if there is one.
pub fn proof_message(credential: &Credential, presented_at: u32, nonce: Option<&[u8; NONCE_LEN]>) -> Vec<u8> {
    let nonce: &[u8] = nonce.map_or(&[], |n| n);
    let length = if nonce.is_empty() { 0_u8 } else { 8 };
    let hash = digest(&SHA256, credential.as_bytes());
    [PROOF_LABEL, hash.as_ref(), &presented_at.to_be_bytes(), &[length], nonce].concat()
}

/// What the device signs for a statement to the server: label, zero byte, SHA-256 of the credential, `at` (Unix
/// seconds), SHA-256 of the idempotency key (its characters, without the quotes of the header).
/// `None` for [`Purpose::Present`] and [`Purpose::Record`], which are no statements.
pub fn statement_message(
    purpose: Purpose,
    credential: &Credential,
    at: u32,
    idempotency_key: &str,
) -> Option<Vec<u8>> {
    let label: &[u8] = match purpose {
        Purpose::Present | Purpose::Record => return None,
        Purpose::Renew => b"ticket-wallet/1/renew\0",
        Purpose::Surrender => b"ticket-wallet/1/surrender\0",
    };
    let credential = digest(&SHA256, credential.as_bytes());
    let key = digest(&SHA256, idempotency_key.as_bytes());
    Some([label, credential.as_ref(), &at.to_be_bytes(), key.as_ref()].concat())
}

/// The barcode's text: `TW1:` and Base45 of credential, time and device signature, 307 characters.
pub fn code_text(credential: &Credential, presented_at: u32, signature: &DeviceSignature) -> String {
    let bytes = [&credential.as_bytes()[..], &presented_at.to_be_bytes(), &signature.to_bytes()].concat();
    format!("{PREFIX}{}", base45::encode(&bytes))
}
