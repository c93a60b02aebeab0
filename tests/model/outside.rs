//! What the system does to the wallet in the middle of a sync, and what others do at the server.

use ticket_wallet::model::{Transfer, TransferState};
use ticket_wallet_sandbox::{TicketEdit, TransferEnd};

use crate::action::Action;
use crate::box_office::Visitor;
use crate::phone::Phone;
use crate::unidy::mirror::is_of_bam;
use crate::world::World;

impl World {
    pub(super) async fn sent(&self, requests: usize) {
        let before = self.sandbox.requests().len();
        while self.sandbox.requests().len() < before + requests {
            tokio::task::yield_now().await;
        }
    }

    pub(super) async fn sync_until(&self, requests: usize, later: u8) {
        let moment = async {
            self.sent(requests).await;
            for _ in 0..later {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            _ = self.sync(None) => {}
            () = moment => {}
        }
        Visitor::knock(&self.sandbox, &self.client).await;
    }

    pub(super) async fn pause_in_sync(&self, requests: usize) {
        let (wallet, clock) = (&self.phone().wallet, &self.phone().clock);
        let ended = tokio::sync::Notify::new();
        let sync = async {
            self.sync(None).await;
            ended.notify_one();
        };
        let pause = async {
            tokio::select! { () = self.sent(requests) => {}, () = ended.notified() => {} }
            let later = async {
                while wallet.outbox(None).is_ok() {
                    tokio::task::yield_now().await;
                }
                clock.pass_s(5);
            };
            tokio::join!(wallet.pause(), later);
        };
        tokio::join!(sync, pause);
        Visitor::knock(&self.sandbox, &self.client).await;
        wallet.resume().unwrap();
    }

    pub(super) async fn restart(&mut self) {
        self.phone = self.phone.take().map(Phone::restart);
    }

    pub(super) async fn answered_elsewhere(&mut self, number: usize) {
        let Some((_, subject, user)) = self.pick(number, false) else { return };
        let dish = self.fresh("elsewhere");
        if let Some(visitor) = Visitor::sign_in(&self.sandbox, &self.client, user).await {
            visitor.answer(&subject, &dish).await;
        }
    }

    pub(super) fn at_the_box_office(&mut self, action: &Action) {
        let (Action::Reseat(n)
        | Action::Remove(n)
        | Action::Add(n)
        | Action::EndTransfer { transfer: n, .. }) = action
        else {
            return;
        };
        let signed = matches!(action, Action::Add(_));
        let Some((ticket, subject, user)) = self.pick(*n, signed) else { return };
        let (tenant, id) = subject.split_once('/').unwrap();
        let id: i64 = id.parse().unwrap();
        let user = self.sandbox.users()[user].name.clone();
        match action {
            Action::Reseat(_) => {
                let seat_id = Some(self.fresh("seat"));
                let edit = TicketEdit { seat_id, ..TicketEdit::default() };
                self.sandbox.edit_ticket(tenant, id, &edit).unwrap();
            }
            Action::Remove(_) => drop(self.sandbox.remove_ticket(&user, tenant, id).unwrap()),
            Action::Add(_) => {
                let event = self.record(&ticket)["ticket_config"]["event"]["id"].as_i64().unwrap();
                self.sandbox.add_ticket(&user, tenant, event).unwrap();
            }
            _ => self.end_transfer(action),
        }
    }

    pub(super) fn end_transfer(&self, action: &Action) {
        let Action::EndTransfer { transfer, accept } = action else { return };
        let mut open = self.phone().wallet.transfers(None).unwrap();
        let subject = |one: &Transfer| self.subjects.get(&one.ticket_id).filter(|subject| is_of_bam(subject));
        open.retain(|one| one.state == TransferState::Pending && subject(one).is_some());
        let Some(one) = transfer.checked_rem(open.len()).map(|n| &open[n]) else { return };
        let Some(subject) = subject(one) else { return };
        let end = if *accept { TransferEnd::Accepted } else { TransferEnd::Declined };
        let id = one.remote_id.parse().unwrap();
        self.sandbox.end_transfer(subject.split_once('/').unwrap().0, id, end).unwrap();
    }
}
