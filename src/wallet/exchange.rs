//! Tickets handed over and ordered by section and number (TickeTing), and what became of it. These are sent now and wait in
//! no outbox: each is kept before its first byte leaves, and none is ever repeated by itself.

use super::Wallet;
use crate::error::WalletError;
use crate::model::{OfficeWrite, SectionCount, SectionOrderPage, SectionTransferPage};

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Hands tickets over by section and number (TickeTing): to the address of an account, `/accounts/…`, or to whoever a
    /// user name or an e-mail address identifies. The write's `answer_json` has the transfer as `{"transfers": [{"uri", …}]}`.
    /// A write of unknown outcome is no error: look it up later. What it may have left stands there as `{"candidates": […]}`.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming `tickets`, or `account_id` for another system's; [`WalletError::Refused`] with 404
    /// for nobody and with 400 for too few tickets; [`WalletError::NotFound`], [`WalletError::NeedsSignIn`],
    /// [`WalletError::Unreachable`] when surely nothing was sent, [`WalletError::Storage`].
    pub async fn start_transfer(
        &self,
        account_id: String,
        recipient: String,
        tickets: Vec<SectionCount>,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.start_transfer(&recipient, &tickets).await };
        Ok(self.runner.online(work).await?)
    }

    /// Takes what somebody hands over (TickeTing), named by the transfer's address; it is listed after the next sync. There
    /// is no way to decline it.
    ///
    /// # Errors
    /// As [`Wallet::start_transfer`]; [`WalletError::Refused`] with 403 for somebody else's, with 409 for one that is over.
    pub async fn claim_transfer(&self, account_id: String, uri: String) -> Result<OfficeWrite, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.claim_transfer(&uri).await };
        Ok(self.runner.online(work).await?)
    }

    /// Takes a transfer back (TickeTing), named by its address.
    ///
    /// # Errors
    /// As [`Wallet::claim_transfer`].
    pub async fn take_transfer_back(
        &self,
        account_id: String,
        uri: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.cancel_section_transfer(&uri).await };
        Ok(self.runner.online(work).await?)
    }

    /// One page, counted from 1, of the account's transfers (TickeTing): those to it, or those that it sent.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn section_transfers(
        &self,
        account_id: String,
        incoming: bool,
        page: u32,
    ) -> Result<SectionTransferPage, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.section_transfers(incoming, page).await };
        Ok(self.runner.online(work).await?)
    }

    /// Orders tickets by section and number (TickeTing); paying for them is no part of it. The write's `answer_json` has the
    /// order as `{"orders": [{"number", …}]}`.
    ///
    /// # Errors
    /// As [`Wallet::start_transfer`], naming `items`.
    pub async fn place_order(
        &self,
        account_id: String,
        items: Vec<SectionCount>,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.place_order(&items).await };
        Ok(self.runner.online(work).await?)
    }

    /// Cancels an order (TickeTing).
    ///
    /// # Errors
    /// As [`Wallet::start_transfer`]; [`WalletError::Refused`] with 409 for one that is cancelled or settled.
    pub async fn cancel_order(&self, account_id: String, number: String) -> Result<OfficeWrite, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.cancel_order(&number).await };
        Ok(self.runner.online(work).await?)
    }

    /// One page, counted from 1, of the account's orders (TickeTing).
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn section_orders(
        &self,
        account_id: String,
        page: u32,
    ) -> Result<SectionOrderPage, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.section_orders(page).await };
        Ok(self.runner.online(work).await?)
    }

    /// The writes of an account that waited in no outbox, with what became of them, the newest first, `limit` at most. Local.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn writes(&self, account_id: String, limit: u32) -> Result<Vec<OfficeWrite>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.office_writes(&account_id, limit)?)
    }

    /// Asks the server what became of such a write, whose answer was lost. One that has left no trace two minutes after it
    /// was sent is rejected; one of which nothing can be read stays unknown.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], as [`Wallet::start_transfer`].
    pub async fn look_up_write(&self, id: i64) -> Result<OfficeWrite, WalletError> {
        let account_id = self.store.office_write(id)?.account_id;
        let work = async { self.runner.desk(&account_id).await?.look_up(id).await };
        Ok(self.runner.online(work).await?)
    }

    /// Forgets such a write: the person has found out. Local.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn forget_write(&self, id: i64) -> Result<(), WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.forget_office_write(id)?)
    }
}
