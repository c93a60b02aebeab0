//! What a person changes: accepted at once, kept in the outbox, sent as soon as the network allows.

use serde_json::Value;

use super::market::positive;
use super::{Wallet, ticket_hash};
use crate::device::new_id;
use crate::error::{Error, WalletError};
use crate::model::{
    BarcodeProfile, Money, OutboxItem, TicketFormat, TicketHash, TicketSystem, Transfer, TransferState,
    UnidyApi, Write, WriteState,
};
use crate::resale::{MarketAction, NotOfferedReason, is_offered};
use crate::store::{NewWrite, OutboxRow};

#[uniffi::export]
impl Wallet {
    /// The changes that have not had their outcome yet, in their order; those of one account or of all.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn outbox(&self, account_id: Option<String>) -> Result<Vec<OutboxItem>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.outbox(account_id.as_deref(), None)?.into_iter().map(OutboxItem::from).collect())
    }

    /// Sends a change again that was rejected, whose outcome is unknown, or that was saved from a damaged wallet. A
    /// change of unknown outcome may have been carried out: sending it again may do it twice.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::InvalidInput`] when it is being sent by itself,
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn retry_write(&self, id: i64) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let row = self.store.retry_write(id, &new_id()?, self.dated_now()?)?;
        Ok(self.decided(row))
    }

    /// Replaces what a change carries that was rejected or not sent yet, and sends it: the holder's answers as a JSON
    /// object, a transfer's recipient, or a listing's price (`64.50 EUR`).
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::InvalidInput`] when it may have been carried out or has nothing to
    /// edit, [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn edit_write(&self, id: i64, content: String) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let write = match self.store.outbox_row(id)?.new.write {
            Write::SaveTicketHolder { expected, .. } => {
                Write::SaveTicketHolder { response: answers(&content)?, expected }
            }
            Write::CreateTransfer { .. } => {
                Write::CreateTransfer { recipient: named(&content)?, statement: None }
            }
            Write::CreateListing { expires_at, .. } => {
                Write::CreateListing { price: amount(&content)?, expires_at, shown: false, statement: None }
            }
            Write::EditListing { listing_id, expected, .. } => {
                Write::EditListing { listing_id, price: amount(&content)?, expected }
            }
            _ => return Err(WalletError::input("id", "it carries nothing that can be edited; discard it")),
        };
        let row = self.store.edit_write(id, write, &new_id()?, self.dated_now()?)?;
        Ok(self.decided(row))
    }

    /// Takes a change back that has not been carried out, or whose outcome is unknown.
    ///
    /// # Errors
    /// [`WalletError::NotFound`], [`WalletError::InvalidInput`] while its answer is awaited, [`WalletError::Paused`],
    /// [`WalletError::Storage`].
    pub fn discard_write(&self, id: i64) -> Result<(), WalletError> {
        let _work = self.runner.activity().begin()?;
        let row = self.store.discard_write(id)?;
        self.decided(row);
        Ok(())
    }

    /// Saves the answers about a ticket's holder, a JSON object as the event's questionnaire wants it.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::NotFound`], [`WalletError::OutboxFull`], [`WalletError::Paused`],
    /// [`WalletError::Storage`].
    pub fn save_ticket_holder(
        &self,
        ticket_id: String,
        response_json: String,
    ) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        let expected = self.seen_answers(id)?;
        self.accept(id, Write::SaveTicketHolder { response: answers(&response_json)?, expected })
    }

    /// Hands a ticket to somebody, named as the ticketing system takes it, for example by e-mail address. From the moment
    /// at which this is sent the ticket shows no barcode here, until the transfer is declined, cancelled or expired.
    ///
    /// # Errors
    /// As [`Wallet::save_ticket_holder`], [`WalletError::InvalidInput`] also for a ticket that is listed or on its way to
    /// somebody; [`WalletError::NotOffered`] where the ticket's system has no such way.
    pub fn transfer(&self, ticket_id: String, recipient: String) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let (id, recipient) = (ticket_hash(&ticket_id)?, named(&recipient)?);
        self.refuse_unsendable(id, MarketAction::Transfer)?;
        self.refuse_listed(id)?;
        self.refuse_on_its_way(id)?;
        self.accept(id, Write::CreateTransfer { recipient, statement: None })
    }

    /// Takes a transfer back. One that was never sent is only taken out of the outbox, and `None` returned.
    ///
    /// # Errors
    /// [`WalletError::NotFound`] when there is none; as [`Wallet::save_ticket_holder`].
    pub fn cancel_transfer(&self, ticket_id: String) -> Result<Option<OutboxItem>, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        let of_transfer = |row: &OutboxRow| matches!(row.new.write, Write::CreateTransfer { .. });
        let queued = self.store.outbox(None, Some(id))?.into_iter().find(of_transfer);
        if let Some(row) = queued {
            if row.state == WriteState::Sent {
                return Err(WalletError::input("ticket_id", "its answer is awaited; sync, then cancel it"));
            }
            let row = self.store.discard_write(row.id)?;
            self.decided(row);
            return Ok(None);
        }
        let open = self.open_transfer(id)?;
        let open = open.ok_or_else(|| WalletError::NotFound { reason: "transfer not found".to_owned() })?;
        self.accept(id, Write::CancelTransfer { transfer_id: open.remote_id }).map(Some)
    }

    /// The transfers of one account or of all, as far as is known.
    ///
    /// # Errors
    /// [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn transfers(&self, account_id: Option<String>) -> Result<Vec<Transfer>, WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.transfers(account_id.as_deref())?.into_iter().map(Transfer::from).collect())
    }

    /// Gives a ticket's barcode up on this device, for example before it is shown on another. [`Wallet::pin`] and a sync
    /// bring it back.
    ///
    /// # Errors
    /// As [`Wallet::save_ticket_holder`].
    pub fn surrender(&self, ticket_id: String) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        if self.store.binding(id)?.credential.is_none() {
            return Err(WalletError::input("ticket_id", "this device holds no barcode of the ticket"));
        }
        self.accept(id, Write::Surrender { statement: None })
    }

    /// Takes a ticket's barcode over from the device that holds it, or from a key that this device has lost. The server
    /// allows a limited number of such moves.
    ///
    /// # Errors
    /// As [`Wallet::save_ticket_holder`].
    pub fn move_here(&self, ticket_id: String) -> Result<OutboxItem, WalletError> {
        let _work = self.runner.activity().begin()?;
        let id = ticket_hash(&ticket_id)?;
        let held = self.store.binding(id)?;
        if held.credential.is_some() && !held.lost {
            return Err(WalletError::input("ticket_id", "this device holds its barcode already"));
        }
        let handle = self.store.plan_device_keys(&[(id, new_id()?)])?.pop();
        let handle =
            handle.ok_or_else(|| WalletError::Internal { reason: "no key was planned".to_owned() })?;
        self.accept(id, Write::Bind { handle, take_over: true })
    }

    /// Has a ticket bound to this device at the next sync, however far away its event is; `false` takes that back.
    ///
    /// # Errors
    /// [`WalletError::InvalidInput`], [`WalletError::NotFound`], [`WalletError::Paused`], [`WalletError::Storage`].
    pub fn pin(&self, ticket_id: String, pinned: bool) -> Result<(), WalletError> {
        let _work = self.runner.activity().begin()?;
        Ok(self.store.pin(ticket_hash(&ticket_id)?, pinned)?)
    }
}

