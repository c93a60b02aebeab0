//! A wallet of two accounts, its server, and what happens to both.

use std::collections::BTreeMap;

use reqwest::Client;
use serde_json::Value;
use ticket_wallet::model::{AccountState, BarcodeProfile, OutboxItem, WriteKind, WriteState};
use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{JournalEntry, Sandbox, SandboxConfig};

use crate::action::Action;
use crate::book::{Book, is_free, sends_itself};
use crate::box_office::{Visitor, listed};
use crate::phone::{Phone, TestClock, sandbox, sign_in};
use crate::tenants::subject;

const YEAR_S: i64 = 365 * 86_400;
/// Longer than any pause that a fault asks for.
const CALM_S: i64 = 1_000;

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(super) client: Client,
    /// Always there but for the moment in which the wallet is opened again.
    pub(super) phone: Option<Phone>,
    pub(super) book: Book,
    counter: u32,
    /// How far the wall clock is ahead.
    ahead_s: i64,
    /// All tickets ever seen: id here, and tenant and id there.
    pub(super) subjects: BTreeMap<String, String>,
}

/// What a call may answer to a person; anything else is a fault of the wallet.
pub(crate) fn allowed<T>(result: Result<T, WalletError>) -> Option<T> {
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

    pub(super) fn outbox(&self) -> Vec<OutboxItem> {
        self.phone().wallet.outbox(None).unwrap()
    }

    pub(super) fn journal(&self) -> Vec<JournalEntry> {
        self.sandbox.journal().unwrap()
    }

    pub(super) fn fresh(&mut self, word: &str) -> String {
        self.counter += 1;
        format!("{word}{}", self.counter)
    }

    pub(super) fn record(&self, ticket: &str) -> Value {
        let body = self.phone().wallet.ticket(ticket.to_owned()).unwrap().body_json;
        serde_json::from_str(&body).unwrap()
    }

    pub(super) fn learn_subjects(&mut self) {
        for ticket in self.phone().tickets() {
            let subject = subject(&self.record(&ticket.id));
            self.subjects.insert(ticket.id, subject);
        }
    }

    /// A listed ticket's id, its tenant and number, and its owner's place among the users.
    pub(super) fn pick(&self, number: usize, signed: bool) -> Option<(String, String, usize)> {
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

    pub(super) async fn sign_in_all(&mut self) {
        for (number, user) in self.sandbox.users().iter().enumerate() {
            let accounts = self.phone().wallet.accounts().unwrap();
            let there = accounts.iter().find(|account| account.user_name == user.name);
            if there.is_none_or(|account| account.state != AccountState::SignedIn) {
                allowed(self.phone().wallet.sign_in(sign_in(&self.sandbox, number)).await);
            }
        }
    }

    pub(super) async fn sync(&self, account: Option<String>) -> Option<SyncReport> {
        allowed(self.phone().wallet.sync(account).await)
    }

    /// The person sets the wall clock; the server's time goes on.
    pub(super) fn set_clock(&mut self, ahead_s: i64) {
        let clock = &self.phone().clock;
        clock.set_wall_ms(clock.wall_ms() + (ahead_s - self.ahead_s) * 1000);
        self.sandbox.set_clock_offset_s(-ahead_s);
        self.ahead_s = ahead_s;
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
    pub(super) fn is_gone(&self, item: &OutboxItem) -> bool {
        self.phone().wallet.ticket(item.ticket_id.clone()).is_err()
    }
}
