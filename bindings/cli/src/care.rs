//! The care of a wallet, and of the gate beside it: what is wrong with it, and how it is made usable again.

use std::process::ExitCode;

use serde_json::{Map, Value, json};
use ticket_wallet::{AccountDiagnosis, Diagnosis, RecoveryReport, Wallet, diagnose_wallet, recover_wallet};

use crate::confirm::confirm;
use crate::failure::Failure;
use crate::gate::{certification_json, certification_text};
use crate::holder::state_text;
use crate::home::{self, Place, Store};
use crate::output::{Output, one_line};

/// What the doctor's exit code is for a store that is not there, does not open or is damaged.
const ILL: u8 = 9;

/// Says how it stands; one that does not open is an answer too.
pub(crate) fn doctor(place: &Place, output: &Output) -> Result<ExitCode, Failure> {
    let (config, vault) = home::parts(&place.folder)?;
    let diagnosis = diagnose_wallet(config, vault, None);
    output.either(&diagnosis_json(&diagnosis), || diagnosis_text(&diagnosis, place))?;
    let is_well = diagnosis.problem.is_none() && diagnosis.files.sound != Some(false);
    Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::from(ILL) })
}

pub(crate) fn recover(place: &Place, output: &Output) -> Result<(), Failure> {
    let (config, vault) = home::parts(&place.folder)?;
    let report = recover_wallet(config, vault)?;
    output.either(&report_json(&report), || report_text(&report, place))
}

/// Signs an account out, with everything that is its own.
pub(crate) async fn logout(
    wallet: &Wallet,
    account: String,
    discard_changes: bool,
    output: &Output,
) -> Result<(), Failure> {
    wallet.sign_out(account.clone(), discard_changes).await?;
    output.either(&json!({ "signed_out": account }), || {
        "Signed out. Its tickets, barcodes and keys are gone from this device.".to_owned()
    })
}

pub(crate) fn rekey(wallet: &Wallet, output: &Output) -> Result<(), Failure> {
    wallet.rekey()?;
    output.either(&json!({ "rekeyed": true }), || "The database has a new key.".to_owned())
}

/// Deletes it, and asks before. Records that no server has are told, and go only when that is said.
pub(crate) async fn wipe(
    place: &Place,
    yes: bool,
    discard_unsent: bool,
    output: &Output,
) -> Result<(), Failure> {
    let wallet = place.open()?;
    if place.store == Store::Gate && !discard_unsent {
        nothing_is_unsent(&wallet, place)?;
    }
    confirm(yes, &format!("Delete the {} in {}", place.store.name(), place.folder.display()), output)?;
    wallet.wipe().await?;
    output.either(&json!({ "wiped": true }), || format!("The {} is deleted.", place.store.name()))
}

fn nothing_is_unsent(wallet: &Wallet, place: &Place) -> Result<(), Failure> {
    let unsent = match wallet.diagnose() {
        Ok(Diagnosis { unsent_records: 0, .. }) => return Ok(()),
        Ok(Diagnosis { unsent_records, .. }) => unsent_records.to_string(),
        Err(_) => "an unknown number of".to_owned(),
    };
    let command = place.store.command();
    Err(Failure::Usage(format!(
        "{unsent} records are handed over to no server yet; {command} sync, or say --discard-unsent"
    )))
}

fn diagnosis_json(diagnosis: &Diagnosis) -> Value {
    let files = &diagnosis.files;
    let time = diagnosis.time.as_ref().map(|time| {
        json!({
            "unix_ms": time.unix_ms, "confirmed": time.uncertainty.confirmed,
            "error_ms": time.uncertainty.error_ms, "age_ms": time.uncertainty.age_ms,
        })
    });
    let account = |one: &AccountDiagnosis| {
        let claims: Map<_, _> =
            one.claims.iter().map(|claim| (claim.name.clone(), claim.value.clone().into())).collect();
        json!({
            "account": one.account.id, "system": one.account.system.as_text(), "url": one.account.url,
            "state": format!("{:?}", one.account.state), "tickets": one.tickets, "barcodes": one.barcodes,
            "waiting": one.waiting, "undecided": one.undecided, "claims": claims,
        })
    };
    json!({
        "problem": diagnosis.problem, "advice": diagnosis.advice,
        "recovery": diagnosis.recovery.map(|why| format!("{why:?}")),
        "files": {
            "database_bytes": files.database_bytes, "log_bytes": files.log_bytes, "schema": files.schema,
            "sound": files.sound, "kept": files.kept,
        },
        "time": time, "accounts": diagnosis.accounts.iter().map(account).collect::<Vec<_>>(),
        "keys_to_delete": diagnosis.keys_to_delete,
        "records": diagnosis.records, "unsent_records": diagnosis.unsent_records,
        "certification": certification_json(diagnosis.certification),
    })
}

