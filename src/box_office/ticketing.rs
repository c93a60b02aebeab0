//! TickeTing's part of the box office: admission tokens for an event's staff, and admissions.

use super::BoxOffice;
use crate::error::WalletError;
use crate::model::{
    AdmissionOrder, AdmissionPage, AdmissionQuery, AdmissionToken, GateAccess, OfficePage, OfficeWrite,
    TokenPage, TokenQuery,
};

#[uniffi::export(async_runtime = "tokio")]
impl BoxOffice {
    /// Issues `count` admission tokens for an event's sections (TickeTing), each its own write, whose `answer_json` has the
    /// token as `{"tokens": [{"id", "uri", "code", "global", "sections"}]}`. It stops at the first that is not carried out: the
    /// last write then says what became of it. Sections are named by address or id. Nothing tells whose a token is: after a lost
    /// answer the write stays unknown while there are new tokens that it may have issued, `{"candidates": [{"id", …}]}`; delete
    /// the one that nobody needs, or forget the write.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`], when already the first is not accepted.
    pub async fn issue_tokens(
        &self,
        account_id: String,
        event_id: String,
        sections: Vec<String>,
        count: u32,
    ) -> Result<Vec<OfficeWrite>, WalletError> {
        let work = async {
            self.core.runner.desk(&account_id).await?.issue_tokens(&event_id, &sections, count).await
        };
        Ok(self.core.runner.online(work).await?)
    }

    /// Makes an admission token good for just these sections (TickeTing).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn update_token(
        &self,
        account_id: String,
        event_id: String,
        token_id: String,
        sections: Vec<String>,
    ) -> Result<OfficeWrite, WalletError> {
        let work = async {
            self.core.runner.desk(&account_id).await?.update_token(&event_id, &token_id, &sections).await
        };
        Ok(self.core.runner.online(work).await?)
    }

    /// Deletes an admission token (TickeTing); it cannot be undone.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn delete_token(
        &self,
        account_id: String,
        event_id: String,
        token_id: String,
    ) -> Result<OfficeWrite, WalletError> {
        let work =
            async { self.core.runner.desk(&account_id).await?.delete_token(&event_id, &token_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One page of an event's admission tokens (TickeTing).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn tokens(
        &self,
        account_id: String,
        event_id: String,
        query: TokenQuery,
    ) -> Result<TokenPage, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.tokens(&event_id, &query).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One admission token (TickeTing).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn token(
        &self,
        account_id: String,
        event_id: String,
        token_id: String,
    ) -> Result<AdmissionToken, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.token(&event_id, &token_id).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// What an admission token's code lets its bearer in to (TickeTing): sign in with the key there as an integration key to
    /// redeem tickets.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn look_up_code(&self, account_id: String, code: String) -> Result<GateAccess, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.look_up_code(&code).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// Redeems tickets at an entrance (TickeTing): the write's `answer_json` has those that were admitted and the serials of
    /// the others, `{"admissions": [{"uri", "ticket", "section", "admitted_at"}], "refused": […]}`. When none was admitted it is a
    /// refusal.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn admit(&self, account_id: String, order: AdmissionOrder) -> Result<OfficeWrite, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.admit(&order).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One page of an event's admissions (TickeTing).
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn admissions(
        &self,
        account_id: String,
        event_id: String,
        query: AdmissionQuery,
    ) -> Result<AdmissionPage, WalletError> {
        let work = async { self.core.runner.desk(&account_id).await?.admissions(&event_id, &query).await };
        Ok(self.core.runner.online(work).await?)
    }

    /// One page, counted from 1, of the tickets for an event (TickeTing): with `modified_since`, Unix seconds, only those
    /// whose status has changed after it.
    ///
    /// # Errors
    /// As [`BoxOffice::reserve`].
    pub async fn event_tickets(
        &self,
        account_id: String,
        event_id: String,
        modified_since: Option<i64>,
        page: u32,
    ) -> Result<OfficePage, WalletError> {
        let work = async {
            self.core.runner.desk(&account_id).await?.event_tickets(&event_id, modified_since, page).await
        };
        Ok(self.core.runner.online(work).await?)
    }
}
