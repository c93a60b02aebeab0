//! The issuer: what a ticketing server runs to sign credentials and to check what devices state; and, with another key, what
//! gates work by.

mod gate;

pub use gate::{
    ManifestDay, ManifestIssuer, ManifestKey, ManifestRequest, ManifestRevocation, ManifestSection,
    ManifestTicket, NonceEpoch, ScannerRequest,
};

use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

use crate::barcode::{
    Credential, CredentialError, CredentialFields, DeviceKey, DeviceSignature, IssuerKey, Purpose,
    statement_message,
};
use crate::error::WalletError;
use crate::model::Provider;

/// How far a statement's time may lie from the server's, in seconds.
pub const STATEMENT_TOLERANCE_S: u32 = 300;

/// Holds an issuer's Ed25519 key and signs credentials with it.
#[derive(uniffi::Object)]
pub struct Issuer {
    signer: Signer,
}

/// An Ed25519 key with its public half.
struct Signer {
    pair: Ed25519KeyPair,
    key: IssuerKey,
}

impl Signer {
    fn new(seed: Vec<u8>) -> Result<Self, WalletError> {
        let seed = Zeroizing::new(seed);
        let refused = |_| WalletError::input("seed", "an Ed25519 seed has 32 bytes");
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(refused)?;
        let key =
            IssuerKey::from_bytes(pair.public_key().as_ref()).map_err(|e| WalletError::input("seed", e))?;
        Ok(Self { pair, key })
    }

    fn sign(&self, message: &[u8]) -> Result<[u8; 64], WalletError> {
        let signature = self.pair.sign(message);
        signature
            .as_ref()
            .try_into()
            .map_err(|_| WalletError::Internal { reason: "an Ed25519 signature has 64 bytes".to_owned() })
    }

    /// Bytes with the signature over a message that stands for them behind them.
    fn signed(&self, message: &[u8], mut body: Vec<u8>) -> Result<Vec<u8>, WalletError> {
        body.extend(self.sign(message)?);
        Ok(body)
    }
}

opaque_debug!(Issuer);

/// What to sign. Times are Unix seconds UTC.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CredentialRequest {
    /// The provider's name, for example `bam:api.example.org/org1`.
    pub provider: String,
    /// The event's id in the ticketing system.
    pub event_id: String,
    /// The ticket's id in the ticketing system.
    pub ticket_id: String,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// 1 at first issue, one more at every re-bind, transfer and resale.
    pub generation: u16,
    /// The code is refused before this time.
    pub not_before: u32,
    /// The code is refused after this time.
    pub lease_end: u32,
    /// How many seconds a frame stays fresh, 5 to 255.
    pub window_s: u8,
    /// Whether each frame must cover a venue nonce.
    pub nonce_required: bool,
    /// The device's public key, X9.63 uncompressed, 65 bytes.
    pub device_key: Vec<u8>,
}

/// A statement that a device signed for the server.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct Statement {
    /// What is stated: [`Purpose::Renew`] or [`Purpose::Surrender`].
    pub purpose: Purpose,
    /// The credential it is about, 134 bytes.
    pub credential: Vec<u8>,
    /// When it was signed, Unix seconds.
    pub at: u32,
    /// The request's idempotency key, without quotes.
    pub idempotency_key: String,
    /// `r ‖ s`, low s, 64 bytes.
    pub signature: Vec<u8>,
}

#[uniffi::export]
impl Issuer {
    /// An issuer with this Ed25519 seed of 32 bytes.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for another length.
    #[uniffi::constructor]
    pub fn new(seed: Vec<u8>) -> Result<Self, WalletError> {
        Ok(Self { signer: Signer::new(seed)? })
    }

    /// The raw Ed25519 public key, 32 bytes.
    pub fn public_key(&self) -> Vec<u8> {
        self.signer.key.to_bytes().to_vec()
    }

    /// Signs a credential: 134 bytes for the wallet.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field, for a key that is no P-256 point, a window under five seconds,
    /// generation 0, a lease that ends before it begins, or U+001F in an id.
    pub fn credential(&self, request: CredentialRequest) -> Result<Vec<u8>, WalletError> {
        let fields = self.fields(&request)?;
        let window = |e: CredentialError| WalletError::input("window_s", e);
        let message = Credential::message(&fields.to_bytes().map_err(window)?);
        let signature = self.signer.sign(&message)?;
        Ok(Credential::from_parts(fields, &signature).map_err(window)?.as_bytes().to_vec())
    }

    /// Checks a device's statement against a credential of this issuer, at `now` (Unix seconds).
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming what does not hold: `credential`, `purpose`, `at` (more than 300 s away) or
    /// `signature`.
    pub fn check_statement(&self, statement: Statement, now: i64) -> Result<(), WalletError> {
        let credential =
            Credential::from_bytes(&statement.credential).map_err(|e| WalletError::input("credential", e))?;
        if !credential.is_signed_by(&self.signer.key) {
            return Err(WalletError::input("credential", "not signed by this issuer"));
        }
        if i64::from(statement.at).abs_diff(now) > u64::from(STATEMENT_TOLERANCE_S) {
            return Err(WalletError::input("at", "more than 300 s from the server's time"));
        }
        let message =
            statement_message(statement.purpose, &credential, statement.at, &statement.idempotency_key)
                .ok_or_else(|| WalletError::input("purpose", "a presentation is no statement"))?;
        let signature = DeviceSignature::from_bytes(&statement.signature)
            .map_err(|e| WalletError::input("signature", e))?;
        match credential.device_key() {
            Some(key) if key.verifies(&message, &signature) => Ok(()),
            _ => Err(WalletError::input("signature", "not made by the device that holds the ticket")),
        }
    }
}

impl Issuer {
    fn fields(&self, request: &CredentialRequest) -> Result<CredentialFields, WalletError> {
        if request.generation == 0 {
            return Err(WalletError::input("generation", "generations count from 1"));
        }
        if request.lease_end < request.not_before {
            return Err(WalletError::input("lease_end", "the lease ends before it begins"));
        }
        let provider = Provider::parse(&request.provider).map_err(|e| WalletError::input("provider", e))?;
        let device =
            DeviceKey::from_x963(&request.device_key).map_err(|e| WalletError::input("device_key", e))?;
        Ok(CredentialFields {
            key_id: self.signer.key.id(),
            event: provider.event(&request.event_id).map_err(|e| WalletError::input("event_id", e))?,
            ticket: provider.ticket(&request.ticket_id).map_err(|e| WalletError::input("ticket_id", e))?,
            section: request.section,
            generation: request.generation,
            not_before: request.not_before,
            lease_end: request.lease_end,
            window: request.window_s,
            nonce_required: request.nonce_required,
            device_x: device.x(),
            device_y_is_odd: device.y_is_odd(),
        })
    }
}
