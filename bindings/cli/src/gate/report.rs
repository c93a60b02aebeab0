//! `gate report`: what all scanners say together.

use serde_json::{Value, json};
use ticket_wallet::model::{
    Discounted, DiscountedRecord, DoubleEntry, HeardScanner, LedgerEntry, LedgerFork, LedgerReport,
    MissingRecords,
};

use super::words::{ago, why};
use crate::failure::Failure;
use crate::holder::utc;
use crate::output::{Output, table, titled};

pub(super) fn show(report: &LedgerReport, output: &Output) -> Result<(), Failure> {
    output.either(&json(report), || text(report))
}

fn json(report: &LedgerReport) -> Value {
    let forks = report
        .forks
        .iter()
        .map(|one| json!({ "record": one.record_id, "scanner": one.scanner, "records": one.records }));
    let missing = report
        .missing
        .iter()
        .map(|one| json!({ "chain": one.chain, "scanner": one.scanner, "from": one.from, "to": one.to }));
    json!({
        "entered": report.entered, "left": report.left, "records": report.records, "unprovable": report.unprovable,
        "double_entries": report.double_entries.iter().map(double_json).collect::<Vec<_>>(),
        "forks": forks.collect::<Vec<_>>(),
        "discounted": report.discounted.iter().map(discounted_json).collect::<Vec<_>>(),
        "missing": missing.collect::<Vec<_>>(),
        "scanners": report.scanners.iter().map(scanner_json).collect::<Vec<_>>(),
    })
}

/// A ticket that let in too often, for scripts.
pub(crate) fn double_json(double: &DoubleEntry) -> Value {
    let entry = |one: &LedgerEntry| {
        json!({
            "record": one.record_id, "at_ms": one.at_ms, "scanner": one.scanner, "door": one.door,
            "generation": one.generation, "persons": one.persons, "is_override": one.is_override,
            "is_extra": one.is_extra,
        })
    };
    let entries: Vec<_> = double.entries.iter().map(entry).collect();
    json!({ "ticket": double.ticket, "seat": double.seat, "entries": entries })
}

fn discounted_json(one: &DiscountedRecord) -> Value {
    let (name, fault) = match one.why {
        Discounted::NotProved { fault } => ("NotProved", Some(format!("{fault:?}"))),
        Discounted::ScannerRevoked => ("ScannerRevoked", None),
        Discounted::NoManifest => ("NoManifest", None),
    };
    json!({
        "record": one.record_id, "scanner": one.scanner, "at_ms": one.at_ms, "ticket": one.ticket, "why": name,
        "fault": fault,
    })
}

fn scanner_json(one: &HeardScanner) -> Value {
    json!({
        "scanner": one.scanner, "door": one.door, "is_here": one.is_here, "is_revoked": one.is_revoked,
        "chains": one.chains, "records": one.records, "heard_ms": one.heard_ms,
    })
}

fn text(report: &LedgerReport) -> String {
    let totals = [
        ("Entered", report.entered),
        ("Left", report.left),
        ("Records", report.records),
        ("Admissions that nothing proves", report.unprovable),
        ("Tickets that let in too often", number(report.double_entries.len())),
    ];
    let totals = totals.map(|(name, count)| vec![name.to_owned(), count.to_string()]);
    [
        table(&totals),
        doubles_text(&report.double_entries),
        forks_text(report),
        discounted_text(report),
        missing_text(report),
        scanners_text(report),
    ]
    .concat()
}

/// A heading and a table; nothing where there are no rows.
fn section(title: &str, header: &[&str], rows: Vec<Vec<String>>) -> String {
    if rows.is_empty() {
        return String::new();
    }
    format!("\n{title}\n{}", titled(header.iter().copied(), rows))
}

/// Every entry of tickets that let in too often, with its door, for people.
pub(crate) fn doubles_text(doubles: &[DoubleEntry]) -> String {
    let row = |double: &DoubleEntry, one: &LedgerEntry| {
        let notes = [(one.is_extra, "one too many"), (one.is_override, "let in by staff")];
        let notes: Vec<_> = notes.into_iter().filter(|(is, _)| *is).map(|(_, note)| note).collect();
        vec![
            double.ticket.clone(),
            double.seat.clone().unwrap_or_default(),
            time(one.at_ms),
            door(one.door.as_ref(), &one.scanner),
            one.generation.to_string(),
            one.persons.to_string(),
            one.record_id.clone(),
            notes.join(", "),
        ]
    };
    let rows = doubles.iter().flat_map(|double| double.entries.iter().map(move |one| row(double, one)));
    let header = ["TICKET", "SEAT", "TIME (UTC)", "DOOR", "GENERATION", "PERSONS", "RECORD", "NOTE"];
    section("Tickets that let in too often", &header, rows.collect())
}

