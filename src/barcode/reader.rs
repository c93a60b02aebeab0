//! The reader: from scanned bytes to a verdict of the code alone.

use super::base45;
use super::credential::{CREDENTIAL_LEN, Credential, CredentialFields};
use super::device_key::{DeviceSignature, SIGNATURE_LEN};
use super::issuer_key::IssuerKey;
use super::proof::{NONCE_LEN, PREFIX, proof_message};
use super::verified::VerifiedCredentials;
use crate::model::EventHash;

/// Length of the bytes inside a barcode: credential, presented at, device signature.
pub const CODE_LEN: usize = CREDENTIAL_LEN + 4 + SIGNATURE_LEN;

/// The verdict of the code alone, before any manifest or ledger. The order of the refusals is the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum CodeVerdict {
    /// Every check holds.
    Valid,
    /// Not a barcode of this format.
    Malformed,
    /// No known key has this key id.
    UnknownIssuer,
    /// A known key has this id, but the signature is not its own.
    BadIssuerSignature,
    /// The device did not sign this frame, or not with a venue nonce that counts here.
    BadDeviceSignature,
    /// Shown too long ago.
    Stale,
    /// Shown in the future: the phone's clock is ahead, or the code was made ahead.
    FromTheFuture,
    /// The ticket is not valid yet.
    NotYetValid,
    /// The wallet must go online and renew.
    LeaseExpired,
    /// A ticket of another event.
    WrongEvent,
    /// A ticket of another section.
    WrongSection,
}

/// What a reader knows and expects.
#[derive(Debug, Clone, Copy)]
pub struct Checks<'a> {
    /// Known issuer keys.
    pub keys: &'a [IssuerKey],
    /// Unix seconds.
    pub now: i64,
    /// How many seconds the two clocks may differ.
    pub tolerance_s: u32,
    /// The venue nonces that count now: previous, current and next epoch.
    pub nonces: &'a [[u8; NONCE_LEN]],
    /// Whether every code must cover a venue nonce, whatever its credential says.
    pub nonce_required: bool,
    /// The event at this gate; `None` accepts any.
    pub event: Option<EventHash>,
    /// The sections let in here; empty accepts any.
    pub sections: &'a [u16],
}

/// A barcode that is well-formed; nothing in it is proved yet.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ScannedCode {
    /// The issuer's part.
    pub credential: Credential,
    /// When the device says it showed this frame, Unix seconds.
    pub presented_at: u32,
    /// The device's signature over this frame.
    pub signature: DeviceSignature,
}

opaque_debug!(ScannedCode);

/// A verdict and, once both signatures hold, the code it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// The verdict of the code alone.
    pub verdict: CodeVerdict,
    /// The proved code; `None` until issuer and device signature both hold.
    pub code: Option<ScannedCode>,
    /// The venue nonce that the device signed with it.
    pub nonce: Option<[u8; NONCE_LEN]>,
}

/// Reads scanned bytes and checks them in the fixed order, stopping at the first failure.
pub fn read(scanned: &[u8], checks: &Checks<'_>) -> Reading {
    Reading::of(ScannedCode::parse(scanned), checks, Credential::is_signed_by)
}

/// The same, with no second check of an issuer's signature that held before. The reading is the one of [`read`].
pub fn read_remembering(scanned: &[u8], checks: &Checks<'_>, verified: &VerifiedCredentials) -> Reading {
    Reading::of(ScannedCode::parse(scanned), checks, |credential, key| verified.is_signed_by(credential, key))
}

/// The same for the bytes inside a barcode.
pub fn read_bytes(bytes: &[u8; CODE_LEN], checks: &Checks<'_>) -> Reading {
    Reading::of(ScannedCode::from_bytes(bytes), checks, Credential::is_signed_by)
}

impl Reading {
    fn of(
        code: Option<ScannedCode>,
        checks: &Checks<'_>,
        is_signed: impl Fn(&Credential, &IssuerKey) -> bool,
    ) -> Self {
        let refused = |verdict| Self { verdict, code: None, nonce: None };
        let Some(code) = code else { return refused(CodeVerdict::Malformed) };
        match code.check_signatures(checks, is_signed) {
            Err(verdict) => refused(verdict),
            Ok(nonce) => Self { verdict: code.check_claims(checks), code: Some(code), nonce },
        }
    }
}

