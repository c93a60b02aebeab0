//! What all scanners say together, and how long ago each was heard.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use super::exchange::{Certificates, Exchange};
use super::{Heard, Post, Scanner, history};
use crate::admission::{Allowed, Entry, History, Knowledge, Seen, Standing, extra_entries};
use crate::clock::TrustedNow;
use crate::error::Error;
use crate::ledger::{Certificate, ChainHead, ChainId, Kind, Place, RecordId, ScannerId, Verdict};
use crate::manifest::Manifest;
use crate::model::{
    Discounted, DiscountedRecord, DoubleEntry, GateCertainty, GateStatistics, HeardScanner, LedgerEntry,
    LedgerFork, LedgerReport, MissingRecords, TicketHash, VerdictCount,
};
use crate::store::{ChainTally, StoredRecord};

/// Another scanner's clock is believed so far ahead of this one's, in milliseconds.
const AHEAD_MS: i64 = 300_000;

impl Scanner {
    /// What all scanners whose records are here say together.
    ///
    /// # Errors
    /// [`Error::Input`] before a sign-in, [`Error::Database`].
    pub fn report(&self) -> Result<LedgerReport, Error> {
        let post = self.post()?;
        let event = post.scanner.event;
        let counted = self.counted(&post, None)?;
        let exchange = Exchange::of(&post).ok();
        let heads = exchange.as_ref().map_or(Ok(BTreeMap::new()), |exchange| self.heads(exchange))?;
        let certificates =
            exchange.as_ref().map_or(Ok(Certificates::new()), |exchange| self.certificates(exchange))?;
        let chains = self.known_chains(&post, &heads)?;
        let doubtful = self.store.doubtful_records(event)?;
        let is_unproved = |one: &&StoredRecord| one.standing == Standing::Unproved;
        Ok(LedgerReport {
            entered: counted.entered,
            left: counted.left,
            records: chains.values().map(|chain| chain.records).sum(),
            double_entries: self.double_entries(&post, self.store.tickets_entered_again(event)?)?,
            forks: self.forks(&post, &chains)?,
            unprovable: number(doubtful.iter().filter(is_unproved).count()),
            discounted: doubtful.iter().filter_map(|one| discounted(&post, one)).collect(),
            missing: self.missing(&post, &chains, &heads)?,
            scanners: heard_scanners(&post, &chains, &heads, &certificates),
        })
    }

    /// Of these tickets those that let in more often than they may.
    pub(super) fn double_entries(
        &self,
        post: &Post,
        tickets: impl IntoIterator<Item = TicketHash>,
    ) -> Result<Vec<DoubleEntry>, Error> {
        let Some(manifest) = post.knowledge.as_ref().map(Knowledge::manifest) else { return Ok(Vec::new()) };
        let doors = self.doors(post)?;
        let days: Vec<_> = manifest.days().collect();
        let mut found = Vec::new();
        for ticket in tickets {
            let records = self.store.deciding_records(post.scanner.event, ticket, None)?;
            if !records.iter().any(|one| one.record.fields().lets_in()) {
                continue;
            }
            let history =
                History::of(records.into_iter().map(|one| Seen { record: one.record, is_own: false }));
            let extra = extra_entries(&history, Allowed::by(manifest, manifest.ticket(&ticket)), &days);
            if !extra.is_empty() {
                let mut extra = extra.into_iter().peekable();
                let mut is_extra = |entry: &Entry| extra.next_if(|one| one == entry).is_some();
                let entries = history.all_entries();
                let entries = entries.map(|entry| ledger_entry(&entry, &doors, is_extra(&entry)));
                found.push(DoubleEntry {
                    ticket: ticket.to_string(),
                    seat: manifest.seat(&ticket).map(str::to_owned),
                    entries: entries.collect(),
                });
            }
        }
        Ok(found)
    }

    /// What each scanner's door is called.
    fn doors(&self, post: &Post) -> Result<BTreeMap<ScannerId, String>, Error> {
        let Ok(exchange) = Exchange::of(post) else { return Ok(BTreeMap::new()) };
        let named = self.certificates(&exchange)?.into_iter();
        Ok(named.filter_map(|(id, all)| Some((id, door(&all)?))).collect())
    }

    fn known_chains(
        &self,
        post: &Post,
        heads: &BTreeMap<ChainId, ChainHead>,
    ) -> Result<BTreeMap<ChainId, ChainTally>, Error> {
        let silent = heads.values().map(ChainHead::fields).map(|head| ChainTally {
            chain: head.chain,
            scanner: head.scanner,
            records: 0,
            last: 0,
            newest_ms: None,
        });
        let tallies = self.store.chain_tallies(post.scanner.event)?;
        Ok(silent.chain(tallies).map(|chain| (chain.chain, chain)).collect())
    }

