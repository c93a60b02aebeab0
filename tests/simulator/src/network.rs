//! What lies between scanners: who hears whom when, and what becomes of a message on its way.

use crate::device::BEGIN_MS;
use crate::dice::Dice;
use crate::options::Options;

/// In so many parts of the time the links between groups are drawn anew.
const SPELLS: i64 = 12;
/// One of a hundred messages takes so many times as long.
const SLOW: i64 = 60;

/// What `ledger_request` and `ledger_delta` carry.
#[derive(Clone)]
pub(crate) enum Payload {
    Request(Vec<u8>),
    Delta(Vec<u8>),
}

/// A message on its way, from one scanner's life to another's.
#[derive(Clone)]
pub(crate) struct Message {
    pub(crate) from: (usize, usize),
    pub(crate) to: (usize, usize),
    pub(crate) payload: Payload,
    /// Whether it is the second copy; nobody asks on because of it.
    pub(crate) is_copy: bool,
}

/// What becomes of messages.
#[derive(Debug, Default, Clone, Copy, serde::Serialize)]
pub(crate) struct Traffic {
    pub(crate) sent: u64,
    pub(crate) lost: u64,
    pub(crate) doubled: u64,
    pub(crate) delivered: u64,
    pub(crate) bytes: u64,
    pub(crate) records: u64,
}

pub(crate) struct Network {
    seed: u64,
    apart: u32,
    loss: u32,
    doubled: u32,
    delay_ms: i64,
    spell_ms: i64,
    pub(crate) traffic: Traffic,
}

impl Network {
    pub(crate) fn new(options: &Options) -> Self {
        Self {
            seed: options.seed,
            apart: options.apart,
            loss: options.loss,
            doubled: options.doubled,
            delay_ms: i64::from(options.delay_ms),
            spell_ms: (i64::from(options.minutes) * 60_000 / SPELLS).max(1),
            traffic: Traffic::default(),
        }
    }

    /// Whether two groups hear each other at a time.
    pub(crate) fn is_linked(&self, one: usize, other: usize, at_ms: i64) -> bool {
        let spell = u64::try_from((at_ms - BEGIN_MS) / self.spell_ms).unwrap_or(0);
        let (low, high) = (one.min(other) as u64, one.max(other) as u64);
        let link = self.seed ^ (spell << 40) ^ (low << 20) ^ high;
        one == other || !Dice::new(link).percent(self.apart)
    }

    /// When copies of a message arrive: none, one or two of them, each with its own delay.
    pub(crate) fn send(&mut self, message: &Message, at_ms: i64, dice: &mut Dice) -> Vec<(i64, Message)> {
        self.traffic.sent += 1;
        if dice.percent(self.loss) {
            self.traffic.lost += 1;
            return Vec::new();
        }
        let mut arrivals = vec![(at_ms + self.delay(dice), message.clone())];
        if dice.percent(self.doubled) {
            self.traffic.doubled += 1;
            arrivals.push((at_ms + self.delay(dice), Message { is_copy: true, ..message.clone() }));
        }
        arrivals
    }

    fn delay(&self, dice: &mut Dice) -> i64 {
        let delay = dice.time(self.delay_ms);
        if dice.percent(1) { delay * SLOW } else { delay }
    }

    /// Counts a message that came.
    pub(crate) fn came(&mut self, bytes: usize, records: usize) {
        self.traffic.delivered += 1;
        self.traffic.bytes += bytes as u64;
        self.traffic.records += records as u64;
    }
}
