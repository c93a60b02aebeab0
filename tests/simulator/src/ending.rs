//! The end: the scanners that are left tell each other everything, and are held against the delivery log.

use std::collections::HashSet;

use ticket_wallet::ledger::Item;
use ticket_wallet::model::LedgerReport;

use crate::checks::{Check, Failure};
use crate::tickets::said;
use crate::world::World;

/// More rounds than any ledger needs: what a round adds, the next one carries on.
const ROUNDS: u32 = 8;

/// A scanner that took part in the exchange at the end, and what it says then.
pub(crate) struct Witness {
    pub(crate) door: usize,
    pub(crate) report: LedgerReport,
}

impl World<'_> {
    /// Everybody gets the newest manifest and exchanges all over one of them, until nothing is new.
    pub(crate) fn end(&mut self, mut tell: impl FnMut(u32)) -> Result<Vec<Witness>, String> {
        let is_left = |door: &usize| self.doors[*door].is_honest() && self.doors[*door].gate.is_some();
        let mut left: Vec<usize> = (0..self.doors.len()).filter(is_left).collect();
        if self.options.full > 0 {
            // Doors are numbered through the groups: the first ones are of all of them.
            left.truncate(self.options.full as usize);
        }
        for door in left.clone() {
            self.fetch(door)?;
        }
        let Some((over, others)) = left.split_first() else { return Err("nobody is left".to_owned()) };
        for round in 0..ROUNDS {
            tell(round);
            let before = self.counts.merged;
            for other in others {
                self.bring_all(*other, *over)?;
            }
            for other in others {
                self.bring_all(*over, *other)?;
            }
            if self.counts.merged == before {
                break;
            }
        }
        let witness = |door: usize| {
            let report = self.doors[door].gate()?.report().map_err(said)?;
            Ok(Witness { door, report })
        };
        left.into_iter().map(witness).collect()
    }

    /// Brings all that one scanner has to another, with nothing between them.
    fn bring_all(&mut self, from: usize, to: usize) -> Result<(), String> {
        let life = self.doors[from].life;
        let mut request = Some(self.doors[to].gate()?.ledger_request().map_err(said)?);
        while let Some(asked) = request {
            let own = [Item::Certificate(self.doors[to].certificate.clone())];
            self.log.deliver(life, &own, true);
            match self.doors[from].gate()?.ledger_delta(asked, 1 << 20) {
                Ok(delta) => request = self.take_in(to, (from, life), delta.bytes)?,
                Err(reason) => {
                    let (one, other) = (&self.doors[from].name, &self.doors[to].name);
                    let what = format!("{one} does not answer {other} in the end: {reason}");
                    self.failures.push(Failure { check: Check::Carried, what });
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Tickets of which more than one entry of honest scanners is known to a scanner, with these entries' records.
    pub(crate) fn known_twice(&self, door: usize) -> Vec<(u32, HashSet<String>)> {
        let mut by_ticket = std::collections::BTreeMap::<u32, HashSet<String>>::new();
        let has = self.log.lives.get(self.doors[door].life).map(|life| &life.has);
        for number in has.into_iter().flatten() {
            if let Some(entry) = self.log.entries.get(*number as usize) {
                by_ticket.entry(entry.ticket).or_default().insert(entry.record.to_string());
            }
        }
        by_ticket.into_iter().filter(|(_, records)| records.len() > 1).collect()
    }

    /// A ticket as reports name it.
    pub(crate) fn named(&self, ticket: u32) -> String {
        self.hashes.get(ticket as usize).map(ToString::to_string).unwrap_or_default()
    }
}
