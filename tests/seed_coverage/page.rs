//! `docs/coverage.md`: the rows, the requests that each names, and the steps that made them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::claims::Claim;
use crate::seed_rows::{Row, SEEDS};

const HEAD: &str = "# What the systems' documents say, and where it is shown

Each row is something that a document says: an endpoint, a field, a value, a state, an address, a member of an example, or
a sentence. Beside it stand a request that the sandbox recorded, with the status of its answer (`*` is any one part of a
path), and the step of one test run that made it and asserts what the row says: `bam_holder::filters_by_pdf` is a function of
`tests/seed_coverage/bam_holder.rs`.

`cargo test -p ticket-wallet --test seed_coverage` derives the rows from the documents in `tests/fixtures/seeds`, makes the run,
and fails for a row without such a request, for a request that belongs to no row, and when this page is not what it found;
`TICKET_WALLET_WRITE_COVERAGE=1` has it write the page. Neither document names an error; what the wallet makes of errors is
in `tests/bam_*.rs`, `tests/unidy_*.rs` and `tests/session.rs`.
";

/// The page as it should be.
pub(crate) fn page(rows: &[Row], claims: &[Claim]) -> String {
    let mut page = HEAD.to_owned();
    for seed in &SEEDS {
        let of_seed: Vec<_> = rows.iter().filter(|row| row.seed == seed.name).collect();
        let title = format!("\n## {} ({} rows)\n", seed.title, of_seed.len());
        writeln!(page, "{title}\n| line | what it says | request | shown by |\n| --- | --- | --- | --- |")
            .unwrap();
        for row in of_seed {
            let of_row: Vec<_> = claims.iter().filter(|claim| claim.is_about(row)).collect();
            let requests: Vec<_> = of_row.iter().map(|claim| format!("`{}`", claim.asked)).collect();
            let mut steps: Vec<_> = of_row.iter().map(|claim| format!("`{}`", claim.step)).collect();
            steps.dedup();
            let said = said(row);
            let (requests, steps) = (requests.join("<br>"), steps.join("<br>"));
            writeln!(page, "| {} | {said} | {requests} | {steps} |", row.line).unwrap();
        }
    }
    page
}

/// A sentence as it stands, anything else as code.
fn said(row: &Row) -> String {
    match row.is_sentence() {
        true => row.id.replace('|', "\\|"),
        false => format!("`{}`", row.id.replace('|', "\\|")),
    }
}

/// Compares the committed page with what it should be, or writes it.
pub(crate) fn is_current(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/coverage.md");
    if std::env::var_os("TICKET_WALLET_WRITE_COVERAGE").is_some() {
        fs::write(&path, page).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    let differs = committed.lines().zip(page.lines()).find(|(committed, found)| committed != found);
    assert!(
        committed == page,
        "docs/coverage.md is not what this run found, first here: {differs:?}\n\
         TICKET_WALLET_WRITE_COVERAGE=1 cargo test -p ticket-wallet --test seed_coverage writes it anew"
    );
}
