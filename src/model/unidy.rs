//! What Unidy's lists of tickets can be asked for, and what its tickets say.

use super::money::Money;

/// What a list is ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum UnidyOrder {
    /// Start.
    StartsAt,
    /// End.
    EndsAt,
    /// Reference.
    Reference,
    /// When it was made.
    CreatedAt,
}

impl UnidyOrder {
    /// The server's name.
    pub fn as_text(self) -> &'static str {
        match self {
            Self::StartsAt => "starts_at",
            Self::EndsAt => "ends_at",
            Self::Reference => "reference",
            Self::CreatedAt => "created_at",
        }
    }
}

/// The documented parameters of a list of tickets. The default asks for nothing, and gets the server's first page.
#[derive(Debug, Clone, Default, PartialEq, Eq, uniffi::Record)]
pub struct UnidyTicketQuery {
    /// Counted from 1.
    #[uniffi(default = None)]
    pub page: Option<u32>,
    /// Tickets on a page, 250 at most.
    #[uniffi(default = None)]
    pub limit: Option<u32>,
    /// Only in this state.
    #[uniffi(default = None)]
    pub state: Option<String>,
    /// Only in this state of payment, in the server's words.
    #[uniffi(default = None)]
    pub payment_state: Option<String>,
    /// What to order by.
    #[uniffi(default = None)]
    pub order_by: Option<UnidyOrder>,
    /// Largest first; smallest first without it. The server chooses when it is `None`.
    #[uniffi(default = None)]
    pub descending: Option<bool>,
    /// Only of this service.
    #[uniffi(default = None)]
    pub service_id: Option<i64>,
    /// Only of this category.
    #[uniffi(default = None)]
    pub ticket_category_id: Option<String>,
    /// Only of this user; the partner API's, and assumed there.
    #[uniffi(default = None)]
    pub user_id: Option<String>,
}

/// What a Unidy ticket says, typed. A member of an unexpected type is `None` here; the system's own JSON has it.
#[derive(Clone, Default, PartialEq, Eq, uniffi::Record)]
#[uniffi::export(Debug)]
pub struct UnidyFields {
    /// What it is called.
    pub title: Option<String>,
    /// What it says.
    pub text: Option<String>,
    /// The seller's number; several tickets may share one.
    pub reference: Option<String>,
    /// `active`, `passive`, `inactive`, or what a server adds.
    pub state: Option<String>,
    /// Whether it is paid, in the server's words.
    pub payment_state: Option<String>,
    /// The price, exact; `None` where there is none, where it is no exact amount, and where the ticket names no currency: then
    /// `price_text` is in its category's, or in euros where that names none either.
    pub price: Option<Money>,
    /// The price in major units as the server wrote it, without quotes.
    pub price_text: Option<String>,
    /// The currency that the ticket names, as the server wrote it.
    pub currency: Option<String>,
    /// The amounts in its metadata, sorted by their place; those that are no exact amount are left out.
    pub amounts: Vec<UnidyAmount>,
    /// Where its button leads; none but an `https` address.
    pub button_url: Option<String>,
    /// A remark.
    pub info_banner: Option<String>,
    /// Seat, where it is a text.
    pub seating: Option<String>,
    /// Place.
    pub venue: Option<String>,
    /// Whether a pass can be made of it; not every server says.
    pub exportable_to_wallet: Option<bool>,
    /// Start, Unix seconds.
    pub starts_at: Option<i64>,
    /// End, Unix seconds.
    pub ends_at: Option<i64>,
    /// When it was made, Unix seconds.
    pub created_at: Option<i64>,
    /// When it was changed last, Unix seconds.
    pub updated_at: Option<i64>,
    /// Whose it is; opaque.
    pub user_id: Option<String>,
    /// Its category; opaque.
    pub ticket_category_id: Option<String>,
    /// Any JSON, as it was written.
    pub metadata_json: Option<String>,
    /// What goes into a pass: any JSON, as it was written.
    pub wallet_export_json: Option<String>,
}

/// An amount in a ticket's metadata.
#[derive(Debug, Clone, PartialEq, Eq, uniffi::Record)]
pub struct UnidyAmount {
    /// Its JSON pointer from the ticket on: `/metadata/seat/priceCategory/isoAmount`.
    pub pointer: String,
    /// The amount.
    pub amount: Money,
}

opaque_debug!(UnidyFields);
