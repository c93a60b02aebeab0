//! Whatever scanners signed, and however it comes: the same is said of it.

use std::collections::BTreeSet;
use std::fs;

use proptest::prelude::*;
use proptest::sample::Index;
use tempfile::TempDir;
use ticket_wallet::ledger::Item;
use ticket_wallet::manifest::{EntryPolicy, Profile};
use ticket_wallet::model::LedgerReport;
use ticket_wallet::{Gate, ManifestRequest, ManifestRevocation};

use crate::counts;
use crate::oracle::{Revoked, Truth, truth};
use crate::peers::{Peer, delta, item};
use crate::phone::TestClock;
use crate::plan::{Made, PLAIN, SIGNED, Step, make, step};
use crate::venue::{Shown, Venue, open};

/// A way for parts to come: their order, where deltas end, which come twice, and when the second manifest comes.
#[derive(Debug, Clone)]
struct Way {
    order: Vec<Index>,
    ends: Vec<bool>,
    twice: Vec<bool>,
    manifest_before: Index,
}

fn way() -> impl Strategy<Value = Way> {
    let flags = |odds| prop::collection::vec(prop::bool::weighted(odds), 64);
    (prop::collection::vec(any::<Index>(), 64), flags(0.3), flags(0.2), any::<Index>())
        .prop_map(|(order, ends, twice, manifest_before)| Way { order, ends, twice, manifest_before })
}

fn config() -> ProptestConfig {
    ProptestConfig { cases: counts::in_step(counts::MERGES), ..ProptestConfig::default() }
}

struct Field {
    runtime: tokio::runtime::Runtime,
    venue: Venue,
    template: TempDir,
    peers: Vec<Peer>,
}

impl Field {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let venue = Venue::new(&TestClock::new());
        let tickets = vec![Venue::row(PLAIN, Profile::Plain, Some(PLAIN))];
        venue.offer(&ManifestRequest { tickets, ..venue.request() });
        let template = runtime.block_on(venue.door()).folder;
        let peers = (1..=3).map(|number| Peer::new(&venue, number)).collect();
        Self { runtime, venue, template, peers }
    }

    /// A gate that is prepared, in a folder of its own.
    fn gate(&self) -> (TempDir, Gate) {
        let folder = tempfile::tempdir().unwrap();
        for file in fs::read_dir(self.template.path()).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), folder.path().join(file.file_name())).unwrap();
        }
        let gate = open(folder.path(), &self.venue.clock).unwrap();
        (folder, gate)
    }

    fn second_manifest(&self, policy: EntryPolicy, revoked: Option<&Revoked>) {
        let revoked = revoked.map(|revoked| ManifestRevocation {
            scanner_id: vec![revoked.chain.0[0]; 8],
            chain: revoked.chain.0.to_vec(),
            last_good: revoked.last.as_ref().map_or(0, |last| last.id().sequence),
            hash: revoked.last.as_ref().map_or([0; 32], ticket_wallet::ledger::Record::hash).to_vec(),
        });
        let tickets = vec![Venue::row(PLAIN, Profile::Plain, Some(PLAIN))];
        let request = ManifestRequest { sequence: 2, policy, tickets, ..self.venue.request() };
        self.venue.offer(&ManifestRequest { revoked: revoked.into_iter().collect(), ..request });
    }

    /// Brings parts to a gate in some way; returns what it then says, and its verdicts.
    fn after(&self, parts: &[Item], way: &Way) -> (LedgerReport, Vec<String>) {
        let (_folder, gate) = self.gate();
        let mut left: Vec<_> = parts.to_vec();
        let manifest_before = way.manifest_before.index(parts.len() + 1);
        let mut pending = Vec::new();
        for number in 0..=parts.len() {
            if number == manifest_before {
                self.runtime.block_on(gate.prepare()).unwrap();
            }
            let Some(next) =
                (!left.is_empty()).then(|| left.remove(way.order[number % 64].index(left.len())))
            else {
                break;
            };
            pending.push(next.clone());
            pending.extend(way.twice[number % 64].then_some(next));
            if way.ends[number % 64] || left.is_empty() {
                let introductions = self.peers.iter().map(Peer::introduction);
                let merged = gate.merge(delta(introductions.chain(pending.drain(..)))).unwrap();
                assert_eq!(merged.refused, []);
            }
        }
        assert!(pending.is_empty());
        let report = gate.report().unwrap();
        self.venue.clock.pass_s(30);
        let codes = SIGNED.map(|of| self.venue.show(&Shown { generation: 2, ..Shown::of(of) }));
        let verdicts = codes.iter().map(String::as_str).chain([PLAIN]).map(|code| {
            let said = gate.scan(code.as_bytes().to_vec(), 1).unwrap();
            format!("{:?} {} {:?}", said.verdict, said.entered, said.earlier.map(|one| one.record_id))
        });
        (report, verdicts.collect())
    }
}

fn told(report: &LedgerReport) -> Truth {
    let range = |one: &ticket_wallet::model::MissingRecords| {
        let place = |sequence| format!("{}/{sequence}", one.chain);
        (one.from..=one.to).map(place).collect::<Vec<_>>()
    };
    let mut discounted: Vec<_> = report.discounted.iter().map(|one| one.record_id.clone()).collect();
    discounted.sort();
    Truth {
        records: report.records,
        entered: report.entered,
        left: report.left,
        discounted,
        doubles: report
            .double_entries
            .iter()
            .map(|double| {
                let entries = double.entries.iter().map(|one| (one.record_id.clone(), one.is_extra));
                (double.ticket.clone(), entries.collect())
            })
            .collect(),
        forks: report.forks.iter().map(|one| (one.record_id.clone(), one.records)).collect(),
        missing: report.missing.iter().flat_map(range).collect(),
    }
}