    fn forks(&self, post: &Post, chains: &BTreeMap<ChainId, ChainTally>) -> Result<Vec<LedgerFork>, Error> {
        let places = self.store.forked_places(post.scanner.event)?;
        let fork = |(chain, sequence, records)| LedgerFork {
            record_id: RecordId { chain, sequence }.to_string(),
            scanner: chains.get(&chain).map(|chain| hex::encode(chain.scanner.0)).unwrap_or_default(),
            records,
        };
        Ok(places.into_iter().map(fork).collect())
    }

    /// Records that others name as the one before, or as their last.
    fn missing(
        &self,
        post: &Post,
        chains: &BTreeMap<ChainId, ChainTally>,
        heads: &BTreeMap<ChainId, ChainHead>,
    ) -> Result<Vec<MissingRecords>, Error> {
        let mut ranges = BTreeSet::new();
        for (chain, sequence, before) in self.store.records_after_gaps(post.scanner.event)? {
            // Where the place before has a record, it is another one than the chain goes on from.
            ranges.insert((chain, (before + 1).min(sequence - 1), sequence - 1));
        }
        for head in heads.values().map(ChainHead::fields).filter(|head| head.sequence > 0) {
            let last = chains.get(&head.chain).map_or(0, |chain| chain.last);
            let place = Place { chain: head.chain, sequence: head.sequence, hash: head.hash };
            if head.sequence > last {
                ranges.insert((head.chain, last + 1, head.sequence));
            } else if !self.store.has_record(&place)? {
                ranges.insert((head.chain, head.sequence, head.sequence));
            }
        }
        let missing = |(chain, from, to): (ChainId, u32, u32)| MissingRecords {
            chain: hex::encode(chain.0),
            scanner: chains.get(&chain).map(|chain| hex::encode(chain.scanner.0)).unwrap_or_default(),
            from,
            to,
        };
        Ok(ranges.into_iter().map(missing).collect())
    }

    /// What happened at this event, as far as this gate knows.
    ///
    /// # Errors
    /// [`Error::Input`] before a sign-in, [`Error::Database`].
    pub fn statistics(&self) -> Result<GateStatistics, Error> {
        let post = self.post()?;
        self.counted(&post, Some(post.chain))
    }

    /// What counts, and what this chain has beside that.
    fn counted(&self, post: &Post, own: Option<ChainId>) -> Result<GateStatistics, Error> {
        let (tallies, unsent) = self.store.tallies(post.scanner.event, own)?;
        let mut found = GateStatistics { unsent, ..GateStatistics::default() };
        for one in tallies {
            match one.kind {
                Kind::Admission => found.entered += one.persons,
                Kind::Exit => found.left += one.persons,
                Kind::Undo => {}
                Kind::Override => {
                    found.entered = found.entered.saturating_add(one.persons);
                    found.overridden = found.overridden.saturating_add(one.persons);
                }
                Kind::Refusal => {
                    found.refusals.push(VerdictCount { verdict: one.verdict, count: one.records });
                }
            }
        }
        found.undone = self.undone_persons(post)?;
        found.entered = found.entered.saturating_sub(found.undone);
        Ok(found)
    }

    /// Persons whose admission was taken back: what was let in with the tickets of which something was, less what stayed.
    fn undone_persons(&self, post: &Post) -> Result<u32, Error> {
        let undos = self.store.records_of_kind(post.scanner.event, Kind::Undo)?;
        let tickets: BTreeSet<_> = undos.iter().filter_map(|one| one.record.fields().ticket).collect();
        let mut undone = 0_u32;
        for ticket in tickets {
            let counted = self.store.deciding_records(post.scanner.event, ticket, None)?;
            let persons = |one: &StoredRecord| u32::from(one.record.fields().persons);
            let all = counted.iter().filter(|one| one.record.fields().lets_in()).map(persons);
            let all = all.fold(0, u32::saturating_add);
            let stayed = history(post, counted);
            let stayed = stayed.all_entries().map(|entry| u32::from(entry.persons));
            undone = undone.saturating_add(all.saturating_sub(stayed.fold(0, u32::saturating_add)));
        }
        Ok(undone)
    }

