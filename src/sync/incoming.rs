//! Tickets that others hand over by their system itself (Unidy, TickeTing), and whether a brand has transfers at all.

use serde_json::{Value, json};

use super::desk::Desk;
use crate::error::Error;
use crate::model::{
    IncomingTransfer, OfficeWriteKind, OfficeWriteState, TransferAnswer, TransferState, UnidyApi,
};
use crate::remote::unidy::{UnidyTransfer, UnidyTransfers};
use crate::resale::{MarketAction, NotOfferedReason, is_offered};
use crate::store::Store;

/// The server's code for transfers that the brand has not switched on.
const SWITCHED_OFF: &str = "feature_disabled";
/// So many pages of transfers are looked through for those that wait.
const MAX_PAGES: u32 = 50;

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
    /// Refuses what the account's system has no way to do by itself.
    ///
    /// # Errors
    /// [`Error::NotOffered`].
    pub(super) fn can(&self, action: MarketAction) -> Result<(), Error> {
        if self.system.unidy().is_some_and(|unidy| unidy.api() == UnidyApi::Partner) {
            return Err(Error::NotOffered(NotOfferedReason::NoTransfer));
        }
        is_offered(self.account.system, false, action).map_err(Error::NotOffered)
    }

    /// Tickets that others hand over: with TickeTing those to be claimed, each named by its address.
    ///
    /// # Errors
    /// [`Error::NotOffered`] where the system has none, as [`crate::remote::Session::send`], [`Error::Status`],
    /// [`Error::Reply`], [`Error::Database`].
    pub async fn incoming_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        self.can(MarketAction::Accept)?;
        if self.system.ticketing().is_some() {
            return self.claimable_transfers().await;
        }
        Ok(self.listed_transfers().await?.incoming.into_iter().map(incoming).collect())
    }

    /// The same, and those that are handed over by the extension.
    ///
    /// # Errors
    /// As [`Desk::incoming_transfers`].
    pub async fn all_incoming_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        let mut found = self.extension_transfers().await?;
        match self.incoming_transfers().await {
            // What takes effect at once waits for nobody.
            Err(Error::NotOffered(NotOfferedReason::AtOnce)) => {}
            Err(Error::NotOffered(_)) if !found.is_empty() => {}
            own => found.extend(own?),
        }
        Ok(found)
    }

    /// Accepts or declines a ticket that somebody hands over. That it was begun is kept before the first byte. The list tells
    /// first of which ticket the offer is, so that a lost answer can be read back; it is never repeated.
    ///
    /// # Errors
    /// As [`Desk::incoming_transfers`]; [`Error::NotOffered`] where there is nothing to accept or to decline. A lost answer
    /// is no error.
    pub async fn answer_transfer(&self, token: &str, accept: bool) -> Result<TransferAnswer, Error> {
        self.can(if accept { MarketAction::Accept } else { MarketAction::Decline })?;
        if self.system.ticketing().is_some() {
            return Ok(match self.claim_transfer(token).await?.state {
                OfficeWriteState::Done => TransferAnswer::Accepted,
                OfficeWriteState::Rejected => TransferAnswer::Over,
                OfficeWriteState::Sent | OfficeWriteState::Unknown => TransferAnswer::Unknown,
            });
        }
        let unidy = self.unidy()?;
        let offered = self.listed_transfers().await.ok();
        let offer = offered.and_then(|found| found.incoming.into_iter().find(|one| *one.token == token));
        let ticket_id = offer.and_then(|offer| offer.ticket).map(|ticket| ticket.id);
        let kind = if accept { OfficeWriteKind::AcceptTransfer } else { OfficeWriteKind::DeclineTransfer };
        let id = self.begin(kind, &json!({ "token": token, "ticket_id": ticket_id }))?;
        let answer = if accept {
            unidy.accept_transfer(&self.session, token).await
        } else {
            unidy.decline_transfer(&self.session, token).await
        };
        let asked = if accept { TransferAnswer::Accepted } else { TransferAnswer::Declined };
        let answer = match answer {
            Ok(transfer) if transfer.status == TransferState::Pending => TransferAnswer::Unknown,
            Ok(transfer) => told(&transfer.status).unwrap_or(asked),
            Err(error) if error.is_uncertain() => self.read_answer(token, ticket_id.as_deref()).await,
            Err(error) => {
                self.keep(id, OfficeWriteState::Rejected, None)?;
                return Err(error);
            }
        };
        self.keep(id, state_of(answer, asked), None)?;
        Ok(answer)
    }

    /// What became of an answer that was lost.
    pub(super) async fn read_back_answer(&self, asked: &Value, accept: bool) -> OfficeWriteState {
        let token = asked["token"].as_str().unwrap_or_default();
        let wanted = if accept { TransferAnswer::Accepted } else { TransferAnswer::Declined };
        state_of(self.read_answer(token, asked["ticket_id"].as_str()).await, wanted)
    }

    /// TickeTing's transfers to the account that are to be claimed.
    async fn claimable_transfers(&self) -> Result<Vec<IncomingTransfer>, Error> {
        let (mut found, mut page) = (Vec::new(), 1);
        loop {
            let listed = self.section_transfers(true, page).await?;
            let pending = listed.transfers.into_iter().filter(|one| one.state == TransferState::Pending);
            found.extend(pending.map(|one| IncomingTransfer {
                token: one.uri,
                sender: one.sender,
                title: None,
                state: one.state,
                expires_at: None,
            }));
            if !listed.more || page >= MAX_PAGES {
                return Ok(found);
            }
            page += 1;
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

/// Where the write of an answer stands that came to this.
fn state_of(answer: TransferAnswer, wanted: TransferAnswer) -> OfficeWriteState {
    match answer {
        TransferAnswer::Unknown => OfficeWriteState::Unknown,
        answer if answer == wanted => OfficeWriteState::Done,
        // Whoever declines has what they want, whoever ended it.
        TransferAnswer::Over if wanted == TransferAnswer::Declined => OfficeWriteState::Done,
        _ => OfficeWriteState::Rejected,
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
