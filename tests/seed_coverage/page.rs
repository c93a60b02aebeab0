//! `docs/coverage.md`: the rows, the requests that each names, and the steps that made them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::claims::Claim;
use crate::seed_rows::{Row, SEEDS};

const HEAD: &str = "# What the systems' documents say, and where it is shown

Each row is something that a document says: an endpoint, a field, a value, a state, an address or a member of an example, with
the words around it, or a whole sentence. Beside it stands a request that the sandbox recorded, with the status of its answer
(`*` is any one part of a path, or any value), and the step of one test run that made it and asserts what the row says:
`bam_holder::filters_by_pdf` is a function of `tests/seed_coverage/bam_holder.rs`.

The steps use the wallet and the box office. The fields of a list that neither asks for are sent by the client that both stand
on, and what people do in a browser or in a shop is sent as such. Of errors the documents but TickeTing's say little or nothing:
what becomes of them is shown by `tests/bam_*.rs`, `tests/unidy_*.rs`, `tests/texpo_*.rs` and `tests/session.rs`. *Heading only*
is a heading of a reference below which it names no operation: nothing is made up for it.

`cargo test -p ticket-wallet --test seed_coverage` reads the rows out of the documents in `tests/fixtures/seeds`, makes the run,
and fails for a row without a recorded request, for a request that belongs to no row, and where this page is not what it found;
`TICKET_WALLET_WRITE_COVERAGE=1` has it write the page.
";

/// The page as it should be.
pub(crate) fn page(rows: &[Row], claims: &[Claim]) -> String {
    let mut page = HEAD.to_owned();
    for seed in &SEEDS {
        let of_seed: Vec<_> = rows.iter().filter(|row| row.seed == seed.name).collect();
        let title = format!("\n## {} ({} rows)\n", seed.title, of_seed.len());
        writeln!(page, "{title}\n| line | what it says | request | shown by |\n| --- | --- | --- | --- |")
            .unwrap();
        let mut before = "";
        for row in of_seed {
            let about = |claim: &&Claim| claim.is_about(row);
            if row.is_heading_only() {
                writeln!(page, "| {} | {} | *heading only* | |", row.line, row.id).unwrap();
                before = "";
                continue;
            }
            let requests = cell(claims.iter().filter(about).map(|claim| claim.asked.to_string()));
            let steps = cell(claims.iter().filter(about).map(|claim| claim.step.to_owned()));
            writeln!(page, "| {} | {} | {requests} | {steps} |", row.line, said(row, before)).unwrap();
            before = &row.text;
        }
    }
    page
}

/// What is said, each once, line by line.
fn cell(texts: impl Iterator<Item = String>) -> String {
    let mut lines: Vec<_> = texts.map(|text| format!("`{text}`")).collect();
    lines.dedup();
    lines.join("<br>")
}

/// A sentence as it stands; anything else as code, with the words around it unless the row before has them.
fn said(row: &Row, before: &str) -> String {
    let said = match row.is_sentence() {
        true => row.id.clone(),
        false if row.text == before || row.text == row.id => format!("`{}`", row.id),
        false => format!("`{}`<br>{}", row.id, row.text),
    };
    said.replace('|', "\\|")
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
