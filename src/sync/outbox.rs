//! Sending what waits in the outbox: in order for each ticket, each write to its outcome. What is known of a write is
//! committed before its first byte leaves; a write whose answer was lost is looked up, or repeated with its key, before
//! anything else happens to its ticket.

use std::collections::HashSet;

use serde_json::Value;

use super::engine::{Run, SyncStage};
use crate::barcode::{Purpose, statement_message};
use crate::device::{ask, new_id, sign};
use crate::error::Error;
use crate::host::KeyVaultError;
use crate::model::{RejectionReason, Statement, Write, WriteState};
use crate::remote::extension::{BindItem, Extension, WireTransfer};
use crate::store::{Binding, OutboxRow, Settled, StoredTransfer};

/// Servers take a statement for 300 s; one that is older than this is made anew.
const STATEMENT_LIFE_S: i64 = 240;

/// What an attempt led to; a write that is not among the outcomes stays as it is.
pub(super) type Outcomes = Vec<(OutboxRow, Settled)>;

impl Run<'_> {
    /// Sends what is due. A write that fails for now keeps only those about the same ticket from their turn.
    ///
    /// # Errors
    /// [`Error::SignedOut`], [`Error::Database`], [`Error::Paused`]; failures of servers and of the vault are kept in
    /// `self.failure`.
    pub(super) async fn send_outbox(&mut self) -> Result<(), Error> {
        let now = self.engine.time.now()?;
        if now.uncertainty.confirmed {
            self.engine.store.age_outbox(now.unix_s())?;
        }
        let mut tried = HashSet::new();
        while let Some(rows) = self.next_request(&mut tried)? {
            match self.attempt(rows.clone()).await {
                Ok(outcomes) => self.settle(outcomes)?,
                Err(error) => self.failed(&rows, error)?,
            }
        }
        Ok(())
    }

    /// The first write that is due and was not tried in this round, with those that share its request.
    fn next_request(&self, tried: &mut HashSet<i64>) -> Result<Option<Vec<OutboxRow>>, Error> {
        let mut due = self.engine.store.sendable(&self.account.id)?;
        due.retain(|row| !tried.contains(&row.id));
        let first = due.iter().find(|row| self.engine.pace.is_due(row.id));
        let Some(key) = first.map(|row| row.new.key.clone()) else { return Ok(None) };
        due.retain(|row| row.new.key == key);
        tried.extend(due.iter().map(|row| row.id));
        Ok(Some(due))
    }

    pub(super) async fn attempt(&mut self, mut rows: Vec<OutboxRow>) -> Result<Outcomes, Error> {
        match rows.first().map(|row| &row.new.write) {
            Some(Write::Bind { take_over: false, .. }) => self.send_binds(rows).await,
            Some(Write::Renew { .. }) => self.send_renewals(rows).await,
            Some(write) if write.is_awaited() => {
                let Some(row) = rows.pop() else { return Ok(Vec::new()) };
                Ok(self.send_acquisition(row).await?.into_iter().collect())
            }
            _ => {
                let Some(row) = rows.pop() else { return Ok(Vec::new()) };
                // A ticket that is not listed (yet) has no address to send to.
                let binding = match self.engine.store.binding_of(row.new.subject) {
                    Err(Error::NotFound { .. }) => return Ok(Vec::new()),
                    binding => binding?,
                };
                Ok(self.send_one(row, &binding).await?.into_iter().collect())
            }
        }
    }

    async fn send_one(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
    ) -> Result<Option<(OutboxRow, Settled)>, Error> {
        if let Some(unidy) = self.system.unidy() {
            match row.new.write.clone() {
                Write::CreateTransfer { .. } => return self.send_handover(row, binding, unidy).await,
                Write::CancelTransfer { transfer_id } => {
                    return self.send_take_back(row, binding, unidy, &transfer_id).await;
                }
                _ => {}
            }
        }
        let outcome = match row.new.write.clone() {
            Write::SaveTicketHolder { response, expected } => {
                return self.send_holder(row, binding, &response, expected.as_ref()).await;
            }
            Write::Surrender { .. } | Write::CreateTransfer { .. } => {
                return self.send_surrender(row, binding).await;
            }
            Write::CancelTransfer { transfer_id } => {
                let Some(extension) = self.served(binding).await? else { return Ok(None) };
                if !self.begin(&mut row)? {
                    return Ok(None);
                }
                let (http, key) = (self.system.http(), &row.new.key);
                let cancelled =
                    extension.cancel_transfer(http, &self.session, &self.system, key, &transfer_id).await?;
                Settled::TransferEnded(transfer_id, cancelled.state)
            }
            Write::Bind { handle, .. } => {
                let Some(extension) = self.served(binding).await? else { return Ok(None) };
                let key = self.create_keys(vec![handle]).await?.pop();
                let key = key.ok_or(Error::Untrusted { what: "the key vault made no key" })?;
                if !self.begin(&mut row)? {
                    return Ok(None);
                }
                let item = BindItem { ticket_id: &binding.remote_id, device_key: key };
                let (http, id) = (self.system.http(), &row.new.key);
                let issued = extension.take_over(http, &self.session, &self.system, id, &item).await?;
                match self.checked(binding, &key, extension.issuer_keys(), issued)? {
                    Some(held) => Settled::Credential(Box::new(held)),
                    None => Settled::Rejected(RejectionReason::Refused, None, None),
                }
            }
            Write::CreateListing { .. } | Write::EditListing { .. } | Write::WithdrawListing { .. } => {
                return self.send_of_listing(row, binding).await;
            }
            Write::Renew { .. }
            | Write::Purchase { .. }
            | Write::AcceptTransfer { .. }
            | Write::DeclineTransfer { .. } => Settled::Dropped,
        };
        Ok(Some((row, outcome)))
    }

    /// Not repeatable: B.A.M knows no idempotency key. What the server holds is read before the first attempt and
    /// before each further one.
    async fn send_holder(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
        response: &Value,
        expected: Option<&Value>,
    ) -> Result<Option<(OutboxRow, Settled)>, Error> {
        let Some(bam) = self.system.bam() else {
            return Ok(Some((row, Settled::Rejected(RejectionReason::NotPossible, None, None))));
        };
        let place = (binding.tenant.as_deref(), binding.remote_id.as_str());
        let found = match bam.ticket_holder(&self.session, place).await {
            // What cannot be read back must not be repeated.
            Err(error) if cannot_be_read(&error) && row.state == WriteState::Sent => {
                return Ok(Some((row, Settled::Unknown)));
            }
            Err(error) if cannot_be_read(&error) => None,
            found => found?,
        };
        let held = found.as_ref().and_then(|holder| holder.get("response"));
        if held == Some(response) {
            let record = found.as_ref().map(Value::to_string).unwrap_or_default();
            return Ok(Some((row, Settled::Holder(record))));
        }
        let before = held.unwrap_or(&Value::Null);
        let unchanged = match &row.before {
            Some(kept) => serde_json::from_str::<Value>(kept).is_ok_and(|kept| kept == *before),
            None => expected.is_none_or(|expected| expected == before),
        };
        if !unchanged {
            return Ok(Some((row, Settled::Rejected(RejectionReason::ChangedElsewhere, None, None))));
        }
        row.before = Some(before.to_string());
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let id = found.as_ref().and_then(|holder| holder.get("id")).map(|id| match id {
            Value::String(id) => id.clone(),
            other => other.to_string(),
        });
        let holder = bam.save_ticket_holder(&self.session, place, id.as_deref(), response).await?;
        Ok(Some((row, Settled::Holder(holder.to_string()))))
    }

    /// Repeatable with its key. The statement is signed at the first attempt and kept, for the same key must come with
    /// the same bytes.
    async fn send_surrender(
        &mut self,
        mut row: OutboxRow,
        binding: &Binding,
    ) -> Result<Option<(OutboxRow, Settled)>, Error> {
        let Some(extension) = self.served(binding).await? else { return Ok(None) };
        let stated = row.new.write.statement_mut().is_some_and(|statement| statement.is_some());
        if !stated && row.state != WriteState::Sent {
            let statement = self.state_surrender(&row, binding).await?;
            if statement.is_none() && matches!(row.new.write, Write::Surrender { .. }) {
                return Ok(Some((row, Settled::Rejected(RejectionReason::NotPossible, None, None))));
            }
            if let Some(place) = row.new.write.statement_mut() {
                *place = statement;
            }
        }
        if !self.begin(&mut row)? {
            return Ok(None);
        }
        let (http, key, ticket) = (self.system.http(), row.new.key.as_str(), binding.remote_id.as_str());
        let outcome = match &row.new.write {
            Write::CreateTransfer { recipient, statement } => {
                let what = (ticket, recipient.as_str());
                let session = &self.session;
                let sent = extension
                    .create_transfer(http, session, &self.system, key, what, statement.as_ref())
                    .await;
                sent.map(|transfer| Settled::TransferCreated(stored(transfer, binding)))
            }
            Write::Surrender { statement: Some(statement) } => {
                let sent =
                    extension.surrender(http, &self.session, &self.system, key, ticket, statement).await;
                sent.map(|()| Settled::Surrendered)
            }
            _ => return Ok(None),
        };
        match outcome {
            Err(error @ Error::Status { status: 400..500, .. }) if self.is_stale(&mut row)? => {
                if is_refusal(&error) { Ok(Some((row, Settled::Anew(new_id()?)))) } else { Err(error) }
            }
            outcome => outcome.map(|outcome| Some((row, outcome))),
        }
    }

    /// Whether a write's statement is older than servers take.
    pub(super) fn is_stale(&self, row: &mut OutboxRow) -> Result<bool, Error> {
        let now = self.engine.time.now()?.unix_s();
        let statement = row.new.write.statement_mut().and_then(|statement| statement.as_ref());
        Ok(statement
            .is_some_and(|statement| now.abs_diff(i64::from(statement.at)) > STATEMENT_LIFE_S.unsigned_abs()))
    }

    /// The device's word that it gives its credential up; `None` where it has none.
    pub(super) async fn state_surrender(
        &self,
        row: &OutboxRow,
        binding: &Binding,
    ) -> Result<Option<Statement>, Error> {
        let (Some(held), Some(handle)) = (&binding.state.credential, binding.state.handle.clone()) else {
            return Ok(None);
        };
        let at = u32::try_from(self.engine.time.now()?.unix_s()).unwrap_or(u32::MAX);
        let message = statement_message(Purpose::Surrender, &held.credential, at, &row.new.key);
        let Some(message) = message else { return Ok(None) };
        let signature =
            ask(&self.engine.vault, move |vault| sign(vault, handle, Purpose::Surrender, message)).await?;
        Ok(Some(Statement { at, signature: hex::encode(signature.to_bytes()) }))
    }

    pub(super) fn begin(&self, row: &mut OutboxRow) -> Result<bool, Error> {
        self.engine.store.begin_attempt(std::slice::from_mut(row))
    }

    async fn served(&mut self, binding: &Binding) -> Result<Option<Extension>, Error> {
        Ok(self.extension(binding.tenant.as_deref()).await?.cloned())
    }

    pub(super) fn settle(&mut self, outcomes: Outcomes) -> Result<(), Error> {
        self.engine.store.settle(&outcomes)?;
        for (row, outcome) in outcomes {
            match &outcome {
                // Asked again later, and ever later.
                Settled::Reserved(_) => self.engine.pace.delay(row.id, &self.engine.http)?,
                _ => self.engine.pace.forget(row.id),
            }
            self.count(&row, &outcome);
            self.barcodes_done += u32::from(row.new.write.is_automatic());
        }
        self.observer.changed();
        if self.barcodes_planned > 0 {
            self.tell(SyncStage::Barcodes, self.barcodes_done, Some(self.barcodes_planned));
        }
        Ok(())
    }

    fn count(&mut self, row: &OutboxRow, outcome: &Settled) {
        let report = &mut self.report;
        match (&row.new.write, outcome) {
            (Write::Renew { .. }, Settled::Credential(_)) => report.renewed += 1,
            (_, Settled::Credential(_)) => report.bound += 1,
            (_, Settled::NotBound(_)) => report.refused += 1,
            (_, Settled::Rejected(..) | Settled::Unknown) => report.rejected += 1,
            (_, Settled::Dropped | Settled::NotSent | Settled::Anew(_) | Settled::Reserved(_)) => {}
            _ => report.sent += 1,
        }
    }

    /// Sorts what a failed attempt leaves: surely not done, surely refused, or not known.
    pub(super) fn failed(&mut self, rows: &[OutboxRow], error: Error) -> Result<(), Error> {
        let of_others = matches!(error, Error::Vault(_) | Error::Untrusted { .. } | Error::SignedOut);
        if !error.is_remote() && !of_others {
            return Err(error);
        }
        let mut settled = true;
        for before in rows {
            // As it stands now: the attempt may have got as far as to its first byte.
            let Ok(row) = self.engine.store.outbox_row(before.id) else { continue };
            let outcome = outcome_of(&row.new.write, before.state, &error);
            match outcome {
                Some(outcome) if !matches!(outcome, Settled::NotSent) => {
                    self.settle(vec![(row, outcome)])?;
                }
                outcome => {
                    settled = false;
                    if outcome.is_some() && row.state == WriteState::Sent {
                        self.engine.store.settle(&[(row, Settled::NotSent)])?;
                    }
                    self.engine.pace.delay(before.id, &self.engine.http)?;
                }
            }
        }
        if matches!(error, Error::SignedOut) {
            return Err(error);
        }
        if !settled || rows.iter().any(|row| row.new.write.is_automatic()) {
            self.failure.get_or_insert(error);
        }
        Ok(())
    }
}

