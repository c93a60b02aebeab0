//! Tickets that others hand over (Unidy), and whether a brand has transfers at all.

use super::desk::Desk;
use crate::error::Error;
use crate::model::{IncomingTransfer, TransferAnswer, TransferState};
use crate::remote::unidy::{UnidyTransfer, UnidyTransfers};
use crate::store::Store;

/// The server's code for transfers that the brand has not switched on.
const SWITCHED_OFF: &str = "feature_disabled";

/// Keeps what a server's answer about transfers says of whether it has them.
pub(super) fn note_transfers<T>(
    store: &Store,
    account_id: &str,
    answer: &Result<T, Error>,
) -> Result<(), Error> {
    match answer {
        Ok(_) => store.note_transfers(account_id, true),
        Err(Error::Status { status, server_code, .. })
            if *status == 404 || server_code.as_deref() == Some(SWITCHED_OFF) =>
        {
            store.note_transfers(account_id, false)
        }
        Err(_) => Ok(()),
    }
}

impl Desk<'_> {
    /// Tickets that others hand over.
    ///
    /// # Errors
    /// [`Error::Input`] where the system has none, as [`crate::remote::Session::send`], [`Error::Status`],
    /// [`Error::Reply`], [`Error::Database`].
    pub async fn incoming_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        Ok(self.listed_transfers().await?.incoming.into_iter().map(incoming).collect())
    }

    /// The same, and those that are handed over by the extension.
    ///
    /// # Errors
    /// As [`Desk::incoming_transfers`].
    pub async fn all_incoming_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        let mut found = self.extension_transfers().await?;
        if found.is_empty() || self.system.unidy().is_some() {
            found.extend(self.incoming_transfers().await?);
        }
        Ok(found)
    }

    /// Accepts or declines a ticket that somebody hands over. The list tells first of which ticket the offer is, so that a
    /// lost answer can be read back; it is never repeated.
    ///
    /// # Errors
    /// As [`Desk::incoming_transfers`]. A lost answer is no error.
    pub async fn answer_transfer(&self, token: &str, accept: bool) -> Result<TransferAnswer, Error> {
        let unidy = self.unidy()?;
        let offered = self.listed_transfers().await.ok();
        let offer = offered.and_then(|found| found.incoming.into_iter().find(|one| *one.token == token));
        let ticket_id = offer.and_then(|offer| offer.ticket).map(|ticket| ticket.id);
        let answer = if accept {
            unidy.accept_transfer(&self.session, token).await
        } else {
            unidy.decline_transfer(&self.session, token).await
        };
        let asked = if accept { TransferAnswer::Accepted } else { TransferAnswer::Declined };
        match answer {
            Ok(transfer) if transfer.status == TransferState::Pending => Ok(TransferAnswer::Unknown),
            Ok(transfer) => Ok(told(&transfer.status).unwrap_or(asked)),
            Err(error) if error.is_uncertain() => Ok(self.read_answer(token, ticket_id.as_deref()).await),
            Err(error) => Err(error),
        }
    }

    /// What became of an offer. One that is still open may be answered any moment, by the request whose answer was lost.
    async fn read_answer(&self, token: &str, ticket_id: Option<&str>) -> TransferAnswer {
        let Ok(found) = self.listed_transfers().await else { return TransferAnswer::Unknown };
        if let Some(offer) = found.incoming.into_iter().find(|one| *one.token == token) {
            return told(&offer.status).unwrap_or(TransferAnswer::Unknown);
        }
        let (Ok(unidy), Some(id)) = (self.unidy(), ticket_id) else { return TransferAnswer::Unknown };
        match unidy.is_gone(&self.session, id).await {
            Ok(Some(false)) => TransferAnswer::Accepted,
            Ok(Some(true)) => TransferAnswer::Over,
            Ok(None) | Err(_) => TransferAnswer::Unknown,
        }
    }

    async fn listed_transfers(&self) -> Result<UnidyTransfers, Error> {
        let found = self.unidy()?.transfers(&self.session).await;
        note_transfers(self.store(), &self.account.id, &found)?;
        found
    }
}

/// What a transfer's state tells of its answer; `None` where it is none that ends it, or not known here.
fn told(state: &TransferState) -> Option<TransferAnswer> {
    match state {
        TransferState::Accepted => Some(TransferAnswer::Accepted),
        TransferState::Declined => Some(TransferAnswer::Declined),
        TransferState::Cancelled | TransferState::Expired => Some(TransferAnswer::Over),
        _ => None,
    }
}

fn incoming(transfer: UnidyTransfer) -> IncomingTransfer {
    IncomingTransfer {
        token: transfer.token.to_string(),
        sender: transfer.sender_email,
        title: transfer.ticket.and_then(|ticket| ticket.title),
        state: transfer.status,
        expires_at: transfer.expires_at,
    }
}
