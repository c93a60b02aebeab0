//! A vault that does what a test wants before each call, and fails where that does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ticket_wallet::barcode::Purpose;
use ticket_wallet::host::{KeyVault, KeyVaultError, SoftwareVault};

/// What the vault is asked for; keys by their handles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call<'a> {
    /// Sealing the store's key.
    Seal,
    /// Unsealing it.
    Unseal,
    /// A new key.
    CreateKey(&'a str),
    /// A key's public part.
    PublicKey(&'a str),
    /// A signature.
    Sign(&'a str),
    /// The end of a key.
    DeleteKey(&'a str),
}

type Hook = dyn Fn(Call<'_>) -> Result<(), KeyVaultError> + Send + Sync;

/// The vault.
pub struct HookedVault {
    inner: Arc<SoftwareVault>,
    before: Mutex<Option<Arc<Hook>>>,
}

impl HookedVault {
    /// One that does its work.
    pub fn new(inner: Arc<SoftwareVault>) -> Self {
        Self { inner, before: Mutex::default() }
    }

    /// One that refuses a kind of work, after it has done it so often.
    pub fn refusing(inner: Arc<SoftwareVault>, refused: Call<'static>, allowed: usize) -> Self {
        let (vault, left) = (Self::new(inner), AtomicUsize::new(allowed));
        let less = |left: usize| left.checked_sub(1);
        vault.before(move |call| {
            let spent = || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_err();
            if call == refused && spent() { Err(KeyVaultError::Locked) } else { Ok(()) }
        });
        vault
    }

    /// Does this before each call from now on.
    pub fn before(&self, hook: impl Fn(Call<'_>) -> Result<(), KeyVaultError> + Send + Sync + 'static) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
    }

    /// Only does its work from now on.
    pub fn rest(&self) {
        *self.before.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn hear(&self, call: Call<'_>) -> Result<(), KeyVaultError> {
        let hook = self.before.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hook.map_or(Ok(()), |hook| hook(call))
    }
}

impl KeyVault for HookedVault {
    fn seal(&self, plaintext: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.hear(Call::Seal)?;
        self.inner.seal(plaintext, associated_data)
    }

    fn unseal(&self, sealed: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.hear(Call::Unseal)?;
        self.inner.unseal(sealed, associated_data)
    }

    fn create_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        self.hear(Call::CreateKey(&handle))?;
        self.inner.create_key(handle)
    }

    fn public_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError> {
        self.hear(Call::PublicKey(&handle))?;
        self.inner.public_key(handle)
    }

    fn sign(&self, handle: String, purpose: Purpose, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError> {
        self.hear(Call::Sign(&handle))?;
        self.inner.sign(handle, purpose, message)
    }

    fn delete_key(&self, handle: String) -> Result<(), KeyVaultError> {
        self.hear(Call::DeleteKey(&handle))?;
        self.inner.delete_key(handle)
    }
}
