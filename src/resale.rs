//! The rules of resale and transfer, with no network and no store: where a listing or a transfer can go, what of a
//! ticket's barcode is shown meanwhile, and what a price comes to.
//!
//! Two layers tell where a listing stands, and are never merged: [`ListingState`] is what the server said last,
//! [`ListingIntent`] is what this wallet has asked for and has no answer to. [`listed_barcode`] reads both.

mod barcode;
mod breakdown;
mod intent;
mod listing;
mod offered;
mod prices;
mod transfer;

pub use barcode::{BarcodePolicy, HiddenReason, ListedBarcode, listed_barcode, transferred_barcode};
pub use breakdown::{Breakdown, BreakdownError};
pub use intent::{IntentEvent, ListingAsk, ListingAsked, ListingIntent, NotAskable};
pub use listing::{CloseReason, ListingEvent, ListingRefusal, ListingState};
pub use offered::{MarketAction, NotOfferedReason, is_offered};
pub use prices::{Fee, PriceBasis, PriceCap, PriceError, PriceRules};
pub use transfer::{TransferAction, TransferIntent, TransferRefusal, TransferRole, transfer_step};

/// When an open listing or a pending transfer ends by itself: at its own time, and never after the event's market closes.
/// Unix seconds.
pub fn ends_at(expires_at: Option<i64>, closes_at: Option<i64>) -> Option<i64> {
    [expires_at, closes_at].into_iter().flatten().min()
}
