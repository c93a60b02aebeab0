//! Scanners that tell each other what they have, over the network that is simulated.

use ticket_wallet::ledger::{Delta, Item, Request};

use crate::checks::{Check, Failure};
use crate::device::BEGIN_MS;
use crate::network::{Message, Payload};
use crate::plan::Event;
use crate::tickets::said;
use crate::world::World;

impl World<'_> {
    /// A scanner asks another that it hears, and will do so again.
    pub(crate) fn exchange(&mut self, at_ms: i64, door: usize) -> Result<(), String> {
        let every = i64::from(self.options.exchange_s) * 1000;
        let next = at_ms + every / 2 + self.dice.time(every);
        if next < BEGIN_MS + i64::from(self.options.minutes) * 60_000 {
            self.queue.add(next, Event::Exchange(door));
        }
        let (Some(peer), Some(gate)) = (self.peer_of(at_ms, door), &self.doors[door].gate) else {
            return Ok(());
        };
        let request = gate.ledger_request().map_err(said)?;
        let peer = self.device(peer);
        self.send(at_ms, door, peer, Payload::Request(request));
        Ok(())
    }

    fn peer_of(&mut self, at_ms: i64, door: usize) -> Option<usize> {
        let group = self.doors[door].group;
        let hears =
            |other: &usize| *other != door && self.network.is_linked(group, self.doors[*other].group, at_ms);
        let heard: Vec<_> = (0..self.doors.len()).filter(hears).collect();
        self.dice.pick(&heard).copied()
    }

    /// The device that stands at a door now.
    fn device(&self, door: usize) -> (usize, usize) {
        (door, self.doors[door].life)
    }

    fn send(&mut self, at_ms: i64, from: usize, to: (usize, usize), payload: Payload) {
        let message = Message { from: self.device(from), to, payload, is_copy: false };
        for (arrives, message) in self.network.send(&message, at_ms, &mut self.dice) {
            self.queue.add(arrives, Event::Deliver(Box::new(message)));
        }
    }

    /// A message comes, unless who should get it is off, or another device by now, or cannot be heard any more.
    pub(crate) fn receive(&mut self, at_ms: i64, message: Message) -> Result<(), String> {
        let (from, (to, life)) = (message.from, message.to);
        let is_linked = self.network.is_linked(self.doors[from.0].group, self.doors[to].group, at_ms);
        if self.doors[to].gate.is_none() || self.doors[to].life != life || !is_linked {
            self.network.traffic.lost += 1;
            return Ok(());
        }
        match message.payload {
            Payload::Request(request) => self.answer(at_ms, to, from, request),
            Payload::Delta(delta) => {
                let next = self.take_in(to, from, delta)?;
                if let Some(next) = next.filter(|_| !message.is_copy) {
                    self.send(at_ms, to, from, Payload::Request(next));
                }
                Ok(())
            }
        }
    }

    /// Answers the device that asked: another one that has taken its place by then has not what that one had.
    fn answer(
        &mut self,
        at_ms: i64,
        door: usize,
        asking: (usize, usize),
        request: Vec<u8>,
    ) -> Result<(), String> {
        self.network.came(request.len(), 0);
        let certificate = Request::from_bytes(&request).map(|asked| asked.certificate);
        let answer = self.doors[door].gate()?.ledger_delta(request, self.options.max_bytes);
        let delta = match answer {
            Ok(delta) => {
                // Who is asked knows from then on who asks.
                let known = certificate.map(Item::Certificate).into_iter().collect::<Vec<_>>();
                self.log.deliver(self.doors[door].life, &known, false);
                delta.bytes
            }
            Err(reason) => {
                if self.doors[door].is_honest() && self.doors[asking.0].is_honest() {
                    let (one, other) = (&self.doors[door].name, &self.doors[asking.0].name);
                    self.fail_carried(format!("{one} does not answer {other}: {reason}"));
                }
                return Ok(());
            }
        };
        let delta = match &self.doors[door].rogue {
            Some(rogue) => {
                rogue.twist(Delta::from_bytes(&delta).map_err(|e| format!("{e:?}"))?, &mut self.dice)
            }
            None => delta,
        };
        self.send(at_ms, door, asking, Payload::Delta(delta));
        Ok(())
    }

    /// A lying scanner tells somebody what nobody asked for.
    pub(crate) fn push_lies(&mut self, at_ms: i64, door: usize) -> Result<(), String> {
        let Some(peer) = self.peer_of(at_ms, door) else { return Ok(()) };
        let Some(rogue) = &self.doors[door].rogue else { return Ok(()) };
        let delta = rogue.unasked(&self.doors[door].certificate, &mut self.dice);
        let peer = self.device(peer);
        self.send(at_ms, door, peer, Payload::Delta(delta));
        Ok(())
    }

    /// Merges what came; returns what to ask for next.
    pub(crate) fn take_in(
        &mut self,
        door: usize,
        (from, _): (usize, usize),
        delta: Vec<u8>,
    ) -> Result<Option<Vec<u8>>, String> {
        let is_vouched = self.doors[from].is_honest();
        let items = Delta::from_bytes(&delta).map(|delta| delta.items).unwrap_or_default();
        let records = items.iter().filter(|item| matches!(item, Item::Record(_))).count();
        self.network.came(delta.len(), records);
        self.log.deliver(self.doors[door].life, &items, is_vouched);
        if self.doors[door].is_deaf {
            return Ok(None);
        }
        if let Some(rogue) = &mut self.doors[door].rogue {
            rogue.overhear(&items, &mut self.dice);
        }
        let merged = self.doors[door].gate()?.merge(delta);
        let (one, other) = (&self.doors[door].name, &self.doors[from].name);
        match merged {
            Ok(merged) => {
                self.counts.merged += u64::from(merged.added);
                if let Some(refused) = merged.refused.first().filter(|_| is_vouched) {
                    let what = format!("{one} refuses what {other} passed on: {}", refused.reason);
                    self.fail_carried(what);
                }
                Ok(merged.next_request)
            }
            Err(reason) => {
                if is_vouched {
                    let what = format!("{one} does not merge what {other} sent: {reason}");
                    self.fail_carried(what);
                }
                Ok(None)
            }
        }
    }

    fn fail_carried(&mut self, what: String) {
        self.failures.push(Failure { check: Check::Carried, what });
    }
}
