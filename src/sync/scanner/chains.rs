//! How far each chain is here, kept in step with the store: nobody reads a whole ledger to say what is in it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::error::Error;
use crate::ledger::{ChainId, ChainState, HeadRank, HeldChain, Place};
use crate::model::EventHash;
use crate::store::Store;

/// The chains of one event that have records.
#[derive(Default)]
pub(super) struct Chains(Mutex<Option<Known>>);

struct Known {
    event: EventHash,
    /// `None` is to be read.
    chains: BTreeMap<ChainId, Option<HeldChain>>,
}

impl Chains {
    /// What is held of each chain, without heads.
    pub(super) fn states(
        &self,
        store: &Store,
        event: EventHash,
    ) -> Result<BTreeMap<ChainId, ChainState>, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|known| known.event != event) {
            let chains = store.chains(event)?.into_iter().map(|chain| (chain, None)).collect();
            *known = Some(Known { event, chains });
        }
        let mut states = BTreeMap::new();
        for (chain, held) in known.iter_mut().flat_map(|known| &mut known.chains) {
            let held = match held {
                Some(held) => held,
                None => held.insert(HeldChain::of(&store.places(*chain)?)),
            };
            states.insert(*chain, held.state(HeadRank::default()));
        }
        Ok(states)
    }

    /// Records of an event were kept at these places. A chain that they do not simply lengthen is read anew.
    pub(super) fn grow(&self, event: EventHash, places: impl IntoIterator<Item = Place>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = known.as_mut().filter(|known| known.event == event) else { return };
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_unstable();
        for Place { chain, sequence, hash } in places {
            let held = known.chains.entry(chain).or_insert_with(|| Some(HeldChain::default()));
            if held.as_mut().is_some_and(|held| !held.push((sequence, hash))) {
                *held = None;
            }
        }
    }

    /// Another event's chains, or another file's, may be meant from now on.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
