//! Two people with three phones, 20 tickets of one event, and its gates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tempfile::TempDir;
use ticket_wallet::ledger::Verdict;
use ticket_wallet::model::{GateService, GateSignIn, MarketQuery, Money, SystemConfig, TransferState};
use ticket_wallet::resale::ListingState;
use ticket_wallet::{Config, Gate};
use ticket_wallet_sandbox::{Fault, FaultRule, Sandbox, SandboxConfig};

use crate::action::{Action, Spoiler};
use crate::line::Line;
use crate::phone::{Phone, TestClock, sandbox, vault_in};

pub(crate) const PHONES: usize = 3;
pub(crate) const TICKETS: usize = 20;
/// Whose a phone is, as the place among the sandbox's users: one person has two.
const PERSON: [usize; PHONES] = [0, 1, 0];
const NAMES: [&str; 2] = ["mira@example.org", "jonas@example.org"];
/// The tenant, and its event that is next.
pub(crate) const CLUB: &str = "nordhafen";
const EVENT: i64 = 1;
/// What the answers come to that the sandbox spoils.
const PATHS: [&str; 3] = ["/resale", "/transfers", "/credentials"];

pub(crate) struct Holder {
    pub(crate) phone: Phone,
    pub(crate) account: String,
    pub(crate) person: usize,
    line: Arc<Line>,
}

pub(crate) struct Ticket {
    pub(crate) id: String,
    /// The id at its system.
    pub(crate) remote: i64,
    /// Whose it was first.
    pub(crate) first: usize,
    /// Every code that was shown, with the place of the person.
    pub(crate) codes: Vec<(usize, String)>,
}

pub(crate) struct Fairground {
    pub(crate) clock: TestClock,
    pub(crate) sandbox: Sandbox,
    pub(crate) holders: Vec<Holder>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) face: i64,
    gates: Vec<Door>,
    /// Changes wait for the next sync.
    wavers: bool,
    pub(crate) seen: Seen,
}

/// What histories came to.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen(BTreeMap<&'static str, usize>);

impl Seen {
    pub(crate) fn note(&mut self, what: &'static str, times: usize) {
        *self.0.entry(what).or_default() += times;
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| self.note(what, *times));
    }

    /// A run that never comes to these shows nothing.
    pub(crate) fn has_everything(&self) {
        for what in [
            "sold",
            "accepted",
            "declined",
            "moved",
            "listed",
            "edited",
            "withdrawn",
            "admitted",
            "superseded",
            "refused",
            "spoilt",
        ] {
            assert!(self.0.get(what).is_some_and(|times| *times > 0), "never {what}: {self:?}");
        }
    }
}

/// A gate of the event.
pub(crate) struct Door {
    gate: Gate,
    /// How often it let each ticket in.
    pub(crate) admitted: BTreeMap<usize, usize>,
    _folder: TempDir,
}

impl Door {
    /// One that has the latest manifest, and what others handed over.
    pub(crate) async fn open(clock: &TestClock, sandbox: &Sandbox) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { send_by_itself: false, ..Config::in_folder(folder.path().to_str().unwrap()) };
        let gate = Gate::open(config, vault_in(folder.path()), Some(Arc::new(clock.clone())), None).unwrap();
        let codes = sandbox.admission_codes().unwrap();
        let ours = |tenant: &str, event: i64| tenant == CLUB && event == EVENT;
        let code =
            codes.into_iter().find(|code| ours(&code.tenant, code.event_id) && code.sections.is_empty());
        let sign_in = GateSignIn {
            service: GateService::Extension,
            config: SystemConfig::at(format!("{}/t/{CLUB}", sandbox.url())),
            admission_code: code.unwrap().code,
            name: "North door".to_owned(),
            leave_unsent: false,
        };
        gate.sign_in(sign_in).await.unwrap();
        gate.sync().await.unwrap();
        Self { gate, admitted: BTreeMap::new(), _folder: folder }
    }

    /// What it says of a code of a ticket. It lets no ticket in twice; a code that is read again at once is told the same.
    pub(crate) fn scan(&mut self, ticket: usize, text: &str) -> Verdict {
        let outcome = self.gate.scan(text.as_bytes().to_vec(), 1).unwrap();
        let verdict = outcome.verdict;
        if verdict == Verdict::Admit && !outcome.is_repeated {
            let times = self.admitted.entry(ticket).or_default();
            *times += 1;
            assert_eq!(*times, 1, "ticket {ticket} was let in twice at one gate");
        }
        verdict
    }
}

