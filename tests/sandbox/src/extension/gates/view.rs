//! Who admitted what, when, and what was admitted more often than it may be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use rusqlite::Connection;
use serde_json::{Value, json};
use ticket_wallet::ledger::{ChainId, Kind, RecordFields, ScannerId};
use ticket_wallet::manifest::EntryPolicy;

use super::manifest::Rules;
use super::records::{Kept, Records};
use super::scanner::Scanner;
use super::{Place, codes};
use crate::app::App;
use crate::bam;
use crate::problem::Problem;

/// Every event at which a scanner has signed in, with its gates, records, forks and double entries; and what B.A.M's ledger has
/// invalidated.
pub(crate) fn report(app: &App, db: &Connection) -> Result<Value, Problem> {
    let mut seen = BTreeSet::new();
    let mut events = Vec::new();
    for code in codes::all(app, db)? {
        let place = code.place();
        let scanners = Scanner::all(db, &place)?;
        if !scanners.is_empty() && seen.insert((place.tenant.clone(), place.event)) {
            let mut event = of_event(app, db, &place, &scanners)?;
            event["event"] = json!(code.event);
            events.push(event);
        }
    }
    let invalidated = bam::invalidated(db).map_err(|_| Problem::internal())?;
    Ok(json!({ "events": events, "invalidated": invalidated }))
}

fn of_event(app: &App, db: &Connection, place: &Place, scanners: &[Scanner]) -> Result<Value, Problem> {
    let records = Records::of(db, place)?;
    let flaws = records.flaws(app, db, place)?;
    let names: HashMap<_, _> = scanners
        .iter()
        .filter_map(|one| Some((ScannerId(one.id[..].try_into().ok()?), one.name.as_str())))
        .collect();
    let gates = scanners
        .iter()
        .map(|one| json!({"scanner": hex::encode(&one.id), "name": one.name, "revoked": one.revoked}));
    let rows = records.all.iter().zip(&flaws).map(|(kept, flaw)| row(kept, *flaw, &names));
    let counted = records.all.iter().zip(&flaws).filter(|(_, flaw)| flaw.is_none());
    let counted: Vec<_> = counted.map(|(kept, _)| kept.record.fields()).collect();
    let forks =
        records.forks.iter().map(|(chain, at)| json!({"chain": hex::encode(chain.0), "sequence": at}));
    Ok(json!({
        "tenant": place.tenant,
        "event_id": place.event,
        "gates": gates.collect::<Vec<_>>(),
        "records": rows.collect::<Vec<_>>(),
        "forks": forks.collect::<Vec<_>>(),
        "double_entries": doubles(&Rules::of(db, place)?, counted, &names),
    }))
}

fn row(kept: &Kept, flaw: Option<&str>, names: &HashMap<ScannerId, &str>) -> Value {
    let fields = kept.record.fields();
    json!({
        "chain": hex::encode(fields.chain.0),
        "sequence": fields.sequence,
        "gate": names.get(&fields.scanner),
        "ticket": fields.ticket.map(|ticket| ticket.to_string()),
        "generation": fields.generation,
        "persons": fields.persons,
        "time": time(fields.time_ms),
        "kind": format!("{:?}", fields.kind),
        "verdict": format!("{:?}", fields.verdict),
        "flaw": flaw,
    })
}

