//! Showing tickets from what the store holds, with no network: a fresh signed frame, a code that never changes, a list
//! by events.

use std::collections::HashMap;

use crate::barcode::{
    Credential, NONCE_LEN, Purpose, QrMatrix, code_text, proof_message, signed_matrix, static_matrix,
};
use crate::clock::{ClockUncertainty, TrustedNow};
use crate::device::sign;
use crate::error::Error;
use crate::host::KeyVault;
use crate::model::{
    BarcodeProfile, Event, EventGroup, NoBarcodeReason, StaticCode, TicketFormat, TicketSummary,
};
use crate::store::{BindingState, HeldCredential};

/// Frames are redrawn at least this often, in seconds.
const MAX_REDRAW_S: u32 = 15;
/// A code that never changes is looked at again after a day: by then its ticket may be over.
const STATIC_REDRAW_S: i64 = 86_400;

/// What to show of a ticket: one frame of a rotating barcode, or a code that never changes. Times are Unix seconds of trusted time.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Presentation {
    /// Which kind of barcode: signed, or static, which whoever copies it has.
    pub profile: BarcodeProfile,
    /// The barcode's text.
    pub text: String,
    /// The barcode's picture.
    pub matrix: QrMatrix,
    /// The issuer's raw public key, 32 bytes: what a gate must know to accept it. Empty where no issuer signed it.
    pub issuer_key: Vec<u8>,
    /// The time that the device signed; of a static code, the time at which it is shown.
    pub presented_at: i64,
    /// The last second in which a gate with the same clock accepts this frame; of a static code, in which its ticket is
    /// valid as far as is known, else that of the next redraw.
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
pub fn no_barcode(
    ticket: &TicketSummary,
    held: &BindingState,
    code: Option<&StaticCode>,
    now: &TrustedNow,
) -> Option<NoBarcodeReason> {
    if held.leaving {
        return Some(NoBarcodeReason::HandedOver);
    }
    if let Some(credential) = &held.credential {
        let ended = now.unix_s() > i64::from(credential.credential.fields().lease_end);
        return (ended && now.uncertainty.confirmed).then_some(NoBarcodeReason::LeaseEnded);
    }
    match (&ticket.format, ticket.profile) {
        (TicketFormat::Pdf, _) => Some(NoBarcodeReason::DeliveredElsewhere),
        (_, BarcodeProfile::None) => Some(NoBarcodeReason::NotOffered),
        _ if !ticket.effective_status.admits() => Some(NoBarcodeReason::NotUsable),
        (_, BarcodeProfile::Static) if held.refusal.as_deref() == Some(NoBarcodeReason::SURRENDERED) => {
            Some(NoBarcodeReason::HandedOver)
        }
        (_, BarcodeProfile::Static) => code.is_none().then_some(NoBarcodeReason::NotBoundYet),
        (_, BarcodeProfile::Signed) => {
            Some(held.refusal.as_deref().map_or(NoBarcodeReason::NotBoundYet, NoBarcodeReason::of_refusal))
        }
    }
}

/// Draws a ticket's code that never changes.
///
/// # Errors
/// [`Error::NoBarcode`] when the ticket has none to show, [`Error::Untrusted`] for a text that no QR code holds.
pub fn show(
    ticket: &TicketSummary,
    held: &BindingState,
    code: Option<StaticCode>,
    now: &TrustedNow,
) -> Result<Presentation, Error> {
    let why = no_barcode(ticket, held, code.as_ref(), now);
    let code = code.ok_or(Error::NoBarcode(why.unwrap_or(NoBarcodeReason::NotBoundYet)))?;
    if let Some(why) = why {
        return Err(Error::NoBarcode(why));
    }
    let matrix = static_matrix(&code.text)
        .map_err(|_| Error::Untrusted { what: "the code is too long to be drawn" })?;
    let presented_at = now.unix_s();
    let next_redraw_at = (presented_at + STATIC_REDRAW_S).min(ticket.expires_at.unwrap_or(i64::MAX));
    Ok(Presentation {
        profile: BarcodeProfile::Static,
        text: code.text,
        matrix,
        issuer_key: Vec::new(),
        presented_at,
        valid_until: ticket.expires_at.unwrap_or(next_redraw_at),
        next_redraw_at,
        next_redraw_in_ms: u64::try_from(next_redraw_at.saturating_mul(1000) - now.unix_ms).unwrap_or(0),
        clock_uncertainty: now.uncertainty.clone(),
    })
}

/// Puts the tickets of one event together, each group where its first ticket stands in the list.
pub fn group(tickets: Vec<TicketSummary>, events: Vec<Event>) -> Vec<EventGroup> {
    let mut events: HashMap<String, Event> =
        events.into_iter().map(|event| (event.hash.clone(), event)).collect();
    let mut places = HashMap::new();
    let mut groups: Vec<EventGroup> = Vec::new();
    for ticket in tickets {
        let known = ticket.event_hash.as_ref().and_then(|hash| places.get(hash)).copied();
        if let Some(group) = known.and_then(|place: usize| groups.get_mut(place)) {
            group.tickets.push(ticket);
            continue;
        }
        let hash = ticket.event_hash.clone();
        let event = hash.as_ref().and_then(|hash| events.remove(hash));
        places.extend(hash.map(|hash| (hash, groups.len())));
        let (title, starts_at) = (ticket.title.clone(), ticket.starts_at);
        groups.push(EventGroup { event, title, starts_at, tickets: vec![ticket] });
    }
    groups
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
    if let Some(reason) = no_barcode(ticket, held, None, now) {
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
        profile: BarcodeProfile::Signed,
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
