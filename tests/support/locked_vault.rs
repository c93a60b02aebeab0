//! A vault that refuses some of its work.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ticket_wallet::barcode::Purpose;
use ticket_wallet::host::{KeyVault, KeyVaultError, SoftwareVault};

/// What a vault does for the store's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    Seal,
    Unseal,
}

pub(crate) struct LockedVault {
    vault: Arc<SoftwareVault>,
    refused: Work,
    /// How often it does that before it refuses.
    allowed: AtomicUsize,
}

impl LockedVault {
    pub(crate) fn new(vault: Arc<SoftwareVault>, refused: Work) -> Self {
        Self::after(vault, refused, 0)
    }

    pub(crate) fn after(vault: Arc<SoftwareVault>, refused: Work, allowed: usize) -> Self {
        Self { vault, refused, allowed: AtomicUsize::new(allowed) }
    }

    fn allow(&self, work: Work) -> Result<(), KeyVaultError> {
        let less = |allowed: usize| allowed.checked_sub(1);
        let spent = || self.allowed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err();
        if work == self.refused && spent() { Err(KeyVaultError::Locked) } else { Ok(()) }
    }
}

impl KeyVault for LockedVault {
    fn seal(&self, plain: Vec<u8>, associated: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.allow(Work::Seal)?;
        self.vault.seal(plain, associated)
    }
    fn unseal(&self, sealed: Vec<u8>, associated: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.allow(Work::Unseal)?;
        self.vault.unseal(sealed, associated)
    }
    fn create_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        self.vault.create_key(handle)
    }
    fn public_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        self.vault.public_key(handle)
    }
    fn sign(&self, handle: String, purpose: Purpose, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.vault.sign(handle, purpose, message)
    }
    fn delete_key(&self, handle: String) -> Result<(), KeyVaultError> {
        self.vault.delete_key(handle)
    }
}
