//! No OpenSSL: none among the crates, none in the program, and none opened by the linker on the way.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{json_lines, root};

/// OpenSSL in its forms, and the TLS provider that builds a fork of it.
const BANNED: [&str; 6] = ["openssl", "openssl-sys", "openssl-src", "native-tls", "aws-lc-rs", "aws-lc-sys"];

/// Cargo as it was called for the tests, without what it told them about their own package: some build scripts would
/// take notice and run again.
fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO"));
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" {
            command.env_remove(&*name);
        }
    }
    command.args(arguments).args(["--locked", "--offline"]).current_dir(root());
    command
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn no_crate_brings_it() {
    let tree = ["tree", "--workspace", "-e", "normal,build", "--prefix", "none", "--format", "{p}"];
    let tree = succeeded(cargo(&tree).output().unwrap());
    let built: BTreeSet<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(["ring", "rustls", "libsqlite3-sys", "ticket-wallet"].iter().all(|name| built.contains(name)));
    // The lock file names what other systems and the tests need as well.
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for banned in BANNED {
        assert!(!built.contains(banned), "{banned} is built");
        assert!(!lock.contains(&format!("name = \"{banned}\"\n")), "{banned} is in the lock file");
    }
}

/// The shared libraries that a program asks for.
fn needed(program: &Path) -> Vec<String> {
    let dynamic = succeeded(Command::new("readelf").args(["-d", "-W"]).arg(program).output().unwrap());
    let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
    needed.map(|line| line.split(['[', ']']).nth(1).unwrap().to_owned()).collect()
}

fn assert_needs_no_openssl(program: &Path) {
    let needed = needed(program);
    assert!(needed.iter().any(|name| name.starts_with("libc.so")), "{needed:?}");
    assert!(!needed.iter().any(|name| name.contains("crypto") || name.contains("ssl")), "{needed:?}");
}

#[test]
fn the_program_needs_no_library_of_it() {
    assert_needs_no_openssl(Path::new(env!("CARGO_BIN_EXE_ticket-wallet")));
}

/// The linker that fails when an OpenSSL is opened, and what it is told by the environment.
fn guarded(command: &mut Command, trace: &Path) {
    let allowed = root().join(".cargo/no-openssl");
    command.env("LINK_ALLOWED", allowed).env("LINK_TRACE", trace);
}

fn guard() -> PathBuf {
    root().join("tests/support/link-without-openssl.sh")
}

#[test]
fn the_guard_notices_a_libcrypto_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (source, trace) = (folder.join("main.c"), folder.join("trace"));
    fs::write(&source, "int main(void) { return 0; }\n").unwrap();
    for name in ["libcrypto.a", "libssl.a"] {
        fs::write(folder.join(name), "!<arch>\n").unwrap();
    }
    let link = |library: &str, from: &Path| {
        let mut command = Command::new(guard());
        guarded(&mut command, &trace);
        command.arg(&source).arg("-o").arg(folder.join("main")).arg("-L").arg(from).arg(library);
        command.output().unwrap()
    };
    for library in ["-lcrypto", "-lssl"] {
        let refused = link(library, folder);
        assert!(!refused.status.success(), "{library}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("an OpenSSL was opened"), "{refused:?}");
    }
    let allowed = root().join(".cargo/no-openssl");
    succeeded(link("-lcrypto", &allowed));
    assert!(fs::read_to_string(&trace).unwrap().contains("no-openssl/libcrypto.a"));
}

/// Links the probe through the guard; tells where it is, and whether it had been linked before.
fn link_probe(trace: &Path) -> (PathBuf, bool) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let mut command = cargo(&["rustc", "-p", "ticket-wallet", "--test", "link_probe"]);
    command.args(["--message-format", "json", "--target-dir"]).arg(target);
    command.arg("--").arg("-C").arg(format!("linker={}", guard().display()));
    guarded(&mut command, trace);
    let messages = json_lines(&succeeded(command.output().unwrap()));
    let probe = messages.iter().find(|message| message["target"]["name"] == "link_probe").unwrap();
    let executable = probe["executable"].as_str().unwrap();
    (PathBuf::from(executable), probe["fresh"] == Value::Bool(true))
}

#[test]
fn the_link_opens_none() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let (mut probe, fresh) = link_probe(&trace);
    if fresh {
        fs::remove_file(&probe).unwrap();
        let (again, fresh) = link_probe(&trace);
        assert!(!fresh);
        probe = again;
    }
    let opened = fs::read_to_string(&trace).unwrap();
    assert!(opened.lines().any(|file| file.contains("libsqlite3_sys-")), "SQLCipher was linked");
    let empty = root().join(".cargo/no-openssl/libcrypto.a");
    assert!(opened.lines().any(|file| Path::new(file) == empty), "the empty archive answered -lcrypto");
    assert_needs_no_openssl(&probe);
    let wallet = tempfile::tempdir().unwrap();
    assert!(Command::new(probe).arg(wallet.path()).status().unwrap().success());
}
