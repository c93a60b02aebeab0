//! The event: its doors, its server, and what happens one thing after the other.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use ticket_wallet::ManifestRevocation;
use ticket_wallet::ledger::{RecordId, Verdict};
use ticket_wallet::model::TicketHash;
use tokio::runtime::Runtime;

use crate::checks::{Check, Failure};
use crate::device::{BEGIN_MS, Now};
use crate::dice::Dice;
use crate::door::Door;
use crate::log::{DeliveryLog, Marks};
use crate::network::Network;
use crate::options::Options;
use crate::plan::{Event, Plan, Queue, Showing};
use crate::rogue::{Occasion, Rogue};
use crate::server::{Notice, Server};
use crate::summary::Counts;
use crate::tickets::{Frame, Tickets, said};

/// The gate's tolerance between clocks, in seconds.
const TOLERANCE_S: i64 = 10;
/// What an override says.
const REASON: &str = "known to staff";
/// How long a gate takes an admission back, in milliseconds.
const UNDO_MS: i64 = 120_000;

pub(crate) struct World<'a> {
    pub(crate) options: &'a Options,
    pub(crate) stores: &'a Path,
    pub(crate) dice: Dice,
    pub(crate) now: Now,
    pub(crate) runtime: Runtime,
    pub(crate) server: Server,
    pub(crate) network: Network,
    pub(crate) log: DeliveryLog,
    pub(crate) doors: Vec<Door>,
    pub(crate) queue: Queue,
    pub(crate) counts: Counts,
    pub(crate) failures: Vec<Failure>,
    tickets: Tickets,
    resold: BTreeMap<u32, i64>,
    revoked: Vec<u32>,
    by_hash: HashMap<TicketHash, u32>,
    pub(crate) hashes: Vec<TicketHash>,
    was_shown: Vec<bool>,
    notice: Notice,
}

impl<'a> World<'a> {
    /// Everybody is signed in, and the doors open.
    pub(crate) fn new(options: &'a Options, stores: &'a Path) -> Result<Self, String> {
        let mut dice = Dice::new(options.seed);
        let Plan { queue, roles, resold, revoked } = Plan::draw(options, &mut dice);
        let tickets = Tickets::new(options.window_s)?;
        let server = Server::start(tickets.issuer_key())?;
        let hashes: Vec<_> = (0..options.tickets).map(|one| tickets.hash(one)).collect::<Result<_, _>>()?;
        let mut world = Self {
            options,
            stores,
            dice,
            now: Now::new(),
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(said)?,
            log: DeliveryLog::new(server.pinned()?),
            server,
            network: Network::new(options),
            doors: Vec::new(),
            queue,
            counts: Counts::new(options.minutes),
            failures: Vec::new(),
            tickets,
            resold,
            revoked,
            by_hash: hashes.iter().copied().zip(0..).collect(),
            was_shown: vec![false; hashes.len()],
            hashes,
            notice: Notice { sequence: 1, ..Notice::default() },
        };
        for number in 0..options.scanners as usize {
            world.open(number, roles.rogues.contains(&number), roles.deaf.contains(&number))?;
        }
        Ok(world)
    }

    fn open(&mut self, number: usize, is_rogue: bool, is_deaf: bool) -> Result<(), String> {
        let limit = i64::from(self.options.skew_s) * 1000;
        let is_off = self.dice.percent(self.options.skewed);
        let skew_ms = if is_off { self.dice.time(2 * limit + 1) - limit } else { 0 };
        let group = number % self.options.groups as usize;
        let mut door = Door::new(number + 1, group, self.stores, &self.now, skew_ms)?;
        door.is_deaf = is_deaf;
        door.sign_in(&self.runtime, &self.server)?;
        door.life = self.log.begin(&door.certificate, !is_rogue, self.notice.sequence)?;
        if is_rogue {
            let scanner = self.log.lives.last().ok_or("nobody has signed in")?.scanner;
            door.rogue = Some(Rogue::new(scanner, Server::event()?, &mut self.dice));
        }
        self.doors.push(door);
        Ok(())
    }

    /// Lets everything happen that was planned, and what follows from it.
    pub(crate) fn run(&mut self, mut tell: impl FnMut(i64)) -> Result<(), String> {
        while let Some((at_ms, event)) = self.queue.next() {
            self.now.set(at_ms);
            tell((at_ms - BEGIN_MS) / 60_000);
            self.happen(at_ms, event)?;
        }
        Ok(())
    }

