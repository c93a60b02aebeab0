//! What needs the network now: signing in through the browser or by a code, files, orders, offers, certificates, and
//! tickets that others hand over.

use super::{Wallet, ticket_hash};
use crate::error::WalletError;
use crate::model::{
    Account, BrowserSignIn, Capability, Certificate, CodeSignIn, Document, HolderForm, IncomingTransfer,
    MailRequest, Offer, OfficePage, Order, ServerTicketPage, ServerTicketQuery, SystemConfig, TransferAnswer,
    UnidyTicketQuery,
};
use crate::sync::SignedIn;

#[uniffi::export(async_runtime = "tokio")]
impl Wallet {
    /// Begins a sign-in in the person's browser (Unidy, OAuth 2.0): open the address, and hand the one that the person is
    /// sent back to over to [`Wallet::complete_sign_in`], within an hour. It outlives the app's end.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field of the configuration, [`WalletError::Unreachable`],
    /// [`WalletError::Refused`], [`WalletError::Storage`].
    pub async fn begin_sign_in(&self, config: SystemConfig) -> Result<BrowserSignIn, WalletError> {
        Ok(self.runner.begin_sign_in(config).await?)
    }

    /// Takes the address that the person was sent back to, checks that it answers a sign-in that was begun here, and keeps
    /// the account.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming `redirect` for an address that answers none, [`WalletError::Cancelled`] when the
    /// person said no, [`WalletError::Refused`], [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn complete_sign_in(&self, redirect: String) -> Result<SignedIn, WalletError> {
        let signed_in = self.runner.complete_sign_in(&redirect).await?;
        self.wake();
        Ok(signed_in)
    }

    /// Has a code sent to the person by e-mail, in place of a password (Unidy).
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::Refused`], [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn request_code(
        &self,
        config: SystemConfig,
        user_name: String,
    ) -> Result<CodeSignIn, WalletError> {
        Ok(self.runner.request_code(config, user_name).await?)
    }

    /// Signs in with the code that came by e-mail, and keeps the account.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] for a sign-in that was not begun here, [`WalletError::Refused`] for a wrong code,
    /// [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn sign_in_with_code(&self, id: String, code: String) -> Result<Account, WalletError> {
        let account = self.runner.sign_in_with_code(&id, &code).await?;
        self.wake();
        Ok(account)
    }

    /// What can be done with an account.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Storage`].
    pub fn capabilities(&self, account_id: String) -> Result<Vec<Capability>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.runner.capabilities(&account_id)?)
    }

    /// Fetches a ticket as files, as its system offers them (Unidy: PDF and pkpass), and keeps them.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::NotFound`], [`WalletError::Refused`], [`WalletError::Unreachable`],
    /// [`WalletError::NeedsSignIn`], [`WalletError::Storage`].
    pub async fn fetch_documents(&self, ticket_id: String) -> Result<Vec<Document>, WalletError> {
        let id = ticket_hash(&ticket_id)?;
        let account_id = self.store.ticket(id, 0)?.account_id;
        let work = async { self.runner.desk(&account_id).await?.fetch_documents(id).await };
        Ok(self.runner.online(work).await?)
    }

    /// The files that are kept of an account, or of one subject: `ticket/` and its id, `order/` and its id. Local.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn documents(
        &self,
        account_id: String,
        subject: Option<String>,
    ) -> Result<Vec<Document>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.documents(&account_id, subject.as_deref())?)
    }

    /// A file that is kept. Local.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Storage`].
    pub fn document(&self, id: i64) -> Result<Vec<u8>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.document_bytes(id)?)
    }

    /// The account's orders (B.A.M), of one tenant or of the configuration's own.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn orders(
        &self,
        account_id: String,
        tenant: Option<String>,
    ) -> Result<Vec<Order>, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.orders(tenant.as_deref()).await };
        Ok(self.runner.online(work).await?)
    }

    /// Fetches an order's tickets as a file (B.A.M) and keeps it.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn fetch_order_document(
        &self,
        account_id: String,
        tenant: Option<String>,
        order_id: String,
    ) -> Result<Document, WalletError> {
        let work =
            async { self.runner.desk(&account_id).await?.fetch_order(tenant.as_deref(), &order_id).await };
        Ok(self.runner.online(work).await?)
    }

    /// Has an order's tickets sent by e-mail once more (B.A.M). A lost answer is no error but an unknown outcome.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn email_order(
        &self,
        account_id: String,
        tenant: Option<String>,
        order_id: String,
    ) -> Result<MailRequest, WalletError> {
        let work =
            async { self.runner.desk(&account_id).await?.email_order(tenant.as_deref(), &order_id).await };
        Ok(self.runner.online(work).await?)
    }

    /// The account's own offers on the secondary market (B.A.M).
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn own_offers(
        &self,
        account_id: String,
        tenant: Option<String>,
    ) -> Result<Vec<Offer>, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.own_offers(tenant.as_deref()).await };
        Ok(self.runner.online(work).await?)
    }

    /// The questions to a ticket's holder with the answers so far (B.A.M); `None` where there are none.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn holder_questions(&self, ticket_id: String) -> Result<Option<HolderForm>, WalletError> {
        let id = ticket_hash(&ticket_id)?;
        let account_id = self.store.ticket(id, 0)?.account_id;
        let work = async { self.runner.desk(&account_id).await?.holder_questions(id).await };
        Ok(self.runner.online(work).await?)
    }

    /// A ticket's record by its id on the ledger (B.A.M), as JSON.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn ticket_by_ledger_id(
        &self,
        account_id: String,
        tenant: Option<String>,
        ledger_id: String,
    ) -> Result<String, WalletError> {
        let work =
            async { self.runner.desk(&account_id).await?.by_ledger_id(tenant.as_deref(), &ledger_id).await };
        Ok(self.runner.online(work).await?)
    }

    /// Tickets as the server lists them now (B.A.M), with the documented parameters of its lists; nothing of it is kept.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`]; [`WalletError::InvalidInput`] naming `with`.
    pub async fn server_tickets(
        &self,
        account_id: String,
        query: ServerTicketQuery,
    ) -> Result<ServerTicketPage, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.listed_tickets(&query).await };
        Ok(self.runner.online(work).await?)
    }

    /// One order (B.A.M), of one tenant or of the configuration's own.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn order(
        &self,
        account_id: String,
        tenant: Option<String>,
        order_id: String,
    ) -> Result<Order, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.order(tenant.as_deref(), &order_id).await };
        Ok(self.runner.online(work).await?)
    }

    /// Whether the server says that the person's certificate should be renewed (B.A.M), which [`Wallet::enroll`] does;
    /// `None` where it does not say.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn certificate_is_due(&self, account_id: String) -> Result<Option<bool>, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.certificate_is_due().await };
        Ok(self.runner.online(work).await?)
    }

    /// Gets the person a certificate (B.A.M), or a new one in place of the one that is held. The private key that comes
    /// with it is sealed by the key vault and kept. Call it again after a lost answer: the certificate that may have been
    /// made is then renewed, and another one made only where there is none, two minutes later at the earliest.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`]; [`WalletError::KeyUnavailable`].
    pub async fn enroll(&self, account_id: String) -> Result<Certificate, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.enroll().await };
        Ok(self.runner.online(work).await?)
    }

    /// The person's certificate, where one is held. Local.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn certificate(&self, account_id: String) -> Result<Option<Certificate>, WalletError> {
        let _work = self.runner.activity().begin()?;
        let held = self.store.enrollment(&account_id)?;
        Ok(held
            .map(|held| Certificate { enrollment_id: held.enrollment_id, certificate_pem: held.certificate }))
    }

    /// Tickets that others hand over to the account: by Unidy, or by the extension of the tenants of which it has tickets and
    /// of the configuration's own.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn incoming_transfers(&self, account_id: String) -> Result<Vec<IncomingTransfer>, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.all_incoming_transfers().await };
        Ok(self.runner.online(work).await?)
    }

    /// One page of those of the account's tickets that the query asks for, as the server has them now and in its order
    /// (Unidy): the first, of 25, where it does not say. Nothing of it is kept; `tickets` has what the last sync brought.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`].
    pub async fn unidy_tickets(
        &self,
        account_id: String,
        query: UnidyTicketQuery,
    ) -> Result<OfficePage, WalletError> {
        let work = async { self.runner.desk(&account_id).await?.unidy_tickets(&query).await };
        Ok(self.runner.online(work).await?)
    }

    /// Accepts a ticket that somebody hands over. Needs the network. By the extension it is bound to this device at once, and
    /// kept before its first byte leaves: a lost answer is found out by the wallet itself. With Unidy it is listed after the
    /// next sync, and what the server holds after a lost answer is told.
    ///
    /// # Errors
    /// As [`Wallet::fetch_documents`]; the server's refusals with their code: `transfer_expired`, `recipient_mismatch`, …
    pub async fn accept_transfer(
        &self,
        account_id: String,
        token: String,
    ) -> Result<TransferAnswer, WalletError> {
        self.answer_offer(&account_id, &token, true).await
    }

    /// Declines a ticket that somebody hands over.
    ///
    /// # Errors
    /// As [`Wallet::accept_transfer`].
    pub async fn decline_transfer(
        &self,
        account_id: String,
        token: String,
    ) -> Result<TransferAnswer, WalletError> {
        self.answer_offer(&account_id, &token, false).await
    }
}

impl Wallet {
    async fn answer_offer(
        &self,
        account_id: &str,
        token: &str,
        accept: bool,
    ) -> Result<TransferAnswer, WalletError> {
        let work = async {
            let desk = self.runner.desk(account_id).await?;
            let Some(answer) = desk.answer_to(token, accept).await? else {
                return desk.answer_transfer(token, accept).await;
            };
            // What is sent then takes its own turn.
            drop(desk);
            self.runner.answer(answer).await
        };
        let answered = self.runner.online(work).await?;
        self.wake();
        Ok(answered)
    }
}
