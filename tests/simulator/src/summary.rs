//! What a simulation was like: for people, and as JSON.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};
use ticket_wallet::ledger::Verdict;

use crate::checks::{Check, Failure};
use crate::device::BEGIN_MS;
use crate::ending::Witness;
use crate::network::Traffic;
use crate::options::Options;
use crate::world::World;

/// Parts of the time that are counted by themselves, at most.
const PARTS: u32 = 60;
/// Failures that the text names, of each check.
const NAMED: usize = 5;

/// What happened in each part of the time.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Timeline {
    /// How long a part is, in minutes.
    pub(crate) minutes: u32,
    pub(crate) admitted: Vec<u32>,
    pub(crate) refused: Vec<u32>,
    pub(crate) doubles: Vec<u32>,
}

/// What happened at honest doors.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) admitted: u32,
    pub(crate) refused: BTreeMap<String, u32>,
    pub(crate) overridden: u32,
    pub(crate) undone: u32,
    /// Entries of a ticket that had entered.
    pub(crate) doubles: u32,
    /// Tickets shown to scanners that lie.
    pub(crate) at_rogues: u32,
    /// Records that merges brought.
    pub(crate) merged: u64,
    pub(crate) timeline: Timeline,
    #[serde(skip)]
    entered: HashMap<u32, u32>,
}

impl Counts {
    pub(crate) fn new(minutes: u32) -> Self {
        let width = minutes.div_ceil(PARTS).max(1);
        let none = vec![0; minutes.div_ceil(width) as usize];
        let timeline =
            Timeline { minutes: width, admitted: none.clone(), refused: none.clone(), doubles: none };
        Self { timeline, ..Self::default() }
    }

    pub(crate) fn admit(&mut self, at_ms: i64, ticket: u32) {
        self.admitted += 1;
        let part = self.part(at_ms);
        add(&mut self.timeline.admitted, part);
        self.count_double(part, ticket);
    }

    pub(crate) fn override_at(&mut self, at_ms: i64, ticket: u32) {
        self.overridden += 1;
        let part = self.part(at_ms);
        self.count_double(part, ticket);
    }

    pub(crate) fn refuse(&mut self, at_ms: i64, verdict: Verdict) {
        *self.refused.entry(format!("{verdict:?}")).or_default() += 1;
        let part = self.part(at_ms);
        add(&mut self.timeline.refused, part);
    }

    fn count_double(&mut self, part: usize, ticket: u32) {
        let before = self.entered.entry(ticket).or_default();
        *before += 1;
        if *before > 1 {
            self.doubles += 1;
            add(&mut self.timeline.doubles, part);
        }
    }

    fn part(&self, at_ms: i64) -> usize {
        let minute = (at_ms - BEGIN_MS) / 60_000;
        let part = usize::try_from(minute / i64::from(self.timeline.minutes)).unwrap_or(0);
        part.min(self.timeline.admitted.len().saturating_sub(1))
    }
}

fn add(parts: &mut [u32], part: usize) {
    if let Some(part) = parts.get_mut(part) {
        *part += 1;
    }
}

/// What became of a simulation.
#[derive(Debug)]
pub struct Outcome {
    options: Options,
    pub(crate) counts: Counts,
    traffic: Traffic,
    failures: Vec<Failure>,
    witnesses: usize,
    lies: u32,
    agreed: Agreed,
}

/// What the first of the honest scanners reports in the end.
#[derive(Debug, Default, Serialize)]
struct Agreed {
    entered: u32,
    records: u32,
    double_entries: usize,
    forks: usize,
    discounted: usize,
    missing: usize,
}

impl Outcome {
    pub(crate) fn of(world: World<'_>, witnesses: &[Witness]) -> Self {
        let agreed = witnesses.first().map(|one| &one.report).map(|report| Agreed {
            entered: report.entered,
            records: report.records,
            double_entries: report.double_entries.len(),
            forks: report.forks.len(),
            discounted: report.discounted.len(),
            missing: report.missing.len(),
        });
        Self {
            options: world.options.clone(),
            lies: world.doors.iter().filter_map(|door| door.rogue.as_ref()).map(|rogue| rogue.told).sum(),
            counts: world.counts,
            traffic: world.network.traffic,
            failures: world.failures,
            witnesses: witnesses.len(),
            agreed: agreed.unwrap_or_default(),
        }
    }

    /// What does not hold.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// How many failures a check has.
    fn failed(&self, check: Check) -> impl Iterator<Item = &Failure> {
        self.failures.iter().filter(move |failure| failure.check == check)
    }

    /// A summary for people.
    pub fn text(&self) -> String {
        let Self { options, counts, traffic, agreed, .. } = self;
        let mut text = format!(
            "{} scanners in {} groups, {} tickets, {} minutes, seed {}\n",
            options.scanners, options.groups, options.tickets, options.minutes, options.seed
        );
        let refused: u32 = counts.refused.values().sum();
        let reasons: Vec<_> =
            counts.refused.iter().map(|(verdict, count)| format!("{verdict} {count}")).collect();
        let lines = [
            ("admitted", format!("{}, {} of them more than once", counts.admitted, counts.doubles)),
            ("refused", format!("{refused} ({})", reasons.join(", "))),
            ("by staff", format!("{} overrides, {} taken back", counts.overridden, counts.undone)),
            ("at rogues", format!("{} tickets shown, {} lies signed", counts.at_rogues, self.lies)),
            (
                "messages",
                format!(
                    "{} sent, {} lost, {} doubled; {} came with {} bytes and {} records, {} of them new",
                    traffic.sent,
                    traffic.lost,
                    traffic.doubled,
                    traffic.delivered,
                    traffic.bytes,
                    traffic.records,
                    counts.merged
                ),
            ),
            (
                "in the end",
                format!(
                    "{} scanners exchanged everything: {} entered, {} records, {} double entries, {} forks, {} discounted, \
                     {} gaps",
                    self.witnesses,
                    agreed.entered,
                    agreed.records,
                    agreed.double_entries,
                    agreed.forks,
                    agreed.discounted,
                    agreed.missing
                ),
            ),
        ];
        for (what, said) in lines {
            let _ = writeln!(text, "{what:<12}{said}");
        }
        for check in Check::ALL {
            let failed = self.failed(check).count();
            let state = if failed == 0 { "holds".to_owned() } else { format!("FAILS ({failed})") };
            let _ = writeln!(text, "{state:<12}{}", check.about());
            for failure in self.failed(check).take(NAMED) {
                let _ = writeln!(text, "            {}", failure.what);
            }
        }
        text
    }

    /// The same and the course of time, for programs.
    pub fn json(&self) -> Value {
        let checks: Vec<_> = Check::ALL.iter().map(|check| {
            let failed: Vec<_> = self.failed(*check).map(|failure| &failure.what).collect();
            json!({ "check": format!("{check:?}"), "about": check.about(), "holds": failed.is_empty(), "failures": failed })
        }).collect();
        json!({
            "options": self.options,
            "counts": self.counts,
            "lies": self.lies,
            "messages": self.traffic,
            "witnesses": self.witnesses,
            "report": self.agreed,
            "checks": checks,
        })
    }

    /// Admissions, refusals and double entries over simulated time.
    pub fn svg(&self) -> String {
        crate::chart::svg(&self.counts.timeline)
    }
}