impl Fairground {
    pub(crate) async fn new() -> Self {
        let clock = TestClock::new();
        let config = SandboxConfig {
            tickets_per_user: 0,
            lease_s: 14 * 86_400,
            moves: 1_000,
            ..SandboxConfig::default()
        };
        let sandbox = sandbox(&clock, config).await;
        let add = |place: usize| {
            let first = place % NAMES.len();
            (sandbox.add_ticket(NAMES[first], CLUB, EVENT).unwrap().unwrap(), first)
        };
        let added: Vec<_> = (0..TICKETS).map(add).collect();
        let mut holders = Vec::new();
        for person in PERSON {
            let line = Line::new();
            let phone = Phone::over(&clock, Arc::clone(&line) as _);
            let account = phone.sign_in(&sandbox, person).await.id;
            phone.wallet.sync(None).await.unwrap();
            holders.push(Holder { phone, account, person, line });
        }
        let ticket = |(remote, first): (i64, usize)| {
            let name = remote.to_string();
            let listed = holders[first].phone.tickets().into_iter();
            let id = listed
                .map(|ticket| ticket.id)
                .find(|id| holders[first].phone.wallet.ticket(id.clone()).unwrap().remote_id == name);
            Ticket { id: id.unwrap(), remote, first, codes: Vec::new() }
        };
        let tickets: Vec<_> = added.into_iter().map(ticket).collect();
        let rules = holders[tickets[0].first].phone.wallet.resale_rules(tickets[0].id.clone()).await.unwrap();
        let gates = vec![Door::open(&clock, &sandbox).await, Door::open(&clock, &sandbox).await];
        let face = rules.face_value.unwrap().minor;
        Self { clock, sandbox, holders, tickets, face, gates, wavers: false, seen: Seen::default() }
    }

    fn price(&self, percent: i64) -> Money {
        Money::new(self.face * percent / 100, "EUR").unwrap()
    }

    /// Does a step. What a wallet refuses is as good as what it does: its promises are checked afterwards.
    pub(crate) async fn act(&mut self, action: &Action) {
        match *action {
            Action::List { phone, ticket, percent } => {
                let price = self.price(percent);
                let listed = self.wallet(phone).list_for_sale(self.pick(phone, ticket), price, None);
                self.written(phone, listed).await;
            }
            Action::Edit { phone, ticket, percent } => {
                let price = self.price(percent);
                let edited = self.wallet(phone).edit_listing(self.pick_for_sale(phone, ticket), price);
                self.written(phone, edited).await;
            }
            Action::Withdraw { phone, ticket } => {
                let withdrawn = self.wallet(phone).withdraw_listing(self.pick_for_sale(phone, ticket));
                self.written(phone, withdrawn).await;
            }
            Action::Buy { phone, offer, enough, pays } => {
                self.buy(phone, offer, enough).await;
                if pays {
                    self.pay(phone).await;
                }
            }
            Action::Pay { phone } => self.pay(phone).await,
            Action::Send { phone, ticket } => {
                let other = NAMES[1 - self.holders[phone].person].to_owned();
                let sent = self.wallet(phone).transfer(self.pick(phone, ticket), other);
                self.written(phone, sent).await;
            }
            Action::Cancel { phone, ticket } => {
                let cancelled = self.wallet(phone).cancel_transfer(self.pick(phone, ticket));
                self.written(phone, cancelled).await;
            }
            Action::Answer { phone, accept } => self.answer(phone, accept).await,
            Action::Move { phone, ticket } => {
                let moved = self.wallet(phone).move_here(self.pick(phone, ticket));
                self.written(phone, moved).await;
            }
            Action::Waver => self.wavers = !self.wavers,
            Action::Sync { phone } => drop(self.wallet(phone).sync(None).await),
            Action::Cut { phone } => self.holders[phone].line.cut(),
            Action::Mend { phone } => self.holders[phone].line.mend(),
            Action::Spoil { fault, path } => self.spoil(fault, PATHS[path]),
            Action::Show { phone, ticket } => self.show(phone, ticket),
            Action::Scan { gate, ticket, code } => self.scan(gate, ticket, code),
            Action::Prepare { gate } => drop(self.gates[gate].gate.prepare().await),
            Action::HandOver { gate } => drop(self.gates[gate].gate.sync().await),
            Action::Pass { seconds } => self.clock.pass_s(seconds),
        }
    }

    pub(crate) fn wallet(&self, phone: usize) -> &ticket_wallet::Wallet {
        &self.holders[phone].phone.wallet
    }

    pub(crate) fn id(&self, ticket: usize) -> String {
        self.tickets[ticket].id.clone()
    }

    /// One of the tickets that a phone lists, or of all when it lists none.
    fn pick(&self, phone: usize, number: usize) -> String {
        let listed = self.holders[phone].phone.tickets().into_iter().map(|one| one.id).collect();
        self.nth_of(&listed, number).unwrap_or_else(|| self.id(number % TICKETS))
    }

    /// One of the tickets that a phone has for sale, or of those that it lists when none is.
    fn pick_for_sale(&self, phone: usize, number: usize) -> String {
        let listings = self.wallet(phone).my_listings(None).unwrap().into_iter();
        let active = listings.filter(|one| one.state == Some(ListingState::Active));
        let for_sale = active.map(|one| one.ticket_id).collect();
        self.nth_of(&for_sale, number).unwrap_or_else(|| self.pick(phone, number))
    }

