//! What this wallet has asked a market for and has no answer to.

use super::listing::ListingState;

/// The oldest write about a ticket's listing that is not answered; the server's state stands beside it, untouched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListingIntent {
    /// To be listed; nothing was sent.
    Draft,
    /// The request to list it was sent; the answer is not known.
    Submitting,
    /// To be sold at another price; nothing was sent.
    EditQueued,
    /// The other price was sent; the answer is not known.
    Editing,
    /// To be taken back; nothing was sent.
    WithdrawQueued,
    /// The request to take it back was sent; the answer is not known.
    Withdrawing,
}

closed_enum!(ListingIntent {
    Draft = "draft",
    Submitting = "submitting",
    EditQueued = "edit_queued",
    Editing = "editing",
    WithdrawQueued = "withdraw_queued",
    Withdrawing = "withdrawing",
});

/// What a person asks of a ticket's listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListingAsk {
    /// List the ticket.
    Create,
    /// Change the price.
    Edit,
    /// Take it back.
    Withdraw,
}

/// What becomes of what a person asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListingAsked {
    /// A write is queued.
    Queue,
    /// A write is queued behind one whose answer is awaited.
    QueueBehind,
    /// The write that is queued, and was not sent, is changed into this one.
    Replace,
    /// The write that is queued, and was not sent, is dropped; nothing is sent.
    Discard,
}

/// Why something cannot be asked of a ticket's listing now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, uniffi::Enum)]
pub enum NotAskable {
    /// The ticket is listed, or about to be.
    #[error("the ticket is listed already")]
    Listed,
    /// The ticket is not listed, nor about to be.
    #[error("the ticket is not listed")]
    NotListed,
    /// A buyer is paying for it.
    #[error("a buyer is paying for the ticket")]
    Reserved,
    /// It is sold.
    #[error("the ticket is sold")]
    Sold,
    /// The listing has ended.
    #[error("the listing has ended")]
    Ended,
    /// It is to be taken back already.
    #[error("the listing is being taken back")]
    Withdrawing,
    /// The answer to an earlier request must come first.
    #[error("the answer to an earlier request is awaited; sync, then try again")]
    Unanswered,
    /// Where the listing stands is not known.
    #[error("where the listing stands is not known")]
    UnknownState,
}

/// What happens to a write about a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum IntentEvent {
    /// Its first byte is about to be sent; the row is committed.
    FirstByte,
    /// The server has answered, be it that it refuses.
    Answered,
    /// The person dropped it.
    Discarded,
}

impl ListingIntent {
    /// Whether the server may have acted on it.
    pub fn is_sent(self) -> bool {
        matches!(self, Self::Submitting | Self::Editing | Self::Withdrawing)
    }

    /// What is intended after an event; `None` is nothing any more.
    ///
    /// # Errors
    /// [`NotAskable::Unanswered`] for dropping what was sent and for an answer to what was not, which no server gives.
    pub fn after(self, event: IntentEvent) -> Result<Option<Self>, NotAskable> {
        match event {
            // Sending again is no other state: the same request, with the same key.
            IntentEvent::FirstByte => Ok(Some(self.sent())),
            IntentEvent::Answered if self.is_sent() => Ok(None),
            IntentEvent::Discarded if !self.is_sent() => Ok(None),
            IntentEvent::Answered | IntentEvent::Discarded => Err(NotAskable::Unanswered),
        }
    }

    fn sent(self) -> Self {
        match self {
            Self::Draft | Self::Submitting => Self::Submitting,
            Self::EditQueued | Self::Editing => Self::Editing,
            Self::WithdrawQueued | Self::Withdrawing => Self::Withdrawing,
        }
    }
}

impl ListingAsk {
    /// What becomes of it, by what the server said last and what was asked for before.
    ///
    /// # Errors
    /// [`NotAskable`].
    pub fn decide(
        self,
        server: Option<&ListingState>,
        intent: Option<ListingIntent>,
    ) -> Result<ListingAsked, NotAskable> {
        match (self, intent) {
            (_, None) => self.of_server(server),
            (Self::Create, Some(_)) => Err(NotAskable::Listed),
            (Self::Edit, Some(ListingIntent::Draft | ListingIntent::EditQueued)) => Ok(ListingAsked::Replace),
            // What is being listed has no id yet by which it could be taken back.
            (Self::Edit | Self::Withdraw, Some(ListingIntent::Submitting))
            | (Self::Edit, Some(ListingIntent::Editing)) => Err(NotAskable::Unanswered),
            (Self::Withdraw, Some(ListingIntent::Draft)) => Ok(ListingAsked::Discard),
            (Self::Withdraw, Some(ListingIntent::EditQueued)) => Ok(ListingAsked::Replace),
            (Self::Withdraw, Some(ListingIntent::Editing)) => Ok(ListingAsked::QueueBehind),
            (_, Some(ListingIntent::WithdrawQueued | ListingIntent::Withdrawing)) => {
                Err(NotAskable::Withdrawing)
            }
        }
    }

    fn of_server(self, server: Option<&ListingState>) -> Result<ListingAsked, NotAskable> {
        use ListingState as State;
        match (self, server) {
            (Self::Create, None | Some(State::Withdrawn | State::Expired)) => Ok(ListingAsked::Queue),
            // Whoever was let in, or got the ticket back otherwise, may be allowed to sell: the server decides.
            (Self::Create, Some(State::Closed { .. })) => Ok(ListingAsked::Queue),
            (Self::Create, Some(State::UnderReview | State::Active | State::Paused | State::Reserved)) => {
                Err(NotAskable::Listed)
            }
            (_, None) => Err(NotAskable::NotListed),
            (_, Some(State::UnderReview | State::Active | State::Paused)) => Ok(ListingAsked::Queue),
            (_, Some(State::Reserved)) => Err(NotAskable::Reserved),
            (_, Some(State::Sold | State::Reissued | State::PaidOut)) => Err(NotAskable::Sold),
            (_, Some(State::Withdrawn | State::Expired | State::Closed { .. })) => Err(NotAskable::Ended),
            // It can be taken back: the server refuses if it cannot.
            (Self::Withdraw, Some(State::Unknown { .. })) => Ok(ListingAsked::Queue),
            (_, Some(State::Unknown { .. })) => Err(NotAskable::UnknownState),
        }
    }
}