impl ScannedCode {
    /// The bytes inside the barcode.
    pub fn to_bytes(&self) -> [u8; CODE_LEN] {
        let mut bytes = [0; CODE_LEN];
        bytes[..CREDENTIAL_LEN].copy_from_slice(self.credential.as_bytes());
        bytes[CREDENTIAL_LEN..CREDENTIAL_LEN + 4].copy_from_slice(&self.presented_at.to_be_bytes());
        bytes[CREDENTIAL_LEN + 4..].copy_from_slice(&self.signature.to_bytes());
        bytes
    }

    /// Strips what scanners add, then reads strictly; `None` for anything else than a code of format 1.
    pub fn parse(scanned: &[u8]) -> Option<Self> {
        let text = strip_scanner_marks(scanned).strip_prefix(PREFIX.as_bytes())?;
        Self::from_bytes(&base45::decode(text).ok()?.try_into().ok()?)
    }

    /// Reads the bytes inside the barcode.
    fn from_bytes(bytes: &[u8; CODE_LEN]) -> Option<Self> {
        let (credential, proof) = bytes.split_at(CREDENTIAL_LEN);
        let (time, signature) = proof.split_at(4);
        Some(Self {
            credential: Credential::from_bytes(credential).ok()?,
            presented_at: u32::from_be_bytes(time.try_into().ok()?),
            signature: DeviceSignature::from_bytes(signature).ok()?,
        })
    }

    /// The nonce that the device signed with it, once both signatures hold.
    fn check_signatures(
        &self,
        checks: &Checks<'_>,
        is_signed: impl Fn(&Credential, &IssuerKey) -> bool,
    ) -> Result<Option<[u8; NONCE_LEN]>, CodeVerdict> {
        let fields = self.credential.fields();
        let mut named = checks
            .keys
            .iter()
            .filter(|key| key.is_known_at(checks.now) && key.id() == fields.key_id)
            .peekable();
        if named.peek().is_none() {
            return Err(CodeVerdict::UnknownIssuer);
        }
        if !named.any(|key| is_signed(&self.credential, key)) {
            return Err(CodeVerdict::BadIssuerSignature);
        }
        let optional = !fields.nonce_required && !checks.nonce_required;
        let mut tried = checks.nonces.iter().copied().map(Some).chain(optional.then_some(None));
        tried.find(|nonce| self.is_signed_with(nonce.as_ref())).ok_or(CodeVerdict::BadDeviceSignature)
    }

    /// Whether the device signed this frame with just this nonce, or with none.
    pub(crate) fn is_signed_with(&self, nonce: Option<&[u8; NONCE_LEN]>) -> bool {
        let message = proof_message(&self.credential, self.presented_at, nonce);
        self.credential.device_key().is_some_and(|key| key.verifies(&message, &self.signature))
    }

    fn check_claims(&self, checks: &Checks<'_>) -> CodeVerdict {
        let CredentialFields { not_before, lease_end, window, event, section, .. } =
            *self.credential.fields();
        let (now, tolerance) = (checks.now, i64::from(checks.tolerance_s));
        let presented_at = i64::from(self.presented_at);
        if presented_at < now.saturating_sub(i64::from(window)).saturating_sub(tolerance) {
            CodeVerdict::Stale
        } else if presented_at > now.saturating_add(tolerance) {
            CodeVerdict::FromTheFuture
        } else if now < i64::from(not_before) {
            CodeVerdict::NotYetValid
        } else if now > i64::from(lease_end) {
            CodeVerdict::LeaseExpired
        } else if checks.event.is_some_and(|expected| expected != event) {
            CodeVerdict::WrongEvent
        } else if section != 0 && !checks.sections.is_empty() && !checks.sections.contains(&section) {
            CodeVerdict::WrongSection
        } else {
            CodeVerdict::Valid
        }
    }
}

/// Removes one AIM symbology prefix (`]Q0`..`]Q6`), ECI escapes (`\` and six digits) at the start, and CR, LF, tab
/// and space at the end (no Base45 text can end in one of them).
pub(crate) fn strip_scanner_marks(scanned: &[u8]) -> &[u8] {
    let mut text = match scanned {
        [b']', b'Q', b'0'..=b'6', rest @ ..] => rest,
        _ => scanned,
    };
    while let [b'\\', rest @ ..] = text {
        match rest.split_at_checked(6) {
            Some((digits, rest)) if digits.iter().all(u8::is_ascii_digit) => text = rest,
            _ => break,
        }
    }
    while let [rest @ .., b'\r' | b'\n' | b'\t' | b' '] = text {
        text = rest;
    }
    text
}
