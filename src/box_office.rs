//! The box office: the facade for organisers.

mod catalogue;
mod ticketing;

use std::sync::Arc;

use crate::config::Config;
use crate::error::WalletError;
use crate::host::{HostClock, HttpTransport, KeyVault};
use crate::model::{
    Account, GroupOrder, OfficePage, OfficeTicket, OfficeWrite, Reservation, SignIn, TicketStatus,
    UnidyTicketQuery,
};
use crate::remote::RetryPolicy;
use crate::sync::{Core, TicketIds};

/// How long to wait between two looks at tickets that are being issued.
const POLL_MS: u64 = 2_000;

/// An organiser's place of work. Every write is kept in an encrypted store before it is sent, with what became of it: none
/// is repeated by itself, for no ticketing system tells a repetition from a second order.
#[derive(uniffi::Object)]
pub struct BoxOffice {
    core: Core,
}

opaque_debug!(BoxOffice);

#[uniffi::export(async_runtime = "tokio")]
impl BoxOffice {
    /// Opens the box office's store, or makes it where nothing is; a folder of its own, not a wallet's. The rest is as with
    /// a wallet.
    ///
    /// # Errors
    /// [`WalletError::KeyUnavailable`], [`WalletError::NeedsRecovery`], [`WalletError::InUse`], [`WalletError::Storage`].
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        vault: Arc<dyn KeyVault>,
        clock: Option<Arc<dyn HostClock>>,
        transport: Option<Arc<dyn HttpTransport>>,
    ) -> Result<Self, WalletError> {
        Ok(Self { core: Core::open(&config, vault, clock, transport)? })
    }

    /// The accounts of this box office.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn accounts(&self) -> Result<Vec<Account>, WalletError> {
        Ok(self.core.store.accounts()?.into_iter().map(Account::from).collect())
    }

    /// Signs in and keeps the account: with B.A.M as an organiser, with Unidy by a server's id and secret, with
    /// TickeTing as a host or by a key.
    /// TEXPO as a network's manager.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::Refused`], [`WalletError::Unreachable`], [`WalletError::Storage`].
    pub async fn sign_in(&self, sign_in: SignIn) -> Result<Account, WalletError> {
        Ok(self.core.runner.sign_in(sign_in).await?)
    }

    /// Removes an account, and what is kept of its writes.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Storage`].
    pub async fn sign_out(&self, account_id: String) -> Result<(), WalletError> {
        Ok(self.core.runner.sign_out(&account_id, true).await?)
    }

    /// Reserves tickets for a user (B.A.M): the write's `answer_json` has them as `{"tickets": [{"id", "status", …}]}`.
    /// A write of unknown outcome is no error: look it up later, or free what it reserved.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`] naming the field, [`WalletError::Refused`] when the server refuses,
    /// [`WalletError::NeedsSignIn`], [`WalletError::Unreachable`] when surely nothing was sent, [`WalletError::Storage`].
    pub async fn reserve(&self, account_id: String, order: Reservation) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.reserve(&order).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Frees reserved tickets (B.A.M), so that they can be reserved or bought again.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn free(
        &self,
        account_id: String,
        tenant: Option<String>,
        ticket_ids: Vec<String>,
    ) -> Result<OfficeWrite, WalletError> {
        let tickets = TicketIds { tenant: tenant.as_deref(), ids: &ticket_ids };
        let work = async { self.core.runner.desk(&account_id).await?.free(tickets).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Issues reserved tickets (B.A.M); it cannot be undone. The ledger comes first:
    /// [`BoxOffice::wait_until_issued`] tells when they are the owner's.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn issue(
        &self,
        account_id: String,
        tenant: Option<String>,
        ticket_ids: Vec<String>,
    ) -> Result<OfficeWrite, WalletError> {
        let tickets = TicketIds { tenant: tenant.as_deref(), ids: &ticket_ids };
        let work = async { self.core.runner.desk(&account_id).await?.issue(tickets).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Looks at tickets until each is issued or on no way there, or so many seconds have passed; gives how they stand.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn wait_until_issued(
        &self,
        account_id: String,
        tenant: Option<String>,
        ticket_ids: Vec<String>,
        for_s: u32,
    ) -> Result<Vec<OfficeTicket>, WalletError> {
        let tickets = TicketIds { tenant: tenant.as_deref(), ids: &ticket_ids };
        let begun = self.core.time.elapsed_ms();
        let on_its_way =
            |one: &OfficeTicket| matches!(one.status, TicketStatus::Reserved | TicketStatus::Confirmed);
        let work = async {
            loop {
                // The desk is free between two looks.
                let found = self.core.runner.desk(&account_id).await?.ticket_states(tickets).await?;
                let passed_ms = begun.zip(self.core.time.elapsed_ms()).map(|(begun, now)| now - begun);
                let over = passed_ms.is_none_or(|passed_ms| passed_ms >= i64::from(for_s) * 1000);
                if over || !found.iter().any(on_its_way) {
                    return Ok(found);
                }
                self.core.runner.wait(POLL_MS).await;
            }
        };
        Ok(self.core.runner.online(work).await?)
    }

    /// How tickets stand at the server (B.A.M), in the order of their ids.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn ticket_states(
        &self,
        account_id: String,
        tenant: Option<String>,
        ticket_ids: Vec<String>,
    ) -> Result<Vec<OfficeTicket>, WalletError> {
        let tickets = TicketIds { tenant: tenant.as_deref(), ids: &ticket_ids };
        let work = async { self.core.runner.desk(&account_id).await?.ticket_states(tickets).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// The reserved tickets of an event (B.A.M), where the server lists them to its organiser.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn reserved(
        &self,
        account_id: String,
        tenant: Option<String>,
        event_id: i64,
    ) -> Result<Vec<OfficeTicket>, WalletError> {
        let work =
            async { self.core.runner.desk(&account_id).await?.reserved(tenant.as_deref(), event_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Sends tickets to e-mail addresses (B.A.M); it cannot be undone.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn send_group(
        &self,
        account_id: String,
        order: GroupOrder,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.send_group(&order).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Makes a ticket (Unidy's partner API) out of a JSON object of its fields; the system gives it its id.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn create_ticket(
        &self,
        account_id: String,
        fields_json: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.create_ticket(&fields_json).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Changes those fields of a ticket that the JSON object names (Unidy's partner API).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn update_ticket(
        &self,
        account_id: String,
        ticket_id: String,
        fields_json: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work =
            async { self.core.runner.desk(&account_id).await?.update_ticket(&ticket_id, &fields_json).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Deletes a ticket (Unidy's partner API); it cannot be undone.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn delete_ticket(
        &self,
        account_id: String,
        ticket_id: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.delete_ticket(&ticket_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One page of a partner's tickets (Unidy), counted from 1: 25 on each.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn partner_tickets(&self, account_id: String, page: u32) -> Result<OfficePage, WalletError> {
        let query = UnidyTicketQuery { page: Some(page), ..UnidyTicketQuery::default() };
        self.find_partner_tickets(account_id, query).await
    }

    /// One page of those of a partner's tickets (Unidy) that the query asks for, in its order: the first, of 25, where it
    /// does not say.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn find_partner_tickets(
        &self,
        account_id: String,
        query: UnidyTicketQuery,
    ) -> Result<OfficePage, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.unidy_tickets(&query).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One of a partner's tickets (Unidy).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn partner_ticket(
        &self,
        account_id: String,
        ticket_id: String,
    ) -> Result<OfficeTicket, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.partner_ticket(&ticket_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// A partner's ticket categories (Unidy), each as the system's JSON.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn categories(&self, account_id: String) -> Result<Vec<String>, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.categories().await };
        Ok(self.core.runner.online(work).await?)
    }

    /// The addresses of a brand's own pages (Unidy): the person's tickets, the organiser's desk, the API's description.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::NotFound`], [`WalletError::NeedsSignIn`], [`WalletError::Storage`].
    pub async fn pages(&self, account_id: String) -> Result<Vec<String>, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.pages() };
        Ok(self.core.runner.online(work).await?)
    }

    /// The writes of an account with what became of them, the newest first, `limit` at most. Those that were under way when
    /// the process ended stand there as sent.
    ///
    /// # Errors
    /// [`WalletError::Storage`].
    pub fn writes(&self, account_id: String, limit: u32) -> Result<Vec<OfficeWrite>, WalletError> {
        Ok(self.core.store.office_writes(&account_id, limit)?)
    }

    /// Asks the server what became of a write whose answer was lost. One that has left no trace two minutes after it was
    /// sent is rejected; one of which nothing can be read stays unknown.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], as [`BoxOffice::reserve`].
    pub async fn look_up_write(&self, id: i64) -> Result<OfficeWrite, WalletError> {
        let account_id = self.core.store.office_write(id)?.account_id;
        let work = async { self.core.runner.desk(&account_id).await?.look_up(id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Forgets a write: the organiser has found out.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::Storage`].
    pub fn forget_write(&self, id: i64) -> Result<(), WalletError> {
        Ok(self.core.store.forget_office_write(id)?)
    }
}

impl BoxOffice {
    /// Changes how requests are repeated, from the next one on.
    pub fn set_retry_policy(&self, policy: RetryPolicy) {
        self.core.runner.set_retry_policy(policy);
    }
}