    fn happen(&mut self, at_ms: i64, event: Event) -> Result<(), String> {
        match event {
            Event::Show(showing) => self.show(at_ms, showing)?,
            Event::Exchange(door) => self.exchange(at_ms, door)?,
            Event::Deliver(message) => self.receive(at_ms, *message)?,
            Event::TakeBack { door, life, ticket, record } => self.take_back(door, life, ticket, record)?,
            Event::Lie(door) => self.lie(at_ms, door)?,
            Event::SwitchOff(door) => self.doors[door].switch_off(),
            Event::SwitchOn(door) => self.doors[door].switch_on()?,
            Event::Lose(door) => {
                self.doors[door].switch_off();
                self.doors[door].is_gone = true;
            }
            Event::Wipe(door) => self.doors[door].replace(self.stores, &self.now)?,
            Event::SignInAnew(door) => {
                self.doors[door].sign_in(&self.runtime, &self.server)?;
                let is_honest = self.doors[door].is_honest();
                self.doors[door].life =
                    self.log.begin(&self.doors[door].certificate, is_honest, self.notice.sequence)?;
            }
            Event::Publish(sequence) => self.publish(at_ms, sequence)?,
            Event::Fetch(door) => self.fetch(door)?,
        }
        Ok(())
    }

    /// The door that somebody comes to: the one they wanted, else another that is open, of its group first.
    fn open_door(&self, wanted: usize) -> Option<usize> {
        let is_open = |door: &usize| self.doors[*door].gate.is_some();
        let all = || (wanted..self.doors.len()).chain(0..wanted).filter(is_open);
        all().find(|door| self.doors[*door].group == self.doors[wanted].group).or_else(|| all().next())
    }

    fn show(&mut self, at_ms: i64, showing: Showing) -> Result<(), String> {
        let Some(door) = self.open_door(showing.door) else { return Ok(()) };
        let Showing { ticket, generation, .. } = showing;
        let shown_at = u32::try_from(at_ms / 1000).unwrap_or(u32::MAX);
        let frame = match showing.frame {
            Some(frame) => frame,
            None => self.tickets.show(ticket, generation, shown_at)?,
        };
        if let Some((next, later_ms, same)) = showing.then {
            let frame = same.then(|| frame.clone());
            let again = Showing { ticket, generation, door: next, frame, then: None };
            self.queue.add(at_ms + 1 + later_ms, Event::Show(again));
        }
        if let Some(shown) = self.was_shown.get_mut(ticket as usize) {
            *shown = true;
        }
        let must_be_admitted = self.must_be_admitted(door, ticket, generation, &frame);
        let said_now = match self.doors[door].gate()?.scan(frame.text.into_bytes(), 1) {
            Ok(said_now) if said_now.is_repeated => return Ok(()),
            Ok(said_now) => said_now,
            // A liar may end its own chain.
            Err(_) if !self.doors[door].is_honest() => return Ok(()),
            Err(reason) => {
                let what = format!("{} does not decide any more: {reason}", self.doors[door].name);
                self.failures.push(Failure { check: Check::Refusals, what });
                return Ok(());
            }
        };
        let record: RecordId = said_now.record_id.parse().map_err(said)?;
        if !self.doors[door].is_honest() {
            self.log.mark(ticket, Marks { in_wrong_hands: true, ..Marks::default() });
            self.counts.at_rogues += 1;
            return Ok(());
        }
        if said_now.verdict == Verdict::Admit {
            return self.entered(at_ms, door, ticket, generation, record);
        }
        self.counts.refuse(at_ms, said_now.verdict);
        if must_be_admitted {
            let what = format!(
                "{} refused ticket t{ticket}, generation {generation}, as {:?}, {} s after the doors opened: nothing was \
                 delivered to it that spoke against it",
                self.doors[door].name,
                said_now.verdict,
                (at_ms - BEGIN_MS) / 1000
            );
            self.failures.push(Failure { check: Check::Refusals, what });
        }
        if said_now.ticket.is_some() && self.dice.percent(self.options.overridden) {
            self.let_in_anyway(at_ms, door, ticket, generation, &said_now.record_id)?;
        }
        Ok(())
    }

    fn entered(
        &mut self,
        at_ms: i64,
        door: usize,
        ticket: u32,
        generation: u16,
        record: RecordId,
    ) -> Result<(), String> {
        let life = self.doors[door].life;
        self.log.enter(life, ticket, generation, record);
        self.counts.admit(at_ms, ticket);
        if self.dice.percent(self.options.undone) {
            let later = self.dice.time(UNDO_MS);
            self.queue.add(at_ms + later, Event::TakeBack { door, life, ticket, record });
        }
        Ok(())
    }