fn diagnosis_text(diagnosis: &Diagnosis, place: &Place) -> String {
    let files = &diagnosis.files;
    let stands = match (&diagnosis.problem, files.sound) {
        (Some(problem), _) => format!("does not open: {problem}"),
        (None, Some(false)) => "opens, and pages of it are damaged".to_owned(),
        (None, _) => "opens, and every page of it is sound".to_owned(),
    };
    let name = if place.store == Store::Gate { "Gate" } else { "Wallet" };
    let mut lines = vec![format!("{name:<10}{stands}")];
    if diagnosis.recovery.is_some() || files.sound == Some(false) {
        lines.push(format!(
            "          `{} recover` makes it usable again and deletes nothing",
            place.store.command()
        ));
    }
    let schema = files.schema.map_or_else(String::new, |schema| format!(", schema {schema}"));
    lines.push(format!(
        "Files     database {} bytes, log {} bytes{schema}",
        files.database_bytes, files.log_bytes
    ));
    lines.extend(files.kept.iter().map(|kept| format!("          {kept}: files put aside by a recovery")));
    if let Some(time) = &diagnosis.time {
        let sure = match time.uncertainty.error_ms {
            Some(error) => format!("confirmed by a server, at most {error} ms off"),
            None => "the device's own, confirmed by no server since its start".to_owned(),
        };
        lines.push(format!("Time      {} ({sure})", time.unix_ms / 1000));
    }
    lines.extend(diagnosis.accounts.iter().flat_map(account_lines));
    if diagnosis.keys_to_delete > 0 {
        lines.push(format!("Keys      {} to delete from the vault", diagnosis.keys_to_delete));
    }
    if diagnosis.records > 0 {
        let Diagnosis { records, unsent_records, .. } = diagnosis;
        lines.push(format!("Ledger    {records} records, {unsent_records} of them handed over to no server"));
    }
    lines.extend(
        certification_text(diagnosis.certification).map(|text| format!("Scanner   certificate {text}")),
    );
    let beside = Place::beside(Store::Gate, &place.folder);
    if place.store == Store::Wallet && beside.is_there().unwrap_or(true) {
        lines.push("Gate      there is one beside it: ticket-wallet gate doctor".to_owned());
    }
    lines.join("\n")
}

fn account_lines(one: &AccountDiagnosis) -> Vec<String> {
    let account = &one.account;
    let mut lines = vec![format!(
        "Account   {} {}: {}, {} tickets, {} barcodes, {} changes waiting, {} undecided",
        account.id,
        account.url,
        state_text(account.state),
        one.tickets,
        one.barcodes,
        one.waiting,
        one.undecided
    )];
    if !one.claims.is_empty() {
        lines.push("          its token says (not verified here):".to_owned());
    }
    lines.extend(
        one.claims.iter().map(|claim| format!("            {}  {}", claim.name, one_line(&claim.value))),
    );
    lines
}

fn report_json(report: &RecoveryReport) -> Value {
    json!({
        "why": report.why.map(|why| format!("{why:?}")), "kept_in": report.kept_in, "accounts": report.accounts,
        "credentials": report.credentials, "outbox": report.outbox, "records": report.records,
        "pages": report.pages, "damaged_pages": report.damaged_pages,
    })
}

fn report_text(report: &RecoveryReport, place: &Place) -> String {
    let Some(kept) = &report.kept_in else {
        return format!("The {} is sound; nothing was changed.", place.store.name());
    };
    let (saved, next) = if place.store == Store::Gate {
        (format!("{} records", report.records), "ticket-wallet gate sync".to_owned())
    } else {
        let RecoveryReport { accounts, credentials, outbox, .. } = report;
        let saved =
            format!("{accounts} accounts, {credentials} barcodes, {outbox} changes that were not sent");
        (saved, "ticket-wallet sync, and ticket-wallet outbox list".to_owned())
    };
    format!(
        "Recovered. Saved: {saved} ({} of {} pages could not be read).\nThe old files are in {kept}. Next: {next}.",
        report.damaged_pages, report.pages
    )
}
