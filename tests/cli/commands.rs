//! Every command there is has a test: the command's own help is walked, and each leaf must stand in a test of this folder.

use std::fs;

use crate::command::{run, ticket_wallet};
use crate::support::root;

/// The commands that a help page lists.
fn listed(help: &str) -> Vec<String> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let entries = lines.take_while(|line| line.starts_with("  "));
    // Deeper lines go on with a description.
    let names =
        entries.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next());
    names.filter(|name| *name != "help").map(str::to_owned).collect()
}

/// The help of a command; it says what the command is for.
fn help(path: &[String]) -> String {
    let help = run(ticket_wallet(path).arg("--help"), b"").text();
    let purpose = help.lines().next().unwrap();
    assert!(purpose.len() > 10 && !purpose.starts_with("Usage"), "{path:?}: {purpose}");
    help
}

/// All commands that have no commands of their own.
fn leaves(path: &[String], found: &mut Vec<Vec<String>>) {
    let names = listed(&help(path));
    if names.is_empty() {
        found.push(path.to_vec());
    }
    for name in names {
        leaves(&[path, &[name]].concat(), found);
    }
}

/// What the tests of this folder run, as they are written, but without breaks of lines.
fn written() -> String {
    let folder = fs::read_dir(root().join("tests/cli")).unwrap();
    let files = folder.map(|entry| entry.unwrap().path()).filter(|path| !path.ends_with("commands.rs"));
    let text: String = files.map(|path| fs::read_to_string(path).unwrap()).collect();
    text.split_whitespace().collect()
}

/// The leaves that no test runs: a test names a command as the beginning of a list of arguments.
fn without_test(leaves: &[Vec<String>], written: &str) -> Vec<String> {
    let begins = |leaf: &&Vec<String>| {
        let names: Vec<_> = leaf.iter().map(|name| format!("\"{name}\"")).collect();
        let list = format!("[{}", names.join(","));
        !["]", ","].iter().any(|end| written.contains(&format!("{list}{end}")))
    };
    leaves.iter().filter(begins).map(|leaf| leaf.join(" ")).collect()
}

#[test]
fn every_command_has_a_test() {
    let mut found = Vec::new();
    leaves(&[], &mut found);
    assert!(found.len() > 40, "{found:?}");
    assert!(found.iter().any(|leaf| *leaf == ["box-office", "writes", "look-up"]));
    let missing = without_test(&found, &written());
    assert!(missing.is_empty(), "no test in tests/cli runs: {missing:?}");
}

/// The control: a command that nothing runs is named.
#[test]
fn a_command_without_a_test_is_noticed() {
    let leaf = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let leaves = [leaf(&["sync"]), leaf(&["tickets", "fold"]), leaf(&["tickets", "folder"])];
    let written = r#"f(&["sync"]); g(&["tickets","folder","1"]);"#;
    assert_eq!(without_test(&leaves, written), ["tickets fold"]);
    assert_eq!(without_test(&leaves, "\"sync\""), ["sync", "tickets fold", "tickets folder"]);
    assert_eq!(listed("Commands:\n  a    x\n       more\n  b    y\n  help\n\nOptions:\n  -c\n"), ["a", "b"]);
}
