//! What a person bought, and what of it they offer to others.

use super::money::Money;

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum OrderStatus {
    /// Begun.
    Draft,
    /// A payment is under way.
    PaymentProcessing,
    /// Not paid in time, or cancelled: it ends so.
    PaymentFailed,
    /// Paid.
    Paid,
    /// Some of its tickets were paid back.
    PartiallyRefunded,
    /// Paid back: it ends so.
    Refunded,
    /// Anything else, as the server wrote it.
    Other {
        /// The server's text.
        text: String,
    },
}

open_enum!(OrderStatus {
    Draft = "draft",
    PaymentProcessing = "payment_processing",
    PaymentFailed = "payment_failed",
    Paid = "paid",
    PartiallyRefunded = "partially_refunded",
    Refunded = "refunded",
});

/// An order.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Order {
    /// The system's id.
    pub remote_id: String,
    /// The tenant at which it was made.
    pub tenant: Option<String>,
    /// Where it stands.
    pub status: OrderStatus,
    /// How its tickets are delivered, as the system writes it: `PDF`, `SECURE`, `PKPASS`.
    pub format: Option<String>,
    /// What it cost; `None` where it was not told, or not exactly.
    pub total: Option<Money>,
    /// What was paid back.
    pub refunded: Option<Money>,
    /// When it was made, Unix seconds.
    pub created_at: Option<i64>,
    /// The system's ids of its tickets, as far as they were told.
    pub ticket_ids: Vec<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// A ticket that its owner offers to others.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Offer {
    /// The system's id.
    pub remote_id: String,
    /// `DIRECT`, `MARKET`, `AUCTION`, as the system writes it.
    pub kind: Option<String>,
    /// What is asked for it.
    pub price: Option<Money>,
    /// The event's id.
    pub event_id: Option<String>,
    /// The ticket configuration's id.
    pub ticket_config_id: Option<String>,
    /// The ticket's number within its configuration.
    pub seq_num: Option<i64>,
    /// Until when it stands, as the system writes it: its unit is not documented.
    pub valid_until: Option<String>,
    /// The system's whole record as JSON.
    pub body_json: String,
}

/// What a ticket is offered for on a ledger's market (B.A.M).
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct LedgerSale {
    /// The price, which is what a buyer pays.
    pub price: Money,
    /// Until when the offer stands, Unix seconds.
    pub until: i64,
    /// The enrolment of the one who may buy it; anybody may without one.
    #[uniffi(default = None)]
    pub buyer: Option<String>,
}

opaque_debug!(Order, Offer, LedgerSale);
