//! A wallet of five accounts, its server, and what happens to both.

use std::collections::BTreeMap;

use reqwest::Client;
use serde_json::Value;
use ticket_wallet::model::{AccountState, BarcodeProfile, OutboxItem, WriteKind, WriteState};
use ticket_wallet::{SyncReport, WalletError};
use ticket_wallet_sandbox::{JournalEntry, Sandbox, SandboxConfig};

use crate::action::Action;
use crate::book::{Book, is_free, sends_itself};
use crate::box_office::{Visitor, listed};
use crate::home::{BAM, Home, UNIDY, homes};
use crate::phone::{Phone, TestClock, sandbox};
use crate::shown::{self, Reach, View, check_reach};
use crate::tenants::subject;
use crate::unidy::mirror::{Mirror, difference};

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
    /// All tickets ever seen: id here, and tenant or brand and id there.
    pub(super) subjects: BTreeMap<String, String>,
    /// The accounts' ids.
    pub(super) homes: BTreeMap<String, Home>,
    pub(super) mirror: Mirror,
    /// What the wallet shows since the last action.
    pub(super) view: View,
    /// What it showed before, and whose tickets that action was about.
    before: (View, Reach),
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
        Mirror::thin_out(&sandbox);
        let mut world = Self {
            sandbox,
            client: Client::builder().no_proxy().build().unwrap(),
            phone: Some(Phone::new(&clock)),
            book: Book::default(),
            counter: 0,
            ahead_s: 0,
            subjects: BTreeMap::new(),
            homes: BTreeMap::new(),
            mirror: Mirror::default(),
            view: View::new(),
            before: (View::new(), Reach::Nobody),
        };
        world.sign_in_all().await;
        for home in homes() {
            world.homes.insert(world.account_at(home).unwrap().id, home);
        }
        world.mirror.look(&world.sandbox);
        world.sync(None).await;
        world.look(Reach::Everybody);
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

    /// An address that nobody has.
    pub(super) fn fresh_address(&mut self) -> String {
        format!("{}@example.org", self.fresh("somebody"))
    }

    pub(super) fn record(&self, ticket: &str) -> Value {
        serde_json::from_str(&self.view[ticket].record).unwrap()
    }

    /// Looks at what the wallet shows and what the brands hold after an action about these accounts.
    pub(crate) fn look(&mut self, reach: Reach) {
        self.mirror.look(&self.sandbox);
        let view = shown::view(self.phone());
        for (ticket, shown) in &view {
            let home = self.homes[&shown.account];
            let subject = match home.brand {
                Some(brand) => format!("{brand}/{}", shown.remote_id),
                None => subject(&serde_json::from_str(&shown.record).unwrap()),
            };
            self.subjects.insert(ticket.clone(), subject);
        }
        self.before = (std::mem::replace(&mut self.view, view), reach);
    }

    /// A listed ticket of B.A.M: its id, its tenant and number, and its owner's place among the users.
    pub(super) fn pick(&self, number: usize, signed: bool) -> Option<(String, String, usize)> {
        let mut tickets: Vec<_> =
            self.view.iter().filter(|(_, shown)| self.homes[&shown.account].brand.is_none()).collect();
        tickets.retain(|(_, shown)| !signed || shown.profile == BarcodeProfile::Signed);
        tickets.sort_by_key(|(id, _)| &self.subjects[*id]);
        let (id, shown) = tickets.get(number.checked_rem(tickets.len())?)?;
        Some(((*id).clone(), self.subjects[*id].clone(), self.homes[&shown.account].user))
    }

    /// Whose tickets an action may change in the wallet.
    fn reach(&self, action: &Action) -> Reach {
        match action {
            Action::Sync | Action::Kill { .. } | Action::CancelSync { .. } | Action::PauseInSync { .. } => {
                Reach::Everybody
            }
            // Without such an account all are synced.
            Action::SyncOne(n) => self.numbered(*n).map_or(Reach::Everybody, Reach::One),
            Action::SignOut { account: n, .. } => self.numbered(*n).map_or(Reach::Nobody, Reach::One),
            _ => Reach::Nobody,
        }
    }

    pub(crate) async fn act(&mut self, action: &Action) {
        let reach = self.reach(action);
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
            Action::Sync => self.sync_and_compare(None).await,
            Action::SyncOne(n) => self.sync_and_compare(self.numbered(*n)).await,
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
            Action::Unidy(action) => self.at_unidy(action).await,
        }
        self.look(reach);
    }

    pub(super) async fn sign_in_all(&mut self) {
        for home in homes() {
            if self.account_at(home).is_none_or(|account| account.state != AccountState::SignedIn) {
                allowed(self.phone().wallet.sign_in(self.sign_in_at(home)).await);
            }
        }
    }

    pub(super) async fn sync(&self, account: Option<String>) -> Option<SyncReport> {
        allowed(self.phone().wallet.sync(account).await)
    }

    /// A sync that went well leaves the brands' tickets as they are served, unless time went by in it.
    async fn sync_and_compare(&mut self, account: Option<String>) {
        let at_ms = self.phone().clock.wall_ms();
        let done = self.sync(account.clone()).await.is_some();
        if done && self.phone().clock.wall_ms() == at_ms {
            let wanted = |one: &str| account.as_deref().is_none_or(|account| account == one);
            self.check_unidy(wanted);
        }
    }

    /// That these of the brands' accounts show what their brands hold.
    pub(super) fn check_unidy(&self, which: impl Fn(&str) -> bool) {
        let view = shown::view(self.phone());
        for account in UNIDY.into_iter().filter_map(|home| self.account_at(home)).filter(|one| which(&one.id))
        {
            let home = self.homes[&account.id];
            let difference = difference(&self.sandbox, &view, home, &account.id);
            assert!(difference.is_none(), "after a sync {}", difference.unwrap_or_default());
            self.check_codes(home, &view, &account.id);
        }
    }

    /// The person sets the wall clock; the server's time goes on.
    pub(super) fn set_clock(&mut self, ahead_s: i64) {
        let clock = &self.phone().clock;
        clock.set_wall_ms(clock.wall_ms() + (ahead_s - self.ahead_s) * 1000);
        self.sandbox.set_clock_offset_s(-ahead_s);
        self.ahead_s = ahead_s;
    }

    pub(crate) fn check(&mut self, _: &Action) {
        self.check_book();
        let (before, reach) = &self.before;
        check_reach(before, &self.view, reach).unwrap();
        self.mirror.check_owners(&self.sandbox, &self.view, &self.homes).unwrap();
    }

    fn check_book(&mut self) {
        let (outbox, journal, offers) = (self.outbox(), self.journal(), self.offers());
        self.book.check(&outbox, &journal, &offers);
    }

    /// One sync brings the tickets up to date, a few more send all that nobody has to decide about.
    pub(crate) async fn end_faults_and_check(&mut self) {
        self.sandbox.clear_faults();
        self.phone().clock.pass_s(CALM_S);
        // A session that the server ended looks like one that goes on.
        for home in homes() {
            self.phone().wallet.sign_in(self.sign_in_at(home)).await.unwrap();
        }
        self.sync(None).await;
        self.look(Reach::Everybody);
        for home in BAM {
            let visitor = Visitor::sign_in(&self.sandbox, &self.client, home.user).await.unwrap();
            let account = self.account_at(home).unwrap().id;
            let here = self.view.iter().filter(|(_, shown)| shown.account == account);
            let here = listed(here.map(|(ticket, _)| self.record(ticket)));
            assert_eq!(here, visitor.tickets().await.unwrap(), "after one undisturbed sync");
        }
        self.check_unidy(|_| true);
        for _ in 0..4 {
            self.sync(None).await;
            self.check_book();
            if !self.outbox().iter().any(sends_itself) {
                break;
            }
        }
        self.check_transfers();
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