    fn let_in_anyway(
        &mut self,
        at_ms: i64,
        door: usize,
        ticket: u32,
        generation: u16,
        refusal: &str,
    ) -> Result<(), String> {
        let gate = self.doors[door].gate()?;
        let record = gate.override_refusal(refusal.to_owned(), REASON.to_owned()).map_err(said)?;
        self.log.mark(ticket, Marks { corrected: true, ..Marks::default() });
        self.log.enter(self.doors[door].life, ticket, generation, record.id.parse().map_err(said)?);
        self.counts.override_at(at_ms, ticket);
        Ok(())
    }

    fn take_back(&mut self, door: usize, life: usize, ticket: u32, record: RecordId) -> Result<(), String> {
        let door = &self.doors[door];
        let Some(gate) = door.gate.as_ref().filter(|_| door.life == life) else { return Ok(()) };
        gate.undo(record.to_string()).map_err(said)?;
        self.log.mark(ticket, Marks { corrected: true, ..Marks::default() });
        self.counts.undone += 1;
        Ok(())
    }

    /// Whether nothing that the scanner knows, or may have been told rightly, speaks against a ticket.
    fn must_be_admitted(&self, door: usize, ticket: u32, generation: u16, frame: &Frame) -> bool {
        let door = &self.doors[door];
        let Some(life) = self.log.lives.get(door.life) else { return false };
        let marks = self.log.marks(ticket);
        let now_s = door.clock.wall_ms().div_euclid(1000);
        let age = now_s - i64::from(frame.shown_at);
        let is_fresh = (-TOLERANCE_S..=i64::from(self.options.window_s) + TOLERANCE_S).contains(&age);
        let is_newest = generation > 1 || !self.resold.contains_key(&ticket);
        let is_revoked = life.manifest > 1 && self.notice.revoked.contains(&ticket);
        let is_unknown = self.log.heard(door.life, ticket).is_none();
        life.is_honest
            && is_fresh
            && is_newest
            && !is_revoked
            && is_unknown
            && !marks.in_wrong_hands
            && !marks.corrected
    }

    fn lie(&mut self, at_ms: i64, number: usize) -> Result<(), String> {
        let Some(ticket) = self.unshown() else { return Ok(()) };
        let door = &mut self.doors[number];
        let Some(rogue) = &mut door.rogue else { return Ok(()) };
        let misused = rogue.lie(&door.vault, &Occasion { now_ms: at_ms, ticket }, &mut self.dice)?;
        for one in misused {
            if let Some(ticket) = self.by_hash.get(&one.ticket).copied() {
                self.log.mark(ticket, Marks { in_wrong_hands: true, corrected: one.undone });
            }
        }
        self.push_lies(at_ms, number)
    }

    /// A ticket that was not shown yet, if one is found; else any.
    fn unshown(&mut self) -> Option<TicketHash> {
        let mut found = self.dice.below(self.hashes.len());
        for _ in 0..20 {
            if !self.was_shown[found] {
                break;
            }
            found = self.dice.below(self.hashes.len());
        }
        self.hashes.get(found).copied()
    }

    fn publish(&mut self, at_ms: i64, sequence: u32) -> Result<(), String> {
        if sequence == 2 {
            self.notice.revoked.clone_from(&self.revoked);
            let sold = self.resold.iter().filter(|(_, at)| **at <= at_ms);
            self.notice.resold = sold.map(|(ticket, _)| *ticket).collect();
        } else {
            self.notice.rogues = self.revocations();
        }
        self.notice.sequence = sequence;
        self.server.publish(&self.notice)?;
        for door in 0..self.doors.len() {
            if self.doors[door].is_honest() && self.dice.percent(50) {
                let later = self.dice.time(300_000);
                self.queue.add(at_ms + later, Event::Fetch(door));
            }
        }
        Ok(())
    }

    fn revocations(&self) -> Vec<ManifestRevocation> {
        let lying = self.doors.iter().filter_map(|door| {
            let (rogue, life) = (door.rogue.as_ref()?, self.log.lives.get(door.life)?);
            Some((life.scanner, rogue.chain))
        });
        let none_good = lying.map(|(scanner, chain)| ManifestRevocation {
            scanner_id: scanner.0.to_vec(),
            chain: chain.0.to_vec(),
            last_good: 0,
            hash: vec![0; 32],
        });
        none_good.collect()
    }

    /// Brings a scanner's manifest up to date, where it is on.
    pub(crate) fn fetch(&mut self, door: usize) -> Result<(), String> {
        if self.doors[door].gate.is_some() {
            let sequence = self.doors[door].prepare(&self.runtime)?;
            if let Some(life) = self.log.lives.get_mut(self.doors[door].life) {
                life.manifest = sequence;
            }
        }
        Ok(())
    }
}
