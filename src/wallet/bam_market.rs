//! B.A.M's own secondary market, which counts where no market of the extension is served beside it: what a ticket may be sold
//! for is told by [`Wallet::resale_rules`]. Nothing here waits in the outbox: each write is kept before its first byte
//! leaves, and stands among [`Wallet::writes`] with what became of it.

use super::{Wallet, ticket_hash};
use crate::error::WalletError;
use crate::model::{LedgerSale, OfficeWrite, TicketHash};

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Offers a ticket on B.A.M's market, by a transaction of its ledger that the person's certificate signs. A lost answer
    /// is no error: the server is read, and a write of unknown outcome is looked up later with
    /// [`Wallet::look_up_write`]. The write's `answer_json` names the offer as `{"offer_id": …}`.
    ///
    /// # Errors
    /// [`WalletError::NotOffered`] for a ticket that cannot be sold; [`WalletError::InvalidInput`] naming `price`, `until`,
    /// or `ticket_id` for one that is on offer already; [`WalletError::NotFound`] before [`Wallet::enroll`];
    /// [`WalletError::KeyUnavailable`]; [`WalletError::Refused`], [`WalletError::Unreachable`] when surely nothing was
    /// done; [`WalletError::NeedsSignIn`], [`WalletError::Storage`].
    pub async fn mark_for_sale(
        &self,
        ticket_id: String,
        sale: LedgerSale,
    ) -> Result<OfficeWrite, WalletError> {
        let (id, account_id) = self.at_desk(&ticket_id)?;
        self.refuse_listed(id)?;
        let work = async { self.runner.desk(&account_id).await?.mark_for_sale(id, &sale).await };
        Ok(self.runner.online(work).await?)
    }

    /// Hands a ticket over at B.A.M, at once, to the one whose enrolment is named. Its barcode is given up here as soon as
    /// the ledger has taken it.
    ///
    /// # Errors
    /// As [`Wallet::mark_for_sale`], naming `recipient`.
    pub async fn transfer_on_ledger(
        &self,
        ticket_id: String,
        recipient: String,
    ) -> Result<OfficeWrite, WalletError> {
        let (id, account_id) = self.at_desk(&ticket_id)?;
        self.refuse_listed(id)?;
        let work = async { self.runner.desk(&account_id).await?.transfer_on_ledger(id, &recipient).await };
        Ok(self.runner.online(work).await?)
    }

    /// Takes an offer of a ticket at B.A.M back. A write that is rejected with `{"sold": true}` came too late.
    ///
    /// # Errors
    /// As [`Wallet::mark_for_sale`]; [`WalletError::Refused`] with 404 for an offer that is not there any more.
    pub async fn delete_offer(
        &self,
        ticket_id: String,
        offer_id: String,
    ) -> Result<OfficeWrite, WalletError> {
        let (id, account_id) = self.at_desk(&ticket_id)?;
        let work = async { self.runner.desk(&account_id).await?.delete_offer(id, &offer_id).await };
        Ok(self.runner.online(work).await?)
    }
}

impl Wallet {
    /// A ticket, and the account at whose desk it is dealt with.
    fn at_desk(&self, ticket_id: &str) -> Result<(TicketHash, String), WalletError> {
        let id = ticket_hash(ticket_id)?;
        Ok((id, self.store.ticket(id, 0)?.account_id))
    }
}
