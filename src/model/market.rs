//! Listings, offers and purchases as the wallet shows them.

use serde::{Deserialize, Serialize};

use super::money::Money;
use crate::resale::{Breakdown, ListedBarcode, ListingIntent, ListingState};

/// Where the listing of a ticket stands: what the server said last, and beside it what this wallet has asked for since.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Listing {
    /// The account.
    pub account_id: String,
    /// The ticket.
    pub ticket_id: String,
    /// The server's id; `None` while it has not answered.
    pub remote_id: Option<String>,
    /// What the server said last.
    pub state: Option<ListingState>,
    /// What was asked for and has no answer.
    pub intent: Option<ListingIntent>,
    /// The price as the server has it.
    pub price: Option<Money>,
    /// The price that was asked for and has no answer.
    pub asked_price: Option<Money>,
    /// What the server's price comes to.
    pub breakdown: Option<Breakdown>,
    /// When it ends by itself, Unix seconds.
    pub expires_at: Option<i64>,
    /// What of the ticket's barcode is shown meanwhile, and why not.
    pub barcode: ListedBarcode,
}

/// Which offers to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct MarketQuery {
    /// The system's event id.
    pub event_id: String,
    /// The tenant; the configuration's own without it.
    #[uniffi(default = None)]
    pub tenant: Option<String>,
    /// Only of this section, by its name.
    #[uniffi(default = None)]
    pub section: Option<String>,
    /// Only for this price or less, without the buyer's fee.
    #[uniffi(default = None)]
    pub max_price: Option<Money>,
    /// At most so many.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
    /// Where the page begins, as the page before said.
    #[uniffi(default = None)]
    pub cursor: Option<String>,
}

/// A ticket that somebody offers.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Offering {
    /// Names it in `buy`.
    pub listing_id: String,
    /// The tenant.
    pub tenant: Option<String>,
    /// The system's event id.
    pub event_id: String,
    /// The system's ticket id.
    pub ticket_remote_id: String,
    /// Section.
    pub section: Option<String>,
    /// Seat.
    pub seat: Option<String>,
    /// What kind of ticket.
    pub category: Option<String>,
    /// What the seller asks for.
    pub price: Money,
    /// What that comes to, where the server says it.
    pub breakdown: Option<Breakdown>,
    /// When it ends by itself, Unix seconds.
    pub expires_at: Option<i64>,
}

/// A page of offers, the cheapest first.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct MarketPage {
    /// The offers.
    pub offers: Vec<Offering>,
    /// Where the next page begins; `None` on the last.
    pub cursor: Option<String>,
}

/// Where a purchase stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum PurchaseState {
    /// The ticket is the account's.
    Bought,
    /// It waits for its payment.
    Reserved,
    /// The answer was lost, or it is paid for and the ticket has not come; the wallet finds out by itself.
    Unknown,
    /// The server refused it, or its time ran out: see the outbox.
    Refused,
}

/// A ticket that the account buys.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Purchase {
    /// The account.
    pub account_id: String,
    /// The listing.
    pub listing_id: String,
    /// The ticket, by its id in this wallet.
    pub ticket_id: String,
    /// Where it stands.
    pub state: PurchaseState,
    /// What it costs.
    pub total: Option<Money>,
    /// Where the person pays, in their browser: an `https` address. Whoever has it can pay, and see what for.
    pub payment_url: Option<String>,
    /// Whether no money moves there.
    pub simulated: bool,
    /// Until when it waits for the payment, Unix seconds.
    pub expires_at: Option<i64>,
}

/// A listing that a server holds for this account until it is paid for.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReservation {
    /// The server's id.
    pub id: String,
    /// Where to pay.
    pub payment_url: Option<String>,
    /// Whether no money moves there.
    pub simulated: bool,
    /// What it costs.
    pub total: Option<Money>,
    /// Until when it is held, Unix seconds.
    pub expires_at: Option<i64>,
    /// Whether it is paid for, and the ticket has not come.
    #[serde(default)]
    pub is_paid: bool,
}

opaque_debug!(Listing, Offering, MarketPage, Purchase, HeldReservation);
