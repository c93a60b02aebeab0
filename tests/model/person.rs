//! What the person does.

use ticket_wallet::model::{OutboxItem, Transfer, TransferState, WriteKind};

use crate::book::offer_of;
use crate::unidy::mirror::is_of_bam;
use crate::world::{World, allowed};

impl World {
    pub(super) fn answer(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, false) else { return };
        self.answer_about(&ticket, &subject);
    }

    pub(super) fn answer_about(&mut self, ticket: &str, subject: &str) {
        let dish = self.fresh("dish");
        if let Some(item) = allowed(self.phone().wallet.save_ticket_holder(ticket.to_owned(), answers(&dish)))
        {
            self.book.accept(&item, subject, Some(dish));
        }
    }

    pub(super) fn transfer(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        let recipient = self.fresh_address();
        if let Some(item) = allowed(self.phone().wallet.transfer(ticket, recipient.clone())) {
            self.book.accept(&item, &subject, Some(recipient));
        }
    }

    pub(super) fn cancel(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        self.cancel_of(&ticket, &subject);
    }

    pub(super) fn cancel_of(&mut self, ticket: &str, subject: &str) {
        let before = self.outbox();
        let known = self.phone().wallet.transfers(None).unwrap();
        match allowed(self.phone().wallet.cancel_transfer(ticket.to_owned())) {
            Some(Some(item)) => {
                self.book.accept(&item, subject, None);
                let open = |one: &&Transfer| one.ticket_id == ticket && one.state == TransferState::Pending;
                self.book.intent(item.id).unwrap().takes_back =
                    known.iter().find(open).map(|one| one.remote_id.clone());
            }
            Some(None) => {
                let after = self.outbox();
                let taken = before.iter().find(|item| after.iter().all(|left| left.id != item.id)).unwrap();
                assert_eq!(taken.kind, WriteKind::CreateTransfer);
                self.book.withdraw(taken, &self.sandbox.journal().unwrap());
                self.book.decided(taken.id);
                self.book.intent(taken.id).unwrap().discarded = true;
            }
            None => {}
        }
    }

    pub(super) fn plain(&mut self, number: usize, kind: WriteKind) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        let wallet = &self.phone().wallet;
        let accepted =
            if kind == WriteKind::Bind { wallet.move_here(ticket) } else { wallet.surrender(ticket) };
        if let Some(item) = allowed(accepted) {
            self.book.accept(&item, &subject, None);
        }
    }

    /// A change that the person made, out of the outbox.
    pub(super) fn pick_change(&mut self, number: usize) -> Option<OutboxItem> {
        let mut items = self.outbox();
        items.retain(|item| self.book.intent(item.id).is_some());
        items.get(number.checked_rem(items.len())?).cloned()
    }

    pub(super) fn retry(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        if allowed(self.phone().wallet.retry_write(item.id)).is_some() {
            self.decided(&item);
        }
    }

    /// What B.A.M may have applied is applied again when the person says so.
    pub(super) fn decided(&mut self, item: &OutboxItem) {
        self.book.decided(item.id);
        let repeatable = item.kind != WriteKind::SaveTicketHolder;
        if let Some(content) = self.book.intent(item.id).and_then(|intent| intent.contents.last_mut()) {
            content.at_most += usize::from(!repeatable);
        }
    }

    pub(super) fn edit(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        let holder = item.kind == WriteKind::SaveTicketHolder;
        let text = if holder { self.fresh("edited") } else { self.fresh_address() };
        let content = if holder { answers(&text) } else { text.clone() };
        if allowed(self.phone().wallet.edit_write(item.id, content)).is_some() {
            self.book.withdraw(&item, &self.sandbox.journal().unwrap());
            self.book.decided(item.id);
            let subject = self.book.intent(item.id).unwrap().subject.clone();
            let of_brand = !holder && !is_of_bam(&subject);
            self.book.edited(item.id, if of_brand { offer_of(&subject, &text) } else { text });
        }
    }

    pub(super) fn discard(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        if allowed(self.phone().wallet.discard_write(item.id)).is_some() {
            self.book.withdraw(&item, &self.sandbox.journal().unwrap());
            self.book.decided(item.id);
            self.book.intent(item.id).unwrap().discarded = true;
        }
    }

    pub(super) async fn sign_out(&mut self, number: usize, discard: bool) {
        let Some(account) = self.numbered(number) else { return };
        let left = self.outbox();
        if allowed(self.phone().wallet.sign_out(account.clone(), discard).await).is_some() {
            let lost =
                left.iter().any(|item| item.account_id == account && self.book.intent(item.id).is_some());
            assert!(discard || !lost, "changes were discarded that were to be kept");
            self.book.signed_out(&account, &left);
        }
    }
}

fn answers(dish: &str) -> String {
    serde_json::json!({ "dish": dish }).to_string()
}
