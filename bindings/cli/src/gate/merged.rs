//! What a merge did, and ledgers in files.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use ticket_wallet::Gate;
use ticket_wallet::model::MergeReport;

use super::report::{double_json, doubles_text};
use crate::failure::Failure;
use crate::output::{Output, one_line};

/// So many reasons are told to people.
const MOST_REASONS: usize = 5;

/// Writes all that is here into a file.
pub(super) fn export(gate: &Gate, file: &Path, output: &Output) -> Result<(), Failure> {
    let records = gate.export_ledger(name(file)?)?;
    output.either(&json!({ "file": file, "records": records }), || {
        format!("Records in {}: {records}.", file.display())
    })
}

/// Merges one file after the other, and tells each before the next.
pub(super) fn merge(gate: &Gate, files: &[PathBuf], output: &Output) -> Result<(), Failure> {
    for file in files {
        let merged = gate.merge_file(name(file)?)?;
        let mut value = json!({ "file": file });
        extend(&mut value, &merged);
        output.either(&value, || format!("{}: {}", file.display(), text(&merged)))?;
    }
    Ok(())
}

fn name(file: &Path) -> Result<String, Failure> {
    let name = file.to_str().map(str::to_owned);
    name.ok_or_else(|| Failure::Usage("the file's name is not UTF-8".to_owned()))
}

/// Adds what a merge did, for scripts.
pub(super) fn extend(value: &mut Value, merged: &MergeReport) {
    let refused = merged.refused.iter().map(|one| json!({ "index": one.index, "reason": one.reason }));
    value["added"] = json!(merged.added);
    value["repeated"] = json!(merged.repeated);
    value["admissions"] = json!(merged.admissions);
    value["discounted"] = json!(merged.discounted);
    value["refused"] = refused.collect();
    value["double_entries"] = merged.double_entries.iter().map(double_json).collect();
}

/// What a merge did, for people.
pub(super) fn text(merged: &MergeReport) -> String {
    let MergeReport { added, admissions, discounted, .. } = merged;
    let mut said = format!("New records: {added}, of them {admissions} admissions");
    if *discounted > 0 {
        said += &format!("; {discounted} do not count (ticket-wallet gate report says why)");
    }
    said += ".\n";
    if !merged.refused.is_empty() {
        said += &format!("Not taken on, as forged or foreign: {}.\n", merged.refused.len());
        let reasons = merged.refused.iter().take(MOST_REASONS);
        said +=
            &reasons.map(|one| format!("  {}: {}\n", one.index, one_line(&one.reason))).collect::<String>();
    }
    said + &doubles_text(&merged.double_entries)
}