fn forks_text(report: &LedgerReport) -> String {
    let row = |one: &LedgerFork| {
        vec![one.record_id.clone(), door_of(report, &one.scanner), one.records.to_string()]
    };
    let title = "Places with more than one record: a scanner signed all of them, and all count";
    section(title, &["PLACE", "DOOR", "RECORDS"], report.forks.iter().map(row).collect())
}

fn discounted_text(report: &LedgerReport) -> String {
    let row = |one: &DiscountedRecord| {
        vec![
            one.record_id.clone(),
            time(one.at_ms),
            door_of(report, &one.scanner),
            one.ticket.clone().unwrap_or_default(),
            match one.why {
                Discounted::NotProved { fault } => {
                    format!("its code proves nothing: {} ({fault:?})", why(fault))
                }
                Discounted::ScannerRevoked => "written after the scanner's last good record".to_owned(),
                Discounted::NoManifest => "no manifest yet to hold it against".to_owned(),
            },
        ]
    };
    let header = ["RECORD", "TIME (UTC)", "DOOR", "TICKET", "WHY"];
    section("Records that do not count", &header, report.discounted.iter().map(row).collect())
}

fn missing_text(report: &LedgerReport) -> String {
    let row = |one: &MissingRecords| {
        vec![door_of(report, &one.scanner), one.chain.clone(), one.from.to_string(), one.to.to_string()]
    };
    let title = "Records that were made and are not here";
    section(title, &["DOOR", "CHAIN", "FROM", "TO"], report.missing.iter().map(row).collect())
}

fn scanners_text(report: &LedgerReport) -> String {
    let row = |one: &HeardScanner| {
        let heard = match (one.is_here, one.heard_ms) {
            (true, _) => "this gate".to_owned(),
            (false, Some(at_ms)) => format!("{} ({})", time(at_ms), ago(age_s(at_ms))),
            (false, None) => "never".to_owned(),
        };
        let revoked = if one.is_revoked { "revoked" } else { "" };
        vec![
            one.scanner.clone(),
            one.door.clone().unwrap_or_default(),
            one.chains.to_string(),
            one.records.to_string(),
            heard,
            revoked.to_owned(),
        ]
    };
    let header = ["SCANNER", "DOOR", "CHAINS", "RECORDS", "HEARD (UTC)", "NOTE"];
    section("Scanners", &header, report.scanners.iter().map(row).collect())
}

/// The other scanners that were heard, for scripts.
pub(super) fn peers_json(report: &LedgerReport) -> Value {
    let peer = |(one, at_ms): (&HeardScanner, i64)| json!({ "scanner": one.scanner, "door": one.door, "heard_ms": at_ms, "age_s": age_s(at_ms) });
    peers(report).map(peer).collect()
}

/// The other scanners that were heard, a row each.
pub(super) fn peers_rows(report: &LedgerReport) -> impl Iterator<Item = Vec<String>> {
    peers(report).map(|(one, at_ms)| {
        vec![format!("Heard: {}", door(one.door.as_ref(), &one.scanner)), ago(age_s(at_ms))]
    })
}

fn peers(report: &LedgerReport) -> impl Iterator<Item = (&HeardScanner, i64)> {
    let others = report.scanners.iter().filter(|one| !one.is_here);
    others.filter_map(|one| Some((one, one.heard_ms?)))
}

/// How long ago something was, by this machine's clock.
fn age_s(at_ms: i64) -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (i64::try_from(now.as_millis()).unwrap_or(i64::MAX).saturating_sub(at_ms)).max(0) / 1000
}

/// A time with its seconds, for two doors may be as near as that.
fn time(at_ms: i64) -> String {
    let (minutes, seconds) = (utc(at_ms.div_euclid(1000)), at_ms.div_euclid(1000).rem_euclid(60));
    format!("{minutes}:{seconds:02}")
}

fn door(name: Option<&String>, scanner: &str) -> String {
    name.cloned().unwrap_or_else(|| format!("scanner {scanner}"))
}

fn door_of(report: &LedgerReport, scanner: &str) -> String {
    let named = report.scanners.iter().find(|one| one.scanner == scanner);
    door(named.and_then(|one| one.door.as_ref()), scanner)
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