impl Wallet {
    pub(super) fn accept(&self, subject: TicketHash, write: Write) -> Result<OutboxItem, WalletError> {
        let (created_at, dated) = self.dated_now()?;
        let ticket = self.store.ticket(subject, created_at)?;
        let new =
            NewWrite { account_id: ticket.account_id, subject, write, key: new_id()?, created_at, dated };
        let id = self.store.enqueue(&new)?;
        // What was accepted may be sent and gone before it is read again.
        Ok(self.decided(OutboxRow { id, ..OutboxRow::of(new) }))
    }

    /// Refuses to put into the outbox what a ticket's system does in another way, or not at all, and what would sell a ticket
    /// twice that is on offer there. Where the extension is served beside it, which signs the ticket's barcode, that does it.
    pub(super) fn refuse_unsendable(
        &self,
        ticket: TicketHash,
        action: MarketAction,
    ) -> Result<(), WalletError> {
        if self.store.is_on_offer(ticket, self.dated_now()?.0)? {
            let why = "the ticket is on offer at its system's own market; delete that offer first";
            return Err(WalletError::input("ticket_id", why));
        }
        let ticket = self.store.ticket(ticket, 0)?;
        if ticket.profile == BarcodeProfile::Signed {
            return Ok(());
        }
        let account = self.store.account(&ticket.account_id)?;
        let unidy = account.config.unidy.as_ref();
        let refused = match account.system {
            TicketSystem::Bam if ticket.format == TicketFormat::Pdf => Err(NotOfferedReason::PdfTicket),
            TicketSystem::Bam => Err(NotOfferedReason::OnLedgerOnly),
            TicketSystem::Unidy if unidy.is_some_and(|unidy| unidy.api == UnidyApi::Partner) => {
                Err(if action == MarketAction::Transfer {
                    NotOfferedReason::NoTransfer
                } else {
                    NotOfferedReason::NoResale
                })
            }
            system => is_offered(system, false, action),
        };
        Ok(refused.map_err(Error::NotOffered)?)
    }

