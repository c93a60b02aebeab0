//! Promise: each layer uses only what stands below it, and no file is too long to read.
#![allow(clippy::unwrap_used)]

#[path = "support/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use source::{identifiers, paths, uses};

/// From the bottom to the top. Modules of the lowest layer may use each other; higher up only what stands below.
const LAYERS: [&[&str]; 5] = [
    &[
        "admission",
        "barcode",
        "bytes",
        "clock",
        "config",
        "error",
        "events",
        "host",
        "ledger",
        "manifest",
        "model",
        "opaque",
        "resale",
    ],
    &["device"],
    &["store", "remote"],
    &["sync", "document", "presentation"],
    &["wallet", "gate", "box_office", "issuer", "checker"],
];
/// What the lowest layer gets as arguments instead of reaching for it: the network, the database.
const NO_SERVICES: [&str; 3] = ["tokio", "reqwest", "rusqlite"];
/// The same for time, randomness and files; the files under `host/` are what brings these in.
const NO_AMBIENT_NAMES: [&str; 6] = ["SystemTime", "Instant", "rand", "SystemRandom", "OsRng", "getrandom"];
const NO_AMBIENT_PATHS: [[&str; 2]; 2] = [["std", "fs"], ["std", "net"]];
const MAX_LINES: usize = 500;

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn may_use(from: &str, to: &str) -> bool {
    match (layer(from), layer(to)) {
        (Some(from_layer), Some(to_layer)) => {
            from == to || to_layer < from_layer || from_layer + to_layer == 0
        }
        _ => false,
    }
}

/// The names that `lib.rs` lifts to the top, and the modules they come from.
fn lifted(lib: &str) -> BTreeMap<String, String> {
    let top = uses(lib).into_iter().filter(|path| layer(&path[0]).is_some());
    top.map(|path| (path[path.len() - 1].clone(), path[0].clone())).collect()
}

/// The module that a path leads to, `None` for one outside the crate or inside the file's own module.
fn target<'a>(
    path: &'a [String],
    module_path: &[&str],
    lifted: &'a BTreeMap<String, String>,
) -> Option<&'a str> {
    let ups = path.iter().take_while(|part| *part == "super").count();
    let below_top = match path[0].as_str() {
        "crate" => &path[1..],
        "super" if ups >= module_path.len() => &path[ups..],
        _ => return None,
    };
    let first = below_top.first()?.as_str();
    Some(lifted.get(first).map_or(first, String::as_str))
}

/// What a file of the crate uses that it may not. `file` is its path below `src`.
fn faults(file: &str, source: &str, lifted: &BTreeMap<String, String>) -> Vec<String> {
    let module_path: Vec<_> = file.trim_end_matches(".rs").trim_end_matches("/mod").split('/').collect();
    let module = module_path[0];
    let Some(own_layer) = layer(module) else { return vec![format!("{file}: {module} has no layer")] };
    let paths = paths(source);
    let targets = paths.iter().filter_map(|path| target(path, &module_path, lifted).map(|to| (path, to)));
    let arrows = targets.filter(|(_, to)| !may_use(module, to)).map(|(path, _)| path.join("::"));
    let mut found: Vec<_> = arrows.collect();
    if own_layer == 0 {
        found.extend(identifiers(source).into_iter().filter(|name| is_barred(file, name)));
        let ambient = paths
            .iter()
            .filter(|path| NO_AMBIENT_PATHS.iter().any(|barred| path.starts_with(&barred.map(String::from))));
        found.extend(ambient.filter(|_| !file.starts_with("host/")).map(|path| path.join("::")));
    }
    found.into_iter().map(|what| format!("{file} uses {what}")).collect()
}

