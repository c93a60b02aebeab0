//! What a list of Unidy's tickets can be asked for.

use clap::{Args, ValueEnum};
use ticket_wallet::model::{UnidyOrder, UnidyTicketQuery};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OrderName {
    /// Start.
    StartsAt,
    /// End.
    EndsAt,
    /// Reference.
    Reference,
    /// When it was made.
    CreatedAt,
}

#[derive(Debug, Args)]
pub(crate) struct QueryOptions {
    /// Which page, from 1.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: u32,
    /// Tickets on a page, 250 at most; 25 without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=250))]
    limit: Option<u32>,
    /// Only in this state: active, passive or inactive.
    #[arg(long)]
    state: Option<String>,
    /// Only in this state of payment, in the server's words.
    #[arg(long, value_name = "STATE")]
    payment_state: Option<String>,
    /// What to order by.
    #[arg(long, value_enum)]
    order_by: Option<OrderName>,
    /// Largest first.
    #[arg(long, conflicts_with = "ascending")]
    descending: bool,
    /// Smallest first.
    #[arg(long)]
    ascending: bool,
    /// Only of this service.
    #[arg(long, value_name = "N")]
    service: Option<i64>,
    /// Only of this ticket category.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    category: Option<String>,
    /// Only of this user; the partner API's.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    user: Option<String>,
}

impl QueryOptions {
    pub(crate) fn query(self) -> UnidyTicketQuery {
        UnidyTicketQuery {
            page: Some(self.page),
            limit: self.limit,
            state: self.state,
            payment_state: self.payment_state,
            order_by: self.order_by.map(UnidyOrder::from),
            descending: (self.descending || self.ascending).then_some(self.descending),
            service_id: self.service,
            ticket_category_id: self.category,
            user_id: self.user,
        }
    }
}

impl From<OrderName> for UnidyOrder {
    fn from(name: OrderName) -> Self {
        match name {
            OrderName::StartsAt => Self::StartsAt,
            OrderName::EndsAt => Self::EndsAt,
            OrderName::Reference => Self::Reference,
            OrderName::CreatedAt => Self::CreatedAt,
        }
    }
}
