//! Taking on what others sent: what is validly signed is kept, whatever it says; what it is worth is judged apart.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::PoisonError;
use std::thread;

use super::exchange::{Certificates, Exchange};
use super::{Post, Scanner};
use crate::admission::{Knowledge, Standing};
use crate::error::Error;
use crate::ledger::{ChainHead, ChainId, Delta, Item, Kind, LedgerError, Place, Record, ScannerId};
use crate::model::{MergeReport, RefusedItem};
use crate::store::TakenIn;

/// Fewer records than this are checked without another thread.
const WORTH_A_THREAD: usize = 32;

/// Whoever sends rubbish gets no memory for it: so many refused items are told.
pub(super) const MOST_REFUSED: usize = 100;

/// A record that is validly signed, and what it proves by itself.
type Checked = (Record, Standing);

/// What a delta brings, as far as it holds.
#[derive(Default)]
struct Sorted {
    records: Vec<(u32, Record)>,
    heads: BTreeMap<ChainId, ChainHead>,
    certificates: Vec<(ScannerId, Vec<u8>)>,
    /// Records that are here.
    repeated: Vec<Place>,
    report: MergeReport,
}

impl Sorted {
    fn refuse(&mut self, index: u32, reason: impl ToString) {
        if self.report.refused.len() < MOST_REFUSED {
            self.report.refused.push(RefusedItem { index, reason: reason.to_string() });
        }
    }
}

impl Scanner {
    /// Takes a delta on, all of it or nothing: the order in which deltas come, and how often, makes no difference.
    ///
    /// # Errors
    /// [`Error::Input`] naming `delta` for what is none, or of another event; naming `gate` where the system gives scanners
    /// no certificates; [`Error::Vault`], [`Error::Clock`], [`Error::Database`].
    pub fn merge(&self, delta: &[u8]) -> Result<MergeReport, Error> {
        let wrong = |reason: String| Error::Input { field: "delta", reason };
        let post = self.post()?;
        let event = Exchange::of(&post)?.event();
        let delta = Delta::from_bytes(delta).map_err(|e| wrong(e.to_string()))?;
        if delta.event != event {
            return Err(wrong("it is of another event".to_owned()));
        }
        let mut report = self.take_in(&post, delta.items, false)?;
        report.next_request =
            delta.more.map(|place| self.request_after(&*self.post()?, Some(place))).transpose()?;
        Ok(report)
    }

    /// Takes on what holds of these items. `by_server` says that the server has the records, also those that are here.
    pub(in crate::sync) fn take_in(
        &self,
        at: &Post,
        items: Vec<Item>,
        by_server: bool,
    ) -> Result<MergeReport, Error> {
        let _one_at_a_time = self.judging.lock().unwrap_or_else(PoisonError::into_inner);
        let post = self.post()?;
        if post.scanner.event != at.scanner.event {
            return Err(Error::Untrusted { what: "the gate has gone to another event in between" });
        }
        let exchange = Exchange::of(&post)?;
        let mut certificates = self.certificates(&exchange)?;
        let mut sorted = self.sort(&exchange, items, &mut certificates)?;
        let knowledge = post.knowledge.as_ref();
        let checked = check_all(&sorted.records, &certificates, knowledge);
        let mut records: Vec<Checked> = Vec::new();
        for ((index, record), outcome) in std::mem::take(&mut sorted.records).into_iter().zip(checked) {
            match outcome {
                Ok(standing) => records.push((record, standing)),
                Err(reason) => sorted.refuse(index, format!("record: {reason}")),
            }
        }
        let standings = match knowledge {
            Some(knowledge) => self.judge_revoked(knowledge, &mut records)?,
            None => Vec::new(),
        };
        let mut report = sorted.report;
        count(&records, &mut report);
        let tickets: BTreeSet<_> = records.iter().filter_map(|(record, _)| record.fields().ticket).collect();
        let taken = TakenIn {
            certificates: sorted.certificates,
            heads: sorted.heads.into_values().collect(),
            records,
            standings,
            at_server: if by_server { sorted.repeated } else { Vec::new() },
            by_server,
        };
        self.store.take_in(exchange.event(), &taken)?;
        self.chains.grow(exchange.event(), taken.records.iter().map(|(record, _)| record.place()));
        let heads = taken.heads.iter().map(|head| (head.fields().scanner, head.fields().time_ms));
        let records = taken.records.iter().map(|(one, _)| (one.fields().scanner, one.fields().time_ms));
        self.hear(heads.chain(records));
        if !taken.records.is_empty() {
            self.forget_recent();
        }
        report.double_entries = self.double_entries(&post, tickets)?;
        Ok(report)
    }

