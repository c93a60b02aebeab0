//! Checks a code alone: reads a scanned text and judges it with public keys only, with no manifest, history or store.

use crate::barcode::{Checks, CodeVerdict, IssuerKey, NONCE_LEN, ScannedCode, read};
use crate::error::WalletError;
use crate::model::EventHash;

/// The default tolerance between the phone's and the scanner's clock, in seconds.
pub const DEFAULT_TOLERANCE_S: u32 = 10;

/// An issuer key that is known, and when.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct KnownIssuer {
    /// Raw Ed25519 public key, 32 bytes.
    pub public_key: Vec<u8>,
    /// First Unix second in which it counts; `None` is always.
    #[uniffi(default = None)]
    pub valid_from: Option<i64>,
    /// Last Unix second in which it counts; `None` is for ever.
    #[uniffi(default = None)]
    pub valid_until: Option<i64>,
}

/// What a checker knows and lets in.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CheckerConfig {
    /// Known issuers, one at least.
    pub issuers: Vec<KnownIssuer>,
    /// Event id inside signed bytes, 8 bytes; `None` accepts any event.
    #[uniffi(default = None)]
    pub event: Option<Vec<u8>>,
    /// Section codes let in here; empty accepts any. Tickets of the whole event (section 0) pass everywhere.
    #[uniffi(default = [])]
    pub sections: Vec<u16>,
    /// How many seconds the two clocks may differ.
    #[uniffi(default = 10)]
    pub tolerance_s: u32,
}

/// What the signed bytes of a code say, once both signatures hold. Times are Unix seconds.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CodeFields {
    /// Event id, 16 hex digits.
    pub event: String,
    /// Ticket id, 24 hex digits: every look-up goes by this, never by the scanned text.
    pub ticket: String,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// Generation.
    pub generation: u16,
    /// Not valid before.
    pub not_before: u32,
    /// Not valid after.
    pub lease_end: u32,
    /// Freshness window in seconds.
    pub window: u8,
    /// When the device showed this frame.
    pub presented_at: u32,
}

/// The verdict of the code alone.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct CodeCheck {
    /// The verdict.
    pub verdict: CodeVerdict,
    /// What the code says; `None` until issuer and device signature both hold.
    pub fields: Option<CodeFields>,
}

/// Checks codes offline, each for itself: whether a ticket was used before, only a [`crate::Gate`] knows.
#[derive(Debug, uniffi::Object)]
pub struct CodeChecker {
    keys: Vec<IssuerKey>,
    event: Option<EventHash>,
    sections: Vec<u16>,
    tolerance_s: u32,
}

#[uniffi::export]
impl CodeChecker {
    /// Sets a checker up.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field, for no issuer, a key that is not a canonical Ed25519 key of full
    /// order, or an event id that has not 8 bytes.
    #[uniffi::constructor]
    pub fn new(config: CheckerConfig) -> Result<Self, WalletError> {
        if config.issuers.is_empty() {
            return Err(WalletError::input("issuers", "one issuer key is needed at least"));
        }
        let keys = config.issuers.iter().map(known_key).collect::<Result<_, _>>()?;
        let event = config.event.map(|bytes| <[u8; 8]>::try_from(bytes).map(EventHash)).transpose();
        let event = event.map_err(|_| WalletError::input("event", "an event id has 8 bytes"))?;
        Ok(Self { keys, event, sections: config.sections, tolerance_s: config.tolerance_s })
    }

    /// Checks scanned bytes at `now` (Unix seconds), with the venue nonces (8 bytes each) that count now.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] for a nonce of another length. A bad code is a verdict, not an error.
    pub fn check(&self, scanned: Vec<u8>, now: i64, nonces: Vec<Vec<u8>>) -> Result<CodeCheck, WalletError> {
        let nonces = nonces.into_iter().map(<[u8; NONCE_LEN]>::try_from).collect::<Result<Vec<_>, _>>();
        let nonces = nonces.map_err(|_| WalletError::input("nonces", "a venue nonce has 8 bytes"))?;
        let reading = read(
            &scanned,
            &Checks {
                keys: &self.keys,
                now,
                tolerance_s: self.tolerance_s,
                nonces: &nonces,
                nonce_required: false,
                event: self.event,
                sections: &self.sections,
            },
        );
        Ok(CodeCheck { verdict: reading.verdict, fields: reading.code.as_ref().map(CodeFields::from) })
    }
}

fn known_key(issuer: &KnownIssuer) -> Result<IssuerKey, WalletError> {
    let key = IssuerKey::from_bytes(&issuer.public_key).map_err(|e| WalletError::input("issuers", e))?;
    Ok(key.valid_between(issuer.valid_from.unwrap_or(i64::MIN), issuer.valid_until.unwrap_or(i64::MAX)))
}

impl From<&ScannedCode> for CodeFields {
    fn from(code: &ScannedCode) -> Self {
        let fields = code.credential.fields();
        Self {
            event: fields.event.to_string(),
            ticket: fields.ticket.to_string(),
            section: fields.section,
            generation: fields.generation,
            not_before: fields.not_before,
            lease_end: fields.lease_end,
            window: fields.window,
            presented_at: code.presented_at,
        }
    }
}
