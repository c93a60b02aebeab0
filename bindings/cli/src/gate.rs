//! `gate`: staff let people in. Its store lies in a folder of its own beside the wallet's.

mod echo;
mod exchange;
mod link;
mod listen;
mod merged;
mod report;
mod scan;
mod words;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use ticket_wallet::Gate;
use ticket_wallet::host::HostClock;
use ticket_wallet::model::{
    GateCertification, GateReadiness, GateRecord, GateSection, GateStatistics, GateStatus, GateSyncReport,
    LedgerReport,
};

use crate::args::gate::{GateCareCommand, GateCommand};
use crate::care;
use crate::failure::Failure;
use crate::holder::{secret, utc};
use crate::home::{self, Place, Store};
use crate::output::{Output, one_line, table};

pub(crate) use report::{double_json, doubles_text};

/// Opens the gate beside the wallet in `folder`, and makes it where there is none.
pub(crate) fn open_in(folder: &Path, clock: Option<Arc<dyn HostClock>>) -> Result<Gate, Failure> {
    let (config, vault) = home::parts(&Store::Gate.folder(folder))?;
    Ok(Gate::open(config, vault, clock, None)?)
}

/// Opens the gate beside the wallet in the folder that was named; makes none.
fn open(folder: Option<PathBuf>) -> Result<Gate, Failure> {
    let (config, vault) = Place::of(Store::Gate, folder)?.parts()?;
    Ok(Gate::open(config, vault, None, None)?)
}