fn is_barred(file: &str, name: &str) -> bool {
    NO_SERVICES.contains(&name) || (!file.starts_with("host/") && NO_AMBIENT_NAMES.contains(&name))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file under a folder, but for what builds leave behind.
fn files_under(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let left_behind = |path: &PathBuf| {
        [".git", ".venv", "target", "build", ".build", ".gradle"].iter().any(|name| path.ends_with(name))
    };
    let of = |path: PathBuf| if path.is_dir() { files_under(&path) } else { vec![path] };
    entries.filter(|path| !left_behind(path)).flat_map(of).collect()
}

/// The files that git knows or would add; without git, those in the folder.
fn repository_files() -> Vec<PathBuf> {
    let arguments = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    match Command::new("git").args(arguments).current_dir(root()).output() {
        Ok(output) if output.status.success() => {
            let names = String::from_utf8(output.stdout).unwrap();
            names.split_terminator('\0').map(|name| root().join(name)).filter(|path| path.is_file()).collect()
        }
        _ => files_under(root()),
    }
}

#[test]
fn no_arrow_runs_up() {
    let src = root().join("src");
    let lifted = lifted(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let files = files_under(&src).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let files: Vec<_> = files.filter(|path| *path != src.join("lib.rs")).collect();
    assert!(files.len() > 10);
    let of = |path: PathBuf| {
        let name = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
        faults(&name, &fs::read_to_string(path).unwrap(), &lifted)
    };
    let found: Vec<_> = files.into_iter().flat_map(of).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_500_lines() {
    let is_code = |path: &PathBuf| {
        path.extension().is_some_and(|e| ["rs", "kt", "kts", "swift"].iter().any(|x| e == *x))
    };
    let files: Vec<_> = repository_files().into_iter().filter(is_code).collect();
    assert!(files.len() > 10);
    let long = files.iter().filter(|path| fs::read_to_string(path).unwrap().lines().count() > MAX_LINES);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
}

/// File, source, and what is found fault with.
const MADE_UP: &[(&str, &str, &[&str])] = &[
    ("barcode/qr.rs", "use crate::{store::X, model::Y};", &["crate::store::X"]),
    (
        "model.rs",
        "use crate::{\n    error::E,\n    sync::{\n        plan::{A, B as C},\n        self,\n    },\n    clock,\n};",
        &["crate::sync::plan::A", "crate::sync::plan::B", "crate::sync::self"],
    ),
    ("store/open.rs", "fn f() { crate::remote::http::get::<u8>() }", &["crate::remote::http::get"]),
    ("store.rs", "mod a; use super::wallet::Wallet; use self::a::B;", &["super::wallet::Wallet"]),
    (
        "store/a/b.rs",
        "use super::super::c; use super::super::super::remote::D;",
        &["super::super::super::remote::D"],
    ),
    (
        "sync.rs",
        "use crate::store; use crate::document::Rule; use crate::Gate;",
        &["crate::document::Rule", "crate::Gate"],
    ),
    ("wallet/sync.rs", "use crate::{sync, wallet::x, WalletError}; use crate::issuer;", &["crate::issuer"]),
    ("gate.rs", "use crate::*; use crate::nowhere::X;", &["crate::*", "crate::nowhere::X"]),
    ("attic.rs", "", &["attic has no layer"]),
    (
        "clock.rs",
        "use std::{fmt, time::{Duration, Instant}, fs::File}; fn f() { std::net::x() }",
        &["Instant", "std::fs::File", "std::net::x"],
    ),
    (
        "events.rs",
        "use ::tokio::sync; use ring::rand::SystemRandom; use ::std::net;",
        &["tokio", "rand", "SystemRandom", "std::net"],
    ),
    ("host/vault.rs", "use std::fs; use ring::rand; use reqwest::Client;", &["reqwest"]),
    ("host.rs", "use std::fs;", &["std::fs"]),
    (
        "model/a.rs",
        "// use crate::store::X;\n/* /* crate::sync::a */ crate::sync::b */ /// crate::wallet::W\nfn f() {}",
        &[],
    ),
    (
        "model/b.rs",
        r##"const A: &str = "use crate::store::X; \" crate::sync::Y"; const B: &[u8] = br#"crate::gate::"#;"##,
        &[],
    ),
    (
        "model/c.rs",
        "fn f<'a>(q: &'a str) -> char { g('\"', '\\''); crate::store::x(); '\"' }",
        &["crate::store::x"],
    ),
    (
        "model/d.rs",
        "#[cfg(test)]\nmod tests { use crate::gate::G; fn f() { {} } }\nuse crate::wallet::W;",
        &["crate::wallet::W"],
    ),
    (
        "model/e.rs",
        "#[cfg(test)] use crate::gate::G; pub(crate) fn f(s: u8) { store::x(other::crate_::y) }",
        &[],
    ),
];

#[test]
fn the_checker_sees_every_arrow_and_nothing_else() {
    let lifted = lifted("mod gate; pub use gate::{Gate, GateConfig};\npub use error::WalletError;");
    for (file, source, expected) in MADE_UP {
        let found = faults(file, source, &lifted);
        let said: Vec<_> = found.iter().map(|fault| fault.split_once([' ', ':']).unwrap().1).collect();
        let said: Vec<_> = said.iter().map(|fault| fault.trim_start_matches("uses ").trim()).collect();
        assert_eq!(said, *expected, "{file}: {source}");
    }
}