    /// What of a delta is new and of a known scanner. Certificates count for all that comes with them, in any order.
    fn sort(
        &self,
        exchange: &Exchange<'_>,
        items: Vec<Item>,
        certificates: &mut Certificates,
    ) -> Result<Sorted, Error> {
        let mut sorted = Sorted::default();
        let own = exchange.post.chain;
        let mut rest = Vec::new();
        for (index, item) in (0_u32..).zip(items) {
            match item {
                Item::Certificate(signed) => match exchange.certificate(&signed) {
                    Ok(one) => {
                        let of_scanner = certificates.entry(one.scanner).or_default();
                        if of_scanner.iter().all(|(_, known)| *known != signed) {
                            sorted.certificates.push((one.scanner, signed.clone()));
                            of_scanner.push((one, signed));
                        }
                    }
                    Err(reason) => sorted.refuse(index, reason),
                },
                other => rest.push((index, other)),
            }
        }
        let known = self.heads(exchange)?;
        let mut places = BTreeSet::new();
        for (index, item) in rest {
            match item {
                Item::Head(bytes) => match read_head(&bytes, certificates) {
                    Ok(head) => {
                        let chain = head.fields().chain;
                        let newest = sorted.heads.get(&chain).or_else(|| known.get(&chain));
                        if chain != own && newest.is_none_or(|newest| head.rank() > newest.rank()) {
                            sorted.heads.insert(chain, head);
                        }
                    }
                    Err(reason) => sorted.refuse(index, format!("head: {reason}")),
                },
                Item::Record(bytes) => match Record::from_bytes(&bytes) {
                    Ok(record) if !places.insert(record.place()) => sorted.report.repeated += 1,
                    Ok(record) if self.store.has_record(&record.place())? => {
                        sorted.report.repeated += 1;
                        sorted.repeated.push(record.place());
                    }
                    Ok(record) => sorted.records.push((index, record)),
                    Err(reason) => sorted.refuse(index, format!("record: {reason}")),
                },
                Item::Certificate(_) => {}
            }
        }
        Ok(sorted)
    }

    /// What is left of these records' standing in chains whose scanner was revoked, and of those that are here.
    fn judge_revoked(
        &self,
        knowledge: &Knowledge,
        records: &mut [Checked],
    ) -> Result<Vec<(i64, Standing)>, Error> {
        let revoked: BTreeSet<_> =
            knowledge.manifest().revoked_scanners().map(|one| ScannerId(one.scanner)).collect();
        let is_revoked = |record: &Record| revoked.contains(&record.fields().scanner);
        let chains: BTreeSet<_> =
            records.iter().filter(|(one, _)| is_revoked(one)).map(|(one, _)| one.id().chain).collect();
        let mut changed = Vec::new();
        for chain in chains {
            let held = self.store.chain_records(&Place::before(chain), u32::MAX)?;
            let new = records.iter().map(|(record, _)| record).filter(|one| one.id().chain == chain);
            let all = held.iter().map(|stored| &stored.record).chain(new);
            let after = crate::admission::revoked(knowledge.manifest(), all).unwrap_or_default();
            for stored in held {
                let standing = match (after.contains(&stored.record.place()), stored.standing) {
                    (true, _) => Standing::Revoked,
                    (false, Standing::Revoked) => knowledge.judge(&stored.record),
                    (false, standing) => standing,
                };
                if standing != stored.standing {
                    changed.push((stored.id, standing));
                }
            }
            for (record, standing) in records.iter_mut().filter(|(one, _)| after.contains(&one.place())) {
                debug_assert_eq!(record.id().chain, chain);
                *standing = Standing::Revoked;
            }
        }
        Ok(changed)
    }
}

fn read_head(bytes: &[u8], certificates: &Certificates) -> Result<ChainHead, String> {
    let head = ChainHead::from_bytes(bytes).map_err(|e| e.to_string())?;
    certified(certificates, head.fields().scanner, |certificate| head.check(certificate))?;
    Ok(head)
}

/// Whether one of a scanner's certificates vouches for something.
fn certified(
    certificates: &Certificates,
    scanner: ScannerId,
    check: impl Fn(&crate::ledger::Certificate) -> Result<(), LedgerError>,
) -> Result<(), String> {
    let mut refused = "of a scanner without a certificate".to_owned();
    for (certificate, _) in certificates.get(&scanner).into_iter().flatten() {
        match check(certificate) {
            Ok(()) => return Ok(()),
            Err(reason) => refused = reason.to_string(),
        }
    }
    Err(refused)
}

/// Checks signatures and what they prove, on all cores.
fn check_all(
    records: &[(u32, Record)],
    certificates: &Certificates,
    knowledge: Option<&Knowledge>,
) -> Vec<Result<Standing, String>> {
    let check = |(_, record): &(u32, Record)| {
        certified(certificates, record.fields().scanner, |certificate| record.check(certificate))?;
        Ok(knowledge.map_or(Standing::Unjudged, |knowledge| knowledge.judge(record)))
    };
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let part = records.len().div_ceil(cores).max(WORTH_A_THREAD);
    if records.len() <= part {
        return records.iter().map(check).collect();
    }
    thread::scope(|scope| {
        let parts: Vec<_> = records
            .chunks(part)
            .map(|part| (part.len(), scope.spawn(move || part.iter().map(check).collect::<Vec<_>>())))
            .collect();
        let broken = || Err("the check broke off".to_owned());
        let joined = |(len, part): (usize, thread::ScopedJoinHandle<'_, Vec<_>>)| {
            part.join().unwrap_or_else(|_| (0..len).map(|_| broken()).collect())
        };
        parts.into_iter().flat_map(joined).collect()
    })
}

fn count(records: &[Checked], report: &mut MergeReport) {
    let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let counts = |(_, standing): &&Checked| standing.counts();
    let admissions = records.iter().filter(counts).filter(|(one, _)| one.fields().kind == Kind::Admission);
    report.added = number(records.len());
    report.admissions = number(admissions.count());
    report.discounted = number(records.len()) - number(records.iter().filter(counts).count());
}
