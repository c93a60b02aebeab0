//! What each ticketing system can do about resale and transfer, and what it cannot.

use crate::model::TicketSystem;

/// Something that a person wants to do with a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum MarketAction {
    /// Offer it for sale.
    List,
    /// Change the price.
    Edit,
    /// Take the offer back.
    Withdraw,
    /// See one's own offers.
    MyListings,
    /// See what others offer.
    Browse,
    /// Buy what somebody offers.
    Buy,
    /// Hand a single ticket over.
    Transfer,
    /// Take what somebody hands over.
    Accept,
    /// Decline it.
    Decline,
    /// Take back what was handed over and is not accepted.
    CancelTransfer,
    /// Take a ticket over to a new phone.
    Move,
}

/// Why something cannot be done with a ticket at its system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, uniffi::Enum)]
pub enum NotOfferedReason {
    /// The ticket is a PDF: whoever has the file has the ticket, so that it cannot change hands safely.
    #[error("a PDF ticket cannot be sold or handed over: whoever has the file could still use it")]
    PdfTicket,
    /// The ticket is of another format than SECURE.
    #[error("only SECURE tickets can be sold or handed over")]
    NotSecure,
    /// The ticket is not issued, was used, or is cancelled.
    #[error("a ticket that does not admit cannot be sold or handed over")]
    NotUsable,
    /// The system has no market.
    #[error("this ticketing system has no resale")]
    NoResale,
    /// The system has no way to hand tickets over.
    #[error("this ticketing system has no way to hand tickets over")]
    NoTransfer,
    /// No document of the system tells how to buy an offer.
    #[error("tickets are bought on the ticketing system's own pages")]
    BuyElsewhere,
    /// An offer's price cannot be changed: take it back and offer the ticket again.
    #[error("a price cannot be changed here; take the offer back and offer the ticket again")]
    NoEdit,
    /// A transfer takes effect at once: there is nothing to answer or to take back.
    #[error("a transfer takes effect at once here; there is nothing to answer or to take back")]
    AtOnce,
    /// A transfer cannot be declined: it is left alone, or its sender takes it back.
    #[error("a transfer cannot be declined here; leave it, or ask its sender to take it back")]
    NoDecline,
    /// Tickets are handed over by section and number, not singly.
    #[error("this ticketing system hands tickets over by section and number only")]
    BySectionOnly,
    /// Tickets are sold and handed over on the ledger, with the network, and not by what waits to be sent.
    #[error("this ticketing system sells and hands over tickets on its ledger only")]
    OnLedgerOnly,
    /// Tickets are not bound to phones.
    #[error("tickets of this system are not bound to a phone")]
    NotBound,
    /// The organiser's rules do not let the ticket be sold.
    #[error("the organiser does not let this ticket be sold")]
    ResaleBarred,
    /// The organiser's rules do not let tickets be handed over.
    #[error("the organiser does not let tickets be handed over")]
    TransferBarred,
}

/// Whether a system, with or without the extension beside it, can do something.
///
/// # Errors
/// [`NotOfferedReason`] where it cannot.
pub fn is_offered(
    system: TicketSystem,
    extension: bool,
    action: MarketAction,
) -> Result<(), NotOfferedReason> {
    use MarketAction as Act;
    if extension {
        return Ok(());
    }
    match (system, action) {
        (_, Act::Move) => Err(NotOfferedReason::NotBound),
        (TicketSystem::Bam, Act::List | Act::Withdraw | Act::MyListings | Act::Transfer) => Ok(()),
        (TicketSystem::Bam, Act::Edit) => Err(NotOfferedReason::NoEdit),
        (TicketSystem::Bam, Act::Browse | Act::Buy) => Err(NotOfferedReason::BuyElsewhere),
        (TicketSystem::Bam, Act::Accept | Act::Decline | Act::CancelTransfer) => {
            Err(NotOfferedReason::AtOnce)
        }
        (_, Act::List | Act::Edit | Act::Withdraw | Act::MyListings | Act::Browse | Act::Buy) => {
            Err(NotOfferedReason::NoResale)
        }
        (TicketSystem::Unidy, Act::Transfer | Act::Accept | Act::Decline | Act::CancelTransfer) => Ok(()),
        (TicketSystem::Ticketing, Act::Accept | Act::CancelTransfer) => Ok(()),
        (TicketSystem::Ticketing, Act::Transfer) => Err(NotOfferedReason::BySectionOnly),
        (TicketSystem::Ticketing, Act::Decline) => Err(NotOfferedReason::NoDecline),
        (TicketSystem::Texpo, _) => Err(NotOfferedReason::NoTransfer),
    }
}
