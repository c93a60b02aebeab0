//! What is held of a chain, in so few words that two scanners can compare it.

use ring::digest::{Context, SHA256};

use super::head::HeadRank;

/// What is held of a chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChainState {
    /// Every place from 1 to this one has a record.
    pub upto: u32,
    /// The first 16 bytes of SHA-256 of the hashes of the records at these places, rising; zeros of none.
    pub digest: [u8; 16],
    /// The last place that has a record; `upto`, where there is no gap.
    pub last: u32,
    /// The same digest of all records that are held.
    pub all: [u8; 16],
    /// Which head is held; zeros where none is.
    pub head: HeadRank,
}

/// A chain's state, kept while the chain grows.
#[derive(Clone)]
pub struct HeldChain {
    upto: u32,
    to_upto: Context,
    last: (u32, [u8; 32]),
    all: Context,
}

opaque_debug!(HeldChain);

impl Default for HeldChain {
    fn default() -> Self {
        let (to_upto, all) = (Context::new(&SHA256), Context::new(&SHA256));
        Self { upto: 0, to_upto, last: (0, [0; 32]), all }
    }
}

impl HeldChain {
    /// A chain of which there are these places, by rising sequence and hash.
    pub fn of(places: &[(u32, [u8; 32])]) -> Self {
        let mut held = Self::default();
        for place in places {
            held.push(*place);
        }
        held
    }

    /// Adds a place behind all others; returns whether it is behind them.
    pub fn push(&mut self, place: (u32, [u8; 32])) -> bool {
        if place <= self.last {
            return false;
        }
        self.all.update(&place.1);
        if place.0 <= self.upto.saturating_add(1) {
            self.upto = place.0;
            self.to_upto.update(&place.1);
        }
        self.last = place;
        true
    }

    /// What is held, beside a head.
    pub fn state(&self, head: HeadRank) -> ChainState {
        ChainState {
            upto: self.upto,
            digest: digest(self.upto, &self.to_upto),
            last: self.last.0,
            all: digest(self.last.0, &self.all),
            head,
        }
    }
}

fn digest(upto: u32, hashes: &Context) -> [u8; 16] {
    let mut digest = [0; 16];
    if upto > 0 {
        digest.copy_from_slice(&hashes.clone().finish().as_ref()[..16]);
    }
    digest
}

impl ChainState {
    /// Whether the same records are held.
    pub fn has_same_records(&self, other: &Self) -> bool {
        (self.last, self.all) == (other.last, other.all)
    }

    /// After which sequence somebody who holds this needs these places, which rise: after the last, where they are the same
    /// up to there; else where both have all places up to `upto` and not the same records, one of them lacks a side of a
    /// fork, and all come.
    pub fn lacks_after(&self, places: &[(u32, [u8; 32])]) -> u32 {
        let upto = |sequence: u32| HeldChain::of(&places[..places.partition_point(|one| one.0 <= sequence)]);
        if upto(self.last).state(HeadRank::default()).all == self.all {
            return self.last;
        }
        let ours = upto(self.upto).state(HeadRank::default());
        let differs = ours.upto == self.upto && ours.digest != self.digest;
        if differs { 0 } else { self.upto }
    }
}