    /// Refuses to give a ticket away that is given away already, or shall be as soon as the network allows.
    pub(super) fn refuse_on_its_way(&self, ticket: TicketHash) -> Result<(), WalletError> {
        let why = match self.open_transfer(ticket)? {
            Some(open) => format!("transfer {} is under way; cancel it first", open.remote_id),
            None if self.store.outbox(None, Some(ticket))?.iter().any(OutboxRow::gives_up) => {
                "a change that gives its barcode up waits already; cancel or discard that first".to_owned()
            }
            None => return Ok(()),
        };
        Err(WalletError::input("ticket_id", why))
    }

    /// The Unix second, and whether a server stands behind it.
    pub(super) fn dated_now(&self) -> Result<(i64, bool), Error> {
        let now = self.time.now()?;
        Ok((now.unix_s(), now.uncertainty.confirmed))
    }

    /// Tells listeners and the worker of a change in the outbox.
    pub(super) fn decided(&self, row: OutboxRow) -> OutboxItem {
        self.runner.tell_outbox(Some(row.id));
        self.wake();
        row.into()
    }

    /// The holder's answers as the person sees them: those that wait lie over the server's. `None` when the ticket's
    /// record does not tell of them.
    fn seen_answers(&self, ticket: TicketHash) -> Result<Option<Value>, WalletError> {
        let mut rows = self.store.outbox(None, Some(ticket))?;
        while let Some(row) = rows.pop() {
            if let Write::SaveTicketHolder { response, .. } = row.new.write {
                return Ok(Some(response));
            }
        }
        let detail = self.store.ticket_detail(ticket, self.time.now()?.unix_s())?;
        let body: Value = serde_json::from_str(&detail.body_json).unwrap_or_default();
        let holder = body.get("ticket_holder");
        Ok(holder.map(|holder| holder.get("response").cloned().unwrap_or_default()))
    }

    fn open_transfer(&self, ticket: TicketHash) -> Result<Option<Transfer>, WalletError> {
        let found = self.store.transfers(None)?;
        let open =
            |state: &TransferState| matches!(state, TransferState::Pending | TransferState::Other { .. });
        Ok(found.into_iter().find(|one| one.ticket == ticket && open(&one.state)).map(Transfer::from))
    }
}

fn answers(json: &str) -> Result<Value, WalletError> {
    let read = serde_json::from_str::<Value>(json).ok().filter(Value::is_object);
    read.ok_or_else(|| WalletError::input("response_json", "write the answers as a JSON object"))
}

fn amount(text: &str) -> Result<Money, WalletError> {
    let read = text.parse::<Money>().map_err(|why| WalletError::input("price", why.to_string()))?;
    positive(read)
}

fn named(recipient: &str) -> Result<String, WalletError> {
    let recipient = recipient.trim();
    if recipient.is_empty() || recipient.len() > 320 {
        return Err(WalletError::input("recipient", "name the recipient in 1 to 320 bytes"));
    }
    Ok(recipient.to_owned())
}
