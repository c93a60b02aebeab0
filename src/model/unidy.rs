//! What Unidy's lists of tickets can be asked for.

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