    /// Looks up whom this gate has heard.
    pub(super) fn remember_heard(&self, exchange: &Exchange<'_>) -> Result<(), Error> {
        let heads = self.heads(exchange)?;
        let heads = heads.values().map(|head| (head.fields().scanner, head.fields().time_ms));
        let tallies = self.store.chain_tallies(exchange.event())?;
        let records = tallies.iter().filter_map(|tally| Some((tally.scanner, tally.newest_ms?)));
        self.hear(heads.chain(records));
        Ok(())
    }

    /// Others said something at these times, Unix milliseconds.
    pub(super) fn hear(&self, said: impl IntoIterator<Item = (ScannerId, u64)>) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let Heard { own, others } = &mut *heard;
        for (scanner, at) in said.into_iter().filter(|(scanner, _)| !own.contains(scanner)) {
            let newest = others.entry(scanner).or_default();
            *newest = at.max(*newest);
        }
    }

    /// How long ago others were heard. Whose clock is far ahead says nothing of when.
    pub(super) fn describe_peers(&self, certainty: &mut GateCertainty, now: &TrustedNow) {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let ages = heard.others.values().map(|at| now.unix_ms.saturating_sub(milliseconds(*at)));
        let believed = ages.filter(|age| *age >= -AHEAD_MS).map(|age| age.max(0) / 1000);
        let (mut newest, mut oldest) = (None, None);
        for age in believed {
            newest = Some(newest.map_or(age, |least: i64| least.min(age)));
            oldest = Some(oldest.map_or(age, |most: i64| most.max(age)));
        }
        certainty.peers = number(heard.others.len());
        (certainty.newest_peer_age_s, certainty.oldest_peer_age_s) = (newest, oldest);
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The door that a scanner's newest certificate names.
fn door(certificates: &[(Certificate, Vec<u8>)]) -> Option<String> {
    let newest = certificates.iter().max_by_key(|(one, signed)| (one.not_before, signed))?;
    Some(newest.0.name.clone())
}

fn milliseconds(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

fn ledger_entry(entry: &Entry, doors: &BTreeMap<ScannerId, String>, is_extra: bool) -> LedgerEntry {
    LedgerEntry {
        record_id: RecordId { chain: entry.chain, sequence: entry.sequence }.to_string(),
        at_ms: milliseconds(entry.time_ms),
        scanner: hex::encode(entry.scanner.0),
        door: doors.get(&entry.scanner).cloned(),
        generation: entry.generation,
        persons: entry.persons,
        is_override: entry.is_override,
        is_extra,
    }
}

/// Why a record does not count; `None` for one that does.
fn discounted(post: &Post, stored: &StoredRecord) -> Option<DiscountedRecord> {
    let fields = stored.record.fields();
    let why = match (stored.standing, &post.knowledge) {
        (Standing::Counted | Standing::Unproved, _) => return None,
        (Standing::Revoked, _) => Discounted::ScannerRevoked,
        (Standing::Failed, Some(knowledge)) => {
            Discounted::NotProved { fault: knowledge.fault(fields).unwrap_or(Verdict::Malformed) }
        }
        (Standing::Failed | Standing::Unjudged, _) => Discounted::NoManifest,
    };
    Some(DiscountedRecord {
        record_id: stored.record.id().to_string(),
        scanner: hex::encode(fields.scanner.0),
        at_ms: milliseconds(fields.time_ms),
        ticket: fields.ticket.map(|ticket| ticket.to_string()),
        why,
    })
}

fn heard_scanners(
    post: &Post,
    chains: &BTreeMap<ChainId, ChainTally>,
    heads: &BTreeMap<ChainId, ChainHead>,
    certificates: &Certificates,
) -> Vec<HeardScanner> {
    let manifest = post.knowledge.as_ref().map(Knowledge::manifest);
    let revoked: BTreeSet<_> =
        manifest.into_iter().flat_map(Manifest::revoked_scanners).map(|one| ScannerId(one.scanner)).collect();
    let ids: BTreeSet<_> =
        chains.values().map(|chain| chain.scanner).chain(certificates.keys().copied()).collect();
    let describe = |id: ScannerId| {
        let own: Vec<_> = chains.values().filter(|chain| chain.scanner == id).collect();
        let heads = own.iter().filter_map(|chain| heads.get(&chain.chain)).map(|head| head.fields().time_ms);
        HeardScanner {
            scanner: hex::encode(id.0),
            door: certificates.get(&id).and_then(|all| door(all)),
            is_here: id == post.scanner.scanner,
            is_revoked: revoked.contains(&id),
            chains: number(own.len()),
            records: own.iter().map(|chain| chain.records).sum(),
            heard_ms: heads.chain(own.iter().filter_map(|chain| chain.newest_ms)).max().map(milliseconds),
        }
    };
    ids.into_iter().map(describe).collect()
}