    fn nth_of(&self, ids: &BTreeSet<String>, number: usize) -> Option<String> {
        let of_these: Vec<_> = self.tickets.iter().filter(|one| ids.contains(&one.id)).collect();
        Some(of_these.get(number.checked_rem(of_these.len())?)?.id.clone())
    }

    /// A change was asked for; it is sent at once, but where people waver.
    async fn written<T, E>(&mut self, phone: usize, result: Result<T, E>) {
        self.notes(result);
        if !self.wavers {
            let _ = self.wallet(phone).sync(None).await;
        }
    }

    fn notes<T, E>(&mut self, result: Result<T, E>) {
        self.seen.note(if result.is_ok() { "taken" } else { "refused" }, 1);
    }

    async fn buy(&mut self, phone: usize, offer: usize, enough: bool) {
        let Some(offers) = self.offers(phone).await.filter(|offers| !offers.is_empty()) else { return };
        let listing = offers[offer % offers.len()].clone();
        let most = Money::new(if enough { self.face * 2 } else { 1 }, "EUR").unwrap();
        let account = self.holders[phone].account.clone();
        let bought = self.wallet(phone).buy(account, Some(CLUB.to_owned()), listing, most).await;
        assert!(enough || bought.is_err(), "more was agreed to than was asked");
        self.notes(bought);
    }

    /// The listings that somebody offers.
    pub(crate) async fn offers(&self, phone: usize) -> Option<Vec<String>> {
        let tenant = Some(CLUB.to_owned());
        let query =
            MarketQuery { event_id: EVENT.to_string(), tenant, limit: Some(50), ..MarketQuery::default() };
        let page = self.wallet(phone).market(self.holders[phone].account.clone(), query).await.ok()?;
        Some(page.offers.into_iter().map(|offer| offer.listing_id).collect())
    }

    /// Simulates the payments at the addresses that the purchases name. Their pages fail as everything else does.
    pub(crate) async fn pay(&mut self, phone: usize) {
        for purchase in self.wallet(phone).purchases(None).unwrap() {
            let Some(url) = purchase.payment_url else { continue };
            drop(reqwest::Client::new().post(&url).send().await);
        }
        if !self.wavers {
            let _ = self.wallet(phone).sync(None).await;
        }
    }

    async fn answer(&mut self, phone: usize, accept: bool) {
        let account = self.holders[phone].account.clone();
        let Ok(incoming) = self.wallet(phone).incoming_transfers(account.clone()).await else { return };
        let Some(one) = incoming.into_iter().find(|one| one.state == TransferState::Pending) else { return };
        let wallet = self.wallet(phone);
        let answer = match accept {
            true => wallet.accept_transfer(account, one.token).await,
            false => wallet.decline_transfer(account, one.token).await,
        };
        self.notes(answer);
    }

    fn spoil(&mut self, fault: Spoiler, path: &str) {
        self.seen.note("spoilt", 1);
        let fault = match fault {
            Spoiler::Lost => Fault::LostReply,
            Spoiler::Cut => Fault::TruncatedJson,
            Spoiler::Gateway => Fault::Gateway { status: 504, code: None },
            Spoiler::Failed => Fault::ServerError,
        };
        self.sandbox.fault(FaultRule {
            method: None,
            path_contains: path.to_owned(),
            skip: 0,
            times: 1,
            fault,
        });
    }

    fn show(&mut self, phone: usize, ticket: usize) {
        let id = self.pick(phone, ticket);
        let ticket = self.tickets.iter().position(|one| one.id == id).unwrap();
        let person = self.holders[phone].person;
        if let Ok(frame) = self.wallet(phone).present(self.id(ticket), None) {
            self.tickets[ticket].codes.push((person, frame.text));
        }
    }

    fn scan(&mut self, gate: usize, ticket: usize, code: usize) {
        let shown: Vec<_> =
            (0..self.tickets.len()).filter(|one| !self.tickets[*one].codes.is_empty()).collect();
        let Some(&ticket) = shown.get(ticket.checked_rem(shown.len()).unwrap_or_default()) else { return };
        let codes = &self.tickets[ticket].codes;
        let text = codes[code % codes.len()].1.clone();
        let verdict = self.gates[gate].scan(ticket, &text);
        self.saw(verdict);
    }

    pub(crate) fn saw(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Admit => self.seen.note("admitted", 1),
            Verdict::Superseded => self.seen.note("superseded", 1),
            _ => self.seen.note("turned away", 1),
        }
    }

    /// Whether a gate let a ticket in.
    pub(crate) fn entered(&self, ticket: usize) -> bool {
        self.gates.iter().any(|door| door.admitted.contains_key(&ticket))
    }

    /// Every network is there, no answer is spoilt any more, and the gates hand over what they have.
    pub(crate) async fn calm(&self) {
        self.holders.iter().for_each(|holder| holder.line.mend());
        self.sandbox.clear_faults();
        for door in &self.gates {
            door.gate.sync().await.unwrap();
        }
    }
}
