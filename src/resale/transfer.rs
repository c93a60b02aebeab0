//! Where a transfer can go, and who may take it there.

use crate::model::TransferState;

/// What somebody does with a transfer, or what time does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TransferAction {
    /// The recipient takes the ticket.
    Accept,
    /// The recipient does not want it.
    Decline,
    /// The sender takes it back.
    Cancel,
    /// Its time is over.
    Expire,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TransferRole {
    /// Whose ticket it was.
    Sender,
    /// Whose it shall be.
    Recipient,
    /// The server, whose clock counts.
    Server,
}

/// What this wallet has asked for and has no answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, uniffi::Enum)]
pub enum TransferIntent {
    /// To be handed over; nothing was sent.
    Draft,
    /// The request to hand it over was sent; the answer is not known.
    Sending,
    /// To be taken back; nothing was sent.
    CancelQueued,
    /// The request to take it back was sent; the answer is not known.
    Cancelling,
}

/// Why a transfer does not take what is done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error, uniffi::Enum)]
pub enum TransferRefusal {
    /// The ticket is the recipient's already.
    #[error("the transfer was accepted")]
    Accepted,
    /// The recipient did not want it.
    #[error("the transfer was declined")]
    Declined,
    /// The sender took it back.
    #[error("the transfer was cancelled")]
    Cancelled,
    /// It was not accepted in time.
    #[error("the transfer has expired")]
    Expired,
    /// It is over; the system does not say how.
    #[error("the transfer has ended")]
    Ended,
    /// This is for the other side to do.
    #[error("this is for the other side of the transfer to do")]
    NotYours,
    /// Its time is not over yet.
    #[error("the transfer has not expired yet")]
    TooEarly,
    /// Where it stands is not known.
    #[error("where the transfer stands is not known")]
    UnknownState,
}

/// Where a transfer stands after somebody acts on it at `now`, Unix seconds; `closes_at` is
/// [`ends_at`](super::ends_at)'s, from which second on it has expired.
///
/// # Errors
/// [`TransferRefusal`] where this cannot be done with it.
pub fn transfer_step(
    state: &TransferState,
    (role, action): (TransferRole, TransferAction),
    now: i64,
    closes_at: Option<i64>,
) -> Result<TransferState, TransferRefusal> {
    match state {
        TransferState::Pending => {}
        TransferState::Accepted => return Err(TransferRefusal::Accepted),
        TransferState::Declined => return Err(TransferRefusal::Declined),
        TransferState::Cancelled => return Err(TransferRefusal::Cancelled),
        TransferState::Expired => return Err(TransferRefusal::Expired),
        TransferState::Ended => return Err(TransferRefusal::Ended),
        TransferState::Other { .. } => return Err(TransferRefusal::UnknownState),
    }
    let is_over = closes_at.is_some_and(|at| at <= now);
    let (whose, to) = match action {
        TransferAction::Accept => (TransferRole::Recipient, TransferState::Accepted),
        TransferAction::Decline => (TransferRole::Recipient, TransferState::Declined),
        TransferAction::Cancel => (TransferRole::Sender, TransferState::Cancelled),
        TransferAction::Expire => (TransferRole::Server, TransferState::Expired),
    };
    match action {
        _ if role != whose => Err(TransferRefusal::NotYours),
        TransferAction::Expire => is_over.then_some(to).ok_or(TransferRefusal::TooEarly),
        // Whoever takes back or declines what has just expired gets what they want.
        TransferAction::Accept if is_over => Err(TransferRefusal::Expired),
        _ => Ok(to),
    }
}
