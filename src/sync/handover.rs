//! Transfers at a system that has them itself (Unidy): no idempotency key, but one pending transfer for each ticket, which
//! can be read back.

use super::engine::Run;
use super::incoming::note_transfers;
use crate::error::Error;
use crate::model::{RejectionReason, TransferState, UnidyApi, Write, WriteState};
use crate::remote::unidy::{Unidy, UnidyTransfer};
use crate::store::{Binding, OutboxRow, Settled, StoredTransfer};

/// The transfers of a ticket that the list had when a lost answer was looked for, as JSON.
const NOTHING_FOUND: &str = "[]";

impl Run<'_> {
    /// Sends a transfer, once for each time that the person says so. When the answer was lost, the list of transfers tells what
    /// became of it, and where it has none that can be this one, nothing does: it may have been declined already, of which a
    /// list of the pending ones says nothing.
    pub(super) async fn send_handover(
        &self,
        mut row: OutboxRow,
        binding: &Binding,
        unidy: &Unidy,
    ) -> Result<Option<(OutboxRow, Settled)>, Error> {
        let Write::CreateTransfer { recipient, .. } = row.new.write.clone() else { return Ok(None) };
        if row.state == WriteState::Sent {
            let ours = |one: &UnidyTransfer| {
                one.recipient_email.as_ref().is_some_and(|email| email.eq_ignore_ascii_case(&recipient))
            };
            let pending = |one: &UnidyTransfer| one.status == TransferState::Pending;
            let since = |one: &UnidyTransfer| one.created_at.is_some_and(|at| at >= row.new.created_at);
            let mut found = self.transfers_of(unidy, &binding.remote_id).await?;
            found.retain(|one| pending(one) || (ours(one) && since(one)));
            let outcome = match found.into_iter().max_by_key(|one| (ours(one), pending(one))) {
                Some(found) if ours(&found) => {
                    Some(Settled::TransferCreated(stored(found, binding, &recipient)))
                }
                Some(_) => Some(Settled::Rejected(RejectionReason::ChangedElsewhere, None, None)),
                None if row.before.is_none() => {
                    row.before = Some(NOTHING_FOUND.to_owned());
                    Some(Settled::Unknown)
                }
                // Nothing was found before either, and the person has it sent again.
                None => None,
            };
            if let Some(outcome) = outcome {
                return Ok(Some((row, outcome)));
            }
        }
        row.before = None;
        if !self.engine.store.begin_attempt(std::slice::from_mut(&mut row))? {
            return Ok(None);
        }
        let sent = unidy.create_transfer(&self.session, &binding.remote_id, &recipient).await?;
        Ok(Some((row, Settled::TransferCreated(stored(sent, binding, &recipient)))))
    }

    /// Takes a transfer back. One that is not pending any more has ended in some way.
    pub(super) async fn send_take_back(
        &self,
        mut row: OutboxRow,
        binding: &Binding,
        unidy: &Unidy,
        token: &str,
    ) -> Result<Option<(OutboxRow, Settled)>, Error> {
        let asked_before = row.state == WriteState::Sent;
        if asked_before && !self.is_pending(unidy, &binding.remote_id).await? {
            let ended = self.ended_state(unidy, &binding.remote_id).await?;
            return Ok(Some((row, Settled::TransferEnded(token.to_owned(), ended))));
        }
        if !self.engine.store.begin_attempt(std::slice::from_mut(&mut row))? {
            return Ok(None);
        }
        let cancelled = unidy.cancel_transfer(&self.session, token).await?;
        Ok(Some((row, Settled::TransferEnded(token.to_owned(), cancelled.status))))
    }

    /// How the transfers stand that were pending when last heard of: the list has the pending ones, and may have others. It is
    /// also asked for once to know whether the brand has transfers.
    pub(super) async fn refresh_handovers(&mut self) -> Result<(), Error> {
        let open = self.engine.store.open_transfers(&self.account.id)?;
        let (unasked, open_none) = (self.transfers_unknown()?, open.is_empty());
        let Some(unidy) = self.system.unidy().filter(|_| !open.is_empty() || unasked) else { return Ok(()) };
        let found = unidy.transfers(&self.session).await;
        note_transfers(&self.engine.store, &self.account.id, &found)?;
        let mut ended = Vec::new();
        if let Ok(found) = &found {
            for (transfer, remote_id) in open {
                let now = found.outgoing.iter().find(|now| *now.token == transfer.remote_id);
                // A ticket that the wallet has no more went to another account of it, which was signed out of then.
                let state = match (now, remote_id) {
                    (Some(now), _) if now.status == TransferState::Pending => continue,
                    (Some(now), _) => now.status.clone(),
                    (None, Some(remote_id)) => self.ended_state(unidy, &remote_id).await?,
                    (None, None) => TransferState::Accepted,
                };
                ended.push(StoredTransfer { state, ..transfer });
            }
        }
        if unasked && open_none && matches!(found, Err(Error::Status { .. })) {
            // Nobody waits for transfers: that the brand has none is no failure.
            return Ok(());
        }
        self.engine.store.save_transfers(&self.account.id, &ended)?;
        self.forgive(found).map(drop)
    }

    fn transfers_unknown(&self) -> Result<bool, Error> {
        let sdk = self.system.unidy().is_some_and(|unidy| unidy.api() == UnidyApi::Sdk);
        let told = self.account.config.unidy.as_ref().is_some_and(|unidy| unidy.transfers.is_some());
        Ok(sdk && !told && self.engine.store.seen_transfers(&self.account.id)?.is_none())
    }

    async fn is_pending(&self, unidy: &Unidy, remote_id: &str) -> Result<bool, Error> {
        let found = self.transfers_of(unidy, remote_id).await?;
        Ok(found.iter().any(|one| one.status == TransferState::Pending))
    }

    /// What the list has of a ticket: a transfer that is pending, and maybe others.
    async fn transfers_of(&self, unidy: &Unidy, remote_id: &str) -> Result<Vec<UnidyTransfer>, Error> {
        let mut found = unidy.transfers(&self.session).await?.outgoing;
        found.retain(|one| one.ticket.as_ref().is_some_and(|ticket| ticket.id == remote_id));
        Ok(found)
    }

    /// A ticket that is gone was accepted; of one that is still here the server does not say how its transfer ended.
    async fn ended_state(&self, unidy: &Unidy, remote_id: &str) -> Result<TransferState, Error> {
        let gone = unidy.is_gone(&self.session, remote_id).await?;
        Ok(if gone == Some(true) { TransferState::Accepted } else { TransferState::Ended })
    }
}

fn stored(transfer: UnidyTransfer, binding: &Binding, recipient: &str) -> StoredTransfer {
    StoredTransfer {
        remote_id: transfer.token.to_string(),
        ticket: binding.ticket,
        recipient: transfer.recipient_email.unwrap_or_else(|| recipient.to_owned()),
        state: transfer.status,
        expires_at: transfer.expires_at,
    }
}
