//! A wallet of two accounts, its server, and what happens to both.

use std::collections::BTreeMap;

use reqwest::Client;
use serde_json::Value;
use ticket_wallet::model::{AccountState, BarcodeProfile, OutboxItem, TransferState, WriteKind, WriteState};
use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{JournalEntry, Sandbox, SandboxConfig, TicketEdit, TransferEnd};

use crate::action::Action;
use crate::book::{Book, Content, is_free, sends_itself};
use crate::box_office::{Visitor, listed};
use crate::phone::{Phone, TestClock, sandbox, sign_in};
use crate::tenants::subject;

const YEAR_S: i64 = 365 * 86_400;
/// Longer than any pause that a fault asks for.
const CALM_S: i64 = 1_000;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    client: Client,
    /// Always there but for the moment in which the wallet is opened again.
    phone: Option<Phone>,
    book: Book,
    counter: u32,
    /// How far the wall clock is ahead.
    ahead_s: i64,
    /// All tickets ever seen: id here, and tenant and id there.
    subjects: BTreeMap<String, String>,
}

/// What a call may answer to a person; anything else is a fault of the wallet.
fn allowed<T>(result: Result<T, WalletError>) -> Option<T> {
    use WalletError as E;
    match result {
        Ok(done) => Some(done),
        Err(
            E::InvalidInput { .. }
            | E::NotFound { .. }
            | E::Unreachable { .. }
            | E::Refused { .. }
            | E::NeedsSignIn { .. }
            | E::Paused { .. }
            | E::NoBarcode { .. },
        ) => None,
        Err(other) => panic!("{}: {other}", other.code()),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let clock = TestClock::new();
        let config =
            SandboxConfig { tickets_per_user: 3, transfer_life_s: 80_000, ..SandboxConfig::default() };
        let sandbox = sandbox(&clock, config).await;
        let phone = Some(Phone::new(&clock));
        let client = Client::builder().no_proxy().build().unwrap();
        let (book, subjects) = (Book::default(), BTreeMap::new());
        let mut world = Self { sandbox, client, phone, book, counter: 0, ahead_s: 0, subjects };
        world.sign_in_all().await;
        world.sync(None).await;
        world.learn_subjects();
        world
    }

    pub(crate) fn phone(&self) -> &Phone {
        self.phone.as_ref().unwrap()
    }

    fn outbox(&self) -> Vec<OutboxItem> {
        self.phone().wallet.outbox(None).unwrap()
    }

    fn journal(&self) -> Vec<JournalEntry> {
        self.sandbox.journal().unwrap()
    }

    fn fresh(&mut self, word: &str) -> String {
        self.counter += 1;
        format!("{word}{}", self.counter)
    }

    fn record(&self, ticket: &str) -> Value {
        let body = self.phone().wallet.ticket(ticket.to_owned()).unwrap().body_json;
        serde_json::from_str(&body).unwrap()
    }

    fn learn_subjects(&mut self) {
        for ticket in self.phone().tickets() {
            let subject = subject(&self.record(&ticket.id));
            self.subjects.insert(ticket.id, subject);
        }
    }

    /// A listed ticket's id, its tenant and number, and its owner's place among the users.
    fn pick(&self, number: usize, signed: bool) -> Option<(String, String, usize)> {
        let mut tickets = self.phone().tickets();
        tickets.retain(|ticket| !signed || ticket.profile == BarcodeProfile::Signed);
        let ticket = tickets.get(number.checked_rem(tickets.len())?)?;
        let accounts = self.phone().wallet.accounts().unwrap();
        let owner = &accounts.iter().find(|account| account.id == ticket.account_id)?.user_name;
        let user = self.sandbox.users().iter().position(|user| user.name == *owner)?;
        Some((ticket.id.clone(), self.subjects[&ticket.id].clone(), user))
    }

    pub(crate) async fn act(&mut self, action: &Action) {
        match action {
            Action::Answer(n) => self.answer(*n),
            Action::Transfer(n) => self.transfer(*n),
            Action::Cancel(n) => self.cancel(*n),
            Action::Surrender(n) => self.plain(*n, WriteKind::Surrender),
            Action::MoveHere(n) => self.plain(*n, WriteKind::Bind),
            Action::Pin(n) => {
                let ticket = self.pick(*n, true);
                ticket.map(|(id, ..)| allowed(self.phone().wallet.pin(id, true)));
            }
            Action::Retry(n) => self.retry(*n),
            Action::Edit(n) => self.edit(*n),
            Action::Discard(n) => self.discard(*n),
            Action::SignOut { account, discard } => self.sign_out(*account, *discard).await,
            Action::SignIn => self.sign_in_all().await,
            Action::Sync => drop(self.sync(None).await),
            Action::SyncOne(n) => {
                let account = self.phone().wallet.accounts().unwrap().get(*n).map(|one| one.id.clone());
                self.sync(account).await;
            }
            Action::Kill { requests, later } => {
                self.sync_until(*requests, *later).await;
                self.restart().await;
            }
            Action::CancelSync { requests, later } => self.sync_until(*requests, *later).await,
            Action::PauseInSync { requests } => self.pause_in_sync(*requests).await,
            Action::Restart => self.restart().await,
            Action::Pass(seconds) => self.phone().clock.pass_s(*seconds),
            Action::SetClock { years } => self.set_clock(years * YEAR_S),
            Action::Reboot => self.phone().clock.reboot(),
            Action::Fault(rule) => self.sandbox.fault(rule.clone()),
            Action::ClearFaults => self.sandbox.clear_faults(),
            Action::EndTokens => self.sandbox.revoke_tokens().unwrap(),
            Action::EndSessions => self.sandbox.revoke_sessions().unwrap(),
            Action::AnsweredElsewhere(n) => self.answered_elsewhere(*n).await,
            Action::Reseat(_) | Action::Remove(_) | Action::Add(_) | Action::EndTransfer { .. } => {
                self.at_the_box_office(action);
            }
        }
        self.learn_subjects();
    }

    fn answer(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, false) else { return };
        let dish = self.fresh("dish");
        if let Some(item) = allowed(self.phone().wallet.save_ticket_holder(ticket, answers(&dish))) {
            self.book.accept(&item, &subject, Some(dish));
        }
    }

    fn transfer(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        let recipient = self.fresh("somebody");
        if let Some(item) = allowed(self.phone().wallet.transfer(ticket, recipient.clone())) {
            self.book.accept(&item, &subject, Some(recipient));
        }
    }

    fn cancel(&mut self, number: usize) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        let before = self.outbox();
        match allowed(self.phone().wallet.cancel_transfer(ticket)) {
            Some(Some(item)) => self.book.accept(&item, &subject, None),
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

    fn plain(&mut self, number: usize, kind: WriteKind) {
        let Some((ticket, subject, _)) = self.pick(number, true) else { return };
        let wallet = &self.phone().wallet;
        let accepted =
            if kind == WriteKind::Bind { wallet.move_here(ticket) } else { wallet.surrender(ticket) };
        if let Some(item) = allowed(accepted) {
            self.book.accept(&item, &subject, None);
        }
    }

    /// A change that the person made, out of the outbox.
    fn pick_change(&mut self, number: usize) -> Option<OutboxItem> {
        let mut items = self.outbox();
        items.retain(|item| self.book.intent(item.id).is_some());
        items.get(number.checked_rem(items.len())?).cloned()
    }

    fn retry(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        if allowed(self.phone().wallet.retry_write(item.id)).is_some() {
            self.decided(&item);
        }
    }

    /// What B.A.M may have applied is applied again when the person says so.
    fn decided(&mut self, item: &OutboxItem) {
        self.book.decided(item.id);
        let repeatable = item.kind != WriteKind::SaveTicketHolder;
        if let Some(content) = self.book.intent(item.id).and_then(|intent| intent.contents.last_mut()) {
            content.at_most += usize::from(!repeatable);
        }
    }

    fn edit(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        let text = self.fresh("edited");
        let holder = item.kind == WriteKind::SaveTicketHolder;
        let content = if holder { answers(&text) } else { text.clone() };
        if allowed(self.phone().wallet.edit_write(item.id, content)).is_some() {
            self.book.withdraw(&item, &self.sandbox.journal().unwrap());
            self.book.decided(item.id);
            self.book.intent(item.id).unwrap().contents.push(Content { text, at_most: 1 });
        }
    }

    fn discard(&mut self, number: usize) {
        let Some(item) = self.pick_change(number) else { return };
        if allowed(self.phone().wallet.discard_write(item.id)).is_some() {
            self.book.withdraw(&item, &self.sandbox.journal().unwrap());
            self.book.decided(item.id);
            self.book.intent(item.id).unwrap().discarded = true;
        }
    }

    async fn sign_out(&mut self, number: usize, discard: bool) {
        let accounts = self.phone().wallet.accounts().unwrap();
        let Some(account) = accounts.get(number).map(|account| account.id.clone()) else { return };
        let left = self.outbox();
        if allowed(self.phone().wallet.sign_out(account.clone(), discard).await).is_some() {
            let lost =
                left.iter().any(|item| item.account_id == account && self.book.intent(item.id).is_some());
            assert!(discard || !lost, "changes were discarded that were to be kept");
            self.book.signed_out(&account, &left);
        }
    }

    async fn sign_in_all(&mut self) {
        for (number, user) in self.sandbox.users().iter().enumerate() {
            let accounts = self.phone().wallet.accounts().unwrap();
            let there = accounts.iter().find(|account| account.user_name == user.name);
            if there.is_none_or(|account| account.state != AccountState::SignedIn) {
                allowed(self.phone().wallet.sign_in(sign_in(&self.sandbox, number)).await);
            }
        }
    }

    async fn sync(&self, account: Option<String>) -> Option<SyncReport> {
        allowed(self.phone().wallet.sync(account).await)
    }

    async fn sent(&self, requests: usize) {
        let before = self.sandbox.requests().len();
        while self.sandbox.requests().len() < before + requests {
            tokio::task::yield_now().await;
        }
    }

    async fn sync_until(&self, requests: usize, later: u8) {
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

    async fn pause_in_sync(&self, requests: usize) {
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

    async fn restart(&mut self) {
        self.phone = self.phone.take().map(Phone::restart);
    }

    /// The person sets the wall clock; the server's time goes on.
    fn set_clock(&mut self, ahead_s: i64) {
        let clock = &self.phone().clock;
        clock.set_wall_ms(clock.wall_ms() + (ahead_s - self.ahead_s) * 1000);
        self.sandbox.set_clock_offset_s(-ahead_s);
        self.ahead_s = ahead_s;
    }

    async fn answered_elsewhere(&mut self, number: usize) {
        let Some((_, subject, user)) = self.pick(number, false) else { return };
        let dish = self.fresh("elsewhere");
        if let Some(visitor) = Visitor::sign_in(&self.sandbox, &self.client, user).await {
            visitor.answer(&subject, &dish).await;
        }
    }

    fn at_the_box_office(&mut self, action: &Action) {
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

    fn end_transfer(&self, action: &Action) {
        let Action::EndTransfer { transfer, accept } = action else { return };
        let mut open = self.phone().wallet.transfers(None).unwrap();
        open.retain(|one| one.state == TransferState::Pending);
        let Some(one) = transfer.checked_rem(open.len()).map(|n| &open[n]) else { return };
        let Some(subject) = self.subjects.get(&one.ticket_id) else { return };
        let end = if *accept { TransferEnd::Accepted } else { TransferEnd::Declined };
        let id = one.remote_id.parse().unwrap();
        self.sandbox.end_transfer(subject.split_once('/').unwrap().0, id, end).unwrap();
    }

    pub(crate) fn check(&mut self, _: &Action) {
        let (outbox, journal) = (self.outbox(), self.journal());
        self.book.check(&outbox, &journal);
    }

    /// One sync brings the tickets up to date, a few more send all that nobody has to decide about.
    pub(crate) async fn end_faults_and_check(&mut self) {
        self.sandbox.clear_faults();
        self.phone().clock.pass_s(CALM_S);
        // A session that the server ended looks like one that goes on.
        for user in 0..self.sandbox.users().len() {
            self.phone().wallet.sign_in(sign_in(&self.sandbox, user)).await.unwrap();
        }
        self.sync(None).await;
        for (number, user) in self.sandbox.users().iter().enumerate() {
            let visitor = Visitor::sign_in(&self.sandbox, &self.client, number).await.unwrap();
            let accounts = self.phone().wallet.accounts().unwrap();
            let account = accounts.iter().find(|account| account.user_name == user.name).unwrap();
            let here = self.phone().tickets().into_iter().filter(|ticket| ticket.account_id == account.id);
            let here = listed(here.map(|ticket| self.record(&ticket.id)));
            assert_eq!(here, visitor.tickets().await.unwrap(), "after one undisturbed sync");
        }
        for _ in 0..4 {
            self.sync(None).await;
            let (outbox, journal) = (self.outbox(), self.journal());
            self.book.check(&outbox, &journal);
        }
        let outbox = self.outbox();
        let stuck = outbox.iter().find(|item| sends_itself(item) && is_free(item, &outbox));
        assert!(
            stuck.is_none_or(|item| item.state == WriteState::Waiting
                && item.attempts == 0
                && self.is_gone(item)),
            "stuck: {:?}",
            stuck.map(|item| (item.kind, item.state, item.attempts, item.ticket_id.clone()))
        );
    }

    /// Whether a change is about a ticket that the wallet does not know any more.
    fn is_gone(&self, item: &OutboxItem) -> bool {
        self.phone().wallet.ticket(item.ticket_id.clone()).is_err()
    }
}

fn answers(dish: &str) -> String {
    serde_json::json!({ "dish": dish }).to_string()
}
