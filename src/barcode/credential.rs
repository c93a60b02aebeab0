//! The credential: the 134 bytes that an issuer signs and a wallet keeps.

use super::device_key::DeviceKey;
use super::issuer_key::IssuerKey;
use crate::model::{EventHash, TicketHash};

/// Length of a credential, the issuer's signature included.
pub const CREDENTIAL_LEN: usize = 134;
/// Length of the part that the issuer signs.
pub const SIGNED_LEN: usize = 70;
/// The shortest freshness window in seconds.
pub const MIN_WINDOW_S: u8 = 5;

const FORMAT: u8 = 0x10;
const FLAG_ODD_Y: u8 = 0b01;
const FLAG_NONCE: u8 = 0b10;
const LABEL: &[u8] = b"ticket-wallet/1/credential\0";

/// Why bytes are not a credential, or fields cannot become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// Not 134 bytes.
    #[error("a credential has 134 bytes")]
    Length,
    /// The first byte is not format 1 with its reserved bits zero.
    #[error("the format is not 1, or a reserved flag is set")]
    Format,
    /// The freshness window is under five seconds.
    #[error("the freshness window is under 5 seconds")]
    Window,
}

/// What a credential says. Times are Unix seconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CredentialFields {
    /// Which issuer key signed: the first four bytes of SHA-256 of the raw key.
    pub key_id: [u8; 4],
    /// The event.
    pub event: EventHash,
    /// The ticket.
    pub ticket: TicketHash,
    /// Section code; 0 is the whole event.
    pub section: u16,
    /// 1 at first issue, one more at every re-bind, transfer and resale.
    pub generation: u16,
    /// The code is refused before this time.
    pub not_before: u32,
    /// The code is refused after this time; the wallet renews before it.
    pub lease_end: u32,
    /// How many seconds a frame stays fresh, 5 to 255.
    pub window: u8,
    /// Whether the proof must cover a venue nonce.
    pub nonce_required: bool,
    /// x coordinate of the device key.
    pub device_x: [u8; 32],
    /// Whether the device key's y is odd.
    pub device_y_is_odd: bool,
}

impl CredentialFields {
    /// The 70 bytes that the issuer signs.
    ///
    /// # Errors
    /// [`CredentialError::Window`] when the window is under five seconds.
    pub fn to_bytes(&self) -> Result<[u8; SIGNED_LEN], CredentialError> {
        if self.window < MIN_WINDOW_S {
            return Err(CredentialError::Window);
        }
        let mut bytes = Vec::with_capacity(SIGNED_LEN);
        let odd_y = if self.device_y_is_odd { FLAG_ODD_Y } else { 0 };
        let nonce = if self.nonce_required { FLAG_NONCE } else { 0 };
        bytes.push(FORMAT | odd_y | nonce);
        bytes.extend(self.key_id);
        bytes.extend(self.event.0);
        bytes.extend(self.ticket.0);
        bytes.extend(self.section.to_be_bytes());
        bytes.extend(self.generation.to_be_bytes());
        bytes.extend(self.not_before.to_be_bytes());
        bytes.extend(self.lease_end.to_be_bytes());
        bytes.push(self.window);
        bytes.extend(self.device_x);
        bytes.try_into().map_err(|_| CredentialError::Length)
    }

    fn parse(bytes: &[u8; CREDENTIAL_LEN]) -> Result<Self, CredentialError> {
        let flags = bytes[0] ^ FORMAT;
        if flags & !(FLAG_ODD_Y | FLAG_NONCE) != 0 {
            return Err(CredentialError::Format);
        }
        if bytes[37] < MIN_WINDOW_S {
            return Err(CredentialError::Window);
        }
        Ok(Self {
            key_id: array(&bytes[1..]),
            event: EventHash(array(&bytes[5..])),
            ticket: TicketHash(array(&bytes[13..])),
            section: u16::from_be_bytes(array(&bytes[25..])),
            generation: u16::from_be_bytes(array(&bytes[27..])),
            not_before: u32::from_be_bytes(array(&bytes[29..])),
            lease_end: u32::from_be_bytes(array(&bytes[33..])),
            window: bytes[37],
            nonce_required: flags & FLAG_NONCE != 0,
            device_x: array(&bytes[38..]),
            device_y_is_odd: flags & FLAG_ODD_Y != 0,
        })
    }
}

/// A well-formed credential. That its signature holds is asked with [`Credential::is_signed_by`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Credential {
    bytes: [u8; CREDENTIAL_LEN],
    fields: CredentialFields,
}

impl Credential {
    /// Reads 134 bytes.
    ///
    /// # Errors
    /// [`CredentialError`] for a wrong length, format, flag or window.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, CredentialError> {
        let bytes: [u8; CREDENTIAL_LEN] = bytes.try_into().map_err(|_| CredentialError::Length)?;
        Ok(Self { bytes, fields: CredentialFields::parse(&bytes)? })
    }

    /// Joins fields and the issuer's signature over [`Credential::message`] of their bytes.
    ///
    /// # Errors
    /// [`CredentialError::Window`] when the window is under five seconds.
    pub fn from_parts(fields: CredentialFields, signature: &[u8; 64]) -> Result<Self, CredentialError> {
        let mut bytes = [0; CREDENTIAL_LEN];
        bytes[..SIGNED_LEN].copy_from_slice(&fields.to_bytes()?);
        bytes[SIGNED_LEN..].copy_from_slice(signature);
        Ok(Self { bytes, fields })
    }

    /// What the issuer signs: a label, a zero byte, and the 70 bytes.
    pub fn message(signed: &[u8; SIGNED_LEN]) -> Vec<u8> {
        [LABEL, signed].concat()
    }

    /// The bytes as they travel and are kept.
    pub fn as_bytes(&self) -> &[u8; CREDENTIAL_LEN] {
        &self.bytes
    }

    /// What the credential says.
    pub fn fields(&self) -> &CredentialFields {
        &self.fields
    }

    /// The device key it names; `None` when no point of P-256 has this x.
    pub fn device_key(&self) -> Option<DeviceKey> {
        DeviceKey::from_x(&self.fields.device_x, self.fields.device_y_is_odd)
    }

    /// Whether the issuer's signature is this key's.
    pub fn is_signed_by(&self, key: &IssuerKey) -> bool {
        key.verifies(&Self::message(&array(&self.bytes)), &self.bytes[SIGNED_LEN..])
    }
}

/// The first `N` bytes; callers pass slices of fixed arrays that are long enough.
fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[..N]);
    out
}
