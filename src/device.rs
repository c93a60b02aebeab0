//! What services share of the device: its vault's signatures and its random ids.

use std::sync::Arc;

use ring::rand::{SecureRandom, SystemRandom};

use crate::barcode::{DeviceSignature, Purpose};
use crate::error::Error;
use crate::host::KeyVault;

/// Signs with the vault and brings the signature into the form that travels.
pub(crate) fn sign(
    vault: &dyn KeyVault,
    handle: String,
    purpose: Purpose,
    message: Vec<u8>,
) -> Result<DeviceSignature, Error> {
    let der = vault.sign(handle, purpose, message)?;
    DeviceSignature::from_der(&der)
        .map_err(|_| Error::Untrusted { what: "the key vault's signature is not DER" })
}

/// Asks the vault on a thread that may block: hardware takes its time, and a person's presence takes longer.
///
/// # Errors
/// The vault's; [`Error::Untrusted`] when it broke off.
pub(crate) async fn ask<T: Send + 'static>(
    vault: &Arc<dyn KeyVault>,
    question: impl FnOnce(&dyn KeyVault) -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let vault = Arc::clone(vault);
    let answer = tokio::task::spawn_blocking(move || question(&*vault)).await;
    answer.map_err(|_| Error::Untrusted { what: "the key vault broke off" })?
}

/// Does work on a thread that may block, for whoever must not.
///
/// # Errors
/// The work's; [`Error::Untrusted`] when it broke off.
pub(crate) async fn apart<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Error::Untrusted { what: "work on the store broke off" })?
}

/// A random id of 128 bits in the form of a UUID of version 4 (RFC 9562).
pub(crate) fn new_id() -> Result<String, Error> {
    let mut bytes: [u8; 16] = random()?;
    bytes[6] = bytes[6] & 0x0F | 0x40;
    bytes[8] = bytes[8] & 0x3F | 0x80;
    let hex = hex::encode(bytes);
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

/// A random number.
pub(crate) fn random_u64() -> Result<u64, Error> {
    random().map(u64::from_le_bytes)
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0_u8; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Error::Untrusted { what: "the system gave no random numbers" })?;
    Ok(bytes)
}