fn revoked(made: &[Made], which: Option<(usize, Index)>, peers: &[Peer]) -> Option<Revoked> {
    let (peer, last) = which?;
    let chain = peers[peer].chain;
    let own: Vec<_> = made.iter().map(|one| &one.record).filter(|one| one.id().chain == chain).collect();
    let last = Some(last.index(own.len() + 1)).filter(|last| *last > 0).map(|last| own[last - 1].clone());
    Some(Revoked { chain, last })
}

#[test]
fn the_same_records_say_the_same_in_whatever_way_they_come() {
    let field = Field::new();
    let plan = (
        prop::collection::vec(step(), 1..24),
        prop::option::weighted(0.5, (0..3_usize, any::<Index>())),
        any::<bool>(),
        way(),
        way(),
    );
    proptest!(config(), |((steps, revoke, again, one, other) in plan)| {
        let steps: Vec<Step> = steps;
        let made = make(&field.venue, &field.peers, &steps);
        let revoked = revoked(&made, revoke, &field.peers);
        let policy = if again { EntryPolicy::ReEntry } else { EntryPolicy::Single };
        field.second_manifest(policy, revoked.as_ref());
        let arrived: Vec<_> = made.into_iter().filter(|one| !one.is_lost).collect();
        let parts: Vec<_> = arrived.iter().map(|one| item(&one.record)).collect();
        let (report, verdicts) = field.after(&parts, &one);
        let (same_report, same_verdicts) = field.after(&parts, &other);
        prop_assert_eq!(told(&report), truth(&arrived, revoked.as_ref(), again));
        prop_assert_eq!(report, same_report);
        prop_assert_eq!(verdicts, same_verdicts);
    });
}

#[test]
fn any_two_gates_that_have_asked_each_other_have_the_same() {
    let field = Field::new();
    let plan = (
        prop::collection::vec(step(), 1..24),
        prop::collection::vec((any::<bool>(), any::<bool>()), 64),
        4096_u32..9000,
    );
    proptest!(config(), |((steps, whose, most) in plan)| {
        let made = make(&field.venue, &field.peers, &steps);
        let ((_one, one), (_two, two)) = (field.gate(), field.gate());
        for (gate, is_first) in [(&one, true), (&two, false)] {
            let has = made.iter().zip(&whose).filter(|(_, (both, first))| *both || *first == is_first);
            let introductions = field.peers.iter().map(Peer::introduction);
            let items = introductions.chain(has.map(|(one, _)| item(&one.record)));
            gate.merge(delta(items)).unwrap();
        }
        // The two are one scanner's copies: what they say of themselves is not asked.
        let places = |gate: &Gate| gate.records(1000).unwrap().into_iter().map(|one| one.id).collect::<BTreeSet<_>>();
        for _ in 0..2 {
            bring(&one, &two, most);
            bring(&two, &one, most);
        }
        prop_assert_eq!(places(&one), places(&two));
        prop_assert_eq!(one.report().unwrap().records, u32::try_from(made.len()).unwrap());
        prop_assert_eq!(told(&one.report().unwrap()), told(&two.report().unwrap()));
        prop_assert_eq!(bring(&one, &two, most) + bring(&two, &one, most), 0);
    });
}

fn bring(from: &Gate, to: &Gate, most: u32) -> u32 {
    let (mut added, mut next) = (0, Some(to.ledger_request().unwrap()));
    while let Some(request) = next {
        let merged = to.merge(from.ledger_delta(request, most).unwrap().bytes).unwrap();
        assert_eq!(merged.refused, []);
        added += merged.added;
        next = merged.next_request;
    }
    added
}

#[test]
fn no_bytes_do_harm() {
    let field = Field::new();
    let (_folder, gate) = field.gate();
    let good = {
        let one = field.peers[0].after(None, 1);
        let record = field.peers[0].sign(one);
        delta([
            field.peers[0].introduction(),
            Item::Head(field.peers[0].head(&record.place(), 2).as_bytes().to_vec()),
            item(&record),
        ])
    };
    let request = gate.ledger_request().unwrap();
    let before = gate.report().unwrap();
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 0..400), at in any::<Index>(), bit in 0..8_u8)| {
        let spoilt = |good: &[u8]| {
            let mut spoilt = good.to_vec();
            spoilt[at.index(good.len())] ^= 1 << bit;
            spoilt
        };
        let (_other, victim) = field.gate();
        for bytes in [bytes.clone(), [&b"TWL1"[..], &bytes].concat(), spoilt(&good), good[..at.index(good.len())].to_vec()] {
            if let Ok(merged) = victim.merge(bytes) {
                prop_assert!(merged.added == 0 || merged.refused.len() <= 2);
            }
        }
        for bytes in [bytes.clone(), [&b"TWQ1"[..], &bytes].concat(), spoilt(&request)] {
            if let Ok(delta) = gate.ledger_delta(bytes, 0) {
                prop_assert!(delta.bytes.len() <= 4096);
            }
        }
    });
    assert_eq!(gate.report().unwrap().records, before.records);
}
