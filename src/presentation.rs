//! Showing a ticket: a fresh signed frame from what the store holds, with no network.

use crate::barcode::{Credential, NONCE_LEN, Purpose, QrMatrix, code_text, proof_message, signed_matrix};
use crate::clock::{ClockUncertainty, TrustedNow};
use crate::device::sign;
use crate::error::Error;
use crate::host::KeyVault;
use crate::model::{BarcodeProfile, NoBarcodeReason, TicketFormat, TicketStatus, TicketSummary};
use crate::store::{BindingState, HeldCredential};

/// Frames are redrawn at least this often, in seconds.
const MAX_REDRAW_S: u32 = 15;
/// One frame of a rotating barcode. Times are Unix seconds of trusted time.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
pub struct Presentation {
    /// The barcode's text.
    pub text: String,
    /// The barcode's picture.
    pub matrix: QrMatrix,
    /// The issuer's raw public key, 32 bytes: what a gate must know to accept it.
    pub issuer_key: Vec<u8>,
    /// The time that the device signed.
    pub presented_at: i64,
    /// The last second in which a gate with the same clock accepts this frame.
    pub valid_until: i64,
    /// When to draw the next frame.
    pub next_redraw_at: i64,
    /// The same from now, in milliseconds: no clock arithmetic needed.
    pub next_redraw_in_ms: u64,
    /// How sure the time is.
    pub clock_uncertainty: ClockUncertainty,
}

opaque_debug!(Presentation);

/// Why a ticket shows no barcode at `now`; `None` when it does. A held credential is always shown, but for a lease that
/// has surely ended.
pub fn no_barcode(ticket: &TicketSummary, held: &BindingState, now: &TrustedNow) -> Option<NoBarcodeReason> {
    if held.leaving {
        return Some(NoBarcodeReason::HandedOver);
    }
    if let Some(credential) = &held.credential {
        let ended = now.unix_s() > i64::from(credential.credential.fields().lease_end);
        return (ended && now.uncertainty.confirmed).then_some(NoBarcodeReason::LeaseEnded);
    }
    Some(match (&ticket.format, ticket.profile) {
        (TicketFormat::Pdf, _) => NoBarcodeReason::DeliveredElsewhere,
        (_, BarcodeProfile::None | BarcodeProfile::Static) => NoBarcodeReason::NotOffered,
        _ if !matches!(ticket.status, TicketStatus::Issued | TicketStatus::Activated) => {
            NoBarcodeReason::NotUsable
        }
        _ => held.refusal.as_deref().map_or(NoBarcodeReason::NotBoundYet, NoBarcodeReason::of_refusal),
    })
}

/// Signs and draws a frame for `now`.
///
/// # Errors
/// [`Error::NoBarcode`] when the ticket has none to show, [`Error::Vault`], [`Error::Untrusted`] when the vault signs
/// with another key than the ticket is bound to.
pub fn present(
    vault: &dyn KeyVault,
    ticket: &TicketSummary,
    held: &BindingState,
    now: &TrustedNow,
    nonce: Option<&[u8; NONCE_LEN]>,
) -> Result<Presentation, Error> {
    if let Some(reason) = no_barcode(ticket, held, now) {
        return Err(Error::NoBarcode(reason));
    }
    let (Some(HeldCredential { credential, issuer_key, .. }), Some(handle)) =
        (&held.credential, &held.handle)
    else {
        return Err(Error::NoBarcode(NoBarcodeReason::NeedsRebind));
    };
    let presented_at =
        u32::try_from(now.unix_s()).map_err(|_| Error::Untrusted { what: "the clock is out of range" })?;
    let text = signed_text(vault, credential, handle, presented_at, nonce)?;
    let matrix =
        signed_matrix(&text).map_err(|_| Error::Untrusted { what: "the barcode cannot be drawn" })?;
    let fields = credential.fields();
    let shown = i64::from(presented_at);
    let next_redraw_at = shown + i64::from(MAX_REDRAW_S.min(u32::from(fields.window) / 2));
    Ok(Presentation {
        text,
        matrix,
        issuer_key: issuer_key.to_bytes().to_vec(),
        presented_at: shown,
        valid_until: (shown + i64::from(fields.window)).min(i64::from(fields.lease_end)),
        next_redraw_at,
        next_redraw_in_ms: u64::try_from(next_redraw_at * 1000 - now.unix_ms).unwrap_or(0),
        clock_uncertainty: now.uncertainty.clone(),
    })
}

/// The text of a frame; its signature is checked, so that a mistaken vault is noticed here and not at the gate.
fn signed_text(
    vault: &dyn KeyVault,
    credential: &Credential,
    handle: &str,
    presented_at: u32,
    nonce: Option<&[u8; NONCE_LEN]>,
) -> Result<String, Error> {
    let message = proof_message(credential, presented_at, nonce);
    let signature = sign(vault, handle.to_owned(), Purpose::Present, message.clone())?;
    if !credential.device_key().is_some_and(|key| key.verifies(&message, &signature)) {
        return Err(Error::Untrusted {
            what: "the key vault signed with another key than the ticket is bound to",
        });
    }
    Ok(code_text(credential, presented_at, &signature))
}
