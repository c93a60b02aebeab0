//! Files and codes that a ticketing system hands out as they are.

/// A file that is kept: a ticket as PDF or pkpass, an order's tickets.
#[derive(Clone, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct Document {
    /// Names it in `document`.
    pub id: i64,
    /// The account it was fetched for.
    pub account_id: String,
    /// What it belongs to: `ticket/` and the ticket's id in this wallet, or `order/` and the system's order id.
    pub subject: String,
    /// Media type, for example `application/pdf`.
    pub media_type: String,
    /// When it was fetched, Unix seconds.
    pub fetched_at: i64,
    /// Bytes.
    pub size: u64,
}

/// How a code that never changes is drawn.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Enum)]
pub enum Symbology {
    /// QR code (ISO/IEC 18004).
    Qr,
    /// The system does not say; this library draws a QR code.
    Undeclared,
    /// Anything else, as the system names it.
    Other {
        /// The system's text.
        text: String,
    },
}

open_enum!(Symbology { Qr = "qr", Undeclared = "undeclared" });

/// A code that never changes, as its system gave it: whoever copies it has it.
#[derive(Clone, PartialEq, Eq)]
pub struct StaticCode {
    /// Its text.
    pub text: String,
    /// How it is drawn.
    pub symbology: Symbology,
    /// Where in the system's answers it stood, for example `metadata.barcode`.
    pub source: String,
}

opaque_debug!(Document, StaticCode);