pub(crate) async fn run(
    folder: Option<PathBuf>,
    command: GateCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let gate = match command {
        GateCommand::SignIn(_) => open_in(&home::folder(folder)?, None)?,
        _ => open(folder)?,
    };
    match command {
        GateCommand::SignIn(mut options) => {
            let code = options.code.take().map_or_else(|| secret("Admission code"), Ok)?;
            status(&gate.sign_in(options.with_code(code)).await?, output)?;
        }
        GateCommand::Prepare => status(&gate.prepare().await?, output)?,
        GateCommand::Status => status(&gate.status()?, output)?,
        GateCommand::Scan(options) => {
            return scan::run(options, output, "ADMITTED", |code, n| gate.scan(code, n));
        }
        GateCommand::Exit(options) => {
            return scan::run(options, output, "LEFT", |code, n| gate.exit(code, n));
        }
        GateCommand::Undo { record } => {
            let undone = gate.undo(record)?;
            output.either(&record_json(&undone), || format!("Taken back. Record {}.", undone.id))?;
        }
        GateCommand::Override { record, reason } => {
            let written = gate.override_refusal(record, reason)?;
            output.either(&record_json(&written), || format!("Let in. Record {}.", written.id))?;
        }
        GateCommand::Stats => statistics(&gate.statistics()?, &gate.report()?, output)?,
        GateCommand::Records { limit } => records(&gate.records(limit)?, output)?,
        GateCommand::Sync => {
            let report = gate.sync().await?;
            output.either(&report_json(report), || report_text(report))?;
        }
        GateCommand::Listen(options) => return listen::listen(gate, options, output).await,
        GateCommand::Connect(options) => return listen::connect(gate, options, output).await,
        GateCommand::Export { file } => merged::export(&gate, &file, output)?,
        GateCommand::Merge { files } => merged::merge(&gate, &files, output)?,
        GateCommand::Report => report::show(&gate.report()?, output)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The care of the gate's store.
pub(crate) async fn care_for(
    folder: Option<PathBuf>,
    command: GateCareCommand,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let place = Place::of(Store::Gate, folder)?;
    match command {
        GateCareCommand::Doctor => return care::doctor(&place, output),
        GateCareCommand::Recover => care::recover(&place, output)?,
        GateCareCommand::Rekey => care::rekey(&place.open()?, output)?,
        GateCareCommand::Wipe { yes, discard_unsent } => {
            care::wipe(&place, yes, discard_unsent, output).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn status(status: &GateStatus, output: &Output) -> Result<(), Failure> {
    output.either(&status_json(status), || {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let time = |value: Option<i64>| value.map(utc).unwrap_or_default();
        let sections: Vec<_> = status.sections.iter().map(|section| section.name.as_str()).collect();
        let sections = if sections.is_empty() { "all".to_owned() } else { sections.join(", ") };
        let clock =
            if status.clock.confirmed { "confirmed by a server" } else { "this device's own, not confirmed" };
        let mut rows = vec![("Gate", readiness_text(status.readiness).to_owned())];
        if status.readiness != GateReadiness::NotSignedIn {
            rows.extend([
                ("Door", text(&status.name)),
                ("Event", text(&status.event)),
                ("Scanner", text(&status.scanner)),
                ("Sections", sections),
                ("Manifest", status.manifest_sequence.map(|n| n.to_string()).unwrap_or_default()),
                ("As of (UTC)", time(status.manifest_as_of)),
                ("Resale ends (UTC)", time(status.closes_at)),
                ("Tickets", status.tickets.to_string()),
                ("Not sent", status.unsent.to_string()),
            ]);
            rows.extend(certification_text(status.certification).map(|text| ("Certificate", text)));
        }
        rows.push(("Time", clock.to_owned()));
        table(&rows.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect::<Vec<_>>())
    })
}

/// What a status says to scripts.
pub(crate) fn status_json(status: &GateStatus) -> Value {
    json!({
        "readiness": format!("{:?}", status.readiness), "name": status.name, "event": status.event,
        "scanner": status.scanner, "sections": status.sections.iter().map(section_json).collect::<Vec<_>>(),
        "manifest_sequence": status.manifest_sequence, "manifest_as_of": status.manifest_as_of,
        "closes_at": status.closes_at, "tickets": status.tickets, "unsent": status.unsent,
        "certification": certification_json(status.certification),
        "clock": { "confirmed": status.clock.confirmed, "error_ms": status.clock.error_ms },
    })
}

/// What a scanner's certificate says of now, and what helps; nothing where there is none.
pub(crate) fn certification_text(certification: GateCertification) -> Option<String> {
    let refused = "other gates refuse what is recorded now";
    let again = "sign in again: ticket-wallet gate sign-in";
    Some(match certification {
        GateCertification::NotNeeded => return None,
        GateCertification::Valid { until: None } => "valid".to_owned(),
        GateCertification::Valid { until: Some(at) } => format!("valid until {} UTC", utc(at)),
        GateCertification::NotYetValid { from } => {
            format!("not valid before {} UTC: {refused}; if this device's time is right, {again}", utc(from))
        }
        GateCertification::Expired { at } => format!("expired {} UTC: {refused}; {again}", utc(at)),
        GateCertification::Unreadable => format!("cannot be read: {refused}; {again}"),
    })
}

/// The same for scripts; `null` where there is none.
pub(crate) fn certification_json(certification: GateCertification) -> Value {
    match certification {
        GateCertification::NotNeeded => Value::Null,
        GateCertification::Valid { until } => json!({ "state": "Valid", "until": until }),
        GateCertification::NotYetValid { from } => json!({ "state": "NotYetValid", "from": from }),
        GateCertification::Expired { at } => json!({ "state": "Expired", "at": at }),
        GateCertification::Unreadable => json!({ "state": "Unreadable" }),
    }
}

fn section_json(section: &GateSection) -> Value {
    json!({ "code": section.code, "name": section.name })
}

fn readiness_text(readiness: GateReadiness) -> &'static str {
    match readiness {
        GateReadiness::NotSignedIn => "not signed in; ticket-wallet gate sign-in",
        GateReadiness::NotPrepared => "not prepared; ticket-wallet gate prepare, while there is a network",
        GateReadiness::ReadyWithOldData => {
            "ready, but tickets could still change hands since; prepare again when resale has ended"
        }
        GateReadiness::Ready => "ready",
    }
}

fn statistics(counted: &GateStatistics, heard: &LedgerReport, output: &Output) -> Result<(), Failure> {
    let refusals = || counted.refusals.iter().map(|one| (format!("{:?}", one.verdict), one.count));
    let by_verdict: serde_json::Map<_, _> = refusals().map(|(name, count)| (name, json!(count))).collect();
    let value = json!({
        "entered": counted.entered, "left": counted.left, "overridden": counted.overridden, "undone": counted.undone,
        "refusals": by_verdict, "unsent": counted.unsent, "peers": report::peers_json(heard),
    });
    output.either(&value, || {
        let counts = [
            ("Entered", counted.entered),
            ("Left", counted.left),
            ("Let in against a verdict", counted.overridden),
            ("Taken back", counted.undone),
            ("Records not sent", counted.unsent),
        ];
        let counts = counts.into_iter().map(|(name, count)| vec![name.to_owned(), count.to_string()]);
        let refusals = refusals().map(|(name, count)| vec![format!("Refused: {name}"), count.to_string()]);
        table(&counts.chain(refusals).chain(report::peers_rows(heard)).collect::<Vec<_>>())
    })
}

fn records(found: &[GateRecord], output: &Output) -> Result<(), Failure> {
    output.either(&found.iter().map(record_json).collect(), || {
        if found.is_empty() {
            return "No records.".to_owned();
        }
        let header = ["RECORD", "TIME (UTC)", "KIND", "VERDICT", "TICKET", "PERSONS", "SENT", "NOTE"];
        let rows = found.iter().map(|one| {
            vec![
                one.id.clone(),
                utc(one.at_ms.div_euclid(1000)),
                format!("{:?}", one.kind),
                format!("{:?}", one.verdict),
                one.ticket.clone().unwrap_or_default(),
                one.persons.to_string(),
                if one.is_sent { "yes" } else { "no" }.to_owned(),
                one.conflict.clone().or_else(|| one.override_reason.clone()).unwrap_or_default(),
            ]
        });
        let header = header.map(str::to_owned).to_vec();
        table(&std::iter::once(header).chain(rows).collect::<Vec<_>>())
    })
}

fn record_json(record: &GateRecord) -> Value {
    json!({
        "record": record.id, "kind": format!("{:?}", record.kind), "verdict": format!("{:?}", record.verdict),
        "at_ms": record.at_ms, "ticket": record.ticket, "generation": record.generation, "persons": record.persons,
        "override_reason": record.override_reason, "is_sent": record.is_sent, "conflict": record.conflict,
    })
}

/// What a sync did, for scripts.
pub(crate) fn report_json(report: GateSyncReport) -> Value {
    json!({ "sent": report.sent, "conflicts": report.conflicts, "unsent": report.unsent, "received": report.received })
}

/// What a sync did, for people.
pub(crate) fn report_text(report: GateSyncReport) -> String {
    let GateSyncReport { sent, conflicts, unsent, received } = report;
    let conflicts = match conflicts {
        0 => String::new(),
        _ => format!(" The server holds something against {conflicts}: ticket-wallet gate records."),
    };
    let received = match received {
        0 => String::new(),
        _ => format!(" New records of other gates: {received}."),
    };
    format!("Records handed over: {sent}; waiting: {unsent}.{received}{conflicts}")
}

/// A section's name and the seat, as staff read them.
fn place(section: Option<&GateSection>, seat: Option<&str>) -> String {
    let section = section.map(|section| section.name.as_str());
    one_line(&section.into_iter().chain(seat).collect::<Vec<_>>().join(", "))
}
