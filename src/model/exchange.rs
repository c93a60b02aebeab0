//! What is handed over and ordered by section and number (TickeTing).

use super::outbox::TransferState;

/// So many tickets of a section.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct SectionCount {
    /// The section's address, `/events/…/sections/…`.
    pub section: String,
    /// How many, 1 at least.
    pub quantity: u32,
}

/// Tickets that are handed over by section and number; which ones they are the system says only once they are claimed.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SectionTransfer {
    /// Names it: its address below the API's.
    pub uri: String,
    /// Where it stands; claimed is [`TransferState::Accepted`].
    pub state: TransferState,
    /// When it was begun, Unix seconds.
    pub initiated_at: Option<i64>,
    /// What it hands over.
    pub tickets: Vec<SectionCount>,
    /// The address of the sender's account.
    pub sender: Option<String>,
    /// The address of the recipient's account.
    pub recipient: Option<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// A page of transfers.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SectionTransferPage {
    /// The transfers.
    pub transfers: Vec<SectionTransfer>,
    /// Whether more pages follow.
    pub more: bool,
}

/// An order by section and number. Amounts are as the system writes them: no document says in which currency.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SectionOrder {
    /// Names it.
    pub number: String,
    /// In the system's words: `Placed`, `Cancelled`, `Timed Out`, `Fulfilled`, …
    pub status: Option<String>,
    /// When it was placed, Unix seconds.
    pub placed_at: Option<i64>,
    /// Sum with fees.
    pub total: Option<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// A page of orders.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct SectionOrderPage {
    /// The orders.
    pub orders: Vec<SectionOrder>,
    /// Whether more pages follow.
    pub more: bool,
}

opaque_debug!(SectionTransfer, SectionTransferPage, SectionOrder, SectionOrderPage);
