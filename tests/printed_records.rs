//! Promise: a record that holds what no log may show prints its name alone, in Rust, in Kotlin and in Swift.
#![allow(clippy::unwrap_used, missing_docs)]

use std::fs;
use std::path::Path;

/// The line that gives a record's `Debug` to the other languages; without it they print every member.
const HANDED_OUT: &str = "#[uniffi::export(Debug)]";
const ANY_RECORD: &str = "uniffi::Record";

fn sources(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![fs::read_to_string(path).unwrap()] })
        .collect()
}

/// The names in each `opaque_debug!` of a source.
fn opaque(source: &str) -> Vec<&str> {
    let lists = source.split("opaque_debug!(").skip(1).filter_map(|rest| rest.split_once(')'));
    lists.flat_map(|(names, _)| names.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// The attributes above a type of a source.
fn attributes<'a>(source: &'a str, name: &str) -> Option<&'a str> {
    let declared = ["struct", "enum"].iter().find_map(|kind| {
        let at = source.find(&format!("pub {kind} {name} "))?;
        Some(&source[..at])
    })?;
    let begin = declared.rfind("\n\n").unwrap_or_default();
    Some(&declared[begin..])
}

/// The opaque records of a source.
fn records(source: &str) -> Vec<&str> {
    let mut names = opaque(source);
    names.retain(|name| attributes(source, name).is_some_and(|above| above.contains(ANY_RECORD)));
    names
}

/// The opaque records of a source that print their content in the other languages.
fn printed(source: &str) -> Vec<&str> {
    let mut names = records(source);
    names.retain(|name| attributes(source, name).is_some_and(|above| !above.contains(HANDED_OUT)));
    names
}

#[test]
fn every_opaque_record_prints_its_name_in_the_other_languages() {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    let handed_out: usize = sources.iter().map(|source| source.matches(HANDED_OUT).count()).sum();
    assert!(handed_out > 25, "{handed_out}");
    let found: Vec<_> = sources.iter().flat_map(|source| printed(source)).collect();
    assert_eq!(found, Vec::<&str>::new(), "these lack {HANDED_OUT}");
}

/// Swift's reflection (`dump`, the debugger) goes round the printed name, so that each record turns it off.
#[test]
fn no_opaque_record_is_open_to_reflection_in_swift() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let closed = fs::read_to_string(root.join("ios/Sources/TicketWallet/Redacted.swift")).unwrap();
    let sources = sources(&root.join("src"));
    let is_open = |name: &&str| !closed.contains(&format!("extension {name}: Redacted {{}}"));
    let open: Vec<_> = sources.iter().flat_map(|source| records(source)).filter(is_open).collect();
    assert_eq!(open, Vec::<&str>::new(), "Redacted.swift lacks these");
}

/// The control: one that has the line, one that lacks it, one that other languages never see.
#[test]
fn a_record_that_prints_its_content_is_found() {
    let made_up = format!(
        "#[derive(uniffi::Record)]\n{HANDED_OUT}\npub struct A {{}}\n\n#[derive(uniffi::Record)]\npub struct B {{}}\n\n\
         #[derive(Clone)]\npub struct C {{}}\n\nopaque_debug!(\n    A,\n    B, C,\n);\n"
    );
    assert_eq!(printed(&made_up), ["B"]);
}
