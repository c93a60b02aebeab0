//! What of a ticket's barcode is shown while it is listed or on its way to somebody.

use super::intent::ListingIntent;
use super::listing::{CloseReason, ListingState};
use super::transfer::TransferIntent;
use crate::model::TransferState;

/// Whether a listed ticket's barcode is shown, by the event's rules (`barcode_while_listed`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, uniffi::Enum)]
pub enum BarcodePolicy {
    /// It is surrendered in the call that lists the ticket, and gates refuse it as listed.
    #[default]
    Hidden,
    /// It is shown until a buyer begins to pay, and surrendered then.
    Shown,
}

closed_enum!(BarcodePolicy { Hidden = "hidden", Shown = "shown" });

impl BarcodePolicy {
    /// Reads a server's text; one that is absent or unknown is [`BarcodePolicy::Hidden`], which shows less.
    pub fn of_server(text: Option<&str>) -> Self {
        text.and_then(|text| Self::from_text(&text.to_ascii_lowercase())).unwrap_or_default()
    }
}

/// What is shown of a ticket's barcode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum ListedBarcode {
    /// It is shown as any other.
    Shown,
    /// It is not shown, and may be again.
    Hidden {
        /// Why.
        why: HiddenReason,
    },
    /// It was surrendered and the ticket stays with its holder: binding it again online, which costs no move, gives one of
    /// the next generation. Once a credential of that generation is held, what ended counts no more.
    NeedsRebind,
    /// The ticket is somebody else's: the credential and its key are to be erased.
    Erased,
}

/// Why a barcode is not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum HiddenReason {
    /// The request to list it was sent; the answer is not known.
    Submitting,
    /// The request to take the listing back was sent; the answer is not known.
    Withdrawing,
    /// The listing is looked at.
    UnderReview,
    /// The ticket is for sale.
    Listed,
    /// A buyer is paying.
    Reserved,
    /// The ticket was revoked.
    Revoked,
    /// The event was cancelled.
    EventCancelled,
    /// The server says something that this version does not know.
    UnknownState,
    /// The request to hand the ticket over was sent; the answer is not known.
    HandingOver,
    /// The ticket waits for its recipient.
    OnItsWay,
}

impl HiddenReason {
    /// What it means and what helps, for a person.
    pub fn advice(self) -> &'static str {
        match self {
            Self::Submitting => "the request to list the ticket was sent; go online to learn its answer",
            Self::Withdrawing => {
                "the request to take the listing back was sent; go online to learn its answer"
            }
            Self::UnderReview => "the listing is being looked at; withdraw it to get the barcode back",
            Self::Listed => "the ticket is for sale; withdraw the listing to get the barcode back",
            Self::Reserved => "a buyer is paying for the ticket; if they do not in time, it is yours again",
            Self::Revoked => "the ticket was revoked; ask the organiser",
            Self::EventCancelled => "the event was cancelled; ask the organiser",
            Self::UnknownState => {
                "the market says something that this app does not know; update it, or withdraw"
            }
            Self::HandingOver => {
                "the request to hand the ticket over was sent; go online to learn its answer"
            }
            Self::OnItsWay => {
                "the ticket waits for its recipient; cancel the transfer to get the barcode back"
            }
        }
    }
}

/// What is shown of a ticket's barcode, by the event's policy, what the server said last of its listing, and what this
/// wallet has asked for since.
pub fn listed_barcode(
    policy: BarcodePolicy,
    server: Option<&ListingState>,
    intent: Option<ListingIntent>,
) -> ListedBarcode {
    let by_server = by_server(policy, server);
    match intent {
        _ if by_server == ListedBarcode::Erased => ListedBarcode::Erased,
        Some(ListingIntent::Submitting) => hidden(HiddenReason::Submitting),
        Some(ListingIntent::Withdrawing) => hidden(HiddenReason::Withdrawing),
        // What was not sent, or is about the price alone, changes nothing.
        Some(
            ListingIntent::Draft
            | ListingIntent::EditQueued
            | ListingIntent::Editing
            | ListingIntent::WithdrawQueued,
        )
        | None => by_server,
    }
}

fn by_server(policy: BarcodePolicy, server: Option<&ListingState>) -> ListedBarcode {
    let unless_surrendered = |otherwise| match policy {
        BarcodePolicy::Hidden => otherwise,
        BarcodePolicy::Shown => ListedBarcode::Shown,
    };
    match server {
        None => ListedBarcode::Shown,
        Some(ListingState::UnderReview) => unless_surrendered(hidden(HiddenReason::UnderReview)),
        Some(ListingState::Active) => unless_surrendered(hidden(HiddenReason::Listed)),
        Some(ListingState::Paused | ListingState::Withdrawn | ListingState::Expired) => {
            unless_surrendered(ListedBarcode::NeedsRebind)
        }
        Some(ListingState::Reserved) => hidden(HiddenReason::Reserved),
        Some(ListingState::Sold | ListingState::Reissued | ListingState::PaidOut) => ListedBarcode::Erased,
        Some(ListingState::Unknown { .. }) => hidden(HiddenReason::UnknownState),
        Some(ListingState::Closed { reason }) => match reason {
            CloseReason::Revoked => hidden(HiddenReason::Revoked),
            CloseReason::EventCancelled => hidden(HiddenReason::EventCancelled),
            CloseReason::Transferred => ListedBarcode::Erased,
            CloseReason::Scanned | CloseReason::Other { .. } => {
                unless_surrendered(ListedBarcode::NeedsRebind)
            }
        },
    }
}

/// What is shown of the barcode of a ticket that is handed to somebody, where the call that hands it over surrenders its
/// credential.
pub fn transferred_barcode(server: Option<&TransferState>, intent: Option<TransferIntent>) -> ListedBarcode {
    match (server, intent) {
        (Some(TransferState::Accepted), _) => ListedBarcode::Erased,
        (_, Some(TransferIntent::Sending | TransferIntent::Cancelling)) => hidden(HiddenReason::HandingOver),
        (None, _) => ListedBarcode::Shown,
        (Some(TransferState::Pending), _) => hidden(HiddenReason::OnItsWay),
        (Some(TransferState::Other { .. }), _) => hidden(HiddenReason::UnknownState),
        (
            Some(
                TransferState::Declined
                | TransferState::Cancelled
                | TransferState::Expired
                | TransferState::Ended,
            ),
            _,
        ) => ListedBarcode::NeedsRebind,
    }
}

fn hidden(why: HiddenReason) -> ListedBarcode {
    ListedBarcode::Hidden { why }
}
