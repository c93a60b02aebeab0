//! What the app around the core provides: a key vault and a clock. Foreign traits are synchronous; an app implements
//! them in Swift or Kotlin, tests and the terminal use the implementations beside this file.

mod software_vault;
mod system_clock;

use std::sync::Arc;

pub use software_vault::SoftwareVault;
pub use system_clock::SystemClock;

use crate::barcode::Purpose;
use crate::clock::ClockReading;

/// What a key vault says when it cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum KeyVaultError {
    /// The device is locked; the same call works after it is unlocked.
    #[error("the key vault is locked; unlock the device and try again")]
    Locked,
    /// The person cancelled the request for their presence.
    #[error("the request was cancelled")]
    Cancelled,
    /// There is no such key, or the vault's own key is gone.
    #[error("the key is not in the key vault")]
    Missing,
    /// The key was there and is lost for good, for example after new biometrics were enrolled.
    #[error("the key was invalidated by the device and is lost")]
    Invalidated,
    /// Anything else; the reason holds no secret.
    #[error("the key vault failed: {reason}")]
    Failed {
        /// What went wrong, without secrets.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for KeyVaultError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: "the app's key vault threw an unexpected error".to_owned() }
    }
}

/// Keeps the store's key sealed and makes device keys that never leave it.
///
/// On a phone this is Secure Enclave and Keychain, or Android's Keystore. A call of it must not wait for another call of the
/// wallet or gate that it serves.
#[uniffi::export(with_foreign)]
pub trait KeyVault: Send + Sync {
    /// Encrypts and authenticates `plaintext` (48 bytes), bound to `associated_data` (any length). A vault that can
    /// only wrap keys uses AES-256-GCM with a wrapped key.
    fn seal(&self, plaintext: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Gives back what [`KeyVault::seal`] made with the same associated data. A vault that has no key answers
    /// [`KeyVaultError::Missing`]; one whose key does not open these bytes, [`KeyVaultError::Invalidated`]. It never
    /// makes a new key here.
    fn unseal(&self, sealed: Vec<u8>, associated_data: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Makes a P-256 key under a handle chosen by the core and returns its public key: X9.63 uncompressed, 65 bytes,
    /// `04 ‖ x ‖ y`. For a handle that exists it returns that key's public key, so that a call can be repeated.
    fn create_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError>;

    /// The public key of a handle, in the form of [`KeyVault::create_key`].
    fn public_key(&self, handle: String) -> Result<Vec<u8>, KeyVaultError>;

    /// Signs with ECDSA over SHA-256 of `message` (the vault hashes). Returns the DER `ECDSA-Sig-Value` of RFC 3279,
    /// as `SecKeyCreateSignature` and `Signature.sign` do; high or low s. [`Purpose::Present`],
    /// [`Purpose::Renew`] and [`Purpose::Record`] come unattended every few seconds and must not prompt.
    fn sign(&self, handle: String, purpose: Purpose, message: Vec<u8>) -> Result<Vec<u8>, KeyVaultError>;

    /// Deletes a key. Deleting one that is not there succeeds.
    fn delete_key(&self, handle: String) -> Result<(), KeyVaultError>;
}

/// What a clock says when it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HostClockError {
    /// The clock could not be read; the reason says why.
    #[error("the device's clock could not be read: {reason}")]
    Failed {
        /// What went wrong.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HostClockError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: "the app's clock threw an unexpected error".to_owned() }
    }
}

/// The device's clocks, read together.
///
/// `elapsed_ms` must go on while the device sleeps: `CLOCK_BOOTTIME`, `SystemClock.elapsedRealtime()`,
/// `mach_continuous_time()`. Rust's `std::time::Instant` stops and must not be used.
#[uniffi::export(with_foreign)]
pub trait HostClock: Send + Sync {
    /// Reads the clocks.
    fn read(&self) -> Result<ClockReading, HostClockError>;
}

/// A header of a request or reply.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct HttpHeader {
    /// Name; upper and lower case count alike.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A request to carry.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct HttpRequest {
    /// `GET`, `POST`, `PATCH`, `PUT`, `DELETE`.
    pub method: String,
    /// Address, `https`, or `http` on this very device.
    pub url: String,
    /// Headers to send as they are; they hold tokens and belong in no log.
    pub headers: Vec<HttpHeader>,
    /// Body to send as it is.
    pub body: Option<Vec<u8>>,
    /// Give up after so many milliseconds.
    pub timeout_ms: u32,
    /// Give up on a longer reply.
    pub max_reply_bytes: u64,
    /// Keys of which the server's certificate must have one beside the platform's own trust, or a certificate above it in
    /// the chain: SHA-256 of the DER `SubjectPublicKeyInfo`, in base64. None are asked for when this is empty. See
    /// [`HttpTransport::checks_pins`].
    #[uniffi(default = [])]
    pub pins: Vec<String>,
}

/// A reply that came, of whatever status.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct HttpResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<HttpHeader>,
    /// Body, decoded where it had a content coding.
    pub body: Vec<u8>,
}

opaque_debug!(HttpHeader, HttpRequest, HttpResponse);

impl HttpResponse {
    /// The value of a header, named in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name.eq_ignore_ascii_case(name))
            .map(|header| header.value.as_str())
    }
}

/// The longest reply that the core takes.
pub(crate) const MAX_REPLY_BYTES: u64 = 32 << 20;
/// The longest document that the core fetches by a link alone.
pub(crate) const MAX_DOCUMENT_BYTES: u64 = 16 << 20;

/// Why no whole reply came.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum HttpTransportError {
    /// No connection, and surely nothing sent: no network, unknown host, refused, or TLS failed.
    #[error("the server cannot be reached; check the address and the network")]
    Unreachable,
    /// Nothing sent: the certificate is trusted by the platform, and has none of the pinned keys.
    #[error("the server's certificate has none of the pinned keys; this may be somebody else's server")]
    PinMismatch,
    /// The time was over.
    #[error("no answer in time")]
    TimedOut,
    /// The connection ended before the reply was whole.
    #[error("the connection broke before the answer was complete")]
    Broken,
    /// The reply is longer than allowed.
    #[error("the reply is larger than {} MiB, or than {} MiB of a document", MAX_REPLY_BYTES >> 20, MAX_DOCUMENT_BYTES >> 20)]
    TooLarge,
    /// Anything else; the reason holds no secret and no address.
    #[error("the request failed: {reason}")]
    Failed {
        /// What went wrong.
        reason: String,
    },
}

impl From<uniffi::UnexpectedUniFFICallbackError> for HttpTransportError {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { reason: "the app's transport threw an unexpected error".to_owned() }
    }
}

/// Carries requests for the core, with the platform's own trust store, proxy and network policy. Calls come from threads
/// that may block. Redirects are not followed: a 3xx is a reply. A write, any method but `GET`, leaves at most once: a platform
/// that sends one again by itself when its connection breaks must be kept from it.
#[uniffi::export(with_foreign)]
pub trait HttpTransport: Send + Sync {
    /// Whether [`HttpRequest::pins`] are checked before anything is sent. Where they are not, an account with pins gets
    /// [`crate::WalletError::InvalidInput`] instead of a connection that nobody checked.
    fn checks_pins(&self) -> bool;

    /// Sends the request and returns the whole reply.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpTransportError>;
}

/// The host's clock where it gave one, else the operating system's.
pub(crate) fn clock_or_system(clock: Option<Arc<dyn HostClock>>) -> Arc<dyn HostClock> {
    clock.unwrap_or_else(|| Arc::new(SystemClock))
}