fn time(time_ms: u64) -> String {
    let time = i64::try_from(time_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// Tickets that were admitted more often than the policy lets them in, with every admission. What staff let in against the
/// verdict is not among them, nor what was taken back.
fn doubles(rules: &Rules, counted: Vec<&RecordFields>, names: &HashMap<ScannerId, &str>) -> Vec<Value> {
    let undone: BTreeSet<(ChainId, u32)> = counted
        .iter()
        .filter(|fields| fields.kind == Kind::Undo)
        .filter_map(|fields| Some((fields.chain, fields.evidence.undone?)))
        .collect();
    let mut by_ticket = BTreeMap::<[u8; 12], Vec<&RecordFields>>::new();
    for fields in counted.into_iter().filter(|fields| !undone.contains(&(fields.chain, fields.sequence))) {
        if let (Kind::Admission | Kind::Exit, Some(ticket)) = (fields.kind, fields.ticket) {
            by_ticket.entry(ticket.0).or_default().push(fields);
        }
    }
    let mut found = Vec::new();
    for (ticket, mut history) in by_ticket {
        put_in_order(&mut history);
        if is_too_often(rules, &history) {
            let admissions = history.iter().filter(|fields| fields.kind == Kind::Admission);
            let admissions = admissions
                .map(|fields| json!({"gate": names.get(&fields.scanner), "time": time(fields.time_ms)}));
            let admissions: Vec<_> = admissions.collect();
            found.push(json!({"ticket": hex::encode(ticket), "admissions": admissions}));
        }
    }
    found
}

/// By time, and those of one chain by their places, whatever its clock was set to in between.
fn put_in_order(history: &mut [&RecordFields]) {
    history.sort_by_key(|fields| (fields.chain, fields.sequence));
    let mut newest = BTreeMap::<ChainId, u64>::new();
    let times: BTreeMap<_, _> = history
        .iter()
        .map(|fields| {
            let at = newest.entry(fields.chain).or_default();
            *at = fields.time_ms.max(*at);
            ((fields.chain, fields.sequence), *at)
        })
        .collect();
    history.sort_by_key(|fields| times.get(&(fields.chain, fields.sequence)).copied());
}

/// Whether somebody entered while a group was inside that would be larger by them than when it came.
fn exceeds_its_group(history: &[&RecordFields]) -> bool {
    let (mut inside, mut group) = (0_u64, 0_u64);
    history.iter().any(|fields| {
        let persons = u64::from(fields.persons);
        if fields.kind == Kind::Exit {
            inside = inside.saturating_sub(persons);
            return false;
        }
        group = if inside == 0 { persons } else { group };
        inside += persons;
        inside > group
    })
}

fn is_too_often(rules: &Rules, history: &[&RecordFields]) -> bool {
    let admissions: Vec<_> = history.iter().filter(|fields| fields.kind == Kind::Admission).collect();
    let entries = usize::from(rules.entries);
    match rules.policy {
        EntryPolicy::Single => admissions.len() > 1,
        EntryPolicy::Entries => {
            admissions.iter().map(|fields| usize::from(fields.persons)).sum::<usize>() > entries
        }
        EntryPolicy::ReEntry => exceeds_its_group(history),
        EntryPolicy::Days => {
            let days = rules.days();
            let day = |fields: &RecordFields| {
                let at = i64::try_from(fields.time_ms / 1000).unwrap_or(i64::MAX);
                days.iter().position(|(begin, end)| (*begin..=*end).contains(&at))
            };
            let on: BTreeSet<_> = admissions.iter().map(|fields| day(fields)).collect();
            on.len() < admissions.len() || on.len() > entries
        }
    }
}

/// The same for people.
pub(super) fn text(report: &Value) -> String {
    let mut text = String::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    for event in list(&report["events"]) {
        // Writing to a text does not fail.
        let _ =
            writeln!(text, "{} ({} {})", word(&event["event"]), word(&event["tenant"]), event["event_id"]);
        for gate in list(&event["gates"]) {
            let revoked = if gate["revoked"] == true { ", revoked" } else { "" };
            let _ = writeln!(text, "  gate {} ({}{revoked})", word(&gate["name"]), word(&gate["scanner"]));
        }
        for record in list(&event["records"]) {
            let [time, gate, kind, verdict, ticket] =
                ["time", "gate", "kind", "verdict", "ticket"].map(|name| word(&record[name]));
            let flaw = record["flaw"].as_str().map_or_else(String::new, |flaw| format!("  ({flaw})"));
            let _ = writeln!(text, "  {time}  {gate}  {kind} {verdict}  {ticket}{flaw}");
        }
        for fork in list(&event["forks"]) {
            let _ = writeln!(text, "  FORK at {} of chain {}", fork["sequence"], word(&fork["chain"]));
        }
        for double in list(&event["double_entries"]) {
            let _ = write!(text, "  DOUBLE ENTRY {}:", word(&double["ticket"]));
            for one in list(&double["admissions"]) {
                let _ = write!(text, "  {} at {}", word(&one["gate"]), word(&one["time"]));
            }
            text.push('\n');
        }
    }
    for one in list(&report["invalidated"]) {
        let [ticket, at, validator] = ["ticket", "used_at", "validator"].map(|name| word(&one[name]));
        let _ = writeln!(text, "INVALIDATED {ticket}  {at}  by validator {validator}");
    }
    if text.is_empty() { "No scanner has signed in.\n".to_owned() } else { text }
}