/// What an error means for a write that stood like this before the attempt; `None`: it may have been done.
fn outcome_of(write: &Write, before: WriteState, error: &Error) -> Option<Settled> {
    let certain_before = before != WriteState::Sent;
    match error {
        Error::Vault(KeyVaultError::Missing | KeyVaultError::Invalidated) if !write.is_automatic() => {
            Some(Settled::Rejected(RejectionReason::NotPossible, None, None))
        }
        // Nothing left the device this time; an earlier attempt may have been done.
        Error::Vault(_) | Error::SignedOut | Error::Pause { .. } => {
            certain_before.then_some(Settled::NotSent)
        }
        error if error.is_uncertain() || is_in_progress(error) => None,
        error if !is_refusal(error) => certain_before.then_some(Settled::NotSent),
        Error::Status { .. } if write.is_automatic() => Some(Settled::Dropped),
        Error::Status { status, server_code, .. } => {
            Some(Settled::Rejected(RejectionReason::Refused, Some(*status), server_code.clone()))
        }
        _ => None,
    }
}

/// Whether a server has decided against a write. 408, 425 and 429 only put it off.
pub(super) fn is_refusal(error: &Error) -> bool {
    match error {
        error if is_in_progress(error) => false,
        Error::Status { status, .. } => (400..500).contains(status) && ![401, 408, 425, 429].contains(status),
        _ => false,
    }
}

/// A 409 about the same write, which is under way.
fn is_in_progress(error: &Error) -> bool {
    matches!(error, Error::Status { status: 409, server_code: Some(code), .. } if code.ends_with(":in-progress"))
}

/// Whether a server gives no answers to read, now or later.
fn cannot_be_read(error: &Error) -> bool {
    is_refusal(error) || matches!(error, Error::Status { status: 501, .. })
}

fn stored(transfer: WireTransfer, binding: &Binding) -> StoredTransfer {
    StoredTransfer {
        remote_id: transfer.id,
        ticket: binding.ticket,
        recipient: transfer.recipient,
        state: transfer.state,
        expires_at: transfer.expires_at,
    }
}
